//! Which events merge persons, and which ids may be merged (SPEC 5.5, section 3).

use serde_json::{Map, Value, json};

use crate::expected::ExpectedWarning;
use crate::javascript::{is_white_space, string, truthy_key};
use crate::nul;

/// A call to merge the person of `other` into the person of the event's distinct id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merge {
    pub other: String,
    /// Even if the other person is identified.
    pub forced: bool,
}

/// A legal merge of two different ids; or nothing; or the warning that says why not.
pub(crate) fn merge_of(
    event: &str,
    distinct_id: &str,
    properties: &Map<String, Value>,
) -> Result<Option<Merge>, ExpectedWarning> {
    let (key, forced) = match event {
        "$identify" => ("$anon_distinct_id", false),
        "$create_alias" => ("alias", false),
        "$merge_dangerously" => ("alias", true),
        _ => return Ok(None),
    };
    let Some(other) = truthy_key(properties, key) else { return Ok(None) };
    let other = nul::replaced(&string(other));
    if other == distinct_id {
        return Ok(None);
    }
    let warning = |illegal: &str, other: &str| ExpectedWarning {
        kind: "cannot_merge_with_illegal_distinct_id".to_owned(),
        details: json!({ "illegalDistinctId": illegal, "otherDistinctId": other }),
    };
    if is_illegal(distinct_id) {
        return Err(warning(distinct_id, &other));
    }
    if is_illegal(&other) {
        return Err(warning(&other, distinct_id));
    }
    Ok(Some(Merge { other, forced }))
}

/// Ids that come from a bug rather than from a user. They only block merging.
pub(crate) fn is_illegal(distinct_id: &str) -> bool {
    const IN_ANY_CASE: [&str; 10] = [
        "anonymous",
        "guest",
        "distinctid",
        "distinct_id",
        "id",
        "not_authenticated",
        "email",
        "undefined",
        "true",
        "false",
    ];
    const AS_WRITTEN: [&str; 7] = ["[object Object]", "NaN", "None", "none", "null", "0", "undefined"];
    distinct_id.chars().all(is_white_space)
        || IN_ANY_CASE.contains(&distinct_id.to_lowercase().as_str())
        || AS_WRITTEN.contains(&distinct_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_ids() {
        for id in [
            "",
            " ",
            "\t\n\u{a0}\u{feff}",
            "anonymous",
            "ANONYMOUS",
            "guest",
            "Guest",
            "distinctid",
            "distinctId",
            "distinct_id",
            "DISTINCT_ID",
            "id",
            "ID",
            "not_authenticated",
            "Not_Authenticated",
            "email",
            "EMAIL",
            "undefined",
            "uNdEfInEd",
            "true",
            "True",
            "false",
            "FALSE",
            "[object Object]",
            "NaN",
            "None",
            "none",
            "null",
            "0",
        ] {
            assert!(is_illegal(id), "{id:?}");
        }
        for id in [
            "Nan",
            "nan",
            "NONE",
            "Null",
            "NULL",
            "[object object]",
            "ANON",
            "anon",
            " anonymous",
            "id ",
            "00",
            "0.0",
            "'null'",
            "\"0\"",
            "nil",
            "user",
            "-",
            "\u{85}",
        ] {
            assert!(!is_illegal(id), "{id:?}");
        }
    }

    #[test]
    fn which_events_merge() {
        let of = |event: &str, properties: Value| {
            let Value::Object(properties) = properties else { panic!("not an object") };
            merge_of(event, "d", &properties).unwrap().map(|merge| (merge.other, merge.forced))
        };
        assert_eq!(of("$identify", json!({"$anon_distinct_id": "o"})), Some(("o".to_owned(), false)));
        assert_eq!(of("$create_alias", json!({"alias": 123})), Some(("123".to_owned(), false)));
        assert_eq!(of("$merge_dangerously", json!({"alias": [1, 2]})), Some(("1,2".to_owned(), true)));
        assert_eq!(of("$identify", json!({"alias": "o"})), None);
        assert_eq!(of("$create_alias", json!({"$anon_distinct_id": "o"})), None);
        assert_eq!(of("$identify", json!({"$anon_distinct_id": 0})), None);
        assert_eq!(of("$identify", json!({"$anon_distinct_id": "d"})), None);
        assert_eq!(of("identify", json!({"$anon_distinct_id": "o"})), None);
    }
}

//! What changed between two forms of an event, by path. Values are compared as JSON, so the order of
//! keys never counts as a change.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Added(Value),
    Removed(Value),
    Changed { old: Value, new: Value },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Keys from the root; an array element is `[3]`.
    pub path: Vec<String>,
    pub change: Change,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diff {
    /// In the order of the old form, then what is new.
    pub rows: Vec<Row>,
    /// Paths of the leaves that are equal on both sides.
    pub unchanged: Vec<String>,
}

impl Diff {
    pub fn between(old: &Value, new: &Value) -> Self {
        let mut diff = Self::default();
        diff.walk(&mut Vec::new(), old, new);
        diff
    }

    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Added, removed, changed.
    pub fn counts(&self) -> (usize, usize, usize) {
        self.rows.iter().fold((0, 0, 0), |(added, removed, changed), row| match row.change {
            Change::Added(_) => (added + 1, removed, changed),
            Change::Removed(_) => (added, removed + 1, changed),
            Change::Changed { .. } => (added, removed, changed + 1),
        })
    }

    fn walk(&mut self, path: &mut Vec<String>, old: &Value, new: &Value) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) if !(old.is_empty() && new.is_empty()) => {
                for (key, before) in old {
                    path.push(key.clone());
                    match new.get(key) {
                        Some(after) => self.walk(path, before, after),
                        None => self.leaves(path, before, &Change::Removed),
                    }
                    path.pop();
                }
                for (key, after) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                    path.push(key.clone());
                    self.leaves(path, after, &Change::Added);
                    path.pop();
                }
            }
            (Value::Array(old), Value::Array(new)) if !(old.is_empty() && new.is_empty()) => {
                for index in 0..old.len().max(new.len()) {
                    path.push(format!("[{index}]"));
                    match (old.get(index), new.get(index)) {
                        (Some(before), Some(after)) => self.walk(path, before, after),
                        (Some(before), None) => self.leaves(path, before, &Change::Removed),
                        (None, Some(after)) => self.leaves(path, after, &Change::Added),
                        (None, None) => {}
                    }
                    path.pop();
                }
            }
            (old, new) if old == new => self.unchanged.push(dotted(path)),
            (old, new) => self
                .rows
                .push(Row { path: path.clone(), change: Change::Changed { old: old.clone(), new: new.clone() } }),
        }
    }

    /// A whole subtree came or went: one row a leaf, so that every value can be read.
    fn leaves(&mut self, path: &mut Vec<String>, value: &Value, change: &impl Fn(Value) -> Change) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, inner) in map {
                    path.push(key.clone());
                    self.leaves(path, inner, change);
                    path.pop();
                }
            }
            leaf => self.rows.push(Row { path: path.clone(), change: change(leaf.clone()) }),
        }
    }
}

/// `properties.items[0].price`.
pub fn dotted(path: &[String]) -> String {
    let mut out = String::new();
    for key in path {
        if !out.is_empty() && !key.starts_with('[') {
            out.push('.');
        }
        out.push_str(key);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(old: &Value, new: &Value) -> Vec<(String, Change)> {
        Diff::between(old, new).rows.into_iter().map(|row| (dotted(&row.path), row.change)).collect()
    }

    #[test]
    fn equal_forms_have_no_rows_whatever_the_order_of_keys() {
        let diff = Diff::between(&json!({"a": 1, "b": {"c": [1, 2]}}), &json!({"b": {"c": [1, 2]}, "a": 1}));
        assert!(diff.is_empty());
        assert_eq!(diff.unchanged, ["a", "b.c[0]", "b.c[1]"]);
    }

    #[test]
    fn added_removed_and_changed_are_told_apart() {
        let old = json!({"event": "x", "properties": {"$ip": "1.2.3.4", "plan": "free"}});
        let new = json!({"event": "x", "properties": {"plan": "pro", "geo": {"city": "Oslo"}}});
        assert_eq!(
            rows(&old, &new),
            [
                ("properties.$ip".into(), Change::Removed(json!("1.2.3.4"))),
                ("properties.plan".into(), Change::Changed { old: json!("free"), new: json!("pro") }),
                ("properties.geo.city".into(), Change::Added(json!("Oslo"))),
            ]
        );
        assert_eq!(Diff::between(&old, &new).counts(), (1, 1, 1));
    }

    #[test]
    fn null_is_a_value_and_not_an_absence() {
        assert_eq!(rows(&json!({"a": null}), &json!({})), [("a".into(), Change::Removed(Value::Null))]);
        assert_eq!(
            rows(&json!({"a": null}), &json!({"a": 0})),
            [("a".into(), Change::Changed { old: Value::Null, new: json!(0) })]
        );
    }

    #[test]
    fn arrays_go_by_index_and_types_may_change() {
        assert_eq!(
            rows(&json!([1, 2]), &json!([1, {"k": 2}, 3])),
            [
                ("[1]".into(), Change::Changed { old: json!(2), new: json!({"k": 2}) }),
                ("[2]".into(), Change::Added(json!(3))),
            ]
        );
        assert_eq!(rows(&json!({"a": {}}), &json!({"a": {"b": {}}})), [("a.b".into(), Change::Added(json!({})))]);
    }
}

//! `$identify`, `$create_alias` and `$merge_dangerously`: joining an id, or another person, to the
//! person of the event. Always the other into the one of `distinct_id`.

use serde_json::json;
use weir_event::js;
use weir_event::prepare::Warning;
use weir_event::sabotage::{Bug, strikes};

use crate::event::IdentityEvent;
use crate::people::{People, PersonIndex};
use crate::rows::Changes;

/// Added to the last version of a merged person's row, so that its tombstone beats any late write.
const TOMBSTONE_VERSIONS: u32 = 100;
/// A longer id has no place in the tables that PostHog keeps, so it cannot be joined either.
const ID_LIMIT_CHARS: usize = 400;

/// What an event asks to be joined.
#[derive(Debug)]
pub(crate) struct Link {
    pub other: String,
    /// `$merge_dangerously`: also when the other is already identified.
    pub forced: bool,
}

/// Whether a link joins two ids that may be joined, before any person is looked at.
pub(crate) fn joins(event: &IdentityEvent<'_>, link: &Link, warnings: &mut Vec<Warning>) -> bool {
    let other_id = link.other.as_str();
    if other_id == event.distinct_id {
        return false;
    }
    let illegal =
        [(event.distinct_id, other_id), (other_id, event.distinct_id)].into_iter().find(|(id, _)| is_illegal(id));
    warnings.extend(illegal.map(|(illegal, counterpart)| Warning {
        kind: "cannot_merge_with_illegal_distinct_id",
        details: json!({"illegalDistinctId": illegal, "otherDistinctId": counterpart}),
    }));
    illegal.is_none()
}

impl People {
    /// Joins as the event asks. Returns the event's person if joining decided it, and whether that
    /// person becomes identified.
    pub(crate) fn link(
        &mut self,
        event: &IdentityEvent<'_>,
        link: &Link,
        changes: &mut Changes,
    ) -> (Option<PersonIndex>, bool) {
        if !joins(event, link, &mut changes.warnings) {
            return (None, false);
        }
        let other_id = link.other.as_str();
        let owners = (self.owner_of(event.project, other_id), self.owner_of(event.project, event.distinct_id));
        let person = match owners {
            (None, None) => self.create(event, &[event.distinct_id, other_id], true, changes),
            (Some(other), None) => {
                changes.distinct_ids.push(self.add_id(event.project, event.distinct_id, other));
                other
            }
            (None, Some(target)) => {
                changes.distinct_ids.push(self.add_id(event.project, other_id, target));
                target
            }
            (Some(other), Some(target)) if other == target => target,
            (Some(other), Some(target)) => {
                if self.person(other).is_identified() && !link.forced {
                    changes.warnings.push(Warning {
                        kind: "cannot_merge_already_identified",
                        details: json!({
                            "sourcePersonDistinctId": other_id,
                            "targetPersonDistinctId": event.distinct_id,
                        }),
                    });
                } else {
                    self.merge(event, other, target, changes);
                }
                target
            }
        };
        (Some(person), true)
    }

    fn merge(&mut self, event: &IdentityEvent<'_>, other: PersonIndex, target: PersonIndex, changes: &mut Changes) {
        let (mut gone, moved) = self.absorb(event.project, other, target);
        let (kept, names) = self.person_mut(target);
        let joined = kept.properties.completed_by(&gone.properties);
        kept.properties = joined.applied(event.properties, names).unwrap_or(joined);
        if !strikes(Bug::MergeTakesYounger) {
            kept.created_at_ms = kept.created_at_ms.min(gone.created_at_ms);
        }
        if !strikes(Bug::NeverIdentified) {
            kept.identify();
        }
        kept.add_versions(1);
        changes.persons.push(self.row(event.project, target));
        changes.distinct_ids.extend(moved);
        gone.add_versions(TOMBSTONE_VERSIONS);
        changes.persons.push(gone.row(event.project, true, &self.names));
    }
}

/// Ids that clients send by mistake. Events under them are kept; joining through them would make one
/// person of strangers.
pub fn is_illegal(distinct_id: &str) -> bool {
    const ANY_CASE: [&str; 10] = [
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
    const EXACT: [&str; 6] = ["[object Object]", "NaN", "None", "none", "null", "0"];
    js::is_blank(distinct_id)
        || EXACT.contains(&distinct_id)
        || ANY_CASE.iter().any(|name| name.eq_ignore_ascii_case(distinct_id))
        || distinct_id.chars().nth(ID_LIMIT_CHARS).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_spellings_are_mistakes() {
        let any_case = [
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
        for id in any_case {
            assert!(is_illegal(id) && is_illegal(&id.to_uppercase()), "{id}");
        }
        for id in ["[object Object]", "NaN", "None", "none", "null", "0", "", " ", "\t\u{a0}\u{feff}"] {
            assert!(is_illegal(id), "{id:?}");
        }
        for id in ["Nan", "nan", "NONE", "Null", "[object object]", "anon", " id", "00", "'null'", "\"0\"", "\u{85}"] {
            assert!(!is_illegal(id), "{id:?}");
        }
        assert!(!is_illegal(&"é".repeat(400)) && is_illegal(&"é".repeat(401)));
    }
}

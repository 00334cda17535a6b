//! `$identify`, `$create_alias` and `$merge_dangerously`: joining an id, or another person, to the
//! person of the event. Always the other into the one of `distinct_id`.

use serde_json::json;

use crate::apply::{Changes, IdentityEvent, Warning, apply_properties};
use crate::state::{DistinctIdRow, Owner, PersonIndex, Project};

/// Added to the last version of a merged person's row, so that its tombstone beats any late write.
const TOMBSTONE_VERSIONS: u64 = 100;

/// What an event asks to be joined.
#[derive(Debug)]
pub(crate) struct Link {
    pub other: String,
    /// `$merge_dangerously`: also when the other is already identified.
    pub forced: bool,
}

impl Project {
    /// Joins as the event asks. Returns the event's person if joining decided it, and whether that
    /// person becomes identified.
    pub fn link(
        &mut self,
        event: &IdentityEvent<'_>,
        link: &Link,
        changes: &mut Changes,
    ) -> (Option<PersonIndex>, bool) {
        let other_id = link.other.as_str();
        if other_id == event.distinct_id {
            return (None, false);
        }
        for (illegal, counterpart) in [(event.distinct_id, other_id), (other_id, event.distinct_id)] {
            if is_illegal(illegal) {
                changes.warnings.push(Warning {
                    kind: "cannot_merge_with_illegal_distinct_id",
                    details: json!({"illegalDistinctId": illegal, "otherDistinctId": counterpart}),
                });
                return (None, false);
            }
        }
        let person = match (self.owner_of(other_id), self.owner_of(event.distinct_id)) {
            (None, None) => self.create(event, &[event.distinct_id, other_id], true, changes),
            (Some(other), None) => self.add_id(event, event.distinct_id, other, changes),
            (None, Some(target)) => self.add_id(event, other_id, target, changes),
            (Some(other), Some(target)) if other == target => target,
            (Some(other), Some(target)) => {
                if self.person(other).is_identified && !link.forced {
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

    fn add_id(
        &mut self,
        event: &IdentityEvent<'_>,
        distinct_id: &str,
        index: PersonIndex,
        changes: &mut Changes,
    ) -> PersonIndex {
        let person = self.person_mut(index);
        person.distinct_ids.push(distinct_id.to_owned());
        changes.distinct_ids.push(DistinctIdRow {
            project: event.project,
            distinct_id: distinct_id.to_owned(),
            person: person.uuid,
            version: 0,
        });
        self.owners.insert(distinct_id.to_owned(), Owner { person: index, version: 0 });
        index
    }

    fn merge(&mut self, event: &IdentityEvent<'_>, other: PersonIndex, target: PersonIndex, changes: &mut Changes) {
        let mut gone = self.persons[other].take().expect("invariant: owners point at persons that exist");
        let kept = self.person_mut(target);
        let mut properties = gone.properties.clone();
        properties.extend(std::mem::take(&mut kept.properties));
        apply_properties(&mut properties, event.properties);
        kept.properties = properties;
        kept.write_json();
        kept.created_at_ms = kept.created_at_ms.min(gone.created_at_ms);
        kept.is_identified = true;
        kept.version += 1;
        kept.distinct_ids.extend(gone.distinct_ids.iter().cloned());
        let uuid = kept.uuid;
        changes.persons.push(kept.row(event.project, false));
        for distinct_id in &gone.distinct_ids {
            let owner = self.owners.get_mut(distinct_id).expect("invariant: a person's ids have owners");
            *owner = Owner { person: target, version: owner.version + 1 };
            changes.distinct_ids.push(DistinctIdRow {
                project: event.project,
                distinct_id: distinct_id.clone(),
                person: uuid,
                version: owner.version,
            });
        }
        gone.version += TOMBSTONE_VERSIONS;
        changes.persons.push(gone.row(event.project, true));
    }
}

/// Ids that clients send by mistake. Events under them are kept; joining through them would make one
/// person of strangers.
fn is_illegal(distinct_id: &str) -> bool {
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
    const EXACT: [&str; 7] = ["[object Object]", "NaN", "None", "none", "null", "0", "undefined"];
    let unquoted =
        distinct_id.strip_prefix(['"', '\'']).and_then(|rest| rest.strip_suffix(['"', '\''])).unwrap_or(distinct_id);
    distinct_id.trim().is_empty()
        || EXACT.contains(&unquoted)
        || ANY_CASE.iter().any(|name| name.eq_ignore_ascii_case(unquoted))
}

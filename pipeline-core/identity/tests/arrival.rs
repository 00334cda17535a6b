//! The tables of the reference, as cases: who is created, who is joined, whose values win.

use serde_json::{Map, Value, json};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_identity::{Identity, IdentityEvent, Outcome};

struct Run {
    identity: Identity,
    count: u128,
}

impl Run {
    fn new() -> Self {
        Self { identity: Identity::default(), count: 0 }
    }

    fn event(&mut self, name: &str, distinct_id: &str, properties: Value) -> Outcome {
        self.count += 1;
        let Value::Object(properties) = properties else { panic!("properties are an object") };
        self.identity.apply(IdentityEvent {
            project: ProjectId(1),
            uuid: Uuid::from_u128(self.count),
            event: name,
            distinct_id,
            properties: &properties,
            timestamp_ms: self.count as i64 * 1_000,
        })
    }

    fn identify(&mut self, distinct_id: &str, anon: &str) -> Outcome {
        self.event("$identify", distinct_id, json!({"$anon_distinct_id": anon}))
    }
}

fn parsed(properties: &str) -> Value {
    serde_json::from_str(properties).expect("JSON")
}

fn own(properties: &str) -> Value {
    let mut properties: Map<String, Value> = serde_json::from_str(properties).expect("an object");
    properties.shift_remove("$creator_event_uuid");
    Value::Object(properties)
}

#[test]
fn an_unknown_id_makes_a_person_and_set_beats_set_once() {
    let mut run = Run::new();
    let outcome = run.event("e", "a", json!({"$set": {"x": 1}, "$set_once": {"x": 0, "y": 2}, "$unset": ["y"]}));
    assert_eq!(own(&outcome.person_properties), json!({"x": 1, "y": 2}), "$unset is not for creation");
    assert_eq!(outcome.persons.len(), 1);
    assert!(!outcome.is_identified);
    assert_eq!(outcome.person_created_at_ms, 1_000);
}

#[test]
fn properties_of_a_known_person_change_by_the_three_verbs() {
    let mut run = Run::new();
    run.event("e", "a", json!({"$set": {"x": 1, "gone": null}}));
    let outcome = run.event("e", "a", json!({"$set": {"x": 2}, "$set_once": {"gone": 5, "z": 3}, "$unset": ["x"]}));
    assert_eq!(outcome.persons[0].version, 1);
    assert_eq!(own(&outcome.persons[0].properties), json!({"gone": null, "z": 3}));
    assert_eq!(parsed(&outcome.person_properties)["x"], 2, "an event always shows what it sets");
    let same = run.event("e", "a", json!({"$set_once": {"z": 9}}));
    assert!(same.persons.is_empty(), "nothing changed, so nothing is written");
}

#[test]
fn identify_joins_as_the_table_says() {
    // (target identified, other identified) -> (merged, target identified afterwards)
    for (target, other, merged) in
        [(false, false, true), (true, false, true), (false, true, false), (true, true, false)]
    {
        let mut run = Run::new();
        run.event("e", "t", json!({"$set": {"k": "target"}}));
        run.event("e", "o", json!({"$set": {"k": "other", "only": 1}}));
        if target {
            run.identify("t", "t2");
        }
        if other {
            run.identify("o", "o2");
        }
        let before = run.event("e", "t", json!({})).person;
        let outcome = run.identify("t", "o");
        let after_other = run.event("e", "o", json!({}));
        assert_eq!(outcome.person, before, "the target's uuid survives");
        assert!(outcome.is_identified);
        assert_eq!(after_other.person == before, merged, "target {target}, other {other}");
        assert_eq!(outcome.warnings.len(), usize::from(!merged));
        if merged {
            assert_eq!(parsed(&outcome.person_properties)["k"], "target");
            assert_eq!(parsed(&outcome.person_properties)["only"], 1);
            assert_eq!(outcome.person_created_at_ms, 1_000);
            assert!(outcome.persons.iter().any(|row| row.is_deleted && row.version >= 100));
        }
    }
}

#[test]
fn merge_dangerously_joins_the_identified() {
    let mut run = Run::new();
    run.identify("t", "t2");
    run.identify("o", "o2");
    let outcome = run.event("$merge_dangerously", "t", json!({"alias": "o"}));
    assert!(outcome.warnings.is_empty());
    assert_eq!(run.event("e", "o2", json!({})).person, outcome.person);
    assert_eq!(run.identity.person_count(), 1);
}

#[test]
fn unknown_ids_join_without_a_merge() {
    let mut run = Run::new();
    let fresh = run.identify("t", "o");
    assert_eq!(fresh.distinct_ids.len(), 2);
    assert!(fresh.is_identified);
    let added = run.identify("t", "third");
    assert_eq!(added.person, fresh.person);
    let into_other = run.event("$create_alias", "new", json!({"alias": "third"}));
    assert_eq!(into_other.person, fresh.person);
}

#[test]
fn mistaken_ids_never_join_but_are_still_persons() {
    for illegal in ["", " ", "anonymous", "GUEST", "null", "0", "[object Object]", "\"undefined\""] {
        let mut run = Run::new();
        run.event("e", illegal, json!({}));
        let outcome = run.identify("t", illegal);
        assert!(!outcome.is_identified, "{illegal:?}");
        if !illegal.is_empty() {
            assert_eq!(outcome.warnings[0].kind, "cannot_merge_with_illegal_distinct_id");
        }
        assert_eq!(run.identity.person_count(), 2);
    }
    let mut run = Run::new();
    assert!(!run.identify("t", "t").is_identified, "joining an id to itself is nothing");
    assert_eq!(run.identify("t", "Nan").warnings.len(), 0, "only the listed spellings are mistakes");
}

#[test]
fn a_restored_state_goes_on_as_the_old_one() {
    let mut run = Run::new();
    let first = run.identify("t", "o");
    let mut rows = first.persons.clone();
    let mut ids = first.distinct_ids.clone();
    let other = run.event("e", "x", json!({"$set": {"k": 1}}));
    rows.extend(other.persons);
    ids.extend(other.distinct_ids);
    let mut restored = Run { identity: Identity::restore(rows, ids).expect("JSON"), count: run.count };
    assert_eq!(restored.identify("t", "x"), run.identify("t", "x"));
}

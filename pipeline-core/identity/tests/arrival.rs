//! The tables of the reference, as cases: who is created, who is joined, whose values win.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use weir_event::ProjectId;
use weir_event::prepare::Profile;
use weir_identity::{
    Arrival, Changes, GroupSnapshot, IdentityEvent, KnownId, KnownPerson, Outcome, PersonRow, Restoring,
};

const NOW_MS: i64 = 1_700_000_000_000;

struct Run {
    identity: Arrival,
    count: u128,
}

impl Run {
    fn new() -> Self {
        Self { identity: Arrival::default(), count: 0 }
    }

    fn event(&mut self, name: &str, distinct_id: &str, properties: Value) -> Outcome {
        self.count += 1;
        let Value::Object(mut properties) = properties else { panic!("properties are an object") };
        let asks = properties.get("$process_person_profile") == Some(&Value::Bool(false));
        self.identity.apply(IdentityEvent {
            project: ProjectId(1),
            uuid: Uuid::from_u128(self.count),
            event: name,
            distinct_id,
            properties: &mut properties,
            timestamp_ms: self.count as i64 * 1_000,
            received_at_ms: NOW_MS,
            profile: if asks { Profile::Propertyless } else { Profile::Full },
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
    assert_eq!(outcome.changes.persons.len(), 1);
    assert!(!outcome.is_identified);
    assert_eq!(outcome.person_created_at_ms, 1_000);
}

#[test]
fn properties_of_a_known_person_change_by_the_three_verbs() {
    let mut run = Run::new();
    run.event("e", "a", json!({"$set": {"x": 1, "gone": null}}));
    let outcome = run.event("e", "a", json!({"$set": {"x": 2}, "$set_once": {"gone": 5, "z": 3}, "$unset": ["x"]}));
    assert_eq!(outcome.changes.persons[0].version, 1);
    assert_eq!(own(&outcome.changes.persons[0].properties), json!({"gone": null, "z": 3}));
    assert_eq!(parsed(&outcome.person_properties)["x"], 2, "an event always shows what it sets");
    let same = run.event("e", "a", json!({"$set_once": {"z": 9}}));
    assert!(same.changes.persons.is_empty(), "nothing changed, so nothing is written");
}

#[test]
fn a_late_event_overwrites_what_is_newer() {
    let mut run = Run::new();
    run.count = 100;
    run.event("e", "a", json!({"$set": {"x": "newer"}}));
    run.count = 50;
    let outcome = run.event("e", "a", json!({"$set": {"x": "older"}}));
    assert_eq!(own(&outcome.person_properties), json!({"x": "older"}), "the order of arrival decides");
    assert_eq!(outcome.person_created_at_ms, 101_000, "and leaves the time of creation");
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
        assert_eq!(outcome.changes.warnings.len(), usize::from(!merged));
        if merged {
            assert_eq!(parsed(&outcome.person_properties)["k"], "target");
            assert_eq!(parsed(&outcome.person_properties)["only"], 1);
            assert_eq!(outcome.person_created_at_ms, 1_000);
            assert!(outcome.changes.persons.iter().any(|row| row.is_deleted && row.version >= 100));
        }
    }
}

#[test]
fn merge_dangerously_joins_the_identified() {
    let mut run = Run::new();
    run.identify("t", "t2");
    run.identify("o", "o2");
    let outcome = run.event("$merge_dangerously", "t", json!({"alias": "o"}));
    assert!(outcome.changes.warnings.is_empty());
    assert_eq!(run.event("e", "o2", json!({})).person, outcome.person);
    assert_eq!(run.identity.person_count(), 1);
}

#[test]
fn unknown_ids_join_without_a_merge() {
    let mut run = Run::new();
    let fresh = run.identify("t", "o");
    assert_eq!(fresh.changes.distinct_ids.len(), 2);
    assert!(fresh.is_identified);
    let added = run.identify("t", "third");
    assert_eq!(added.person, fresh.person);
    let into_other = run.event("$create_alias", "new", json!({"alias": "third"}));
    assert_eq!(into_other.person, fresh.person);
}

#[test]
fn mistaken_ids_never_join_but_are_still_persons() {
    for illegal in ["", " ", "anonymous", "GUEST", "null", "0", "[object Object]", "None"] {
        let mut run = Run::new();
        run.event("e", illegal, json!({}));
        let outcome = run.identify("t", illegal);
        assert!(!outcome.is_identified, "{illegal:?}");
        if !illegal.is_empty() {
            assert_eq!(outcome.changes.warnings[0].kind, "cannot_merge_with_illegal_distinct_id");
        }
        assert_eq!(run.identity.person_count(), 2);
    }
    let mut run = Run::new();
    assert!(!run.identify("t", "t").is_identified, "joining an id to itself is nothing");
    assert_eq!(run.identify("t", "Nan").changes.warnings.len(), 0, "only the listed spellings are mistakes");
}

/// What a store makes of these rows: the newest of every key, ids in the order of their newest rows.
fn restored(groups: GroupSnapshot, changes: &[Changes]) -> Arrival {
    let mut persons: HashMap<Uuid, &PersonRow> = HashMap::new();
    for row in changes.iter().flat_map(|changes| &changes.persons) {
        persons.insert(row.uuid, row);
    }
    let mut newest: HashMap<&str, u64> = HashMap::new();
    for row in changes.iter().flat_map(|changes| &changes.distinct_ids) {
        newest.insert(&row.distinct_id, row.version);
    }
    let mut restoring = Restoring::new(groups).expect("JSON");
    for row in persons.into_values().filter(|row| !row.is_deleted) {
        let known = KnownPerson {
            uuid: row.uuid,
            created_at_ms: row.created_at_ms,
            properties: &row.properties,
            is_identified: row.is_identified,
            version: row.version,
        };
        restoring.person(known).expect("JSON");
    }
    for row in changes.iter().flat_map(|changes| &changes.distinct_ids) {
        if newest[&*row.distinct_id] == row.version {
            restoring.id(KnownId {
                project: row.project,
                distinct_id: &row.distinct_id,
                person: row.person,
                version: row.version,
            });
        }
    }
    restoring.finish()
}

fn step() -> impl Strategy<Value = (&'static str, u8, Value)> {
    let id = 0..12_u8;
    let name = prop_oneof![Just("a"), Just("b"), Just("nul\0"), Just("long name of a property")];
    let value = prop_oneof![
        Just(json!(1)),
        Just(json!(1.0)),
        Just(json!("pro")),
        Just(json!("a longer text that many have")),
        Just(json!({"k": ["\"", null]})),
        Just(json!("0190163a-0000-7000-8000-000000000001")),
        Just(json!("\0\n")),
    ];
    let object = prop::collection::hash_map(name, value, 0..3);
    (0..6_u8, id.clone(), id, object.clone(), object, prop::option::of(Just(json!(["a", "long name of a property"]))))
        .prop_map(|(kind, id, other, set, once, unset)| {
            let mut properties = json!({"$set": set, "$set_once": once});
            if let Some(unset) = unset {
                properties["$unset"] = unset;
            }
            let name = match kind {
                0 => "$identify",
                1 => "$merge_dangerously",
                _ => "e",
            };
            properties["$anon_distinct_id"] = id_text(other).into();
            properties["alias"] = id_text(other).into();
            (name, id, properties)
        })
}

fn id_text(id: u8) -> String {
    if id.is_multiple_of(2) { format!("0190163a-0000-7000-8000-0000000000{id:02}") } else { format!("person {id}") }
}

proptest! {
    #[test]
    fn a_restart_anywhere_changes_nothing(steps in prop::collection::vec(step(), 1..60), cut in any::<prop::sample::Index>()) {
        let mut run = Run::new();
        let mut rows = Vec::new();
        let cut = cut.index(steps.len());
        for (name, id, properties) in &steps[..cut] {
            rows.push(run.event(name, &id_text(*id), properties.clone()).changes);
        }
        let mut other = Run { identity: restored(GroupSnapshot::default(), &rows), count: run.count };
        prop_assert_eq!(other.identity.person_count(), run.identity.person_count());
        for (name, id, properties) in &steps[cut..] {
            let live = run.event(name, &id_text(*id), properties.clone());
            let back = other.event(name, &id_text(*id), properties.clone());
            prop_assert_eq!(format!("{live:?}"), format!("{back:?}"));
        }
    }
}

#[test]
fn a_restored_state_goes_on_as_the_old_one() {
    let mut run = Run::new();
    let mut rows = Vec::new();
    let mut all = |outcome: Outcome| rows.push(outcome.changes);
    all(run.identify("t", "o"));
    all(run.event("e", "x", json!({"$set": {"k": 1}})));
    all(run.event("$groupidentify", "x", json!({"$group_type": "company", "$group_key": "c", "$group_set": {"a": 1}})));
    let mut snapshot = GroupSnapshot::default();
    for changes in &rows {
        snapshot.group_types.extend(changes.group_types.iter().cloned());
        snapshot.groups.extend(changes.groups.iter().cloned());
    }
    let mut restored = Run { identity: restored(snapshot, &rows), count: run.count };
    for (name, id, properties) in [
        ("$identify", "t", json!({"$anon_distinct_id": "x"})),
        ("e", "o", json!({"$groups": {"team": 1, "company": "c"}})),
    ] {
        let (left, right) = (restored.event(name, id, properties.clone()), run.event(name, id, properties));
        assert_eq!((left.person, &left.person_properties), (right.person, &right.person_properties));
        assert_eq!(left.groups, right.groups);
        assert_eq!(left.changes.persons, right.changes.persons);
        assert_eq!(left.changes.distinct_ids, right.changes.distinct_ids);
    }
}

#[test]
fn an_event_without_a_person_leaves_none_behind() {
    let mut run = Run::new();
    let outcome = run.event("e", "a", json!({"$process_person_profile": false, "$groups": {"company": "c"}}));
    assert_eq!((outcome.person_mode.as_str(), outcome.person_created_at_ms), ("propertyless", 5_000));
    assert_eq!((outcome.person_properties.as_str(), outcome.groups), ("{}", None));
    assert_eq!(run.identity.person_count(), 0);
    let later = run.event("e", "a", json!({}));
    assert_eq!(later.person, outcome.person, "a later person of the id has the uuid that was stored");

    // Within a minute of the person's creation the wish is honoured, later the person wins.
    let soon = run.event("e", "a", json!({"$process_person_profile": false}));
    assert_eq!(soon.person_mode.as_str(), "propertyless");
    run.count += 61;
    let late = run.event("e", "a", json!({"$process_person_profile": false}));
    assert_eq!((late.person_mode.as_str(), late.person), ("force_upgrade", later.person));
    assert!(late.changes.persons.is_empty());
}

#[test]
fn five_group_types_get_a_slot_and_later_sets_win() {
    let mut run = Run::new();
    let all = json!({"$groups": {"a": "1", "b": 2, "c": "3", "d": "4", "e": "5", "f": "6"}});
    let outcome = run.event("e", "u", all);
    assert_eq!(outcome.changes.group_types.len(), 5);
    let groups: Value = serde_json::from_str(&outcome.groups.expect("groups")).expect("JSON");
    assert_eq!(groups["1"], json!([{}, 0]), "a group that nobody described");

    let mut set = |at: u128, properties: Value| {
        run.count = at;
        let outcome =
            run.event("$groupidentify", "u", json!({"$group_type": "b", "$group_key": 2, "$group_set": properties}));
        outcome.changes.groups
    };
    let first = set(50, json!({"plan": "pro", "seats": 1}));
    assert_eq!((first[0].version, first[0].key.as_str(), first[0].created_at_ms), (1, "2", 51_000));
    assert!(set(40, json!({"plan": "old"})).is_empty(), "an older event changes nothing");
    let second = set(60, json!({"plan": "pro"}));
    assert_eq!(second[0].version, 2, "its time moves on although the value stays");
    assert_eq!(parsed(&second[0].properties), json!({"plan": "pro", "seats": 1}));
}

#[test]
fn groupidentify_needs_a_type_and_a_key() {
    let mut run = Run::new();
    for nothing in [
        json!({"$group_key": "k", "$group_set": {"a": 1}}),
        json!({"$group_type": "t", "$group_key": ""}),
        json!({"$group_type": 0, "$group_key": "k"}),
    ] {
        let changes = run.event("$groupidentify", "u", nothing).changes;
        assert!(changes.groups.is_empty() && changes.group_types.is_empty());
    }
    assert_eq!(run.identity.person_count(), 1, "it makes a person all the same");
    let named = json!({"$group_type": "t", "$group_key": [1, 2], "$group_set": "no object"});
    let group = &run.event("$groupidentify", "u", named).changes.groups[0];
    assert_eq!((group.kind.as_str(), group.key.as_str(), group.version), ("t", "1,2", 1));
    assert_eq!(parsed(&group.properties), json!({}));
}

#[test]
fn of_two_group_sets_at_one_time_the_first_counts() {
    let mut run = Run::new();
    let mut set = |value: Value| {
        run.count = 10;
        let outcome =
            run.event("$groupidentify", "u", json!({"$group_type": "t", "$group_key": "k", "$group_set": value}));
        outcome.changes.groups
    };
    set(json!({"a": 1}));
    assert!(set(json!({"a": 2})).is_empty());
    assert_eq!(parsed(&set(json!({"a": 3, "b": 3}))[0].properties), json!({"a": 1, "b": 3}));
}

#[test]
fn a_group_key_has_a_limit() {
    let mut run = Run::new();
    let mut named = |characters: usize| {
        let key = "é".repeat(characters);
        run.event("$groupidentify", "u", json!({"$group_type": "t", "$group_key": key})).changes
    };
    assert_eq!(named(400).groups.len(), 1);
    let changes = named(401);
    assert!(changes.groups.is_empty());
    assert_eq!(changes.warnings[0].kind, "group_key_too_long");
    assert_eq!(changes.warnings[0].details["groupKey"], "é".repeat(100));
    assert_eq!(changes.warnings[0].details["groupKeyLength"], 401);
}

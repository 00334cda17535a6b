//! Event-time mode: what it computes, and that the order of arrival has no part in it.

use proptest::prelude::*;
use serde_json::{Value, json};
use weir_event::ids::person_uuid;
use weir_oracle::{ExpectedProject, Oracle, Ordering};

#[path = "support/history.rs"]
mod history;
use history::{NOW, TOKEN, event, ms, outcome_of, post, send, uuid};

fn at(minute: u32, event: &str, distinct_id: &str, properties: Value) -> Value {
    json!({"event": event, "distinct_id": distinct_id, "timestamp": format!("2023-06-01T10:{minute:02}:00Z"),
        "properties": properties})
}

fn folded(events: &[Value]) -> ExpectedProject {
    outcome_of(Ordering::EventTime, events)
}

#[test]
fn the_latest_set_and_the_earliest_set_once() {
    let project = folded(&[
        at(5, "x", "d", json!({"$set": {"a": "late", "s": 1}, "$set_once": {"o": "late"}})),
        at(1, "x", "d", json!({"$set": {"a": "early"}, "$set_once": {"o": "early", "s": 2}})),
        at(6, "x", "d", json!({"$unset": ["gone", "back"]})),
        at(2, "x", "d", json!({"$set": {"gone": 1}, "$set_once": {"gone": 2}})),
        at(7, "x", "d", json!({"$set_once": {"back": 3}})),
    ]);
    let person = &project.persons[0];
    assert_eq!(
        Value::Object(person.properties.clone()),
        json!({"a": "late", "back": 3, "o": "early", "s": 1, "$creator_event_uuid": uuid(2)})
    );
    assert_eq!(person.created_at_ms, ms("2023-06-01T10:01:00Z"));
}

#[test]
fn a_late_merge_splits_persons_again() {
    let mut events = vec![
        at(0, "seen", "user1", json!({})),
        at(0, "seen", "user2", json!({})),
        at(10, "$identify", "user1", json!({"$anon_distinct_id": "anon"})),
        at(20, "$identify", "user2", json!({"$anon_distinct_id": "anon"})),
    ];
    let persons = |project: &ExpectedProject| {
        let mut persons: Vec<_> = project.persons.iter().map(|person| person.distinct_ids.clone()).collect();
        persons.sort();
        persons
    };
    let project = folded(&events);
    assert_eq!(persons(&project), [vec!["anon", "user1"], vec!["user2"]]);
    assert!(project.persons.iter().all(|person| person.is_identified), "a refused merge identifies its target too");
    assert_eq!(event(&project, 4).person_id, person_uuid(project.number, "user2"));

    // An earlier claim on the same id, last to arrive.
    events.push(at(5, "$identify", "user2", json!({"$anon_distinct_id": "anon"})));
    let project = folded(&events);
    assert_eq!(persons(&project), [vec!["anon", "user2"], vec!["user1"]]);
}

#[test]
fn a_person_is_named_after_the_id_it_used_first() {
    let project = folded(&[
        at(3, "x", "late", json!({})),
        at(2, "$identify", "user", json!({"$anon_distinct_id": "anon"})),
        at(4, "$merge_dangerously", "late", json!({"alias": "anon"})),
    ]);
    // `user` and `anon` are first used by one event, whose own id comes first.
    assert_eq!(project.persons[0].uuid, person_uuid(project.number, "user"));
    assert_eq!(project.persons[0].distinct_ids, ["anon", "late", "user"]);
    assert_eq!(project.persons[0].created_at_ms, ms("2023-06-01T10:02:00Z"));
    assert_eq!(project.persons[0].properties["$creator_event_uuid"], json!(uuid(2)));
}

#[test]
fn of_one_uuid_the_smallest_counts() {
    let repeat = |minute, value: &str| {
        let mut event = at(minute, "x", "d", json!({"$set": {"a": value}}));
        event["uuid"] = json!(uuid(1));
        event
    };
    for events in [[repeat(5, "late"), repeat(4, "early")], [repeat(4, "early"), repeat(5, "late")]] {
        let project = folded(&events);
        assert_eq!(project.events.len(), 1);
        assert_eq!(event(&project, 1).timestamp_ms, ms("2023-06-01T10:04:00Z"));
        assert_eq!(project.persons[0].properties["a"], json!("early"));
        let outcomes = &project.outcomes;
        assert_eq!((outcomes.stored, outcomes.deduplicated, outcomes.conflicting_duplicates), (1, 1, 1));
    }
}

#[test]
fn groups_by_time() {
    let project = folded(&[
        at(5, "x", "d", json!({"$groups": {"late": "l", "early": "e"}})),
        at(
            1,
            "$groupidentify",
            "d",
            json!({"$group_type": "early", "$group_key": "e", "$group_set": {"a": 1, "b": 1}}),
        ),
        at(0, "x", "d", json!({"$process_person_profile": false, "$groups": {"none": "n"}})),
        at(3, "$groupidentify", "d", json!({"$group_type": "early", "$group_key": "e", "$group_set": {"a": 3}})),
        at(2, "$groupidentify", "d", json!({"$group_type": "early", "$group_key": "e", "$group_set": {"a": 2}})),
    ]);
    assert_eq!(event(&project, 1).properties["$group_0"], json!("e"));
    assert_eq!(event(&project, 1).properties["$group_1"], json!("l"));
    let group = &project.groups[0];
    assert_eq!(Value::Object(group.properties.clone()), json!({"a": 3, "b": 1}));
    assert_eq!(group.created_at_ms, ms("2023-06-01T10:01:00Z"));
    let shown = event(&project, 1).groups[0].as_ref().unwrap();
    assert_eq!(shown.properties, group.properties);
}

#[test]
fn personless_events_name_the_person_there_is() {
    let project = folded(&[
        at(1, "x", "anon", json!({"$process_person_profile": false})),
        at(1, "x", "nobody", json!({"$process_person_profile": false})),
        at(5, "$identify", "user", json!({"$anon_distinct_id": "anon"})),
    ]);
    assert_eq!(event(&project, 1).person_id, person_uuid(project.number, "user"));
    assert_eq!(event(&project, 2).person_id, person_uuid(project.number, "nobody"));
    assert!((1..=2).all(|number| event(&project, number).person_mode == "propertyless"));
    assert_eq!(project.persons[0].created_at_ms, ms("2023-06-01T10:05:00Z"));
}

/// What the promise is about: all but the arrival facts.
fn digest(project: &ExpectedProject) -> String {
    let ExpectedProject { events, persons, distinct_ids, groups, .. } = project;
    format!("{events:#?}\n{persons:#?}\n{distinct_ids:#?}\n{groups:#?}")
}

fn any_event() -> impl Strategy<Value = Value> {
    let id = || prop::sample::select(vec!["a", "b", "c", "d", "null"]);
    let value = || prop::sample::select(vec![json!(1), json!("x"), json!(null)]);
    let key = || prop::sample::select(vec!["p", "q"]);
    let properties = prop_oneof![
        2 => Just(json!({})),
        2 => (key(), value()).prop_map(|(key, value)| json!({"$set": {key: value}})),
        2 => (key(), value()).prop_map(|(key, value)| json!({"$set_once": {key: value}})),
        1 => key().prop_map(|key| json!({"$unset": [key]})),
        1 => key().prop_map(|kind| json!({"$groups": {kind: "k", "r": "k"}})),
        1 => Just(json!({"$process_person_profile": false})),
    ];
    let merge = prop_oneof![
        3 => id().prop_map(|other| ("$identify", json!({"$anon_distinct_id": other}))),
        2 => id().prop_map(|other| ("$create_alias", json!({"alias": other}))),
        1 => id().prop_map(|other| ("$merge_dangerously", json!({"alias": other}))),
        1 => (key(), value()).prop_map(|(key, value)| (
            "$groupidentify",
            json!({"$group_type": key, "$group_key": "k", "$group_set": {key: value}}),
        )),
    ];
    let named = prop_oneof![2 => properties.prop_map(|properties| ("x", properties)), 1 => merge];
    // Few moments, so that uuids and payloads decide too; few uuids, so that there are repeats.
    (id(), 0..4_u32, named, 1..12_usize).prop_map(|(id, minute, (name, properties), number)| {
        let mut event = at(minute, name, id, properties);
        event["uuid"] = json!(uuid(number));
        event
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_order_of_arrival_changes_anything(
        (events, shuffled) in prop::collection::vec(any_event(), 1..12)
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle()))
    ) {
        prop_assert_eq!(digest(&folded(&events)), digest(&folded(&shuffled)));
    }
}

/// Every permutation of a history in which merges are refused, split and forced, and an event comes twice.
#[test]
fn all_permutations_of_a_tangled_history() {
    let mut repeat = at(2, "x", "anon", json!({"$set": {"p": "other"}}));
    repeat["uuid"] = json!(uuid(2));
    let mut events = vec![
        at(3, "$identify", "user1", json!({"$anon_distinct_id": "anon", "$set": {"p": 1}})),
        at(1, "x", "anon", json!({"$set": {"p": 0}, "$groups": {"org": "o"}})),
        at(4, "x", "user2", json!({"$set_once": {"p": 2}})),
        at(5, "$create_alias", "user2", json!({"alias": "user1", "$unset": ["p"]})),
        at(6, "$merge_dangerously", "anon", json!({"alias": "user2"})),
    ];
    for (index, event) in events.iter_mut().enumerate() {
        event["uuid"] = json!(uuid(index + 1));
    }
    events.push(repeat);
    let expected = digest(&folded(&events));
    let mut count = 0;
    permute(&mut events, 0, &mut |events| {
        let mut oracle = Oracle::new(Ordering::EventTime);
        send(&mut oracle, events);
        assert_eq!(digest(&oracle.expected_project(TOKEN).unwrap()), expected);
        count += 1;
    });
    assert_eq!(count, 720);
}

fn permute(events: &mut Vec<Value>, from: usize, visit: &mut impl FnMut(&[Value])) {
    if from == events.len() {
        return visit(events);
    }
    for index in from..events.len() {
        events.swap(from, index);
        permute(events, from + 1, visit);
        events.swap(from, index);
    }
}

#[test]
fn arrival_facts_travel_with_their_request() {
    // The same timestamp from two clocks: each is corrected by its own request.
    let batch = |sent_at: &str, number: usize| {
        json!({"token": TOKEN, "sent_at": sent_at, "batch": [{"event": "x", "distinct_id": "d", "uuid": uuid(number),
            "timestamp": "2023-06-01T10:00:00Z"}]})
    };
    let mut oracle = Oracle::new(Ordering::EventTime);
    oracle.request(&post(NOW, &batch("2023-06-01T10:00:00Z", 1)));
    oracle.request(&post(NOW, &batch("2023-06-01T11:00:00Z", 2)));
    let project = oracle.expected_project(TOKEN).unwrap();
    assert_eq!(event(&project, 1).timestamp_ms, ms("2023-06-01T12:00:00Z"));
    assert_eq!(event(&project, 2).timestamp_ms, ms("2023-06-01T11:00:00Z"));
    assert_eq!(project.persons[0].properties["$creator_event_uuid"], json!(uuid(2)));
}

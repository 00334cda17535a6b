//! Rules that are easily got wrong, in arrival order.

use serde_json::{Map, Value, json};
use weir_event::ids::person_uuid;
use weir_oracle::{Oracle, Ordering, RawRequest, Twin, canonical_json};

#[path = "support/history.rs"]
mod history;
use history::{NOW, TOKEN, arrived, event, ms, post, send, uuid};

fn same(found: &Map<String, Value>, expected: &Value) {
    assert_eq!(canonical_json(&Value::Object(found.clone())), canonical_json(expected));
}

fn set(operation: &str, values: Value) -> Value {
    json!({"event": "x", "distinct_id": "d", "timestamp": "2023-06-01T10:00:00Z", "properties": {operation: values}})
}

#[test]
fn unset_beats_set_and_is_nothing_on_creation() {
    let project = arrived(&[json!({
        "event": "x", "distinct_id": "d", "properties": {"$set": {"a": 1}, "$unset": ["a"]}
    })]);
    same(&project.persons[0].properties, &json!({"a": 1, "$creator_event_uuid": uuid(1)}));

    let project = arrived(&[
        set("$set", json!({"a": 1, "b": 1, "c": 1, "5": 1})),
        json!({"event": "x", "distinct_id": "d", "properties": {"$set": {"a": 2}, "$set_once": {"z": 2}, "$unset": ["a", "z", 5]}}),
        set("$unset", json!({"b": 0})),
        set("$unset", json!("c")),
        set("$unset", json!(["nothing"])),
    ]);
    same(&project.persons[0].properties, &json!({"c": 1, "$creator_event_uuid": uuid(1)}));
    assert_eq!(project.persons[0].version, 2);
    // The event shows what it sets even so.
    same(&event(&project, 2).person_properties, &json!({"a": 2, "b": 1, "c": 1, "$creator_event_uuid": uuid(1)}));
}

#[test]
fn set_once_looks_for_presence_and_set_for_change() {
    let project = arrived(&[
        set("$set", json!({"a": null, "n": 1})),
        set("$set_once", json!({"a": 5})),
        set("$set", json!({"n": 1.0})),
        set("$set", json!({"$creator_event_uuid": "mine"})),
    ]);
    same(&project.persons[0].properties, &json!({"a": null, "n": 1, "$creator_event_uuid": "mine"}));
    assert_eq!(project.persons[0].version, 1);
}

#[test]
fn nul_becomes_a_replacement_character() {
    let project = arrived(&[
        json!({"event": "e\u{0}", "distinct_id": "d\u{0}", "properties": {"p": "\u{0}", "$set": {"k\u{0}": ["\u{0}"]}}}),
        json!({"event": "$groupidentify", "distinct_id": "d\u{0}",
            "properties": {"$group_type": "t", "$group_key": "g\u{0}", "$group_set": {"x": "\u{0}"}}}),
    ]);
    let stored = event(&project, 1);
    assert_eq!((stored.event.as_str(), stored.distinct_id.as_str()), ("e\u{fffd}", "d\u{fffd}"));
    assert_eq!(stored.properties["p"], json!("\u{0}"));
    same(&stored.person_properties, &json!({"k\u{fffd}": ["\u{fffd}"], "$creator_event_uuid": uuid(1)}));
    assert_eq!(project.groups[0].key, "g\u{fffd}");
    same(&project.groups[0].properties, &json!({"x": "\u{fffd}"}));
}

#[test]
fn group_types_take_slots_in_order_of_use() {
    let project = arrived(&[json!({"event": "x", "distinct_id": "d", "properties": {"$group_4": "kept", "$groups":
        {"z": "1", "empty": "", "a": 2, "b": "3", "c": "4", "e": "5", "f": "6"}}})]);
    let properties = &event(&project, 1).properties;
    for (key, value) in
        [("$group_0", json!("1")), ("$group_1", json!("")), ("$group_2", json!(2)), ("$group_4", json!("4"))]
    {
        assert_eq!(properties[key], value);
    }
    assert!(properties.get("$group_5").is_none());
    assert!(project.groups.is_empty(), "only $groupidentify makes a row");
    let columns = &event(&project, 1).groups;
    assert!(columns.iter().flatten().all(|group| group.properties.is_empty()));
    assert!(columns[1].is_none(), "an empty key names no group");
}

#[test]
fn a_group_property_goes_by_event_time_strictly() {
    let identify = |time: &str, values: Value| {
        json!({"event": "$groupidentify", "distinct_id": "d", "timestamp": format!("2023-06-01T{time}Z"),
            "properties": {"$group_type": "org", "$group_key": 7, "$group_set": values, "$groups": {"org": "7"}}})
    };
    let project = arrived(&[
        identify("10:00:00", json!({"a": 1})),
        // Not later for `a`; `b` is new.
        identify("10:00:00", json!({"a": 2, "b": 2})),
        // Older: nothing to write, so that not even the creation time moves.
        identify("09:00:00", json!({"a": 3})),
        // The same value later takes the later time with it.
        identify("11:00:00", json!({"a": 1})),
        identify("10:30:00", json!({"a": 4})),
        identify("08:00:00", json!({"c": 5})),
    ]);
    let group = &project.groups[0];
    same(&group.properties, &json!({"a": 1, "b": 2, "c": 5}));
    assert_eq!((group.type_index, group.type_name.as_str(), group.key.as_str()), (0, "org", "7"));
    assert_eq!(group.version, 4);
    assert_eq!(group.created_at_ms, ms("2023-06-01T08:00:00Z"));
    let column = event(&project, 1).groups[0].as_ref().unwrap();
    same(&column.properties, &json!({"a": 1}));
    assert_eq!(column.created_at_ms, ms("2023-06-01T10:00:00Z"));
}

#[test]
fn a_group_key_has_a_limit() {
    let key = "k".repeat(401);
    let project = arrived(&[json!({"event": "$groupidentify", "distinct_id": "d",
        "properties": {"$group_type": "org", "$group_key": key}})]);
    assert!(project.groups.is_empty());
    assert_eq!(project.warnings[0].kind, "group_key_too_long");
    assert_eq!(
        project.warnings[0].details,
        json!({"eventUuid": uuid(1), "groupType": "org", "groupKey": "k".repeat(100), "groupKeyLength": 401, "maxLength": 400})
    );
    assert_eq!(project.outcomes.stored, 1);
}

#[test]
fn personless_events() {
    let personless = |flag: Value, time: &str| {
        json!({"event": "x", "distinct_id": "d", "timestamp": format!("2023-06-01T{time}Z"), "properties": {
            "$process_person_profile": flag, "utm_source": "u", "$set": {"a": 1}, "$unset": ["b"], "$group_0": "g",
            "$groups": {"org": "7"}}})
    };
    let project = arrived(&[
        personless(json!(false), "10:00:00"),
        personless(json!("no"), "10:00:00"),
        personless(json!(false), "10:01:00"),
        personless(json!(false), "10:01:00.001"),
    ]);
    let id = person_uuid(project.number, "d");
    let first = event(&project, 1);
    assert_eq!((first.person_id, first.person_mode, first.person_created_at_ms), (id, "propertyless", 5000));
    assert!(first.person_properties.is_empty());
    same(
        &first.properties,
        &json!({"$process_person_profile": false, "utm_source": "u", "$groups": {"org": "7"}, "$ip": "10.0.0.9"}),
    );
    assert!(first.groups.iter().all(Option::is_none));

    let second = event(&project, 2);
    assert_eq!((second.person_id, second.person_mode), (id, "full"));
    assert!(second.properties.get("$process_person_profile").is_none());
    assert_eq!(second.properties["$group_0"], json!("7"));
    assert_eq!(project.warnings.len(), 1);
    assert_eq!(project.warnings[0].kind, "invalid_process_person_profile");
    assert_eq!(project.warnings[0].details["$process_person_profile"], json!("no"));

    assert_eq!(event(&project, 3).person_mode, "propertyless");
    let upgraded = event(&project, 4);
    assert_eq!((upgraded.person_id, upgraded.person_mode), (id, "force_upgrade"));
    assert_eq!(upgraded.person_created_at_ms, ms("2023-06-01T10:00:00Z"));
    assert_eq!(upgraded.person_properties["a"], json!(1));
    assert_eq!((project.persons.len(), project.persons[0].version), (1, 0));
}

#[test]
fn personless_events_that_are_about_persons_are_dropped() {
    let names = ["$identify", "$create_alias", "$merge_dangerously", "$groupidentify"];
    let events: Vec<Value> = names
        .iter()
        .map(|name| {
            json!({"event": name, "distinct_id": "d", "properties": {"$process_person_profile": false, "alias": "o",
                "$anon_distinct_id": "o", "$group_type": "t", "$group_key": "k"}})
        })
        .collect();
    let project = arrived(&events);
    assert_eq!((project.outcomes.dropped, project.outcomes.total()), (4, 4));
    assert!(project.persons.is_empty() && project.groups.is_empty() && project.events.is_empty());
    assert_eq!(project.warnings.len(), 4);
    for (warning, number) in project.warnings.iter().zip([2, 4, 1, 3]) {
        assert_eq!(warning.kind, "invalid_event_when_process_person_profile_is_false");
        let details = json!({"eventUuid": uuid(number), "event": names[number - 1], "distinctId": "d"});
        assert!(project.warnings.iter().any(|warning| warning.details == details));
    }
}

#[test]
fn repeats_and_rejections_are_counted() {
    let mut oracle = Oracle::new(Ordering::Arrival);
    let first = json!({"event": "x", "distinct_id": "d", "uuid": uuid(1)});
    let other = json!({"event": "y", "distinct_id": "d", "uuid": uuid(1)});
    send(&mut oracle, &[first.clone(), first.clone(), other]);
    let body = json!({"token": TOKEN, "batch": [{"event": "x", "distinct_id": "d"}, {"event": "x"}, {}]});
    assert_eq!(oracle.request(&post(NOW, &body)).body, "event submitted without a distinct_id");
    let mut snapshot = first;
    snapshot["event"] = json!("$snapshot");
    snapshot["uuid"] = json!(uuid(2));
    snapshot["properties"] = json!({"$snapshot_data": {}});
    send(&mut oracle, &[snapshot]);

    let expected = oracle.expected();
    let outcomes = &expected.projects[0].outcomes;
    assert_eq!((outcomes.stored, outcomes.deduplicated, outcomes.conflicting_duplicates), (1, 2, 1));
    assert_eq!((outcomes.rejected, outcomes.dropped), (3, 1));
    assert_eq!(expected.outcomes.rejected, 3);
    assert_eq!(expected.rejected["no_distinct_id"], 3);
    assert_eq!(expected.projects[0].persons.len(), 1);
}

#[test]
fn drawn_uuids_are_unknown_and_projects_are_numbered_by_first_sight() {
    let mut oracle = Oracle::new(Ordering::Arrival);
    for token in ["b", "a", "b"] {
        oracle.request(&post(NOW, &json!({"event": "x", "distinct_id": "d", "token": token})));
    }
    let expected = oracle.expected();
    let tokens: Vec<_> = expected.projects.iter().map(|it| (it.token.as_str(), it.number.0, it.events.len())).collect();
    assert_eq!(tokens, [("b", 1, 2), ("a", 2, 1)]);
    assert_eq!(expected.projects[0].events[0].uuid, None);
    assert_eq!(expected.projects[0].persons[0].properties["$creator_event_uuid"], Value::Null);
    assert_ne!(expected.projects[0].persons[0].uuid, expected.projects[1].persons[0].uuid);
}

#[test]
fn answers() {
    let good = post(NOW, &json!({"event": "x", "distinct_id": "d", "token": TOKEN}));
    let answer = |change: &dyn Fn(&mut RawRequest)| {
        let mut request = good.clone();
        change(&mut request);
        let answer = Oracle::new(Ordering::Arrival).request(&request);
        (answer.status, answer.body)
    };
    let text = |text: &str| text.to_owned();
    assert_eq!(answer(&|_| ()), (200, text(r#"{"status":"Ok"}"#)));
    assert_eq!(answer(&|it| it.path = text("/i/v0/e")), (200, text(r#"{"status":"Ok"}"#)));
    assert_eq!(answer(&|it| it.query = text("beacon=1")), (204, text("")));
    assert_eq!(answer(&|it| it.method = text("OPTIONS")), (200, text("")));
    assert_eq!(answer(&|it| it.method = text("PUT")).0, 405);
    assert_eq!(answer(&|it| it.path = text("/decide")).0, 404);
    assert_eq!(answer(&|it| it.body.clear()), (400, text("request holds no event")));
    assert_eq!(answer(&|it| it.body = vec![b' '; 20 * 1024 * 1024 + 1]).0, 413);
    let bad = json!([{"event": "x", "distinct_id": "d"}]).to_string();
    assert_eq!(answer(&|it| it.body = bad.clone().into()), (401, text("event submitted without an api_key")));
}

#[test]
fn internal_events_come_from_the_loopback_address() {
    let project = arrived(&[
        json!({"event": "x", "distinct_id": "d", "properties": {"capture_internal": true}}),
        json!({"event": "x", "distinct_id": "d", "properties": {"capture_internal": false}}),
        json!({"event": "x", "distinct_id": "d", "properties": {"$ip": null}}),
    ]);
    let ips: Vec<_> = (1..=3).map(|number| event(&project, number).properties["$ip"].clone()).collect();
    assert_eq!(ips, [json!("127.0.0.1"), json!("10.0.0.9"), Value::Null]);
}

/// Does what the event's `do` property says.
struct Told;

impl Twin for Told {
    fn process(&mut self, mut event: Map<String, Value>) -> Option<Map<String, Value>> {
        let told = event["properties"]["do"].as_str()?.to_owned();
        match told.as_str() {
            "drop" => return None,
            "utm" => {
                assert_eq!(event["properties"]["$set_once"], json!({"$initial_os": "L"}), "plugins see normal events");
                event["properties"]["utm_source"] = json!("late");
                event["event"] = json!(["a"]);
            }
            "long id" => event["distinct_id"] = json!("d".repeat(401)),
            "bad uuid" => event["uuid"] = json!("0000"),
            "same uuid" => event["uuid"] = json!(uuid(1)),
            _ => {}
        }
        Some(event)
    }
}

#[test]
fn twins_stand_where_plugins_do() {
    let events: Vec<Value> = ["utm", "drop", "long id", "bad uuid", "same uuid"]
        .map(|told| json!({"event": "x", "distinct_id": told, "properties": {"do": told, "$os": "L"}}))
        .to_vec();
    let mut oracle = Oracle::new(Ordering::Arrival).with_twins(vec![Box::new(Told)]);
    send(&mut oracle, &events);
    let project = oracle.expected_project(TOKEN).unwrap();
    let outcomes = &project.outcomes;
    assert_eq!((outcomes.stored, outcomes.dropped, outcomes.dead_lettered, outcomes.deduplicated), (1, 2, 1, 1));
    let stored = event(&project, 1);
    assert_eq!(stored.event, r#"["a"]"#);
    assert_eq!(stored.properties["$set"], json!({"utm_source": "late"}));
    assert_eq!(project.persons.len(), 1);
    let kinds: Vec<_> = project.warnings.iter().map(|warning| warning.kind.as_str()).collect();
    assert_eq!(kinds, ["skipping_event_invalid_distinct_id", "skipping_event_invalid_uuid"]);
}

//! The oracle beside a real server: silent while all is well, and quick to name what is not.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fs, thread};

use pipeline_core::api::generator::GeneratorRequest;
use pipeline_core::api::oracle::{Mismatch, MismatchCount, OracleRequest, OracleState};
use pipeline_core::api::registry;
use pipeline_core::event::sabotage::Bug;
use pipeline_core::generator::{KNOBS, NAMES};
use serde_json::{Value, json};

use crate::server::{TOKEN, Weir, event, plugin, root, scratch, wait_for};

/// From the first wrong event to its name.
const PATIENCE: Duration = Duration::from_secs(5);
const PEOPLE: u64 = 12;
/// That are tried at once.
const SERVERS: usize = 3;

fn watch(weir: &Weir) -> OracleState {
    let request = OracleRequest { running: Some(true), from_start: true };
    weir.call::<registry::Oracle>(&request).expect("the oracle starts")
}

fn state(weir: &Weir) -> OracleState {
    weir.call::<registry::Oracle>(&OracleRequest::default()).expect("the oracle answers")
}

/// When it has looked at everything that was sent.
fn settled(weir: &Weir) -> OracleState {
    weir.settle();
    let received = weir.status().ledger.received;
    wait_for("the oracle to look at everything", || Some(state(weir)).filter(|state| state.through_offset >= received))
}

/// Events of every kind that identity, times, groups and deduplication have to do with.
fn story(first: u64, count: u64) -> Vec<Value> {
    (first..first + count).map(one).collect()
}

fn one(number: u64) -> Value {
    let person = number % PEOPLE;
    let (anonymous, user) = (format!("anon-{person}"), format!("user-{person}"));
    let old = format!("old-{person}-{}", number / 132);
    let mut made = match number % 11 {
        0 => event("$identify", &user, number, json!({"$anon_distinct_id": anonymous, "$set": {"plan": "free"}})),
        1 => event("Plan Changed", &user, number, json!({"$set": {"plan": format!("p{number}")}, "price": 12.34})),
        2 => event("seen", &user, number, json!({"$set_once": {"first_seen": number}, "share": 0.1})),
        3 => event("forgot", &user, number, json!({"$set": {"note": number}, "$unset": ["plan"]})),
        4 => event(
            "$groupidentify",
            &user,
            number,
            json!({"$group_type": "company", "$group_key": "acme", "$group_set": {"n": number}}),
        ),
        5 => event("bought", &user, number, json!({"$groups": {"company": "acme", "team": "red"}, "price": 9.99})),
        6 => event("no person", &format!("ghost-{person}"), number, json!({"$process_person_profile": false})),
        7 => event("$create_alias", &user, number, json!({"alias": format!("alias-{person}")})),
        8 => event(
            "$pageview",
            &anonymous,
            number,
            json!({"$current_url": "https://WWW.Shop.example/A/?utm_source=x&b=1"}),
        ),
        9 => event("$merge_dangerously", &user, number, json!({"alias": old})),
        _ => event("seen", &old, number, json!({"$set": {"age": number}})),
    };
    // Every seventh comes late, and old ids are older than anything.
    let hour = if number % 11 == 10 { 3 } else { 4 };
    let second = if number % 7 == 3 { 1 } else { 10 + number % 50 };
    let milliseconds = 1 + number % 998;
    made["timestamp"] = format!("2026-02-03T{hour:02}:{:02}:{second:02}.{milliseconds:03}Z", number / 60 % 60).into();
    made
}

/// As clients send them, with a clock that is wrong by an hour and says so.
fn send(weir: &Weir, events: &[Value]) {
    for batch in events.chunks(40) {
        let body = json!({"api_key": TOKEN, "batch": batch, "sent_at": "2026-02-03T05:30:00.000Z"});
        let answer = weir.http.post(format!("{}/batch/", weir.capture)).json(&body).send().expect("an answer");
        assert!(answer.status().is_success());
    }
}

fn sample(name: &str) -> String {
    root().join("sample-plugins").join(name).display().to_string()
}

#[test]
fn it_is_silent_while_all_is_well() {
    let (dir, data) = scratch();
    let unknown = plugin(
        dir.path(),
        "stamp",
        "index.js",
        "export function processEvent(event) {\n event.properties.stamped = true\n return event }",
    );
    let twins = [sample("url-normalizer"), sample("schema-enforcer"), sample("checkout-enricher")];
    let arguments: Vec<&str> = twins.iter().flat_map(|dir| ["--plugin", dir]).collect();
    let weir = Weir::start_with(&data, &arguments);
    assert_eq!(state(&weir).state, "off");
    send(&weir, &story(1, 300));
    let began = watch(&weir);
    assert_eq!(began.state, "watching");
    send(&weir, &story(301, 300));
    // Retries, and one that comes with another content.
    send(&weir, &story(1, 50));
    let mut conflicting = one(60);
    conflicting["properties"]["other"] = json!(1);
    send(&weir, &[conflicting]);
    let purchases: Vec<Value> = (700..720)
        .map(|number| event("purchase", "user-1", number, json!({"revenue": number, "currency": "eur"})))
        .collect();
    send(&weir, &purchases);
    let state = settled(&weir);
    assert_eq!(state.kinds, [], "{:?}", state.mismatches.iter().take(3).collect::<Vec<_>>());
    assert_eq!((state.expected, state.stored), (620, 620));
    assert_eq!((state.duplicates_removed, state.conflicting_duplicates), (51, 1));
    assert!(state.out_of_order_repaired > 20 && state.persons_right >= PEOPLE && state.merges_right > 10, "{state:?}");
    assert_eq!((state.taken_as_said, state.predicted), (0, 671), "all plugins have twins");

    // One without a twin: the journal is believed, and everything behind it is computed anew.
    let add = pipeline_core::api::plugin::PluginAdd { dir: unknown.display().to_string() };
    weir.call::<registry::PluginAdd>(&add).expect("a plugin");
    send(&weir, &story(2_000, 200));
    let state = settled(&weir);
    assert_eq!(state.kinds, [], "{:?}", state.mismatches.iter().take(3).collect::<Vec<_>>());
    assert_eq!(state.taken_as_said, 200);
    assert_eq!(weir.count("events WHERE properties->>'stamped' = 'true'"), 200);

    // Begun in the middle it leaves alone whom it does not know.
    weir.call::<registry::Oracle>(&OracleRequest { running: Some(true), from_start: false }).expect("it starts");
    send(&weir, &story(3_000, 20));
    let state = settled(&weir);
    assert_eq!((state.skipped, state.expected, state.kinds.len()), (20, 0, 0));
    weir.stop();
}

#[test]
fn what_the_generator_knows_is_held_against_the_store() {
    for (ordering, mess) in [("arrival", None), ("arrival", Some("wrong_zone")), ("event-time", Some("shared_device"))]
    {
        let (_dir, data) = scratch();
        let weir = Weir::start_with(&data, &["--ordering", ordering]);
        watch(&weir);
        let rates = KNOBS.iter().map(|knob| {
            let is_wanted = mess == Some(knob.name);
            (knob.name.to_owned(), if is_wanted { 0.5 } else { 0.0 })
        });
        let stream = GeneratorRequest {
            running: Some(true),
            scenario: Some("web-shop".into()),
            events_per_second: Some(1_000),
            mess: Some(rates.collect()),
            ..GeneratorRequest::default()
        };
        weir.call::<registry::Generator>(&stream).expect("a stream");
        wait_for("events", || Some(()).filter(|()| weir.status().ledger.stored > 2_000));
        let pause = GeneratorRequest { running: Some(false), ..GeneratorRequest::default() };
        weir.call::<registry::Generator>(&pause).expect("it pauses");
        let found = if ordering == "arrival" { settled(&weir) } else { after_a_round(&weir) };
        assert_eq!(found.kinds, [], "{mess:?}");
        let stored = weir.count("events");
        let truth = wait_for("every time", || state(&weir).truth.filter(|truth| truth.times == stored));
        let off: Vec<&str> = truth.times_off.keys().map(String::as_str).collect();
        match mess {
            None => {
                // Several persons are only those who have not signed in everywhere yet.
                assert_eq!((truth.times_right, truth.people_right + truth.people_split), (truth.times, truth.people));
                assert!(truth.people > 50 && truth.persons_mixed == 0, "{truth:?}");
                assert!(truth.people_split * 10 < truth.people, "{truth:?}");
            }
            Some("wrong_zone") => {
                assert_eq!((off, truth.times_off["wrong_zone"]), (vec!["wrong_zone"], truth.times - truth.times_right));
            }
            _ => assert!(truth.times_right == truth.times && truth.persons_mixed > 10, "{truth:?}"),
        }
        weir.kill();
    }
}

/// When a round has looked at all that was sent.
fn after_a_round(weir: &Weir) -> OracleState {
    settled(weir);
    let stored = weir.count("events");
    wait_for("a round", || Some(state(weir)).filter(|state| state.stored == stored && state.expected > 0))
}

#[test]
fn by_event_time_everything_is_compared_in_rounds() {
    let (_dir, data) = scratch();
    let weir = Weir::start_with(&data, &["--ordering", "event-time"]);
    watch(&weir);
    // Out of order, and every fifth of them twice.
    let mut events = story(1, 600);
    events
        .sort_by_key(|event| event.to_string().bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
    let again: Vec<Value> = events.iter().step_by(5).cloned().collect();
    send(&weir, &events[..300]);
    let found = after_a_round(&weir);
    assert_eq!(found.kinds, [], "{:?}", found.mismatches.iter().take(3).collect::<Vec<_>>());
    send(&weir, &events[300..]);
    send(&weir, &again);
    let found = after_a_round(&weir);
    assert_eq!(found.kinds, [], "{:?}", found.mismatches.iter().take(3).collect::<Vec<_>>());
    assert!(found.duplicates_removed >= 120 && found.persons_right > 10 && found.distinct_ids_right > 20, "{found:?}");
    weir.stop();

    let (_dir, data) = scratch();
    let weir = Weir::start_in(&data, &["--ordering", "event-time"], &[("WEIR_SABOTAGE", "lose_property:50")]);
    watch(&weir);
    send(&weir, &story(1, 200));
    let found = wait_for("the mismatch", || Some(state(&weir)).filter(|state| state.wrong > 0));
    assert!(found.kinds.iter().any(|kind| kind.kind == "event" && kind.field.starts_with("properties.")), "{found:?}");
}

/// Kind and beginning of the field under which a bug is known.
const KNOWN_AS: &[(Bug, &str, &str)] = &[
    (Bug::LoseEvent, "missing", ""),
    (Bug::DoubleEvent, "extra", ""),
    (Bug::SwapPersons, "event", "person_id"),
    (Bug::HourOff, "event", "timestamp"),
    (Bug::DropMilliseconds, "event", "timestamp"),
    (Bug::LoseProperty, "event", "properties."),
    (Bug::RoundNumbers, "event", "properties."),
    (Bug::WrongProject, "event", "team_id"),
    (Bug::LowerCaseNames, "event", "event"),
    (Bug::MergeLeavesPerson, "merge", "is_deleted"),
    (Bug::MergeForgetsId, "distinct_id", "person"),
    (Bug::LosePersonUpdate, "person", "version"),
    (Bug::SwapGroups, "event", "group"),
    (Bug::StaleSet, "event", "person_properties."),
    (Bug::SetOnceAgain, "person", "properties.first_seen"),
    (Bug::IgnoreUnset, "event", "person_properties.plan"),
    (Bug::NeverIdentified, "person", "is_identified"),
    (Bug::MergeTakesYounger, "person", "created_at"),
    (Bug::IgnoreSentAt, "event", "timestamp"),
    (Bug::ForgetUuids, "extra", ""),
    (Bug::MistakeUuids, "missing", ""),
    (Bug::DropOnReload, "missing", ""),
    (Bug::IgnorePlugins, "event", "properties."),
    (Bug::CountTwice, "outcome", ""),
    (Bug::DoubleOnRestart, "extra", ""),
    (Bug::LoseAcked, "lost", ""),
];

#[test]
fn each_deliberate_bug_is_caught_and_named() {
    let (queue, problems) = (Mutex::new(KNOWN_AS.iter()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let next = queue.lock().expect("the queue").next();
            let Some(&(bug, kind, field)) = next else { return };
            if let Some(found) = missed(bug, kind, field) {
                problems.lock().expect("the problems").push(format!("{}: {found:?}", bug.name()));
            }
        }
    };
    thread::scope(|scope| (0..SERVERS).for_each(|_| drop(scope.spawn(work))));
    assert_eq!(problems.into_inner().expect("the problems"), Vec::<String>::new());
}

/// What the oracle says instead, when it does not name a bug in time.
fn missed(bug: Bug, kind: &str, field: &str) -> Option<Vec<MismatchCount>> {
    let (dir, data) = scratch();
    // Those that strike where little happens strike each time.
    let plan = match bug {
        Bug::LoseEvent => "lose_event:150".to_owned(),
        Bug::DropOnReload
        | Bug::DoubleOnRestart
        | Bug::MergeForgetsId
        | Bug::MergeLeavesPerson
        | Bug::MergeTakesYounger
        | Bug::NeverIdentified
        | Bug::SetOnceAgain => bug.name().to_owned(),
        _ => format!("{}:20", bug.name()),
    };
    let environment = [("WEIR_SABOTAGE", plan.as_str())];
    let own = dir.path().join("url-normalizer");
    copy(Path::new(&sample("url-normalizer")), &own);
    let folder = own.display().to_string();
    let mut weir = Weir::start_in(&data, &["--plugin", &folder], &environment);
    if bug == Bug::DoubleOnRestart {
        send(&weir, &story(1, 600));
        weir.settle();
        weir.kill();
        weir = Weir::start_in(&data, &["--plugin", &folder], &environment);
    }
    watch(&weir);
    if bug == Bug::LoseAcked {
        // Who sends knows what was acked.
        let generator = GeneratorRequest { running: Some(true), events_per_second: Some(500), ..Default::default() };
        weir.call::<registry::Generator>(&generator).expect("a stream");
    } else if bug != Bug::DoubleOnRestart {
        send(&weir, &story(1, 600));
        send(&weir, &story(1, 60));
    }
    let began = Instant::now();
    let is_named = |one: &Mismatch| one.kind == kind && one.field.starts_with(field);
    let found = loop {
        let state = state(&weir);
        if state.mismatches.iter().any(is_named) {
            break None;
        }
        if began.elapsed() > PATIENCE {
            break Some(state.kinds);
        }
        thread::sleep(Duration::from_millis(20));
    };
    weir.kill();
    found
}

#[test]
fn no_scenario_raises_an_alarm() {
    let number =
        |name: &str, default: u64| std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"));
    let (events, seed) = (number("WEIR_ORACLE_EVENTS", 20_000).to_string(), number("WEIR_SEED", 1).to_string());
    for scenario in NAMES {
        let (_dir, data) = scratch();
        let weir = Weir::start_with(&data, &["--plugin", &sample("url-normalizer")]);
        watch(&weir);
        let status = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["generate", "--scenario", scenario, "--seed", &seed, "--events", &events, "--out", "log"])
            .args(["--url", &weir.control, "--token", &weir.token])
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("the binary runs").success(), "{scenario}");
        let state = settled(&weir);
        let some: Vec<_> = state.mismatches.iter().take(3).collect();
        assert_eq!(state.kinds, [], "{scenario}: {some:?}");
        assert!(
            state.expected > 0 && state.expected == state.stored && state.taken_as_said == 0,
            "{scenario}: {state:?}"
        );
        weir.kill();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
}

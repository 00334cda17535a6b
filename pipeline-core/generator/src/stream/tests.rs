use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::thread;

use serde_json::Value;

use super::*;
use crate::knobs::{KNOBS, Mess};
use crate::scenario::{BUILT_IN, Overrides, built_in};
use crate::truth::{EventTruth, Fate, Tally};
use crate::{Rate, SentEvent, Telling};

fn scenario(name: &str) -> Arc<Scenario> {
    Arc::new(built_in(name).expect("built in").scenario())
}

fn stream(name: &str, seed: u64) -> Stream {
    Stream::new(scenario(name), seed)
}

/// Everything that a receiver sees, and the truth beside it.
fn digest(requests: impl Iterator<Item = Request>) -> String {
    let mut hasher = blake3::Hasher::new();
    for request in requests {
        hasher.update(request.path.as_bytes());
        hasher.update(format!("{:?}", request.headers()).as_bytes());
        hasher.update(&request.body(&Telling::AsItWas));
        hasher.update(serde_json::to_string(&request.truth).expect("JSON").as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn sent(name: &str, seed: u64, events: u64) -> Vec<SentEvent<'static>> {
    stream(name, seed).events(events).flat_map(Request::into_events).collect()
}

fn truths(name: &str, events: u64) -> Vec<EventTruth> {
    sent(name, 1, events).into_iter().map(|event| event.truth.into_owned()).collect()
}

/// If a change of the stream is wanted, these change with it; otherwise somebody's streams have become others.
#[test]
fn every_scenario_has_the_bytes_that_it_always_had() {
    let found: Vec<(&str, String)> =
        BUILT_IN.iter().map(|built_in| (built_in.name, digest(stream(built_in.name, 7).events(3_000)))).collect();
    let golden = [
        ("web-shop", "b06f91ed8bfdd4bd"),
        ("b2b-saas", "47e9cf80b14587f8"),
        ("mobile-app", "3a5c186ca9a6f06d"),
        ("media-site", "58fd41766078a4b7"),
        ("fintech", "29582c796598f3c3"),
        ("worst-day", "df090b2e3ff45330"),
    ];
    let found: Vec<(&str, &str)> = found.iter().map(|(name, digest)| (*name, digest.as_str())).collect();
    assert_eq!(found, golden);
}

#[test]
fn another_seed_is_another_stream_and_a_salt_changes_nothing_but_uuids() {
    let lines = |stream: Stream| -> Vec<String> {
        stream.events(1_500).flat_map(Request::into_events).map(|event| event.json()).collect()
    };
    let (one, other, salted) =
        (lines(stream("web-shop", 1)), lines(stream("web-shop", 2)), lines(stream("web-shop", 1).salted(9)));
    assert_ne!(one, other);
    let without_uuid = |lines: &[String]| -> Vec<String> { lines.iter().map(|line| line[47..].to_owned()).collect() };
    assert_eq!(without_uuid(&one), without_uuid(&salted));
    assert!(one.iter().zip(&salted).all(|(one, salted)| one[..47] != salted[..47]));
}

#[test]
fn it_goes_on_from_any_offset() {
    let whole: Vec<String> = sent("worst-day", 3, 2_600).iter().map(SentEvent::json).collect();
    for offset in [0, 1, 17, 999, 1_000, 1_001, 1_500, 2_599] {
        let rest = stream("worst-day", 3).from_offset(offset).events(2_600 - offset);
        let rest: Vec<SentEvent<'_>> = rest.flat_map(Request::into_events).collect();
        assert_eq!(rest[0].truth.offset, offset);
        let rest: Vec<String> = rest.iter().map(SentEvent::json).collect();
        assert!(rest == whole[offset as usize..], "from {offset}");
    }
}

#[test]
fn blocks_made_on_other_threads_are_the_same() {
    let whole = digest(stream("worst-day", 5).events(4_000));
    let block = |number: u64| {
        thread::Builder::new()
            .name(format!("block {number}"))
            .spawn(move || {
                stream("worst-day", 5).from_offset(number * BLOCK_EVENTS).events(BLOCK_EVENTS).collect::<Vec<_>>()
            })
            .expect("a thread")
    };
    let mut blocks: Vec<_> = [3, 1, 0, 2].into_iter().map(|number| (number, block(number))).collect();
    blocks.sort_by_key(|(number, _)| *number);
    let requests = blocks.into_iter().flat_map(|(_, block)| block.join().expect("it ends"));
    assert_eq!(digest(requests), whole);
}

#[test]
fn offsets_have_no_gaps_and_what_is_due_comes_in_order() {
    for built_in in BUILT_IN {
        let mut next = 0;
        let mut due = 0;
        for request in stream(built_in.name, 1).events(5_000) {
            assert!(request.truth.due >= due, "{}", built_in.name);
            due = request.truth.due;
            for event in request.events() {
                assert_eq!(event.truth.offset, next);
                next += 1;
            }
        }
        assert_eq!(next, 5_000);
    }
}

#[test]
fn the_shop_tells_its_story() {
    let mut scenario = built_in("web-shop").expect("built in").scenario();
    scenario.mess = Default::default();
    let events: Vec<Value> = Stream::new(Arc::new(scenario), 1)
        .events(5_000)
        .flat_map(Request::into_events)
        .map(|event| serde_json::from_str(&event.json()).expect("JSON"))
        .collect();
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    for name in ["$pageview", "product added", "$identify", "purchase"] {
        assert!(count(name) > 100, "{name}: {}", count(name));
    }
    for event in &events {
        let properties = &event["properties"];
        assert!(properties["city"].is_string() && properties["$is_bot"].is_boolean(), "{event}");
        if event["event"] == "purchase" {
            let prices = |slug: &Value| {
                let products = &[
                    "trail-jacket",
                    "wool-beanie",
                    "canvas-tote",
                    "steel-bottle",
                    "camp-mug",
                    "merino-socks",
                    "headlamp",
                    "down-vest",
                ];
                let at = products.iter().position(|known| slug == known).expect("a product");
                [12_900, 2_400, 1_800, 2_950, 1_450, 1_900, 4_500, 9_900][at]
            };
            let cents: i64 = properties["items"].as_array().expect("a list").iter().map(prices).sum();
            assert_eq!((properties["revenue"].as_f64().expect("a number") * 100.0).round() as i64, cents, "{event}");
            assert!(cents > 0 && event["distinct_id"].as_str().expect("an id").starts_with("user_"), "{event}");
        }
        if event["event"] == "$identify" {
            assert!(properties["$set"]["email"].as_str().is_some_and(|email| email.contains('@')), "{event}");
        }
    }
    let anonymous = events.iter().filter(|event| event["properties"]["$anon_distinct_id"].is_string()).count();
    assert!(anonymous > 50, "{anonymous}");
    let untidy = events.iter().filter(|event| event["properties"]["$host"] == "WWW.Weir-Shop.example").count();
    assert!((500..1_500).contains(&untidy), "{untidy}");
}

#[test]
fn everybody_acts_in_order_and_under_their_own_ids() {
    for name in ["web-shop", "b2b-saas", "media-site", "fintech"] {
        let mut scenario = built_in(name).expect("built in").scenario();
        scenario.mess = Default::default();
        let mut last: HashMap<_, i64> = HashMap::new();
        let mut owner = HashMap::new();
        for request in Stream::new(Arc::new(scenario), 1).events(3_000) {
            let sent_ms = request.truth.true_sent_ms;
            for truth in request.truth.events {
                assert_eq!((truth.fate, truth.timestamp_ms), (Fate::Stored, truth.true_ms));
                assert!(truth.true_ms <= sent_ms, "{truth:?}");
                let last = last.insert(truth.person, truth.true_ms).unwrap_or(i64::MIN);
                assert!(last <= truth.true_ms, "{name}: {truth:?}");
                assert_eq!(*owner.entry(truth.distinct_id.clone()).or_insert(truth.person), truth.person, "{name}");
            }
        }
    }
}

#[test]
fn regulars_come_again_in_other_blocks() {
    let of_block = |from: u64| -> BTreeSet<_> {
        let requests = stream("b2b-saas", 1).from_offset(from * BLOCK_EVENTS).events(BLOCK_EVENTS);
        requests.flat_map(|request| request.truth.events).map(|truth| (truth.person, truth.distinct_id)).collect()
    };
    let again: Vec<_> = (1..6).map(|block| of_block(0).intersection(&of_block(block)).count()).collect();
    assert!(again.iter().sum::<usize>() > 5, "{again:?}");
}

#[test]
fn fates_follow_from_what_was_accepted() {
    let mut accepted: HashMap<_, (u64, String)> = HashMap::new();
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for request in stream("worst-day", 2).events(20_000) {
        for event in request.events() {
            let truth = &*event.truth;
            let (fate, expected) = match accepted.get(&truth.uuid) {
                _ if !request.is_accepted() => ("rejected", Fate::Rejected),
                Some((of, json)) if *json == event.json() => ("duplicate", Fate::Duplicate { of: *of }),
                Some((of, _)) => ("conflicting", Fate::Conflicting { of: *of }),
                None => ("stored", Fate::Stored),
            };
            assert_eq!(truth.fate, expected, "{truth:?}");
            *seen.entry(fate).or_default() += 1;
            if truth.fate == Fate::Stored {
                accepted.insert(truth.uuid, (truth.offset, event.json()));
            }
        }
    }
    assert!(seen.len() == 4 && seen.values().all(|count| *count > 200), "{seen:?}");
}

#[test]
fn each_kind_of_mess_happens_when_it_is_turned_up_and_else_does_not() {
    for knob in KNOBS {
        let mut scenario = built_in("web-shop").expect("built in").scenario();
        scenario.mess = Default::default();
        let rate = Rate::new(0.2).expect("a share");
        let scenario = scenario.with(&Overrides { mess: vec![(knob.mess, rate)], ..Overrides::default() });
        let mut tally = Tally::default();
        Stream::new(Arc::new(scenario), 1).events(20_000).for_each(|request| tally.add(&request.truth));
        let kinds: Vec<&str> = tally.mess.keys().map(String::as_str).collect();
        assert_eq!(kinds, [knob.name]);
        // Of events and requests it is the share itself; sessions and blocks are few.
        let share = tally.mess[knob.name] as f64 / 20_000.0;
        let expected = match knob.mess {
            // Of what is sent, a sixth is the repetition.
            Mess::Duplicate | Mess::Copied | Mess::Conflicting | Mess::Retry => 0.12..0.2,
            Mess::OutOfOrder | Mess::Poison | Mess::Malformed | Mess::Oversize | Mess::WrongType => 0.17..0.23,
            Mess::MergeStorm | Mess::AliasChain => 0.001..0.03,
            Mess::Burst | Mess::SlowStart | Mess::Diurnal => 0.01..0.6,
            _ => 0.08..0.4,
        };
        assert!(expected.contains(&share), "{}: {share}", knob.name);
    }
}

#[test]
fn times_are_told_as_the_mess_says() {
    let sessions = [Mess::Late, Mess::ClockSkew, Mess::WrongZone];
    let mut counts = [0; 3];
    for request in stream("worst-day", 4).events(20_000) {
        for truth in &request.truth.events {
            let has = |mess| truth.mess.has(mess);
            let off = truth.timestamp_ms - truth.true_ms;
            let client_off = request.truth.sent_at_ms - request.truth.true_sent_ms;
            assert_eq!(off != 0, has(Mess::ClockSkew) || has(Mess::WrongZone), "{truth:?}");
            assert_eq!(client_off != 0, has(Mess::ClockSkew), "{truth:?}");
            if has(Mess::Late) {
                let late_ms = request.truth.true_sent_ms - truth.true_ms;
                assert!((10 * 60_000..=31 * 86_400_000).contains(&late_ms), "{late_ms}");
            }
            sessions.iter().zip(&mut counts).for_each(|(mess, count)| *count += u64::from(has(*mess)));
        }
    }
    assert!(counts.iter().all(|count| *count > 300), "{counts:?}");
}

#[test]
fn a_day_of_events_is_due_around_noon() {
    let mut scenario = built_in("web-shop").expect("built in").scenario();
    scenario.mess = Default::default();
    let always = vec![(Mess::Diurnal, Rate::new(1.0).expect("a share"))];
    let scenario = scenario.with(&Overrides { mess: always, ..Overrides::default() });
    let blocks = 20;
    let mut tenths = [0_u32; 10];
    let mut last = 0;
    for request in Stream::new(Arc::new(scenario), 1).events(blocks * 1_000) {
        assert!(request.truth.due >= last, "time never runs back");
        last = request.truth.due;
        tenths[(request.truth.due / 100_000_000 % 10) as usize] += request.truth.events.len() as u32;
    }
    // A triangle: of 100 events 2 come in the first tenth and 18 in each of the two about noon.
    let middle = f64::from(tenths[4] + tenths[5]) / f64::from(tenths.iter().sum::<u32>());
    assert!((0.31..0.41).contains(&middle), "{tenths:?}");
    assert!(tenths[0] < tenths[2] && tenths[9] < tenths[7] && tenths[0] * 4 < tenths[4], "{tenths:?}");
}

#[test]
fn truth_survives_its_json() {
    for request in stream("worst-day", 6).events(3_000) {
        let json = serde_json::to_string(&request.truth).expect("JSON");
        assert_eq!(serde_json::from_str::<crate::truth::RequestTruth>(&json).expect("a truth"), request.truth);
    }
    let person = truths("web-shop", 1)[0].person;
    assert!(person.to_string().starts_with('p'));
}

#[test]
fn a_seasonal_stream_is_busy_when_the_scenario_says() {
    // One request for each hour of even time, over a week.
    let at = |hour: u64| stream("b2b-saas", 1).from_offset(hour * 14_400).next().expect("no end");
    let hours: Vec<i64> = (0..168).map(|hour| at(hour).truth.true_sent_ms / 3_600_000 % 24).collect();
    let between = |from: i64, to: i64| hours.iter().filter(|hour| (from..to).contains(hour)).count();
    assert!(between(8, 12) > 40 && between(0, 5) < 8, "{hours:?}");
}

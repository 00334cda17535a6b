//! The generator's truth against the model: what it says of a request is what the specification says.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pipeline_core::generator::truth::{Fate, Tally};
use pipeline_core::generator::{BUILT_IN, Mess, Request, Stream, Telling};
use weir_oracle::{Oracle, Ordering, RawRequest};

const EVENTS: u64 = 6_000;

fn raw(request: &Request) -> RawRequest {
    let headers = request.headers().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    RawRequest {
        received_at_ms: request.truth.true_sent_ms,
        peer_ip: "192.0.2.1".to_owned(),
        method: "POST".to_owned(),
        path: request.path.to_owned(),
        query: String::new(),
        headers: headers.collect(),
        body: request.body(&Telling::AsItWas),
    }
}

#[test]
fn what_the_generator_says_is_what_the_model_computes() {
    for built_in in BUILT_IN {
        let scenario = Arc::new(built_in.scenario());
        let mut oracle = Oracle::new(Ordering::Arrival);
        let mut tally = Tally::default();
        let mut truths = HashMap::new();
        for request in Stream::new(Arc::clone(&scenario), 1).events(EVENTS) {
            let answer = oracle.request(&raw(&request));
            assert_eq!(answer.status, request.truth.status, "{}: {:?} {}", built_in.name, request.truth, answer.body);
            tally.add(&request.truth);
            for event in request.truth.events {
                if event.fate == Fate::Stored {
                    truths.insert(event.uuid, event);
                }
            }
        }
        let expected = oracle.expected();
        let outcomes = expected.outcomes;
        let told = [tally.stored, tally.rejected, tally.deduplicated, tally.conflicting, tally.received];
        let counts = [
            outcomes.stored,
            outcomes.rejected,
            outcomes.deduplicated,
            outcomes.conflicting_duplicates,
            outcomes.total(),
        ];
        assert_eq!(told, counts, "{}: stored, rejected, deduplicated, conflicting, received", built_in.name);
        let project = &expected.projects[0];
        assert_eq!((expected.projects.len(), &project.token), (1, &scenario.token));
        assert_eq!(project.events.len(), truths.len());
        let mut wrong: BTreeMap<bool, u64> = BTreeMap::new();
        for event in &project.events {
            let truth = &truths[&event.uuid.expect("clients name them")];
            assert_eq!((&*truth.event, &*truth.distinct_id), (event.event.as_str(), event.distinct_id.as_str()));
            // A clock that is wrong is put right; a wrong zone cannot be seen, and no time is the time of arrival.
            let is_right = (event.timestamp_ms - truth.true_ms).abs() <= 1;
            let cannot_be = truth.mess.has(Mess::WrongZone) || truth.mess.has(Mess::Poison);
            assert!(is_right || cannot_be, "{}: {truth:?} is stored at {}", built_in.name, event.timestamp_ms);
            *wrong.entry(is_right).or_default() += 1;
        }
        assert!(wrong[&true] > EVENTS / 2, "{wrong:?}");
    }
}

/// People who are told apart by the story and put together by the pipeline shared a device or an id.
#[test]
fn persons_are_the_people_of_the_story_where_nothing_goes_wrong() {
    let mut scenario = BUILT_IN[0].scenario();
    scenario.mess = Default::default();
    let mut oracle = Oracle::new(Ordering::Arrival);
    let mut people = HashMap::new();
    for request in Stream::new(Arc::new(scenario), 1).events(EVENTS) {
        oracle.request(&raw(&request));
        for event in &request.truth.events {
            people.insert(event.distinct_id.to_string(), event.person);
        }
    }
    let project = &oracle.expected().projects[0];
    let mut merged = 0;
    for person in &project.persons {
        let real: Vec<_> = person.distinct_ids.iter().filter_map(|id| people.get(id)).collect();
        assert!(real.windows(2).all(|pair| pair[0] == pair[1]), "{person:?} is {real:?}");
        merged += usize::from(person.distinct_ids.len() > 1);
    }
    assert!(merged > 50, "{merged}");
}

//! Many histories through one pipeline and the model, and the shortest that still fails.

use std::path::Path;
use std::time::{Duration, Instant};

use pipeline_core::event::Ordering;
use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weir_oracle::{Oracle, RawRequest};

use crate::difference;
use crate::history::{History, histories};
use crate::observed;
use crate::pipeline::Pipeline;

/// Histories that share a pipeline: more make queries slow, fewer make starts dear.
const CHUNK: usize = 250;
const SHRINK_TIME: Duration = Duration::from_secs(30);

/// Fails with the shortest failing history in words.
pub fn check(ordering: Ordering, count: usize, seed: u64) -> Result<(), String> {
    let scratch = tempfile::tempdir().expect("a temp dir");
    let mut left = count;
    let mut chunk = 0;
    while left > 0 {
        let size = left.min(CHUNK);
        let mut runner = runner(seed, chunk);
        let strategy = histories(ordering == Ordering::EventTime);
        let mut trees: Vec<_> = (0..size).map(|_| strategy.new_tree(&mut runner).expect("a history")).collect();
        let current: Vec<History> = trees.iter().map(proptest::strategy::ValueTree::current).collect();
        let results = run(&current, ordering, scratch.path(), seed ^ chunk);
        let alone = |history: &History| -> Vec<String> {
            let result = run(std::slice::from_ref(history), ordering, scratch.path(), seed ^ chunk);
            result.of_each.into_iter().flatten().chain(result.of_all).collect()
        };
        let differs = |said: &Vec<String>| !said.is_empty();
        let at = results.of_each.iter().position(differs).or_else(|| {
            // What is wrong with all of them together is looked for in each of them.
            differs(&results.of_all).then(|| current.iter().position(|history| differs(&alone(history))).unwrap_or(0))
        });
        if let Some(at) = at {
            let (history, said) = shrink(&mut *trees[at], &results.of_all, alone);
            return Err(report(&history, &said, seed, ordering));
        }
        left -= size;
        chunk += 1;
    }
    Ok(())
}

fn runner(seed: u64, chunk: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&chunk.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

type Tree = dyn proptest::strategy::ValueTree<Value = History>;

fn shrink(tree: &mut Tree, first: &[String], fails: impl Fn(&History) -> Vec<String>) -> (History, Vec<String>) {
    let mut best = (tree.current(), first.to_vec());
    let alone = fails(&best.0);
    if alone.is_empty() {
        best.1.insert(0, "(it fails only among the other histories of its chunk)".into());
        return best;
    }
    best.1 = alone;
    let deadline = Instant::now() + SHRINK_TIME;
    let mut moved = tree.simplify();
    while moved && Instant::now() < deadline {
        let history = tree.current();
        let said = fails(&history);
        if said.is_empty() {
            moved = tree.complicate();
        } else {
            best = (history, said);
            moved = tree.simplify();
        }
    }
    best
}

fn report(history: &History, said: &[String], seed: u64, ordering: Ordering) -> String {
    let requests: Vec<String> = history
        .raw("TOKEN")
        .iter()
        .map(|request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            format!("  {} {} {}?{} {body}", request.received_at_ms, request.method, request.path, request.query)
        })
        .collect();
    format!(
        "ordering {}, seed {seed}: the store differs from the model\n{}\nrequests:\n{}\nas sent: {:?}",
        ordering.as_str(),
        said.iter().take(12).map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"),
        requests.join("\n"),
        history.requests.iter().map(|sent| (sent.shape, sent.packing, sent.skew_ms)).collect::<Vec<_>>(),
    )
}

/// What is wrong with each history, and with all of them together.
struct Differences {
    of_each: Vec<Vec<String>>,
    of_all: Vec<String>,
}

fn run(histories: &[History], ordering: Ordering, scratch: &Path, seed: u64) -> Differences {
    let dir = tempfile::tempdir_in(scratch).expect("a temp dir");
    let data = dir.path().join("data");
    let recordings = seed.is_multiple_of(2);
    let mut pipeline = Pipeline::start(&data, ordering, recordings);
    let mut oracle = Oracle::new(match ordering {
        Ordering::Arrival => weir_oracle::Ordering::Arrival,
        Ordering::EventTime => weir_oracle::Ordering::EventTime,
    })
    .with_recordings(recordings);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // By event time each history is told twice, the second time in another order.
    let mut told: Vec<(usize, String, Vec<RawRequest>)> = Vec::new();
    for (index, history) in histories.iter().enumerate() {
        let token = format!("history-{index}");
        told.push((index, token.clone(), history.raw(&token)));
        if ordering == Ordering::EventTime {
            let token = format!("{token}-shuffled");
            let mut requests = history.raw(&token);
            requests.shuffle(&mut rng);
            told.push((index, token, requests));
        }
    }
    let mut said: Vec<Vec<String>> = vec![Vec::new(); histories.len()];
    for third in 0..3 {
        let mut waiting: Vec<(usize, &[RawRequest])> = told
            .iter()
            .enumerate()
            .map(|(at, (_, _, requests))| {
                let (from, to) = (requests.len() * third / 3, requests.len() * (third + 1) / 3);
                (at, &requests[from..to])
            })
            .filter(|(_, requests)| !requests.is_empty())
            .collect();
        while !waiting.is_empty() {
            let pick = rng.random_range(0..waiting.len());
            let (at, requests) = &mut waiting[pick];
            let (request, rest) = requests.split_first().expect("invariant: empty ones are taken out");
            let (answer, expected) = (pipeline.send(request), oracle.request(request));
            if answer.status != expected.status || !same_answer(&answer.body, &expected.body) {
                said[told[*at].0].push(format!("answer: {expected:?} expected, {answer:?} given"));
            }
            *requests = rest;
            if rest.is_empty() {
                waiting.swap_remove(pick);
            }
        }
        if third < 2 {
            pipeline.restart();
        }
    }
    pipeline.settle();
    let found = observed::projects(&pipeline, ordering);
    for (index, token, _) in &told {
        let said = &mut said[*index];
        match (oracle.expected_project(token), found.get(token)) {
            (Some(expected), Some(found)) => {
                said.extend(difference::between(&expected, found));
                if ordering == Ordering::Arrival {
                    said.extend(difference::between_person_properties(&expected, found));
                }
            }
            (None, None) => {}
            (expected, found) => {
                said.push(format!("project expected: {}, found: {}", expected.is_some(), found.is_some()));
            }
        }
    }
    let mut of_all = Vec::new();
    ledger(&pipeline, &oracle, &mut of_all);
    let differences = pipeline.flow().audit().map(|audit| audit.differences);
    if !differences.as_ref().is_ok_and(Vec::is_empty) {
        of_all.push(format!("audit: {differences:?}"));
    }
    drop(pipeline);
    Differences { of_each: said, of_all }
}

fn ledger(pipeline: &Pipeline, oracle: &Oracle, said: &mut Vec<String>) {
    let ledger = pipeline.flow().status().ledger;
    let expected = oracle.expected().outcomes;
    let found = [ledger.stored, ledger.dropped, ledger.rejected, ledger.dead_lettered, ledger.deduplicated];
    let wanted = [expected.stored, expected.dropped, expected.rejected, expected.dead_lettered, expected.deduplicated];
    if found != wanted || ledger.unexplained != 0 {
        said.push(format!(
            "ledger (stored, dropped, rejected, dead-lettered, deduplicated): {wanted:?} expected, {found:?} found, \
             {} unexplained",
            ledger.unexplained
        ));
    }
}

/// After "failed to …:" the wording is free.
fn same_answer(given: &str, expected: &str) -> bool {
    let head = |text: &str| -> String {
        let cut = ["failed to decode request:", "failed to parse request:"].into_iter().find(|p| text.starts_with(p));
        cut.map_or_else(|| text.to_owned(), str::to_owned)
    };
    head(given) == head(expected)
}

//! `weir generate`: a stream into a file, or through the capture port of a server.

mod list;
mod truth_file;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use pipeline_core::generator::truth::Tally;
use pipeline_core::generator::{NAMES, Overrides, Request, Scenario, Stream, built_in};
use serde::Serialize;
use tokio::sync::watch;
use weir_studio::sender::{self, Numbers, Pace, Plan};

use self::truth_file::TruthFile;
use crate::client;
use crate::coded::coded;
use crate::generate_args::Generate;
use crate::output::print_json;
use crate::say::say;

/// Standard output.
const STDOUT: &str = "-";
/// The running server.
const LOG: &str = "log";

pub fn run(generate: &Generate) -> anyhow::Result<ExitCode> {
    if generate.list {
        list::print(generate.target.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = &generate.show {
        let known = built_in(name)
            .ok_or_else(|| anyhow!("there is no scenario {name:?}; built in are {}", NAMES.join(", ")))?;
        say!("{}", known.text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(name), Some(out)) = (&generate.scenario, &generate.out) else {
        bail!("name a --scenario and where it goes with --out, or ask with --list")
    };
    let overrides = Overrides { mess: generate.mess.clone(), ..Overrides::default() };
    let scenario = read(name)?.with(&overrides);
    let stream = Stream::new(Arc::new(scenario), generate.seed).from_offset(generate.from);
    let truth = generate.truth.as_deref().map(TruthFile::create).transpose()?;
    let is_url = out.starts_with("http://") || out.starts_with("https://");
    if out == LOG || is_url {
        let url = if is_url { out.trim_end_matches('/').to_owned() } else { client::capture_url(&generate.target)? };
        return sent(generate, stream, url, truth);
    }
    if generate.rate.is_some() {
        bail!("--rate is for a server; into a file events are written as fast as they are made");
    }
    written(generate, stream, out, truth)
}

/// One that is built in, or a file.
fn read(name: &str) -> anyhow::Result<Scenario> {
    if let Some(built_in) = built_in(name) {
        return Ok(built_in.scenario());
    }
    let path = Path::new(name);
    if !path.exists() {
        bail!("there is no scenario and no file {name:?}; built in are {}", NAMES.join(", "));
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    Scenario::read(&text, name).map_err(|error| {
        let hint = [error.excerpt.trim_end(), &error.hint].join("\n");
        coded(&error, error.code(), hint.trim_end())
    })
}

#[derive(Debug, Serialize)]
struct Written {
    events: u64,
    /// To go on with.
    next_offset: u64,
    elapsed_s: f64,
    expected: Tally,
}

/// Every event as its client meant it, once for each time that it is sent. What is wrong with a whole body cannot be
/// shown so: only the truth tells.
fn written(generate: &Generate, stream: Stream, out: &str, mut truth: Option<TruthFile>) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut file: Box<dyn Write> = if out == STDOUT {
        Box::new(BufWriter::new(io::stdout().lock()))
    } else {
        Box::new(BufWriter::new(File::create(out).with_context(|| format!("cannot write {out}"))?))
    };
    let mut tally = Tally::default();
    let mut events = 0;
    for request in stream.events(generate.events) {
        for event in request.events() {
            file.write_all(event.json().as_bytes()).and_then(|()| file.write_all(b"\n"))?;
            events += 1;
        }
        tally.add(&request.truth);
        truth.as_mut().map_or(Ok(()), |truth| truth.add(&request.truth))?;
    }
    file.flush()?;
    drop(file);
    truth.map_or(Ok(()), TruthFile::close)?;
    let written = Written {
        events,
        next_offset: generate.from + events,
        elapsed_s: started.elapsed().as_secs_f64(),
        expected: tally,
    };
    // Standard output has the events.
    if generate.target.json && out != STDOUT {
        print_json(&written)?;
    } else {
        eprintln!("{events} events in {:.2} s; the next offset is {}", written.elapsed_s, written.next_offset);
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Sent {
    events: u64,
    requests: u64,
    next_offset: u64,
    elapsed_s: f64,
    events_per_second: f64,
    /// Requests without an answer, or with one that asks to come again.
    failed: u64,
    failure: Option<String>,
    /// Requests that were answered otherwise than they had to be.
    unexpected: u64,
    unexpected_example: Option<String>,
    /// Requests that were sent later than they were due.
    late: u64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// What a pipeline without plugins must have counted.
    expected: Tally,
}

fn sent(generate: &Generate, stream: Stream, url: String, truth: Option<TruthFile>) -> anyhow::Result<ExitCode> {
    let client =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().context("no HTTP client")?;
    let plan = Plan {
        url: url.clone(),
        client,
        connections: usize::from(generate.connections),
        as_of_now: None,
        catches_up: true,
        on_ack: None,
    };
    let numbers: Arc<Mutex<Numbers>> = Arc::default();
    let problem: Arc<Mutex<Option<anyhow::Error>>> = Arc::default();
    let requests = with_truth(stream.events(generate.events), truth, Arc::clone(&problem));
    let (_keep, pace) = watch::channel(Pace { is_running: true, events_per_second: generate.rate });
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let sending = runtime.block_on(sender::send(requests, plan, pace, Arc::clone(&numbers)));
    sending.map_err(|error| coded(&error, error.code(), error.hint()))?;
    let elapsed_s = started.elapsed().as_secs_f64();
    if let Some(error) = problem.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    let numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
    let [p50_ms, p99_ms, max_ms] = numbers.latency_ms();
    let sent = Sent {
        events: numbers.events,
        requests: numbers.tally.requests,
        next_offset: generate.from + numbers.events,
        elapsed_s,
        events_per_second: numbers.events as f64 / elapsed_s.max(1e-9),
        failed: numbers.failed,
        failure: numbers.failure.clone(),
        unexpected: numbers.unexpected,
        unexpected_example: numbers.surprise.clone(),
        late: numbers.late,
        p50_ms,
        p99_ms,
        max_ms,
        expected: numbers.tally.clone(),
    };
    if generate.target.json {
        print_json(&sent)?;
    } else {
        told(&sent, &url);
    }
    Ok(if sent.failed + sent.unexpected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the truth of each request before the request is sent.
fn with_truth(
    requests: impl Iterator<Item = Request> + Send + 'static,
    mut truth: Option<TruthFile>,
    problem: Arc<Mutex<Option<anyhow::Error>>>,
) -> impl Iterator<Item = Request> + Send + 'static {
    let mut requests = requests.fuse();
    std::iter::from_fn(move || {
        let request = requests.next();
        let written = match &request {
            Some(request) => truth.as_mut().map_or(Ok(()), |truth| truth.add(&request.truth)),
            None => truth.take().map_or(Ok(()), TruthFile::close),
        };
        match written {
            Ok(()) => request,
            // Nothing is sent whose truth is lost.
            Err(error) => {
                *problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                None
            }
        }
    })
}

fn told(sent: &Sent, url: &str) {
    say!("{} events in {} requests to {url}, {:.0} events/s", sent.events, sent.requests, sent.events_per_second);
    say!(
        "answers       p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms; {} sent late",
        sent.p50_ms,
        sent.p99_ms,
        sent.max_ms,
        sent.late
    );
    let expected = &sent.expected;
    say!("must be       {:>12} stored", expected.stored);
    say!("              {:>12} rejected", expected.rejected);
    say!("              {:>12} duplicates, {} of them conflicting", expected.deduplicated, expected.conflicting);
    for (mess, count) in &expected.mess {
        say!("  {mess:<16}{count:>8} events");
    }
    say!("next offset   {:>12}", sent.next_offset);
    if let Some(failure) = &sent.failure {
        say!("{} requests failed; the first: {failure}", sent.failed);
    }
    if let Some(surprise) = &sent.unexpected_example {
        say!("{} requests were answered wrongly; the first: {surprise}", sent.unexpected);
    }
}

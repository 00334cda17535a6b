//! The stream that the server itself sends: at first the demo, then whatever is chosen. It goes to the capture port
//! over HTTP like any client's events, told as of now, under uuids of its own, so that no run is taken for retries of
//! the last.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pipeline_core::api::generator::{
    ExpectedOutcomes, GeneratorRequest, GeneratorState, KnobView, ScenarioList, ScenarioView,
};
use pipeline_core::api::live::{DemoRequest, DemoState};
use pipeline_core::api::{ApiError, ErrorCode};
use pipeline_core::event::Clock;
use pipeline_core::flow::DemoControl;
use pipeline_core::generator::{BUILT_IN, KNOBS, Mess, NAMES, Overrides, Rate, Scenario, Stream, built_in};
use tokio::sync::watch;

use crate::sender::{self, Numbers, OnAck, Pace, Plan};

/// From the seed of a story to who is told of its accepted requests.
pub type OnStoryAck = Box<dyn Fn(u64) -> OnAck + Send + Sync>;

const FASTEST: u32 = 20_000;
const CONNECTIONS: usize = 16;
/// Rates are over this time.
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// What is told: anything else is another story.
#[derive(Debug, Clone, PartialEq)]
struct Story {
    scenario: &'static str,
    seed: u64,
    /// Rates that are not the scenario's own.
    mess: Vec<(Mess, Rate)>,
}

/// A story with what became of it.
#[derive(Debug, Clone)]
struct Told {
    story: Story,
    scenario: Arc<Scenario>,
    numbers: Arc<Mutex<Numbers>>,
}

impl Told {
    fn new(story: Story) -> Self {
        let built_in = built_in(story.scenario).unwrap_or(&BUILT_IN[0]);
        let overrides = Overrides { mess: story.mess.clone(), ..Overrides::default() };
        let scenario = Arc::new(built_in.scenario().with(&overrides));
        Self { story, scenario, numbers: Arc::default() }
    }
}

#[derive(Debug)]
pub struct Generator {
    /// Of the server's own capture port.
    capture_url: String,
    told: watch::Sender<Told>,
    pace: watch::Sender<Pace>,
    /// Events sent at moments of the last second.
    sent: Mutex<VecDeque<(Instant, u64)>>,
}

impl Generator {
    /// The demo stream.
    pub fn new(capture_url: String, seed: u64, is_running: bool, events_per_second: u32) -> Self {
        let story = Story { scenario: NAMES[0], seed, mess: Vec::new() };
        Self {
            capture_url,
            told: watch::Sender::new(Told::new(story)),
            pace: watch::Sender::new(Pace { is_running, events_per_second: Some(f64::from(events_per_second)) }),
            sent: Mutex::default(),
        }
    }

    pub fn set(&self, request: GeneratorRequest) -> Result<(), ApiError> {
        let rate = request.events_per_second.map(checked_rate).transpose()?;
        let story = self.story(&request)?;
        self.told.send_if_modified(|told| {
            let is_other = told.story != story;
            if is_other {
                *told = Told::new(story);
                self.sent().clear();
            }
            is_other
        });
        self.pace.send_if_modified(|pace| {
            let before = *pace;
            pace.is_running = request.running.unwrap_or(pace.is_running);
            pace.events_per_second = rate.or(pace.events_per_second);
            *pace != before
        });
        Ok(())
    }

    pub fn set_demo(&self, request: DemoRequest) -> Result<(), ApiError> {
        let DemoRequest { running, events_per_second } = request;
        self.set(GeneratorRequest { running, events_per_second, ..GeneratorRequest::default() })
    }

    /// What is to be told after the request.
    fn story(&self, request: &GeneratorRequest) -> Result<Story, ApiError> {
        let mut story = self.told.borrow().story.clone();
        if let Some(name) = &request.scenario {
            let known = NAMES.iter().find(|known| *known == name).ok_or_else(|| {
                ApiError::new(ErrorCode::NotFound, format!("there is no scenario {name:?}"))
                    .hint(format!("built in are {}", NAMES.join(", ")))
            })?;
            if story.scenario != *known {
                // Rates are turned up and down from where the file has them.
                story = Story { scenario: known, mess: Vec::new(), ..story };
            }
        }
        story.seed = request.seed.unwrap_or(story.seed);
        if let Some(rates) = &request.mess {
            story.mess = mess_of(rates)?;
        }
        Ok(story)
    }

    pub fn generator_state(&self) -> GeneratorState {
        let Told { story, scenario, numbers } = self.told.borrow().clone();
        let pace = *self.pace.borrow();
        let numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let [p50_ms, p99_ms, max_ms] = numbers.latency_ms();
        let tally = &numbers.tally;
        GeneratorState {
            running: pace.is_running,
            to: self.capture_url.clone(),
            scenario: story.scenario.to_owned(),
            seed: story.seed,
            events_per_second: asked(pace),
            rate: self.rate(numbers.events),
            mess: scenario.mess.by_name(),
            sent: numbers.events,
            requests: tally.requests,
            failed: numbers.failed,
            unexpected: numbers.unexpected,
            unexpected_example: numbers.surprise.clone(),
            late: numbers.late,
            p50_ms,
            p99_ms,
            max_ms,
            expected: ExpectedOutcomes {
                received: tally.received,
                stored: tally.stored,
                rejected: tally.rejected,
                deduplicated: tally.deduplicated,
                conflicting: tally.conflicting,
            },
            by_mess: tally.mess.clone(),
        }
    }

    /// Events a second since about a second ago.
    fn rate(&self, events: u64) -> f64 {
        let mut sent = self.sent();
        let now = Instant::now();
        sent.push_back((now, events));
        while sent.len() > 2 && sent.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= RATE_WINDOW) {
            sent.pop_front();
        }
        let Some((since, before)) = sent.front() else { return 0.0 };
        let seconds = now.duration_since(*since).as_secs_f64();
        if seconds > 0.0 { events.saturating_sub(*before) as f64 / seconds } else { 0.0 }
    }

    fn sent(&self) -> MutexGuard<'_, VecDeque<(Instant, u64)>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends until the server stops.
    pub async fn run(
        self: Arc<Self>,
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
        on_ack: OnStoryAck,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut told = self.told.subscribe();
        loop {
            let Told { story, scenario, numbers } = told.borrow_and_update().clone();
            let stream = Stream::new(scenario, story.seed).salted(clock.now_ms().unsigned_abs());
            let plan = Plan {
                url: self.capture_url.clone(),
                client: client.clone(),
                connections: CONNECTIONS,
                as_of_now: Some(Arc::clone(&clock)),
                catches_up: false,
                on_ack: Some(on_ack(story.seed)),
            };
            tokio::select! {
                result = sender::send(stream, plan, self.pace.subscribe(), numbers) => match result {
                    Ok(()) => return,
                    Err(error) => return tracing::error!("the generator cannot send: {error}"),
                },
                _ = told.changed() => {}
                _ = stopping.changed() => return,
            }
        }
    }
}

/// Every scenario that is built in, and every knob.
pub fn scenarios() -> ScenarioList {
    let scenario = |name: &&str| {
        let scenario = built_in(name).unwrap_or(&BUILT_IN[0]).scenario();
        ScenarioView {
            name: (*name).to_owned(),
            title: scenario.title,
            description: scenario.description,
            events_per_second: scenario.events_per_1000_s as f64 / 1_000.0,
            mess: scenario.mess.by_name(),
        }
    };
    let knob = |knob: &pipeline_core::generator::Knob| KnobView {
        name: knob.name.to_owned(),
        of: knob.of.to_owned(),
        summary: knob.summary.to_owned(),
    };
    ScenarioList { scenarios: NAMES.iter().map(scenario).collect(), knobs: KNOBS.iter().map(knob).collect() }
}

fn asked(pace: Pace) -> u32 {
    pace.events_per_second.unwrap_or_default() as u32
}

fn checked_rate(rate: u32) -> Result<f64, ApiError> {
    if (1..=FASTEST).contains(&rate) {
        return Ok(f64::from(rate));
    }
    Err(ApiError::new(ErrorCode::BadRequest, format!("{rate} events a second is out of range"))
        .hint(format!("choose 1 to {FASTEST}")))
}

fn mess_of(rates: &BTreeMap<String, f64>) -> Result<Vec<(Mess, Rate)>, ApiError> {
    let rate = |(name, share): (&String, &f64)| {
        let mess = Mess::from_name(name)
            .map_err(|error| ApiError::new(ErrorCode::BadRequest, error.to_string()).hint(error.hint))?;
        let rate = Rate::new(*share).ok_or_else(|| {
            ApiError::new(ErrorCode::BadRequest, format!("{share} is no share of {name}")).hint("choose 0 to 1")
        })?;
        Ok((mess, rate))
    };
    rates.iter().map(rate).collect()
}

impl DemoControl for Generator {
    fn state(&self) -> DemoState {
        let Told { story, numbers, .. } = self.told.borrow().clone();
        let pace = *self.pace.borrow();
        let numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
        DemoState {
            running: pace.is_running,
            events_per_second: asked(pace),
            seed: story.seed,
            sent: numbers.events,
            failed: numbers.failed + numbers.unexpected,
        }
    }
}

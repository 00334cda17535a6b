//! What people do after what: sessions of each distinct id, cut where nothing happened for half an hour.

use std::collections::{BTreeMap, HashMap};

use weir_event::clock::UnixMillis;

const SESSION_GAP_MS: i64 = 30 * 60_000;
/// Steps that are kept; journeys are of the first ones.
const MOST_STEPS: usize = 4_000_000;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Copy)]
struct Step {
    /// Hash of the distinct id.
    who: u64,
    at_ms: UnixMillis,
    event: u32,
}

#[derive(Debug, Default)]
pub struct Journeys {
    names: HashMap<String, u32>,
    steps: Vec<Step>,
    /// Ids that were given by a program and not by a person's account.
    anonymous: u64,
    all: u64,
}

/// What follows an event; `None` is the end of the session.
pub type Next = BTreeMap<Option<String>, u64>;

#[derive(Debug, Default)]
pub struct Walks {
    pub starts: BTreeMap<String, u64>,
    pub next: BTreeMap<String, Next>,
    /// Seconds after each event, the tenth and the nine tenths of them.
    pub pauses_s: BTreeMap<String, (u64, u64)>,
    pub people: u64,
    pub sessions: u64,
    pub events_per_second: f64,
    pub hours: [u64; 24],
    pub weekdays: [u64; 7],
    /// Of events, those under an id of an account.
    pub signed_in: f64,
}

impl Journeys {
    pub fn add(&mut self, event: &str, distinct_id: &str, at_ms: Option<UnixMillis>) {
        if self.steps.len() >= MOST_STEPS {
            return;
        }
        self.all += 1;
        self.anonymous += u64::from(uuid::Uuid::try_parse(distinct_id).is_ok());
        let next = self.names.len() as u32;
        let event = *self.names.entry(event.to_owned()).or_insert(next);
        // Without a time the order of the file is all there is.
        let at_ms = at_ms.unwrap_or(self.steps.last().map_or(0, |step| step.at_ms));
        self.steps.push(Step { who: super::hashed(distinct_id), at_ms, event });
    }

    pub fn walks(&self) -> Walks {
        let mut names = vec![""; self.names.len()];
        self.names.iter().for_each(|(name, at)| names[*at as usize] = name);
        let mut steps = self.steps.clone();
        steps.sort_by_key(|step| (step.who, step.at_ms));
        let mut walks = Walks::default();
        let mut pauses: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut before: Option<Step> = None;
        for step in &steps {
            let name = names[step.event as usize].to_owned();
            let is_same = before.is_some_and(|before| before.who == step.who);
            if let Some(before) = before.filter(|before| is_same && step.at_ms - before.at_ms <= SESSION_GAP_MS) {
                let last = names[before.event as usize].to_owned();
                pauses.entry(last.clone()).or_default().push((step.at_ms - before.at_ms).unsigned_abs() / 1_000);
                *walks.next.entry(last).or_default().entry(Some(name)).or_default() += 1;
            } else {
                if let Some(before) = before {
                    walks.end(names[before.event as usize]);
                }
                walks.people += u64::from(!is_same);
                walks.sessions += 1;
                *walks.starts.entry(name).or_default() += 1;
            }
            walks.hours[step.at_ms.div_euclid(HOUR_MS).rem_euclid(24) as usize] += 1;
            // 1970-01-01 was a Thursday.
            walks.weekdays[(step.at_ms.div_euclid(24 * HOUR_MS) + 3).rem_euclid(7) as usize] += 1;
            before = Some(*step);
        }
        if let Some(before) = before {
            walks.end(names[before.event as usize]);
        }
        walks.pauses_s = pauses.into_iter().map(|(name, pauses)| (name, middle(pauses))).collect();
        let times = || steps.iter().map(|step| step.at_ms);
        let length_ms = times().max().unwrap_or_default() - times().min().unwrap_or_default();
        walks.events_per_second = steps.len() as f64 / (length_ms.max(1_000) as f64 / 1_000.0);
        walks.signed_in = (self.all - self.anonymous) as f64 / self.all.max(1) as f64;
        walks
    }
}

impl Walks {
    fn end(&mut self, name: &str) {
        *self.next.entry(name.to_owned()).or_default().entry(None).or_default() += 1;
    }
}

fn middle(mut pauses: Vec<u64>) -> (u64, u64) {
    pauses.sort_unstable();
    let at = |tenth: usize| pauses[(pauses.len() - 1) * tenth / 10];
    (at(1), at(9).max(at(1) + 1))
}

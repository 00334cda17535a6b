//! What the page knows. One signal per independently changing thing, so that a frame touches only
//! the text nodes whose numbers moved; nothing is rendered twice because something else changed.

use leptos::prelude::*;
use weir_api::{
    ApiError,
    alert::Alert,
    fault::ActiveFault,
    ledger::Ledger,
    live::{DemoState, LiveFrame, Rates, StageView},
    plugin::PluginView,
    sink::SinkView,
};

use crate::{components::ledger_windows::Picked, feed::Feed, history::History};

/// The connection to the studio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Connecting,
    Live,
    Reconnecting,
    /// This browser has no valid session.
    Locked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Live,
    Plugins,
    Generator,
    Query,
    Correctness,
    Health,
    Faults,
}

impl View {
    pub const ALL: [Self; 7] =
        [Self::Live, Self::Plugins, Self::Generator, Self::Query, Self::Correctness, Self::Health, Self::Faults];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Plugins => "Plugins",
            Self::Generator => "Generator",
            Self::Query => "Query",
            Self::Correctness => "Correctness",
            Self::Health => "Health",
            Self::Faults => "Faults",
        }
    }

    pub const fn hash(self) -> &'static str {
        match self {
            Self::Live => "#/live",
            Self::Plugins => "#/plugins",
            Self::Generator => "#/generator",
            Self::Query => "#/query",
            Self::Correctness => "#/correctness",
            Self::Health => "#/health",
            Self::Faults => "#/faults",
        }
    }

    pub fn from_hash(hash: &str) -> Self {
        let leads_to =
            |view: &Self| hash.strip_prefix(view.hash()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        Self::ALL.into_iter().find(leads_to).unwrap_or(Self::Live)
    }
}

/// The parts of a frame that say whether the studio is well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    pub store_state: String,
    /// `arrival` or `event-time`.
    pub ordering: String,
    pub accepting: bool,
    pub capture_problem: Option<String>,
    pub disk_free_bytes: u64,
    pub resident_bytes: u64,
}

#[derive(Clone, Copy)]
pub struct Studio {
    pub link: RwSignal<Link>,
    /// No frame for two seconds: what is on screen is old.
    pub stale: RwSignal<bool>,
    /// `false` until the first frame.
    pub primed: RwSignal<bool>,
    pub view: RwSignal<View>,
    pub ledger: RwSignal<Ledger>,
    pub rates: RwSignal<Rates>,
    pub lag_ms: RwSignal<Option<f64>>,
    /// The server's clock, by the newest frame.
    pub now_ms: RwSignal<i64>,
    pub stages: RwSignal<Vec<StageView>>,
    pub plugins: RwSignal<Vec<PluginView>>,
    pub sinks: RwSignal<Vec<SinkView>>,
    pub demo: RwSignal<DemoState>,
    /// What the oracle has found that is wrong.
    pub oracle_mismatches: RwSignal<u64>,
    /// What is being made to go wrong on purpose.
    pub faults: RwSignal<Vec<ActiveFault>>,
    /// What is firing, the newest first.
    pub alerts: RwSignal<Vec<Alert>>,
    /// SQL checks that return rows or cannot run.
    pub checks_failing: RwSignal<u64>,
    pub condition: RwSignal<Condition>,
    pub feed: RwSignal<Feed>,
    pub history: RwSignal<History>,
    /// Offset of the event in the side panel.
    pub selected: RwSignal<Option<u64>>,
    /// The number of the ledger whose events are listed.
    pub picked: RwSignal<Option<Picked>>,
    /// The newest failure of something the user asked for.
    pub notice: RwSignal<Option<ApiError>>,
    pub palette_open: RwSignal<bool>,
    pub shortcuts_open: RwSignal<bool>,
    /// Counts up to ask the live list to take the focus into its filter box, or to pause.
    pub focus_filter: RwSignal<u32>,
    pub pause_toggle: RwSignal<u32>,
}

impl Default for Studio {
    fn default() -> Self {
        Self {
            link: RwSignal::new(Link::Connecting),
            stale: RwSignal::new(false),
            primed: RwSignal::new(false),
            view: RwSignal::new(View::Live),
            ledger: RwSignal::default(),
            rates: RwSignal::default(),
            lag_ms: RwSignal::default(),
            now_ms: RwSignal::default(),
            stages: RwSignal::default(),
            plugins: RwSignal::default(),
            sinks: RwSignal::default(),
            demo: RwSignal::default(),
            oracle_mismatches: RwSignal::default(),
            faults: RwSignal::default(),
            alerts: RwSignal::default(),
            checks_failing: RwSignal::default(),
            condition: RwSignal::default(),
            feed: RwSignal::default(),
            history: RwSignal::default(),
            selected: RwSignal::default(),
            picked: RwSignal::default(),
            notice: RwSignal::default(),
            palette_open: RwSignal::default(),
            shortcuts_open: RwSignal::default(),
            focus_filter: RwSignal::default(),
            pause_toggle: RwSignal::default(),
        }
    }
}

impl Studio {
    pub fn expect() -> Self {
        expect_context()
    }

    pub fn apply(self, mut frame: LiveFrame) {
        self.history.update(|history| history.push(&frame));
        let events = std::mem::take(&mut frame.events);
        if !events.is_empty() || frame.events_skipped > 0 {
            self.feed.update(|feed| feed.extend(events, frame.events_skipped));
        }
        put(self.ledger, frame.ledger);
        put(self.rates, frame.rates);
        put(self.now_ms, frame.at_ms);
        put(self.lag_ms, frame.queryable_lag_ms);
        put(self.stages, frame.stages);
        put(self.plugins, frame.plugins);
        put(self.sinks, frame.sinks);
        put(self.demo, frame.demo);
        put(self.oracle_mismatches, frame.oracle_mismatches);
        put(self.faults, frame.faults);
        put(self.alerts, frame.alerts);
        put(self.checks_failing, frame.checks_failing);
        put(
            self.condition,
            Condition {
                store_state: frame.store_state,
                ordering: frame.ordering,
                accepting: frame.accepting,
                capture_problem: frame.capture_problem,
                disk_free_bytes: frame.disk_free_bytes,
                resident_bytes: frame.resident_bytes,
            },
        );
        put(self.primed, true);
        put(self.stale, false);
    }

    pub fn plugin(self, id: String) -> Memo<PluginView> {
        Memo::new(move |_| {
            self.plugins.with(|all| all.iter().find(|plugin| plugin.id == id).cloned()).unwrap_or_default()
        })
    }

    pub fn plugin_ids(self) -> Memo<Vec<String>> {
        Memo::new(move |_| self.plugins.with(|all| all.iter().map(|plugin| plugin.id.clone()).collect()))
    }

    pub fn stage(self, id: &'static str) -> Memo<StageView> {
        Memo::new(move |_| self.stages.with(|all| all.iter().find(|stage| stage.id == id).cloned()).unwrap_or_default())
    }
}

/// Sets only what differs: an equal value must not wake its readers.
pub fn put<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|have| *have != value) {
        signal.set(value);
    }
}

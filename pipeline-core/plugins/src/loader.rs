//! The thread that turns saves into versions.
//!
//! `watching -> building -> validating -> live | failed`, one plugin at a time. A burst of writes is one
//! load (`burst` knows when it is over). Content decides: a write that changes no source changes nothing. The old
//! version serves until the new one has been compiled, loaded and set up; if any of that fails it goes on
//! serving, and the diagnostic says why. A half-written file is such a failure, and the write that
//! completes it the next load. What takes long to build does so on a thread of its own and comes back as a
//! message; a newer save ends it. A plugin that asks has its new versions built and held: nothing of one
//! runs before it is promoted. Because watches can be lost (queue overflow, deleted folders, file systems
//! without events), every folder is also looked at once a second.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use weir_api::plugin::{Diagnostic, PluginState};
use weir_event::journal::{LogLevel, LogSource, PluginLog};
use weir_event::queue::{Receiver, RecvTimeoutError};

use crate::blueprint::Blueprint;
use crate::burst::{Burst, Stage};
use crate::error::PluginError;
use crate::host::{Message, Shared};
use crate::language::{Built, Job, Language, Order};
use crate::metrics;
use crate::readiness::{Ready, Unready};
use crate::reloads::Reload;
use crate::settings::ReloadMode;
use crate::slot::{ReloadClock, Slot, Waiting, lock};
use crate::sources::{self, Listing};
use crate::version::Version;
use crate::watch::{LOOK_EVERY, Watches, Watching};

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
const NAME: &str = "weir-plugin-load";

pub struct Loader {
    shared: Arc<Shared>,
    watches: Watches,
    setup_pauses: [Duration; 4],
    plugins: HashMap<String, Tracked>,
    next_look: Instant,
    last_job: u64,
}

struct Tracked {
    slot: Arc<Slot>,
    listing: Listing,
    /// Another listing than that of the newest load, seen once.
    looked: Option<Listing>,
    /// Of the newest load, whatever became of it.
    content: Option<blake3::Hash>,
    burst: Option<Burst>,
    retry: Option<(Instant, usize)>,
    /// The build in progress, and the write it is for.
    job: Option<(Job, Option<Instant>)>,
    /// Who waits for the end of the load.
    waiters: Vec<SyncSender<()>>,
}

impl Tracked {
    fn new(slot: Arc<Slot>) -> Self {
        Self {
            slot,
            listing: Listing::default(),
            looked: None,
            content: None,
            burst: None,
            retry: None,
            job: None,
            waiters: Vec::new(),
        }
    }
}

/// How a load that did not become live ended.
enum Stopped {
    Unchanged,
    /// It goes on in a job.
    Building,
    Failed(Box<Diagnostic>),
    /// It waits to be promoted.
    Held,
    /// `setupPlugin` threw a `RetryError`.
    Again(Box<Diagnostic>),
}

impl From<Unready> for Stopped {
    fn from(unready: Unready) -> Self {
        if unready.wants_retry { Self::Again(unready.problem) } else { Self::Failed(unready.problem) }
    }
}

impl From<Box<Diagnostic>> for Stopped {
    fn from(problem: Box<Diagnostic>) -> Self {
        Self::Failed(problem)
    }
}

impl Loader {
    pub fn spawn(
        shared: Arc<Shared>,
        messages: Receiver<Message>,
        watching: Watching,
        setup_pauses: [Duration; 4],
    ) -> Result<JoinHandle<()>, PluginError> {
        let watches = Watches::start(watching, shared.to_loader.clone());
        let mut loader = Self {
            shared,
            watches,
            setup_pauses,
            plugins: HashMap::new(),
            next_look: Instant::now() + LOOK_EVERY,
            last_job: 0,
        };
        thread::Builder::new()
            .name(NAME.into())
            .spawn(move || loader.run(&messages))
            .map_err(|_| PluginError::Thread(NAME))
    }

    fn run(&mut self, messages: &Receiver<Message>) {
        loop {
            let wait = self.next_due().saturating_duration_since(Instant::now());
            match messages.recv_timeout(wait) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => self.handle(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.run_due();
        }
        // Lanes that were dropped before the stop have sent their instances before it.
        let slots: Vec<_> = self.plugins.values().map(|tracked| Arc::clone(&tracked.slot)).collect();
        for slot in slots {
            if let Some(instance) = slot.take_prepared() {
                self.shared.tear_down(instance);
            }
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Touched(paths, stage, at) => {
                for path in &paths {
                    self.touched(path, stage, at);
                }
            }
            Message::LookAgain => self.next_look = Instant::now(),
            Message::Load(slot, done) => {
                let id = slot.id.clone();
                let mut tracked = Tracked::new(slot);
                tracked.waiters.push(done);
                self.serve_pinned(&tracked.slot);
                self.plugins.insert(id.clone(), tracked);
                self.load(&id, None);
            }
            Message::Promote(id, done) => {
                self.promote(&id);
                // Nobody waits when the caller has given up.
                let _ = done.send(());
            }
            Message::Configure(id, done) => {
                if let Some(tracked) = self.plugins.get_mut(&id) {
                    tracked.content = None;
                    tracked.waiters.push(done);
                    self.load(&id, None);
                }
            }
            Message::Built(id, number, built) => self.built(&id, number, *built),
            Message::Forget(id) => {
                if let Some(tracked) = self.plugins.remove(&id) {
                    self.watches.follow(&tracked.slot.dir, &[]);
                    if let Some(instance) = tracked.slot.take_prepared() {
                        self.shared.tear_down(instance);
                    }
                }
            }
            Message::Retire(instance) => self.shared.tear_down(*instance),
            Message::Stop => {}
        }
    }

    fn touched(&mut self, path: &Path, stage: Stage, at: Instant) {
        for tracked in self.plugins.values_mut() {
            if sources::concerns(&tracked.slot.dir, path) {
                tracked.burst.get_or_insert_with(|| Burst::new(at)).touched(path, stage, at);
                if !path.is_file() {
                    // Either a folder that is gone or replaced, or a file that never had a watch.
                    self.watches.forget(path);
                }
            }
        }
    }

    fn next_due(&self) -> Instant {
        let bursts = self.plugins.values().filter_map(|tracked| tracked.burst.as_ref().map(Burst::due));
        let retries = self.plugins.values().filter_map(|tracked| tracked.retry.map(|(at, _)| at));
        bursts.chain(retries).fold(self.next_look, Instant::min)
    }

    fn run_due(&mut self) {
        let now = Instant::now();
        if now >= self.next_look {
            if let Err(error) = self.shared.around.geoip.refresh() {
                tracing::warn!(%error, hint = error.hint(), "the GeoIP database in use goes on");
            }
            self.next_look = now + self.watches.look_every();
            for tracked in self.plugins.values_mut().filter(|tracked| tracked.burst.is_none()) {
                let listing = sources::list(&tracked.slot.dir).unwrap_or_default();
                if listing == tracked.listing {
                    tracked.looked = None;
                } else if tracked.looked.as_ref() == Some(&listing) {
                    tracked.burst = Some(Burst::new(now));
                } else {
                    // Whoever writes may not have finished: a second look tells.
                    tracked.looked = Some(listing);
                    self.next_look = now + LOOK_AGAIN_AFTER;
                }
            }
        }
        let mut bursts: Vec<(String, Instant)> = Vec::new();
        for tracked in self.plugins.values_mut() {
            let Some(burst) = &mut tracked.burst else { continue };
            if burst.due() <= now && !burst.waits_for_git(&tracked.slot.dir, now) {
                bursts.push((tracked.slot.id.clone(), burst.last_write()));
                tracked.burst = None;
                tracked.retry = None;
            }
        }
        for (id, last_write) in bursts {
            self.load(&id, Some(last_write));
        }
        let again = |tracked: &&mut Tracked| tracked.retry.is_some_and(|(at, _)| at <= now);
        let retries: Vec<String> = self
            .plugins
            .values_mut()
            .filter(again)
            .map(|tracked| {
                tracked.content = None;
                tracked.slot.id.clone()
            })
            .collect();
        for id in retries {
            self.load(&id, None);
        }
    }

    fn load(&mut self, id: &str, last_write: Option<Instant>) {
        let Some(mut tracked) = self.plugins.remove(id) else { return };
        let outcome = self.try_load(&mut tracked, last_write);
        self.ended(tracked, outcome);
    }

    /// A build has come to its end.
    fn built(&mut self, id: &str, number: u64, built: Result<Built, Box<Diagnostic>>) {
        let is_awaited = |tracked: &Tracked| tracked.job.as_ref().is_some_and(|(job, _)| job.number == number);
        if !self.plugins.get(id).is_some_and(is_awaited) {
            return;
        }
        let Some(mut tracked) = self.plugins.remove(id) else { return };
        let last_write = tracked.job.take().and_then(|(_, last_write)| last_write);
        let slot = Arc::clone(&tracked.slot);
        let outcome = built.map_err(Stopped::from).and_then(|built| self.try_version(&slot, built, last_write));
        self.ended(tracked, outcome);
    }

    fn ended(&mut self, mut tracked: Tracked, outcome: Result<(), Stopped>) {
        let slot = Arc::clone(&tracked.slot);
        match outcome {
            Ok(()) | Err(Stopped::Held) => tracked.retry = None,
            Err(Stopped::Unchanged | Stopped::Building) => {}
            Err(Stopped::Failed(problem)) => {
                tracked.retry = None;
                self.failed(&slot, *problem);
            }
            Err(Stopped::Again(mut problem)) => {
                let attempt = tracked.retry.map_or(0, |(_, attempt)| attempt);
                let pause = self.setup_pauses.get(attempt);
                tracked.retry = pause.map(|pause| (Instant::now() + *pause, attempt + 1));
                problem.hint = Some(pause.map_or_else(
                    || "It was called five times. Save a file of the plugin to try again.".to_owned(),
                    |pause| format!("It is called again in {} s.", pause.as_secs()),
                ));
                self.failed(&slot, *problem);
            }
        }
        if tracked.job.is_none() {
            for waiter in tracked.waiters.drain(..) {
                // Nobody waits when the caller has given up.
                let _ = waiter.send(());
            }
        }
        self.plugins.insert(slot.id.clone(), tracked);
    }

    fn try_load(&mut self, tracked: &mut Tracked, last_write: Option<Instant>) -> Result<(), Stopped> {
        let slot = Arc::clone(&tracked.slot);
        let unreadable = |error: std::io::Error| {
            Box::new(Diagnostic {
                message: format!("Cannot read the plugin's folder: {error}"),
                ..Diagnostic::default()
            })
        };
        // Before the folder is read, so that no write falls in between.
        self.watches.follow(&slot.dir, &sources::list(&slot.dir).unwrap_or_default().dirs);
        let (listing, snapshot) = sources::read(&slot.dir);
        self.watches.follow(&slot.dir, &listing.dirs);
        tracked.listing = listing;
        tracked.looked = None;
        let snapshot = snapshot.map_err(|error| {
            tracked.content = None;
            tracked.job = None;
            unreadable(error)
        })?;
        let content = snapshot.hash();
        if tracked.content == Some(content) {
            return Err(Stopped::Unchanged);
        }
        tracked.content = Some(content);
        // Of an older content.
        tracked.job = None;

        slot.set_state(PluginState::Building);
        let language = Language::of(&snapshot)?;
        let (plugin_id, dir) = (slot.id.clone(), slot.dir.clone());
        let settings = self.shared.settings(&slot.id);
        let order = Order { plugin_id, dir, snapshot: Arc::new(snapshot), settings, language };
        if let Some(artifact) = order.at_once(&self.shared) {
            let built = order.complete(&self.shared, artifact)?;
            return self.try_version(&slot, built, last_write);
        }
        self.last_job += 1;
        tracked.job = Some((Job::start(self.last_job, order, Arc::clone(&self.shared))?, last_write));
        Err(Stopped::Building)
    }

    /// What served last is first, so that a restart promotes nothing that nobody has seen.
    fn serve_pinned(&self, slot: &Slot) {
        let Some(pinned) = self.shared.take_pinned(&slot.id) else { return };
        let order = Order { dir: slot.dir.clone(), ..pinned.order };
        let served = order
            .complete(&self.shared, pinned.artifact)
            .map_err(Stopped::from)
            .and_then(|built| self.make_live(slot, Arc::new(built.version), built.blueprint, None));
        if served.is_err() {
            tracing::warn!(plugin = slot.id, "the version that served last cannot be served again");
        }
    }

    fn promote(&mut self, id: &str) {
        let Some(mut tracked) = self.plugins.remove(id) else { return };
        if let Some(waiting) = tracked.slot.take_waiting() {
            let slot = Arc::clone(&tracked.slot);
            let outcome = self.make_live(&slot, waiting.version, waiting.blueprint, None);
            // A `RetryError` of its set-up loads the folder again, and that may ask again.
            if matches!(outcome, Err(Stopped::Failed(_) | Stopped::Again(_))) {
                tracked.content = None;
            }
            self.ended(tracked, outcome);
        } else {
            self.plugins.insert(id.to_owned(), tracked);
        }
    }

    /// Makes a version live if it loads and can be set up, or holds it for a plugin that asks.
    fn try_version(&self, slot: &Slot, built: Built, last_write: Option<Instant>) -> Result<(), Stopped> {
        let version = Arc::new(built.version);
        let live = slot.version();
        // Whatever waited was of an older save.
        slot.take_waiting();
        if live.as_ref().is_some_and(|live| live.identity.version == version.identity.version) {
            slot.settle(true);
            return Err(Stopped::Unchanged);
        }
        let asks = built.blueprint.settings().other.reload == ReloadMode::Ask;
        if let Some(live) = live.filter(|_| asks) {
            slot.hold(Waiting { version: Arc::clone(&version), blueprint: built.blueprint.clone() });
            self.tell(&version, built.blueprint, false, Some(live.identity.version.clone()));
            return Err(Stopped::Held);
        }
        self.make_live(slot, version, built.blueprint, last_write)
    }

    fn make_live(
        &self,
        slot: &Slot,
        version: Arc<Version>,
        blueprint: Blueprint,
        last_write: Option<Instant>,
    ) -> Result<(), Stopped> {
        slot.set_state(PluginState::Validating);
        let Ready { instance, setup, does_nothing } = self.shared.make_ready(&version)?;

        let before = slot.version();
        let is_reload = before.is_some();
        let ready_at = Instant::now();
        let reload = last_write.filter(|_| is_reload).map(|last_write| ReloadClock { last_write, ready_at, setup });
        let unused = slot.serve(Arc::clone(&version), blueprint.clone(), instance, reload);
        self.shared.announce();
        slot.show(&version, setup);
        self.shared.log(&version, LogLevel::Debug, format!("Plugin loaded (version {}).", version.identity.version));
        if does_nothing {
            let message = "The plugin exports no function that Weir knows, so it does nothing.".to_owned();
            self.shared.log(&version, LogLevel::Warn, message);
        }
        if let Some(unused) = unused {
            self.shared.tear_down(unused);
        }
        self.tell(&version, blueprint, true, before.map(|before| before.identity.version.clone()));
        Ok(())
    }

    fn tell(&self, version: &Version, blueprint: Blueprint, is_live: bool, replaces: Option<String>) {
        self.shared.reloads.tell(Reload {
            plugin_id: version.identity.plugin_id.clone(),
            version: version.identity.version.clone(),
            language: version.language,
            name: version.identity.name.clone(),
            blueprint,
            is_live,
            replaces,
        });
    }

    fn failed(&self, slot: &Slot, problem: Diagnostic) {
        metrics::load_failed(&slot.id);
        slot.take_waiting();
        let place = if problem.line > 0 {
            format!(" ({}:{}:{})", problem.file, problem.line, problem.column)
        } else {
            String::new()
        };
        let serving = slot.version().map_or(String::new(), |live| live.identity.version.clone());
        let message = if serving.is_empty() {
            format!("Load failed: {}{place}", problem.message)
        } else {
            format!("Reload failed: {}{place}. Version {serving} goes on.", problem.message)
        };
        lock(&self.shared.control).logs.push(PluginLog {
            plugin_id: slot.id.clone(),
            version: serving,
            at_ms: self.shared.around.clock.now_ms(),
            source: LogSource::System,
            level: LogLevel::Error,
            message,
        });
        slot.fail(problem);
    }
}

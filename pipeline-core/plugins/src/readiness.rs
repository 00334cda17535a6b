//! The first and the last steps of an instance: loaded, described and set up before anybody counts on it,
//! and torn down after its last call. The loader takes them for versions that go live, a bench for those
//! that are tried.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_api::plugin::Diagnostic;
use weir_event::journal::{LogLevel, LogSource};

use crate::host::Shared;
use crate::instance::{CallError, Instance};
use crate::slot::lock;
use crate::version::Version;

/// An instance on which `setupPlugin` has returned.
pub struct Ready {
    pub instance: Instance,
    /// What `setupPlugin` took.
    pub setup: Duration,
    /// It exports nothing that Weir calls.
    pub does_nothing: bool,
}

/// Why there is none.
pub struct Unready {
    pub problem: Box<Diagnostic>,
    /// `setupPlugin` threw a `RetryError`.
    pub wants_retry: bool,
}

impl Shared {
    /// Loads, describes and sets up the first instance of a version.
    pub(crate) fn make_ready(&self, version: &Arc<Version>) -> Result<Ready, Unready> {
        let engine = &self.engine;
        let unloadable = |error| Unready { wants_retry: false, ..Unready::of(version, "", error) };
        let mut instance = Instance::load(engine, &self.around, version).map_err(unloadable)?;
        let described = instance.describe(engine).map_err(unloadable)?;
        let does_nothing = described.methods.is_empty() && described.schedules.is_empty();
        // Set once per version, here, before anybody else knows it.
        let _ = version.description.set(described);
        let before_setup = Instant::now();
        let set_up = instance.setup(engine);
        let setup = before_setup.elapsed();
        self.keep_outside(&mut instance);
        set_up.map_err(|error| Unready::of(version, "setupPlugin failed: ", error))?;
        Ok(Ready { instance, setup, does_nothing })
    }

    pub(crate) fn tear_down(&self, mut instance: Instance) {
        let version = Arc::clone(&instance.version);
        let outcome = instance.teardown(&self.engine);
        self.keep_outside(&mut instance);
        if let Err(error) = outcome {
            let failed = Unready::of(&version, "teardownPlugin failed: ", error);
            self.log(&version, LogLevel::Warn, failed.problem.message);
        }
    }

    /// What the host itself has to say about a version.
    pub(crate) fn log(&self, version: &Version, level: LogLevel, message: String) {
        let at_ms = self.around.clock.now_ms();
        let line = version.identity.log_line(at_ms, LogSource::System, level, message);
        lock(&self.control).logs.push(line);
    }

    /// Keeps what setting up or tearing down logged and stored.
    fn keep_outside(&self, instance: &mut Instance) {
        let effects = instance.take_effects();
        if !effects.emitted.is_empty() {
            let message =
                "posthog.capture in setupPlugin and teardownPlugin makes events that are discarded".to_owned();
            self.log(&instance.version, LogLevel::Warn, message);
        }
        self.keep(effects);
    }
}

impl Unready {
    fn of(version: &Version, context: &str, error: CallError) -> Self {
        let entry = version.entry();
        let (message, stack, wants_retry) = match error {
            CallError::Threw(failure) => (failure.message, failure.stack, failure.retry),
            CallError::Lost(loss) => (loss.message, String::new(), false),
        };
        let problem = Box::new(version.positions.diagnostic(format!("{context}{message}"), &stack, &entry));
        Self { problem, wants_retry }
    }
}

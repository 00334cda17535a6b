//! One comparison, beside the pipeline and behind it.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use weir_api::diff::PluginDiff;
use weir_event::journal::HostCall;
use weir_plugins::{Answers, Blueprint, Part, Recorded};
use weir_trial::{Comparison, NotComparable, Start};

use super::error::ShadowError;
use super::recent::Recent;
use super::versions::Chosen;
use super::{STACK_BYTES, Shadow};
use crate::error::FlowError;

/// Events between two looks at whether it goes on.
const SLICE_EVENTS: usize = 64;
/// The seed of the live host, so that what draws numbers draws the same kind of them.
const SEED: u64 = 1;

/// How far a comparison goes.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    pub events: u64,
    pub time: Duration,
}

impl Shadow {
    /// Both versions over the newest events, oldest first, and over the plugin's samples.
    pub(super) fn compare(
        &self,
        id: &str,
        from: Chosen,
        to: Chosen,
        reach: Reach,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<PluginDiff, FlowError> {
        let _one_at_a_time = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let projects = self.projects.numbers();
        let project_of = |token: &str| projects.get(token).copied().unwrap_or_default();
        let recent = Recent::read(&self.intake, &self.journal, reach.events, project_of)?;
        let others = self.chain(id)?;
        let answers = |plugin_id: &str| {
            let setup = self.setup_calls.of(plugin_id);
            let calls = setup.iter().chain(&recent.calls).filter(|call: &&HostCall| call.plugin_id == plugin_id);
            Answers::Recorded(Arc::new(Recorded::new(calls)))
        };
        let cache = |plugin_id: &str| {
            self.host.cache(plugin_id).into_iter().map(|entry| (plugin_id.to_owned(), entry)).collect::<Vec<_>>()
        };
        let start = Start {
            now_ms: recent.first_ms().unwrap_or_else(|| self.clock.now_ms()),
            seed: SEED,
            snapshot: self.host.storage_snapshot(),
            cache: others.iter().flat_map(|member| cache(member.plugin_id(id))).collect(),
            ..Start::default()
        };
        let not_started = |refused: NotComparable| {
            let of = if refused.side == "before" { &from } else { &to };
            ShadowError::NotStarted { version: of.reference.version.clone(), source: refused.failed.error }
        };
        let mut comparison = Comparison::start(
            &self.workshop,
            id,
            parts(&others, &from, &answers),
            parts(&others, &to, &answers),
            &start,
        )
        .map_err(not_started)?;
        let slices = recent
            .batches
            .iter()
            .flat_map(|batch| batch.inputs.chunks(SLICE_EVENTS).map(|slice| (batch.processed_at_ms, slice)));
        let mut cut_short = None;
        let mut events = 0;
        for (now_ms, slice) in slices {
            if !goes_on() {
                return Err(ShadowError::Superseded.into());
            }
            if started.elapsed() > reach.time {
                let (all, seconds) = (recent.events, reach.time.as_secs());
                cut_short = Some(format!("After {seconds} s only {events} of {all} events had been compared."));
                break;
            }
            comparison.slice(now_ms, slice);
            events += slice.len();
        }
        let dir = if to.reference.place == "folder" { to.blueprint.dir().to_owned() } else { self.folder(id)? };
        let left_out =
            weir_trial::samples(&mut comparison, &self.workshop, &dir, &from.blueprint, &to.blueprint, goes_on);
        let mut diff = comparison.end();
        diff.offsets = recent.offsets();
        diff.at_ms = self.clock.now_ms();
        diff.notes = from.notes.into_iter().chain(to.notes).chain(cut_short).chain(left_out).collect();
        (diff.from, diff.to) = (from.reference, to.reference);
        diff.took_ms = started.elapsed().as_secs_f64() * 1000.0;
        Ok(diff)
    }

    /// The plugins that events meet, in order; the compared one also while it is switched off.
    fn chain(&self, id: &str) -> Result<Vec<Member>, FlowError> {
        let mut chain = Vec::new();
        for view in self.host.views() {
            if view.id == id {
                chain.push(Member::Own);
            } else if view.enabled
                && let Some((_, blueprint)) = self.host.live_blueprint(&view.id)?
            {
                chain.push(Member::Other(Box::new(blueprint)));
            }
        }
        Ok(chain)
    }
}

/// A place of the chain.
enum Member {
    /// Of the plugin whose versions are compared.
    Own,
    Other(Box<Blueprint>),
}

impl Member {
    fn plugin_id<'m>(&'m self, own: &'m str) -> &'m str {
        match self {
            Self::Own => own,
            Self::Other(blueprint) => blueprint.plugin_id(),
        }
    }
}

/// The chain with one of the versions in its place.
fn parts<'c>(chain: &'c [Member], own: &'c Chosen, answers: &dyn Fn(&str) -> Answers) -> Vec<Part<'c>> {
    let part = |member: &'c Member| {
        let (blueprint, settings) = match member {
            Member::Own => (&own.blueprint, own.settings.clone()),
            Member::Other(blueprint) => (&**blueprint, blueprint.settings().clone()),
        };
        Part { blueprint, settings, answers: answers(blueprint.plugin_id()) }
    };
    chain.iter().map(part).collect()
}

/// The calling thread gets what the others leave. Elsewhere than on Linux the call would be about the whole
/// process, and slices have to do.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "a comparison runs at the priority of everything else");
    }
}

/// Runs work on a thread that the system gives what is left over, and waits for its end.
pub fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, FlowError> {
    const NAME: &str = "plugin-diff";
    let failed = |message: String| FlowError::Thread { name: NAME, message };
    thread::scope(|scope| {
        let builder = thread::Builder::new().name(NAME.into()).stack_size(STACK_BYTES);
        let running = builder.spawn_scoped(scope, || {
            give_way();
            work()
        });
        let running = running.map_err(|error| failed(error.to_string()))?;
        running.join().map_err(|_| failed("it panicked; see the message above".to_owned()))
    })
}

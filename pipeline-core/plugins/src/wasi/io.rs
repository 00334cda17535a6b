//! Streams and waiting. Standard input has ended before it begins; the two outputs take lines for the log.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use wasmtime::Result;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};

use super::{Context, InputStream, IoError, OutputStream, Pollable};
use crate::state::{Ended, InstanceState};

/// Numbers of the two output streams.
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
/// The pollable of what is always ready.
const READY: u32 = 0;
/// Bytes an output stream says it can take at once.
const WRITE_BYTES: u64 = 64 << 10;

/// Moments that a component waits for.
#[derive(Debug, Default)]
pub struct Pollables {
    last: u32,
    due: HashMap<u32, Instant>,
}

impl Pollables {
    fn insert(&mut self, due: Instant, most: usize) -> Result<u32> {
        if self.due.len() >= most {
            return Err(Ended::Calls(most).into());
        }
        // Zero is taken by what is ready.
        self.last = self.last.wrapping_add(1).max(1);
        self.due.insert(self.last, due);
        Ok(self.last)
    }

    pub fn remove(&mut self, number: u32) {
        self.due.remove(&number);
    }

    /// When it is ready; `None` for now.
    fn due(&self, number: u32, now: Instant) -> Option<Instant> {
        self.due.get(&number).copied().filter(|due| *due > now)
    }
}

#[derive(ComponentType, Lower, Lift)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

type Streamed<T> = Result<(std::result::Result<T, StreamError>,)>;

pub fn function(place: &mut LinkerInstance<'_, InstanceState>, interface: &str, name: &str) -> Option<Result<()>> {
    Some(match (interface, name) {
        ("cli/stdin", "get-stdin") => {
            place.func_wrap(name, |_: Context<'_>, (): ()| Ok((Resource::<InputStream>::new_own(0),)))
        }
        ("cli/stdout", "get-stdout") => {
            place.func_wrap(name, |_: Context<'_>, (): ()| Ok((Resource::<OutputStream>::new_own(STDOUT),)))
        }
        ("cli/stderr", "get-stderr") => {
            place.func_wrap(name, |_: Context<'_>, (): ()| Ok((Resource::<OutputStream>::new_own(STDERR),)))
        }
        ("io/error", _) => {
            place.func_wrap(name, |_: Context<'_>, (_,): (Resource<IoError>,)| Ok(("no such stream".to_owned(),)))
        }
        ("io/streams", "[method]input-stream.read" | "[method]input-stream.blocking-read") => place
            .func_wrap(name, |_: Context<'_>, _: (Resource<InputStream>, u64)| -> Streamed<Vec<u8>> {
                Ok((Err(StreamError::Closed),))
            }),
        ("io/streams", "[method]input-stream.skip" | "[method]input-stream.blocking-skip") => place
            .func_wrap(name, |_: Context<'_>, _: (Resource<InputStream>, u64)| -> Streamed<u64> {
                Ok((Err(StreamError::Closed),))
            }),
        ("io/streams", "[method]input-stream.subscribe") => place
            .func_wrap(name, |_: Context<'_>, _: (Resource<InputStream>,)| Ok((Resource::<Pollable>::new_own(READY),))),
        ("io/streams", "[method]output-stream.subscribe") => place
            .func_wrap(name, |_: Context<'_>, _: (Resource<OutputStream>,)| {
                Ok((Resource::<Pollable>::new_own(READY),))
            }),
        ("io/streams", "[method]output-stream.check-write") => place
            .func_wrap(name, |_: Context<'_>, _: (Resource<OutputStream>,)| -> Streamed<u64> {
                Ok((Ok(WRITE_BYTES),))
            }),
        ("io/streams", "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush") => place
            .func_wrap(
                name,
                |mut context: Context<'_>, (to, bytes): (Resource<OutputStream>, Vec<u8>)| -> Streamed<()> {
                    context.data_mut().write_output(to.rep() == STDERR, &bytes);
                    Ok((Ok(()),))
                },
            ),
        ("io/streams", "[method]output-stream.flush" | "[method]output-stream.blocking-flush") => {
            place.func_wrap(name, |_: Context<'_>, _: (Resource<OutputStream>,)| -> Streamed<()> { Ok((Ok(()),)) })
        }
        ("clocks/monotonic-clock", "now") => {
            place.func_wrap(name, |context: Context<'_>, (): ()| Ok((now_ns(context.data()),)))
        }
        ("clocks/monotonic-clock", "resolution") => {
            place.func_wrap(name, |_: Context<'_>, (): ()| Ok((1_000_000_u64,)))
        }
        ("clocks/monotonic-clock", "subscribe-instant") => {
            place.func_wrap(name, |mut context: Context<'_>, (when,): (u64,)| {
                let wait = when.saturating_sub(now_ns(context.data()));
                subscribe(context.data_mut(), Duration::from_nanos(wait))
            })
        }
        ("clocks/monotonic-clock", "subscribe-duration") => place
            .func_wrap(name, |mut context: Context<'_>, (wait,): (u64,)| {
                subscribe(context.data_mut(), Duration::from_nanos(wait))
            }),
        ("io/poll", "[method]pollable.ready") => {
            place.func_wrap(name, |context: Context<'_>, (pollable,): (Resource<Pollable>,)| {
                let state = context.data();
                Ok((state.pollables.due(pollable.rep(), state.queue.pace().now()).is_none(),))
            })
        }
        ("io/poll", "[method]pollable.block") => {
            place.func_wrap(name, |mut context: Context<'_>, (pollable,): (Resource<Pollable>,)| {
                wait_for(context.data_mut(), &[pollable.rep()]).map(drop)
            })
        }
        ("io/poll", "poll") => {
            place.func_wrap(name, |mut context: Context<'_>, (pollables,): (Vec<Resource<Pollable>>,)| {
                let numbers: Vec<u32> = pollables.iter().map(Resource::rep).collect();
                Ok((wait_for(context.data_mut(), &numbers)?,))
            })
        }
        _ => return None,
    })
}

fn now_ns(state: &InstanceState) -> u64 {
    u64::try_from(state.around.clock.now_ms()).unwrap_or(0).saturating_mul(1_000_000)
}

fn subscribe(state: &mut InstanceState, wait: Duration) -> Result<(Resource<Pollable>,)> {
    let now = state.queue.pace().now();
    // Beyond the clock's reach is as good as never, but has to be a time.
    let due = now.checked_add(wait).unwrap_or(now + Duration::from_hours(24 * 365));
    let most = state.identity.limits.calls_under_way;
    Ok((Resource::new_own(state.pollables.insert(due, most)?),))
}

/// Positions of those that are ready, after waiting for the first of them.
fn wait_for(state: &mut InstanceState, numbers: &[u32]) -> Result<Vec<u32>> {
    if numbers.is_empty() {
        wasmtime::bail!("wasi:io/poll#poll was called with nothing to wait for");
    }
    loop {
        let now = state.queue.pace().now();
        let due: Vec<Option<Instant>> = numbers.iter().map(|number| state.pollables.due(*number, now)).collect();
        let ready: Vec<u32> = due.iter().zip(0..).filter(|(due, _)| due.is_none()).map(|(_, at)| at).collect();
        if !ready.is_empty() {
            return Ok(ready);
        }
        if let Some(first) = due.into_iter().flatten().min() {
            state.sleep_until(first)?;
        }
    }
}

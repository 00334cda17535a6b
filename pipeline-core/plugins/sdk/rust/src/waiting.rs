//! Waiting for answers of the host, one at a time.

use std::cell::Cell;
use std::time::Duration;

use crate::PluginError;
use crate::bindings::weir::plugin::report::in_hand;
use crate::bindings::weir::plugin::waiting::{self, Answer, Wake};

thread_local! {
    /// The event that is worked on, by its place in the batch.
    static IN_HAND: Cell<u32> = const { Cell::new(0) };
}

pub fn take_in_hand(index: u32) {
    IN_HAND.set(index);
    in_hand(index);
}

#[track_caller]
pub fn answer(call: u32) -> Result<Answer, PluginError> {
    loop {
        let wakes = waiting::wait();
        in_hand(IN_HAND.get());
        if wakes.is_empty() {
            return Err(PluginError::new("waiting for an answer that nobody will give"));
        }
        for wake in wakes {
            match wake {
                Wake::Overdue(_) => {
                    waiting::cancel(call);
                    return Err(PluginError::overdue());
                }
                Wake::Completed(completion) if completion.call == call => return Ok(completion.answer),
                Wake::Completed(_) => {}
            }
        }
    }
}

/// Waits. Counts as waiting, not as computing; the events behind this one wait too.
#[track_caller]
pub fn sleep(time: Duration) -> Result<(), PluginError> {
    answer(waiting::sleep(time.as_secs_f64() * 1000.0)).map(drop)
}

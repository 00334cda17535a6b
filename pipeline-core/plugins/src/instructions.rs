//! Counting what plugin code executes.
//!
//! Wasmtime's fuel is the count: about one for each WebAssembly instruction, and the same for the same code
//! and data on every machine. It belongs to an instance, but events have budgets of their own and take turns
//! in the foreground. So whenever one begins, ends or steps back, the meter reads what is left, charges the
//! difference to whoever had the foreground, and fills up to what the next one may still use. Running dry is
//! a trap, which costs the event in hand and its instance, as with any other limit.
//!
//! It counts only in instances of the metered engine; elsewhere nothing is read and nothing slows down.

use wasmtime::component::{ComponentNamedList, Lift, Linker, Lower};
use wasmtime::{Store, StoreContextMut};

use crate::bindings::weir::plugin::report::Outcome;
use crate::bindings::weir::plugin::waiting::Wake;
use crate::state::InstanceState;

/// What code outside events may use: setting up, tasks, exports. Time limits them.
pub const UNLIMITED: u64 = u64::MAX;

#[derive(Debug, Default)]
pub struct Meter {
    is_on: bool,
    /// Of one event.
    budget: u64,
    /// When the foreground last changed hands.
    at_start: u64,
    /// When plugin code last called out.
    left: u64,
    refill: bool,
}

impl Meter {
    pub fn begin(&mut self, budget: u64) {
        *self = Self { is_on: self.is_on, budget, at_start: budget, left: budget, refill: false };
    }

    /// Used by whoever has the foreground, since this was last asked.
    pub fn charge(&mut self) -> u64 {
        let spent = self.at_start.saturating_sub(self.left);
        self.at_start = self.left;
        spent
    }

    /// Lets the next one go on, which has used this many already.
    pub fn refill(&mut self, used: u64) {
        self.left = self.budget.saturating_sub(used);
        self.at_start = self.left;
        self.refill = true;
    }

    /// Of one event, when it is counted.
    pub fn counted(&self, instructions: u64) -> Option<u64> {
        self.is_on.then_some(instructions)
    }
}

/// Gives the instance what it may use until the next call. Does nothing on an engine that does not count.
pub fn begin(store: &mut Store<InstanceState>, budget: u64) {
    let is_on = store.set_fuel(budget).is_ok();
    let meter = &mut store.data_mut().meter;
    meter.is_on = is_on;
    meter.begin(budget);
}

/// Used by the event in the foreground, plugin code having ended in whatever way.
pub fn in_hand(store: &Store<InstanceState>) -> Option<u64> {
    let state = store.data();
    let left = store.get_fuel().ok()?;
    Some(state.in_hand.1.instructions + state.meter.at_start.saturating_sub(left))
}

/// Puts the meter around the calls of the contract at which the foreground changes hands.
pub fn count(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut report = linker.instance("weir:plugin/report@0.1.0")?;
    over(&mut report, "in-hand", |state, (index,): (u32,)| {
        state.take_in_hand(index);
        Ok(())
    })?;
    over(&mut report, "finished", |state, (index, outcome): (u32, Outcome)| state.finish(index, outcome))?;
    let mut waiting = linker.instance("weir:plugin/waiting@0.1.0")?;
    over(&mut waiting, "wait", |state, ()| -> wasmtime::Result<(Vec<Wake>,)> { Ok((state.wait(),)) })?;
    linker.allow_shadowing(false);
    Ok(())
}

fn over<P, R>(
    interface: &mut wasmtime::component::LinkerInstance<'_, InstanceState>,
    name: &str,
    function: impl Fn(&mut InstanceState, P) -> wasmtime::Result<R> + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + 'static,
    R: ComponentNamedList + Lower + 'static,
{
    interface.func_wrap(name, move |mut store: StoreContextMut<'_, InstanceState>, given: P| {
        let left = store.get_fuel()?;
        let state = store.data_mut();
        state.meter.left = left;
        let answer = function(state, given)?;
        if std::mem::take(&mut state.meter.refill) {
            let left = state.meter.left;
            store.set_fuel(left)?;
        }
        Ok(answer)
    })
}

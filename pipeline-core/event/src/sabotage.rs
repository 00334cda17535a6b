//! Deliberate bugs, to show that the oracle finds them.
//!
//! What checks a pipeline is worth what it catches. So the places where a pipeline goes wrong in practice ask here
//! whether they are to go wrong now. One bug at a time is woken with `WEIR_SABOTAGE=name`, or `name:1000` for every
//! thousandth time only. Release builds have none of them: [`strikes`] is `false` there, and the compiler takes the
//! places out.

#[cfg(sabotage)]
use std::sync::OnceLock;
#[cfg(sabotage)]
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Bug {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Bug {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

bugs! {
    /// A row is not written.
    LoseEvent "lose_event"
    /// A row is written twice.
    DoubleEvent "double_event"
    /// Two events show each other's person.
    SwapPersons "swap_persons"
    /// A time is an hour late.
    HourOff "hour_off"
    /// A time is cut to the second.
    DropMilliseconds "drop_milliseconds"
    /// A property is not written.
    LoseProperty "lose_property"
    /// Numbers go through single precision.
    RoundNumbers "round_numbers"
    /// An event lands in the next project.
    WrongProject "wrong_project"
    /// The name of an event is written in small letters.
    LowerCaseNames "lower_case_names"
    /// The person that was merged into another stays.
    MergeLeavesPerson "merge_leaves_person"
    /// A distinct id stays with the person that is gone.
    MergeForgetsId "merge_forgets_id"
    /// A change of a person is not written.
    LosePersonUpdate "lose_person_update"
    /// Groups stand under each other's slot.
    SwapGroups "swap_groups"
    /// `$set` leaves the old value.
    StaleSet "stale_set"
    /// `$set_once` sets again.
    SetOnceAgain "set_once_again"
    /// `$unset` leaves the property.
    IgnoreUnset "ignore_unset"
    /// Whoever identifies stays anonymous.
    NeverIdentified "never_identified"
    /// A merged person is as young as the younger one.
    MergeTakesYounger "merge_takes_younger"
    /// The client's clock is believed.
    IgnoreSentAt "ignore_sent_at"
    /// A retry is not recognised.
    ForgetUuids "forget_uuids"
    /// A new event is taken for a retry.
    MistakeUuids "mistake_uuids"
    /// The first event on a new version of a plugin is gone.
    DropOnReload "drop_on_reload"
    /// What a plugin returned is thrown away.
    IgnorePlugins "ignore_plugins"
    /// An outcome is counted twice.
    CountTwice "count_twice"
    /// What was stored last is stored again at a start.
    DoubleOnRestart "double_on_restart"
    /// An event is acked and not written to the log.
    LoseAcked "lose_acked"
}

/// Whether this place is to go wrong now. Asked once for each time that it could.
#[cfg(sabotage)]
pub fn strikes(bug: Bug) -> bool {
    struct Plan {
        bug: Bug,
        every: u64,
        asked: AtomicU64,
    }
    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
    let plan = PLAN.get_or_init(|| {
        let text = std::env::var("WEIR_SABOTAGE").ok()?;
        let (name, every) = text.split_once(':').unwrap_or((&text, "1"));
        let bug = Bug::ALL.iter().copied().find(|bug| bug.name() == name)?;
        Some(Plan { bug, every: every.parse().unwrap_or(1).max(1), asked: AtomicU64::new(0) })
    });
    plan.as_ref().is_some_and(|plan| {
        plan.bug == bug && (plan.asked.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(plan.every)
    })
}

#[cfg(not(sabotage))]
pub const fn strikes(_: Bug) -> bool {
    false
}

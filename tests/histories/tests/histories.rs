//! The pipeline against the model, over random histories: see the crate.
//!
//! `WEIR_HISTORIES` is how many of each ordering, `WEIR_SEED` where they start; a failure names its seed.

use histories::run::check;
use pipeline_core::event::Ordering;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn hold(ordering: Ordering, count: u64) {
    let count = setting("WEIR_HISTORIES", count) as usize;
    if let Err(report) = check(ordering, count, setting("WEIR_SEED", 1)) {
        panic!("{report}");
    }
}

#[test]
fn the_store_is_what_the_model_says_in_order_of_arrival() {
    hold(Ordering::Arrival, 1_500);
}

#[test]
fn the_store_is_what_the_model_says_by_event_time_in_any_order() {
    hold(Ordering::EventTime, 500);
}

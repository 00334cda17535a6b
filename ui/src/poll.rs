//! Asks again and again while someone is looking, never twice at a time.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};

use crate::state::{Link, Studio};

const EVERY: Duration = Duration::from_secs(1);

/// Now, then once a second for as long as the component that calls this is on the page.
pub fn every_second<W: Future<Output = ()> + 'static>(work: impl Fn() -> W + 'static) {
    let studio = Studio::expect();
    let busy = Rc::new(Cell::new(false));
    let ask = move || {
        let nobody_looks = document().hidden() || studio.link.get_untracked() == Link::Locked;
        if nobody_looks || busy.replace(true) {
            return;
        }
        let (busy, asking) = (Rc::clone(&busy), work());
        spawn_local(async move {
            asking.await;
            busy.set(false);
        });
    };
    ask();
    if let Ok(timer) = set_interval_with_handle(ask, EVERY) {
        on_cleanup(move || timer.clear());
    }
}

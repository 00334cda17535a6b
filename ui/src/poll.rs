//! Asks again and again while someone is looking, never twice at a time.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use weir_api::{ApiError, Command};

use crate::{
    client::Client,
    state::{Link, Studio},
};

const EVERY: Duration = Duration::from_secs(1);

/// `None` before the first answer.
pub type Answer<T> = Option<Result<T, ApiError>>;

/// The newest answer to a request that stays the same.
pub fn answers<C: Command + 'static>(request: C::Request) -> RwSignal<Answer<C::Response>>
where
    C::Request: Clone + 'static,
    C::Response: Send + Sync + 'static,
{
    let client = Client::expect();
    let answer = RwSignal::new(None);
    every_second(move || {
        let request = request.clone();
        async move {
            let found = client.call::<C>(&request).await;
            // The component may be gone by then.
            let _ = answer.try_set(Some(found));
        }
    });
    answer
}

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

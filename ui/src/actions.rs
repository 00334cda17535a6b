//! What a person can do from more than one place: a button, a key, the palette.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use weir_api::{fault::FaultRequest, live::DemoRequest, registry};

use crate::{
    client::Client,
    pace,
    state::{Studio, View, put},
    theme::ThemeChoice,
};

#[derive(Clone, Copy)]
pub struct Actions {
    studio: Studio,
    client: Client,
    theme: ThemeChoice,
    /// The rate the user is choosing, shown until the server has confirmed it.
    wanted_rate: RwSignal<Option<u32>>,
}

impl Actions {
    pub fn new(studio: Studio, client: Client, theme: ThemeChoice) -> Self {
        Self { studio, client, theme, wanted_rate: RwSignal::new(None) }
    }

    pub fn expect() -> Self {
        expect_context()
    }

    pub fn go(self, view: View) {
        // Setting a fragment cannot fail; the view follows through `hashchange`.
        let _ = location().set_hash(view.hash());
    }

    pub fn toggle_theme(self) {
        self.theme.toggle();
    }

    pub fn toggle_demo(self) {
        let running = !self.studio.demo.with_untracked(|demo| demo.running);
        self.send(DemoRequest { running: Some(running), events_per_second: None });
    }

    /// The rate to show: what is being chosen, else what the server runs at.
    pub fn rate(self) -> u32 {
        self.wanted_rate.get().unwrap_or_else(|| self.studio.demo.with(|demo| demo.events_per_second))
    }

    /// Sent once the slider has rested for a moment, so that dragging is not a burst of calls.
    pub fn choose_rate(self, rate: u32) {
        let rate = pace::clamp(rate);
        self.wanted_rate.set(Some(rate));
        set_timeout(
            move || {
                if self.wanted_rate.get_untracked() == Some(rate) {
                    self.send(DemoRequest { running: None, events_per_second: Some(rate) });
                }
            },
            Duration::from_millis(200),
        );
    }

    pub fn stop_faults(self) {
        spawn_local(async move {
            if let Err(error) = self.client.call::<registry::Fault>(&FaultRequest::default()).await {
                self.studio.notice.set(Some(error));
            }
        });
    }

    fn send(self, request: DemoRequest) {
        spawn_local(async move {
            match self.client.call::<registry::Demo>(&request).await {
                Ok(demo) => put(self.studio.demo, demo),
                Err(error) => self.studio.notice.set(Some(error)),
            }
            if self.wanted_rate.get_untracked() == request.events_per_second {
                self.wanted_rate.set(None);
            }
        });
    }
}

//! A button that copies text and says so.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

use crate::components::icon::{Icon, Shape};

#[component]
pub fn CopyButton(
    /// Read when the button is pressed.
    #[prop(into)]
    text: Signal<String>,
    /// What is copied, for the tooltip and for screen readers.
    what: &'static str,
) -> impl IntoView {
    let done = RwSignal::new(false);
    let copy = move |_| {
        let promise = window().navigator().clipboard().write_text(&text.get_untracked());
        spawn_local(async move {
            if JsFuture::from(promise).await.is_ok() {
                // The button may be gone by the time the clipboard answers.
                let _ = done.try_set(true);
                set_timeout(
                    move || {
                        done.try_set(false);
                    },
                    Duration::from_millis(1_400),
                );
            }
        });
    };
    view! {
        <button class="icon-button" on:click=copy title=format!("Copy {what}") aria-label=format!("Copy {what}")>
            <Icon shape=Signal::derive(move || if done.get() { Shape::Check } else { Shape::Copy })/>
        </button>
    }
}

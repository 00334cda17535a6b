//! Keys that work anywhere on the page. Inside a text field only Ctrl/⌘+K and Escape do.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

use crate::{
    actions::Actions,
    state::{Studio, View},
};

/// Shown by `?`.
pub const SHORTCUTS: [(&str, &str); 13] = [
    ("1 … 7", "Live, Plugins, Generator, Query, Correctness, Health, Faults"),
    ("Ctrl K", "Command palette"),
    ("/", "Filter the event list"),
    ("Space", "Pause or resume the event list"),
    ("↑ ↓", "Move the selection in the list"),
    ("Enter", "Open the selected event"),
    ("Esc", "Close the panel or leave the field"),
    ("D", "Start or stop the demo stream"),
    ("T", "Light or dark"),
    ("Ctrl Enter", "Run the query"),
    ("Alt ↑ ↓", "Move a plugin in the chain"),
    ("Ctrl S", "Save the plugin's form"),
    ("?", "This list"),
];

pub fn listen(studio: Studio, actions: Actions) {
    let listener = window_event_listener(ev::keydown, move |event| {
        if handle(studio, actions, &event) {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}

/// `true` when the key was used.
fn handle(studio: Studio, actions: Actions, event: &KeyboardEvent) -> bool {
    let key = event.key();
    let command = event.ctrl_key() || event.meta_key();
    if command && key.eq_ignore_ascii_case("k") {
        studio.palette_open.update(|open| *open = !*open);
        return true;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let inside =
        |selector: &str| target.as_ref().and_then(|element| element.closest(selector).ok().flatten()).is_some();
    if command || event.alt_key() || inside("dialog") {
        return false;
    }
    if inside("input:not([type=range]), textarea, select") {
        return false;
    }
    match key.as_str() {
        "1" | "2" | "3" | "4" | "5" | "6" | "7" => {
            let index = usize::from(key.as_bytes()[0] - b'1');
            actions.go(View::ALL[index]);
        }
        "/" => {
            actions.go(View::Live);
            studio.focus_filter.update(|count| *count += 1);
        }
        // Space presses a focused button, and must keep doing so.
        " " if studio.view.get_untracked() == View::Live && !inside("button, a, summary, input") => {
            studio.pause_toggle.update(|count| *count += 1);
        }
        "d" => actions.toggle_demo(),
        "t" => actions.toggle_theme(),
        "?" => studio.shortcuts_open.set(true),
        "Escape" if studio.selected.get_untracked().is_some() => studio.selected.set(None),
        _ => return false,
    }
    true
}

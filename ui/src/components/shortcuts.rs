//! The list of keys, opened by `?`.

use leptos::{html, prelude::*};

use crate::{keyboard::SHORTCUTS, state::Studio};

#[component]
pub fn Shortcuts() -> impl IntoView {
    let open = Studio::expect().shortcuts_open;
    let dialog = NodeRef::<html::Dialog>::new();
    follow(dialog, open);
    view! {
        <dialog class="dialog" node_ref=dialog on:close=move |_| open.set(false) aria-label="Keyboard shortcuts">
            <h2>"Keyboard"</h2>
            <dl class="keys">
                {SHORTCUTS.map(|(keys, what)| view! { <dt><kbd>{keys}</kbd></dt><dd>{what}</dd> })}
            </dl>
            <form method="dialog"><button class="button">"Close"</button></form>
        </dialog>
    }
}

/// Opens and closes a modal dialog with a signal.
pub fn follow(dialog: NodeRef<html::Dialog>, open: RwSignal<bool>) {
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            // Fails only for a dialog outside the document, and this one is inside.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
}

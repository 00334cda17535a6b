//! Takes a plugin out of the chain, after a question.

use leptos::{html, prelude::*};
use weir_api::{plugin::PluginRequest, registry};

use crate::{
    change::Change,
    chosen::Chosen,
    components::{
        icon::{Icon, Shape},
        save_bar::Refusal,
        shortcuts::follow,
    },
    place::PLUGINS,
    state::put,
};

#[component]
pub fn RemoveButton() -> impl IntoView {
    let chosen = Chosen::expect();
    let open = RwSignal::new(false);
    let dialog = NodeRef::<html::Dialog>::new();
    let change = Change::default();
    follow(dialog, open);
    let remove = move |_| {
        let request = PluginRequest { id: chosen.id() };
        let client = chosen.client;
        change.run(async move { client.call::<registry::PluginRemove>(&request).await }, move |list| {
            open.set(false);
            // Only a missing document could fail here.
            let _ = location().set_hash(PLUGINS);
            put(chosen.studio.plugins, list.plugins);
        });
    };
    view! {
        <button
            class="icon-button"
            title="Remove from the chain"
            aria-label="Remove from the chain"
            data-testid="plugin-remove"
            on:click=move |_| open.set(true)
        ><Icon shape=Shape::Trash/></button>
        <dialog class="dialog" node_ref=dialog on:close=move |_| open.set(false) aria-label="Remove a plugin">
            <h2>{move || format!("Remove {} from the chain?", chosen.view.with(|view| view.name.clone()))}</h2>
            <p class="dialog-text">
                "Events pass it by from now on. Its folder stays as it is, and so does what it stored: added again, it goes on where it was."
            </p>
            {move || change.problem.get().map(|error| view! { <Refusal error/> })}
            <div class="dialog-row">
                <button class="button" autofocus on:click=move |_| open.set(false)>"Keep"</button>
                <button class="button button-bad" data-testid="plugin-remove-yes" disabled=move || change.busy.get() on:click=remove>
                    {move || if change.busy.get() { "Removing…" } else { "Remove" }}
                </button>
            </div>
        </dialog>
    }
}

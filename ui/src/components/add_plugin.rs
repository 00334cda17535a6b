//! Adds a folder to the end of the chain.

use leptos::{ev::SubmitEvent, prelude::*};
use weir_api::{plugin::PluginAdd, registry};

use crate::{
    change::Change,
    client::Client,
    components::save_bar::Refusal,
    place::{Tab, hash},
};

#[component]
pub fn AddPlugin() -> impl IntoView {
    let client = Client::expect();
    let dir = RwSignal::new(String::new());
    let change = Change::default();
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        let wanted = dir.get_untracked().trim().to_owned();
        if wanted.is_empty() {
            return;
        }
        let request = PluginAdd { dir: wanted };
        change.run(async move { client.call::<registry::PluginAdd>(&request).await }, move |view| {
            dir.set(String::new());
            // Only a missing document could fail here.
            let _ = location().set_hash(&hash(&view.id, Tab::Overview));
        });
    };
    view! {
        <form class="panel add" on:submit=add>
            <label for="plugin-dir"><b>"Add a plugin folder"</b></label>
            <div class="add-row">
                <input
                    id="plugin-dir"
                    class="field mono"
                    type="text"
                    placeholder="/home/me/plugins/drop-bots"
                    spellcheck="false"
                    prop:value=dir
                    on:input=move |event| dir.set(event_target_value(&event))
                />
                <button class="button" disabled=move || change.busy.get()>
                    {move || if change.busy.get() { "Adding…" } else { "Add" }}
                </button>
            </div>
            <span class="note">
                "Absolute path of a folder with " <code>"plugin.json"</code> " and " <code>"index.ts"</code> " or "
                <code>"index.js"</code> "."
            </span>
            {move || change.problem.get().map(|error| view! { <Refusal error/> })}
        </form>
    }
}

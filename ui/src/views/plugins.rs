//! Every plugin in full, and the way to add one.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use weir_api::{ApiError, plugin::PluginAdd, registry};

use crate::{client::Client, components::plugin_card::PluginCard, state::Studio};

#[component]
pub fn PluginsView() -> impl IntoView {
    let studio = Studio::expect();
    let ids = studio.plugin_ids();
    view! {
        <div class="page">
            <header class="page-head">
                <h1>"Plugins"</h1>
                <p>"They run in this order on every event. Edit a plugin's files in any editor; a save is live within a blink."</p>
            </header>
            <div class="plugin-grid">
                <For each=move || ids.get() key=String::clone children=|id| view! { <PluginCard id lines=200/> }/>
            </div>
            {move || (studio.primed.get() && ids.with(Vec::is_empty)).then(|| view! {
                <div class="panel empty">
                    <strong>"No plugin yet"</strong>
                    <span>"Make one with " <code>"weir new my-plugin"</code> ", or add a folder you have."</span>
                </div>
            })}
            <AddPlugin/>
        </div>
    }
}

#[component]
fn AddPlugin() -> impl IntoView {
    let client = Client::expect();
    let dir = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        let wanted = dir.get_untracked().trim().to_owned();
        if wanted.is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        problem.set(None);
        spawn_local(async move {
            // The new card comes with the next frame; here only a failure matters.
            let answer = client.call::<registry::PluginAdd>(&PluginAdd { dir: wanted }).await;
            if answer.is_ok() {
                let _ = dir.try_set(String::new());
            }
            let _ = problem.try_set(answer.err());
            let _ = busy.try_set(false);
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
                <button class="button button-primary" disabled=move || busy.get()>
                    {move || if busy.get() { "Adding…" } else { "Add" }}
                </button>
            </div>
            <span class="note">"Absolute path of a folder with " <code>"plugin.json"</code> " and " <code>"index.ts"</code> " or " <code>"index.js"</code> "."</span>
            {move || problem.get().map(|error| view! {
                <div class="code-error" role="alert"><p>{error.message}</p>{error.hint.map(|hint| view! { <p class="hint">{hint}</p> })}</div>
            })}
        </form>
    }
}

//! The chain, and everything about one plugin of it.

use leptos::{ev, prelude::*};

use crate::{
    chosen::AllDrafts,
    components::{add_plugin::AddPlugin, journey::SidePanel, plugin_chain::Chain, plugin_pane::PluginPane},
    place::PluginPlace,
    state::Studio,
};

#[component]
pub fn PluginsView() -> impl IntoView {
    let studio = Studio::expect();
    let ids = studio.plugin_ids();
    let place = follow_place();
    // The journey opens beside the plugin it was asked for; one left open on another screen stays there.
    studio.selected.set(None);
    if let Some(drafts) = AllDrafts::new() {
        provide_context(drafts);
    }
    let chosen = Memo::new(move |_| {
        let wanted = place.with(|place| place.id.clone());
        ids.with(|ids| wanted.filter(|id| ids.contains(id)).or_else(|| ids.first().cloned()))
    });
    let tab = Memo::new(move |_| place.with(|place| place.tab));
    view! {
        <div class="plugins" class:has-side=move || studio.selected.get().is_some()>
            <section class="plugins-left" aria-label="Chain of plugins">
                <Chain ids chosen tab/>
                <AddPlugin/>
            </section>
            <div class="plugins-right">
                {move || match chosen.get() {
                    Some(id) => view! { <PluginPane id tab/> }.into_any(),
                    None => view! { <NoPlugin/> }.into_any(),
                }}
            </div>
            {move || studio.selected.get().is_some().then(|| view! { <div class="plugins-side"><SidePanel/></div> })}
        </div>
    }
}

fn follow_place() -> RwSignal<PluginPlace> {
    let read = || PluginPlace::from_hash(&location().hash().unwrap_or_default());
    let place = RwSignal::new(read());
    let listener = window_event_listener(ev::hashchange, move |_| place.set(read()));
    on_cleanup(move || listener.remove());
    place
}

#[component]
fn NoPlugin() -> impl IntoView {
    let studio = Studio::expect();
    view! {
        <div class="panel empty" data-testid="no-plugin">
            {move || if studio.primed.get() {
                view! {
                    <strong>"No plugin yet"</strong>
                    <span>
                        "Add a folder with " <code>"plugin.json"</code> " and " <code>"index.ts"</code> " or "
                        <code>"index.js"</code> " on the left. Published PostHog plugins run as they are."
                    </span>
                }.into_any()
            } else {
                view! { <span>"Waiting for the first frame…"</span> }.into_any()
            }}
        </div>
    }
}

//! One plugin: what serves now, what it costs, what went wrong, what it says.

use leptos::prelude::*;
use weir_api::plugin::{PluginState, PluginView};

use crate::{
    components::{
        copy::CopyButton,
        icon::{Icon, Shape},
        plugin_chain::shown_state,
        plugin_error::{LoadError, RuntimeError},
        plugin_log::PluginLog,
    },
    format,
    place::{Tab, hash},
    state::Studio,
};

#[component]
pub fn PluginCard(
    id: String,
    /// Log lines to show.
    lines: u64,
) -> impl IntoView {
    let plugin = Studio::expect().plugin(id.clone());
    let state = Memo::new(move |_| plugin.with(|plugin| plugin.state));
    let dir = Memo::new(move |_| plugin.with(|plugin| plugin.dir.clone()));
    let load_error = Memo::new(move |_| plugin.with(|plugin| plugin.load_error.clone()));
    let last_error = Memo::new(move |_| plugin.with(|plugin| plugin.last_error.clone()));
    let version = Memo::new(move |_| plugin.with(|plugin| plugin.version.clone()));
    let diff = Memo::new(move |_| plugin.with(|plugin| plugin.diff.clone()));
    let diff_hash = hash(&id, Tab::Diff);
    let text = move |read: fn(&PluginView) -> String| Memo::new(move |_| plugin.with(read));
    view! {
        <article class="panel plugin" data-testid="plugin-card" data-plugin=id.clone() data-state=move || plugin.with(shown_state)>
            <header class="panel-head plugin-head">
                <i class="dot"></i>
                <h2><a href=hash(&id, Tab::Overview) title="Everything about it">{move || plugin.with(|plugin| plugin.name.clone())}</a></h2>
                <span class="plugin-state" data-testid="plugin-state">{move || format::capital(plugin.with(shown_state))}</span>
                <div class="grow"></div>
                <code class="hash" data-testid="plugin-version" title=move || format!("Version {} serves now", version.get())>
                    {move || {
                        let version = version.get();
                        if version.is_empty() { "no version".into() } else { format::short_version(&version).to_owned() }
                    }}
                </code>
                <span class="note" title="Versions that have been live since the studio started">
                    "gen " {move || plugin.with(|plugin| plugin.generation)}
                </span>
            </header>
            <div class="reload">
                <span class="reload-main">
                    "saved → live "
                    <b data-testid="plugin-reload-ms" data-value=move || plugin.with(|plugin| plugin.reload_ms)>
                        {text(|plugin| plugin.reload_ms.map_or_else(|| "–".into(), format::millis))}
                    </b>
                </span>
                <span class="note">
                    {move || plugin.with(|plugin| match (plugin.reload_ms, plugin.setup_ms) {
                        (None, _) => "not reloaded yet".to_owned(),
                        (Some(_), Some(setup)) => format!("+ setupPlugin {}", format::millis(setup)),
                        (Some(_), None) => "no setupPlugin".to_owned(),
                    })}
                </span>
            </div>
            {move || diff.get().map(|summary| view! {
                <a
                    class="reload diff-summary"
                    href=diff_hash.clone()
                    data-testid="plugin-diff"
                    data-state=summary.state
                    title="What the newest version changes for events that were"
                >
                    {if summary.is_empty { "edit: " } else { "edit changes: " }} {summary.text} " →"
                </a>
            })}
            <dl class="numbers">
                <Number label="processed" value=text(|plugin| format::count(plugin.processed))/>
                <Number label="modified" value=text(|plugin| format::count(plugin.modified))/>
                <Number label="dropped" value=text(|plugin| format::count(plugin.dropped))/>
                <Number label="errors" value=text(|plugin| format::count(plugin.errors)) alarm=Memo::new(move |_| plugin.with(|plugin| plugin.errors > 0))/>
                <Number label="CPU p50" value=text(|plugin| format::micros(plugin.cpu_us_p50))/>
                <Number label="CPU p99" value=text(|plugin| format::micros(plugin.cpu_us_p99))/>
                <Number label="memory" value=text(|plugin| format::bytes(plugin.memory_bytes))/>
                <Number label="lost" value=text(|plugin| format::count(plugin.instances_lost)) alarm=Memo::new(move |_| plugin.with(|plugin| plugin.instances_lost > 0))/>
            </dl>
            {move || load_error.get().map(|error| view! { <LoadError error serving=version.get()/> })}
            {move || last_error.get().map(|error| view! { <RuntimeError error/> })}
            {move || (state.get() == PluginState::Watching && version.with(String::is_empty)).then(|| view! {
                <p class="step-note plugin-note">"Waiting for the first build. Save a file in the folder below to start one."</p>
            })}
            <PluginLog id=id.clone() lines/>
            <footer class="plugin-path">
                <Icon shape=Shape::Folder/>
                <code title="Edit the files here in any editor; save and watch">{move || dir.get()}</code>
                <CopyButton text=dir what="the folder's path"/>
            </footer>
        </article>
    }
}

#[component]
fn Number(label: &'static str, value: Memo<String>, #[prop(optional)] alarm: Option<Memo<bool>>) -> impl IntoView {
    view! {
        <div class:is-alarm=move || alarm.is_some_and(|alarm| alarm.get())>
            <dt>{label}</dt>
            <dd>{value}</dd>
        </div>
    }
}

//! The pipeline as boxes and edges, in the order an event meets them.

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use weir_api::plugin::PluginState;

use crate::{
    format,
    history::STAGES,
    state::{Studio, View},
};

/// How long a reload is announced on the plugin's node.
const FLASH: Duration = Duration::from_secs(5);

#[component]
pub fn Graph() -> impl IntoView {
    let parts = STAGES.iter().enumerate().map(|(index, id)| {
        let node =
            if *id == "plugins" { view! { <PluginsNode/> }.into_any() } else { view! { <StageNode id/> }.into_any() };
        // The edge before a node carries what left the node before it; the first what came in.
        let edge = (index > 0).then(|| view! { <Edge from=STAGES[index - 1]/> });
        view! { {edge} {node} }
    });
    view! {
        <section class="panel graph" aria-label="Pipeline">
            <div class="graph-row">{parts.collect_view()}</div>
        </section>
    }
}

#[component]
fn StageNode(id: &'static str) -> impl IntoView {
    let studio = Studio::expect();
    let stage = studio.stage(id);
    let title = move || {
        let label = stage.with(|stage| stage.label.clone());
        if label.is_empty() { default_label(id).to_owned() } else { label }
    };
    let busy = move || stage.with(|stage| stage.in_flight) > 0;
    view! {
        <div class="node" class:node-busy=busy>
            <span class="node-title">{title}</span>
            <StageNumbers id/>
        </div>
    }
}

#[component]
fn StageNumbers(id: &'static str) -> impl IntoView {
    let stage = Studio::expect().stage(id);
    view! {
        <span class="node-big" title="Events waiting here or being worked on">
            {move || format::short(stage.with(|stage| stage.in_flight) as f64)}
            <small>" in flight"</small>
        </span>
        <span class="node-small" title="Time spent here, median and 99th percentile">
            <span>"p50 " <b>{move || format::millis(stage.with(|stage| stage.p50_ms))}</b></span>
            <span>"p99 " <b>{move || format::millis(stage.with(|stage| stage.p99_ms))}</b></span>
        </span>
    }
}

#[component]
fn PluginsNode() -> impl IntoView {
    let studio = Studio::expect();
    let ids = studio.plugin_ids();
    let dropped = Memo::new(move |_| studio.rates.with(|rates| rates.dropped));
    view! {
        <div class="node node-group">
            <div class="node-group-head">
                <span class="node-title">"Plugins"</span>
                <span class="node-exit" class:is-quiet=move || dropped.get() < 0.05 title="Dropped by plugins, per second">
                    "↓ " {move || format::rate(dropped.get())} "/s dropped"
                </span>
            </div>
            <div class="node-plugins">
                <For each=move || ids.get() key=String::clone children=move |id| view! { <PluginNode id/> }/>
                {move || ids.with(Vec::is_empty).then(|| view! {
                    <a class="node-plugin node-empty" href=View::Plugins.hash()>"No plugin yet: events pass unchanged. Add one"</a>
                })}
            </div>
            <div class="node-foot"><StageNumbers id="plugins"/></div>
        </div>
    }
}

#[component]
fn PluginNode(id: String) -> impl IntoView {
    let studio = Studio::expect();
    let plugin = studio.plugin(id);
    let state = move || plugin.with(|plugin| plugin.state);
    let flash = RwSignal::new(None::<String>);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // A reload shows as a new generation. The first run only learns the present one.
    Effect::new(move |before: Option<u64>| {
        let generation = plugin.with(|plugin| plugin.generation);
        if before.is_some_and(|before| generation > before) {
            let text = plugin.with_untracked(|plugin| {
                let took = plugin.reload_ms.map(|ms| format!(" in {}", format::millis(ms))).unwrap_or_default();
                format!("{} live{took}", format::short_version(&plugin.version))
            });
            flash.set(Some(text));
            timer.with_value(|timer| timer.map(|timer| timer.clear()));
            timer.set_value(set_timeout_with_handle(move || drop(flash.try_set(None)), FLASH).ok());
        }
        generation
    });
    on_cleanup(move || {
        if let Some(Some(timer)) = timer.try_get_value() {
            timer.clear();
        }
    });
    view! {
        <a
            class="node-plugin"
            href=View::Plugins.hash()
            data-state=move || state().as_str()
            class:is-flashing=move || flash.with(Option::is_some)
        >
            <i class="dot"></i>
            <span class="node-plugin-name">{move || plugin.with(|plugin| plugin.name.clone())}</span>
            {move || match (flash.get(), state()) {
                (Some(text), _) => view! { <span class="node-flash">{text}</span> }.into_any(),
                (None, PluginState::Building | PluginState::Validating) => {
                    view! { <span class="node-version">{state().as_str()} "…"</span> }.into_any()
                }
                (None, _) => view! {
                    <span class="node-version">
                        {plugin.with(|plugin| format::short_version(&plugin.version).to_owned())}
                    </span>
                    <span class="node-cost">{plugin.with(|plugin| format::micros(plugin.cpu_us_p50))}</span>
                }.into_any(),
            }}
        </a>
    }
}

#[component]
fn Edge(from: &'static str) -> impl IntoView {
    let stage = Studio::expect().stage(from);
    let rate = Memo::new(move |_| stage.with(|stage| stage.per_second));
    // A handful of speeds: every change of an animation's duration makes it jump once.
    let period = Memo::new(move |_| match rate.get() {
        r if r < 0.05 => 0,
        r if r < 10.0 => 2_400,
        r if r < 100.0 => 1_500,
        r if r < 1_000.0 => 900,
        r if r < 5_000.0 => 550,
        _ => 320,
    });
    view! {
        <div
            class="edge"
            class:edge-still=move || period.get() == 0
            style=("--period", move || format!("{}ms", period.get().max(1)))
        >
            <span class="edge-rate">{move || format::short(rate.get())} <small>"/s"</small></span>
            <i class="edge-line"></i>
        </div>
    }
}

fn default_label(id: &str) -> &'static str {
    match id {
        "capture" => "Capture",
        "intake" => "Intake log",
        "journal" => "Journal",
        "identity" => "Identity",
        "store" => "Store",
        _ => "Stage",
    }
}

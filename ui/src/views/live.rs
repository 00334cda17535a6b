//! The first screen: the stream, moving.

use leptos::prelude::*;

use crate::{
    chart::{Line, Spec, TimeChart},
    components::{event_list::EventList, graph::Graph, journey::SidePanel, plugin_card::PluginCard, strip::Strip},
    history,
    state::{Studio, View},
};

#[component]
pub fn LiveView() -> impl IntoView {
    let studio = Studio::expect();
    let ids = studio.plugin_ids();
    let open = Memo::new(move |_| studio.selected.get().is_some());
    let throughput = Signal::derive(move || studio.history.with(history::History::throughput));
    let lag = Signal::derive(move || studio.history.with(history::History::lag));
    view! {
        <div class="live" class:has-side=move || open.get()>
            <Strip/>
            <Graph/>
            <div class="live-left">
                <div class="charts">
                    <TimeChart title="Throughput" note="events/s" testid="chart-throughput" spec=throughput_spec() data=throughput/>
                    <TimeChart title="Lag" note="queryable, and p99 of each stage" testid="chart-lag" spec=lag_spec() data=lag/>
                </div>
                <EventList/>
            </div>
            <div class="live-right">
                {move || if open.get() {
                    view! { <SidePanel/> }.into_any()
                } else {
                    view! {
                        <For each=move || ids.get() key=String::clone children=|id| view! { <PluginCard id lines=30/> }/>
                        {move || ids.with(Vec::is_empty).then(|| view! { <NoPlugins/> })}
                    }.into_any()
                }}
            </div>
        </div>
    }
}

#[component]
fn NoPlugins() -> impl IntoView {
    let studio = Studio::expect();
    view! {
        <div class="panel empty">
            {move || if studio.primed.get() {
                view! {
                    <strong>"No plugin yet"</strong>
                    <span>"Events pass from the intake log to the journal unchanged."</span>
                    <a class="button button-primary" href=View::Plugins.hash()>"Add a plugin folder"</a>
                }.into_any()
            } else {
                view! { <span>"Waiting for the first frame…"</span> }.into_any()
            }}
        </div>
    }
}

fn throughput_spec() -> Spec {
    let line = |label, color, fill| Line { label, color, fill, width: 1.5 };
    Spec {
        unit: "events",
        span: history::SPAN_S,
        lines: vec![
            line("received", "--c-received", true),
            line("stored", "--c-stored", false),
            line("dropped", "--c-dropped", false),
        ],
    }
}

fn lag_spec() -> Spec {
    const COLORS: [&str; 6] =
        ["--c-stage-1", "--c-stage-2", "--c-stage-3", "--c-stage-4", "--c-stage-5", "--c-stage-6"];
    let queryable = Line { label: "queryable", color: "--c-lag", fill: false, width: 2.0 };
    let stages = history::STAGES.into_iter().zip(COLORS);
    let stages = stages.map(|(label, color)| Line { label, color, fill: false, width: 1.0 });
    Spec { unit: "ms", span: history::SPAN_S, lines: std::iter::once(queryable).chain(stages).collect() }
}

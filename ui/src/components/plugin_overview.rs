//! What a plugin does and costs, and what went wrong.

use leptos::prelude::*;
use weir_api::plugin::{PluginView, WorstEvent};

use crate::{
    chosen::Chosen,
    components::plugin_error::{LoadError, RuntimeError},
    format,
    place::{Tab, hash},
};

#[component]
pub fn OverviewTab() -> impl IntoView {
    let chosen = Chosen::expect();
    let plugin = chosen.view;
    let text = move |read: fn(&PluginView) -> String| Memo::new(move |_| plugin.with(read));
    let alarm = move |read: fn(&PluginView) -> u64| Memo::new(move |_| plugin.with(read) > 0);
    let load_error = Memo::new(move |_| plugin.with(|plugin| plugin.load_error.clone()));
    let last_error = Memo::new(move |_| plugin.with(|plugin| plugin.last_error.clone()));
    let missing = Memo::new(move |_| plugin.with(|plugin| plugin.missing.clone()));
    let worst = Memo::new(move |_| plugin.with(|plugin| plugin.worst.clone()));
    let counted = Memo::new(move |_| plugin.with(|plugin| plugin.instructions.clone()));
    let methods = Memo::new(move |_| plugin.with(|plugin| plugin.methods.clone()));
    let metrics = Memo::new(move |_| plugin.with(|plugin| plugin.metrics.clone()));
    view! {
        {move || missing.with(|keys| (!keys.is_empty()).then(|| view! {
            <div class="pane-warning">
                <b>"Configuration is missing."</b>
                <span>{format!("Without a value: {}.", keys.join(", "))}</span>
                <a href=hash(&chosen.id(), Tab::Config)>"Set it in Config"</a>
            </div>
        }))}
        {move || load_error.get().map(|error| {
            view! { <LoadError error serving=plugin.with_untracked(|plugin| plugin.version.clone())/> }
        })}
        {move || last_error.get().map(|error| view! { <RuntimeError error/> })}
        <div class="figures">
            <Figure label="processed" value=text(|p| format::count(p.processed))/>
            <Figure label="modified" value=text(|p| format::count(p.modified))/>
            <Figure label="dropped" value=text(|p| format::count(p.dropped))/>
            <Figure label="errors" value=text(|p| format::count(p.errors)) alarm=alarm(|p| p.errors)/>
            <Figure label="CPU p50" value=text(|p| format::micros(p.cpu_us_p50))/>
            <Figure label="CPU p99" value=text(|p| format::micros(p.cpu_us_p99))/>
            <Figure label="waiting p50" value=text(|p| format::micros(p.wait_us_p50))/>
            <Figure label="waiting p99" value=text(|p| format::micros(p.wait_us_p99))/>
            <Figure label="memory" value=text(|p| format::bytes(p.memory_bytes))/>
            <Figure label="instances lost" value=text(|p| format::count(p.instances_lost)) alarm=alarm(|p| p.instances_lost)/>
            <Figure label="saved → live" value=text(|p| p.reload_ms.map_or_else(|| "–".into(), format::millis))/>
            <Figure label="setupPlugin" value=text(|p| p.setup_ms.map_or_else(|| "–".into(), format::millis))/>
        </div>
        <section class="pane-part">
            <h2>"Dearest event"</h2>
            {move || worst.get().map_or_else(
                || view! { <p class="note">"None since this version went live."</p> }.into_any(),
                |worst| view! { <Worst worst/> }.into_any(),
            )}
        </section>
        {move || counted.get().map(|counted| view! {
            <section class="pane-part">
                <h2>"Instructions"</h2>
                <p class="note" data-testid="instructions">
                    {format!("{} p50, {} p99 for each event", format::count(counted.p50), format::count(counted.p99))}
                </p>
                {counted.worst.map(|worst| view! { <Worst worst by_instructions=true/> })}
            </section>
        })}
        <section class="pane-part">
            <h2>"Exports"</h2>
            {move || methods.with(|methods| if methods.is_empty() {
                view! { <p class="note">"Nothing is known before its first version has loaded."</p> }.into_any()
            } else {
                methods.iter().map(|name| view! { <code class="hash">{name.clone()}</code> }).collect_view().into_any()
            })}
        </section>
        <section class="pane-part">
            <h2>"Its own metrics"</h2>
            {move || metrics.with(|metrics| if metrics.is_empty() {
                view! {
                    <p class="note">"None. A plugin that exports " <code>"metrics"</code> " counts with " <code>"meta.metrics"</code> "."</p>
                }.into_any()
            } else {
                let row = |(name, value): (&String, &f64)| view! { <dt>{name.clone()}</dt><dd>{number(*value)}</dd> };
                view! { <dl class="facts">{metrics.iter().map(row).collect_view()}</dl> }.into_any()
            })}
        </section>
    }
}

#[component]
fn Figure(label: &'static str, value: Memo<String>, #[prop(optional)] alarm: Option<Memo<bool>>) -> impl IntoView {
    view! {
        <div class="figure" class:is-alarm=move || alarm.is_some_and(|alarm| alarm.get())>
            <b data-testid=format!("figure-{}", label.replace(' ', "-"))>{value}</b>
            <i>{label}</i>
        </div>
    }
}

#[component]
fn Worst(worst: WorstEvent, #[prop(optional)] by_instructions: bool) -> impl IntoView {
    let chosen = Chosen::expect();
    let waiting = (worst.wait_us > 0).then(|| format!(" and {} waiting", format::micros(f64::from(worst.wait_us))));
    let (id, cost) = match worst.instructions.filter(|_| by_instructions) {
        Some(instructions) => ("longest-event", format!("{} instructions", format::count(instructions))),
        None => ("worst-event", format!("{} CPU", format::micros(f64::from(worst.cpu_us)))),
    };
    view! {
        <button
            class="worst"
            data-testid=id
            title="Show its journey"
            on:click=move |_| chosen.studio.selected.set(Some(worst.offset))
        >
            <b>{cost}</b>
            <span>{waiting}</span>
            <span class="note">"offset " {format::count(worst.offset)} " · show its journey →"</span>
        </button>
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format::signed(value as i64) } else { format!("{value:.3}") }
}

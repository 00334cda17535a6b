//! The newest requests of a plugin, with what came back: what a mock has to answer, and why a call failed.

use leptos::prelude::*;
use weir_api::{
    ApiError,
    plugin::{PluginCall, PluginCallsRequest},
    registry,
};

use crate::{
    chosen::Chosen,
    components::{event_list::timezone_offset, save_bar::Refusal},
    format,
    json::pretty,
    poll,
    state::put,
};

const SHOWN: u64 = 50;

#[component]
pub fn Calls() -> impl IntoView {
    let chosen = Chosen::expect();
    let found = RwSignal::new(None::<Result<Vec<PluginCall>, ApiError>>);
    poll::every_second(move || {
        let request = PluginCallsRequest { id: chosen.id(), limit: Some(SHOWN) };
        async move {
            let answer = chosen.client.call::<registry::PluginCalls>(&request).await.map(|calls| calls.calls);
            if !found.is_disposed() {
                put(found, Some(answer));
            }
        }
    });
    let calls = Memo::new(move |_| found.with(|found| newest_first(found.as_ref())));
    let problem =
        Memo::new(move |_| found.with(|found| found.as_ref().and_then(|found| found.as_ref().err().cloned())));
    let is_empty = Memo::new(move |_| calls.with(Vec::is_empty));
    view! {
        <section class="pane-part calls" data-testid="calls">
            <h2>"Newest requests"</h2>
            {move || problem.get().map(|error| view! { <Refusal error/> })}
            {move || is_empty.get().then(|| view! {
                <p class="note">
                    "None yet. Each " <code>"fetch"</code> " of the plugin appears here with its answer, from a mock or from the network; values of secrets are replaced."
                </p>
            })}
            <For each=move || calls.get() key=|call| call.0 children=|(_, call)| view! { <Call call/> }/>
        </section>
    }
}

/// Each call under its time and its place among the calls of that millisecond, so that one that is unfolded stays.
fn newest_first(found: Option<&Result<Vec<PluginCall>, ApiError>>) -> Vec<((i64, usize), PluginCall)> {
    let Some(Ok(calls)) = found else { return Vec::new() };
    let mut of_same = (0, 0);
    let numbered = calls.iter().cloned().map(|call| {
        of_same = if of_same.0 == call.at_ms { (of_same.0, of_same.1 + 1) } else { (call.at_ms, 0) };
        (of_same, call)
    });
    let mut numbered: Vec<_> = numbered.collect();
    numbered.reverse();
    numbered
}

#[component]
fn Call(call: PluginCall) -> impl IntoView {
    let is_well = call.status.parse::<u16>().is_ok_and(|status| status < 400);
    let headers = call.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
    let mut asked = format!("{} {}", call.method, call.url);
    for part in [headers, pretty(&call.body)] {
        if !part.is_empty() {
            asked.push_str("\n\n");
            asked.push_str(&part);
        }
    }
    let from = if call.kind == "http_mock" { "mock" } else { "network" };
    let took = call.duration_us as f64;
    view! {
        <details class="call" data-testid="call">
            <summary>
                <span class="log-time">{format::clock(call.at_ms, timezone_offset())}</span>
                <b class:is-bad=!is_well class:is-good=is_well>{call.status.clone()}</b>
                <span class="call-url"><b>{call.method.clone()}</b> " " {call.url.clone()}</span>
                <span class="note">{from} " · " {format::micros(took)}</span>
            </summary>
            <pre class="call-part">{asked}</pre>
            <pre class="call-part" data-side="answer">{if call.answer.is_empty() { "(an empty answer)".to_owned() } else { pretty(&call.answer) }}</pre>
        </details>
    }
}

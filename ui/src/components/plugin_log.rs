//! A plugin's newest log lines, asked for once a second while they are on screen.

use leptos::prelude::*;
use weir_api::{
    ApiError,
    plugin::{PluginLogLine, PluginLogsRequest},
    registry,
};

use crate::{client::Client, components::event_list::timezone_offset, format, poll, state::put};

pub type Log = Option<Result<Vec<PluginLogLine>, ApiError>>;

/// The newest lines, oldest first, kept up to date while the component that calls this is shown.
pub fn poll_log(id: String, lines: u64) -> RwSignal<Log> {
    let client = Client::expect();
    let log = RwSignal::new(None);
    poll::every_second(move || {
        let request = PluginLogsRequest { id: id.clone(), limit: Some(lines) };
        async move {
            let answer = client.call::<registry::PluginLogs>(&request).await.map(|logs| logs.lines);
            if !log.is_disposed() {
                put(log, Some(answer));
            }
        }
    });
    log
}

#[component]
pub fn PluginLog(id: String, lines: u64) -> impl IntoView {
    let log = poll_log(id, lines);
    view! {
        <div class="log" data-testid="plugin-log" role="log" aria-label="Plugin log" tabindex="0">
            {move || match log.get() {
                None => view! { <p class="log-note">"Loading the log…"</p> }.into_any(),
                Some(Err(error)) => view! { <p class="log-note">{error.to_string()}</p> }.into_any(),
                Some(Ok(lines)) if lines.is_empty() => view! {
                    <p class="log-note">"No log lines yet. "<code>"console.log"</code>" in the plugin writes here."</p>
                }.into_any(),
                // Newest first in the document; the style turns the column around, which keeps the
                // newest line in view without a line of code.
                Some(Ok(lines)) => lines.into_iter().rev().map(|line| view! { <LogLine line/> }).collect_view().into_any(),
            }}
        </div>
    }
}

#[component]
pub fn LogLine(line: PluginLogLine) -> impl IntoView {
    let level = line.level.clone();
    view! {
        <div class="log-line" data-level=level>
            <span class="log-time">{format::clock(line.at_ms, timezone_offset())}</span>
            <span class="log-level">{line.level}</span>
            <span class="log-text">{line.message}</span>
        </div>
    }
}

//! A plugin's newest log lines, asked for once a second while they are on screen.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use weir_api::{
    ApiError,
    plugin::{PluginLogLine, PluginLogsRequest},
    registry,
};

use crate::{
    client::Client,
    components::event_list::timezone_offset,
    format,
    state::{Link, Studio},
};

const EVERY: Duration = Duration::from_secs(1);

#[component]
pub fn PluginLog(id: String, lines: u64) -> impl IntoView {
    let client = Client::expect();
    let studio = Studio::expect();
    let log = RwSignal::new(None::<Result<Vec<PluginLogLine>, ApiError>>);
    let ask = move || {
        if document().hidden() || studio.link.get_untracked() == Link::Locked {
            return;
        }
        let request = PluginLogsRequest { id: id.clone(), limit: Some(lines) };
        spawn_local(async move {
            let answer = client.call::<registry::PluginLogs>(&request).await.map(|logs| logs.lines);
            let differs = log.try_with_untracked(|have| have.as_ref() != Some(&answer));
            if differs == Some(true) {
                let _ = log.try_set(Some(answer));
            }
        });
    };
    ask();
    if let Ok(timer) = set_interval_with_handle(ask, EVERY) {
        on_cleanup(move || timer.clear());
    }
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
                Some(Ok(lines)) => lines.into_iter().rev().map(line).collect_view().into_any(),
            }}
        </div>
    }
}

fn line(line: PluginLogLine) -> impl IntoView {
    let level = line.level.clone();
    view! {
        <div class="log-line" data-level=level>
            <span class="log-time">{format::clock(line.at_ms, timezone_offset())}</span>
            <span class="log-level">{line.level}</span>
            <span class="log-text">{line.message}</span>
        </div>
    }
}

//! The log at full height, with a level, a search and a way to take it along.

use leptos::prelude::*;
use weir_api::plugin::{PluginConfigure, PluginLogLine};

use crate::{
    change::Change,
    chosen::Chosen,
    components::{
        copy::CopyButton,
        event_list::timezone_offset,
        plugin_log::{LogLine, poll_log},
    },
    format,
    log_filter::{Level, fits},
};

const LINES: u64 = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Loading,
    Failed(String),
    Empty,
    NothingFits,
    Lines,
}

/// Each line under its time and its place among the lines of that millisecond, counted from the oldest.
fn newest_first(lines: Vec<PluginLogLine>) -> Vec<((i64, usize), PluginLogLine)> {
    let mut of_same = (0, 0);
    let numbered = lines.into_iter().map(|line| {
        of_same = if of_same.0 == line.at_ms { (of_same.0, of_same.1 + 1) } else { (line.at_ms, 0) };
        (of_same, line)
    });
    let mut numbered: Vec<_> = numbered.collect();
    numbered.reverse();
    numbered
}

#[component]
pub fn LogsTab() -> impl IntoView {
    let chosen = Chosen::expect();
    let log = poll_log(chosen.id(), LINES);
    let (least, search) = (RwSignal::new(Level::All), RwSignal::new(String::new()));
    let shown = Memo::new(move |_| {
        let (least, search) = (least.get(), search.get());
        log.with(|log| match log {
            Some(Ok(lines)) => lines.iter().filter(|line| fits(line, least, &search)).cloned().collect::<Vec<_>>(),
            _ => Vec::new(),
        })
    });
    let is_empty = Memo::new(move |_| shown.with(Vec::is_empty));
    let state = Memo::new(move |_| {
        log.with(|log| match log {
            None => State::Loading,
            Some(Err(error)) => State::Failed(error.to_string()),
            Some(Ok(lines)) if lines.is_empty() => State::Empty,
            Some(Ok(_)) if is_empty.get() => State::NothingFits,
            Some(Ok(_)) => State::Lines,
        })
    });
    let all = Memo::new(move |_| log.with(|log| log.as_ref().and_then(|log| log.as_ref().ok()).map_or(0, Vec::len)));
    let copied = Signal::derive(move || {
        let zone = timezone_offset();
        let line = |line: &PluginLogLine| {
            format!("{} {} {} {}", format::clock(line.at_ms, zone), line.level, line.source, line.message)
        };
        shown.with(|lines| lines.iter().map(line).collect::<Vec<_>>().join("\n"))
    });
    let level = move |choice: Level| {
        view! {
            <button
                class="chip"
                aria-pressed=move || (least.get() == choice).to_string()
                data-testid=format!("log-level-{choice:?}").to_lowercase()
                on:click=move |_| least.set(choice)
            >{choice.title()}</button>
        }
    };
    view! {
        <div class="tools">
            <div class="chips" role="group" aria-label="Least level shown">{Level::ALL.map(level)}</div>
            <input
                class="field"
                type="search"
                placeholder="Search the log"
                aria-label="Search the log"
                data-testid="log-search"
                spellcheck="false"
                prop:value=search
                on:input=move |event| search.set(event_target_value(&event))
            />
            <span class="note" role="status">
                {move || match (shown.with(Vec::len), all.get()) {
                    (shown, all) if shown < all => format!("{} of {} lines", format::count(shown as u64), format::count(all as u64)),
                    (_, all) => format!("{} lines", format::count(all as u64)),
                }}
            </span>
            <div class="grow"></div>
            <Kept/>
            <CopyButton text=copied what="these lines"/>
        </div>
        <div class="log log-tall" data-testid="plugin-log" role="log" aria-label="Plugin log" tabindex="0">
            {move || match state.get() {
                State::Loading => view! { <p class="log-note">"Loading the log…"</p> }.into_any(),
                State::Failed(error) => view! { <p class="log-note">{error}</p> }.into_any(),
                State::Empty => view! {
                    <p class="log-note">"No log lines yet. "<code>"console.log"</code>" in the plugin writes here."</p>
                }.into_any(),
                State::NothingFits => view! { <p class="log-note">"No line fits."</p> }.into_any(),
                State::Lines => view! {
                    // Only what is new is made: a line that someone reads or marks stays.
                    <For each=move || newest_first(shown.get()) key=|line| line.0 children=|(_, line)| view! { <LogLine line/> }/>
                }.into_any(),
            }}
        </div>
    }
}

/// Name and title of the levels from which on console lines are kept.
const KEPT: [(&str, &str); 5] = [
    ("debug", "Keeps everything"),
    ("log", "Keeps all but debug"),
    ("info", "Keeps info and up"),
    ("warn", "Keeps warnings and errors"),
    ("error", "Keeps errors"),
];

/// What the plugin's console leaves in the log from now on.
#[component]
fn Kept() -> impl IntoView {
    let chosen = Chosen::expect();
    let change = Change::default();
    let level = chosen.part(|detail| detail.log_level.clone());
    let choose = move |name: String| {
        let request = PluginConfigure { log_level: Some(name), ..PluginConfigure::default() };
        chosen.configure(change, request, || {});
    };
    let choice = move |(name, title): (&'static str, &'static str)| {
        view! { <option value=name selected=move || level.with(|level| level == name)>{title}</option> }
    };
    view! {
        <select
            class="field"
            aria-label="Console lines that are kept"
            data-testid="log-kept"
            disabled=move || change.busy.get()
            on:change=move |event| choose(event_target_value(&event))
        >{KEPT.map(choice)}</select>
        {move || change.problem.get().map(|problem| view! { <span class="note">{problem.message}</span> })}
    }
}

//! SQL checks: which pass, and the rows of those that do not.

use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;
use weir_api::{
    check::{CheckList, CheckState, CheckView, ChecksRequest, EventRef},
    query::QueryRequest,
    registry,
};

use crate::{change::Change, client::Client, format, poll, state::Studio};

#[component]
pub fn ChecksPanel() -> impl IntoView {
    let client = Client::expect();
    let answer = poll::answers::<registry::Checks>(ChecksRequest::default());
    let change = Change::default();
    let run = move |_| {
        let request = ChecksRequest { run: true };
        change.run(async move { client.call::<registry::Checks>(&request).await }, move |list| {
            answer.set(Some(Ok(list)));
        });
    };
    let list = Memo::new(move |_| answer.with(|answer| answer.as_ref().and_then(|answer| answer.clone().ok())));
    let problem = Memo::new(move |_| answer.with(|answer| answer.as_ref().and_then(|answer| answer.clone().err())));
    let failing = Memo::new(move |_| list.with(|list| list.as_ref().map_or(0, CheckList::failing)));
    view! {
        <section class="panel" class:is-alarm=move || { failing.get() > 0 } data-testid="checks">
            <header class="panel-head">
                <h2>"Checks"</h2>
                <span class="note" data-testid="checks-state">{move || said(list.get().as_ref())}</span>
                <div class="grow"></div>
                <button class="button" data-testid="checks-run" disabled=move || change.busy.get() on:click=run>
                    {move || if change.busy.get() { "Running…" } else { "Run now" }}
                </button>
            </header>
            {move || problem.get().or(change.problem.get()).map(|problem| view! {
                <p class="panel-text is-bad">{problem.message}" "{problem.hint}</p>
            })}
            {move || match list.get() {
                None => view! { <p class="panel-text muted">"Asking…"</p> }.into_any(),
                Some(list) if list.checks.is_empty() => view! {
                    <p class="panel-text muted">
                        "None. A file "<code>"checks/NAME.sql"</code>" in a plugin's folder, or in a folder given with "
                        <code>"weir serve --checks"</code>", holds one statement that must return no rows. It is run here every few "
                        "seconds, and in "<code>"weir test"</code>" over what the fixtures leave."
                    </p>
                }.into_any(),
                Some(list) => view! { <ul class="check-list">{list.checks.into_iter().map(|check| view! { <Check check/> }).collect_view()}</ul> }.into_any(),
            }}
        </section>
    }
}

fn said(list: Option<&CheckList>) -> String {
    let Some(list) = list.filter(|list| !list.checks.is_empty()) else { return String::new() };
    let count = |state| list.checks.iter().filter(|check| check.state == state).count();
    [CheckState::Passing, CheckState::Failing, CheckState::Error, CheckState::Never]
        .into_iter()
        .filter(|state| count(*state) > 0)
        .map(|state| format!("{} {}", count(state), told(state)))
        .collect::<Vec<_>>()
        .join(" · ")
}

const fn told(state: CheckState) -> &'static str {
    match state {
        CheckState::Never => "not run yet",
        CheckState::Passing => "passing",
        CheckState::Failing => "failing",
        CheckState::Error => "cannot run",
    }
}

#[component]
fn Check(check: CheckView) -> impl IntoView {
    let studio = Studio::expect();
    let since = check.since_ms;
    let figures = match check.state {
        CheckState::Failing => {
            let more = if check.truncated { " or more" } else { "" };
            format!("{}{more} rows, {}", format::count(check.rows), format::millis(check.duration_ms))
        }
        CheckState::Never => String::new(),
        _ => format::millis(check.duration_ms),
    };
    let line = check.problem.as_ref().map(|problem| problem.line).filter(|line| *line > 0);
    let place = line.map_or_else(|| check.file.clone(), |line| format!("{}:{line}", check.file));
    view! {
        <li class="check" class:is-failing=check.state.is_bad() data-testid="check" data-state=check.state.as_str()>
            <div class="check-head">
                <span class=format!("check-state check-{}", check.state.as_str())>{told(check.state)}</span>
                <b class="mono">{check.id.clone()}</b>
                {(check.severity.as_str() == "warning").then(|| view! { <span class="note">"warning"</span> })}
                <span class="grow"></span>
                <span class="note">{figures}</span>
                <span class="note">{move || format!("for {}", format::uptime((studio.now_ms.get() - since).max(0) as f64 / 1_000.0))}</span>
            </div>
            {(!check.description.is_empty()).then(|| view! { <p class="muted">{check.description.clone()}</p> })}
            {check.problem.clone().map(|problem| view! {
                <p class="mono note">{place}</p>
                <pre class="check-problem">{problem.message}</pre>
                <p class="muted">{problem.hint}</p>
            })}
            {(!check.first_rows.is_empty()).then(|| view! { <Rows check=check.clone()/> })}
        </li>
    }
}

#[component]
fn Rows(check: CheckView) -> impl IntoView {
    let (studio, client) = (Studio::expect(), Client::expect());
    let open = move |event: EventRef| match event {
        EventRef::Offset(offset) => studio.selected.set(Some(offset)),
        // Only hexadecimal digits and hyphens.
        EventRef::Uuid(uuid) => spawn_local(async move {
            let sql = format!("SELECT _offset FROM events WHERE uuid = '{uuid}' LIMIT 1");
            match client.call::<registry::Query>(&QueryRequest { sql, ..QueryRequest::default() }).await {
                Ok(found) => {
                    let offset = found.rows.first().and_then(|row| row.first()).and_then(Value::as_u64);
                    studio.selected.set(offset);
                }
                Err(error) => studio.notice.set(Some(error)),
            }
        }),
    };
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows = check.first_rows.iter().map(|row| {
        let event = check.event_of(row);
        let cells = row.iter().enumerate().map(|(at, value)| {
            let text = cell(value);
            let title = text.clone();
            let link = event.clone().filter(|_| at == 0);
            view! {
                <td class="cut" title=title>
                    {match link {
                        Some(event) => view! {
                            <button class="link" title="Show its journey" on:click=move |_| open(event.clone())>{text}</button>
                        }.into_any(),
                        None => text.into_any(),
                    }}
                </td>
            }
        });
        view! { <tr>{cells.collect_view()}</tr> }
    });
    view! {
        <div class="table-frame">
            <table class="table" data-testid="check-rows">
                <thead><tr>{check.columns.iter().map(|column| view! { <th>{column.clone()}</th> }).collect_view()}</tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

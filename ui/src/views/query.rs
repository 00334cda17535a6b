//! SQL on the store.

use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;
use web_sys::KeyboardEvent;
use weir_api::{
    ApiError,
    query::{QueryRequest, QueryResult},
    registry,
};

use crate::{
    client::Client,
    format,
    json::{self, Kind},
};

const MOST_ROWS: u64 = 500;
const LONGEST_CELL: usize = 160;

const EXAMPLES: [(&str, &str); 5] = [
    ("Newest events", "SELECT *\nFROM events\nORDER BY timestamp DESC\nLIMIT 50"),
    (
        "Events by name",
        "SELECT event, count(*) AS events, count(DISTINCT distinct_id) AS people\nFROM events\nGROUP BY event\nORDER BY events DESC",
    ),
    (
        "Per minute",
        "SELECT date_trunc('minute', timestamp) AS minute, count(*) AS events\nFROM events\nGROUP BY minute\nORDER BY minute DESC\nLIMIT 60",
    ),
    ("Newest persons", "SELECT *\nFROM persons\nLIMIT 50"),
    (
        "What tables are there",
        "SELECT table_name, column_name, data_type\nFROM information_schema.columns\nORDER BY table_name, ordinal_position",
    ),
];

#[component]
pub fn QueryView() -> impl IntoView {
    let client = Client::expect();
    let sql = RwSignal::new(EXAMPLES[1].1.to_owned());
    let answer = RwSignal::new(None::<Result<QueryResult, ApiError>>);
    let busy = RwSignal::new(false);
    let run = move || {
        let text = sql.get_untracked();
        if text.trim().is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let request = QueryRequest { sql: text, max_rows: Some(MOST_ROWS), timeout_ms: None };
            let result = client.call::<registry::Query>(&request).await;
            let _ = answer.try_set(Some(result));
            let _ = busy.try_set(false);
        });
    };
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            run();
        }
    };
    let example = move |(title, text): (&'static str, &'static str)| {
        view! {
            <button class="chip" on:click=move |_| { sql.set(text.to_owned()); run(); }>{title}</button>
        }
    };
    view! {
        <div class="page query">
            <section class="panel query-edit">
                <header class="panel-head">
                    <h2>"Query"</h2>
                    <span class="note">"one read-only statement, DuckDB SQL"</span>
                    <div class="grow"></div>
                    <div class="chips" role="group" aria-label="Examples">{EXAMPLES.map(example)}</div>
                </header>
                <textarea
                    class="sql"
                    aria-label="SQL"
                    data-testid="sql"
                    spellcheck="false"
                    rows="6"
                    prop:value=sql
                    on:input=move |event| sql.set(event_target_value(&event))
                    on:keydown=on_key
                ></textarea>
                <footer class="query-foot">
                    <button class="button button-primary" data-testid="run-query" disabled=move || busy.get() on:click=move |_| run()>
                        {move || if busy.get() { "Running…" } else { "Run" }} <kbd>"Ctrl ⏎"</kbd>
                    </button>
                    <span class="note" data-testid="query-summary">
                        {move || match answer.get() {
                            Some(Ok(result)) => format!(
                                "{} rows · {} {}",
                                format::count(result.rows.len() as u64),
                                format::millis(result.elapsed_ms),
                                if result.truncated { "· cut off, more rows match: add a LIMIT or aggregate" } else { "" },
                            ),
                            _ => String::new(),
                        }}
                    </span>
                </footer>
            </section>
            {move || match answer.get() {
                None => view! {
                    <div class="panel empty"><strong>"Run a query or pick an example"</strong>
                    <span>"Committed events are queryable within a fraction of a second of being accepted."</span></div>
                }.into_any(),
                Some(Err(error)) => view! { <Failure error/> }.into_any(),
                Some(Ok(result)) if result.rows.is_empty() => view! {
                    <div class="panel empty"><strong>"No rows"</strong><span>"The statement ran and matched nothing."</span></div>
                }.into_any(),
                Some(Ok(result)) => view! { <ResultTable result/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Failure(error: ApiError) -> impl IntoView {
    let code = serde_json::to_value(error.code).ok();
    let code = code.as_ref().and_then(Value::as_str).unwrap_or("error").to_owned();
    view! {
        <section class="code-error" role="alert" data-testid="query-error">
            <header><b>"The query failed"</b><code>{code}</code></header>
            <pre class="error-text">{error.message}</pre>
            {error.hint.map(|hint| view! { <p class="hint">{hint}</p> })}
        </section>
    }
}

#[component]
fn ResultTable(result: QueryResult) -> impl IntoView {
    let numeric: Vec<bool> = (0..result.columns.len())
        .map(|at| {
            let mut cells = result.rows.iter().filter_map(|row| row.get(at)).filter(|cell| !cell.is_null()).peekable();
            cells.peek().is_some() && cells.all(Value::is_number)
        })
        .collect();
    let heads = result.columns.into_iter().zip(numeric.clone());
    let heads = heads.map(|(name, number)| view! { <th class:right=number>{name}</th> }).collect_view();
    let rows = result.rows.into_iter().map(|row| {
        let cells = row.into_iter().zip(numeric.clone());
        view! { <tr>{cells.map(|(value, number)| cell(&value, number)).collect_view()}</tr> }
    });
    view! {
        <div class="panel table-frame" tabindex="0" data-testid="query-result">
            <table class="table"><thead><tr>{heads}</tr></thead><tbody>{rows.collect_view()}</tbody></table>
        </div>
    }
}

fn cell(value: &Value, number: bool) -> impl IntoView + use<> {
    let kind = json::kind_of(value);
    let text = match value {
        Value::String(text) if text.chars().count() <= LONGEST_CELL => text.clone(),
        Value::Number(_) if number => value.to_string(),
        other => json::compact(other, LONGEST_CELL),
    };
    let class = match kind {
        // Most cells are text; colour is for what is not.
        Kind::Text => "",
        Kind::Word | Kind::Mark => "j-word",
        Kind::Number | Kind::Key => "num",
    };
    let whole = (text.ends_with('…')).then(|| value.to_string());
    view! { <td class=class class:right=number title=whole>{text}</td> }
}

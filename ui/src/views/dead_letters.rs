//! Events that could not be processed: why, how many, and once more when the cause is mended.

use leptos::{prelude::*, task::spawn_local};
use weir_api::{
    ApiError,
    query::{QueryRequest, QueryResult},
    redrive::{Redrive, RedriveRequest},
    registry,
};

use crate::{client::Client, format, state::Studio};

/// Reasons shown; the rest is for a query.
const REASONS: &str = "SELECT error, count(*) AS letters, max(error_timestamp) AS newest FROM dead_letters \
     GROUP BY error ORDER BY letters DESC LIMIT 8";

#[component]
pub fn DeadLetters() -> impl IntoView {
    let (studio, client) = (Studio::expect(), Client::expect());
    let letters = Memo::new(move |_| studio.ledger.with(|ledger| ledger.dead_lettered));
    let reasons = RwSignal::new(None::<Result<QueryResult, ApiError>>);
    let (answer, busy) = (RwSignal::new(None::<Result<Redrive, ApiError>>), RwSignal::new(false));
    // Asked again whenever their number moves.
    Effect::new(move |_| {
        letters.track();
        spawn_local(async move {
            let request = QueryRequest { sql: REASONS.into(), ..QueryRequest::default() };
            let _ = reasons.try_set(Some(client.call::<registry::Query>(&request).await));
        });
    });
    let redrive = move |_| {
        busy.set(true);
        spawn_local(async move {
            let counted = client.call::<registry::Redrive>(&RedriveRequest::default()).await;
            let result = match counted {
                Ok(counted) if counted.matched > 0 => {
                    let confirm = Some(counted.matched);
                    client.call::<registry::Redrive>(&RedriveRequest { confirm, ..RedriveRequest::default() }).await
                }
                other => other,
            };
            let _ = answer.try_set(Some(result));
            let _ = busy.try_set(false);
        });
    };
    view! {
        <section class="panel" data-testid="dead-letters">
            <header class="panel-head">
                <h2>"Dead letters"</h2>
                <span class="note">"kept whole, with the reason; mend the plugin and send them through once more"</span>
                <div class="grow"></div>
                <button
                    class="button"
                    data-testid="redrive"
                    disabled=move || busy.get() || letters.get() == 0
                    on:click=redrive
                >
                    {move || match (busy.get(), letters.get()) {
                        (true, _) => "Redriving…".to_owned(),
                        (false, count) => format!("Redrive {}", format::count(count)),
                    }}
                </button>
            </header>
            {move || answer.get().map(|answer| match answer {
                Err(error) => view! { <p class="panel-text is-bad">{error.to_string()}</p> }.into_any(),
                Ok(result) => view! { <p class="panel-text" data-testid="redrive-result">{said(result)}</p> }.into_any(),
            })}
            {move || match (letters.get(), reasons.get()) {
                (0, _) => view! { <p class="panel-text muted">"None: every event could be processed."</p> }.into_any(),
                (_, None) => view! { <p class="panel-text muted">"Loading…"</p> }.into_any(),
                (_, Some(Err(error))) => view! { <p class="panel-text is-bad">{error.to_string()}</p> }.into_any(),
                (_, Some(Ok(result))) => view! { <Reasons result/> }.into_any(),
            }}
        </section>
    }
}

fn said(result: Redrive) -> String {
    match result {
        Redrive { redriven: false, .. } => "Nothing that a client sent is waiting here.".into(),
        Redrive { matched, stored, dropped, deduplicated, dead_lettered, .. } => format!(
            "{} redriven: {} stored, {} dropped, {} duplicates, {} failed again",
            format::count(matched),
            format::count(stored),
            format::count(dropped),
            format::count(deduplicated),
            format::count(dead_lettered)
        ),
    }
}

#[component]
fn Reasons(result: QueryResult) -> impl IntoView {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    view! {
        <table class="table">
            <thead><tr><th>"Reason"</th><th class="right">"Letters"</th><th class="right">"Newest"</th></tr></thead>
            <tbody>{result.rows.iter().map(|row| { let title = text(&row[0]); view! {
                <tr>
                    <td class="cut" title=title>{text(&row[0])}</td>
                    <td class="right num">{format::count(row[1].as_u64().unwrap_or_default())}</td>
                    <td class="right num">{text(&row[2]).chars().skip(11).take(8).collect::<String>()}</td>
                </tr>
            }}).collect_view()}</tbody>
        </table>
    }
}

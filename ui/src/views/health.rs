//! Whether everything is accounted for, and where the time goes.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use weir_api::{
    ApiError,
    ledger::{Audit, AuditRequest, Digest, DigestRequest, Ledger, Status, StatusRequest},
    registry,
    window::Term,
};

use crate::{
    client::Client,
    components::{
        alerts_panel::AlertsPanel,
        ledger_windows::{Number, Picked},
    },
    format,
    state::{Link, Studio},
    views::{dead_letters::DeadLetters, sinks::Sinks},
};

#[component]
pub fn HealthView() -> impl IntoView {
    let status = poll_status();
    view! {
        <div class="page health">
            <LedgerPanel/>
            <AlertsPanel/>
            <div class="health-columns">
                <div class="stack"><Stages/><DeadLetters/><AuditPanel/></div>
                <div class="stack"><Machine status/><Sinks/><Recovery status/><DigestPanel/></div>
            </div>
        </div>
    }
}

/// Recovery notes and versions are not in the frames: asked for while this view is open.
fn poll_status() -> RwSignal<Option<Status>> {
    let (studio, client) = (Studio::expect(), Client::expect());
    let status = RwSignal::new(None::<Status>);
    let ask = move || {
        if document().hidden() || studio.link.get_untracked() == Link::Locked {
            return;
        }
        spawn_local(async move {
            if let Ok(answer) = client.call::<registry::Status>(&StatusRequest {}).await {
                let _ = status.try_set(Some(answer));
            }
        });
    };
    ask();
    if let Ok(timer) = set_interval_with_handle(ask, Duration::from_secs(2)) {
        on_cleanup(move || timer.clear());
    }
    status
}

#[component]
pub fn LedgerPanel() -> impl IntoView {
    let studio = Studio::expect();
    let term = move |term: Term| {
        let value = Memo::new(move |_| studio.ledger.with(|ledger| term.of(ledger)));
        let picked = Picked { term, span: None };
        view! { <span class="term"><b><Number picked value/></b><i>{format::words(term.as_str())}</i></span> }
    };
    let mark = |sign: &'static str| view! { <span class="sign">{sign}</span> };
    let missing = Memo::new(move |_| studio.ledger.with(|ledger| ledger.unexplained));
    view! {
        <section class="panel ledger" class:is-alarm=move || missing.get() != 0>
            <header class="panel-head">
                <h2>"Ledger"</h2>
                <span class="note">"every event that came in, and where it is; all terms read at one moment"</span>
            </header>
            <div class="equation">
                {term(Term::Received)} {mark("+")} {term(Term::Emitted)} {mark("=")}
                {term(Term::Stored)} {mark("+")} {term(Term::Dropped)} {mark("+")} {term(Term::Rejected)} {mark("+")}
                {term(Term::DeadLettered)} {mark("+")} {term(Term::Deduplicated)} {mark("+")} {term(Term::InFlight)}
                {mark("+")}
                <span class="term term-result">
                    <b>{move || format::signed(missing.get())}</b><i>"unexplained"</i>
                </span>
            </div>
        </section>
    }
}

#[component]
fn Stages() -> impl IntoView {
    let studio = Studio::expect();
    view! {
        <section class="panel">
            <header class="panel-head"><h2>"Stages"</h2><span class="note">"over the last seconds"</span></header>
            <table class="table">
                <thead><tr>
                    <th>"Stage"</th><th class="right">"Events/s"</th><th class="right">"In flight"</th>
                    <th class="right">"p50"</th><th class="right">"p99"</th>
                </tr></thead>
                <tbody>
                    {move || studio.stages.get().into_iter().map(|stage| view! {
                        <tr>
                            <td>{stage.label}</td>
                            <td class="right num">{format::rate(stage.per_second)}</td>
                            <td class="right num">{format::count(stage.in_flight)}</td>
                            <td class="right num">{format::millis(stage.p50_ms)}</td>
                            <td class="right num">{format::millis(stage.p99_ms)}</td>
                        </tr>
                    }).collect_view()}
                </tbody>
            </table>
        </section>
    }
}

#[component]
fn Machine(status: RwSignal<Option<Status>>) -> impl IntoView {
    let studio = Studio::expect();
    let from_status =
        move |read: fn(&Status) -> String| move || status.with(|s| s.as_ref().map_or_else(|| "–".into(), read));
    view! {
        <section class="panel">
            <header class="panel-head"><h2>"Process"</h2></header>
            <dl class="facts">
                <dt>"ordering"</dt><dd>{move || studio.condition.with(|c| c.ordering.clone())}</dd>
                <dt>"store"</dt><dd>{move || studio.condition.with(|c| c.store_state.clone())}</dd>
                <dt>"disk free"</dt><dd>{move || format::bytes(studio.condition.with(|c| c.disk_free_bytes))}</dd>
                <dt>"resident memory"</dt><dd>{move || format::bytes(studio.condition.with(|c| c.resident_bytes))}</dd>
                <dt>"version"</dt><dd>{from_status(|s| s.version.clone())}</dd>
                <dt>"up for"</dt><dd>{from_status(|s| format::uptime(s.uptime_s))}</dd>
                <dt>"conflicting duplicates"</dt><dd>{from_status(|s| format::count(s.conflicting_duplicates))}</dd>
            </dl>
        </section>
    }
}

#[component]
fn Recovery(status: RwSignal<Option<Status>>) -> impl IntoView {
    let notes = Memo::new(move |_| status.with(|status| status.as_ref().map(|status| status.recovery.clone())));
    view! {
        <section class="panel">
            <header class="panel-head"><h2>"Start-up"</h2><span class="note">"what recovery found and repaired"</span></header>
            {move || match notes.get() {
                None => view! { <p class="panel-text muted">"Loading…"</p> }.into_any(),
                Some(notes) if notes.is_empty() => view! {
                    <p class="panel-text muted">"A clean start: nothing had to be repaired."</p>
                }.into_any(),
                Some(notes) => view! {
                    <ul class="notes">{notes.into_iter().map(|note| view! { <li>{note}</li> }).collect_view()}</ul>
                }.into_any(),
            }}
        </section>
    }
}

#[component]
fn AuditPanel() -> impl IntoView {
    let client = Client::expect();
    let (answer, busy) = (RwSignal::new(None::<Result<Audit, ApiError>>), RwSignal::new(false));
    let run = move |_| {
        busy.set(true);
        spawn_local(async move {
            let result = client.call::<registry::Audit>(&AuditRequest {}).await;
            let _ = answer.try_set(Some(result));
            let _ = busy.try_set(false);
        });
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Audit"</h2><span class="note">"recounts the logs against the store"</span>
                <div class="grow"></div>
                <button class="button" data-testid="audit" disabled=move || busy.get() on:click=run>
                    {move || if busy.get() { "Auditing…" } else { "Audit now" }}
                </button>
            </header>
            <div data-testid="audit-result">
                {move || match answer.get() {
                    None => view! { <p class="panel-text muted">"The ledger above is kept as events move. An audit does not trust it: it reads both logs and the store again."</p> }.into_any(),
                    Some(Err(error)) => view! { <p class="panel-text is-bad">{error.to_string()}</p> }.into_any(),
                    Some(Ok(audit)) => view! { <AuditResult audit/> }.into_any(),
                }}
            </div>
        </section>
    }
}

#[component]
fn AuditResult(audit: Audit) -> impl IntoView {
    let verdict = if audit.differences.is_empty() {
        view! { <p class="panel-text is-good">{format!("All {} events accounted for.", format::count(audit.intake_events))}</p> }.into_any()
    } else {
        view! {
            <p class="panel-text is-bad">{format!("{} differences", audit.differences.len())}</p>
            <ul class="notes is-bad">{audit.differences.into_iter().map(|text| view! { <li>{text}</li> }).collect_view()}</ul>
        }.into_any()
    };
    let row = |label: &'static str, ledger: Ledger| {
        let cells = [ledger.stored, ledger.dropped, ledger.rejected, ledger.dead_lettered, ledger.deduplicated];
        view! {
            <tr><td>{label}</td>{cells.map(|cell| view! { <td class="right num">{format::count(cell)}</td> })}</tr>
        }
    };
    view! {
        {verdict}
        <table class="table">
            <thead><tr>
                <th></th><th class="right">"stored"</th><th class="right">"dropped"</th><th class="right">"rejected"</th>
                <th class="right">"dead lettered"</th><th class="right">"deduplicated"</th>
            </tr></thead>
            <tbody>{row("journal", audit.journal)}{row("store", audit.store)}</tbody>
        </table>
        <p class="panel-text muted">
            {format!("Recounted up to offset {}; the events view returns {} rows.",
                format::count(audit.through_offset), format::count(audit.event_rows))}
        </p>
    }
}

#[component]
fn DigestPanel() -> impl IntoView {
    let client = Client::expect();
    let (answer, busy) = (RwSignal::new(None::<Result<Digest, ApiError>>), RwSignal::new(false));
    let run = move |_| {
        busy.set(true);
        spawn_local(async move {
            let result = client.call::<registry::Digest>(&DigestRequest {}).await;
            let _ = answer.try_set(Some(result));
            let _ = busy.try_set(false);
        });
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Digest"</h2><span class="note">"equal content, equal digest"</span>
                <div class="grow"></div>
                <button class="button" data-testid="digest" disabled=move || busy.get() on:click=run>
                    {move || if busy.get() { "Computing…" } else { "Compute" }}
                </button>
            </header>
            {move || match answer.get() {
                None => view! { <p class="panel-text muted">"Compare two runs of one seed, or the store before and after a rebuild."</p> }.into_any(),
                Some(Err(error)) => view! { <p class="panel-text is-bad">{error.to_string()}</p> }.into_any(),
                Some(Ok(digest)) => view! {
                    <table class="table">
                        <thead><tr><th>"Table"</th><th class="right">"Rows"</th><th>"Digest"</th></tr></thead>
                        <tbody>{digest.tables.into_iter().map(|table| { let title = table.digest.clone(); view! {
                            <tr>
                                <td>{table.table}</td>
                                <td class="right num">{format::count(table.rows)}</td>
                                <td class="num cut" title=title>{table.digest}</td>
                            </tr>
                        }}).collect_view()}</tbody>
                    </table>
                }.into_any(),
            }}
        </section>
    }
}

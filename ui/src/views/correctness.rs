//! What the model says must be in the store, against what is.

use leptos::prelude::*;
use weir_api::{
    oracle::{Mismatch, MismatchCount, OracleRequest, OracleState, TruthState},
    registry,
};

use crate::{
    change::Change,
    client::Client,
    components::{checks_panel::ChecksPanel, journey::SidePanel, ledger_windows::LedgerWindows},
    format, poll,
    state::Studio,
    views::health::LedgerPanel,
};

/// Mismatches that are listed, newest first.
const LISTED: usize = 50;

type Answer = poll::Answer<OracleState>;

#[component]
pub fn CorrectnessView() -> impl IntoView {
    let answer = poll::answers::<registry::Oracle>(OracleRequest::default());
    let studio = Studio::expect();
    view! {
        <div class="correctness" class:has-side=move || studio.selected.get().is_some()>
            <div class="page health">
                <LedgerPanel/>
                <LedgerWindows/>
                <OraclePanel answer/>
                <Mismatches answer/>
                <ChecksPanel/>
            </div>
            {move || studio.selected.get().is_some().then(|| view! { <div class="plugins-side"><SidePanel/></div> })}
        </div>
    }
}

#[component]
fn OraclePanel(answer: RwSignal<Answer>) -> impl IntoView {
    let client = Client::expect();
    let change = Change::default();
    let send = move |running: bool, from_start: bool| {
        let request = OracleRequest { running: Some(running), from_start };
        change.run(async move { client.call::<registry::Oracle>(&request).await }, move |state| {
            answer.set(Some(Ok(state)));
        });
    };
    let state = Memo::new(move |_| answer.with(|answer| answer.as_ref().and_then(|answer| answer.clone().ok())));
    let name =
        Memo::new(move |_| state.with(|state| state.as_ref().map(|state| state.state.clone()).unwrap_or_default()));
    let wrong = Memo::new(move |_| state.with(|state| state.as_ref().map_or(0, OracleState::mismatch_count)));
    let problem = Memo::new(move |_| answer.with(|answer| answer.as_ref().and_then(|answer| answer.clone().err())));
    view! {
        <section class="panel" class:is-alarm=move || { wrong.get() > 0 } data-testid="oracle">
            <header class="panel-head">
                <h2>"Oracle"</h2>
                <span class="note" data-testid="oracle-state">{move || said(state.get().as_ref())}</span>
                <div class="grow"></div>
                {move || (name.get() == "watching").then(|| view! {
                    <button class="button" disabled=move || change.busy.get() on:click=move |_| send(false, false)>"Stop"</button>
                })}
                {move || (name.get() != "watching").then(|| view! {
                    <button class="button" disabled=move || change.busy.get() on:click=move |_| send(true, false)
                        title="With what comes next, and with projects that come next">"Watch from now"</button>
                    <button class="button" data-testid="oracle-from-start" disabled=move || change.busy.get()
                        on:click=move |_| send(true, true) title="With the first event of the logs">"Watch from the first event"</button>
                })}
            </header>
            {move || problem.get().map(|problem| view! { <p class="panel-text">{problem.message}</p> })}
            {move || change.problem.get().map(|problem| view! {
                <p class="panel-text">{problem.message}" "{problem.hint}</p>
            })}
            {move || match state.get() {
                None => view! { <p class="panel-text muted">"Asking…"</p> }.into_any(),
                Some(state) if state.state == "off" && state.through_offset == 0 => view! {
                    <p class="panel-text muted">
                        "Off. A second, simpler model of the pipeline can read the logs, compute what the store must hold \
                         and compare: events, persons, merges, times, outcomes. Ingestion does not wait for it."
                    </p>
                }.into_any(),
                Some(state) => view! { <Figures state/> }.into_any(),
            }}
        </section>
    }
}

fn said(state: Option<&OracleState>) -> String {
    let Some(state) = state else { return String::new() };
    let reason = state.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let behind = if state.behind_events > 0 {
        format!(", {} events behind the store", format::count(state.behind_events))
    } else {
        String::new()
    };
    match (state.state.as_str(), state.mismatch_count()) {
        ("off", _) => "off".into(),
        (name, 0) => format!("{name}{reason}, nothing is wrong{behind}"),
        (name, count) => format!("{name}{reason}, {} mismatches{behind}", format::count(count)),
    }
}

#[component]
fn Figures(state: OracleState) -> impl IntoView {
    let figure = |label: &'static str, value: u64, is_bad: bool| {
        let id = format!("oracle-{}", label.replace(' ', "-"));
        view! {
            <div class="figure" class:is-alarm=is_bad && value != 0>
                <b data-testid=id>{format::count(value)}</b>
                <i>{label}</i>
            </div>
        }
    };
    view! {
        <div class="figures">
            {figure("expected", state.expected, false)}
            {figure("stored", state.stored, false)}
            {figure("missing", state.missing, true)}
            {figure("extra", state.extra, true)}
            {figure("wrong", state.wrong, true)}
            {figure("times off", state.timestamps_off, true)}
            {figure("repaired order", state.out_of_order_repaired, false)}
            {figure("duplicates removed", state.duplicates_removed, false)}
            {figure("dropped", state.dropped, false)}
            {figure("persons right", state.persons_right, false)}
            {figure("persons wrong", state.persons_wrong, true)}
            {figure("merges right", state.merges_right, false)}
            {figure("merges wrong", state.merges_wrong, true)}
            {figure("ids right", state.distinct_ids_right, false)}
            {figure("ids wrong", state.distinct_ids_wrong, true)}
            {figure("outcomes off", state.outcomes_off.unsigned_abs(), true)}
        </div>
        <p class="panel-text muted">
            {format!(
                "Offsets {} to {}. Plugins of {} events were predicted by twins; for {} the journal is believed.",
                format::count(state.from_offset), format::count(state.through_offset),
                format::count(state.predicted), format::count(state.taken_as_said),
            )}
            {(state.skipped > 0).then(|| format!(
                " {} events of projects that were there before are left alone.", format::count(state.skipped)
            ))}
        </p>
        {state.truth.map(|truth| view! { <Truth truth/> })}
    }
}

/// What only the generator knows, in two lines.
#[component]
fn Truth(truth: TruthState) -> impl IntoView {
    let off: Vec<String> =
        truth.times_off.iter().map(|(mess, count)| format!("{} {mess}", format::count(*count))).collect();
    let off = if off.is_empty() { String::new() } else { format!(" (off: {})", off.join(", ")) };
    view! {
        <p class="panel-text muted" data-testid="oracle-truth"
            title="How near any pipeline can come: wrong time zones and shared devices cannot be told from right ones">
            {format!(
                "Against what the generator knows: {} of {} times are within a second of the truth{off}; {} of {} people are \
                 exactly one person, {} are several, {} persons are several people.",
                format::count(truth.times_right), format::count(truth.times),
                format::count(truth.people_right), format::count(truth.people),
                format::count(truth.people_split), format::count(truth.persons_mixed),
            )}
        </p>
    }
}

#[component]
fn Mismatches(answer: RwSignal<Answer>) -> impl IntoView {
    let found = Memo::new(move |_| {
        answer.with(|answer| match answer {
            Some(Ok(state)) => (state.kinds.clone(), state.mismatches.clone()),
            _ => Default::default(),
        })
    });
    move || {
        let (kinds, mismatches) = found.get();
        (!kinds.is_empty()).then(|| {
            view! {
                <section class="panel" data-testid="mismatches">
                    <header class="panel-head">
                        <h2>"Mismatches"</h2>
                        <span class="note">{kinds.iter().map(counted).collect::<Vec<_>>().join(" · ")}</span>
                    </header>
                    <table class="table">
                        <thead><tr>
                            <th class="right">"Offset"</th><th>"What"</th><th>"Of"</th><th>"Expected"</th><th>"Found"</th>
                        </tr></thead>
                        <tbody>{mismatches.into_iter().rev().take(LISTED).map(|one| view! { <Row one/> }).collect_view()}</tbody>
                    </table>
                </section>
            }
        })
    }
}

fn counted(kind: &MismatchCount) -> String {
    format!("{} × {} {}", format::count(kind.count), kind.kind, kind.field)
}

#[component]
fn Row(one: Mismatch) -> impl IntoView {
    let studio = Studio::expect();
    let offset = one.offset;
    let of = if one.distinct_id.is_empty() { one.uuid } else { one.distinct_id };
    view! {
        <tr class="is-bad">
            <td class="right num">
                <button class="link" title="Show its journey" on:click=move |_| studio.selected.set(Some(offset))>
                    {format::count(offset)}
                </button>
            </td>
            <td class="cut">{one.kind}" "{one.field}</td>
            <td class="cut" title=of.clone()>{of.clone()}</td>
            <td class="cut mono" title=one.expected.clone()>{one.expected.clone()}</td>
            <td class="cut mono" title=one.found.clone()>{one.found.clone()}</td>
        </tr>
    }
}

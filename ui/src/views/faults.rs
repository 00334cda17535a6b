//! The fault palette: break something on purpose, and see beside it that nothing is lost.

use leptos::prelude::*;
use weir_api::{
    ApiError,
    fault::{FaultList, FaultView, FaultsRequest},
    registry,
};

use crate::{
    actions::Actions,
    client::Client,
    components::fault_card::FaultCard,
    format, poll,
    state::Studio,
    views::{health::LedgerPanel, sinks::Sinks},
};

/// Where faults strike, in the order of the pipeline.
const PLACES: [(&str, &str); 5] =
    [("capture", "Capture"), ("plugins", "Plugins"), ("store", "Store"), ("sinks", "Sinks"), ("process", "Process")];
const LASTS: [(&str, &str); 4] =
    [("15", "15 seconds"), ("60", "1 minute"), ("300", "5 minutes"), ("", "until stopped")];

#[component]
pub fn FaultsView() -> impl IntoView {
    let (client, actions) = (Client::expect(), Actions::expect());
    let list = RwSignal::new(None::<FaultList>);
    let problem = RwSignal::new(None::<ApiError>);
    poll::every_second(move || async move {
        match client.call::<registry::Faults>(&FaultsRequest::default()).await {
            Ok(found) => {
                let _ = list.try_set(Some(found));
                let _ = problem.try_set(None);
            }
            // A server that was killed on purpose is away for a moment; what was known stays on screen.
            Err(error) => drop(problem.try_set(Some(error))),
        }
    });
    let lasts = RwSignal::new(Some(60.0));
    let is_there = Memo::new(move |_| list.with(Option::is_some));
    let active = Memo::new(move |_| {
        list.with(|list| list.as_ref().map_or(0, |list| list.faults.iter().filter(|fault| fault.active).count()))
    });
    let restarts = Memo::new(move |_| list.with(|list| list.as_ref().map_or(0, |list| list.restarts)));
    view! {
        <div class="page faults" data-testid="faults">
            <header class="faults-head">
                <div class="page-head">
                    <h1>"Faults"</h1>
                    <p>"Break something on purpose. The rest is real: what follows, and that nothing is lost."</p>
                </div>
                <div class="grow"></div>
                <label class="fault-setting">"lasts "
                    <select class="select" data-testid="fault-lasts" on:change=move |event| lasts.set(event_target_value(&event).parse().ok())>
                        {LASTS.map(|(value, text)| view! { <option value=value selected=value == "60">{text}</option> })}
                    </select>
                </label>
                <button class="button" data-testid="faults-stop" disabled=move || active.get() == 0 on:click=move |_| actions.stop_faults()>
                    "Stop all"
                </button>
            </header>
            <Proof restarts/>
            {move || problem.get().map(|problem| view! {
                <p class="panel panel-text fault-problem" role="alert">{problem.message}" "{problem.hint}</p>
            })}
            <Show when=move || is_there.get() fallback=|| view! { <p class="panel panel-text muted">"Asking…"</p> }>
                {PLACES.map(|(place, title)| view! { <Place place title list lasts/> })}
            </Show>
        </div>
    }
}

/// The faults of one place. Cards are built once, so that what is typed in them stays.
#[component]
fn Place(
    place: &'static str,
    title: &'static str,
    list: RwSignal<Option<FaultList>>,
    lasts: RwSignal<Option<f64>>,
) -> impl IntoView {
    let of = move |list: &FaultList| -> Vec<String> {
        list.faults.iter().filter(|fault| fault.place == place).map(|fault| fault.name.clone()).collect()
    };
    let names = list.with_untracked(|list| list.as_ref().map(of)).unwrap_or_default();
    let on_change = Callback::new(move |changed| list.set(Some(changed)));
    let card = move |name: String| {
        let fault = Memo::new(move |_| -> FaultView {
            let found = |list: &FaultList| list.faults.iter().find(|fault| fault.name == name).cloned();
            list.with(|list| list.as_ref().and_then(found)).unwrap_or_default()
        });
        view! { <FaultCard fault lasts on_change/> }
    };
    view! {
        <section>
            <h2 class="faults-place">{title}</h2>
            <div class="faults-cards">{names.into_iter().map(card).collect_view()}</div>
        </section>
    }
}

/// What the ledger, the queues, the oracle and the sinks say meanwhile.
#[component]
fn Proof(restarts: Memo<u64>) -> impl IntoView {
    let studio = Studio::expect();
    let depth = move |id: &'static str, label: &'static str| {
        let stage = studio.stage(id);
        view! {
            <div class="figure"><b data-testid=format!("fault-depth-{id}")>{move || format::count(stage.get().in_flight)}</b><i>{label}</i></div>
        }
    };
    let errors = Memo::new(move |_| studio.plugins.with(|all| all.iter().map(|plugin| plugin.errors).sum::<u64>()));
    let store = Memo::new(move |_| studio.condition.with(|condition| condition.store_state.clone()));
    let accepting = Memo::new(move |_| studio.condition.with(|condition| condition.accepting));
    view! {
        <LedgerPanel/>
        <section class="panel">
            <header class="panel-head"><h2>"Meanwhile"</h2></header>
            <div class="figures">
                <div class="figure" class:is-alarm=move || { studio.oracle_mismatches.get() > 0 }>
                    <b data-testid="fault-mismatches">{move || format::count(studio.oracle_mismatches.get())}</b><i>"oracle mismatches"</i>
                </div>
                {depth("intake", "waiting on disk")}
                {depth("plugins", "in plugins")}
                {depth("store", "before the store")}
                <div class="figure"><b>{move || format::count(errors.get())}</b><i>"plugin errors"</i></div>
                <div class="figure"><b>{move || if accepting.get() { "accepts" } else { "answers 503" }}</b><i>"capture"</i></div>
                <div class="figure"><b>{move || store.get()}</b><i>"store"</i></div>
                <div class="figure"><b data-testid="fault-restarts">{move || format::count(restarts.get())}</b><i>"restarts"</i></div>
            </div>
        </section>
        {move || studio.sinks.with(|sinks| !sinks.is_empty()).then(|| view! { <Sinks/> })}
    }
}

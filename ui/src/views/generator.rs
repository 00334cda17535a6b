//! Synthetic streams: which story, how fast, how untidy, and how every answer was.

use std::collections::BTreeMap;

use leptos::{prelude::*, task::spawn_local};
use weir_api::{
    ApiError,
    generator::{GeneratorRequest, GeneratorState, KnobView, ScenarioList, ScenarioView, ScenariosRequest},
    registry,
};

use crate::{actions::Actions, client::Client, components::save_bar::Refusal, format, pace, poll, share, state::put};

/// What the parts of the screen share.
#[derive(Clone, Copy)]
struct Board {
    client: Client,
    /// `None` until the server has answered.
    state: RwSignal<Option<GeneratorState>>,
    busy: RwSignal<bool>,
    /// What was asked for while a call was under way.
    waiting: RwSignal<GeneratorRequest>,
    /// Rates that were asked for and are not confirmed yet: the next slider is turned over these.
    wanted_mess: RwSignal<Option<BTreeMap<String, f64>>>,
    problem: RwSignal<Option<ApiError>>,
}

impl Board {
    fn new(client: Client) -> Self {
        Self {
            client,
            state: RwSignal::new(None),
            busy: RwSignal::new(false),
            waiting: RwSignal::default(),
            wanted_mess: RwSignal::new(None),
            problem: RwSignal::new(None),
        }
    }

    /// One call at a time; what is asked for meanwhile goes with the next.
    fn ask(self, request: GeneratorRequest) {
        if request.scenario.is_some() || request.mess.is_some() {
            self.wanted_mess.set(request.mess.clone());
        }
        self.waiting.update(|waiting| {
            *waiting = GeneratorRequest {
                running: request.running.or(waiting.running),
                // Another scenario begins with its own rates.
                mess: request.mess.or(waiting.mess.take().filter(|_| request.scenario.is_none())),
                scenario: request.scenario.or(waiting.scenario.take()),
                seed: request.seed.or(waiting.seed),
                events_per_second: request.events_per_second.or(waiting.events_per_second),
            }
        });
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.problem.set(None);
        spawn_local(async move {
            // The signals go with the screen; then nobody waits any more.
            while let Some(request) = self.waiting.try_update(std::mem::take) {
                if request == GeneratorRequest::default() {
                    break;
                }
                match self.client.call::<registry::Generator>(&request).await {
                    Ok(state) => drop(self.state.try_set(Some(state))),
                    Err(error) => drop(self.problem.try_set(Some(error))),
                }
            }
            self.wanted_mess.try_set(None);
            self.busy.try_set(false);
        });
    }

    fn part<T: PartialEq + Send + Sync + 'static>(self, part: fn(&GeneratorState) -> T) -> Memo<Option<T>> {
        Memo::new(move |_| self.state.with(|state| state.as_ref().map(part)))
    }
}

#[component]
pub fn GeneratorView() -> impl IntoView {
    let client = Client::expect();
    let board = Board::new(client);
    let (list, missing) = (RwSignal::new(None::<ScenarioList>), RwSignal::new(None));
    poll::every_second(move || async move {
        if list.with_untracked(Option::is_none) {
            match client.call::<registry::Scenarios>(&ScenariosRequest::default()).await {
                Ok(answer) => {
                    let _ = list.try_set(Some(answer));
                }
                Err(error) => {
                    let _ = missing.try_set(Some(error));
                    return;
                }
            }
        }
        match client.call::<registry::Generator>(&GeneratorRequest::default()).await {
            Ok(answer) => {
                let _ = missing.try_set(None);
                let known = board.state.try_get_untracked();
                if known.is_some_and(|known| known.as_ref() != Some(&answer)) {
                    let _ = board.state.try_set(Some(answer));
                }
            }
            Err(error) => {
                let _ = missing.try_set(Some(error));
            }
        }
    });
    let is_ready = Memo::new(move |_| list.with(Option::is_some) && board.state.with(Option::is_some));
    view! {
        <div class="page generator" data-testid="generator">
            {move || missing.get().map(|error| view! { <Refusal error/> })}
            {move || board.problem.get().map(|error| view! { <Refusal error/> })}
            {move || match list.get().filter(|_| is_ready.get()) {
                None => view! {
                    <div class="panel empty"><strong>"Asking for the scenarios…"</strong>
                    <span>"The studio's own generator answers as soon as it is connected."</span></div>
                }.into_any(),
                Some(ScenarioList { scenarios, knobs }) => view! {
                    <Controls board/>
                    <Numbers board/>
                    <Scenarios board scenarios=scenarios.clone()/>
                    <MessPanel board scenarios knobs/>
                }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Controls(board: Board) -> impl IntoView {
    let actions = Actions::expect();
    let running = board.part(|state| state.running);
    let seed = board.part(|state| state.seed);
    let is_running = move || running.get() == Some(true);
    let toggle = move |_| {
        let request = GeneratorRequest { running: Some(!is_running()), ..GeneratorRequest::default() };
        board.ask(request);
    };
    let sow = move |event| {
        if let Ok(seed) = event_target_value(&event).trim().parse() {
            board.ask(GeneratorRequest { seed: Some(seed), ..GeneratorRequest::default() });
        }
    };
    let slide = move |event| {
        if let Ok(position) = event_target_value(&event).parse() {
            actions.choose_rate(pace::rate_at(position));
        }
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Generator"</h2>
                <span class="note">"the same scenario and seed tell the same story, on any machine"</span>
            </header>
            <div class="generator-row">
                <button
                    class="button"
                    class:button-primary=move || !is_running()
                    data-testid="generator-toggle"
                    data-running=move || is_running().to_string()
                    disabled=move || board.busy.get()
                    on:click=toggle
                >
                    {move || if is_running() { "Stop" } else { "Start" }}
                </button>
                <label class="generator-field">
                    <span>"Seed"</span>
                    <input
                        class="field mono"
                        type="number"
                        min="0"
                        data-testid="generator-seed"
                        prop:value=move || seed.get().unwrap_or_default().to_string()
                        on:change=sow
                    />
                </label>
                <label class="generator-field">
                    <span>"Rate"</span>
                    <input
                        class="slider"
                        type="range"
                        min="0"
                        max=pace::STEPS
                        data-testid="generator-rate"
                        aria-valuetext=move || format!("{} events a second", actions.rate())
                        prop:value=move || pace::position_of(actions.rate()).to_string()
                        on:input=slide
                    />
                    <b class="num">{move || format!("{}/s", format::count(actions.rate().into()))}</b>
                </label>
                <span class="note">"Another scenario, seed or mess begins a new story."</span>
            </div>
        </section>
    }
}

/// How many, how fast, and whether every answer was right.
#[component]
fn Numbers(board: Board) -> impl IntoView {
    let state = Memo::new(move |_| board.state.get().unwrap_or_default());
    let number = move |label: &'static str,
                       title: &'static str,
                       of: fn(&GeneratorState) -> String,
                       is_bad: fn(&GeneratorState) -> bool| {
        view! {
            <div class:is-alarm=move || state.with(is_bad) title=title data-testid=format!("generator-{label}")>
                <dt>{format::capital(label)}</dt>
                <dd>{move || state.with(of)}</dd>
            </div>
        }
    };
    let fine: fn(&GeneratorState) -> bool = |_| false;
    let surprise = move || state.with(|state| state.unexpected_example.clone());
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Sent"</h2>
                <span class="note">{move || state.with(|state| format!("to {}", state.to))}</span>
            </header>
            {move || if state.with(|state| state.requests == 0) {
                view! { <p class="panel-text muted">"Nothing of this story yet. Start it to see every answer compared with what is true."</p> }.into_any()
            } else {
                view! {
                    <dl class="numbers generator-numbers">
                        {number("sent", "Events", |state| format::count(state.sent), fine)}
                        {number("rate", "Events a second, over the last second", |state| format!("{}/s", format::rate(state.rate)), fine)}
                        {number("requests", "", |state| format::count(state.requests), fine)}
                        {number("late", "Requests that were sent later than they were due", |state| format::count(state.late), fine)}
                        {number("failed", "Requests without an answer, or with one that asks to come again", |state| format::count(state.failed), |state| state.failed > 0)}
                        {number("unexpected", "Requests that were answered otherwise than they had to be", |state| format::count(state.unexpected), |state| state.unexpected > 0)}
                        {number("p50", "From when a request was due to its answer", |state| format::millis(state.p50_ms), fine)}
                        {number("p99", "From when a request was due to its answer", |state| format::millis(state.p99_ms), fine)}
                        {number("slowest", "From when a request was due to its answer", |state| format::millis(state.max_ms), fine)}
                    </dl>
                    <p class="panel-text" data-testid="generator-expected">
                        "Without plugins it must be: "
                        {move || state.with(|GeneratorState { expected, .. }| format!(
                            "{} stored, {} rejected, {} duplicates ({} of them conflicting).",
                            format::count(expected.stored),
                            format::count(expected.rejected),
                            format::count(expected.deduplicated),
                            format::count(expected.conflicting),
                        ))}
                    </p>
                    {move || surprise().map(|example| view! { <p class="panel-text is-bad">{format!("The first surprise: {example}")}</p> })}
                }.into_any()
            }}
        </section>
    }
}

#[component]
fn Scenarios(board: Board, scenarios: Vec<ScenarioView>) -> impl IntoView {
    let chosen = board.part(|state| state.scenario.clone());
    let card = move |scenario: ScenarioView| {
        let (name, own) = (scenario.name.clone(), scenario.name.clone());
        let is_on = Memo::new(move |_| chosen.with(|chosen| chosen.as_deref() == Some(own.as_str())));
        let choose =
            move |_| board.ask(GeneratorRequest { scenario: Some(name.clone()), ..GeneratorRequest::default() });
        view! {
            <label class="choice" class:is-on=move || is_on.get() data-testid=format!("scenario-{}", scenario.name)>
                <input type="radio" name="scenario" prop:checked=move || is_on.get() on:change=choose/>
                <b>{scenario.title}</b>
                <span>{scenario.description}</span>
            </label>
        }
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Scenario"</h2>
                <span class="note">"each is a file: "<code>"weir generate --show NAME"</code></span>
            </header>
            <div class="choices generator-choices" role="radiogroup" aria-label="Scenario">{scenarios.into_iter().map(card).collect_view()}</div>
        </section>
    }
}

/// A slider for each kind, over what the scenario's file has.
#[component]
fn MessPanel(board: Board, scenarios: Vec<ScenarioView>, knobs: Vec<KnobView>) -> impl IntoView {
    let rates = board.part(|state| state.mess.clone());
    let chosen = board.part(|state| state.scenario.clone());
    let own = Memo::new(move |_| {
        let name = chosen.get().unwrap_or_default();
        scenarios
            .iter()
            .find(|scenario| scenario.name == name)
            .map(|scenario| scenario.mess.clone())
            .unwrap_or_default()
    });
    let turned = Memo::new(move |_| turned(&rates.get().unwrap_or_default(), &own.get()));
    let revert = move |_| board.ask(GeneratorRequest { mess: Some(BTreeMap::new()), ..GeneratorRequest::default() });
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Mess"</h2>
                <span class="note">"what goes wrong on the way, and how often"</span>
                <div class="grow"></div>
                <button class="button" data-testid="mess-revert" disabled=move || turned.with(BTreeMap::is_empty) on:click=revert>
                    "As in the file"
                </button>
            </header>
            <table class="table generator-mess">
                <thead><tr><th>"Kind"</th><th>"What happens"</th><th>"Share of"</th><th>"How often"</th><th class="right">"Events so far"</th></tr></thead>
                <tbody>{knobs.into_iter().map(|knob| view! { <Slider board knob rates turned/> }).collect_view()}</tbody>
            </table>
        </section>
    }
}

/// Rates that are not the file's.
fn turned(rates: &BTreeMap<String, f64>, own: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let is_other = |(name, rate): &(&String, &f64)| own.get(*name).is_some_and(|own| (own - **rate).abs() > 1e-9);
    rates.iter().filter(is_other).map(|(name, rate)| (name.clone(), *rate)).collect()
}

#[component]
fn Slider(
    board: Board,
    knob: KnobView,
    rates: Memo<Option<BTreeMap<String, f64>>>,
    turned: Memo<BTreeMap<String, f64>>,
) -> impl IntoView {
    let KnobView { name, of, summary } = knob;
    let held = RwSignal::new(None::<f64>);
    let key = StoredValue::new(name.clone());
    let saved = Memo::new(move |_| {
        key.with_value(|key| rates.with(|rates| rates.as_ref().and_then(|rates| rates.get(key).copied())))
            .unwrap_or_default()
    });
    let is_turned = move || key.with_value(|key| turned.with(|turned| turned.contains_key(key)));
    let count = Memo::new(move |_| {
        key.with_value(|key| board.state.with(|state| state.as_ref().and_then(|state| state.by_mess.get(key).copied())))
    });
    let shown = move || held.get().unwrap_or_else(|| saved.get());
    let at = |event: &web_sys::Event| event_target_value(event).parse().map(share::share_at).ok();
    let send = move |event: web_sys::Event| {
        let Some(rate) = at(&event) else { return };
        let mut mess = board.wanted_mess.get_untracked().unwrap_or_else(|| turned.get_untracked());
        mess.insert(key.get_value(), rate);
        put(held, None);
        board.ask(GeneratorRequest { mess: Some(mess), ..GeneratorRequest::default() });
    };
    let label = format::words(&name);
    view! {
        <tr data-testid=format!("mess-{name}")>
            <td class="generator-kind">
                {label.clone()}
                {move || is_turned().then(|| view! { <i class="edited">"turned"</i> })}
            </td>
            <td class="generator-what muted">{summary}</td>
            <td class="muted">{format!("{of}s")}</td>
            <td>
                <span class="generator-slider">
                    <input
                        class="slider"
                        type="range"
                        min="0"
                        max=share::STEPS
                        aria-label=label
                        aria-valuetext=move || share::percent(shown())
                        prop:value=move || share::position_of(shown()).to_string()
                        on:input=move |event| held.set(at(&event))
                        on:change=send
                    />
                    <b class="num">{move || share::percent(shown())}</b>
                </span>
            </td>
            <td class="right num">{move || count.get().map_or_else(|| "–".to_owned(), format::count)}</td>
        </tr>
    }
}

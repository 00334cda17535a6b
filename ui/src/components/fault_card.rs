//! One fault: what it does, what one will see, its settings, and the button.

use leptos::prelude::*;
use weir_api::{
    fault::{FaultList, FaultRequest, FaultSetting, FaultView},
    registry,
};

use crate::{
    change::Change,
    client::Client,
    components::{
        icon::{Icon, Shape},
        prose_view::Prose,
    },
    format,
    state::Studio,
};

/// What the settings of a fault were set to, where a person did so: (name, text).
type Chosen = RwSignal<Vec<(String, String)>>;

#[component]
pub fn FaultCard(
    #[prop(into)] fault: Signal<FaultView>,
    /// Seconds that a fault lasts which is started; `None` until it is stopped.
    lasts: RwSignal<Option<f64>>,
    on_change: Callback<FaultList>,
) -> impl IntoView {
    let client = Client::expect();
    let change = Change::default();
    let chosen: Chosen = RwSignal::default();
    let name = fault.with_untracked(|fault| fault.name.clone());
    let active = Memo::new(move |_| fault.with(|fault| fault.active));
    let locked = Memo::new(move |_| fault.with(|fault| fault.unavailable.clone()));
    let send = {
        let name = name.clone();
        move || {
            let running = !active.get_untracked();
            let request = if running {
                started(&name, lasts.get_untracked(), &chosen.get_untracked())
            } else {
                Ok(stopped(&name))
            };
            match request {
                Ok(request) => change.run(async move { client.call::<registry::Fault>(&request).await }, move |list| {
                    on_change.run(list);
                }),
                Err(problem) => change.problem.set(Some(problem)),
            }
        }
    };
    let state = move || {
        fault.with(|fault| match (fault.active, fault.remaining_s) {
            (false, _) if fault.strikes > 0 => format!("struck {}×", format::count(fault.strikes)),
            (false, _) => String::new(),
            (true, Some(left)) => format!("{} s left · struck {}×", left.ceil(), format::count(fault.strikes)),
            (true, None) => format!(
                "active for {} · struck {}×",
                format::uptime(fault.active_for_s.unwrap_or_default()),
                format::count(fault.strikes)
            ),
        })
    };
    let settings = fault.with_untracked(|fault| fault.settings.clone());
    view! {
        <article class="panel fault" class:is-active=move || active.get() data-testid=format!("fault-{name}")>
            <header class="fault-head">
                <h3>{fault.with_untracked(|fault| fault.title.clone())}</h3>
                <div class="grow"></div>
                <button
                    class="button"
                    class:button-primary=move || active.get()
                    data-testid=format!("fault-toggle-{name}")
                    aria-pressed=move || active.get().to_string()
                    disabled=move || change.busy.get() || locked.get().is_some()
                    on:click=move |_| send()
                >
                    <Icon shape=Signal::derive(move || if active.get() { Shape::Stop } else { Shape::Play })/>
                    {move || if active.get() { "Stop" } else { "Start" }}
                </button>
            </header>
            {move || Some(state()).filter(|text| !text.is_empty()).map(|text| view! { <p class="fault-state num">{text}</p> })}
            <p><Prose text=fault.with_untracked(|fault| sentence(&fault.summary))/></p>
            <p class="muted"><Prose text=fault.with_untracked(|fault| sentence(&fault.effect))/></p>
            <div class="fault-settings">
                {settings.into_iter().map(|setting| view! { <Setting setting fault active chosen/> }).collect_view()}
            </div>
            {move || locked.get().map(|why| view! { <p class="fault-locked"><Prose text=format!("Not now: {why}.")/></p> })}
            {move || change.problem.get().map(|problem| view! {
                <p class="fault-problem" role="alert">{problem.message}" "{problem.hint}</p>
            })}
        </article>
    }
}

#[component]
fn Setting(setting: FaultSetting, fault: Signal<FaultView>, active: Memo<bool>, chosen: Chosen) -> impl IntoView {
    let studio = Studio::expect();
    let FaultSetting { name, summary, .. } = setting;
    let in_force = {
        let name = name.clone();
        Memo::new(move |_| {
            let value =
                |fault: &FaultView| fault.settings.iter().find(|one| one.name == name).map(|one| one.value.clone());
            fault.with(value).unwrap_or_default()
        })
    };
    let choose = {
        let name = name.clone();
        move |text: String| {
            chosen.update(|chosen| {
                chosen.retain(|(known, _)| *known != name);
                chosen.push((name.clone(), text));
            });
        }
    };
    let nobody = match (fault.with_untracked(|fault| fault.name.clone()).as_str(), name.as_str()) {
        ("duplicate_delivery", _) => "none",
        (_, "plugin") => "the first",
        _ => "all",
    };
    let label = match name.as_str() {
        "plugin" => "plugin",
        "sink" => "sink",
        "every" => "one in",
        "delay_ms" => "wait, ms",
        _ => "jump, s",
    };
    let names: Option<Signal<Vec<String>>> = match name.as_str() {
        "plugin" => Some(studio.plugin_ids().into()),
        // Not with every frame, or a choice would be lost with the options.
        "sink" => {
            let names = move |_: Option<&Vec<String>>| {
                studio.sinks.with(|sinks| sinks.iter().map(|sink| sink.name.clone()).collect())
            };
            Some(Memo::new(names).into())
        }
        _ => None,
    };
    let field = match names {
        Some(names) => view! {
            <select class="select" disabled=move || active.get()
                on:change=move |event| choose(event_target_value(&event))>
                <option value="">{move || if active.get() { in_force.get() } else { nobody.to_owned() }}</option>
                {move || names.get().into_iter().map(|name| view! { <option value=name.clone()>{name.clone()}</option> }).collect_view()}
            </select>
        }
        .into_any(),
        None => view! {
            <input class="field num" type="number" disabled=move || active.get() prop:value=move || in_force.get()
                on:change=move |event| choose(event_target_value(&event))/>
        }
        .into_any(),
    };
    view! { <label class="fault-setting" title=summary>{label}" "{field}</label> }
}

fn stopped(name: &str) -> FaultRequest {
    FaultRequest { name: Some(name.to_owned()), ..FaultRequest::default() }
}

fn started(name: &str, lasts: Option<f64>, chosen: &[(String, String)]) -> Result<FaultRequest, weir_api::ApiError> {
    let mut request =
        FaultRequest { name: Some(name.to_owned()), running: true, for_s: lasts, ..FaultRequest::default() };
    for (setting, text) in chosen.iter().filter(|(_, text)| !text.is_empty()) {
        let unreadable =
            |_| weir_api::ApiError::new(weir_api::ErrorCode::BadRequest, format!("{text:?} is no whole number"));
        match setting.as_str() {
            "plugin" => request.plugin = Some(text.clone()),
            "sink" => request.sink = Some(text.clone()),
            "every" => request.every = Some(text.parse().map_err(unreadable)?),
            "delay_ms" => request.delay_ms = Some(text.parse().map_err(unreadable)?),
            _ => request.offset_s = Some(text.parse().map_err(unreadable)?),
        }
    }
    Ok(request)
}

/// As the command line has it, with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

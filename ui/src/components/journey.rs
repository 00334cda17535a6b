//! The side panel: one event's way through the pipeline, and what each plugin did to it.

use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;
use weir_api::{
    ApiError, ErrorCode,
    event::{Journey, JourneyRequest, JourneyStep},
    registry,
};

use crate::{
    client::Client,
    components::{
        copy::CopyButton,
        diff_view::DiffView,
        event_list::timezone_offset,
        icon::{Icon, Shape},
        json_view::JsonView,
        save_sample::SaveSample,
    },
    diff::Diff,
    format,
    state::Studio,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Changes,
    Captured,
    Stored,
    Person,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Changes, Self::Captured, Self::Stored, Self::Person];

    const fn title(self) -> &'static str {
        match self {
            Self::Changes => "Changes",
            Self::Captured => "Captured",
            Self::Stored => "Stored",
            Self::Person => "Person",
        }
    }
}

#[component]
pub fn SidePanel() -> impl IntoView {
    let studio = Studio::expect();
    let client = Client::expect();
    let tab = RwSignal::new(Tab::Changes);
    let answer = RwSignal::new(None::<Result<Journey, ApiError>>);
    Effect::new(move |_| {
        let Some(offset) = studio.selected.get() else { return };
        answer.set(None);
        spawn_local(async move {
            let journey = client.call::<registry::Journey>(&JourneyRequest { offset }).await;
            // The user may have moved on while the answer was under way.
            if studio.selected.try_get_untracked() == Some(Some(offset)) {
                let _ = answer.try_set(Some(journey));
            }
        });
    });
    let copied = Signal::derive(move || match answer.get() {
        Some(Ok(journey)) => copy_text(&journey, tab.get()),
        _ => String::new(),
    });
    view! {
        <aside class="panel side" data-testid="side-panel" aria-label="Journey of one event">
            <header class="panel-head">
                <h2>"Journey"</h2>
                <span class="note">
                    {move || studio.selected.get().map(|offset| format!("offset {}", format::count(offset)))}
                </span>
                <div class="grow"></div>
                <CopyButton text=copied what="this tab as JSON"/>
                <button
                    class="icon-button"
                    aria-label="Close"
                    title="Close (Esc)"
                    data-testid="side-panel-close"
                    on:click=move |_| studio.selected.set(None)
                >
                    <Icon shape=Shape::Close/>
                </button>
            </header>
            {move || match answer.get() {
                None => view! { <div class="empty"><span>"Loading the journey…"</span></div> }.into_any(),
                Some(Err(error)) => view! { <Missing error/> }.into_any(),
                Some(Ok(journey)) => view! { <Found journey tab/> }.into_any(),
            }}
        </aside>
    }
}

#[component]
fn Missing(error: ApiError) -> impl IntoView {
    let gone = error.code == ErrorCode::NotFound;
    view! {
        <div class="empty" data-testid="side-panel-error">
            <strong>{if gone { "There is no such event" } else { "The journey cannot be shown" }}</strong>
            <span>{error.message}</span>
            <span>{error.hint.unwrap_or_else(|| "Try again in a moment.".into())}</span>
        </div>
    }
}

#[component]
fn Found(journey: Journey, tab: RwSignal<Tab>) -> impl IntoView {
    let summary = journey.summary.clone();
    let select = move |choice: Tab| {
        view! {
            <button
                class="tab"
                role="tab"
                aria-selected=move || (tab.get() == choice).to_string()
                on:click=move |_| tab.set(choice)
            >
                {choice.title()}
            </button>
        }
    };
    view! {
        <div class="side-summary">
            <div class="side-title">
                <span class="c-event">{summary.event}</span>
                <i class="badge" data-label=summary.label.clone()>{format::capital(&summary.label)}</i>
                <span class="c-outcome" data-outcome=summary.outcome.clone()>{format::words(&summary.outcome)}</span>
            </div>
            <p class="side-reason">{journey.reason.clone()}</p>
            <dl class="facts">
                <dt>"distinct id"</dt><dd>{summary.distinct_id}</dd>
                <dt>"uuid"</dt><dd>{summary.uuid}</dd>
                <dt>"received"</dt>
                <dd>
                    {format::clock(summary.received_at_ms, timezone_offset())}
                    " · project " {summary.project} " · plugins " {format::micros(f64::from(summary.plugin_us))}
                </dd>
            </dl>
        </div>
        <SaveSample journey=journey.clone()/>
        <div class="tabs" role="tablist" aria-label="Forms of the event">{Tab::ALL.map(select)}</div>
        <div class="side-body" role="tabpanel">
            {move || match tab.get() {
                Tab::Changes => view! { <Changes journey=journey.clone()/> }.into_any(),
                Tab::Captured => view! { <JsonView value=journey.captured.clone()/> }.into_any(),
                Tab::Stored => match journey.stored.clone() {
                    Some(value) => view! { <JsonView value/> }.into_any(),
                    None => view! {
                        <div class="empty"><strong>"Not stored"</strong><span>{journey.reason.clone()}</span></div>
                    }.into_any(),
                },
                Tab::Person => match journey.person.clone() {
                    Some(person) => view! {
                        <dl class="facts">
                            <dt>"person"</dt><dd>{person.uuid}</dd>
                            <dt>"identified"</dt><dd>{if person.is_identified { "yes" } else { "no, anonymous" }}</dd>
                        </dl>
                        <JsonView value=person.properties/>
                    }.into_any(),
                    None => view! {
                        <div class="empty">
                            <strong>"No person"</strong>
                            <span>"The event was not stored, or it was sent without a person profile."</span>
                        </div>
                    }.into_any(),
                },
            }}
        </div>
    }
}

/// Captured, then each plugin with its difference, then the end.
#[component]
fn Changes(journey: Journey) -> impl IntoView {
    let mut before = journey.captured.clone();
    let mut steps = Vec::with_capacity(journey.steps.len());
    for step in journey.steps {
        let diff = step.after.as_ref().map(|after| Diff::between(&before, after));
        if let Some(after) = &step.after {
            before = after.clone();
        }
        steps.push(view! { <Step step diff/> });
    }
    let outcome = journey.summary.outcome;
    let end = journey.stored.as_ref().map(|stored| Diff::between(&before, stored));
    view! {
        <ol class="steps">
            <li class="step" data-label="captured">
                <div class="step-head"><b>"Captured"</b><span class="note">{fields(&journey.captured)}</span></div>
            </li>
            {steps}
            <li class="step" data-label=outcome.clone()>
                <div class="step-head">
                    <b>{format::capital(&format::words(&outcome))}</b>
                    {end.is_some().then(|| view! { <span class="note">"as the store holds it, against the last form"</span> })}
                </div>
                {end.map(|diff| view! { <DiffView diff/> })}
            </li>
        </ol>
    }
}

#[component]
fn Step(step: JourneyStep, diff: Option<Diff>) -> impl IntoView {
    let counts = diff.as_ref().map(Diff::counts);
    let tally = counts.map(|(added, removed, changed)| {
        view! {
            <span class="tally">
                {(added > 0).then(|| view! { <i data-kind="added">{format!("+{added}")}</i> })}
                {(removed > 0).then(|| view! { <i data-kind="removed">{format!("−{removed}")}</i> })}
                {(changed > 0).then(|| view! { <i data-kind="changed">{format!("~{changed}")}</i> })}
            </span>
        }
    });
    let same = diff.as_ref().is_some_and(Diff::is_empty);
    view! {
        <li class="step" data-label=step.label.clone()>
            <div class="step-head">
                <b>{step.name}</b>
                <code class="hash">{format::short_version(&step.version).to_owned()}</code>
                <i class="badge" data-label=step.label.clone()>{format::capital(&step.label)}</i>
                {tally}
                <span class="grow"></span>
                <span class="note">
                    {format::micros(f64::from(step.cpu_us))} " CPU"
                    {(step.wait_us > 0).then(|| format!(" · {} waiting", format::micros(f64::from(step.wait_us))))}
                </span>
            </div>
            {step.error.map(|error| view! { <pre class="error-text">{error}</pre> })}
            {match diff {
                Some(_) if same => view! { <p class="step-note">"Nothing changed."</p> }.into_any(),
                Some(diff) => view! { <DiffView diff/> }.into_any(),
                None if step.is_after_lost => view! {
                    <p class="step-note">
                        "What this plugin made of it is no longer kept: of older events only the form behind the last \
                         plugin is."
                    </p>
                }.into_any(),
                None => view! { <p class="step-note">"The event ends here."</p> }.into_any(),
            }}
        </li>
    }
}

fn fields(value: &Value) -> String {
    let properties = value.get("properties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    format!("{properties} properties")
}

fn copy_text(journey: &Journey, tab: Tab) -> String {
    let text = match tab {
        Tab::Changes => serde_json::to_string_pretty(journey),
        Tab::Captured => serde_json::to_string_pretty(&journey.captured),
        Tab::Stored => serde_json::to_string_pretty(&journey.stored),
        Tab::Person => serde_json::to_string_pretty(&journey.person),
    };
    text.unwrap_or_default()
}

//! Schedules and jobs: when they run next, running them now, and how they ended.

use leptos::{ev::SubmitEvent, prelude::*};
use serde_json::Value;
use weir_api::{
    plugin::{PluginJob, PluginRun, PluginRunRequest, PluginSchedule},
    registry,
};

use crate::{
    change::Change,
    chosen::Chosen,
    components::{event_list::timezone_offset, save_bar::Refusal},
    config_form::json_problem,
    format, json,
};

const LONGEST: usize = 120;

/// Runs one and waits for its end, which then is among the runs.
fn run(chosen: Chosen, change: Change, name: String, payload: Value, then: impl FnOnce(PluginRun) + 'static) {
    let (client, request) = (chosen.client, PluginRunRequest { id: chosen.id(), name, payload });
    change.run(async move { client.call::<registry::PluginRun>(&request).await }, then);
}

#[component]
pub fn TasksTab() -> impl IntoView {
    let chosen = Chosen::expect();
    let schedules = chosen.part(|detail| detail.schedules.clone());
    let waiting = chosen.part(|detail| detail.jobs.clone());
    let runs = chosen.part(|detail| detail.runs.clone());
    let jobs = Memo::new(move |_| {
        chosen.view.with(|view| {
            let name = |method: &String| method.strip_prefix("jobs.").map(str::to_owned);
            view.methods.iter().filter_map(name).collect::<Vec<_>>()
        })
    });
    let names = Memo::new(move |_| schedules.with(|all| all.iter().map(|one| one.name.clone()).collect::<Vec<_>>()));
    let change = Change::default();
    let nothing = move || names.with(Vec::is_empty) && jobs.with(Vec::is_empty);
    view! {
        {move || (nothing() && runs.with(Vec::is_empty)).then(|| view! {
            <div class="empty" data-testid="tasks-empty">
                <strong>"No schedules and no jobs"</strong>
                <span>
                    "Export " <code>"runEveryMinute"</code> ", " <code>"runEveryHour"</code> " or " <code>"runEveryDay"</code>
                    " for a schedule, and " <code>"jobs"</code> " for functions that " <code>"meta.jobs"</code> " calls later."
                </span>
            </div>
        })}
        {move || change.problem.get().map(|error| view! { <Refusal error/> })}
        {move || (!names.with(Vec::is_empty)).then(|| view! {
            <section class="pane-part">
                <h2>"Schedules"</h2>
                <ul class="task-list">
                    <For each=move || names.get() key=String::clone children=move |name| view! { <Schedule name schedules/> }/>
                </ul>
            </section>
        })}
        {move || (!jobs.with(Vec::is_empty)).then(|| view! { <RunJob jobs change/> })}
        {move || waiting.with(|waiting| (!waiting.is_empty()).then(|| view! { <Waiting jobs=waiting.clone()/> }))}
        {move || (!runs.with(Vec::is_empty)).then(|| view! { <Runs runs/> })}
    }
}

#[component]
fn Schedule(name: String, schedules: Memo<Vec<PluginSchedule>>) -> impl IntoView {
    let chosen = Chosen::expect();
    let change = Change::default();
    let own = StoredValue::new(name.clone());
    let next = Memo::new(move |_| {
        schedules.with(|all| all.iter().find(|one| own.with_value(|own| one.name == *own)).map_or(0, |one| one.next_ms))
    });
    let left = Memo::new(move |_| {
        if chosen.view.with(|view| view.enabled) {
            format::countdown(next.get() - chosen.studio.now_ms.get())
        } else {
            "not while it is off".to_owned()
        }
    });
    view! {
        <li data-testid="schedule" data-name=name>
            <code>{own.get_value()}</code>
            <span class="note">"next " {left}</span>
            <div class="grow"></div>
            <button
                class="button"
                data-testid="run-now"
                disabled=move || change.busy.get()
                on:click=move |_| run(chosen, change, own.get_value(), Value::Null, |_| {})
            >{move || if change.busy.get() { "Running…" } else { "Run now" }}</button>
            {move || change.problem.get().map(|error| view! { <Refusal error/> })}
        </li>
    }
}

#[component]
fn RunJob(jobs: Memo<Vec<String>>, change: Change) -> impl IntoView {
    let chosen = Chosen::expect();
    let name = RwSignal::new(jobs.with_untracked(|jobs| jobs.first().cloned().unwrap_or_default()));
    let payload = RwSignal::new("{}".to_owned());
    let wrong = Memo::new(move |_| payload.with(|text| json_problem(text)));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Ok(value) = payload.with_untracked(|text| serde_json::from_str(text)) {
            run(chosen, change, name.get_untracked(), value, |_| {});
        }
    };
    view! {
        <section class="pane-part">
            <h2>"Run a job"</h2>
            <form class="job-form" on:submit=submit>
                <select
                    class="select"
                    aria-label="Job"
                    data-testid="job-name"
                    prop:value=name
                    on:change=move |event| name.set(event_target_value(&event))
                >
                    {move || jobs.get().into_iter().map(|job| view! { <option value=job.clone()>{job.clone()}</option> }).collect_view()}
                </select>
                <textarea
                    class="field mono"
                    rows="2"
                    aria-label="Payload as JSON"
                    data-testid="job-payload"
                    spellcheck="false"
                    prop:value=payload
                    on:input=move |event| payload.set(event_target_value(&event))
                ></textarea>
                <button class="button" data-testid="run-job" disabled=move || wrong.with(Option::is_some) || change.busy.get()>
                    {move || if change.busy.get() { "Running…" } else { "Run" }}
                </button>
            </form>
            {move || wrong.get().map(|text| view! { <p class="config-wrong">{text}</p> })}
        </section>
    }
}

#[component]
fn Waiting(jobs: Vec<PluginJob>) -> impl IntoView {
    let now = Chosen::expect().studio.now_ms;
    let row = move |job: PluginJob| {
        let whole = job.payload.to_string();
        view! {
            <tr>
                <td>{job.name}</td>
                <td class="payload" title=whole>{json::compact(&job.payload, LONGEST)}</td>
                <td class="right num">{move || format::countdown(job.at_ms - now.get())}</td>
            </tr>
        }
    };
    view! {
        <section class="pane-part">
            <h2>"Waiting"</h2>
            <table class="table" data-testid="jobs-waiting">
                <thead><tr><th>"Job"</th><th>"Payload"</th><th class="right">"Runs"</th></tr></thead>
                <tbody>{jobs.into_iter().map(row).collect_view()}</tbody>
            </table>
        </section>
    }
}

#[component]
fn Runs(runs: Memo<Vec<PluginRun>>) -> impl IntoView {
    let zone = timezone_offset();
    let row = move |run: PluginRun| {
        let (failed, name) = (run.error.is_some(), run.name.clone());
        view! {
            <tr data-testid="run" data-name=name class:is-bad=failed>
                <td class="num">{format::clock(run.at_ms, zone)}</td>
                <td>{run.name}</td>
                <td class="right num">{format::millis(f64::from(run.took_ms))}</td>
                <td class="run-end">{run.error.unwrap_or_else(|| "done".into())}</td>
            </tr>
        }
    };
    view! {
        <section class="pane-part">
            <h2>"Ended"</h2>
            <table class="table" data-testid="runs">
                <thead><tr><th>"At"</th><th>"Task"</th><th class="right">"Took"</th><th>"End"</th></tr></thead>
                <tbody>{move || runs.get().into_iter().rev().map(row).collect_view()}</tbody>
            </table>
        </section>
    }
}

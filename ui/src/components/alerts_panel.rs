//! Alerts: what is firing, what fired, when it does, and notifications outside the page.

use leptos::prelude::*;
use weir_api::{
    alert::{Alert, AlertChange, AlertList, AlertRule, AlertSet, AlertStep, AlertsRequest},
    registry,
};

use crate::{
    change::Change,
    client::Client,
    components::{
        event_list::timezone_offset,
        icon::{Icon, Shape},
    },
    format,
    notify::{self, Permission},
    poll,
    state::Studio,
};

/// Changes that are listed, newest first.
const LISTED: usize = 12;

#[component]
pub fn AlertsPanel() -> impl IntoView {
    let studio = Studio::expect();
    let answer = poll::answers::<registry::Alerts>(AlertsRequest::default());
    let list = Memo::new(move |_| answer.with(|answer| answer.as_ref().and_then(|answer| answer.clone().ok())));
    let problem = Memo::new(move |_| answer.with(|answer| answer.as_ref().and_then(|answer| answer.clone().err())));
    let rules = Memo::new(move |_| list.with(|list| list.as_ref().map(|list| list.rules.clone()).unwrap_or_default()));
    let names = Memo::new(move |_| rules.with(|rules| rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>()));
    let history = Memo::new(move |_| {
        list.with(|list| list.as_ref().map(|list| list.history.iter().rev().take(LISTED).cloned().collect::<Vec<_>>()))
    });
    let count = Memo::new(move |_| studio.alerts.with(Vec::len));
    let set = Callback::new(move |list: AlertList| answer.set(Some(Ok(list))));
    view! {
        <section class="panel" class:is-alarm=move || { count.get() > 0 } data-testid="alerts">
            <header class="panel-head">
                <h2>"Alerts"</h2>
                <span class="note">{move || match count.get() {
                    0 => "nothing is firing".to_owned(),
                    count => format!("{count} firing"),
                }}</span>
                <div class="grow"></div>
                <Notifications/>
            </header>
            {move || problem.get().map(|problem| view! { <p class="panel-text is-bad">{problem.message}" "{problem.hint}</p> })}
            <ul class="alert-list">
                {move || studio.alerts.get().into_iter().map(|alert| view! { <Active alert/> }).collect_view()}
            </ul>
            <details class="alert-rules">
                <summary>"When they fire"</summary>
                <table class="table" data-testid="alert-rules">
                    <thead><tr>
                        <th>"Alert"</th><th>"What is measured"</th><th class="right">"Now"</th><th>"Fires above"</th><th></th>
                    </tr></thead>
                    <tbody>
                        <For each=move || names.get() key=Clone::clone let:name>
                            <Rule name rules set/>
                        </For>
                    </tbody>
                </table>
            </details>
            {move || match history.get() {
                None => view! { <p class="panel-text muted">"Asking…"</p> }.into_any(),
                Some(history) if history.is_empty() => view! {
                    <p class="panel-text muted">"Nothing has fired since the server started."</p>
                }.into_any(),
                Some(history) => view! {
                    <table class="table" data-testid="alert-history">
                        <thead><tr><th>"At"</th><th>"What"</th><th>"Alert"</th></tr></thead>
                        <tbody>{history.into_iter().map(changed).collect_view()}</tbody>
                    </table>
                }.into_any(),
            }}
        </section>
    }
}

#[component]
fn Active(alert: Alert) -> impl IntoView {
    let studio = Studio::expect();
    let since = alert.since_ms;
    view! {
        <li class="alert" class:is-warning=alert.severity.as_str() == "warning" data-testid="alert">
            <div class="alert-head">
                <Icon shape=Shape::Alert/>
                <b>{alert.summary()}</b>
                <span class="grow"></span>
                <span class="note">{move || format!("for {}", format::uptime((studio.now_ms.get() - since).max(0) as f64 / 1_000.0))}</span>
                <a class="link" href=alert.place.clone()>"Show"</a>
            </div>
            <p>{alert.meaning}" "{alert.what_to_do}</p>
        </li>
    }
}

fn changed(change: AlertChange) -> impl IntoView {
    let summary = change.alert.summary();
    view! {
        <tr>
            <td class="num">{format::clock(change.at_ms, timezone_offset())}</td>
            <td class:is-bad=change.step == AlertStep::Fired>{change.step.as_str()}</td>
            <td class="cut" title=summary.clone()><a class="link" href=change.alert.place>{summary.clone()}</a></td>
        </tr>
    }
}

/// One threshold. What is being typed is not replaced by what comes from the server.
#[component]
fn Rule(name: String, rules: Memo<Vec<AlertRule>>, set: Callback<AlertList>) -> impl IntoView {
    let client = Client::expect();
    let own = name.clone();
    let rule =
        Memo::new(move |_| rules.with(|rules| rules.iter().find(|rule| rule.name == own).cloned()).unwrap_or_default());
    let threshold = Memo::new(move |_| rule.with(|rule| rule.unit.shown(rule.threshold)));
    let typed = RwSignal::new(None::<String>);
    let change = Change::default();
    let send = move |request: AlertSet| {
        let request = AlertSet { name: rule.with_untracked(|rule| rule.name.clone()), ..request };
        change.run(async move { client.call::<registry::AlertSet>(&request).await }, move |list| {
            typed.set(None);
            set.run(list);
        });
    };
    let commit = move || {
        if let Some(text) = typed.get_untracked().filter(|text| *text != threshold.get_untracked()) {
            send(AlertSet { threshold: Some(text), ..AlertSet::default() });
        }
    };
    let is_default =
        move || rule.with(|rule| rule.on && rule.unit.shown(rule.threshold) == rule.unit.shown(rule.default_threshold));
    let id = format!("alert-threshold-{name}");
    let label = format!("Threshold of {name}");
    let (switch, switch_label) = (format!("alert-on-{name}"), format!("{name} is on"));
    view! {
        <tr class:is-off=move || rule.with(|rule| !rule.on)>
            <td>
                <label class="alert-switch">
                    <input type="checkbox" data-testid=switch aria-label=switch_label prop:checked=move || rule.with(|rule| rule.on)
                        on:change=move |event| send(AlertSet { on: Some(event_target_checked(&event)), ..AlertSet::default() })/>
                    {name}
                </label>
            </td>
            <td class="cut" title=move || rule.with(|rule| rule.meaning.clone())>{move || rule.with(|rule| rule.title.clone())}</td>
            <td class="right num" class:is-bad=move || rule.with(|rule| rule.firing)>{move || rule.with(|rule| rule.unit.shown(rule.value))}</td>
            <td>
                <input class="field alert-threshold" type="text" spellcheck="false" data-testid=id aria-label=label
                    prop:value=move || typed.get().unwrap_or_else(|| threshold.get())
                    on:input=move |event| typed.set(Some(event_target_value(&event)))
                    on:blur=move |_| commit()
                    on:keydown=move |event| match event.key().as_str() {
                        "Enter" => commit(),
                        "Escape" => typed.set(None),
                        _ => {}
                    }/>
                {move || change.problem.get().map(|problem| view! { <p class="is-bad alert-refused">{problem.message}</p> })}
            </td>
            <td>{move || (!is_default()).then(|| view! {
                <button class="link" on:click=move |_| send(AlertSet { reset: true, ..AlertSet::default() })>"Reset"</button>
            })}</td>
        </tr>
    }
}

/// Asked for by a click, and never by the page itself.
#[component]
fn Notifications() -> impl IntoView {
    let permission = RwSignal::new(notify::permission());
    move || {
        match permission.get() {
        Permission::Unknown => view! {
            <button class="button" data-testid="notify" title="The browser asks whether it may show them"
                on:click=move |_| notify::ask(move |answer| permission.set(answer))>"Notify me outside this page"</button>
        }
        .into_any(),
        Permission::Granted => view! { <span class="note" data-testid="notify-state">"you are notified outside this page"</span> }.into_any(),
        Permission::Denied => view! {
            <span class="note" data-testid="notify-state" title="Allow notifications for this address in the browser's settings">
                "the browser does not allow notifications"
            </span>
        }
        .into_any(),
        Permission::Absent => view! {
            <span class="note" data-testid="notify-state" title="The desktop window shows them itself; `weir open` prints a link for a browser">
                "this page cannot notify; the desktop window does"
            </span>
        }
        .into_any(),
    }
    }
}

//! What an edit changes: the newest comparison of a plugin, or one of two versions that are chosen, and what
//! to do about it.

use leptos::prelude::*;
use weir_api::{
    ApiError,
    diff::{PluginAccept, PluginDiff, PluginDiffLatest, PluginDiffRequest, PluginVersion, PluginVersions},
    plugin::{PluginConfigure, PluginRequest},
    registry,
};

use crate::{
    change::Change,
    chosen::Chosen,
    components::{diff_groups::DiffResult, event_list::timezone_offset, save_bar::Refusal},
    format, poll,
    state::put,
};

const LASTS: [u64; 3] = [1_000, 5_000, 20_000];

#[component]
pub fn DiffTab() -> impl IntoView {
    let chosen = Chosen::expect();
    let latest = RwSignal::new(None::<Result<PluginDiffLatest, ApiError>>);
    let versions = RwSignal::new(PluginVersions::default());
    let asked = RwSignal::new(None::<PluginDiff>);
    poll::every_second(move || {
        let request = PluginRequest { id: chosen.id() };
        async move {
            let newest = chosen.client.call::<registry::PluginDiffLatest>(&request).await;
            let known = chosen.client.call::<registry::PluginVersions>(&request).await;
            if !latest.is_disposed() {
                put(latest, Some(newest));
                if let Ok(known) = known {
                    put(versions, known);
                }
            }
        }
    });
    view! {
        <Waits/>
        <Choice versions asked/>
        {move || match (asked.get(), latest.get()) {
            (Some(diff), _) => view! { <DiffResult diff/> }.into_any(),
            (None, None) => view! { <div class="empty"><span>"Loading…"</span></div> }.into_any(),
            (None, Some(Err(error))) => view! { <Refusal error/> }.into_any(),
            (None, Some(Ok(latest))) => view! { <Latest latest/> }.into_any(),
        }}
        <Accept/>
    }
}

#[component]
fn Latest(latest: PluginDiffLatest) -> impl IntoView {
    let failed =
        latest.summary.as_ref().filter(|summary| summary.state == "failed").map(|summary| summary.text.clone());
    match (latest.diff, failed, latest.summary) {
        (Some(diff), ..) => view! { <DiffResult diff/> }.into_any(),
        (None, Some(why), _) => view! {
            <div class="empty" role="alert" data-testid="diff-failed">
                <strong>"The newest version could not be compared"</strong>
                <span>{why}</span>
            </div>
        }
        .into_any(),
        (None, None, Some(_)) => view! {
            <div class="empty" data-testid="diff-running"><span>"Comparing with the version before…"</span></div>
        }
        .into_any(),
        (None, None, None) => view! {
            <div class="empty" data-testid="diff-none">
                <strong>"Nothing to compare yet"</strong>
                <span>"Save an edit: its version is compared with the one before, over the newest events."</span>
            </div>
        }
        .into_any(),
    }
}

/// What becomes of new versions, and the one that waits.
#[component]
fn Waits() -> impl IntoView {
    let chosen = Chosen::expect();
    let waiting = Memo::new(move |_| chosen.view.with(|view| view.waiting.clone()));
    let asks = chosen.part(|detail| detail.reload == "ask");
    let mode = Change::default();
    let change = Change::default();
    let set_mode = move |_| {
        let reload = Some(if asks.get_untracked() { "auto" } else { "ask" }.to_owned());
        chosen.configure(mode, PluginConfigure { reload, ..PluginConfigure::default() }, || {});
    };
    let request = move || PluginRequest { id: chosen.id() };
    let promote = move |_| {
        let request = request();
        change.run(async move { chosen.client.call::<registry::PluginPromote>(&request).await }, |_| {});
    };
    let discard = move |_| {
        let request = request();
        change.run(async move { chosen.client.call::<registry::PluginDiscard>(&request).await }, |_| {});
    };
    view! {
        <div class="diff-bar">
            <label class="diff-mode" title="A version that waits is built and compared, and does not run before it is promoted">
                <input type="checkbox" data-testid="diff-ask" prop:checked=asks disabled=move || mode.busy.get() on:change=set_mode/>
                "Ask before a new version goes live"
            </label>
            <div class="grow"></div>
            {move || waiting.get().map(|version| view! {
                <span data-testid="diff-waiting"><code class="hash">{format::short_version(&version).to_owned()}</code> " waits"</span>
                <button class="button" data-testid="diff-discard" disabled=move || change.busy.get() on:click=discard>"Discard"</button>
                <button class="button button-primary" data-testid="diff-promote" disabled=move || change.busy.get() on:click=promote>"Promote"</button>
            })}
        </div>
        {move || mode.problem.get().or_else(|| change.problem.get()).map(|error| view! { <Refusal error/> })}
    }
}

/// Any two versions, in place of the newest comparison.
#[component]
fn Choice(versions: RwSignal<PluginVersions>, asked: RwSignal<Option<PluginDiff>>) -> impl IntoView {
    let chosen = Chosen::expect();
    let (from, to, last) = (RwSignal::new(String::new()), RwSignal::new("folder".to_owned()), RwSignal::new(LASTS[0]));
    let change = Change::default();
    let compare = move |_| {
        let request = PluginDiffRequest {
            id: chosen.id(),
            from: Some(from.get_untracked()).filter(|from| !from.is_empty()),
            to: Some(to.get_untracked()),
            dir: None,
            last: Some(last.get_untracked()),
        };
        change.run(async move { chosen.client.call::<registry::PluginDiff>(&request).await }, move |diff| {
            asked.set(Some(diff));
        });
    };
    let kept = Memo::new(move |_| versions.with(|versions| versions.versions.clone()));
    let options =
        move |of: RwSignal<String>| move || kept.get().into_iter().map(|version| option(version, of)).collect_view();
    view! {
        <div class="diff-bar">
            <label>"From "
                <select class="field" data-testid="diff-from" on:change=move |event| from.set(event_target_value(&event))>
                    <option value="" selected=move || from.with(String::is_empty)>"the version before"</option>
                    {options(from)}
                </select>
            </label>
            <label>"to "
                <select class="field" data-testid="diff-to" on:change=move |event| to.set(event_target_value(&event))>
                    <option value="folder" selected=move || to.with(|to| to == "folder")>"the folder"</option>
                    {options(to)}
                </select>
            </label>
            <label>"over "
                <select class="field" data-testid="diff-last" on:change=move |event| last.set(event_target_value(&event).parse().unwrap_or(LASTS[0]))>
                    {LASTS.map(|last| view! { <option value=last.to_string()>{format::count(last)} " events"</option> })}
                </select>
            </label>
            <button class="button" data-testid="diff-compare" disabled=move || change.busy.get() on:click=compare>
                {move || if change.busy.get() { "Comparing…" } else { "Compare" }}
            </button>
            {move || asked.with(Option::is_some).then(|| view! {
                <button class="button" data-testid="diff-newest" on:click=move |_| asked.set(None)>"Newest edit"</button>
            })}
            <div class="grow"></div>
            <span class="note" title="Older ones are gone">
                {move || versions.with(|versions| format!("{} versions, {} are kept", versions.versions.len(), versions.kept))}
            </span>
        </div>
        {move || change.problem.get().map(|error| view! { <Refusal error/> })}
    }
}

/// The list changes with every save, and what is chosen stays chosen.
fn option(version: PluginVersion, chosen: RwSignal<String>) -> impl IntoView {
    let since = match (version.is_waiting, version.is_live) {
        (true, _) => "waits".to_owned(),
        (false, true) => "live".to_owned(),
        (false, false) => format::clock(version.live_at_ms, timezone_offset()),
    };
    let value = if version.is_waiting { "waiting".to_owned() } else { version.version.clone() };
    let own = value.clone();
    view! { <option value=value selected=move || chosen.with(|chosen| *chosen == own)>{format!("{} · {since}", format::short_version(&version.version))}</option> }
}

/// The difference is meant: it becomes what the samples expect.
#[component]
fn Accept() -> impl IntoView {
    let chosen = Chosen::expect();
    let change = Change::default();
    let told = RwSignal::new(None::<PluginAccept>);
    let accept = move |_| {
        let request = PluginRequest { id: chosen.id() };
        told.set(None);
        change.run(async move { chosen.client.call::<registry::PluginAccept>(&request).await }, move |accepted| {
            told.set(Some(accepted));
        });
    };
    let words = |accepted: PluginAccept| {
        let failing = accepted.failing.join("; ");
        let failing = if failing.is_empty() { String::new() } else { format!(" These do not: {failing}") };
        format!("Files written: {}. Samples that pass: {}.{failing}", accepted.written.len(), accepted.passing)
    };
    view! {
        <div class="diff-bar">
            <button
                class="button"
                data-testid="diff-accept"
                title="Writes what the folder's version makes of the samples into them, as what is expected"
                disabled=move || change.busy.get()
                on:click=accept
            >
                "Accept as expected"
            </button>
            <span class="note" role="status" data-testid="diff-accepted">{move || told.get().map(words)}</span>
        </div>
        {move || change.problem.get().map(|error| view! { <Refusal error/> })}
    }
}

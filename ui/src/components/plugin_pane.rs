//! One plugin in full: its head, and a tab for each side of it.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use crate::{
    chosen::{Chosen, LimitsDraft},
    components::{
        copy::CopyButton,
        plugin_chain::{Switch, language_title, shown_state},
        plugin_config::ConfigTab,
        plugin_diff::DiffTab,
        plugin_http::HttpTab,
        plugin_limits::LimitsTab,
        plugin_logs::LogsTab,
        plugin_overview::OverviewTab,
        plugin_remove::RemoveButton,
        plugin_storage::StorageTab,
        plugin_tasks::TasksTab,
    },
    format,
    place::{Tab, hash},
};

#[component]
pub fn PluginPane(id: String, tab: Memo<Tab>) -> impl IntoView {
    let chosen = Chosen::start(id);
    view! {
        <article class="panel pane" data-testid="plugin-pane" data-plugin=chosen.id() data-state=move || chosen.view.with(shown_state)>
            <Head chosen/>
            <Tabs chosen tab/>
            <div class="pane-body" role="tabpanel" aria-label=move || tab.get().title()>
                {move || match tab.get() {
                    Tab::Overview => view! { <OverviewTab/> }.into_any(),
                    Tab::Diff => view! { <DiffTab/> }.into_any(),
                    Tab::Logs => view! { <LogsTab/> }.into_any(),
                    Tab::Storage => view! { <StorageTab/> }.into_any(),
                    other => view! { <Loaded chosen tab=other/> }.into_any(),
                }}
            </div>
        </article>
    }
}

/// Tabs that need the detail wait for its first answer.
#[component]
fn Loaded(chosen: Chosen, tab: Tab) -> impl IntoView {
    let is_loaded = Memo::new(move |_| chosen.detail.with(Option::is_some));
    move || match (is_loaded.get(), tab) {
        (true, Tab::Config) => view! { <ConfigTab/> }.into_any(),
        (true, Tab::Http) => view! { <HttpTab/> }.into_any(),
        (true, Tab::Limits) => view! { <LimitsTab/> }.into_any(),
        (true, _) => view! { <TasksTab/> }.into_any(),
        (false, _) => match chosen.problem.get() {
            None => view! { <div class="empty"><span>"Loading…"</span></div> }.into_any(),
            Some(error) => view! {
                <div class="empty" role="alert">
                    <strong>"This plugin cannot be looked into"</strong>
                    <span>{error.message}</span>
                    <span>{error.hint}</span>
                </div>
            }
            .into_any(),
        },
    }
}

#[component]
fn Head(chosen: Chosen) -> impl IntoView {
    let plugin = chosen.view;
    let state = Memo::new(move |_| format::capital(plugin.with(shown_state)));
    let version = Memo::new(move |_| plugin.with(|plugin| plugin.version.clone()));
    let dir = Memo::new(move |_| plugin.with(|plugin| plugin.dir.clone()));
    let language = Memo::new(move |_| plugin.with(|plugin| language_title(&plugin.language).to_owned()));
    view! {
        <header class="pane-head">
            <div class="pane-title">
                <i class="dot"></i>
                <h1>{move || plugin.with(|plugin| plugin.name.clone())}</h1>
                <span class="plugin-state" data-testid="plugin-state">{state}</span>
                <div class="grow"></div>
                <code class="hash" data-testid="plugin-version" title=move || format!("Version {} serves now", version.get())>
                    {move || version.with(|version| {
                        if version.is_empty() { "no version".into() } else { format::short_version(version).to_owned() }
                    })}
                </code>
                <span class="note" title="Versions that have been live since the studio started">
                    "gen " {move || plugin.with(|plugin| plugin.generation)}
                </span>
                {move || language.with(|name| (!name.is_empty()).then(|| view! { <i class="badge">{name.clone()}</i> }))}
                <Switch plugin/>
                <RemoveButton/>
            </div>
            <div class="pane-path">
                <code title="Edit the files here in any editor; save and watch">{dir}</code>
                <CopyButton text=dir what="the folder's path"/>
            </div>
        </header>
    }
}

#[component]
fn Tabs(chosen: Chosen, tab: Memo<Tab>) -> impl IntoView {
    // Only a missing document could fail here.
    let go = move |to: Tab| drop(location().set_hash(&hash(&chosen.id(), to)));
    let on_key = move |event: KeyboardEvent| {
        let to = match event.key().as_str() {
            "ArrowLeft" => tab.get_untracked().beside(-1),
            "ArrowRight" => tab.get_untracked().beside(1),
            _ => return,
        };
        event.prevent_default();
        go(to);
        let id = format!("tab-{}", to.name());
        request_animation_frame(move || {
            use wasm_bindgen::JsCast;
            let found = document().get_element_by_id(&id);
            if let Some(element) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
                let _ = element.focus();
            }
        });
    };
    let drafts = chosen.drafts;
    let is_marked = move |of: Tab| match of {
        Tab::Config => drafts.config.with(|draft| !draft.is_empty()),
        Tab::Http => drafts.http.with(|draft| draft.mode.is_some() || draft.allow.is_some() || draft.grant.is_some()),
        Tab::Limits => drafts.limits.with(|draft| *draft != LimitsDraft::default()),
        _ => false,
    };
    let needs = move |of: Tab| {
        chosen.view.with(|view| match of {
            Tab::Config => !view.missing.is_empty(),
            Tab::Overview => view.load_error.is_some(),
            Tab::Diff => view.waiting.is_some(),
            _ => false,
        })
    };
    let button = move |of: Tab| {
        view! {
            <button
                class="tab"
                role="tab"
                id=format!("tab-{}", of.name())
                data-testid=format!("tab-{}", of.name())
                aria-selected=move || (tab.get() == of).to_string()
                tabindex=move || if tab.get() == of { "0" } else { "-1" }
                on:click=move |_| go(of)
            >
                {of.title()}
                {move || is_marked(of).then(|| view! { <i class="tab-mark" title="Not saved yet"></i> })}
                {move || needs(of).then(|| view! { <i class="tab-mark is-alarm" title="Needs attention"></i> })}
            </button>
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label="Sides of the plugin" on:keydown=on_key>{Tab::ALL.map(button)}</div>
    }
}

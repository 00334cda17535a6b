//! Where a plugin's requests go: to mocks, to the network, or there once to record mocks.

use leptos::{ev::SubmitEvent, prelude::*};
use weir_api::plugin::{PluginConfigure, PluginHttp};

use crate::{
    change::Change,
    chosen::Chosen,
    components::{
        chips::Chips,
        plugin_calls::Calls,
        save_bar::{SaveBar, is_save_key},
    },
    format,
};

const MODES: [(&str, &str, &str); 3] = [
    (
        "mock",
        "Mock",
        "Nothing leaves this machine. Answers come from mocks/*.json in the plugin's folder; a request that no mock \
         answers fails, and its message names the nearest one.",
    ),
    (
        "record",
        "Record",
        "Requests go out to the allowed hosts, and each answer is written to mocks/ without its secrets. Then switch \
         back to Mock.",
    ),
    ("live", "Live", "Requests go out to the allowed hosts, and nothing is kept."),
];

#[component]
pub fn HttpTab() -> impl IntoView {
    let chosen = Chosen::expect();
    let draft = chosen.drafts.http;
    let change = Change::default();
    let saved = chosen.part(|detail| detail.http.clone());
    let mode = Memo::new(move |_| {
        let typed = draft.with(|draft| draft.mode.clone());
        typed.or_else(|| saved.with(|saved| saved.mode.clone())).unwrap_or_default()
    });
    let allow = Memo::new(move |_| {
        let typed = draft.with(|draft| draft.allow.clone());
        typed.or_else(|| saved.with(|saved| saved.allow.clone())).unwrap_or_default()
    });
    let grant = Memo::new(move |_| {
        let typed = draft.with(|draft| draft.grant.clone());
        typed.or_else(|| saved.with(|saved| saved.grant.clone())).unwrap_or_default()
    });
    let dirty =
        Memo::new(move |_| draft.with(|draft| draft.mode.is_some() || draft.allow.is_some() || draft.grant.is_some()));
    // A value that is the saved one again is no change.
    let set = move |put: &dyn Fn(&mut PluginHttp)| {
        draft.update(|draft| {
            put(draft);
            saved.with_untracked(|saved| {
                draft.mode = draft.mode.take().filter(|mode| Some(mode) != saved.mode.as_ref());
                draft.allow = draft.allow.take().filter(|allow| Some(allow) != saved.allow.as_ref());
                draft.grant = draft.grant.take().filter(|grant| Some(grant) != saved.grant.as_ref());
            });
        });
    };
    let save = move || {
        if !dirty.get_untracked() {
            return;
        }
        let http = Some(draft.get_untracked());
        chosen.configure(change, PluginConfigure { http, ..PluginConfigure::default() }, move || {
            draft.set(PluginHttp::default());
        });
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        save();
    };
    let option = move |(name, title, what): (&'static str, &'static str, &'static str)| {
        view! {
            <label class="choice" class:is-on=move || mode.get() == name data-testid=format!("http-{name}")>
                <input
                    type="radio"
                    name="http-mode"
                    value=name
                    prop:checked=move || mode.get() == name
                    on:change=move |_| set(&|draft| draft.mode = Some(name.to_owned()))
                />
                <b>{title}</b>
                <span>{what}</span>
            </label>
        }
    };
    let mocks = Memo::new(move |_| saved.with(|saved| saved.mocks));
    let goes_out = Memo::new(move |_| mode.with(|mode| mode == "live" || mode == "record"));
    view! {
        <form class="form form-short" on:submit=submit on:keydown=move |event| if is_save_key(&event) { save() }>
            <fieldset class="choices-part"><legend>"Requests of this plugin"</legend><div class="choices">{MODES.map(option)}</div></fieldset>
            <p class="form-note" data-testid="http-mocks">
                {move || match mocks.get() {
                    0 => "The folder has no mocks yet. A file in mocks/ holds a request and its answer; Record writes them.".to_owned(),
                    1 => "The folder has one mock.".to_owned(),
                    many => format!("The folder has {} mocks.", format::count(many)),
                }}
            </p>
            {move || goes_out.get().then(|| view! {
                <div class="pane-warning">
                    <b>"Real requests, for every event."</b>
                    <span>
                        "That includes the demo stream and events that are redriven. Keys and quotas of real accounts are used; what is changed over there stays changed."
                    </span>
                </div>
            })}
            {move || (goes_out.get() && allow.with(Vec::is_empty)).then(|| view! {
                <div class="pane-warning"><b>"No host is allowed."</b><span>"Every request will be refused until one is added below."</span></div>
            })}
            <div class="config-field">
                <label for="http-allow">"Allowed hosts"</label>
                <Chips id="http-allow" items=allow placeholder="api.example.com  *.example.com" on_change=Callback::new(move |list: Vec<String>| set(&|draft| draft.allow = Some(list.clone())))/>
                <p class="config-hint">
                    <code>"api.example.com"</code> ", " <code>"*.example.com"</code> ", with a port if it is not the usual one, or "
                    <code>"*"</code> " for every host. Redirects are checked again."
                </p>
            </div>
            <div class="config-field">
                <label for="http-grant">"Addresses inside that are granted"</label>
                <Chips id="http-grant" items=grant placeholder="127.0.0.1:8080" on_change=Callback::new(move |list: Vec<String>| set(&|draft| draft.grant = Some(list.clone())))/>
                <p class="config-hint">
                    "This machine, private networks and cloud metadata are closed, whatever a host's name resolves to. Open "
                    "single ones here: " <code>"127.0.0.1:8080"</code> ", " <code>"10.1.0.0/16"</code> "."
                </p>
            </div>
            <SaveBar
                change
                dirty
                blocked=Signal::derive(|| None::<String>)
                problem=change.problem
                on_revert=Callback::new(move |()| draft.set(PluginHttp::default()))
            />
        </form>
        <Calls/>
    }
}

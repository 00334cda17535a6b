//! The form that `plugin.json` asks for.

use leptos::{ev::SubmitEvent, prelude::*};
use weir_api::plugin::ConfigFieldView;

use crate::{
    change::Change,
    chosen::Chosen,
    components::{
        plugin_error::LoadError,
        plugin_field::Field,
        save_bar::{SaveBar, is_save_key},
    },
    config_form::{blamed, lacks_value, problem, request},
};

#[component]
pub fn ConfigTab() -> impl IntoView {
    let chosen = Chosen::expect();
    let draft = chosen.drafts.config;
    let change = Change::default();
    let fields = chosen.part(|detail| detail.fields.clone());
    // The form is built anew only when `plugin.json` says something else; values come and go in place.
    let shape = Memo::new(move |_| {
        let bare = |field: &ConfigFieldView| ConfigFieldView { value: None, ..field.clone() };
        fields.with(|fields| fields.iter().map(bare).collect::<Vec<_>>())
    });
    let load_error = Memo::new(move |_| chosen.view.with(|view| view.load_error.clone()));
    let wrong = Memo::new(move |_| {
        draft.with(|draft| {
            fields.with(|fields| {
                let names = fields.iter().filter(|field| problem(field, draft).is_some());
                names.map(|field| field.name.clone()).collect::<Vec<_>>().join(", ")
            })
        })
    });
    let blocked = Memo::new(move |_| wrong.with(|names| (!names.is_empty()).then(|| format!("To put right: {names}"))));
    let lacking = Memo::new(move |_| {
        draft.with(|draft| fields.with(|fields| fields.iter().filter(|field| lacks_value(field, draft)).count()))
    });
    let blame = Memo::new(move |_| {
        let message = change.problem.get()?.message;
        fields.with(|fields| blamed(&message, fields))
    });
    let save = move || {
        let sent = draft.get_untracked();
        if sent.is_empty() || blocked.get_untracked().is_some() {
            return;
        }
        let asked = fields.with_untracked(|fields| request(&sent, fields));
        // What was typed while it was being saved stays a draft.
        chosen.configure(change, asked, move || {
            draft.update(|draft| draft.retain(|key, edit| sent.get(key) != Some(edit)));
        });
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        save();
    };
    view! {
        <form class="form" on:submit=submit on:keydown=move |event| if is_save_key(&event) { save() } novalidate>
            {move || load_error.get().map(|error| {
                view! { <LoadError error serving=chosen.view.with_untracked(|view| view.version.clone())/> }
            })}
            {move || (lacking.get() > 0).then(|| view! {
                <div class="pane-warning" data-testid="config-lacking">
                    <b>{match lacking.get() { 1 => "One required field has no value.".to_owned(), many => format!("{many} required fields have no value.") }}</b>
                    <span>"The plugin runs all the same; most throw in " <code>"setupPlugin"</code> " then."</span>
                </div>
            })}
            {move || shape.with(|shape| if shape.is_empty() {
                view! {
                    <div class="empty" data-testid="config-empty">
                        <strong>"Nothing to configure"</strong>
                        <span>"A " <code>"config"</code> " list in " <code>"plugin.json"</code> " makes a form here; it appears as soon as the file is saved."</span>
                    </div>
                }.into_any()
            } else {
                let field = |field: &ConfigFieldView| view! { <Field field=field.clone() fields blame change/> };
                view! { <div class="fields">{shape.iter().map(field).collect_view()}</div> }.into_any()
            })}
            {move || (!shape.with(Vec::is_empty)).then(|| view! {
                <SaveBar
                    change
                    dirty=Signal::derive(move || draft.with(|draft| !draft.is_empty()))
                    blocked
                    problem=Signal::derive(move || change.problem.get().filter(|_| blame.get().is_none()))
                    on_revert=Callback::new(move |()| draft.update(std::collections::BTreeMap::clear))
                />
            })}
        </form>
    }
}

//! One key of what a plugin keeps, and its value, edited in place.

use leptos::prelude::*;
use serde_json::Value;
use weir_api::plugin::StorageEntry;

use crate::{
    chosen::Chosen,
    components::{plugin_storage::Shelf, save_bar::is_save_key},
    config_form::json_problem,
    format,
    json::{self, pretty},
};

/// Longer values are cut until they are edited.
const LONGEST: usize = 160;

#[component]
pub fn Row(key: String, entries: Memo<Vec<StorageEntry>>, shelf: Shelf) -> impl IntoView {
    let own = StoredValue::new(key.clone());
    let entry = Memo::new(move |_| {
        entries
            .with(|all| all.iter().find(|entry| own.with_value(|own| entry.key == *own)).cloned())
            .unwrap_or_default()
    });
    let is_edited = Memo::new(move |_| {
        shelf.editing.with(|editing| editing.as_ref().is_some_and(|edit| own.with_value(|own| edit.0 == *own)))
    });
    let is_sure = RwSignal::new(false);
    let now = Chosen::expect().studio.now_ms;
    let edit =
        move |_| shelf.editing.set(Some((own.get_value(), pretty(&entry.with_untracked(|entry| entry.value.clone())))));
    let delete = move |_| {
        if is_sure.get_untracked() {
            shelf.set(own.get_value(), None, || {});
        } else {
            is_sure.set(true);
            // Asked once more, but not for ever.
            let unsure = move || {
                is_sure.try_set(false);
            };
            set_timeout(unsure, std::time::Duration::from_secs(4));
        }
    };
    let expires = move || {
        let at = entry.with(|entry| entry.expires_at_ms);
        at.map_or_else(|| "never".to_owned(), |at| format::countdown(at - now.get()))
    };
    view! {
        <tr data-testid="storage-row" data-key=key>
            <td class="storage-key">{own.get_value()}</td>
            <td class="storage-value">
                {move || if is_edited.get() {
                    view! { <Editor shelf/> }.into_any()
                } else {
                    view! {
                        <button class="value-button" data-testid="storage-edit" title="Edit the value" on:click=edit>
                            {move || entry.with(|entry| shortened(&entry.value))}
                        </button>
                    }.into_any()
                }}
            </td>
            {move || (shelf.kind.get() == "cache").then(|| view! { <td class="right num">{expires}</td> })}
            <td class="right">
                <button class="link is-bad" data-testid="storage-delete" on:click=delete>
                    {move || if is_sure.get() { "Sure?" } else { "Delete" }}
                </button>
            </td>
        </tr>
    }
}

#[component]
fn Editor(shelf: Shelf) -> impl IntoView {
    let text = Memo::new(move |_| {
        shelf.editing.with(|editing| editing.as_ref().map(|edit| edit.1.clone()).unwrap_or_default())
    });
    let is_cache = shelf.kind.get_untracked() == "cache";
    // The cache keeps text as the plugin wrote it; storage keeps JSON.
    let wrong = Memo::new(move |_| if is_cache { None } else { json_problem(&text.get()) });
    let save = move || {
        if wrong.get_untracked().is_some() {
            return;
        }
        if let Some((key, text)) = shelf.editing.get_untracked() {
            shelf.set(key, Some(text), move || shelf.editing.set(None));
        }
    };
    let rows = text.get_untracked().lines().count().clamp(2, 16).to_string();
    view! {
        <div
            class="value-editor"
            on:keydown=move |event| {
                if is_save_key(&event) {
                    save();
                } else if event.key() == "Escape" {
                    shelf.editing.set(None);
                }
            }
        >
            <textarea
                class="field mono"
                rows=rows
                aria-label="Value as JSON"
                data-testid="storage-text"
                autofocus
                spellcheck="false"
                prop:value=text
                on:input=move |event| {
                    let typed = event_target_value(&event);
                    shelf.editing.update(|editing| if let Some(edit) = editing { edit.1 = typed });
                }
            ></textarea>
            <div class="save-row">
                <span class="note config-wrong">{wrong}</span>
                <div class="grow"></div>
                <button class="button" on:click=move |_| shelf.editing.set(None)>"Cancel"</button>
                <button
                    class="button button-primary"
                    data-testid="storage-save"
                    disabled=move || wrong.with(Option::is_some) || shelf.change.busy.get()
                    on:click=move |_| save()
                >"Save"</button>
            </div>
        </div>
    }
}

fn shortened(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => json::compact(&value, LONGEST),
        Err(_) => json::compact(&Value::from(text), LONGEST),
    }
}

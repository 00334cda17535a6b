//! What a plugin keeps: its durable storage and its cache, to look into and to edit in place.

use leptos::{ev::SubmitEvent, prelude::*};
use serde_json::Value;
use weir_api::{
    ApiError,
    plugin::{PluginStorage, PluginStorageRequest, PluginStorageSet, StorageEntry},
    registry,
};

use crate::{
    change::Change,
    chosen::Chosen,
    client::Client,
    components::save_bar::{Refusal, is_save_key},
    config_form::json_problem,
    format, json, poll,
    state::put,
};

const LONGEST: usize = 160;

/// What the rows share.
#[derive(Clone, Copy)]
struct Shelf {
    id: StoredValue<String>,
    client: Client,
    kind: RwSignal<&'static str>,
    filter: RwSignal<String>,
    found: RwSignal<Option<Result<PluginStorage, ApiError>>>,
    /// Key of the value that is being edited, and its text.
    editing: RwSignal<Option<(String, String)>>,
    change: Change,
    /// Counts questions, so that an answer to an older one is not shown.
    asked: StoredValue<u64>,
}

impl Shelf {
    async fn ask(self) {
        let Some(asked) = self.asked.try_get_value() else { return };
        let request = PluginStorageRequest {
            id: self.id.get_value(),
            kind: self.kind.get_untracked().to_owned(),
            filter: self.filter.get_untracked(),
        };
        let answer = self.client.call::<registry::PluginStorage>(&request).await;
        if self.asked.try_get_value() == Some(asked) {
            put(self.found, Some(answer));
        }
    }

    fn ask_now(self) {
        self.asked.update_value(|asked| *asked += 1);
        leptos::task::spawn_local(self.ask());
    }

    fn set(self, key: String, value: Option<String>, then: impl FnOnce() + 'static) {
        let request =
            PluginStorageSet { id: self.id.get_value(), kind: self.kind.get_untracked().to_owned(), key, value };
        let client = self.client;
        self.change.run(async move { client.call::<registry::PluginStorageSet>(&request).await }, move |_| {
            then();
            self.ask_now();
        });
    }
}

#[component]
pub fn StorageTab() -> impl IntoView {
    let chosen = Chosen::expect();
    let shelf = Shelf {
        id: StoredValue::new(chosen.id()),
        client: chosen.client,
        kind: RwSignal::new("storage"),
        filter: RwSignal::default(),
        found: RwSignal::default(),
        editing: RwSignal::default(),
        change: Change::default(),
        asked: StoredValue::new(0),
    };
    poll::every_second(move || shelf.ask());
    let choose = move |kind: &'static str| {
        shelf.kind.set(kind);
        shelf.found.set(None);
        shelf.editing.set(None);
        shelf.ask_now();
    };
    let choice = move |kind: &'static str, title: &'static str| {
        view! {
            <button
                class="chip"
                data-testid=format!("kind-{kind}")
                aria-pressed=move || (shelf.kind.get() == kind).to_string()
                on:click=move |_| choose(kind)
            >{title}</button>
        }
    };
    let total = Memo::new(move |_| {
        shelf.found.with(|found| {
            found.as_ref().and_then(|found| found.as_ref().ok()).map(|found| (found.entries.len() as u64, found.total))
        })
    });
    view! {
        <div class="tools">
            <div class="chips" role="group" aria-label="What it keeps">{choice("storage", "Storage")}{choice("cache", "Cache")}</div>
            <input
                class="field"
                type="search"
                placeholder="Filter keys"
                aria-label="Filter keys"
                data-testid="storage-filter"
                spellcheck="false"
                prop:value=shelf.filter
                on:input=move |event| {
                    shelf.filter.set(event_target_value(&event));
                    shelf.ask_now();
                }
            />
            <span class="note" role="status">
                {move || total.get().map(|(shown, total)| if shown < total {
                    format!("{} of {} keys", format::count(shown), format::count(total))
                } else if total == 1 { "1 key".into() } else { format!("{} keys", format::count(total)) })}
            </span>
        </div>
        {move || shelf.change.problem.get().map(|error| view! { <Refusal error/> })}
        {move || match shelf.found.get() {
            None => view! { <div class="empty"><span>"Loading…"</span></div> }.into_any(),
            Some(Err(error)) => view! { <Refusal error/> }.into_any(),
            Some(Ok(found)) if found.entries.is_empty() => view! { <NothingKept shelf/> }.into_any(),
            Some(Ok(_)) => view! { <Entries shelf/> }.into_any(),
        }}
        <AddEntry shelf/>
    }
}

#[component]
fn NothingKept(shelf: Shelf) -> impl IntoView {
    move || {
        let call = if shelf.kind.get() == "cache" { "cache.set(key, value)" } else { "storage.set(key, value)" };
        if shelf.filter.with(String::is_empty) {
            view! {
                <div class="empty">
                    <strong>"Nothing kept"</strong>
                    <span>"The plugin keeps values with " <code>"await meta."{call}</code> "; each key appears here within a second."</span>
                </div>
            }
            .into_any()
        } else {
            view! { <div class="empty"><strong>"No key contains this"</strong></div> }.into_any()
        }
    }
}

#[component]
fn Entries(shelf: Shelf) -> impl IntoView {
    let entries = Memo::new(move |_| {
        shelf.found.with(|found| match found {
            Some(Ok(found)) => found.entries.clone(),
            _ => Vec::new(),
        })
    });
    let is_cache = move || shelf.kind.get() == "cache";
    // By key and content: a row that is being edited is left alone while the plugin writes others.
    let rows = move || entries.get();
    let row_key = |entry: &StorageEntry| entry.key.clone();
    view! {
        <div class="storage-frame">
            <table class="table storage-table" data-testid="storage-table">
                <thead><tr>
                    <th>"Key"</th><th>"Value"</th>
                    {move || is_cache().then(|| view! { <th class="right">"Expires"</th> })}
                    <th></th>
                </tr></thead>
                <tbody><For each=rows key=row_key children=move |entry| view! { <Row key=entry.key entries shelf/> }/></tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(key: String, entries: Memo<Vec<StorageEntry>>, shelf: Shelf) -> impl IntoView {
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
    let now = shelf_clock();
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

/// The server's clock, ticking with the frames.
fn shelf_clock() -> RwSignal<i64> {
    Chosen::expect().studio.now_ms
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

#[component]
fn AddEntry(shelf: Shelf) -> impl IntoView {
    let (key, value) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let wrong = Memo::new(move |_| {
        let is_typed = !value.with(|text| text.trim().is_empty());
        value.with(|text| if is_typed && shelf.kind.get() != "cache" { json_problem(text) } else { None })
    });
    let ready = Memo::new(move |_| {
        !key.with(|key| key.trim().is_empty())
            && !value.with(|text| text.trim().is_empty())
            && wrong.with(Option::is_none)
    });
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        if ready.get_untracked() {
            let (added, text) = (key.get_untracked().trim().to_owned(), value.get_untracked());
            shelf.set(added, Some(text), move || {
                key.set(String::new());
                value.set(String::new());
            });
        }
    };
    view! {
        <form class="storage-add" on:submit=add>
            <input
                class="field mono"
                type="text"
                placeholder="new key"
                aria-label="New key"
                data-testid="storage-new-key"
                spellcheck="false"
                prop:value=key
                on:input=move |event| key.set(event_target_value(&event))
            />
            <input
                class="field mono"
                type="text"
                placeholder=r#"value as JSON: 1, "text", {"a": true}"#
                aria-label="New value"
                data-testid="storage-new-value"
                spellcheck="false"
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            />
            <button class="button" data-testid="storage-add" disabled=move || !ready.get() || shelf.change.busy.get()>"Add"</button>
            {move || wrong.get().map(|text| view! { <p class="config-wrong">{text}</p> })}
        </form>
    }
}

/// JSON over several lines; other text as it is.
fn pretty(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text).and_then(|value| serde_json::to_string_pretty(&value));
    value.unwrap_or_else(|_| text.to_owned())
}

fn shortened(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => json::compact(&value, LONGEST),
        Err(_) => json::compact(&Value::from(text), LONGEST),
    }
}

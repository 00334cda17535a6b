//! What a plugin keeps: its durable storage and its cache, to look into and to edit in place.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use weir_api::{
    ApiError,
    plugin::{PluginStorage, PluginStorageRequest, PluginStorageSet, StorageEntry},
    registry,
};

use crate::{
    change::Change,
    chosen::Chosen,
    client::Client,
    components::{save_bar::Refusal, storage_row::Row},
    config_form::json_problem,
    format, poll,
    state::put,
};

/// What the rows share.
#[derive(Clone, Copy)]
pub struct Shelf {
    id: StoredValue<String>,
    client: Client,
    pub kind: RwSignal<&'static str>,
    filter: RwSignal<String>,
    found: RwSignal<Option<Result<PluginStorage, ApiError>>>,
    /// Key of the value that is being edited, and its text.
    pub editing: RwSignal<Option<(String, String)>>,
    pub change: Change,
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
        spawn_local(self.ask());
    }

    pub fn set(self, key: String, value: Option<String>, then: impl FnOnce() + 'static) {
        let request =
            PluginStorageSet { id: self.id.get_value(), kind: self.kind.get_untracked().to_owned(), key, value };
        let client = self.client;
        self.change.run(async move { client.call::<registry::PluginStorageSet>(&request).await }, move |_| {
            then();
            self.ask_now();
        });
    }
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Loading,
    Failed(ApiError),
    Empty,
    Entries,
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
    // Rows are kept while values change: one of them may be under someone's hands.
    let state = Memo::new(move |_| {
        shelf.found.with(|found| match found {
            None => State::Loading,
            Some(Err(error)) => State::Failed(error.clone()),
            Some(Ok(found)) if found.entries.is_empty() => State::Empty,
            Some(Ok(_)) => State::Entries,
        })
    });
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
        {move || match state.get() {
            State::Loading => view! { <div class="empty"><span>"Loading…"</span></div> }.into_any(),
            State::Failed(error) => view! { <Refusal error/> }.into_any(),
            State::Empty => view! { <NothingKept shelf/> }.into_any(),
            State::Entries => view! { <Entries shelf/> }.into_any(),
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

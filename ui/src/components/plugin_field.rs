//! One field of a plugin's configuration.

use leptos::{html, prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;
use weir_api::plugin::{AttachmentUpload, ConfigFieldView};

use crate::{
    change::Change,
    chosen::Chosen,
    components::prose_view::Prose,
    config_form::{Draft, Edit, edit, is_visible, lacks_value, problem, value_of},
    format,
};

/// What the parts of a field share. The form's fields carry the values that are saved.
#[derive(Clone, Copy)]
struct Bound {
    field: StoredValue<ConfigFieldView>,
    fields: Memo<Vec<ConfigFieldView>>,
    draft: RwSignal<Draft>,
}

impl Bound {
    /// Reads the field with its saved value, and the draft.
    fn with<T>(self, read: impl FnOnce(&ConfigFieldView, &Draft) -> T) -> T {
        self.draft.with(|draft| {
            self.fields.with(|fields| {
                let key = self.field.with_value(|field| field.key.clone());
                match fields.iter().find(|field| field.key == key) {
                    Some(field) => read(field, draft),
                    None => self.field.with_value(|field| read(field, draft)),
                }
            })
        })
    }

    fn take(self, text: String) {
        let saved = untrack(|| self.with(|field, _| field.clone()));
        self.draft.update(|draft| edit(draft, &saved, text));
    }

    fn put(self, change: Edit) {
        self.draft.update(|draft| drop(draft.insert(self.key(), change)));
    }

    fn forget(self) {
        self.draft.update(|draft| drop(draft.remove(&self.key())));
    }

    fn key(self) -> String {
        self.field.with_value(|field| field.key.clone())
    }

    fn id(self) -> String {
        format!("config-{}", self.key())
    }

    fn text(self) -> String {
        self.with(|field, draft| value_of(field, draft).to_owned())
    }

    fn has_saved(self) -> bool {
        self.with(|field, _| field.value.as_ref().is_some_and(|value| !value.is_empty()))
    }
}

#[component]
pub fn Field(
    field: ConfigFieldView,
    fields: Memo<Vec<ConfigFieldView>>,
    /// The field that the server's refusal names.
    blame: Memo<Option<String>>,
    change: Change,
) -> impl IntoView {
    let bound = Bound { field: StoredValue::new(field.clone()), fields, draft: Chosen::expect().drafts.config };
    let shown = Memo::new(move |_| {
        bound.draft.with(|draft| fields.with(|all| bound.field.with_value(|field| is_visible(field, all, draft))))
    });
    let is_prose = field.key.is_empty();
    let kind = field.kind.clone();
    let refused = Memo::new(move |_| change.problem.get().filter(|_| blame.get() == Some(bound.key())));
    let wrong = Memo::new(move |_| {
        let refusal = || refused.get().map(|error| error.message);
        bound.with(problem).or_else(refusal)
    });
    let is_edited = Memo::new(move |_| bound.draft.with(|draft| draft.contains_key(&bound.key())));
    let lacks = Memo::new(move |_| bound.with(lacks_value));
    view! {
        <div class="config-field" hidden=move || !shown.get() class:is-wrong=move || wrong.with(Option::is_some) data-key=field.key.clone()>
            {(!is_prose).then(|| view! {
                <label for=bound.id()>
                    {field.name.clone()}
                    {field.required.then(|| view! { <i class="required" title="Required">"required"</i> })}
                    {field.secret.then(|| view! { <i class="secret" title="Kept in a file of its own, out of logs and screens">"secret"</i> })}
                    {move || is_edited.get().then(|| view! { <i class="edited">"edited"</i> })}
                    {(field.name != field.key).then(|| view! { <code>{field.key.clone()}</code> })}
                </label>
            })}
            {[field.markdown.clone(), field.description.clone()].into_iter().filter(|text| !text.is_empty()).map(|text| view! {
                <div class="prose"><Prose text/></div>
            }).collect_view()}
            {(!is_prose).then(|| match kind.as_str() {
                "attachment" => view! { <Attachment bound/> }.into_any(),
                _ if field.secret => view! { <Secret bound/> }.into_any(),
                "choice" => view! { <Choice bound/> }.into_any(),
                "json" => view! { <Json bound/> }.into_any(),
                _ => view! { <Text bound/> }.into_any(),
            })}
            {(!field.hint.is_empty()).then(|| view! { <div class="config-hint"><Prose text=field.hint.clone()/></div> })}
            {(!is_prose).then(|| view! { <DefaultNote bound/> })}
            {move || wrong.get().map(|text| view! { <p class="config-wrong" role="alert" data-testid="field-problem">{text}</p> })}
            {move || (lacks.get() && wrong.with(Option::is_none)).then(|| view! { <p class="config-lacks">"Needs a value."</p> })}
        </div>
    }
}

/// The default, and the way back to it.
#[component]
fn DefaultNote(bound: Bound) -> impl IntoView {
    let default = bound.field.with_value(|field| field.default.clone()).filter(|text| !text.is_empty());
    default.map(|text| {
        let own = text.clone();
        let differs = move || bound.with(|field, draft| value_of(field, draft) != own);
        let short: String =
            if text.chars().count() > 60 { text.chars().take(60).chain(['…']).collect() } else { text };
        view! {
            <p class="config-default">
                "Default " <code>{short}</code>
                {move || differs().then(|| view! {
                    <button type="button" class="link" on:click=move |_| bound.put(Edit::Default)>"Use it"</button>
                })}
            </p>
        }
    })
}

#[component]
fn Text(bound: Bound) -> impl IntoView {
    view! {
        <input
            class="field"
            type="text"
            id=bound.id()
            data-testid="config-input"
            autocomplete="off"
            spellcheck="false"
            prop:value=move || bound.text()
            on:input=move |event| bound.take(event_target_value(&event))
        />
    }
}

#[component]
fn Json(bound: Bound) -> impl IntoView {
    let rows = bound.text().lines().count().clamp(3, 14).to_string();
    view! {
        <textarea
            class="field mono"
            id=bound.id()
            data-testid="config-input"
            rows=rows
            spellcheck="false"
            prop:value=move || bound.text()
            on:input=move |event| bound.take(event_target_value(&event))
        ></textarea>
    }
}

#[component]
fn Choice(bound: Bound) -> impl IntoView {
    let choices = bound.field.with_value(|field| field.choices.clone());
    let known = choices.clone();
    // A value that is no choice must be seen, not silently shown as the first one.
    let stray = move || Some(bound.text()).filter(|text| !known.contains(text));
    let option = move |choice: String| {
        let own = choice.clone();
        view! { <option value=choice.clone() selected=move || bound.text() == own>{choice.clone()}</option> }
    };
    view! {
        <select
            class="select"
            id=bound.id()
            data-testid="config-input"
            prop:value=move || bound.text()
            on:change=move |event| bound.take(event_target_value(&event))
        >
            {move || stray().map(|text| {
                let title = if text.is_empty() { "– nothing chosen –".to_owned() } else { format!("{text} (no choice)") };
                view! { <option value=text selected=true>{title}</option> }
            })}
            {choices.into_iter().map(option).collect_view()}
        </select>
    }
}

/// A value that is set is never shown; it can be replaced.
#[component]
fn Secret(bound: Bound) -> impl IntoView {
    let is_edited = Memo::new(move |_| bound.draft.with(|draft| draft.contains_key(&bound.key())));
    let has_saved = Memo::new(move |_| bound.has_saved());
    move || {
        if has_saved.get() && !is_edited.get() {
            return view! {
                <div class="secret-row">
                    <span class="secret-mask" data-testid="secret-mask">"••••••••••••"</span>
                    <button type="button" class="button" data-testid="secret-replace" on:click=move |_| bound.put(Edit::Text(String::new()))>"Replace"</button>
                    <button type="button" class="link" on:click=move |_| bound.put(Edit::Default)>"Clear"</button>
                </div>
            }
            .into_any();
        }
        view! {
            <div class="secret-row">
                <input
                    class="field"
                    type="password"
                    id=bound.id()
                    data-testid="config-input"
                    autocomplete="off"
                    placeholder=move || if has_saved.get() { "new value" } else { "" }
                    prop:value=move || bound.text()
                    on:input=move |event| bound.put(Edit::Text(event_target_value(&event)))
                />
                {move || has_saved.get().then(|| view! {
                    <button type="button" class="link" on:click=move |_| bound.forget()>"Keep the old one"</button>
                })}
            </div>
        }
        .into_any()
    }
}

#[component]
fn Attachment(bound: Bound) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let failed = RwSignal::new(None::<String>);
    let pick = move |_| {
        let Some(file) = input.get_untracked().and_then(|input| input.files()).and_then(|files| files.get(0)) else {
            return;
        };
        failed.set(None);
        spawn_local(async move {
            match read(&file).await {
                Some(edit) => bound.put(edit),
                None => failed.set(Some(format!("{} cannot be read: was it moved or deleted?", file.name()))),
            }
        });
    };
    let open = move |_| {
        if let Some(input) = input.get_untracked() {
            // Or the same file, edited, would be no change.
            input.set_value("");
            input.click();
        }
    };
    let said = move || {
        bound.with(|field, draft| match draft.get(&field.key) {
            Some(Edit::File { upload, size_bytes }) => {
                format!("{} · {}", upload.file_name, format::bytes(*size_bytes))
            }
            Some(Edit::Default) => "No file after saving".to_owned(),
            _ => field.value.clone().unwrap_or_else(|| "No file".to_owned()),
        })
    };
    view! {
        <div class="secret-row">
            <input type="file" hidden id=bound.id() data-testid="config-file" node_ref=input on:change=pick/>
            <span class="file-name">{said}</span>
            <button type="button" class="button" on:click=open>"Choose a file…"</button>
            {move || (bound.has_saved() || !bound.text().is_empty()).then(|| view! {
                <button type="button" class="link" on:click=move |_| bound.put(Edit::Default)>"Take away"</button>
            })}
        </div>
        {move || failed.get().map(|text| view! { <p class="config-wrong" role="alert">{text}</p> })}
    }
}

async fn read(file: &File) -> Option<Edit> {
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
    // One letter a byte, which is what `btoa` takes.
    let letters: String = bytes.iter().copied().map(char::from).collect();
    let contents = window().btoa(&letters).ok()?;
    let named = file.type_();
    let content_type = if named.is_empty() { "application/octet-stream".to_owned() } else { named };
    let upload = AttachmentUpload { file_name: file.name(), content_type, contents };
    Some(Edit::File { upload, size_bytes: bytes.len() as u64 })
}

//! Under a form: what is not saved yet, Save and Revert.

use leptos::prelude::*;
use web_sys::KeyboardEvent;
use weir_api::ApiError;

use crate::change::Change;

#[component]
pub fn SaveBar(
    change: Change,
    #[prop(into)] dirty: Signal<bool>,
    /// What has to be put right before saving.
    #[prop(into)]
    blocked: Signal<Option<String>>,
    /// A refusal that is not shown elsewhere.
    #[prop(into)]
    problem: Signal<Option<ApiError>>,
    on_revert: Callback<()>,
) -> impl IntoView {
    let state = move || match (change.busy.get(), dirty.get(), change.done.get()) {
        (true, ..) => "Saving; the plugin reloads…",
        (_, true, _) => "Not saved yet",
        (_, _, true) => "Saved, and in force",
        _ => "Everything is saved",
    };
    view! {
        <div class="save-bar" class:is-dirty=move || dirty.get()>
            {move || problem.get().map(|error| view! { <Refusal error/> })}
            <div class="save-row">
                <span class="note" role="status" data-testid="save-state">
                    {move || blocked.get().filter(|_| dirty.get()).unwrap_or_else(|| state().to_owned())}
                </span>
                <div class="grow"></div>
                <button
                    type="button"
                    class="button"
                    data-testid="revert"
                    disabled=move || !dirty.get() || change.busy.get()
                    on:click=move |_| {
                        change.problem.set(None);
                        on_revert.run(());
                    }
                >
                    "Revert"
                </button>
                <button
                    class="button button-primary"
                    data-testid="save"
                    disabled=move || !dirty.get() || change.busy.get() || blocked.with(Option::is_some)
                >
                    {move || if change.busy.get() { "Saving…" } else { "Save" }} <kbd>"Ctrl S"</kbd>
                </button>
            </div>
        </div>
    }
}

#[component]
pub fn Refusal(error: ApiError) -> impl IntoView {
    view! {
        <div class="refusal" role="alert" data-testid="refusal">
            <b>{error.message}</b>
            {error.hint.map(|hint| view! { <span>{hint}</span> })}
        </div>
    }
}

/// Ctrl/⌘+S in a form; `true` when that was pressed.
pub fn is_save_key(event: &KeyboardEvent) -> bool {
    let is_save = (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("s");
    if is_save {
        event.prevent_default();
    }
    is_save
}

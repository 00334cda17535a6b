//! Why a save is not live, and what failed while processing.

use leptos::prelude::*;
use weir_api::plugin::{Diagnostic, RuntimeFailure};

use crate::{components::event_list::timezone_offset, format};

#[component]
pub fn LoadError(
    error: Diagnostic,
    /// The version that still serves; empty when there is none.
    serving: String,
) -> impl IntoView {
    let place = match (error.line, error.column) {
        (0, _) => error.file.clone(),
        (line, 0) => format!("{}:{line}", error.file),
        (line, column) => format!("{}:{line}:{column}", error.file),
    };
    let caret = (error.column > 0 && !error.excerpt.is_empty()).then(|| {
        // Tabs stay tabs, so that the caret stands under its character.
        let lead = error.excerpt.chars().take(error.column as usize - 1);
        lead.map(|letter| if letter == '\t' { '\t' } else { ' ' }).chain(['^']).collect::<String>()
    });
    let gutter = (error.line > 0).then(|| error.line.to_string());
    view! {
        <section class="code-error" data-testid="plugin-error" role="alert">
            <header><b>"The newest save does not load"</b><code>{place}</code></header>
            <p>{error.message}</p>
            {(!error.excerpt.is_empty()).then(|| view! {
                <div class="excerpt">
                    <pre class="gutter">{gutter}</pre>
                    <pre>{error.excerpt}"\n"<span class="caret">{caret}</span></pre>
                </div>
            })}
            {error.hint.map(|hint| view! { <p class="hint">{hint}</p> })}
            <footer>
                {if serving.is_empty() {
                    "No version ever loaded: events pass this plugin unchanged.".into_any()
                } else {
                    view! { "Last good version " <code class="hash">{format::short_version(&serving).to_owned()}</code> " still serves." }.into_any()
                }}
            </footer>
        </section>
    }
}

#[component]
pub fn RuntimeError(error: RuntimeFailure) -> impl IntoView {
    view! {
        <section class="code-error code-error-amber" data-testid="plugin-runtime-error">
            <header>
                <b>"Last failure while processing"</b>
                <code>{error.kind} " · " {format::clock(error.at_ms, timezone_offset())}</code>
            </header>
            <pre class="error-text">{error.message}</pre>
            {(!error.consequence.is_empty()).then(|| view! { <p class="consequence">{error.consequence} "."</p> })}
            <footer>
                "version " <code class="hash">{format::short_version(&error.version).to_owned()}</code>
                " · event " <code>{error.event_uuid}</code>
            </footer>
        </section>
    }
}

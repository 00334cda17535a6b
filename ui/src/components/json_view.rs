//! JSON as coloured text.

use leptos::prelude::*;
use serde_json::Value;

use crate::json;

#[component]
pub fn JsonView(value: Value) -> impl IntoView {
    let lines = json::lines(&value).into_iter().map(|line| {
        let spans = line.into_iter().map(|(kind, text)| view! { <span class=kind.class()>{text}</span> });
        view! { <div class="json-line">{spans.collect_view()}</div> }
    });
    view! { <pre class="json" tabindex="0">{lines.collect_view()}</pre> }
}

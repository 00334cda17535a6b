//! A difference as rows: path, then what was and what is.

use leptos::prelude::*;
use serde_json::Value;

use crate::{
    diff::{self, Change, Diff, Row},
    json,
};

/// Longer values are cut here; the tabs beside show them whole.
const LONGEST: usize = 320;

#[component]
pub fn DiffView(diff: Diff) -> impl IntoView {
    let unchanged = diff.unchanged;
    view! {
        <div class="diff" role="table" aria-label="Changes">
            {diff.rows.into_iter().map(row).collect_view()}
            {(!unchanged.is_empty()).then(|| view! {
                <details class="diff-same">
                    <summary>{format!("{} unchanged", unchanged.len())}</summary>
                    <p>{unchanged.join(", ")}</p>
                </details>
            })}
        </div>
    }
}

fn row(row: Row) -> impl IntoView {
    let (last, parents) = row.path.split_last().map_or_else(
        || (String::from("(the event)"), String::new()),
        |(last, parents)| {
            let parents = diff::dotted(parents);
            let joint = if parents.is_empty() || last.starts_with('[') { "" } else { "." };
            (last.clone(), format!("{parents}{joint}"))
        },
    );
    let (kind, sign, values) = match row.change {
        Change::Added(new) => ("added", "+", view! { <Scalar value=new side="new"/> }.into_any()),
        Change::Removed(old) => ("removed", "−", view! { <Scalar value=old side="old"/> }.into_any()),
        Change::Changed { old, new } => (
            "changed",
            "~",
            view! { <Scalar value=old side="old"/> <span class="diff-arrow">"→"</span> <Scalar value=new side="new"/> }
                .into_any(),
        ),
    };
    view! {
        <div class="diff-row" role="row" data-kind=kind>
            <span class="diff-sign" role="cell" aria-label=kind>{sign}</span>
            <span class="diff-path" role="cell"><i>{parents}</i>{last}</span>
            <span class="diff-values" role="cell">{values}</span>
        </div>
    }
}

#[component]
fn Scalar(value: Value, side: &'static str) -> impl IntoView {
    view! { <span class="diff-value" data-side=side>{json::compact(&value, LONGEST)}</span> }
}

//! The result of a comparison: a line, then groups of events with the same difference, each with examples.

use leptos::prelude::*;
use serde_json::Value;
use weir_api::diff::{Delta, DiffCounts, DiffExample, DiffGroup, PluginDiff, VersionRef};

use crate::{chosen::Chosen, components::diff_view::DiffView, diff::Diff, format, json};

/// Longer values are cut; the journey shows them whole.
const LONGEST: usize = 240;

#[component]
pub fn DiffResult(diff: PluginDiff) -> impl IntoView {
    let version = |of: &VersionRef| format!("{} ({})", format::short_version(&of.version), of.place);
    let head = format!("{} → {}", version(&diff.from), version(&diff.to));
    let samples = if diff.sample_events > 0 { format!(", {} of samples", diff.sample_events) } else { String::new() };
    let is_empty = diff.is_empty();
    let counts = chips(&diff.counts);
    view! {
        <section class="pane-part" data-testid="diff-result">
            <h2>{head} " " <span class="note">{format!("{} events{samples}, {}", format::count(diff.events), format::millis(diff.took_ms))}</span></h2>
            <div class="diff-counts" data-testid="diff-counts">
                {if is_empty { view! { <b>"No difference"</b> }.into_any() } else { counts.into_any() }}
            </div>
            <p class="diff-consequence" data-testid="diff-consequence">{diff.consequence.clone()}</p>
            {diff.divergence.clone().map(|divergence| view! {
                <p class="pane-warning"><b>"Not recorded: "</b><span>{divergence.call}</span></p>
            })}
            {diff.notes.iter().map(|note| view! { <p class="note">{note.clone()}</p> }).collect_view()}
        </section>
        <Groups title="Events" groups=diff.fates.clone()/>
        <Groups title="Fields" groups=diff.fields.clone()/>
        <Groups title="Errors" groups=diff.errors.clone()/>
        <Kept diff=diff.clone()/>
        <section class="pane-part">
            <h2>"Cost"</h2>
            <dl class="facts" data-testid="diff-cost">
                <dt>"CPU p50"</dt><dd>{delta(diff.cpu_us_p50, format::micros)}</dd>
                <dt>"CPU p99"</dt><dd>{delta(diff.cpu_us_p99, format::micros)}</dd>
                <dt>"memory"</dt><dd>{delta(diff.memory_bytes, |bytes| format::bytes(bytes as u64))}</dd>
                <dt>"log lines"</dt><dd>{delta(diff.logs.lines, whole)}</dd>
                <dt>"events made"</dt><dd>{delta(diff.made, whole)}</dd>
                <dt>"jobs"</dt><dd>{delta(diff.jobs, whole)}</dd>
            </dl>
        </section>
    }
}

fn whole(value: f64) -> String {
    format::count(value as u64)
}

fn delta(delta: Delta, show: impl Fn(f64) -> String) -> String {
    format!("{} → {}", show(delta.before), show(delta.after))
}

fn chips(counts: &DiffCounts) -> impl IntoView + use<> {
    let all = [
        (counts.changed, "changed", "changed"),
        (counts.newly_dropped, "newly dropped", "removed"),
        (counts.undropped, "un-dropped", "added"),
        (counts.newly_dead_lettered, "newly dead-lettered", "removed"),
        (counts.no_longer_dead_lettered, "no longer dead-lettered", "added"),
        (counts.errors_new, "new errors", "removed"),
        (counts.errors_gone, "errors gone", "added"),
        (counts.made_changed, "with other events made", "changed"),
    ];
    let chip = |(count, what, kind): (u64, &'static str, &'static str)| {
        (count > 0)
            .then(|| view! { <span class="tally"><i data-kind=kind>{format::count(count)} " " {what}</i></span> })
    };
    all.map(chip).into_iter().collect_view()
}

#[component]
fn Groups(title: &'static str, groups: Vec<DiffGroup>) -> impl IntoView {
    (!groups.is_empty()).then(|| {
        view! {
            <section class="pane-part">
                <h2>{title}</h2>
                {groups.into_iter().map(|group| view! { <Group group/> }).collect_view()}
            </section>
        }
    })
}

#[component]
fn Group(group: DiffGroup) -> impl IntoView {
    let name = if group.path.is_empty() { format::words(&group.kind) } else { group.path.clone() };
    let kind = if group.path.is_empty() { String::new() } else { format::words(&group.kind) };
    let sign = match group.kind.as_str() {
        "added" | "undropped" | "error_gone" | "no_longer_dead_lettered" => "added",
        "removed" | "newly_dropped" | "error_new" | "newly_dead_lettered" => "removed",
        _ => "changed",
    };
    view! {
        <details class="call" data-testid="diff-group" data-path=group.path.clone() data-kind=group.kind.clone()>
            <summary>
                <span class="tally"><i data-kind=sign>{format::count(group.count)}</i></span>
                <span></span>
                <span class="call-url"><b>{name}</b></span>
                <span class="note">{kind}</span>
            </summary>
            {group.examples.into_iter().map(|example| view! { <Example example/> }).collect_view()}
        </details>
    }
}

#[component]
fn Example(example: DiffExample) -> impl IntoView {
    let chosen = Chosen::expect();
    let DiffExample { offset, sample, uuid, event, before, after } = example;
    let place = match offset {
        Some(offset) => view! {
            <button class="link" title="Show its journey" on:click=move |_| chosen.studio.selected.set(Some(offset))>
                {event} " · offset " {format::count(offset)} " →"
            </button>
        }
        .into_any(),
        None => {
            view! { <span class="note">{event} " · " {sample.map_or(uuid, |name| format!("sample {name}"))}</span> }
                .into_any()
        }
    };
    let values = match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            view! { <DiffView diff=Diff::between(&Value::Object(before), &Value::Object(after))/> }.into_any()
        }
        (before, after) => {
            let text =
                |value: Option<Value>| value.map_or_else(|| "–".to_owned(), |value| json::compact(&value, LONGEST));
            view! {
                <div class="diff-pair">
                    <span class="diff-value" data-side="old">{text(before)}</span>
                    <span class="diff-arrow">"→"</span>
                    <span class="diff-value" data-side="new">{text(after)}</span>
                </div>
            }
            .into_any()
        }
    };
    view! { <div class="call-part">{place}{values}</div> }
}

/// Storage and log lines.
#[component]
fn Kept(diff: PluginDiff) -> impl IntoView {
    let side = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let entries = diff.storage.entries.into_iter().map(move |entry| {
        view! { <dt>{entry.key}</dt><dd>{side(entry.before)} " → " {side(entry.after)}</dd> }
    });
    let storage = (diff.storage.changed > 0).then(|| {
        view! {
            <section class="pane-part">
                <h2>"Storage " <span class="note">{format!("{} keys differ", format::count(diff.storage.changed))}</span></h2>
                <dl class="facts" data-testid="diff-storage">{entries.collect_view()}</dl>
            </section>
        }
    });
    let messages = diff.logs.messages;
    let logs = (!messages.is_empty()).then(|| {
        let line = |message: weir_api::diff::MessageDelta| {
            view! { <dt>{message.level}</dt><dd>{message.message} " · " {delta(message.count, whole)}</dd> }
        };
        view! {
            <section class="pane-part">
                <h2>"Log lines"</h2>
                <dl class="facts" data-testid="diff-logs">{messages.into_iter().map(line).collect_view()}</dl>
            </section>
        }
    });
    view! { {storage}{logs} }
}

//! What a plugin may use, and what becomes of an event that fails.

use leptos::{ev::SubmitEvent, prelude::*};
use weir_api::plugin::{LimitPreset, PluginConfigure, PluginLimits};

use crate::{
    change::Change,
    chosen::{Chosen, LimitsDraft},
    components::save_bar::{SaveBar, is_save_key},
};

struct Figure {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    note: &'static str,
    least: u64,
    most: u64,
    get: fn(&PluginLimits) -> Option<u64>,
    set: fn(&mut PluginLimits, u64),
}

const FIGURES: [Figure; 7] = [
    Figure {
        name: "cpu_ms_per_event",
        title: "CPU",
        unit: "ms for each event",
        note: "Waiting does not count. Past it the instance is ended.",
        least: 1,
        most: 600_000,
        get: |limits| limits.cpu_ms_per_event,
        set: |limits, value| limits.cpu_ms_per_event = Some(value),
    },
    Figure {
        name: "wait_ms_per_event",
        title: "Waiting",
        unit: "ms for each event",
        note: "Timers and HTTP together.",
        least: 1,
        most: 600_000,
        get: |limits| limits.wait_ms_per_event,
        set: |limits, value| limits.wait_ms_per_event = Some(value),
    },
    Figure {
        name: "instructions_per_event",
        title: "Instructions",
        unit: "of WebAssembly for each event",
        note: "0 does not count them, which is faster.",
        least: 0,
        most: u64::MAX,
        get: |limits| limits.instructions_per_event,
        set: |limits, value| limits.instructions_per_event = Some(value),
    },
    Figure {
        name: "memory_mib",
        title: "Memory",
        unit: "MiB",
        note: "Of one instance, engine included.",
        least: 1,
        most: 2_048,
        get: |limits| limits.memory_mib,
        set: |limits, value| limits.memory_mib = Some(value),
    },
    Figure {
        name: "output_kib",
        title: "Event size",
        unit: "KiB",
        note: "JSON of an event after the plugin.",
        least: 1,
        most: 65_536,
        get: |limits| limits.output_kib,
        set: |limits, value| limits.output_kib = Some(value),
    },
    Figure {
        name: "log_lines_per_second",
        title: "Log",
        unit: "lines a second",
        note: "More are counted and left out.",
        least: 1,
        most: 1_000_000,
        get: |limits| limits.log_lines_per_second,
        set: |limits, value| limits.log_lines_per_second = Some(value),
    },
    Figure {
        name: "http_calls_per_event",
        title: "HTTP",
        unit: "requests for each event",
        note: "Further ones fail.",
        least: 1,
        most: 1_000_000,
        get: |limits| limits.http_calls_per_event,
        set: |limits, value| limits.http_calls_per_event = Some(value),
    },
];

const ON_ERROR: [(&str, &str, &str); 3] = [
    (
        "continue",
        "Goes on",
        "As in PostHog: stored with the changes made so far, or as it came when the plugin was stopped.",
    ),
    ("drop", "Dropped", "It ends here and is counted as dropped. Nothing of it is stored."),
    ("dead_letter", "Dead letter", "Kept whole with the reason, out of the store. Health sends it through once more."),
];

/// What is wrong with a typed figure.
fn wrong(figure: &Figure, text: &str) -> Option<String> {
    match text.trim().parse::<u64>() {
        Ok(value) if (figure.least..=figure.most).contains(&value) => None,
        _ => Some(format!("{}: a whole number from {} to {}", figure.title, figure.least, figure.most)),
    }
}

#[component]
pub fn LimitsTab() -> impl IntoView {
    let chosen = Chosen::expect();
    let draft = chosen.drafts.limits;
    let change = Change::default();
    let saved = chosen.part(|detail| detail.limits.clone());
    let presets = chosen.part(|detail| detail.presets.clone());
    let saved_on_error = chosen.part(|detail| detail.on_error.clone());
    let preset = Memo::new(move |_| {
        draft
            .with(|draft| draft.preset.clone())
            .or_else(|| saved.with(|saved| saved.preset.clone()))
            .unwrap_or_default()
    });
    let on_error =
        Memo::new(move |_| draft.with(|draft| draft.on_error.clone()).unwrap_or_else(|| saved_on_error.get()));
    let dirty = Memo::new(move |_| draft.with(|draft| *draft != LimitsDraft::default()));
    let blocked = Memo::new(move |_| {
        draft.with(|draft| FIGURES.iter().find_map(|figure| wrong(figure, draft.figures.get(figure.name)?)))
    });
    let save = move || {
        let typed = draft.get_untracked();
        if blocked.get_untracked().is_some() || typed == LimitsDraft::default() {
            return;
        }
        let mut limits = PluginLimits { preset: typed.preset.clone(), ..PluginLimits::default() };
        for figure in &FIGURES {
            if let Some(value) = typed.figures.get(figure.name).and_then(|text| text.trim().parse().ok()) {
                (figure.set)(&mut limits, value);
            }
        }
        let limits = (limits != PluginLimits::default()).then_some(limits);
        let request = PluginConfigure { limits, on_error: typed.on_error, ..PluginConfigure::default() };
        chosen.configure(change, request, move || draft.set(LimitsDraft::default()));
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        save();
    };
    let choose = move |name: String| {
        draft.update(|draft| {
            let is_saved = saved.with_untracked(|saved| saved.preset.as_ref() == Some(&name));
            draft.preset = (!is_saved).then_some(name);
            // Another preset starts from its own figures.
            draft.figures.clear();
        });
    };
    let card = move |one: LimitPreset| {
        let (name, own) = (one.name.clone(), one.name.clone());
        let pick = move |_| choose(name.clone());
        let is_on = Memo::new(move |_| preset.get() == own);
        view! {
            <label class="choice" class:is-on=move || is_on.get() data-testid=format!("preset-{}", one.name)>
                <input type="radio" name="preset" prop:checked=move || is_on.get() on:change=pick/>
                <b>{one.title}</b>
                <span>{one.source}</span>
            </label>
        }
    };
    let reaction = move |(name, title, what): (&'static str, &'static str, &'static str)| {
        let pick = move |_| {
            let is_saved = saved_on_error.with_untracked(|saved| saved == name);
            draft.update(|draft| draft.on_error = (!is_saved).then(|| name.to_owned()));
        };
        view! {
            <label class="choice" class:is-on=move || on_error.get() == name data-testid=format!("on-error-{name}")>
                <input type="radio" name="on-error" prop:checked=move || on_error.get() == name on:change=pick/>
                <b>{title}</b>
                <span>{what}</span>
            </label>
        }
    };
    view! {
        <form class="form" novalidate on:submit=submit on:keydown=move |event| if is_save_key(&event) { save() }>
            <fieldset class="choices-part"><legend>"The limits of"</legend><div class="choices">{move || presets.get().into_iter().map(card).collect_view()}</div></fieldset>
            <div class="figure-grid">
                {FIGURES.iter().map(|figure| view! { <FigureField figure saved presets/> }).collect_view()}
            </div>
            <fieldset class="choices-part"><legend>"An event whose processing failed"</legend><div class="choices">{ON_ERROR.map(reaction)}</div></fieldset>
            <SaveBar
                change
                dirty
                blocked
                problem=change.problem
                on_revert=Callback::new(move |()| draft.set(LimitsDraft::default()))
            />
        </form>
    }
}

#[component]
fn FigureField(figure: &'static Figure, saved: Memo<PluginLimits>, presets: Memo<Vec<LimitPreset>>) -> impl IntoView {
    let draft = Chosen::expect().drafts.limits;
    // What will be in force without a figure typed: the newly chosen preset's, else what is saved.
    let base = Memo::new(move |_| {
        let of_preset = draft.with(|draft| draft.preset.clone()).and_then(|name| {
            presets.with(|all| all.iter().find(|one| one.name == name).map(|one| (figure.get)(&one.limits)))
        });
        match of_preset {
            Some(own) => own.or_else(|| {
                // A preset that leaves a figure open takes Weir's own.
                presets.with(|all| all.first().and_then(|weir| (figure.get)(&weir.limits)))
            }),
            None => saved.with(figure.get),
        }
    });
    let typed = Memo::new(move |_| draft.with(|draft| draft.figures.get(figure.name).cloned()));
    let shown = move || typed.get().unwrap_or_else(|| base.get().map_or_else(String::new, |value| value.to_string()));
    let is_wrong = move || typed.get().is_some_and(|text| wrong(figure, &text).is_some());
    let take = move |text: String| {
        draft.update(|draft| {
            if base.get_untracked().map(|value| value.to_string()) == Some(text.clone()) {
                draft.figures.remove(figure.name);
            } else {
                draft.figures.insert(figure.name, text);
            }
        });
    };
    view! {
        <div class="config-field" class:is-wrong=is_wrong>
            <label for=figure.name>{figure.title} {move || typed.get().map(|_| view! { <i class="edited">"edited"</i> })}</label>
            <div class="figure-row">
                <input
                    class="field mono"
                    id=figure.name
                    data-testid=figure.name
                    type="text"
                    inputmode="numeric"
                    autocomplete="off"
                    placeholder="as Weir"
                    prop:value=shown
                    on:input=move |event| take(event_target_value(&event))
                />
                <span class="note">{figure.unit}</span>
            </div>
            <p class="config-hint">{figure.note}</p>
        </div>
    }
}

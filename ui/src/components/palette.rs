//! Everything the page can do, by name: Ctrl/⌘+K.

use leptos::{html, prelude::*};
use web_sys::KeyboardEvent;

use crate::{
    actions::Actions,
    components::shortcuts::follow,
    format,
    state::{Studio, View},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Go(View),
    StopFaults,
    ToggleDemo,
    Rate(u32),
    ToggleTheme,
    Filter,
    Pause,
    Shortcuts,
}

const ENTRIES: [Entry; 18] = [
    Entry::ToggleDemo,
    Entry::Go(View::Live),
    Entry::Go(View::Plugins),
    Entry::Go(View::Generator),
    Entry::Go(View::Query),
    Entry::Go(View::Correctness),
    Entry::Go(View::Health),
    Entry::Go(View::Faults),
    Entry::StopFaults,
    Entry::Filter,
    Entry::Pause,
    Entry::Rate(10),
    Entry::Rate(100),
    Entry::Rate(1_000),
    Entry::Rate(5_000),
    Entry::Rate(20_000),
    Entry::ToggleTheme,
    Entry::Shortcuts,
];

impl Entry {
    fn title(self, studio: Studio) -> String {
        match self {
            Self::StopFaults => "Stop every fault".into(),
            Self::Go(view) => format!("Go to {}", view.title()),
            Self::ToggleDemo if studio.demo.with(|demo| demo.running) => "Stop the demo stream".into(),
            Self::ToggleDemo => "Start the demo stream".into(),
            Self::Rate(rate) => format!("Set the rate to {} events/s", format::count(rate.into())),
            Self::ToggleTheme => "Switch between light and dark".into(),
            Self::Filter => "Filter the event list".into(),
            Self::Pause => "Pause or resume the event list".into(),
            Self::Shortcuts => "Show the keyboard shortcuts".into(),
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Go(View::Live) => "1",
            Self::Go(View::Plugins) => "2",
            Self::Go(View::Generator) => "3",
            Self::Go(View::Query) => "4",
            Self::Go(View::Correctness) => "5",
            Self::Go(View::Health) => "6",
            Self::Go(View::Faults) => "7",
            Self::ToggleDemo => "D",
            Self::Rate(_) | Self::StopFaults => "",
            Self::ToggleTheme => "T",
            Self::Filter => "/",
            Self::Pause => "Space",
            Self::Shortcuts => "?",
        }
    }

    fn run(self, studio: Studio, actions: Actions) {
        match self {
            Self::Go(view) => actions.go(view),
            Self::StopFaults => actions.stop_faults(),
            Self::ToggleDemo => actions.toggle_demo(),
            Self::Rate(rate) => actions.choose_rate(rate),
            Self::ToggleTheme => actions.toggle_theme(),
            Self::Filter => {
                actions.go(View::Live);
                studio.focus_filter.update(|count| *count += 1);
            }
            Self::Pause => studio.pause_toggle.update(|count| *count += 1),
            Self::Shortcuts => studio.shortcuts_open.set(true),
        }
    }
}

#[component]
pub fn Palette() -> impl IntoView {
    let studio = Studio::expect();
    let actions = Actions::expect();
    let open = studio.palette_open;
    let dialog = NodeRef::<html::Dialog>::new();
    let text = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let found = Memo::new(move |_| {
        let text = text.get().to_lowercase();
        let fits =
            |entry: &Entry| text.split_whitespace().all(|word| entry.title(studio).to_lowercase().contains(word));
        ENTRIES.into_iter().filter(fits).collect::<Vec<_>>()
    });
    follow(dialog, open);
    Effect::new(move |_| {
        if open.get() {
            text.set(String::new());
            at.set(0);
        }
    });
    let choose = move |entry: Entry| {
        open.set(false);
        // After the dialog has given the focus back, or it would take it away again.
        request_animation_frame(move || entry.run(studio, actions));
    };
    let on_key = move |event: KeyboardEvent| {
        let count = found.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" if count > 0 => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" if count > 0 => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(entry) = found.with_untracked(|found| found.get(at.get_untracked()).copied()) {
                    choose(entry);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let item = move |(index, entry): (usize, Entry)| {
        view! {
            <li
                role="option"
                aria-selected=move || (at.get() == index).to_string()
                on:mousemove=move |_| at.set(index)
                on:click=move |_| choose(entry)
            >
                <span>{move || entry.title(studio)}</span>
                {(!entry.key().is_empty()).then(|| view! { <kbd>{entry.key()}</kbd> })}
            </li>
        }
    };
    view! {
        <dialog class="dialog palette" node_ref=dialog on:close=move |_| open.set(false) aria-label="Command palette">
            <input
                type="text"
                placeholder="What do you want to do?"
                aria-label="Command"
                autofocus
                spellcheck="false"
                prop:value=text
                on:input=move |event| {
                    text.set(event_target_value(&event));
                    at.set(0);
                }
                on:keydown=on_key
            />
            <ul role="listbox">
                {move || found.get().into_iter().enumerate().map(item).collect_view()}
                {move || found.with(Vec::is_empty).then(|| view! { <li class="none">"Nothing by that name"</li> })}
            </ul>
        </dialog>
    }
}

//! A list of short texts that can be added to and taken from.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use crate::components::icon::{Icon, Shape};

#[component]
pub fn Chips(
    id: &'static str,
    #[prop(into)] items: Signal<Vec<String>>,
    placeholder: &'static str,
    on_change: Callback<Vec<String>>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let add = move || {
        let text = typed.get_untracked();
        let new: Vec<String> =
            text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        typed.set(String::new());
        let mut list = items.get_untracked();
        let known = list.len();
        for text in new {
            if !list.contains(&text) {
                list.push(text);
            }
        }
        if list.len() > known {
            on_change.run(list);
        }
    };
    let on_key = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "Enter" if !typed.with_untracked(String::is_empty) => add(),
            "Backspace" if typed.with_untracked(String::is_empty) => {
                let mut list = items.get_untracked();
                if list.pop().is_none() {
                    return;
                }
                on_change.run(list);
            }
            _ => return,
        }
        event.prevent_default();
    };
    let chip = move |text: String| {
        let own = text.clone();
        let title = format!("Take {text} away");
        let take = move |_| {
            let mut list = items.get_untracked();
            list.retain(|have| *have != own);
            on_change.run(list);
        };
        view! {
            <span class="chip-item">
                <code>{text}</code>
                <button type="button" class="icon-button" title=title.clone() aria-label=title on:click=take><Icon shape=Shape::Close/></button>
            </span>
        }
    };
    view! {
        <div class="chip-list field">
            {move || items.get().into_iter().map(chip).collect_view()}
            <input
                id=id
                data-testid=id
                type="text"
                spellcheck="false"
                autocomplete="off"
                placeholder=move || if items.with(Vec::is_empty) { placeholder } else { "" }
                prop:value=typed
                on:input=move |event| typed.set(event_target_value(&event))
                on:keydown=on_key
                on:blur=move |_| add()
            />
        </div>
    }
}

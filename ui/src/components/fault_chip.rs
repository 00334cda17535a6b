//! What is broken on purpose, in sight on every screen, so that nobody takes it for a breakage.

use leptos::prelude::*;

use crate::{
    components::icon::{Icon, Shape},
    state::{Studio, View},
};

#[component]
pub fn FaultChip() -> impl IntoView {
    let faults = Studio::expect().faults;
    let said = move || {
        faults.with(|faults| match faults.as_slice() {
            [] => None,
            [one] => Some(format!("Fault: {}", one.title)),
            several => Some(format!("{} faults", several.len())),
        })
    };
    let titles = move || {
        let titles = faults.with(|faults| faults.iter().map(|one| one.title.clone()).collect::<Vec<_>>().join(", "));
        format!("Active on purpose: {titles}")
    };
    view! {
        <span aria-live="polite">
            {move || said().map(|text| view! {
                <a class="fault-chip" href=View::Faults.hash() title=titles data-testid="fault-chip">
                    <Icon shape=Shape::Alert/>{text}
                </a>
            })}
        </span>
    }
}

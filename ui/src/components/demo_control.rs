//! Start, stop and pace the demo stream.

use leptos::prelude::*;

use crate::{
    actions::Actions,
    components::icon::{Icon, Shape},
    format, pace,
    state::Studio,
};

#[component]
pub fn DemoControl() -> impl IntoView {
    let studio = Studio::expect();
    let actions = Actions::expect();
    let running = Memo::new(move |_| studio.demo.with(|demo| demo.running));
    let seed = Memo::new(move |_| studio.demo.with(|demo| demo.seed));
    let failed = Memo::new(move |_| studio.demo.with(|demo| demo.failed));
    let slide = move |event| {
        if let Ok(position) = event_target_value(&event).parse() {
            actions.choose_rate(pace::rate_at(position));
        }
    };
    let typed = move |event| {
        if let Ok(rate) = event_target_value(&event).parse() {
            actions.choose_rate(rate);
        }
    };
    view! {
        <div class="demo" role="group" aria-label="Demo stream">
            <button
                class="button"
                class:button-primary=move || !running.get()
                data-testid="demo-toggle"
                data-running=move || running.get().to_string()
                disabled=move || !studio.primed.get()
                on:click=move |_| actions.toggle_demo()
                title="Start or stop the demo stream (D)"
            >
                <Icon shape=Signal::derive(move || if running.get() { Shape::Stop } else { Shape::Play })/>
                {move || if running.get() { "Stop demo" } else { "Start demo" }}
            </button>
            <input
                class="slider"
                type="range"
                min="0"
                max=pace::STEPS
                aria-label="Events a second, logarithmic"
                aria-valuetext=move || format!("{} events a second", actions.rate())
                style=("--fill", move || format!("{}%", pace::position_of(actions.rate()) * 100 / pace::STEPS))
                prop:value=move || pace::position_of(actions.rate()).to_string()
                on:input=slide
            />
            <label class="rate-field">
                <input
                    type="number"
                    min=pace::SLOWEST
                    max=pace::FASTEST
                    data-testid="demo-rate"
                    aria-label="Events a second"
                    prop:value=move || actions.rate().to_string()
                    on:change=typed
                />
                <span>"/s"</span>
            </label>
            <span class="seed" title="The same seed gives the same stream on any machine">
                "seed " <b>{move || seed.get()}</b>
            </span>
            {move || (failed.get() > 0).then(|| view! {
                <span class="chip-red" title="Requests without an answer, or with another than they had to have">
                    {format!("{} failed", format::count(failed.get()))}
                </span>
            })}
        </div>
    }
}

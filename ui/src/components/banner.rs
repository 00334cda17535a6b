//! What is wrong, said once, above everything else. Nothing is shown while all is well.

use leptos::prelude::*;

use crate::{
    components::icon::{Icon, Shape},
    format,
    state::{Link, Studio},
};

#[component]
pub fn Banners() -> impl IntoView {
    let studio = Studio::expect();
    let primed = move || studio.primed.get();
    let lost = move || match studio.link.get() {
        Link::Reconnecting => Some("Reconnecting… the numbers below are the last ones received."),
        Link::Live if studio.stale.get() => Some("No data for more than two seconds. The numbers below are old."),
        _ => None,
    };
    let refusing = move || {
        let condition = studio.condition.get();
        (primed() && !condition.accepting)
            .then(|| condition.capture_problem.unwrap_or_else(|| "capture gives no reason".into()))
    };
    let store = move || {
        let state = studio.condition.with(|condition| condition.store_state.clone());
        (primed() && state != "ready").then_some(state)
    };
    let unexplained = move || {
        let missing = studio.ledger.with(|ledger| ledger.unexplained);
        (missing != 0).then_some(missing)
    };
    view! {
        <div class="banners" aria-live="polite">
            {move || lost().map(|text| view! {
                <div class="banner banner-amber" data-testid="banner-connection"><Icon shape=Shape::Alert/>{text}</div>
            })}
            {move || refusing().map(|why| view! {
                <div class="banner banner-red" role="alert" data-testid="banner-capture">
                    <Icon shape=Shape::Alert/>
                    <strong>"Capture refuses events."</strong>
                    <span>{why}</span>
                </div>
            })}
            {move || unexplained().map(|missing| view! {
                <div class="banner banner-red" role="alert">
                    <Icon shape=Shape::Alert/>
                    <strong>{format!("{} events are unexplained.", format::signed(missing))}</strong>
                    <span>"The ledger does not add up. Run an audit in " <a href="#/health">"Health"</a> "."</span>
                </div>
            })}
            {move || store().map(|state| view! {
                <div class="banner banner-amber" data-testid="banner-store">
                    <Icon shape=Shape::Alert/>
                    <strong>{format!("The store is {state}.")}</strong>
                    <span>"Capture goes on; events become queryable when it is ready."</span>
                </div>
            })}
            {move || studio.notice.get().map(|error| view! {
                <div class="banner banner-red" role="alert" data-testid="banner-notice">
                    <Icon shape=Shape::Alert/>
                    <strong>{error.message}</strong>
                    <span>{error.hint}</span>
                    <button class="icon-button" aria-label="Dismiss" on:click=move |_| studio.notice.set(None)>
                        <Icon shape=Shape::Close/>
                    </button>
                </div>
            })}
        </div>
    }
}

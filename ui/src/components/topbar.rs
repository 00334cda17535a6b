//! Name, views, the demo, the connection.

use leptos::prelude::*;
use weir_api::{alert::Alert, check::Severity};

use crate::{
    actions::Actions,
    components::{
        demo_control::DemoControl,
        fault_chip::FaultChip,
        icon::{Icon, Shape},
    },
    state::{Link, Studio, View},
    theme::{Theme, ThemeChoice},
};

#[component]
pub fn TopBar() -> impl IntoView {
    let studio = Studio::expect();
    let actions = Actions::expect();
    let theme = ThemeChoice::expect().0;
    let failed = Memo::new(move |_| studio.plugins.with(|all| all.iter().any(|plugin| plugin.load_error.is_some())));
    let unwell = Memo::new(move |_| studio.ledger.with(|ledger| ledger.unexplained != 0));
    let marked = move |view| match view {
        View::Plugins => failed.get(),
        View::Health => unwell.get(),
        View::Correctness => studio.oracle_mismatches.get() > 0 || studio.checks_failing.get() > 0,
        View::Live | View::Generator | View::Query | View::Faults => false,
    };
    let tab = move |view: View| {
        view! {
            <a
                href=view.hash()
                class="nav-tab"
                aria-current=move || (studio.view.get() == view).then_some("page")
            >
                {view.title()}
                {move || marked(view).then(|| view! { <i class="nav-mark" title="Needs attention"></i> })}
            </a>
        }
    };
    view! {
        <header class="topbar">
            <a class="brand" href=View::Live.hash() aria-label="Weir, live view"><Logo/><span>"Weir"</span></a>
            <nav class="nav" aria-label="Views">{View::ALL.map(tab)}</nav>
            <div class="topbar-space"></div>
            <FaultChip/>
            <Alerts/>
            <Ordering/>
            <DemoControl/>
            <div class="topbar-tools">
                <button class="kbd-button" on:click=move |_| studio.palette_open.set(true) aria-label="Command palette">
                    <Icon shape=Shape::Search/><kbd>"Ctrl K"</kbd>
                </button>
                <button
                    class="icon-button"
                    on:click=move |_| actions.toggle_theme()
                    title="Light or dark (T)"
                    aria-label="Switch between light and dark"
                >
                    <Icon shape=Signal::derive(move || {
                        if theme.get() == Theme::Dark { Shape::Sun } else { Shape::Moon }
                    })/>
                </button>
                <Connection/>
            </div>
        </header>
    }
}

/// How many alerts are firing; nothing while none is.
#[component]
fn Alerts() -> impl IntoView {
    let studio = Studio::expect();
    let count = Memo::new(move |_| studio.alerts.with(Vec::len));
    let worst = Memo::new(move |_| studio.alerts.with(|alerts| alerts.iter().map(|alert| alert.severity).max()));
    let names = move || studio.alerts.with(|alerts| alerts.iter().map(Alert::summary).collect::<Vec<_>>().join("\n"));
    move || {
        (count.get() > 0).then(|| {
            view! {
                <a class="alert-chip" class:is-warning=worst.get() == Some(Severity::Warning) href=View::Health.hash()
                    data-testid="alert-chip" title=names role="status">
                    <Icon shape=Shape::Alert/>
                    {move || if count.get() == 1 { "1 alert".to_owned() } else { format!("{} alerts", count.get()) }}
                </a>
            }
        })
    }
}

/// How identity orders events: results depend on it, so it is always in sight.
#[component]
fn Ordering() -> impl IntoView {
    let studio = Studio::expect();
    let ordering = Memo::new(move |_| studio.condition.with(|condition| condition.ordering.clone()));
    let explained = move || match ordering.get().as_str() {
        "event-time" => "By event time: the order in which events arrive makes no difference to persons and groups.",
        _ => "In order of arrival, as PostHog does. `weir serve --ordering event-time` does not depend on it.",
    };
    view! {
        <span class="ordering" data-testid="ordering" title=explained>
            {move || if ordering.get() == "event-time" { "event time" } else { "arrival order" }}
        </span>
    }
}

#[component]
fn Connection() -> impl IntoView {
    let studio = Studio::expect();
    let state = move || match (studio.link.get(), studio.stale.get()) {
        (Link::Live, false) => ("live", "Connected"),
        (Link::Live, true) => ("stale", "No data"),
        (Link::Connecting, _) => ("connecting", "Connecting"),
        (Link::Reconnecting, _) => ("reconnecting", "Reconnecting"),
        (Link::Locked, _) => ("locked", "Locked"),
    };
    view! {
        <span
            class="connection"
            data-testid="connection"
            data-state=move || state().0
            role="status"
            title=move || state().1
        >
            <i class="dot"></i><span class="connection-text">{move || state().1}</span>
        </span>
    }
}

/// A step in a stream: the water line before and after the weir.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
            <path d="M2 7h7c2.5 0 2.5 10 6 10h7"></path>
            <path class="logo-dim" d="M2 12h3.5M2 17h6"></path>
        </svg>
    }
}

//! The page: context, routing by fragment, and the frame around the views.

use leptos::{ev, prelude::*};

use crate::{
    actions::Actions,
    client::Client,
    components::{banner::Banners, locked::Locked, palette::Palette, shortcuts::Shortcuts, topbar::TopBar},
    connection, keyboard, notify,
    state::{Link, Studio, View, put},
    theme::ThemeChoice,
    views::{
        correctness::CorrectnessView, faults::FaultsView, generator::GeneratorView, health::HealthView, live::LiveView,
        plugins::PluginsView, query::QueryView,
    },
};

pub fn mount() {
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let studio = Studio::default();
    let client = Client::new(studio);
    let theme = ThemeChoice::load();
    let actions = Actions::new(studio, client, theme);
    provide_context(studio);
    provide_context(client);
    provide_context(theme);
    provide_context(actions);
    follow_fragment(studio);
    keyboard::listen(studio, actions);
    connection::start(studio, client);
    notify::follow(studio);

    let locked = Memo::new(move |_| studio.link.get() == Link::Locked);
    let dimmed = move || studio.stale.get() || (studio.primed.get() && studio.link.get() != Link::Live);
    view! {
        <Show when=move || !locked.get() fallback=Locked>
            <div class="app" class:is-stale=dimmed>
                <TopBar/>
                <Banners/>
                <main class="main" id="main">
                    {move || match studio.view.get() {
                        View::Live => view! { <LiveView/> }.into_any(),
                        View::Plugins => view! { <PluginsView/> }.into_any(),
                        View::Generator => view! { <GeneratorView/> }.into_any(),
                        View::Query => view! { <QueryView/> }.into_any(),
                        View::Correctness => view! { <CorrectnessView/> }.into_any(),
                        View::Health => view! { <HealthView/> }.into_any(),
                        View::Faults => view! { <FaultsView/> }.into_any(),
                    }}
                </main>
                <Palette/>
                <Shortcuts/>
            </div>
        </Show>
    }
}

/// `#/plugins` and the like, so that Back works and a view can be linked to.
fn follow_fragment(studio: Studio) {
    let read = move || View::from_hash(&location().hash().unwrap_or_default());
    studio.view.set(read());
    // A place within the same view must not build the view anew.
    let listener = window_event_listener(ev::hashchange, move |_| put(studio.view, read()));
    on_cleanup(move || listener.remove());
}

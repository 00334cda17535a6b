//! The chain in its order: what each plugin is, whether it is on, and its place, by mouse or by keys.

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, HtmlElement, KeyboardEvent};
use weir_api::{
    plugin::{PluginConfigure, PluginOrder, PluginView},
    registry,
};

use crate::{
    chain_order::{dropped, moved},
    change::Change,
    client::Client,
    components::icon::{Icon, Shape},
    format,
    place::{Tab, hash},
    state::{Studio, put},
};

/// What is dragged, and over which item (and half of it) it is held.
#[derive(Clone, Copy, Default)]
struct Drag {
    id: RwSignal<Option<String>>,
    over: RwSignal<Option<(String, bool)>>,
}

#[derive(Clone, Copy)]
struct ChainState {
    studio: Studio,
    client: Client,
    ids: Memo<Vec<String>>,
    chosen: Memo<Option<String>>,
    tab: Memo<Tab>,
    drag: Drag,
}

impl ChainState {
    fn order(self, order: Option<Vec<String>>) {
        let Some(ids) = order else { return };
        spawn_local(async move {
            match self.client.call::<registry::PluginOrder>(&PluginOrder { ids }).await {
                Ok(list) => put(self.studio.plugins, list.plugins),
                Err(error) => self.studio.notice.set(Some(error)),
            }
        });
    }

    /// One place up or down; the focus goes with it.
    fn step(self, id: &str, step: isize, focus: String) {
        self.order(self.ids.with_untracked(|ids| moved(ids, id, step)));
        // The row is put elsewhere in the document, which takes the focus from it.
        let again = std::time::Duration::from_millis(350);
        set_timeout(move || focus_on(&focus), again);
    }

    fn go(self, id: &str) {
        // Only a missing document could fail here.
        let _ = location().set_hash(&hash(id, self.tab.get_untracked()));
    }
}

fn focus_on(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

fn link_of(id: &str) -> String {
    // Quotes and backslashes are the only letters that end such a string.
    format!("[data-plugin=\"{}\"] .chain-link", id.replace('\\', "\\\\").replace('"', "\\\""))
}

#[component]
pub fn Chain(ids: Memo<Vec<String>>, chosen: Memo<Option<String>>, tab: Memo<Tab>) -> impl IntoView {
    let (studio, client) = (Studio::expect(), Client::expect());
    let state = ChainState { studio, client, ids, chosen, tab, drag: Drag::default() };
    view! {
        <div class="panel chain">
            <header class="panel-head">
                <h2>"Chain"</h2>
                <span class="note">"every event, in this order"</span>
            </header>
            <ol class="chain-list" data-testid="chain">
                <For each=move || ids.get() key=String::clone children=move |id| view! { <Item id state/> }/>
            </ol>
            {move || ids.with(|ids| ids.len() > 1).then(|| view! {
                <p class="chain-note">"Drag to reorder, or " <kbd>"Alt ↑"</kbd> " " <kbd>"Alt ↓"</kbd> " on a plugin."</p>
            })}
            {move || ids.with(Vec::is_empty).then(|| view! {
                <p class="panel-text muted">"Empty: events pass unchanged."</p>
            })}
        </div>
    }
}

#[component]
fn Item(id: String, state: ChainState) -> impl IntoView {
    let plugin = state.studio.plugin(id.clone());
    let own = StoredValue::new(id.clone());
    let is_chosen = Memo::new(move |_| state.chosen.with(|chosen| chosen.as_ref() == Some(&own.get_value())));
    let side = Memo::new(move |_| {
        state.drag.over.with(|over| over.as_ref().filter(|over| over.0 == own.get_value()).map(|over| over.1))
    });
    let dot = Memo::new(move |_| plugin.with(shown_state));
    let on_key = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowUp" => -1,
            "ArrowDown" => 1,
            _ => return,
        };
        event.prevent_default();
        let id = own.get_value();
        if event.alt_key() {
            state.step(&id, step, link_of(&id));
            return;
        }
        let beside = state.ids.with_untracked(|ids| {
            let at = ids.iter().position(|have| *have == id)?.checked_add_signed(step)?;
            ids.get(at).cloned()
        });
        if let Some(beside) = beside {
            state.go(&beside);
            focus_on(&link_of(&beside));
        }
    };
    let drag = state.drag;
    let on_start = move |event: DragEvent| {
        if let Some(transfer) = event.data_transfer() {
            // Firefox drags only what carries data.
            let _ = transfer.set_data("text/plain", &own.get_value());
            transfer.set_effect_allowed("move");
        }
        drag.id.set(Some(own.get_value()));
    };
    let on_over = move |event: DragEvent| {
        if drag.id.with_untracked(Option::is_none) {
            return;
        }
        event.prevent_default();
        let row = event.current_target().and_then(|row| row.dyn_into::<HtmlElement>().ok());
        let Some(area) = row.map(|row| row.get_bounding_client_rect()) else { return };
        let after = f64::from(event.client_y()) > area.top() + area.height() / 2.0;
        put(drag.over, Some((own.get_value(), after)));
    };
    let on_end = move || {
        drag.id.set(None);
        drag.over.set(None);
    };
    let on_drop = move |event: DragEvent| {
        event.prevent_default();
        if let (Some(id), Some((target, after))) = (drag.id.get_untracked(), drag.over.get_untracked()) {
            state.order(state.ids.with_untracked(|ids| dropped(ids, &id, &target, after)));
        }
        on_end();
    };
    let index = Memo::new(move |_| state.ids.with(|ids| ids.iter().position(|id| *id == own.get_value())));
    let is_last = move || state.ids.with(|ids| ids.last() == Some(&own.get_value()));
    let name = Memo::new(move |_| plugin.with(|plugin| plugin.name.clone()));
    view! {
        <li
            class="chain-item"
            class:is-chosen=move || is_chosen.get()
            class:is-off=move || plugin.with(|plugin| !plugin.enabled)
            class:is-dragged=move || drag.id.with(|id| id.as_ref() == Some(&own.get_value()))
            data-testid="chain-item"
            data-plugin=id.clone()
            data-state=move || dot.get()
            data-drop=move || side.get().map(|after| if after { "after" } else { "before" })
            draggable="true"
            on:dragstart=on_start
            on:dragover=on_over
            on:drop=on_drop
            on:dragend=move |_| on_end()
        >
            <i class="dot" title=move || format::capital(dot.get())></i>
            <a
                class="chain-link"
                href=move || hash(&own.get_value(), state.tab.get())
                draggable="false"
                aria-current=move || is_chosen.get().then_some("true")
                on:keydown=on_key
            >
                <span class="chain-name">{name}</span>
                <span class="chain-facts"><Facts plugin/></span>
            </a>
            <span class="chain-moves">
                <button
                    class="icon-button"
                    data-testid="chain-up"
                    title="Up (Alt ↑)"
                    aria-label=move || format!("Move {} up", name.get())
                    disabled=move || index.get() == Some(0)
                    on:click=move |_| state.step(&own.get_value(), -1, link_of(&own.get_value()))
                ><Icon shape=Shape::Up/></button>
                <button
                    class="icon-button"
                    data-testid="chain-down"
                    title="Down (Alt ↓)"
                    aria-label=move || format!("Move {} down", name.get())
                    disabled=is_last
                    on:click=move |_| state.step(&own.get_value(), 1, link_of(&own.get_value()))
                ><Icon shape=Shape::Down/></button>
            </span>
            <Switch plugin/>
        </li>
    }
}

#[component]
fn Facts(plugin: Memo<PluginView>) -> impl IntoView {
    let shown = move |read: fn(&PluginView) -> String| Memo::new(move |_| plugin.with(read));
    let version = shown(|plugin| match plugin.version.as_str() {
        "" => "no version".to_owned(),
        version => format::short_version(version).to_owned(),
    });
    let language = shown(|plugin| plugin.language.clone());
    let http = shown(|plugin| plugin.http_mode.clone());
    let missing = shown(|plugin| plugin.missing.join(", "));
    let errors = Memo::new(move |_| plugin.with(|plugin| plugin.errors));
    let broken = Memo::new(move |_| plugin.with(|plugin| plugin.load_error.is_some()));
    view! {
        <code class="chain-version">{version}</code>
        {move || language.with(|name| (!name.is_empty()).then(|| view! {
            <i class="badge" data-language=name.clone() title=language_title(name).to_owned()>{language_short(name).to_owned()}</i>
        }))}
        {move || http.with(|mode| (mode == "record" || mode == "live").then(|| view! {
            <i class="badge" data-http=mode.clone() title="Its requests go out to the network">"HTTP " {mode.clone()}</i>
        }))}
        {move || http.with(|mode| (mode == "mock").then(|| view! {
            <i class="badge" data-http="mock" title="Its requests are answered from mocks/*.json">"HTTP mock"</i>
        }))}
        {move || broken.get().then(|| view! { <i class="badge" data-label="error">"does not load"</i> })}
        {move || missing.with(|keys| (!keys.is_empty()).then(|| view! {
            <i class="badge" data-label="dropped" data-testid="chain-missing" title=format!("Without a value: {keys}")>"config missing"</i>
        }))}
        {move || (errors.get() > 0).then(|| view! {
            <i class="badge" data-label="error">{format::count(errors.get())} {if errors.get() == 1 { " error" } else { " errors" }}</i>
        })}
    }
}

/// Where it is in its reload cycle, or `off`.
pub fn shown_state(plugin: &PluginView) -> &'static str {
    if plugin.enabled { plugin.state.as_str() } else { "off" }
}

fn language_short(name: &str) -> &str {
    match name {
        "javascript" => "JS",
        "typescript" => "TS",
        other => language_title(other),
    }
}

pub fn language_title(name: &str) -> &str {
    match name {
        "javascript" => "JavaScript",
        "typescript" => "TypeScript",
        "rust" => "Rust",
        "python" => "Python",
        other => other,
    }
}

/// On or off. Shows what was asked for until the server's next frame says the same.
#[component]
pub fn Switch(plugin: Memo<PluginView>) -> impl IntoView {
    let (studio, client) = (Studio::expect(), Client::expect());
    let change = Change::default();
    let enabled = Memo::new(move |_| plugin.with(|plugin| plugin.enabled));
    let wanted = RwSignal::new(None::<bool>);
    let shown = move || wanted.get().unwrap_or_else(|| enabled.get());
    Effect::new(move |_| {
        if wanted.get().is_some_and(|wanted| wanted == enabled.get()) {
            wanted.set(None);
        }
    });
    Effect::new(move |_| {
        if let Some(error) = change.problem.get() {
            wanted.set(None);
            studio.notice.set(Some(error));
        }
    });
    let toggle = move |_| {
        let id = plugin.with_untracked(|plugin| plugin.id.clone());
        let next = !wanted.get_untracked().unwrap_or_else(|| enabled.get_untracked());
        if change.busy.get_untracked() {
            return;
        }
        wanted.set(Some(next));
        let request = PluginConfigure { id, enabled: Some(next), ..PluginConfigure::default() };
        change.run(async move { client.call::<registry::PluginConfigure>(&request).await }, |_| {});
    };
    view! {
        <button
            type="button"
            class="switch"
            role="switch"
            data-testid="plugin-switch"
            aria-checked=move || shown().to_string()
            aria-label=move || format!("{} on", plugin.with(|plugin| plugin.name.clone()))
            title=move || if shown() { "On: switch it off and events pass it by" } else { "Off: events pass it by" }
            on:click=toggle
        ><i></i></button>
    }
}

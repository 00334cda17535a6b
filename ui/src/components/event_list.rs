//! The live list: newest on top, rendered only where it is on screen, held still while it is read.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;

use crate::{
    components::icon::{Icon, Shape},
    feed::{self, Filter, LABELS, OUTCOMES, Row},
    format,
    state::Studio,
};

pub const ROW_HEIGHT: f64 = 28.0;

#[component]
pub fn EventList() -> impl IntoView {
    let studio = Studio::expect();
    let filter = RwSignal::new(Filter::default());
    let held = RwSignal::new(false);
    let pointed = RwSignal::new(false);
    let scroll_top = RwSignal::new(0.0_f64);
    let height = RwSignal::new(600.0_f64);
    let paused = Memo::new(move |_| held.get() || pointed.get() || scroll_top.get() > ROW_HEIGHT / 2.0);
    // While paused the rows come from this copy, so that nothing moves under the pointer.
    let frozen = RwSignal::new(None::<(Vec<Row>, u64)>);
    Effect::new(move |_| {
        let copy = paused.get().then(|| studio.feed.with_untracked(|feed| (feed.newest_first(), feed.seen())));
        frozen.set(copy);
    });
    let rows = Memo::new(move |_| {
        let all = frozen.with(|frozen| frozen.as_ref().map(|(rows, _)| rows.clone()));
        let all = all.unwrap_or_else(|| studio.feed.with(feed::Feed::newest_first));
        filter.with(|filter| all.into_iter().filter(|row| filter.lets(row)).collect::<Vec<_>>())
    });
    let missed = Memo::new(move |_| {
        let at = frozen.with(|frozen| frozen.as_ref().map(|(_, seen)| *seen));
        at.map_or(0, |at| studio.feed.with(feed::Feed::seen).saturating_sub(at))
    });
    let range = Memo::new(move |_| feed::on_screen(scroll_top.get(), height.get(), ROW_HEIGHT, rows.with(Vec::len)));

    let body = NodeRef::<html::Div>::new();
    let measure = move || {
        if let Some(body) = body.get_untracked() {
            height.set(f64::from(body.client_height()));
        }
    };
    body.on_load(move |_| request_animation_frame(measure));
    let resized = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    let resume = move || {
        held.set(false);
        if let Some(body) = body.get_untracked() {
            body.set_scroll_top(0);
        }
        scroll_top.set(0.0);
    };
    Effect::new(move |before: Option<u32>| {
        let count = studio.pause_toggle.get();
        if before.is_some_and(|before| before != count) {
            if held.get_untracked() { resume() } else { held.set(true) }
        }
        count
    });
    let on_key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            "PageDown" => 10,
            "PageUp" => -10,
            _ => return,
        };
        event.prevent_default();
        held.set(true);
        let next = rows.with_untracked(|rows| feed::step(rows, studio.selected.get_untracked(), by));
        studio.selected.set(next);
        if let (Some(body), Some(next)) = (body.get_untracked(), next)
            && let Some(at) = rows.with_untracked(|rows| rows.iter().position(|row| row.offset == next))
        {
            keep_in_view(&body, at);
        }
    };

    view! {
        <section class="panel events" aria-label="Live events">
            <Toolbar filter shown=Signal::derive(move || rows.with(Vec::len)) held resume=Callback::new(move |()| resume())/>
            <div class="event-grid event-head" aria-hidden="true">
                <span>"Time"</span><span>"Event"</span><span>"Distinct id"</span>
                <span>"Plugins"</span><span>"Outcome"</span><span class="right">"CPU"</span>
            </div>
            <div
                class="event-body"
                node_ref=body
                tabindex="0"
                role="listbox"
                aria-label="Events, newest first"
                on:scroll=move |_| {
                    if let Some(body) = body.get_untracked() {
                        scroll_top.set(f64::from(body.scroll_top()));
                        measure();
                    }
                }
                on:mouseenter=move |_| pointed.set(true)
                on:mouseleave=move |_| pointed.set(false)
                on:keydown=on_key
            >
                <div class="event-space" style:height=move || format!("{}px", rows.with(Vec::len) as f64 * ROW_HEIGHT)>
                    <For each=move || range.get() key=|index| *index children=move |index| {
                        let row = Memo::new(move |_| rows.with(|rows| rows.get(index).cloned()));
                        view! { <EventRow index row/> }
                    }/>
                </div>
                <Empty rows filter/>
            </div>
            <footer class="event-foot">
                {move || {
                    let missed = missed.get();
                    if !paused.get() {
                        view! { <span>"Newest " {format::count(feed::CAPACITY as u64)} " events"</span> }.into_any()
                    } else if held.get() || scroll_top.get() > ROW_HEIGHT / 2.0 {
                        view! {
                            <button class="link" on:click=move |_| resume()>
                                {format!("Paused · {} new · resume", format::count(missed))}
                            </button>
                        }.into_any()
                    } else {
                        view! { <span>{format!("Held while you point · {} new", format::count(missed))}</span> }.into_any()
                    }
                }}
                <span class="right" title="The list is a sample when the stream is fast; the counts above are exact">
                    {move || {
                        let hidden = studio.feed.with(|feed| feed.not_shown);
                        (hidden > 0).then(|| format!("{} events not shown (sampled)", format::count(hidden)))
                    }}
                </span>
            </footer>
        </section>
    }
}

#[component]
fn Toolbar(
    filter: RwSignal<Filter>,
    shown: Signal<usize>,
    held: RwSignal<bool>,
    resume: Callback<()>,
) -> impl IntoView {
    let studio = Studio::expect();
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |before: Option<u32>| {
        let asked = studio.focus_filter.get();
        if before.unwrap_or_default() != asked
            && let Some(field) = field.get()
        {
            // A field that cannot take the focus is not on screen: nothing to do.
            let _ = field.focus();
        }
        asked
    });
    let leave = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            filter.update(|filter| filter.text.clear());
            if let Some(field) = field.get_untracked() {
                let _ = field.blur();
            }
        }
    };
    let choose = move |event| {
        let name = event_target_value(&event);
        filter.update(|filter| filter.outcome = OUTCOMES.into_iter().find(|outcome| *outcome == name));
    };
    let chip = move |label: &'static str| {
        let on = move || filter.with(|filter| filter.labels.contains(&label));
        view! {
            <button
                class="chip"
                data-label=label
                aria-pressed=move || on().to_string()
                on:click=move |_| filter.update(|filter| filter.toggle_label(label))
            >
                {format::capital(label)}
            </button>
        }
    };
    view! {
        <header class="panel-head event-tools">
            <h2>"Events"</h2>
            <span class="note">{move || format::count(shown.get() as u64)}</span>
            <label class="search">
                <Icon shape=Shape::Search/>
                <input
                    type="text"
                    node_ref=field
                    placeholder="Filter by event, id or uuid"
                    aria-label="Filter events"
                    data-testid="event-filter"
                    spellcheck="false"
                    prop:value=move || filter.with(|filter| filter.text.clone())
                    on:input=move |event| {
                        let text = event_target_value(&event).to_lowercase();
                        filter.update(|filter| filter.text = text);
                    }
                    on:keydown=leave
                />
                <kbd>"/"</kbd>
            </label>
            <div class="chips" role="group" aria-label="What the plugins did">{LABELS.map(chip)}</div>
            <select class="select" aria-label="Outcome" on:change=choose prop:value=move || filter.with(|filter| filter.outcome.unwrap_or(""))>
                <option value="">"Any outcome"</option>
                {OUTCOMES.map(|outcome| view! { <option value=outcome>{format::capital(&format::words(outcome))}</option> })}
            </select>
            {move || (!filter.with(Filter::is_open)).then(|| view! {
                <button class="link" on:click=move |_| filter.set(Filter::default())>"Clear"</button>
            })}
            <div class="grow"></div>
            <button
                class="button button-quiet"
                data-testid="event-pause"
                aria-pressed=move || held.get().to_string()
                title="Pause or resume (Space)"
                on:click=move |_| if held.get_untracked() { resume.run(()) } else { held.set(true) }
            >
                <Icon shape=Signal::derive(move || if held.get() { Shape::Play } else { Shape::Pause })/>
                {move || if held.get() { "Resume" } else { "Pause" }}
            </button>
        </header>
    }
}

#[component]
fn EventRow(index: usize, row: Memo<Option<Row>>) -> impl IntoView {
    let studio = Studio::expect();
    let offset = move || row.with(|row| row.as_ref().map(|row| row.offset));
    let chosen = Memo::new(move |_| offset().is_some() && offset() == studio.selected.get());
    let zone = timezone_offset();
    view! {
        <div
            class="event-grid event-row"
            role="option"
            data-testid="event-row"
            data-offset=offset
            aria-selected=move || chosen.get().to_string()
            style:transform=format!("translateY({}px)", index as f64 * ROW_HEIGHT)
            on:click=move |_| studio.selected.set(row.with_untracked(|row| row.as_ref().map(|row| row.offset)))
        >
            {move || row.get().map(|row| view! {
                <span class="c-time">{format::clock(row.received_at_ms, zone)}</span>
                <span class="c-event">{row.event.clone()}</span>
                <span class="c-id">{row.distinct_id.clone()}</span>
                <span><i class="badge" data-label=row.label.clone()>{format::capital(&row.label)}</i></span>
                <span class="c-outcome" data-outcome=row.outcome.clone()>{format::words(&row.outcome)}</span>
                <span class="c-cpu right">{format::micros(f64::from(row.plugin_us))}</span>
            })}
        </div>
    }
}

#[component]
fn Empty(rows: Memo<Vec<Row>>, filter: RwSignal<Filter>) -> impl IntoView {
    let studio = Studio::expect();
    let running = Memo::new(move |_| studio.demo.with(|demo| demo.running));
    let none = Memo::new(move |_| rows.with(Vec::is_empty));
    view! {
        {move || none.get().then(|| {
            let (title, text) = if studio.feed.with(|feed| feed.seen() > 0) && !filter.with(Filter::is_open) {
                ("No event matches the filter", "New ones appear here as soon as they match.")
            } else if !studio.primed.get() {
                ("Connecting to the studio…", "The first events appear within a second.")
            } else if running.get() {
                ("Waiting for the first event", "The demo stream has just been started.")
            } else {
                ("Nothing is coming in", "Start the demo stream above, or point an SDK at this studio's capture address.")
            };
            view! { <div class="empty"><strong>{title}</strong><span>{text}</span></div> }
        })}
    }
}

fn keep_in_view(body: &web_sys::HtmlDivElement, index: usize) {
    let body: &web_sys::Element = body.unchecked_ref();
    let (top, height) = (index as f64 * ROW_HEIGHT, f64::from(body.client_height()));
    let scrolled = f64::from(body.scroll_top());
    if top < scrolled {
        body.set_scroll_top(top as i32);
    } else if top + ROW_HEIGHT > scrolled + height {
        body.set_scroll_top((top + ROW_HEIGHT - height) as i32);
    }
}

pub fn timezone_offset() -> i32 {
    js_sys::Date::new_0().get_timezone_offset() as i32
}

//! The ledger by time, and the events behind the number that was clicked.

use leptos::{prelude::*, task::spawn_local};
use weir_api::{
    ApiError, registry,
    window::{LedgerEvent, LedgerEvents, LedgerEventsRequest, LedgerWindow, Term, Windows, WindowsRequest},
};

use crate::{
    actions::Actions,
    client::Client,
    components::event_list::timezone_offset,
    format, poll,
    state::{Studio, View},
};

/// Lengths of a window, in seconds.
const LENGTHS: [(u32, &str); 4] = [(10, "10 s"), (60, "1 min"), (600, "10 min"), (3_600, "1 h")];
const SHOWN: u32 = 12;

/// A number that was clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picked {
    pub term: Term,
    /// Of a window, or of all time.
    pub span: Option<(i64, i64)>,
}

#[component]
pub fn LedgerWindows() -> impl IntoView {
    let (studio, client) = (Studio::expect(), Client::expect());
    let length_s = RwSignal::new(LENGTHS[0].0);
    let answer = RwSignal::new(None::<Result<Windows, ApiError>>);
    let ask = move || async move {
        let request = WindowsRequest {
            length_s: Some(length_s.get_untracked()),
            limit: Some(SHOWN),
            ..WindowsRequest::default()
        };
        let found = client.call::<registry::Windows>(&request).await;
        let _ = answer.try_set(Some(found));
    };
    poll::every_second(ask);
    Effect::new(move |before: Option<u32>| {
        let length = length_s.get();
        if before.is_some_and(|before| before != length) {
            spawn_local(ask());
        }
        length
    });
    let is_off = Memo::new(move |_| {
        answer.with(|answer| match answer {
            Some(Ok(found)) => found.windows.iter().any(|window| window.ledger.unexplained != 0),
            _ => false,
        })
    });
    let said = Memo::new(move |_| {
        answer.with(|answer| match answer {
            None => Said::Asking,
            Some(Err(error)) => Said::Problem(error.to_string()),
            Some(Ok(found)) if found.windows.is_empty() => Said::Nothing,
            Some(Ok(_)) => Said::Windows,
        })
    });
    view! {
        <section class="panel" class:is-alarm=is_off data-testid="windows">
            <header class="panel-head">
                <h2>"By time"</h2>
                <span class="note">"an event counts where its request was received; click a number for its events"</span>
                <div class="grow"></div>
                <div class="chips" role="group" aria-label="Length of a window">
                    {LENGTHS.into_iter().map(|(seconds, label)| view! {
                        <button class="chip" aria-pressed=move || (length_s.get() == seconds).to_string()
                            on:click=move |_| length_s.set(seconds)>{label}</button>
                    }).collect_view()}
                </div>
            </header>
            {move || match said.get() {
                Said::Asking => view! { <p class="panel-text muted">"Asking…"</p> }.into_any(),
                Said::Problem(problem) => view! { <p class="panel-text is-bad">{problem}</p> }.into_any(),
                Said::Nothing => view! {
                    <p class="panel-text muted">"No events yet. Start a stream, or send some to the capture port."</p>
                }.into_any(),
                Said::Windows => view! { <Table answer/> }.into_any(),
            }}
        </section>
        {move || studio.picked.get().map(|picked| view! { <EventsPanel picked/> })}
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Asking,
    Problem(String),
    Nothing,
    Windows,
}

/// Rows are kept as long as their numbers stay, so that a click is not lost to a new answer.
#[component]
fn Table(answer: RwSignal<Option<Result<Windows, ApiError>>>) -> impl IntoView {
    let windows = move || match answer.get() {
        Some(Ok(found)) => found.windows,
        _ => Vec::new(),
    };
    let unread = Memo::new(move |_| {
        answer.with(|answer| match answer {
            Some(Ok(found)) => found.unread,
            _ => 0,
        })
    });
    view! {
        <table class="table windows-table">
            <thead><tr>
                <th>"From"</th>
                {Term::ALL.into_iter().map(|term| view! { <th class="right">{format::capital(&format::words(term.as_str()))}</th> }).collect_view()}
                <th class="right">"Unexplained"</th>
            </tr></thead>
            <tbody>
                <For each=windows key=|window| format!("{window:?}") children=|window| view! { <Row window/> }/>
            </tbody>
        </table>
        {move || (unread.get() > 0).then(|| view! {
            <p class="panel-text muted">
                {format!("{} more events wait so far behind that they are in no window yet.", format::count(unread.get()))}
            </p>
        })}
    }
}

#[component]
fn Row(window: LedgerWindow) -> impl IntoView {
    let span = Some((window.from_ms, window.until_ms));
    let unexplained = window.ledger.unexplained;
    view! {
        <tr class:is-bad=unexplained != 0>
            <td class="num">{format::seconds(window.from_ms, timezone_offset())}</td>
            {Term::ALL.into_iter().map(|term| view! {
                <td class="right num"><Number picked=Picked { term, span } value=Signal::stored(term.of(&window.ledger))/></td>
            }).collect_view()}
            <td class="right num" class:is-good=unexplained == 0>{format::signed(unexplained)}</td>
        </tr>
    }
}

/// A number of the ledger that leads to its events, unless there are none.
#[component]
pub fn Number(picked: Picked, #[prop(into)] value: Signal<u64>) -> impl IntoView {
    let (studio, actions) = (Studio::expect(), Actions::expect());
    let is_picked = move || studio.picked.get() == Some(picked);
    move || match value.get() {
        0 => view! { <span class="muted">"0"</span> }.into_any(),
        count => view! {
            <button
                class="link"
                data-testid=format!("number-{}", picked.term.as_str())
                aria-pressed=move || is_picked().to_string()
                title="Show these events"
                on:click=move |_| {
                    studio.picked.set((!is_picked()).then_some(picked));
                    actions.go(View::Correctness);
                }
            >{format::count(count)}</button>
        }
        .into_any(),
    }
}

/// The events of one number, a page at a time.
#[component]
fn EventsPanel(picked: Picked) -> impl IntoView {
    let (studio, client) = (Studio::expect(), Client::expect());
    let found = RwSignal::new(LedgerEvents::default());
    let problem = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let ask = move || {
        let request = LedgerEventsRequest {
            term: picked.term,
            from_ms: picked.span.map(|(from_ms, _)| from_ms),
            until_ms: picked.span.map(|(_, until_ms)| until_ms),
            after: found.with_untracked(|found| found.next),
            limit: None,
        };
        busy.set(true);
        spawn_local(async move {
            match client.call::<registry::LedgerEvents>(&request).await {
                Ok(page) => {
                    let _ = found.try_update(|found| {
                        found.events.extend(page.events);
                        found.next = page.next;
                    });
                }
                Err(error) => drop(problem.try_set(Some(error))),
            }
            let _ = busy.try_set(false);
        });
    };
    ask();
    let words = format::words(picked.term.as_str());
    let of = picked.span.map_or_else(
        || "of all time".to_owned(),
        |(from_ms, until_ms)| {
            let zone = timezone_offset();
            format!("received {} to {}", format::seconds(from_ms, zone), format::seconds(until_ms, zone))
        },
    );
    view! {
        <section class="panel" data-testid="ledger-events">
            <header class="panel-head">
                <h2>{format::capital(&words)}</h2>
                <span class="note">{of}</span>
                <div class="grow"></div>
                <button class="button" on:click=move |_| studio.picked.set(None)>"Close"</button>
            </header>
            {move || problem.get().map(|problem| view! { <p class="panel-text is-bad">{problem.to_string()}</p> })}
            {move || {
                let lines = found.with(|found| found.events.clone());
                if lines.is_empty() {
                    let said = match (busy.get(), found.with(|found| found.next)) {
                        (true, _) => "Looking…".to_owned(),
                        (false, Some(next)) => format!("None before offset {}.", format::count(next)),
                        (false, None) => "None any more: what was in flight has gone on.".to_owned(),
                    };
                    return view! { <p class="panel-text muted">{said}</p> }.into_any();
                }
                view! {
                    <table class="table">
                        <thead><tr>
                            <th class="right">"Offset"</th><th>"Received"</th><th>"Event"</th><th>"Distinct id"</th>
                            <th>"Outcome"</th><th>"Why"</th>
                        </tr></thead>
                        <tbody>{lines.into_iter().map(|event| view! { <EventRow event/> }).collect_view()}</tbody>
                    </table>
                }.into_any()
            }}
            {move || found.with(|found| found.next).map(|_| view! {
                <p class="panel-text">
                    <button class="button" data-testid="more-events" disabled=move || busy.get() on:click=move |_| ask()>
                        {move || if busy.get() { "Looking…" } else { "Show more" }}
                    </button>
                </p>
            })}
        </section>
    }
}

#[component]
fn EventRow(event: LedgerEvent) -> impl IntoView {
    let studio = Studio::expect();
    let offset = event.offset;
    let what = match (event.count, event.is_emitted) {
        (1, false) => event.event,
        (1, true) => format!("{} (made by a plugin)", event.event),
        (count, _) => format!("{} events", format::count(count)),
    };
    let has_journey = !event.uuid.is_empty();
    view! {
        <tr>
            <td class="right num">
                {if has_journey {
                    view! {
                        <button class="link" title="Show its journey" on:click=move |_| studio.selected.set(Some(offset))>
                            {format::count(offset)}
                        </button>
                    }.into_any()
                } else {
                    format::count(offset).into_any()
                }}
            </td>
            <td class="num">{format::clock(event.received_at_ms, timezone_offset())}</td>
            <td class="cut" title=what.clone()>{what.clone()}</td>
            <td class="cut" title=event.distinct_id.clone()>{event.distinct_id.clone()}</td>
            <td>{format::words(&event.outcome)}</td>
            <td class="cut" title=event.reason.clone()>{event.reason.clone()}</td>
        </tr>
    }
}

//! `weir ledger`.

use std::io::stdout;
use std::process::ExitCode;

use pipeline_core::api::registry;
use pipeline_core::api::window::{LedgerEvent, LedgerEvents, LedgerEventsRequest, Term, Windows, WindowsRequest};

use crate::args::Ledger;
use crate::client::Client;
use crate::output::print_json;
use crate::say::say;
use crate::sink::moment;
use crate::table;

pub fn run(ledger: &Ledger) -> anyhow::Result<ExitCode> {
    let client = Client::find(&ledger.target)?;
    let from_ms = ledger.from.as_deref().map(moment).transpose()?;
    let until_ms = ledger.until.as_deref().map(moment).transpose()?;
    if let Some(term) = ledger.events {
        let from_ms = from_ms.or(until_ms.map(|_| 0));
        return events(&client, ledger, term, from_ms.zip(until_ms));
    }
    let mut windows = client.call::<registry::Windows>(&WindowsRequest {
        length_s: ledger.window,
        limit: ledger.limit,
        before_ms: until_ms,
    })?;
    windows.windows.retain(|window| window.until_ms > from_ms.unwrap_or(i64::MIN));
    if ledger.target.json {
        print_json(&windows)?;
    } else {
        print(&windows)?;
    }
    let is_whole = windows.windows.iter().all(|window| window.ledger.unexplained == 0);
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(windows: &Windows) -> anyhow::Result<()> {
    let mut columns = vec!["from (UTC)".to_owned()];
    columns.extend(Term::ALL.map(|term| term.as_str().replace('_', " ")));
    columns.push("unexplained".to_owned());
    let rows: Vec<Vec<String>> = windows
        .windows
        .iter()
        .map(|window| {
            let mut row = vec![time(window.from_ms)];
            row.extend(Term::ALL.map(|term| term.of(&window.ledger).to_string()));
            row.push(window.ledger.unexplained.to_string());
            row
        })
        .collect();
    if rows.is_empty() {
        say!("no events yet");
        return Ok(());
    }
    table::print(&mut stdout().lock(), &columns, &rows)?;
    if windows.unread > 0 {
        say!("{} more wait so far behind that they are in no window yet", windows.unread);
    }
    if windows.has_older {
        say!("older ones: --limit, --until, or --window 600");
    }
    Ok(())
}

fn events(client: &Client, ledger: &Ledger, term: Term, span: Option<(i64, i64)>) -> anyhow::Result<ExitCode> {
    let limit = ledger.limit.unwrap_or(100) as usize;
    let mut found = LedgerEvents::default();
    let mut after = ledger.after;
    // Pages that have looked at all they may, and found too little.
    loop {
        let page = client.call::<registry::LedgerEvents>(&LedgerEventsRequest {
            term,
            from_ms: span.map(|(from_ms, _)| from_ms),
            until_ms: span.map(|(_, until_ms)| until_ms),
            after,
            limit: Some((limit - found.events.len()).min(1_000) as u32),
        })?;
        found.events.extend(page.events);
        found.next = page.next;
        after = page.next;
        if after.is_none() || found.events.len() >= limit {
            break;
        }
    }
    if ledger.target.json {
        print_json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.events.is_empty() {
        say!("no events");
        return Ok(ExitCode::SUCCESS);
    }
    let columns = ["offset", "received (UTC)", "event", "distinct id", "outcome", "why"].map(str::to_owned);
    let rows: Vec<Vec<String>> = found.events.iter().map(row).collect();
    table::print(&mut stdout().lock(), &columns, &rows)?;
    if let Some(next) = found.next {
        say!("more: --after {next}");
    }
    Ok(ExitCode::SUCCESS)
}

fn row(event: &LedgerEvent) -> Vec<String> {
    let what = match (event.count, event.is_emitted) {
        (1, false) => event.event.clone(),
        (1, true) => format!("{} (made by a plugin)", event.event),
        (count, _) => format!("{count} events"),
    };
    let cells = [event.distinct_id.clone(), event.outcome.replace('_', " "), event.reason.clone()];
    [event.offset.to_string(), time(event.received_at_ms), what].into_iter().chain(cells).collect()
}

fn time(ms: i64) -> String {
    pipeline_core::event::time::iso(ms)
}

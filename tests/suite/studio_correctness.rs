//! The Correctness screen in a real browser: silent while all is well, and an alarm that leads to the event.

use serde_json::json;

use crate::browser::Browser;
use crate::server::{Weir, event, scratch, wait_for};

#[test]
fn a_number_of_the_ledger_leads_to_its_events_and_their_journeys() {
    let (dir, data) = scratch();
    let weir = Weir::start(&data);
    let browser = Browser::in_studio(dir.path(), &weir);
    browser.run("location.hash = '#/correctness'");
    wait_for("windows to be empty", || browser.text("windows").filter(|text| text.contains("No events yet")));
    let events: Vec<_> = (1..20).map(|number| event("e", "ann", number, json!({"n": number}))).collect();
    assert!(weir.send(&events) && weir.send(&events[..3]));
    weir.settle();

    let number = "[data-testid='windows'] [data-testid='number-deduplicated']";
    wait_for("the window", || browser.text("windows").filter(|text| text.contains("22") && text.contains('3')));
    browser.press(number);
    let listed = wait_for("its events", || browser.text("ledger-events").filter(|text| text.contains("ann")));
    assert!(listed.matches("received before").count() == 3, "{listed}");
    browser.press("[data-testid='ledger-events'] td .link");
    wait_for("a journey", || browser.text("side-panel").filter(|text| text.contains("ann")));
    // The same number of all time, from another screen.
    browser.run("location.hash = '#/health'");
    wait_for("health", || browser.text("dead-letters"));
    browser.press("[data-testid='number-stored']");
    let listed = wait_for("its events", || {
        browser.text("ledger-events").filter(|text| text.contains("of all time") && text.contains("ann"))
    });
    assert!(listed.contains("Stored"), "{listed}");
    weir.stop();
}

#[test]
fn the_oracle_is_started_there_and_a_mismatch_leads_to_its_event() {
    let (dir, data) = scratch();
    let weir = Weir::start_in(&data, &[], &[("WEIR_SABOTAGE", "hour_off:20")]);
    let browser = Browser::in_studio(dir.path(), &weir);
    browser.run("location.hash = '#/correctness'");
    wait_for("the oracle to be off", || browser.text("oracle-state").filter(|text| text == "off"));
    let events: Vec<_> = (1..20).map(|number| event("e", "ann", number, json!({"n": number}))).collect();
    assert!(weir.send(&events));
    browser.press("[data-testid='oracle-from-start']");
    wait_for("the events to be looked at", || browser.number("oracle-expected").filter(|count| *count == 19));
    let said = browser.text("oracle-state").expect("a state");
    assert!(said.contains("nothing is wrong"), "{said}");

    // The twentieth is an hour off.
    assert!(weir.send(&[event("e", "ann", 20, json!({"n": 20}))]));
    let table = wait_for("the mismatch", || browser.text("mismatches"));
    assert!(table.contains("event timestamp") && table.contains("2026-01-02T04:04:05"), "{table}");
    assert_eq!(browser.number("oracle-times-off"), Some(1));
    browser.press("[data-testid='mismatches'] .link");
    wait_for("its journey", || browser.text("side-panel").filter(|text| text.contains("ann")));
    weir.stop();
}

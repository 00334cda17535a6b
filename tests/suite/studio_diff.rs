//! What an edit changes, in a real browser: on the plugin's card, in its tab, and what can be done about it.

use std::fs;

use pipeline_core::api::plugin::PluginState;
use pipeline_core::api::registry;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::server::{Weir, event, plugin, scratch, wait_for};

fn source(currency: &str, dropped: u64) -> String {
    format!(
        "export function processEvent(event) {{
            if (event.properties.n < {dropped}) return null
            event.properties.currency = '{currency}'
            return event
        }}"
    )
}

#[test]
fn an_edit_is_shown_promoted_and_accepted_and_an_event_becomes_a_fixture() {
    let (dir, data) = scratch();
    let folder = plugin(dir.path(), "money", "index.js", &source("usd", 0));
    let weir = Weir::start_with(&data, &["--plugin", folder.to_str().expect("a plain path")]);
    let state = || weir.status().plugins.into_iter().next().map(|view| (view.state, view.waiting, view.generation));
    wait_for("the plugin", || state().filter(|(state, ..)| *state == PluginState::Live));
    let events: Vec<Value> = (0..20).map(|n| event("order", "a", n + 1, json!({"n": n}))).collect();
    assert!(weir.send(&events));
    weir.settle();

    let browser = Browser::in_studio(dir.path(), &weir);
    wait_for("the page", || browser.text("connection").filter(|text| text.contains("Connected")));
    let shown = |id: &str, wanted: &str| {
        wait_for(wanted, || browser.text(id).filter(|text| text.contains(wanted)));
    };
    let press = |selector: &str| {
        wait_for(selector, || {
            let script = format!("return document.querySelector(`{selector}`)?.checkVisibility() === true");
            (browser.run(&script) == true).then_some(())
        });
        browser.press(selector);
    };
    browser.run("location.hash = '#/plugins/money/diff'");
    shown("diff-none", "Nothing to compare yet");

    // A save, and the card tells; it leads to the tab.
    browser.run("location.hash = '#/'");
    fs::write(folder.join("index.js"), source("USD", 2)).expect("a save");
    shown("plugin-diff", "18 changed, 2 newly dropped");
    press("[data-testid='plugin-diff']");
    shown("diff-counts", "18 changed");
    shown("diff-consequence", "2 would be dropped and never stored");
    press("[data-testid='diff-group'][data-path='properties.currency'] summary");
    let group =
        "return document.querySelector(`[data-testid='diff-group'][data-path='properties.currency']`).innerText";
    wait_for("the example", || browser.run(group).as_str().filter(|text| text.contains("\"USD\"")).map(|_| ()));

    // Any two versions.
    browser.run(
        "const e = document.querySelector(`[data-testid='diff-from']`); e.selectedIndex = 1; \
         e.dispatchEvent(new Event('change', {bubbles: true}))",
    );
    press("[data-testid='diff-compare']");
    wait_for("the comparison", || browser.text("diff-counts").filter(|text| text.contains("No difference")));
    press("[data-testid='diff-newest']");
    shown("diff-counts", "18 changed");

    // One that asks waits until it is promoted.
    press("[data-testid='diff-ask']");
    wait_for("it to ask", || {
        (browser.run("return document.querySelector(`[data-testid='diff-ask']`).checked") == true).then_some(())
    });
    let before = state().expect("a plugin").2;
    wait_for("it to be set", || {
        let request = pipeline_core::api::plugin::PluginRequest { id: "money".into() };
        (weir.call::<registry::PluginDetail>(&request).ok()?.reload == "ask").then_some(())
    });
    fs::write(folder.join("index.js"), source("EUR", 2)).expect("a save");
    shown("diff-waiting", "waits");
    assert_eq!(state().map(|(state, _, generation)| (state, generation)), Some((PluginState::Waiting, before)));
    press("[data-testid='diff-promote']");
    wait_for("it to serve", || state().filter(|(_, waiting, generation)| waiting.is_none() && *generation > before));

    // There are no samples; an event becomes one, and then it can be accepted.
    press("[data-testid='diff-accept']");
    shown("refusal", "money has no samples");
    press("[data-testid='diff-group'][data-path='properties.currency'] summary");
    press("[data-testid='diff-group'][data-path='properties.currency'] .link");
    press("[data-testid='save-sample-button']");
    shown("save-sample-done", "Saved as");
    let fixtures = fs::read_dir(folder.join("fixtures")).expect("the folder").count();
    assert_eq!(fixtures, 1);
    press("[data-testid='diff-accept']");
    shown("diff-accepted", "Samples that pass: 1");
    let expected = |message: &String| !message.contains("plugin_accept");
    let errors: Vec<String> = browser.errors().into_iter().filter(expected).collect();
    assert_eq!(errors, Vec::<String>::new(), "nothing else on the console");
}

//! The studio's page in a real browser: numbers move, a plugin is edited on disk, the page shows it.

use std::fs;
use std::path::Path;

use pipeline_core::api::registry;

use crate::browser::Browser;
use crate::server::{Weir, scratch, wait_for};

#[test]
fn the_page_shows_the_stream_and_an_edit() {
    let (dir, data) = scratch();
    let plugin = dir.path().join("edited");
    fs::create_dir(&plugin).expect("a folder");
    fs::write(plugin.join("plugin.json"), r#"{"name": "Edited plugin"}"#).expect("a manifest");
    let source = |mark: &str| {
        format!("export function processEvent(event) {{\n  event.properties.mark = '{mark}'\n  return event\n}}\n")
    };
    fs::write(plugin.join("index.js"), source("first")).expect("a source");
    let weir =
        Weir::start_with(&data, &["--demo", "--demo-rate", "100", "--plugin", plugin.to_str().expect("a plain path")]);

    let browser = Browser::open(&dir.path().join("profile"));
    browser.go(&weir.control);
    wait_for("the locked page", || {
        let text = browser.run("return document.body.innerText");
        text.as_str().is_some_and(|text| text.contains("This studio is locked")).then_some(())
    });
    let link = weir.call::<registry::OpenLink>(&Default::default()).expect("a link").url;
    browser.go("about:blank");
    browser.errors();
    browser.go(&link);

    // Numbers move.
    let before = wait_for("events on the page", || browser.number("received").filter(|received| *received > 0));
    wait_for("the numbers to move", || browser.number("received").filter(|received| *received > before + 50));
    wait_for("rows in the list", || {
        browser
            .run("return document.querySelectorAll('[data-testid=\"event-row\"]').length")
            .as_u64()
            .filter(|rows| *rows > 5)
    });
    assert_eq!(browser.number("unexplained"), Some(0));
    wait_for("the lag to be measured", || {
        browser.text("queryable").filter(|text| text.contains(|c: char| c.is_ascii_digit()))
    });
    let first_version =
        wait_for("the plugin's version", || browser.text("plugin-version").filter(|text| !text.trim().is_empty()));
    assert!(
        !browser.run("return location.href").as_str().expect("a URL").contains("code="),
        "the code left the address"
    );

    // The plugin is edited on disk, and the page says so.
    fs::write(plugin.join("index.js"), source("second")).expect("a save");
    let second_version = wait_for("the new version on the page", || {
        browser.text("plugin-version").filter(|version| *version != first_version)
    });
    wait_for("the reload time on the page", || {
        browser.text("plugin-reload-ms").filter(|text| text.contains(|c: char| c.is_ascii_digit()))
    });
    wait_for("an event that the new code made", || {
        browser.run("document.querySelector('[data-testid=\"event-row\"]')?.click()");
        browser.text("side-panel").filter(|text| text.contains("second"))
    });
    browser.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))");
    wait_for("the panel to close", || browser.text("side-panel").is_none().then_some(()));

    // A broken save is shown with its place; the last good version goes on.
    fs::write(plugin.join("index.js"), "export function processEvent(event) {\n  return event +\n}\n").expect("a save");
    let error =
        wait_for("the error on the page", || browser.text("plugin-error").filter(|text| text.contains("index.js")));
    assert!(error.contains("index.js:3"), "{error}");
    assert_eq!(browser.text("plugin-version"), Some(second_version));
    if let Some(path) = std::env::var_os("WEIR_SCREENSHOT") {
        fs::write(plugin.join("index.js"), source("third")).expect("a save");
        wait_for("the repair on the page", || {
            browser.text("plugin-state").filter(|text| text.to_lowercase().contains("live"))
        });
        browser.screenshot(Path::new(&path));
    }

    // The stream stops and starts from the page.
    browser.click("demo-toggle");
    wait_for("the demo to stop", || {
        (!weir.call::<registry::Demo>(&Default::default()).expect("a state").running).then_some(())
    });
    browser.click("demo-toggle");
    wait_for("the demo to start", || {
        weir.call::<registry::Demo>(&Default::default()).expect("a state").running.then_some(())
    });
    assert_eq!(browser.errors(), Vec::<String>::new(), "nothing on the console");
}

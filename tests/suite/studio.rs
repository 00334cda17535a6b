//! The studio's page in a real browser: numbers move, a plugin is edited on disk, the page shows it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pipeline_core::api::registry;
use serde_json::{Value, json};

use crate::server::{Weir, scratch, wait_for};

/// A headless Chromium, driven over WebDriver.
struct Browser {
    driver: Child,
    session: String,
    http: reqwest::blocking::Client,
}

impl Browser {
    fn open(profile: &Path) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by ./dev test");
        let stdout = driver.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split("successfully on port ").nth(1).map(|rest| rest.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says its port");
        // It writes more than a pipe holds.
        std::thread::Builder::new().spawn(move || lines.map_while(Result::ok).for_each(drop)).expect("a thread");
        let http = reqwest::blocking::Client::builder().no_proxy().timeout(None).build().expect("a client");
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1440,1000",
            format!("--user-data-dir={}", profile.display()),
        ]);
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}}});
        let base = format!("http://127.0.0.1:{port}");
        let answer: Value = http
            .post(format!("{base}/session"))
            .json(&capabilities)
            .send()
            .and_then(reqwest::blocking::Response::json)
            .expect("a session");
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}"));
        Self { driver, session: format!("{base}/session/{id}"), http }
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/{path}", self.session);
        self.http.post(url).json(body).send().and_then(reqwest::blocking::Response::json).expect("WebDriver answers")
    }

    fn go(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []}))["value"].take()
    }

    /// Text of the first element with this `data-testid`; `None` when it is not there.
    fn text(&self, id: &str) -> Option<String> {
        let script = format!("const e = document.querySelector('[data-testid=\"{id}\"]'); return e && e.innerText");
        self.run(&script).as_str().map(str::to_owned)
    }

    /// The digits of such a text, as a number.
    fn number(&self, id: &str) -> Option<u64> {
        let digits: String = self.text(id)?.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    }

    fn click(&self, id: &str) {
        self.run(&format!("document.querySelector('[data-testid=\"{id}\"]').click()"));
    }

    fn errors(&self) -> Vec<String> {
        self.post("se/log", &json!({"type": "browser"}))["value"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    fn screenshot(&self, path: &Path) {
        let answer: Value = self
            .http
            .get(format!("{}/screenshot", self.session))
            .send()
            .and_then(reqwest::blocking::Response::json)
            .expect("a picture");
        let decoded = Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut decoded = decoded.expect("base64 is on every machine");
        let mut stdin = decoded.stdin.take().expect("a pipe");
        let text = answer["value"].as_str().expect("base64").to_owned();
        let writer = std::thread::Builder::new()
            .spawn(move || std::io::Write::write_all(&mut stdin, text.as_bytes()))
            .expect("a thread");
        let picture = decoded.wait_with_output().expect("an end").stdout;
        writer.join().expect("no panic").expect("a write");
        fs::write(path, picture).expect("a file");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.http.delete(&self.session).send().ok();
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

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

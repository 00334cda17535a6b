//! A real browser.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pipeline_core::api::registry;
use serde_json::{Value, json};

use crate::server::{Weir, wait_for};

/// A headless Chromium, driven over WebDriver.
pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::blocking::Client,
}

impl Browser {
    /// With the studio of a server on its page.
    pub fn in_studio(root: &Path, weir: &Weir) -> Self {
        let browser = Self::open(&root.join("profile"));
        browser.go(&weir.call::<registry::OpenLink>(&Default::default()).expect("a link").url);
        wait_for("the page", || browser.text("demo-toggle"));
        browser
    }

    pub fn open(profile: &Path) -> Self {
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

    pub fn go(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    pub fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []}))["value"].take()
    }

    /// Text of the first element with this `data-testid`; `None` when it is not there.
    pub fn text(&self, id: &str) -> Option<String> {
        let script = format!("const e = document.querySelector('[data-testid=\"{id}\"]'); return e && e.innerText");
        self.run(&script).as_str().map(str::to_owned)
    }

    /// The digits of such a text, as a number.
    pub fn number(&self, id: &str) -> Option<u64> {
        let digits: String = self.text(id)?.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    }

    pub fn click(&self, id: &str) {
        self.run(&format!("document.querySelector('[data-testid=\"{id}\"]').click()"));
    }

    /// What a person would allow the page to do, when they are asked.
    pub fn grant(&self, permission: &str) {
        let answer = self.post("permissions", &json!({"descriptor": {"name": permission}, "state": "granted"}));
        assert!(answer["value"].is_null(), "{answer}");
    }

    /// A press and release of the mouse on what a selector finds: the page cannot tell it from a person's.
    pub fn press(&self, selector: &str) {
        self.post(&format!("element/{}/click", self.element(selector)), &json!({}));
    }

    /// Keys pressed on what a selector finds; WebDriver has code points for those without a letter.
    pub fn keys(&self, selector: &str, text: &str) {
        self.post(&format!("element/{}/value", self.element(selector)), &json!({"text": text}));
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": selector}));
        let element = found["value"].as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        element.unwrap_or_else(|| panic!("{selector}: {found}")).to_owned()
    }

    /// What was written to the console as an error since the last call.
    pub fn errors(&self) -> Vec<String> {
        self.post("se/log", &json!({"type": "browser"}))["value"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    pub fn screenshot(&self, path: &Path) {
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

//! The Plugins screen in a real browser: what is set there decides what becomes of the next event.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline_core::api::plugin::{PluginDetail, PluginRequest, PluginState, PluginStorageRequest};
use pipeline_core::api::registry;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::server::{Weir, event, scratch, wait_for};

const FIRST: &str = r"
export function setupPlugin({ global, config }) { global.mark = config.mark }
export async function processEvent(event, { global, storage, config }) {
    event.properties.mark = global.mark
    event.properties.secret_length = (config.key || '').length
    event.properties.limit = await storage.get('limit', null)
    event.properties.order = [...(event.properties.order || []), 'first']
    await storage.set('seen', (await storage.get('seen', 0)) + 1)
    return event
}
export async function runEveryHour({ storage }) { await storage.set('ran', 'by hand') }
export async function runEveryDay() { await fetch('https://prices.example.com/mug', { method: 'POST', body: 'sku=mug' }) }
export const jobs = { greet: async (payload, { storage }) => { await storage.set('greeted', payload.name) } }
";

const SECOND: &str = r"
export function processEvent(event) {
    event.properties.order = [...(event.properties.order || []), 'second']
    return event
}
";

fn plugin(root: &Path, name: &str, manifest: &Value, source: &str) -> PathBuf {
    let dir = root.join(name);
    fs::create_dir_all(&dir).expect("a folder");
    fs::write(dir.join("plugin.json"), manifest.to_string()).expect("a manifest");
    fs::write(dir.join("index.js"), source).expect("a source");
    dir
}

struct Screen {
    weir: Weir,
    browser: Browser,
    sent: u64,
}

impl Screen {
    fn open(root: &Path, data: &Path) -> Self {
        let config = json!([
            {"markdown": "Read **this** first."},
            {"key": "mark", "name": "Mark", "type": "string", "default": "plain"},
            {"key": "mode", "name": "Mode", "type": "choice", "choices": ["off", "all"], "default": "off"},
            {"key": "rules", "name": "Rules", "type": "json", "visible_if": [["mode", "all"]]},
            {"key": "key", "name": "Key", "type": "string", "secret": true, "required": true},
        ]);
        let first = plugin(root, "first", &json!({"name": "First", "config": config}), FIRST);
        let second = plugin(root, "second", &json!({"name": "Second"}), SECOND);
        let path = |dir: &PathBuf| dir.to_str().expect("a plain path").to_owned();
        let weir = Weir::start_with(data, &["--plugin", &path(&first), "--plugin", &path(&second)]);
        wait_for("the plugins to load", || {
            let views = weir.status().plugins;
            (views.len() == 2 && views.iter().all(|view| view.state == PluginState::Live)).then_some(())
        });
        let browser = Browser::in_studio(root, &weir);
        wait_for("the page", || browser.text("connection").filter(|text| text.contains("Connected")));
        Self { weir, browser, sent: 0 }
    }

    fn go(&self, tab: &str) {
        self.browser.run(&format!("location.hash = '#/plugins/first/{tab}'"));
        wait_for("the tab", || {
            let script = format!("return document.querySelector('#tab-{tab}')?.ariaSelected");
            (self.browser.run(&script) == "true").then_some(())
        });
    }

    fn is_there(&self, selector: &str) -> bool {
        let script =
            format!("const e = document.querySelector(`{selector}`); return e !== null && e.checkVisibility()");
        self.browser.run(&script) == true
    }

    fn wait(&self, selector: &str) {
        wait_for(selector, || self.is_there(selector).then_some(()));
    }

    fn press(&self, selector: &str) {
        self.wait(selector);
        self.browser.press(selector);
    }

    /// As typing does: the value changes, then the page hears of it.
    fn fill(&self, selector: &str, text: &str) {
        self.wait(selector);
        let text = Value::from(text);
        self.browser.run(&format!(
            "const e = document.querySelector(`{selector}`); e.value = {text}; \
             for (const name of ['input', 'change']) e.dispatchEvent(new Event(name, {{bubbles: true}}))"
        ));
    }

    /// Properties of an event that is sent now, as it is stored.
    fn next_event(&mut self) -> Value {
        self.sent += 1;
        assert!(self.weir.send(&[event("probe", "ann", self.sent, json!({}))]));
        self.weir.settle();
        self.weir.query("SELECT properties FROM events ORDER BY _offset DESC LIMIT 1")[0]["properties"].clone()
    }

    fn detail(&self) -> PluginDetail {
        self.weir.call::<registry::PluginDetail>(&PluginRequest { id: "first".into() }).expect("a detail")
    }

    fn stored(&self, key: &str) -> Option<String> {
        let request = PluginStorageRequest { id: "first".into(), ..PluginStorageRequest::default() };
        let found = self.weir.call::<registry::PluginStorage>(&request).expect("a storage");
        found.entries.into_iter().find(|entry| entry.key == key).map(|entry| entry.value)
    }

    fn chain_on_page(&self) -> Value {
        self.browser
            .run("return [...document.querySelectorAll('[data-testid=\"chain-item\"]')].map(e => e.dataset.plugin)")
    }

    fn save(&self) {
        self.press("[data-testid='save']:not(:disabled)");
        wait_for("the form to be saved", || {
            self.browser.text("save-state").filter(|text| text.contains("in force") || text.contains("Everything"))
        });
    }
}

#[test]
fn values_that_are_set_in_the_form_reach_the_next_event() {
    let (dir, data) = scratch();
    let mut screen = Screen::open(dir.path(), &data);
    assert_eq!(screen.next_event()["mark"], "plain", "the default");
    screen.go("config");
    screen.fill("#config-mark", "blue");
    assert!(screen.browser.text("save-state").expect("a state").contains("Not saved yet"));

    // A draft outlives a look at another tab, and Revert forgets it.
    screen.go("logs");
    screen.go("config");
    screen.wait("#config-mark");
    let shown = "return document.querySelector('#config-mark').value";
    assert_eq!(screen.browser.run(shown), "blue");
    screen.press("[data-testid='revert']");
    wait_for("the saved value", || (screen.browser.run(shown) == "plain").then_some(()));

    screen.fill("#config-mark", "blue");
    screen.fill("#config-key", "sesame-12345");
    screen.save();
    let properties = screen.next_event();
    assert_eq!((&properties["mark"], &properties["secret_length"]), (&json!("blue"), &json!(12)));
    screen.wait("[data-testid='secret-mask']");
    let html = screen.browser.run("return document.documentElement.outerHTML");
    assert!(!html.as_str().expect("text").contains("sesame-12345"), "what is secret is not on the page");

    // A field that depends on another, and what is no JSON.
    assert!(!screen.is_there("#config-rules"), "hidden while mode is off");
    screen.fill("#config-mode", "all");
    screen.fill("#config-rules", "[1,");
    let problem = wait_for("the problem", || screen.browser.text("field-problem"));
    assert!(problem.contains("line 1, column 3"), "{problem}");
    assert!(!screen.is_there("[data-testid='save']:not(:disabled)"), "it cannot be saved");
    screen.fill("#config-rules", "[1, 2]");
    screen.save();
    let fields = screen.detail().fields;
    let value = |key: &str| fields.iter().find(|field| field.key == key).expect("the field").value.clone();
    assert_eq!((value("mode").as_deref(), value("rules").as_deref()), (Some("all"), Some("[1, 2]")));
    assert_eq!(screen.browser.errors(), Vec::<String>::new(), "nothing on the console");
}

#[test]
fn a_plugin_is_switched_moved_and_removed_on_the_page() {
    let (dir, data) = scratch();
    let mut screen = Screen::open(dir.path(), &data);
    screen.go("overview");
    let first_switch = "[data-testid='chain-item'][data-plugin='first'] [data-testid='plugin-switch']";
    screen.press(first_switch);
    wait_for("it to be off", || (!screen.detail().view.enabled).then_some(()));
    assert_eq!(screen.next_event()["order"], json!(["second"]));
    wait_for("the page to say so", || screen.browser.text("plugin-state").filter(|text| text == "Off"));
    screen.press(first_switch);
    wait_for("it to be on", || screen.detail().view.enabled.then_some(()));
    assert_eq!(screen.next_event()["order"], json!(["first", "second"]));

    // By keys, by button, by mouse.
    let moved =
        |screen: &Screen, want: Value| wait_for("the new order", || (screen.chain_on_page() == want).then_some(()));
    screen.browser.keys("[data-plugin='first'] .chain-link", "\u{E00A}\u{E015}");
    moved(&screen, json!(["second", "first"]));
    assert_eq!(screen.next_event()["order"], json!(["second", "first"]));
    screen.press("[data-plugin='first'] [data-testid='chain-up']");
    moved(&screen, json!(["first", "second"]));
    screen.browser.run(
        "const row = id => document.querySelector(`[data-testid=\"chain-item\"][data-plugin=\"${id}\"]`); \
         const drag = (name, on, y) => on.dispatchEvent(new DragEvent(name, {bubbles: true, cancelable: true, \
             clientY: y, dataTransfer: new DataTransfer()})); \
         const area = row('second').getBoundingClientRect(); \
         drag('dragstart', row('first'), 0); drag('dragover', row('second'), area.bottom - 2); drag('drop', row('second'), 0)",
    );
    moved(&screen, json!(["second", "first"]));
    assert_eq!(screen.next_event()["order"], json!(["second", "first"]));

    screen.press("[data-testid='plugin-remove']");
    screen.press("[data-testid='plugin-remove-yes']");
    moved(&screen, json!(["second"]));
    assert_eq!(screen.next_event()["order"], json!(["second"]));
    assert_eq!(screen.browser.errors(), Vec::<String>::new(), "nothing on the console");
}

#[test]
fn storage_is_edited_and_tasks_are_run_on_the_page() {
    let (dir, data) = scratch();
    let mut screen = Screen::open(dir.path(), &data);
    assert_eq!(screen.next_event()["limit"], Value::Null);
    screen.go("storage");
    screen.fill("[data-testid='storage-new-key']", "limit");
    screen.fill("[data-testid='storage-new-value']", "10");
    screen.press("[data-testid='storage-add']");
    wait_for("the new key", || screen.stored("limit").filter(|value| value == "10"));
    assert_eq!(screen.next_event()["limit"], 10);
    screen.press("[data-key='limit'] [data-testid='storage-edit']");
    screen.fill("[data-testid='storage-text']", "{\"per\": \"day\"");
    assert!(!screen.is_there("[data-testid='storage-save']:not(:disabled)"), "no JSON cannot be saved");
    screen.fill("[data-testid='storage-text']", "{\"per\": \"day\"}");
    screen.press("[data-testid='storage-save']:not(:disabled)");
    wait_for("the edit", || screen.stored("limit").filter(|value| value.contains("day")));
    assert_eq!(screen.next_event()["limit"], json!({"per": "day"}));
    screen.press("[data-key='limit'] [data-testid='storage-delete']");
    assert!(screen.stored("limit").is_some(), "it asks first");
    screen.press("[data-key='limit'] [data-testid='storage-delete']");
    wait_for("the end of the key", || screen.stored("limit").is_none().then_some(()));

    screen.go("tasks");
    screen.press("[data-name='runEveryHour'] [data-testid='run-now']");
    screen.wait("[data-testid='run'][data-name='runEveryHour']");
    assert_eq!(screen.stored("ran").as_deref(), Some("\"by hand\""));
    screen.fill("[data-testid='job-payload']", "{\"name\": \"Ann\"}");
    screen.press("[data-testid='run-job']");
    screen.wait("[data-testid='run'][data-name='greet']");
    assert_eq!(screen.stored("greeted").as_deref(), Some("\"Ann\""));

    // Limits and HTTP go the same way as values.
    screen.go("limits");
    screen.press("[data-testid='preset-tealium']");
    screen.fill("#cpu_ms_per_event", "20");
    screen.press("[data-testid='on-error-dead_letter']");
    screen.save();
    let detail = screen.detail();
    assert_eq!((detail.limits.cpu_ms_per_event, detail.limits.memory_mib), (Some(20), Some(32)));
    assert_eq!((detail.limits.preset.as_deref(), detail.on_error.as_str()), (Some("tealium"), "dead_letter"));
    screen.go("tasks");
    screen.press("[data-name='runEveryDay'] [data-testid='run-now']");
    screen.wait("[data-testid='run'][data-name='runEveryDay'].is-bad");
    screen.go("http");
    screen.press("[data-testid='call'] summary");
    let call = wait_for("the request", || screen.browser.text("call").filter(|text| text.contains("sku")));
    assert!(call.contains("POST https://prices.example.com/mug") && call.contains("no mock answers"), "{call}");
    screen.fill("[data-testid='http-allow']", "http://not-a-host/");
    screen.browser.keys("[data-testid='http-allow']", "\u{E007}");
    screen.press("[data-testid='save']:not(:disabled)");
    let refusal = wait_for("the refusal", || screen.browser.text("refusal"));
    assert!(refusal.contains("http://not-a-host/"), "{refusal}");
    screen.press("[data-testid='revert']");
    screen.fill("[data-testid='http-allow']", "api.example.com");
    screen.browser.keys("[data-testid='http-allow']", "\u{E007}");
    screen.press("[data-testid='http-live']");
    screen.save();
    let http = screen.detail().http;
    assert_eq!((http.mode.as_deref(), http.allow), (Some("live"), Some(vec!["api.example.com".to_owned()])));
    let refused = |message: &String| !message.contains("plugin_configure");
    let errors: Vec<String> = screen.browser.errors().into_iter().filter(refused).collect();
    assert_eq!(errors, Vec::<String>::new(), "nothing else on the console");
}

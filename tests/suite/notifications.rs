//! Alerts as notifications: over a session's real bus to whoever shows them there, and by a real browser.

#![allow(
    clippy::too_many_arguments,
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "a desktop's interface has these methods, with these arguments"
)]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use pipeline_core::api::alert::AlertSet;
use pipeline_core::api::registry;
use serde_json::json;
use zbus::OwnedVariant;

use crate::browser::Browser;
use crate::server::{Weir, event, plugin, scratch, wait_for};

const BREAKS: &str = "export function processEvent(event) { event.uuid = 'none'; return event }";

/// A session's message bus, as a desktop has one.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn start(root: &Path) -> Self {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .arg(format!("--address=unix:path={}", root.join("bus").display()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed by ./dev test");
        let mut address = String::new();
        let stdout = daemon.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut address).expect("the bus says its address");
        Self { daemon, address: address.trim().to_owned() }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.daemon.kill().ok();
        self.daemon.wait().ok();
    }
}

/// What a desktop does with notifications: here it keeps (application, title, text).
struct Desktop(Arc<Mutex<Vec<(String, String, String)>>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Desktop {
    fn notify(
        &self,
        app_name: String,
        _replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut shown = self.0.lock().expect("no panic");
        shown.push((app_name, summary, body));
        shown.len() as u32
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".into()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".into(), "weir".into(), "1".into(), "1.2".into())
    }

    fn close_notification(&self, _id: u32) {}
}

fn break_two(weir: &Weir) {
    let request = AlertSet { name: "dead_letters".into(), threshold: Some("1".into()), ..AlertSet::default() };
    weir.call::<registry::AlertSet>(&request).expect("a setting");
    assert!(weir.send(&[event("e", "ann", 1, json!({})), event("e", "ann", 2, json!({}))]));
}

#[test]
fn a_desktop_shows_what_fires_once() {
    let (dir, data) = scratch();
    let bus = Bus::start(dir.path());
    let shown = Arc::default();
    let desktop = zbus::connection::Builder::address(bus.address.as_str())
        .serve_at("/org/freedesktop/Notifications", Desktop(Arc::clone(&shown)))
        .name("org.freedesktop.Notifications");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _desktop = runtime.block_on(desktop.build()).expect("a place on the bus");
    let breaker = plugin(dir.path(), "breaker", "index.js", BREAKS).display().to_string();
    let environment = [("DBUS_SESSION_BUS_ADDRESS", bus.address.as_str())];
    let weir = Weir::start_in(&data, &["--notify", "--plugin", &breaker], &environment);
    weir.settle();
    break_two(&weir);
    let first = wait_for("a notification", || shown.lock().expect("no panic").first().cloned());
    assert_eq!(first.0, "Weir");
    assert!(first.1.starts_with("Weir: dead_letters 2, above 1"), "{first:?}");
    assert!(first.2.contains("put aside"), "what it means: {first:?}");
    // One more of the same alert is no news.
    assert!(weir.send(&[event("e", "ann", 3, json!({}))]));
    wait_for("the third", || Some(()).filter(|()| weir.status().ledger.dead_lettered == 3));
    weir.stop();
    assert_eq!(shown.lock().expect("no panic").len(), 1);
}

#[test]
fn without_a_desktop_everything_goes_on() {
    let (dir, data) = scratch();
    let nowhere = format!("unix:path={}", dir.path().join("nobody").display());
    let breaker = plugin(dir.path(), "breaker", "index.js", BREAKS).display().to_string();
    let environment = [("DBUS_SESSION_BUS_ADDRESS", nowhere.as_str())];
    let weir = Weir::start_in(&data, &["--notify", "--plugin", &breaker], &environment);
    weir.settle();
    break_two(&weir);
    wait_for("the alert", || weir.status().alerts.into_iter().find(|alert| alert.name == "dead_letters"));
    assert_eq!(weir.status().ledger.unexplained, 0);
    weir.stop();
}

#[test]
fn a_browser_that_may_shows_what_fires() {
    let (dir, data) = scratch();
    let breaker = plugin(dir.path(), "breaker", "index.js", BREAKS).display().to_string();
    let weir = Weir::start_with(&data, &["--plugin", &breaker]);
    weir.settle();
    let browser = Browser::in_studio(dir.path(), &weir);
    browser.grant("notifications");
    // The browser's own notifications, with a note of what became of each.
    browser.run(
        "const Real = window.Notification; window.shown = [];
         window.Notification = class extends Real {
             constructor(title, options) {
                 super(title, options);
                 this.addEventListener('show', () => window.shown.push('shown ' + title));
                 this.addEventListener('error', () => window.shown.push('refused ' + title));
             }
         }",
    );
    browser.run("location.hash = '#/health'");
    wait_for("the permission", || browser.text("notify-state").filter(|text| text.contains("you are notified")));
    break_two(&weir);
    let shown = wait_for("the notification", || browser.run("return window.shown[0]").as_str().map(str::to_owned));
    assert!(shown.starts_with("shown Weir: dead_letters 2, above 1"), "{shown}");
    assert_eq!(browser.errors(), Vec::<String>::new());
    weir.stop();
}

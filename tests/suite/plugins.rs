//! Plugins in the running server: what they do to events, how they fail, and how they are replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pipeline_core::api::plugin::{PluginState, PluginView};
use serde_json::{Value, json};

use crate::server::{Weir, event, plugin, scratch, wait_for};

fn start(data: &Path, plugins: &[&PathBuf]) -> Weir {
    let arguments: Vec<&str> =
        plugins.iter().flat_map(|dir| ["--plugin", dir.to_str().expect("a plain path")]).collect();
    let weir = Weir::start_with(data, &arguments);
    wait_for("the plugins to load", || {
        let views = weir.status().plugins;
        (views.len() == plugins.len() && views.iter().all(|view| view.state == PluginState::Live)).then_some(())
    });
    weir
}

fn view(weir: &Weir, id: &str) -> PluginView {
    weir.status().plugins.into_iter().find(|view| view.id == id).expect("the plugin is there")
}

/// Saves as most editors do: a new file moved over the old.
fn save(path: &Path, source: &str) {
    let draft = path.with_extension("saving~");
    fs::write(&draft, source).expect("a draft");
    fs::rename(draft, path).expect("a rename");
}

#[test]
fn a_chain_modifies_drops_and_labels() {
    let (dir, data) = scratch();
    let first = plugin(
        dir.path(),
        "first",
        "index.ts",
        r"
        import { PluginEvent, PluginMeta } from '@posthog/plugin-scaffold'
        export async function setupPlugin({ global, storage }: PluginMeta) {
            global.greeting = 'hello'
            await storage.set('set-up', 1)
        }
        export async function processEvent(event: PluginEvent, { global, storage, cache }: PluginMeta) {
            if (event.event === 'unwanted') return null
            const seen = await cache.incr('seen')
            await storage.set('seen', seen)
            event.properties!.greeting = global.greeting
            event.properties!.seen = await storage.get('seen', 0)
            console.log('saw', event.event, { seen })
            return event
        }",
    );
    let copy = "function processEvent(event) { return { ...event, properties: { ...event.properties } } }";
    let second = plugin(dir.path(), "second", "index.js", copy);
    let weir = start(&data, &[&first, &second]);
    assert!(weir.send(&[
        event("wanted", "a", 1, json!({})),
        event("unwanted", "a", 2, json!({})),
        event("wanted", "a", 3, json!({}))
    ]));
    let status = weir.settle();
    assert_eq!((status.ledger.stored, status.ledger.dropped, status.ledger.unexplained), (2, 1, 0));
    let rows = weir.query("SELECT properties, plugins FROM events ORDER BY _offset");
    assert_eq!(rows[0]["properties"]["greeting"], "hello");
    assert_eq!(rows[1]["properties"]["seen"], 2);
    assert_eq!(rows[0]["plugins"][0]["label"], "modified");
    assert_eq!(rows[0]["plugins"][1]["label"], "unmodified");
    let named = json!(["first (first)", "second (second)"]);
    assert_eq!(rows[0]["properties"]["$plugins_succeeded"], named, "on a new object too");
    let version = view(&weir, "first").version;
    assert_eq!(rows[0]["plugins"][0]["version"], version.as_str(), "the row names the version that ran");
    let lines = weir
        .query("SELECT message, source, type FROM plugin_logs WHERE source = 'CONSOLE' ORDER BY _offset, timestamp");
    assert!(lines.iter().any(|line| line["message"] == r#"saw wanted {"seen":1}"#), "{lines:?}");

    // What a plugin stored survives a crash, because it is in the journal.
    weir.kill();
    let weir = start(&data, &[&first, &second]);
    assert!(weir.send(&[event("wanted", "a", 4, json!({}))]));
    weir.settle();
    let stored = weir.query("SELECT key, value FROM plugin_storage WHERE plugin_id = 'first' ORDER BY key");
    assert_eq!(stored.len(), 2, "{stored:?}");
}

#[test]
fn failures_cost_only_the_event_in_hand() {
    let (dir, data) = scratch();
    let risky = plugin(
        dir.path(),
        "risky",
        "index.js",
        r"
        export function processEvent(event) {
            event.properties.touched = true
            switch (event.properties.how) {
                case 'throw': throw new Error('no luck')
                case 'loop': for (;;) {}
                case 'bomb': { const all = []; for (;;) all.push('x'.repeat(1 << 20)) }
                case 'recurse': { const down = () => down() + 1; return down() }
            }
            event.properties.done = true
            return event
        }",
    );
    let weir = start(&data, &[&risky]);
    let ways = ["fine", "throw", "fine", "loop", "fine", "bomb", "fine", "recurse", "fine"];
    let events: Vec<Value> =
        ways.iter().enumerate().map(|(index, how)| event("e", "a", index as u64 + 1, json!({"how": how}))).collect();
    assert!(weir.send(&events));
    let status = weir.settle();
    assert_eq!((status.ledger.stored, status.ledger.unexplained), (9, 0), "every event is kept");
    let rows = weir.query("SELECT properties, plugins FROM events ORDER BY _offset");
    for (row, how) in rows.iter().zip(ways) {
        let (properties, label) = (&row["properties"], &row["plugins"][0]["label"]);
        if how == "fine" {
            assert_eq!((&properties["done"], label), (&json!(true), &json!("modified")));
            continue;
        }
        assert_eq!((&properties["done"], label), (&Value::Null, &json!("error")), "{how}");
        assert_eq!(properties["$plugins_failed"], json!(["risky (risky)"]), "{how}");
    }
    assert_eq!(rows[1]["properties"]["touched"], true, "an exception keeps what was done before it");
    assert_eq!(rows[3]["properties"]["touched"], Value::Null, "a killed instance's event goes on as it came");
    let view = view(&weir, "risky");
    assert_eq!(view.errors, 4);
    assert!(view.instances_lost >= 2, "{view:?}");
    assert!(view.last_error.is_some());
    let lines = weir.query("SELECT message FROM plugin_logs WHERE type = 'ERROR'");
    assert!(
        lines.iter().any(|line| line["message"].as_str().is_some_and(|text| text.contains("no luck"))),
        "{lines:?}"
    );
}

#[test]
fn a_save_under_load_loses_and_doubles_nothing() {
    let (dir, data) = scratch();
    let source = |version: u64| {
        format!("export function processEvent(event) {{ event.properties.version = {version}; return event }}")
    };
    let live = plugin(dir.path(), "live", "index.js", &source(0));
    let weir = Arc::new(start(&data, &[&live]));
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let sender = {
        let (weir, stop, sent) = (Arc::clone(&weir), Arc::clone(&stop), Arc::clone(&sent));
        std::thread::Builder::new()
            .spawn(move || {
                while !stop.load(Ordering::Acquire) {
                    let first = sent.load(Ordering::Acquire);
                    let events: Vec<Value> =
                        (first..first + 50).map(|number| event("e", "a", number, json!({"n": number}))).collect();
                    assert!(weir.send(&events), "capture accepts throughout");
                    sent.fetch_add(50, Ordering::AcqRel);
                }
            })
            .expect("a thread")
    };
    for version in 1..=20 {
        let before = view(&weir, "live").generation;
        if version % 2 == 0 {
            save(&live.join("index.js"), &source(version));
        } else {
            fs::write(live.join("index.js"), source(version)).expect("a save in place");
        }
        wait_for("the new version", || (view(&weir, "live").generation > before).then_some(()));
    }
    // A save that does not parse leaves the last good version serving, and says where it is wrong.
    let good = view(&weir, "live").version;
    save(&live.join("index.js"), "export function processEvent(event) {\n  return event +\n}\n");
    let failed = wait_for("the failure", || Some(view(&weir, "live")).filter(|view| view.state == PluginState::Failed));
    let error = failed.load_error.expect("a diagnostic");
    assert_eq!((error.file.as_str(), error.line, failed.version), ("index.js", 3, good));
    assert!(error.column > 0, "{error:?}");
    let at_failure = sent.load(Ordering::Acquire);
    wait_for("events after the failure", || (sent.load(Ordering::Acquire) > at_failure + 200).then_some(()));
    stop.store(true, Ordering::Release);
    sender.join().expect("the sender ends");

    let status = weir.settle();
    let sent = sent.load(Ordering::Acquire);
    assert_eq!((status.ledger.received, status.ledger.stored, status.ledger.unexplained), (sent, sent, 0));
    assert_eq!(weir.query("SELECT count(DISTINCT uuid) AS n FROM events")[0]["n"], sent);
    let versions = weir.query("SELECT DISTINCT properties->>'$.version' AS v FROM events");
    assert!(versions.len() >= 2, "several versions ran: {versions:?}");
    assert_eq!(weir.count("events WHERE plugins->0->>'$.version' IS NULL"), 0);
    let last = weir.query("SELECT properties->>'$.version' AS v FROM events ORDER BY _offset DESC LIMIT 1");
    assert_eq!(last[0]["v"], "20", "the last good version served to the end");
}

#[test]
fn events_that_plugins_make_run_through_the_chain_and_are_counted() {
    let (dir, data) = scratch();
    let maker = plugin(
        dir.path(),
        "maker",
        "index.js",
        r"
        export function processEvent(event) {
            if (event.event === 'order') {
                for (const item of event.properties.items) {
                    posthog.capture('item ordered', { distinct_id: event.distinct_id, item })
                }
            }
            if (event.event === 'echo') posthog.capture('echo')
            event.properties.ran = true
            return event.event === 'item ordered' && event.properties.item === 'gift' ? null : event
        }",
    );
    let weir = start(&data, &[&maker]);
    assert!(
        weir.send(&[event("order", "ann", 1, json!({"items": ["mug", "gift"]})), event("view", "ann", 2, json!({}))])
    );
    let status = weir.settle();
    assert_eq!((status.ledger.received, status.ledger.emitted), (2, 2));
    assert_eq!((status.ledger.stored, status.ledger.dropped, status.ledger.unexplained), (3, 1, 0));
    let rows = weir.query("SELECT distinct_id, properties FROM events WHERE event = 'item ordered'");
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["distinct_id"], &rows[0]["properties"]["item"]), (&json!("ann"), &json!("mug")));
    assert_eq!(rows[0]["properties"]["ran"], true, "it ran through the plugins in turn");

    // A plugin that answers its own events is stopped, and the last one is kept aside.
    assert!(weir.send(&[event("echo", "ann", 3, json!({}))]));
    let status = weir.settle();
    assert_eq!((status.ledger.dead_lettered, status.ledger.unexplained), (1, 0));
    assert_eq!(weir.count("events WHERE event = 'echo'"), 9, "the event and eight of its echoes");
    assert_eq!(weir.audit().differences, Vec::<String>::new());
    let before = weir.digest();
    weir.stop();
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start(&data);
    weir.settle();
    assert_eq!(weir.digest(), before, "a rebuild calls no plugin and gives the same");
}

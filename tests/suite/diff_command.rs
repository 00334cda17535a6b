//! `weir diff`, versions and samples, end to end: an edit is compared with what was, over events that were.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pipeline_core::api::diff::{DiffSummary, PluginDiff, PluginDiffLatest, PluginVersions, SampleSaved};
use pipeline_core::api::plugin::{PluginConfigure, PluginRequest, PluginState, PluginView};
use pipeline_core::api::registry;
use serde_json::{Value, json};

use crate::server::{Weir, event, plugin, scratch, wait_for};

const EVENTS: u64 = 40;
const FIRST: &str = "
    export async function processEvent(event, { storage }) {
        await storage.set('last', event.properties.n)
        event.properties.currency = 'usd'
        return event
    }";
/// Drops every tenth, writes the currency otherwise for every fourth, and keeps another key.
const SECOND: &str = "
    export async function processEvent(event, { storage }) {
        const n = event.properties.n
        if (n % 10 === 0) return null
        await storage.set('newest', n)
        event.properties.currency = n % 4 === 1 ? 'USD' : 'usd'
        return event
    }";

fn weir(weir: &Weir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .args(["--url", &weir.control, "--token", &weir.token])
        .output()
        .expect("the binary starts")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn json_of<T: serde::de::DeserializeOwned>(output: &Output) -> T {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

fn view(weir: &Weir, id: &str) -> PluginView {
    wait_for("the plugin to be there", || weir.status().plugins.into_iter().find(|view| view.id == id))
}

fn live(weir: &Weir, generation: u64) -> PluginView {
    wait_for("the version to be live", || {
        let view = view(weir, "money");
        (view.generation == generation && view.state == PluginState::Live).then_some(view)
    })
}

/// Of the newest version: a change of settings makes one, too, and is compared before it.
fn latest(weir: &Weir) -> PluginDiffLatest {
    wait_for("the comparison", || {
        let view = view(weir, "money");
        let newest = view.waiting.unwrap_or(view.version);
        let latest = weir.call::<registry::PluginDiffLatest>(&PluginRequest { id: "money".into() }).expect("an answer");
        let is_done = |summary: &DiffSummary| summary.state == "done" && summary.to == newest;
        latest.summary.as_ref().is_some_and(is_done).then_some(latest)
    })
}

fn versions(weir: &Weir) -> PluginVersions {
    weir.call::<registry::PluginVersions>(&PluginRequest { id: "money".into() }).expect("an answer")
}

/// A server with the first version and events that it has processed.
fn start(root: &Path, data: &Path) -> Weir {
    let dir = plugin(root, "money", "index.js", FIRST);
    let weir = Weir::start_with(data, &["--plugin", dir.to_str().expect("a plain path")]);
    live(&weir, 1);
    let events: Vec<Value> = (0..EVENTS).map(|n| event("order", "a", n + 1, json!({"n": n}))).collect();
    assert!(weir.send(&events));
    weir.settle();
    weir
}

/// What the second version changes, whoever says it.
fn is_the_edit(diff: &PluginDiff, label: &str) {
    let group = |path: &str| diff.fields.iter().find(|group| group.path == path);
    let (counts, currency) =
        (diff.counts, group("properties.currency").unwrap_or_else(|| panic!("{label}: {diff:#?}")));
    assert_eq!(diff.events, EVENTS, "{label}");
    assert_eq!((counts.newly_dropped, counts.changed, counts.undropped, counts.errors_new), (4, 10, 0, 0), "{label}");
    let dropped = diff.fates.iter().find(|group| group.kind == "newly_dropped").expect("the group");
    let numbers = |offsets: &[u64]| offsets.to_vec();
    assert_eq!(numbers(&dropped.offsets), [0, 10, 20, 30], "{label}");
    let changed: Vec<u64> = (0..EVENTS).filter(|n| n % 4 == 1 && n % 10 != 0).collect();
    assert_eq!(numbers(&currency.offsets), changed, "{label}");
    let example = &currency.examples[0];
    assert_eq!((&example.before, &example.after), (&Some(json!("usd")), &Some(json!("USD"))), "{label}");
    assert_eq!(diff.fields.len(), 1, "{label}: {:#?}", diff.fields);
    let keys: Vec<(&str, Option<&str>)> =
        diff.storage.entries.iter().map(|entry| (entry.key.as_str(), entry.after.as_deref())).collect();
    assert_eq!(keys, [("newest", Some("39"))], "{label}: what the first stored is there for both");
    assert!(diff.consequence.contains("4 would be dropped and never stored"), "{label}: {}", diff.consequence);
}

#[test]
fn an_edit_is_compared_after_the_reload_and_on_demand_in_any_direction() {
    let (dir, data) = scratch();
    let weir = start(dir.path(), &data);
    let source = dir.path().join("money/index.js");
    let first = view(&weir, "money").version;

    // In CI: a checkout of the same name somewhere else, against what serves.
    let checkout = plugin(&dir.path().join("checkout"), "money", "index.js", SECOND);
    let output = self::weir(&weir, &["diff", checkout.to_str().expect("a plain path"), "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let diff: PluginDiff = json_of(&output);
    is_the_edit(&diff, "a folder");
    assert_eq!((diff.from.version.as_str(), diff.to.place.as_str()), (first.as_str(), "folder"));

    // Nothing has moved: neither the ledger, nor storage, nor what the plugin is shown to have done.
    let ledger = weir.status().ledger;
    assert_eq!((ledger.received, ledger.stored, ledger.dropped, ledger.unexplained), (EVENTS, EVENTS, 0, 0));
    assert_eq!(view(&weir, "money").processed, EVENTS);
    assert_eq!(weir.count("plugin_storage"), 1);

    // A reload compares by itself, and the card tells.
    fs::write(&source, SECOND).expect("a save");
    let second = live(&weir, 2).version;
    let newest = latest(&weir);
    is_the_edit(newest.diff.as_ref().expect("a difference"), "after the reload");
    let summary = view(&weir, "money").diff.expect("a summary");
    assert_eq!(
        (summary.from.as_str(), summary.to.as_str(), summary.is_empty),
        (first.as_str(), second.as_str(), false)
    );
    assert!(summary.text.starts_with("10 changed, 4 newly dropped"), "{}", summary.text);

    // What was last changed, asked for without naming a version; and as text.
    let output = self::weir(&weir, &["diff", "money"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let said = text(&output);
    for line in ["10 changed, 4 newly dropped", "properties.currency", "\"usd\" → \"USD\"", "newest"] {
        assert!(said.contains(line), "{line}\n{said}");
    }

    // Any two that are kept, also the other way round.
    let kept = versions(&weir).versions;
    assert_eq!(
        kept.iter().map(|kept| (kept.version.as_str(), kept.is_live)).collect::<Vec<_>>(),
        [(second.as_str(), true), (first.as_str(), false)]
    );
    let output = self::weir(&weir, &["diff", "money", "--from", &second[..6], "--to", &first, "--json"]);
    let back: PluginDiff = json_of(&output);
    assert_eq!((back.counts.undropped, back.counts.changed, back.to.place.as_str()), (4, 10, "archived"));
    let output = self::weir(&weir, &["diff", "money", "--from", "live", "--last", "10", "--json"]);
    assert_eq!(output.status.code(), Some(0), "the folder is what serves: {}", text(&output));
    assert_eq!(json_of::<PluginDiff>(&output).events, 10);

    // What cannot be compared is said, with 2.
    for (arguments, wanted) in [
        (&["diff", "money", "--from", "ffff"][..], "has no version ffff"),
        (&["diff", "nobody"][..], "neither a plugin of the server nor a folder"),
        (&["diff", "money", "--to", "waiting"][..], "no new version of money waits"),
    ] {
        let output = self::weir(&weir, arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(wanted), "{}", text(&output));
    }
    let broken = plugin(&dir.path().join("broken"), "money", "index.js", "export function processEvent( {");
    let output = self::weir(&weir, &["diff", broken.to_str().expect("a plain path")]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("index.js:1:"), "{}", text(&output));

    // What was archived outlives the server, and an edit while it was down is compared too.
    weir.stop();
    fs::write(&source, FIRST).expect("a save");
    let weir = Weir::start_with(&data, &["--plugin", dir.path().join("money").to_str().expect("a plain path")]);
    live(&weir, 1);
    weir.settle();
    let newest = latest(&weir).diff.expect("a difference");
    assert_eq!((newest.from.version.as_str(), newest.to.version.as_str()), (second.as_str(), first.as_str()));
    assert_eq!((newest.counts.undropped, newest.counts.changed), (4, 10));
    let output = self::weir(&weir, &["diff", "money", "--from", &first, "--to", &second, "--json"]);
    is_the_edit(&json_of(&output), "after a restart");
}

#[test]
fn a_plugin_that_asks_is_compared_first_and_waits() {
    let (dir, data) = scratch();
    let weir = start(dir.path(), &data);
    let source = dir.path().join("money/index.js");
    let first = view(&weir, "money").version;
    let asks = PluginConfigure { id: "money".into(), reload: Some("ask".into()), ..Default::default() };
    assert_eq!(weir.call::<registry::PluginConfigure>(&asks).expect("it is set").reload, "ask");
    assert_eq!(view(&weir, "money").version, first, "how a version goes live makes it no other");

    let waits = |weir: &Weir| {
        wait_for("the version to wait", || {
            let view = view(weir, "money");
            (view.state == PluginState::Waiting).then_some(view.waiting?)
        })
    };
    fs::write(&source, SECOND).expect("a save");
    let second = waits(&weir);
    is_the_edit(latest(&weir).diff.as_ref().expect("a difference"), "while it waits");
    assert!(weir.send(&[event("order", "a", 100, json!({"n": 100}))]));
    weir.settle();
    assert_eq!(weir.count("events WHERE (properties->>'n')::INT = 100"), 1, "the old version still serves");

    // A restart promotes nothing.
    weir.stop();
    let folder = dir.path().join("money");
    let weir = Weir::start_with(&data, &["--plugin", folder.to_str().expect("a plain path")]);
    assert_eq!(waits(&weir), second);
    assert_eq!(view(&weir, "money").version, first);

    // Discarded, it is gone until the next save; promoted, it serves.
    let output = self::weir(&weir, &["plugin", "discard", "money"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!((view(&weir, "money").waiting, view(&weir, "money").state), (None, PluginState::Live));
    let output = self::weir(&weir, &["plugin", "promote", "money"]);
    assert!(!output.status.success() && text(&output).contains("no new version of money waits"), "{}", text(&output));
    fs::write(&source, format!("{SECOND}\n// again")).expect("a save");
    let third = waits(&weir);
    let output = self::weir(&weir, &["plugin", "promote", "money", "--json"]);
    let promoted: PluginView = json_of(&output);
    assert_eq!((promoted.version, promoted.waiting, promoted.state), (third, None, PluginState::Live));
    assert!(weir.send(&[event("order", "a", 200, json!({"n": 200}))]));
    let status = weir.settle();
    assert_eq!(status.ledger.dropped, 1, "the new version serves");

    // One that does not build waits for nothing and changes nothing.
    fs::write(&source, "export function processEvent( {").expect("a save");
    wait_for("the failure", || (view(&weir, "money").state == PluginState::Failed).then_some(()));
    assert_eq!(view(&weir, "money").waiting, None);
}

#[test]
fn events_become_samples_that_comparisons_and_tests_find() {
    let (dir, data) = scratch();
    let rates = "
        export async function processEvent(event, { config, storage }) {
            const answer = await fetch('https://rates.example.com/usd?key=' + config.key)
            event.properties.rate = (await answer.json()).rate
            event.properties.seen = (await storage.get('seen', 0)) + 1
            await storage.set('seen', event.properties.seen)
            event.properties.place = config.place
            return event
        }";
    let folder = plugin(dir.path(), "money", "index.js", rates);
    let manifest = json!({"name": "money", "config": [
        {"key": "key", "name": "Key", "type": "string", "secret": true},
        {"key": "place", "name": "Place", "type": "string"},
    ]});
    fs::write(folder.join("plugin.json"), manifest.to_string()).expect("a manifest");
    fs::create_dir_all(folder.join("mocks")).expect("a folder");
    let mock = json!({"request": {"url": "https://rates.example.com/usd", "query": {"key": "*"}}, "response": {"json": {"rate": 1.1}}});
    fs::write(folder.join("mocks/rates.json"), json!({"mocks": [mock]}).to_string()).expect("a mock");
    let weir = Weir::start_with(&data, &["--plugin", folder.to_str().expect("a plain path")]);
    live(&weir, 1);
    let values = [("key", "s3cret-key-4242"), ("place", "Graz")];
    let values = values.map(|(key, value)| (key.to_owned(), Some(value.to_owned()))).into_iter().collect();
    weir.call::<registry::PluginConfigure>(&PluginConfigure { id: "money".into(), values, ..Default::default() })
        .expect("it is set");
    for number in 1..=3 {
        assert!(weir.send(&[event("order", "a", number, json!({"n": number}))]));
        weir.settle();
    }

    let output = self::weir(&weir, &["plugin", "accept", "money"]);
    assert!(!output.status.success() && text(&output).contains("money has no samples"), "{}", text(&output));
    let arguments = ["sample", "save", "Third order", "--plugin", "money", "--offset", "2"];
    let saved: SampleSaved = json_of(&self::weir(&weir, &[&arguments[..], &["--json"]].concat()));
    assert_eq!((saved.events, saved.mocks, saved.passes), (1, 1, true), "{saved:?}");
    assert_eq!(saved.secrets_left_out, ["key"]);
    let path = folder.join("fixtures/third-order.json");
    assert_eq!(Path::new(&saved.path), path);
    let written = fs::read_to_string(&path).expect("the sample");
    assert!(!written.contains("s3cret-key-4242"), "{written}");
    let fixture: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(fixture["config"], json!({"place": "Graz"}));
    assert_eq!(fixture["storage"], json!({"seen": 2}));
    assert_eq!(fixture["event"]["properties"]["n"], 3);
    assert_eq!(fixture["mocks"][0]["responses"][0]["json"], json!({"rate": 1.1}));
    let expected = &fixture["expect"]["events"][0]["properties"];
    assert_eq!((&expected["rate"], &expected["seen"]), (&json!(1.1), &json!(3)), "{written}");
    let output = self::weir(&weir, &arguments);
    assert!(!output.status.success() && text(&output).contains("--replace"), "{}", text(&output));

    // A test on a laptop finds it.
    let test = Command::new(env!("CARGO_BIN_EXE_weir")).arg("test").arg(&folder).output().expect("the binary starts");
    assert!(test.status.success(), "{}", text(&test));

    // And so does the comparison of the next edit; accepted, it is what is expected.
    fs::write(folder.join("index.js"), rates.replace("config.place", "config.place + '!'")).expect("a save");
    live(&weir, 3);
    let diff = latest(&weir).diff.expect("a difference");
    assert_eq!((diff.sample_events, diff.events, diff.counts.changed), (1, 4, 4), "{diff:#?}");
    let place = diff.fields.iter().find(|group| group.path == "properties.place").expect("the field");
    assert_eq!(place.count, 4);
    assert_eq!(diff.divergence, None);
    let output = self::weir(&weir, &["plugin", "accept", "money"]);
    assert!(output.status.success() && text(&output).contains("third-order.json"), "{}", text(&output));
    let fixture: Value = serde_json::from_str(&fs::read_to_string(&path).expect("the sample")).expect("JSON");
    assert_eq!(fixture["expect"]["events"][0]["properties"]["place"], "Graz!");
}

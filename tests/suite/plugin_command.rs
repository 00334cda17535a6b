//! `weir plugin`: what it sets decides what becomes of the next event, and what it refuses it explains.

use std::fs;
use std::process::Command;

use pipeline_core::api::plugin::PluginState;
use serde_json::{Value, json};

use crate::server::{Weir, event, scratch, wait_for};

const SOURCE: &str = r"
export async function processEvent(event, { config, attachments, storage }) {
    event.properties.mark = config.mark
    event.properties.sheet = attachments.sheet ? String(attachments.sheet.contents) : null
    event.properties.kept = await storage.get('kept', null)
    return event
}
export async function runEveryDay({ storage }) { await storage.set('ran', true) }
export async function runEveryHour() { await fetch('https://prices.example.com/mug') }
export const jobs = { fail: async () => { throw new Error('no luck') } }
";

/// Standard output, what was said beside it, and whether it ended well.
fn weir(server: &Weir, arguments: &[&str]) -> (String, String, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("plugin")
        .args(arguments)
        .args(["--url", &server.control, "--token", &server.token])
        .output()
        .expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.success())
}

fn done(server: &Weir, arguments: &[&str]) -> String {
    let (out, errors, is_well) = weir(server, arguments);
    assert!(is_well, "{arguments:?}: {errors}");
    out
}

fn refused(server: &Weir, arguments: &[&str]) -> String {
    let (out, errors, is_well) = weir(server, arguments);
    assert!(!is_well, "{arguments:?}: {out}");
    errors
}

/// A task that failed: its end is the answer, so it is on standard output.
fn refused_run(server: &Weir, arguments: &[&str]) -> String {
    let (out, errors, is_well) = weir(server, arguments);
    assert!(!is_well, "{arguments:?}: {out} {errors}");
    out
}

fn next_event(server: &Weir, number: u64) -> Value {
    assert!(server.send(&[event("probe", "ann", number, json!({}))]));
    server.settle();
    server.query("SELECT properties FROM events ORDER BY _offset DESC LIMIT 1")[0]["properties"].clone()
}

#[test]
fn plugins_are_looked_into_and_set_from_the_command_line() {
    let (dir, data) = scratch();
    let folder = dir.path().join("told");
    fs::create_dir(&folder).expect("a folder");
    let config = json!([
        {"key": "mark", "type": "string", "default": "plain"},
        {"key": "mode", "type": "choice", "choices": ["a", "b"]},
        {"key": "rules", "type": "json"},
        {"key": "sheet", "type": "attachment"},
        {"key": "token", "type": "string", "secret": true},
    ]);
    fs::write(folder.join("plugin.json"), json!({"name": "Told", "config": config}).to_string()).expect("a manifest");
    fs::write(folder.join("index.js"), SOURCE).expect("a source");
    let sheet = dir.path().join("prices.csv");
    fs::write(&sheet, "mug,12").expect("a file");
    let server = Weir::start_with(&data, &["--plugin", folder.to_str().expect("a plain path")]);
    wait_for("the plugin to load", || {
        server.status().plugins.iter().any(|view| view.state == PluginState::Live).then_some(())
    });

    let list: Value = serde_json::from_str(&done(&server, &["list", "--json"])).expect("JSON");
    assert_eq!((&list[0]["id"], &list[0]["enabled"]), (&json!("told"), &json!(true)));

    // Values, files and secrets.
    let attach = format!("sheet={}", sheet.display());
    let shown = done(&server, &["config", "told", "mark=a=b", "token=sesame-12345", "--attach", &attach]);
    assert!(shown.contains("a=b") && shown.contains("prices.csv") && shown.contains("(set)"), "{shown}");
    assert!(!shown.contains("sesame"), "{shown}");
    let properties = next_event(&server, 1);
    assert_eq!((&properties["mark"], &properties["sheet"]), (&json!("a=b"), &json!("mug,12")));
    done(&server, &["config", "told", "--unset", "mark", "--unset", "sheet"]);
    let properties = next_event(&server, 2);
    assert_eq!((&properties["mark"], &properties["sheet"]), (&json!("plain"), &Value::Null));
    let said = refused(&server, &["config", "told", "rules=[1,"]);
    assert!(said.contains("rules takes JSON") && said.contains("column"), "{said}");
    let (_, note, is_well) = weir(&server, &["config", "told", "mode=c"]);
    assert!(is_well && note.contains("its choices are a, b"), "{note}");
    assert!(refused(&server, &["config", "told", "sheet=x"]).contains("--attach sheet=FILE"));
    assert!(refused(&server, &["config", "told", "mark"]).contains("no key before"));
    assert!(refused(&server, &["config", "nobody", "mark=x"]).contains("weir plugin list"));

    // On and off, HTTP, limits.
    assert!(done(&server, &["disable", "told"]).contains("off"));
    assert_eq!(next_event(&server, 3)["mark"], Value::Null);
    assert!(done(&server, &["enable", "told"]).contains("on"));
    assert_eq!(next_event(&server, 4)["mark"], "plain");
    let http = done(&server, &["http", "told", "--mode", "live", "--allow", "api.example.com", "--json"]);
    let http: Value = serde_json::from_str(&http).expect("JSON");
    assert_eq!((&http["http"]["mode"], &http["http"]["allow"]), (&json!("live"), &json!(["api.example.com"])));
    assert!(done(&server, &["http", "told", "--allow-none"]).contains("allowed     none"));
    let limits = done(&server, &["limits", "told", "--preset", "tealium", "--cpu-ms", "20", "--on-error", "drop"]);
    assert!(limits.contains("tealium, 20 ms CPU") && limits.contains("drop"), "{limits}");
    assert!(refused(&server, &["limits", "told", "--preset", "zz"]).contains("posthog-hog"));

    // What it keeps, and its tasks.
    done(&server, &["storage-set", "told", "kept", "{\"n\": 1}"]);
    assert_eq!(next_event(&server, 5)["kept"], json!({"n": 1}));
    assert!(refused(&server, &["storage-set", "told", "kept", "{n"]).contains("no JSON"));
    done(&server, &["storage-set", "told", "kept", "--delete"]);
    assert_eq!(next_event(&server, 6)["kept"], Value::Null);
    assert!(done(&server, &["run", "told", "runEveryDay"]).contains("ended well"));
    assert!(done(&server, &["storage", "told", "--filter", "ran"]).contains("true"));
    assert!(refused_run(&server, &["run", "told", "fail", "--payload", "{}"]).contains("no luck"));
    assert!(refused(&server, &["run", "told", "nope"]).contains("runEveryDay, fail"));

    done(&server, &["http", "told", "--mode", "mock"]);
    assert!(refused_run(&server, &["run", "told", "runEveryHour"]).contains("no mock answers"));
    let calls = done(&server, &["calls", "told"]);
    assert!(calls.contains("GET https://prices.example.com/mug") && calls.contains("mock"), "{calls}");

    let shown = done(&server, &["show", "told"]);
    assert!(shown.contains("processEvent") && shown.contains("no luck"), "{shown}");
    assert!(done(&server, &["order", "told"]).contains("told"));
    assert!(done(&server, &["remove", "told"]).contains("no plugins"));
}

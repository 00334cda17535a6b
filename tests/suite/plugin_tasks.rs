//! Jobs, settings and secrets of plugins across a restart, and webhooks to a real receiver.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use pipeline_core::api::plugin::{PluginConfigure, PluginHttp, PluginRequest, PluginRunRequest, PluginState};
use pipeline_core::api::registry;
use serde_json::json;

use crate::server::{Weir, event, scratch, wait_for};

const MANIFEST: &str = r#"{"name": "Tasks", "config": [
    {"key": "mark", "type": "string", "default": "none"},
    {"key": "token", "type": "string", "secret": true}]}"#;

fn plugin(dir: &Path, source: &str) -> String {
    let folder = dir.join("tasks");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("plugin.json"), MANIFEST).expect("a manifest");
    fs::write(folder.join("index.js"), source).expect("a source");
    folder.to_str().expect("a plain path").to_owned()
}

fn live(data: &Path, plugin: &str) -> Weir {
    let weir = Weir::start_with(data, &["--plugin", plugin]);
    wait_for("the plugin to load", || {
        weir.status().plugins.first().filter(|view| view.state == PluginState::Live).map(|_| ())
    });
    weir
}

#[test]
fn a_job_outlives_a_kill_and_runs_once_and_so_do_settings() {
    let (dir, data) = scratch();
    let source = r"
        export async function processEvent(event, { jobs, config }) {
            event.properties.mark = config.mark
            if (event.event === 'begin') {
                console.log(`the token is ${config.token}`)
                await jobs.later({ of: event.distinct_id, token: config.token }).runIn(3, 'seconds')
            }
            return event
        }
        export const jobs = {
            later: async ({ of }, { storage }) => {
                posthog.capture('job done', { distinct_id: of })
                await storage.set('done', of)
            },
        }";
    let folder = plugin(dir.path(), source);
    let weir = live(&data, &folder);
    let request = PluginConfigure {
        id: "tasks".into(),
        values: [("mark".to_owned(), Some("set".to_owned())), ("token".to_owned(), Some("s3cret-t0ken".to_owned()))]
            .into(),
        ..PluginConfigure::default()
    };
    let detail = weir.call::<registry::PluginConfigure>(&request).expect("configured");
    let masked = detail.fields.iter().find(|field| field.key == "token").and_then(|field| field.value.clone());
    assert!(masked.expect("set").contains("POSTHOG SECRET FIELD"));
    assert!(weir.send(&[event("begin", "ann", 1, json!({}))]));
    weir.settle();
    let waiting = weir.call::<registry::PluginDetail>(&PluginRequest { id: "tasks".into() }).expect("a detail").jobs;
    assert_eq!(waiting.len(), 1, "the job is due in three seconds");
    weir.kill();

    let weir = live(&data, &folder);
    wait_for("the job's event", || (weir.count("events WHERE event = 'job done'") == 1).then_some(()));
    let detail = weir.call::<registry::PluginDetail>(&PluginRequest { id: "tasks".into() }).expect("a detail");
    assert!(detail.jobs.is_empty(), "{:?}", detail.jobs);
    assert_eq!(
        detail.runs.iter().map(|run| (run.name.as_str(), run.error.is_none())).collect::<Vec<_>>(),
        [("later", true)]
    );
    assert!(weir.send(&[event("after", "ann", 2, json!({}))]));
    weir.settle();
    let rows = weir.query("SELECT event, distinct_id, properties FROM events WHERE event != 'begin' ORDER BY event");
    assert_eq!((&rows[0]["properties"]["mark"], &rows[1]["event"]), (&json!("set"), &json!("job done")));
    assert_eq!(rows[1]["distinct_id"], "ann");
    let status = weir.status();
    assert_eq!((status.ledger.unexplained, status.ledger.in_flight), (0, 0));

    let lines = weir.query("SELECT message FROM plugin_logs WHERE message LIKE 'the token is%'");
    assert_eq!(lines[0]["message"], "the token is (secret)");
    // Disabled, it leaves the chain, and stays so after a stop.
    let off = PluginConfigure { id: "tasks".into(), enabled: Some(false), ..PluginConfigure::default() };
    weir.call::<registry::PluginConfigure>(&off).expect("switched off");
    weir.stop();
    let weir = live(&data, &folder);
    assert!(!weir.status().plugins[0].enabled);
    assert!(weir.send(&[event("last", "ann", 3, json!({}))]));
    weir.settle();
    assert_eq!(weir.query("SELECT properties FROM events WHERE event = 'last'")[0]["properties"].get("mark"), None);
    weir.stop();
    let kept = fs::read_to_string(data.join("secrets.json")).expect("the secret file");
    assert!(kept.contains("s3cret-t0ken"));
}

#[test]
fn a_webhook_reaches_a_granted_receiver_and_nothing_else_is_sent() {
    let receiver = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = receiver.local_addr().expect("an address").to_string();
    let received = thread::Builder::new().name("receiver".into()).spawn(move || {
        let (mut stream, _) = receiver.accept().expect("a caller");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
        let mut text = String::new();
        let mut chunk = [0; 4096];
        while !text.ends_with('}') {
            let read = stream.read(&mut chunk).expect("a request");
            assert!(read > 0, "cut off: {text}");
            text.push_str(&String::from_utf8_lossy(&chunk[..read]));
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").expect("an answer");
        text
    });
    let received = received.expect("a thread");
    let (dir, data) = scratch();
    let source = format!(
        "export function composeWebhook(event) {{\n\
         if (event.event !== 'order') return null\n\
         return {{ url: 'http://{address}/hook', headers: {{ 'X-Day': String(event.timestamp.getUTCFullYear()) }},\n\
         body: JSON.stringify({{ who: event.distinct_id }}) }} }}\n\
         export async function runEveryHour() {{ await fetch('http://169.254.169.254/latest') }}"
    );
    let folder = plugin(dir.path(), &source);
    let weir = live(&data, &folder);
    let http = PluginHttp {
        mode: Some("live".into()),
        allow: Some(vec!["127.0.0.1".into(), "169.254.169.254".into()]),
        grant: Some(vec![address]),
        ..PluginHttp::default()
    };
    let request = PluginConfigure { id: "tasks".into(), http: Some(http), ..PluginConfigure::default() };
    weir.call::<registry::PluginConfigure>(&request).expect("switched on");
    assert!(weir.send(&[event("other", "ann", 1, json!({})), event("order", "bob", 2, json!({}))]));
    let text = received.join().expect("the receiver");
    assert!(text.starts_with("POST /hook HTTP/1.1\r\n") && text.ends_with(r#"{"who":"bob"}"#), "{text}");
    assert!(text.to_lowercase().contains("x-day: 20"), "{text}");
    let run = PluginRunRequest { id: "tasks".into(), name: "runEveryHour".into(), payload: json!(null) };
    let ended = weir.call::<registry::PluginRun>(&run).expect("it ran");
    assert!(ended.error.as_deref().unwrap_or_default().contains("169.254.169.254"), "{ended:?}");
    weir.stop();
}

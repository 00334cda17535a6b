//! Samples that hand events on or bring them in.

use std::io::Read as _;

use serde_json::{Value, json};
use weir_plugins::{Called, ExportMethod, Exporter, Task};

use super::{Sample, stored};

fn exporter(sample: &Sample, method: ExportMethod) -> Exporter {
    assert!(sample.bench.host.exports().contains(&(sample.id.clone(), method)), "it wants stored events");
    sample.bench.host.exporter(&sample.id, method)
}

#[test]
fn webhook_export() {
    let sample =
        Sample::new("webhook-export", &[("signing_secret", "a signing secret"), ("events", "good,busy,refused")]);
    let mut export = exporter(&sample, ExportMethod::OnEvent);
    let mut send = |name: &str| export.call(&[stored(name, json!({ "a": 1 }))]);
    assert_eq!(send("good"), Called::Done(None));
    assert_eq!(send("unwanted"), Called::Done(None));
    let calls = sample.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!((calls[0].kind.as_str(), calls[0].status.as_str()), ("http_mock", "202"));

    assert_eq!(send("busy"), Called::Again("RetryError: The webhook is busy (503) (index.ts:45:54)".into()));
    let Called::Again(reason) = send("busy") else { panic!("a timeout is worth another attempt") };
    assert!(reason.contains("Could not reach the webhook"), "{reason}");
    assert_eq!(send("busy"), Called::Done(None), "the third attempt");
    let Called::Failed(reason) = send("refused") else { panic!("400 is not worth another attempt") };
    assert!(reason.contains("refused") && reason.contains("400 unknown event"), "{reason}");
    assert!(!sample.log().join("\n").contains("a signing secret"));
    assert!(Sample::refusal("webhook-export", &[("url", "http://x.example.com")]).contains("must begin with https://"));
}

#[test]
fn slack_alert() {
    let sample = Sample::new("slack-alert", &[]);
    let mut export = exporter(&sample, ExportMethod::ComposeWebhook);
    assert_eq!(export.call(&[stored("other", json!({}))]), Called::Done(None));
    let Called::Done(Some(request)) = export.call(&[stored("purchase", json!({ "revenue": "<!channel>" }))]) else {
        panic!("a request")
    };
    let request_value: Value = serde_json::from_str(&request).unwrap();
    let body: Value = serde_json::from_str(request_value["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({ "text": "d1 spent &lt;!channel&gt;", "ts": "2026-01-02T15:04:05.000Z" }));
    assert_eq!(export.send_webhook(&request), Called::Done(None));
    assert_eq!(sample.calls().len(), 1);
}

const KEYS: [(&str, &str); 2] = [("access_key_id", "AKIDEXAMPLE"), ("secret_access_key", "a secret key of S3")];

#[test]
fn s3_export() {
    let sample = Sample::new("s3-export", &KEYS);
    let mut export = exporter(&sample, ExportMethod::ExportEvents);
    let batch: Vec<String> = (0..3).map(|n| stored("x", json!({ "n": n }))).collect();
    assert_eq!(export.call(&batch), Called::Done(None));
    let told = sample.bench.host.drain_control();
    let line =
        told.logs.iter().find(|line| line.message.starts_with("3 events to s3://weir-demo/events/2026-01-02/15/"));
    let line = line.unwrap_or_else(|| panic!("{:?}", told.logs));
    assert!(line.message.ends_with(".jsonl.gz"));
    assert!(told.calls[0].summary.contains("PUT"), "{:?}", told.calls);
    assert!(export.is_ready());
    assert_eq!(export.config()["exportEventsToIgnore"], "$feature_flag_called", "read by the host");
    // The same batch again is the same file.
    assert_eq!(export.call(&batch), Called::Done(None));
    assert!(sample.log().contains(&line.message));

    let retried = Sample::new("s3-export", &[KEYS[0], KEYS[1], ("bucket", "busy")]);
    let mut export = exporter(&retried, ExportMethod::ExportEvents);
    let Called::Again(reason) = export.call(&batch) else { panic!("503 is worth another attempt") };
    assert!(reason.contains("S3 did not take events/2026-01-02/15/"), "{reason}");
    assert_eq!(export.call(&batch), Called::Done(None));

    let gone = Sample::new("s3-export", &[KEYS[0], KEYS[1], ("bucket", "no-such-bucket")]);
    let Called::Failed(reason) = exporter(&gone, ExportMethod::ExportEvents).call(&batch) else {
        panic!("404 is not worth another attempt")
    };
    assert!(reason.contains("NoSuchBucket: The specified bucket does not exist"), "{reason}");
    assert!(Sample::refusal("s3-export", &[]).contains("\"access_key_id\" is empty"));
}

/// What the mock does not show: the file itself, taken by a plugin that has `putObject` answer with it.
#[test]
fn s3_export_writes_compressed_lines() {
    let dir = super::samples_dir().join("s3-export");
    let code = std::fs::read_to_string(dir.join("index.ts")).unwrap();
    let shown = code.replace(
        "await global.s3.putObject({ ...file, ContentEncoding: 'gzip' }).promise()",
        "console.log(file.Body.toString('base64'))",
    );
    assert_ne!(code, shown);
    let bench = crate::support::Bench::new();
    bench.host.restore_settings("plugin", super::settings(&[KEYS[0], KEYS[1], ("bucket", "b"), ("region", "r")]));
    bench.live("plugin", &[("index.ts", &shown)]);
    let batch = [stored("x", json!({ "n": 1 })), stored("y", json!({ "n": 2 }))];
    assert_eq!(bench.host.exporter("plugin", ExportMethod::ExportEvents).call(&batch), Called::Done(None));
    let lines: Vec<Vec<u8>> = bench
        .host
        .drain_control()
        .logs
        .iter()
        .filter_map(|line| base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &line.message).ok())
        .collect();
    let mut text = String::new();
    flate2::read::GzDecoder::new(lines[0].as_slice()).read_to_string(&mut text).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[1]["event"], &rows[1]["properties"]), (&json!("y"), &json!({ "n": 2 })));
}

#[test]
fn github_stars_import() {
    let sample = Sample::new("github-stars-import", &[]);
    let schedule = Task::Schedule("runEveryMinute".into());
    assert_eq!(sample.bench.host.schedules(), [(sample.id.clone(), vec!["runEveryMinute".to_owned()])]);
    let mut caller = sample.bench.host.caller(&sample.id);
    let mut run = || {
        assert_eq!(caller.run(&schedule), Called::Done(None));
        let made = caller.take_emitted();
        made.iter().map(|event| serde_json::from_str::<Value>(event).unwrap()).collect::<Vec<_>>()
    };
    let made = run();
    let people: Vec<_> = made.iter().map(|event| event["distinct_id"].as_str().unwrap()).collect();
    assert_eq!(people, ["github:ada", "github:grace"]);
    assert_eq!(made[0]["event"], "github star");
    assert_eq!(made[0]["timestamp"], "2026-01-02T10:00:00Z");
    assert_eq!(made[0]["properties"]["repository"], "weir-demo/weir");
    let made = run();
    assert_eq!(made.len(), 1, "only the new one");
    assert_eq!(made[0]["distinct_id"], "github:edsger");
    assert!(run().is_empty());
    let log = sample.log();
    assert!(log.iter().any(|line| line == "1 new stars for weir-demo/weir, 3 in all"), "{log:?}");
    assert!(log.iter().any(|line| line == "GitHub wants a pause until 2026-01-05T00:00:00.000Z"), "{log:?}");
    let storage = sample.bench.host.storage(&sample.id);
    assert_eq!(storage, [("imported:weir-demo/weir".to_owned(), "3".to_owned())]);

    let gone = Sample::new("github-stars-import", &[("repository", "weir-demo/gone")]);
    let called = gone.bench.host.caller(&gone.id).run(&schedule);
    assert_eq!(called, Called::Failed("Error: GitHub answered 404 for weir-demo/gone (index.js:46:67)".into()));
    assert!(Sample::refusal("github-stars-import", &[("repository", "weir")]).contains("must be OWNER/NAME"));
}

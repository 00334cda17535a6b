//! `weir dev`: what an author sees in the terminal while they edit.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Weir, event, plugin, scratch, wait_for};

const PATIENCE: Duration = Duration::from_mins(1);

struct Dev {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Dev {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .arg("dev")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = sync_channel(1_024);
        let read = move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)).ok();
        thread::Builder::new().name("dev-output".into()).spawn(read).expect("a thread");
        Self { child, lines, seen: Vec::new() }
    }

    /// The next line that is wanted; those before it are kept.
    fn line(&mut self, what: &str, is_wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line =
                self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {what}; there was {:#?}", self.seen));
            self.seen.push(line.clone());
            if is_wanted(&line) {
                return line;
            }
        }
    }

    fn json(&mut self, kind: &str) -> Value {
        let parsed = |line: &str| serde_json::from_str::<Value>(line).expect("a line of JSON");
        let line = self.line(kind, |line| parsed(line)["kind"] == kind);
        parsed(&line)
    }

    fn interrupt(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
        assert!(self.child.wait().expect("it ends").success());
    }
}

fn stamp(value: &str) -> String {
    format!("export function processEvent(event) {{\n  event.properties.stamp = '{value}'\n  return event\n}}\n")
}

fn send(weir: &Weir, numbers: std::ops::Range<u64>) {
    let events: Vec<Value> = numbers.map(|number| event("e", "somebody", number, json!({"n": number}))).collect();
    assert!(weir.send(&events));
}

#[test]
fn it_joins_the_studio_and_tells_of_saves_mistakes_and_what_they_change() {
    let (dir, data) = scratch();
    let folder = plugin(dir.path(), "stamper", "index.js", &stamp("one"));
    let weir = Weir::start(&data);
    let mut dev = Dev::start(&[&folder.display().to_string(), "--data", &data.display().to_string()]);
    dev.line("how it began", |line| line.contains("stamper (joined the studio that runs)"));
    dev.line("a link", |line| line.contains("http://127.0.0.1"));
    dev.line("the first version", |line| line.starts_with("live") && line.contains("javascript"));
    send(&weir, 1..101);
    weir.settle();

    write(&folder, "export function processEvent(event) {\n  return event +\n}\n");
    dev.line("the mistake", |line| line.starts_with("failed") && line.contains("index.js:3:1"));
    dev.line("its line of code", |line| line.trim() == "3 | }");
    dev.line("the mark under it", |line| line.trim() == "| ^");
    dev.line("who serves", |line| line.contains("the version before goes on serving"));

    write(&folder, &stamp("two"));
    dev.line("the next version", |line| line.starts_with("live") && line.contains("javascript"));
    dev.line("how much changes", |line| line.starts_with("diff") && line.contains("changed over"));
    dev.line("where", |line| line.contains("properties.stamp: \"one\" → \"two\""));

    write(&folder, "export function processEvent(event) {\n  throw new Error(`not ${event.event}`)\n}\n");
    dev.line("the version that throws", |line| line.starts_with("live"));
    send(&weir, 101..104);
    dev.line("the error", |line| line.starts_with("error") && line.contains("not e"));
    dev.line("what production would have done", |line| line.contains("PostHog would have stored this event"));
    dev.interrupt();
    assert_eq!(weir.status().plugins.len(), 1, "the studio goes on");
    weir.stop();
}

#[test]
fn without_a_studio_it_starts_one_and_ends_with_it() {
    let (dir, data) = scratch();
    let folder = plugin(dir.path(), "stamper", "index.js", &stamp("one"));
    let folder = folder.display().to_string();
    let data_text = data.display().to_string();
    let arguments = [&folder, "--data", &data_text, "--json", "--capture", "127.0.0.1:0", "--control", "127.0.0.1:0"];
    let mut dev = Dev::start(&arguments);
    let begun = dev.json("begun");
    assert_eq!((&begun["plugin"], &begun["started"]), (&json!("stamper"), &json!(true)));
    assert_eq!(dev.json("live")["version"].as_str().map(str::len), Some(12));
    // The demo stream meets the new version by itself; what it changes is seen on events that were.
    wait_for("some events", || {
        let status = Command::new(env!("CARGO_BIN_EXE_weir")).args(["status", "--json", "--data", &data_text]).output();
        let status: Value = serde_json::from_slice(&status.expect("it runs").stdout).unwrap_or_default();
        status["stored"].as_u64().filter(|stored| *stored > 20)
    });
    write(Path::new(&folder), &stamp("two"));
    let live = dev.json("live");
    assert!(live["reload_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{live}");
    let diff = dev.json("diff");
    assert!(diff["diff"]["counts"]["changed"].as_u64().is_some_and(|changed| changed > 0), "{diff}");
    dev.interrupt();
    assert!(!data.join("run.json").exists(), "its server has stopped");
    let again =
        Dev::start(&["/nowhere/at/all", "--data", &data_text, "--capture", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
    let mut child = again.child;
    assert!(!child.wait().expect("it ends").success(), "a folder that is not there is an error");
}

/// Saves at once or not at all, as editors do.
fn write(folder: &Path, source: &str) {
    let next = folder.join(".index.js.tmp");
    fs::write(&next, source).expect("a file");
    fs::rename(next, folder.join("index.js")).expect("a rename");
}

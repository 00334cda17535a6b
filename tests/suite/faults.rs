//! Every fault of the palette on a real server under a stream: it shows what it promises, and when it is over everything
//! has caught up, the ledger adds up, and the oracle has nothing to say.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pipeline_core::api::fault::{FaultList, FaultRequest, FaultView, FaultsRequest};
use pipeline_core::api::generator::GeneratorRequest;
use pipeline_core::api::live::DemoRequest;
use pipeline_core::api::oracle::{OracleRequest, OracleState};
use pipeline_core::api::plugin::PluginView;
use pipeline_core::api::sink::{SinkState, SinkView};
use pipeline_core::api::{ErrorCode, registry};
use serde_json::{Value, json};

use crate::server::{TOKEN, Weir, event, plugin, root, scratch, wait_for};

/// Events a second of the stream.
const RATE: &str = "300";

struct Stage {
    dir: tempfile::TempDir,
    data: PathBuf,
    weir: Weir,
}

impl Stage {
    /// A server with the demo stream, the oracle, a plugin that the oracle has a twin of and one that it has not.
    fn set(extra: &[&str]) -> Self {
        let (dir, data) = scratch();
        let twin = root().join("sample-plugins/url-normalizer").display().to_string();
        let source = "export function processEvent(event, { global }) {\n global.met = (global.met ?? 0) + 1\n \
                      event.properties.met = true\n return event }";
        let own = plugin(dir.path(), "own", "index.js", source).display().to_string();
        let mut arguments = vec!["--demo", "--demo-rate", RATE, "--plugin", &twin, "--plugin", &own];
        arguments.extend(extra);
        let weir = Weir::start_with(&data, &arguments);
        let stage = Self { dir, data, weir };
        wait_for("the stream", || (stage.weir.status().ledger.stored > 100).then_some(()));
        stage
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(arguments)
            .args(["--url", &self.weir.control, "--token", &self.weir.token])
            .output();
        output.expect("the binary runs")
    }

    /// `weir fault …`, which has to work.
    fn fault(&self, arguments: &[&str]) -> FaultList {
        let arguments: Vec<&str> = ["fault"].iter().chain(arguments).chain(&["--json"]).copied().collect();
        let output = self.command(&arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn view(&self, name: &str) -> FaultView {
        named(self.fault(&["list"]), name)
    }

    fn start(&self, arguments: &[&str]) {
        let view = named(self.fault(&[&["start"], arguments].concat()), arguments[0]);
        assert!(view.active, "{view:?}");
    }

    fn stop(&self, name: &str) {
        let view = named(self.fault(&["stop", &name.replace('_', "-")]), name);
        assert!(!view.active && view.strikes > 0, "{view:?}");
    }

    fn plugin(&self, id: &str) -> PluginView {
        let plugins = self.weir.status().plugins;
        plugins.into_iter().find(|plugin| plugin.id == id).expect("the plugin")
    }

    fn sink(&self, name: &str) -> SinkView {
        self.weir.status().sinks.into_iter().find(|sink| sink.name == name).expect("the sink")
    }

    /// Ends the stream and holds that nothing is missing.
    fn catches_up(&self) -> OracleState {
        let rest = DemoRequest { running: Some(false), events_per_second: None };
        self.weir.call::<registry::Demo>(&rest).expect("it stops");
        // What was on its way to the capture port, is a moment later.
        let mut sent = None;
        wait_for("the stream to rest", || {
            let now = self.weir.call::<registry::Generator>(&GeneratorRequest::default()).expect("a state").sent;
            let received = self.weir.status().ledger.received;
            (sent.replace((now, received)) == Some((now, received))).then_some(())
        });
        let ledger = self.weir.settle().ledger;
        assert_eq!((ledger.unexplained, ledger.in_flight), (0, 0));
        let ask = || self.weir.call::<registry::Oracle>(&OracleRequest::default()).expect("the oracle answers");
        let state = wait_for("the oracle to look at everything", || {
            let received = self.weir.status().ledger.received;
            Some(ask()).filter(|state| state.through_offset >= received)
        });
        assert_eq!(state.state, "watching", "{:?}", state.reason);
        assert_eq!(state.kinds, [], "{:?}", state.mismatches.iter().take(3).collect::<Vec<_>>());
        assert_eq!(self.weir.audit().differences, Vec::<String>::new());
        state
    }

    fn goes_on(&self) {
        let go = DemoRequest { running: Some(true), events_per_second: None };
        self.weir.call::<registry::Demo>(&go).expect("it starts");
    }
}

fn named(list: FaultList, name: &str) -> FaultView {
    list.faults.into_iter().find(|fault| fault.name == name).unwrap_or_else(|| panic!("no fault {name}"))
}

#[test]
fn requests_that_come_twice_are_stored_once() {
    let (sink_dir, stage) = with_sink();
    stage.start(&["duplicate_delivery", "--every", "1", "--sink", "jsonl"]);
    let before = stage.weir.status().ledger;
    wait_for("duplicates", || (stage.weir.status().ledger.deduplicated > before.deduplicated + 200).then_some(()));
    let events: Vec<_> = (1..=50).map(|number| event("e", "ann", number, json!({"n": number}))).collect();
    assert!(stage.weir.send(&events));
    stage.stop("duplicate_delivery");
    let state = stage.catches_up();
    assert!(state.duplicates_removed > 250, "{state:?}");
    assert_eq!(stage.weir.count("events WHERE event = 'e'"), 50);
    // Batches that came twice are in the files once.
    drained(&stage, &sink_dir);
}

#[test]
fn a_full_disk_is_refused_before_anything_is_written() {
    let stage = Stage::set(&[]);
    let post = || {
        let body = json!({"api_key": TOKEN, "batch": [event("e", "ann", 1, json!({}))]});
        stage.weir.http.post(format!("{}/batch/", stage.weir.capture)).json(&body).send().expect("an answer")
    };
    stage.start(&["disk_full"]);
    let refused = post();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"), "{:?}", refused.headers());
    // What is in flight is stored, although nothing is accepted.
    assert_eq!(stage.weir.settle().ledger.unexplained, 0);
    stage.stop("disk_full");
    assert_eq!(post().status(), 200, "at once, without a restart");
    stage.catches_up();
    assert_eq!(stage.weir.count("events WHERE event = 'e'"), 1);
}

#[test]
fn a_clock_that_jumps_moves_times_and_nothing_else() {
    let stage = Stage::set(&[]);
    let real = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    // Without a time of the client an event has that of its arrival.
    let arrival = |number: u64| {
        let mut untimed = event("untimed", "ann", number, json!({}));
        untimed.as_object_mut().expect("an object").remove("timestamp");
        assert!(stage.weir.send(&[untimed]));
        let uuid = format!("00000000-0000-4000-8000-{number:012x}");
        wait_for("the event", || {
            let rows = stage.weir.query(&format!("SELECT epoch_ms(timestamp) AS t FROM events WHERE uuid = '{uuid}'"));
            rows.first().and_then(|row| row["t"].as_i64())
        })
    };
    for (number, offset_s) in [(1, 7_200), (2, -7_200)] {
        stage.start(&["clock_jump", "--offset-s", &offset_s.to_string()]);
        let moved = arrival(number) - real();
        assert!((moved - offset_s * 1_000).abs() < 60_000, "{moved}");
    }
    named(stage.fault(&["stop", "clock_jump"]), "clock_jump");
    assert!((arrival(3) - real()).abs() < 60_000, "it is back");
    stage.catches_up();
}

#[test]
fn faults_in_a_plugin_cost_what_they_strike_and_no_more() {
    let stage = Stage::set(&[]);
    // Slow: what does not get through waits on disk.
    stage.start(&["slow_plugin", "--plugin", "own", "--delay-ms", "40"]);
    wait_for("a backlog", || (stage.weir.status().ledger.in_flight > 300).then_some(()));
    stage.stop("slow_plugin");
    stage.catches_up();
    let own = wait_for("the waiting to be seen", || Some(stage.plugin("own")).filter(|own| own.wait_us_p99 > 0.0));
    assert_eq!((own.errors, own.instances_lost), (0, 0));

    // Trap: some events pass unchanged and are labelled, and the instance is gone each time.
    stage.goes_on();
    stage.start(&["plugin_trap", "--plugin", "own", "--every", "7"]);
    wait_for("traps", || (stage.plugin("own").instances_lost >= 20).then_some(()));
    stage.stop("plugin_trap");
    stage.catches_up();
    let own = stage.plugin("own");
    assert_eq!(own.errors, own.instances_lost);
    let error = own.last_error.expect("an error");
    assert_eq!(error.kind, "trap");
    assert!(error.message.contains("fault plugin_trap"), "{}", error.message);
    let failed = "events WHERE (properties->>'$.\"$plugins_failed\"') LIKE '%own%'";
    assert_eq!(stage.weir.count(failed), own.errors);
    assert_eq!(stage.weir.count(&format!("{failed} AND (properties->>'met') = 'true'")), 0, "as they entered it");

    // Loop: each costs the whole limit of CPU.
    stage.goes_on();
    stage.start(&["plugin_loop", "--plugin", "own", "--every", "20"]);
    let is_lost = |own: &PluginView| own.last_error.as_ref().is_some_and(|error| error.kind == "timeout");
    wait_for("loops", || Some(stage.plugin("own")).filter(is_lost));
    wait_for("a backlog", || (stage.weir.status().ledger.in_flight > 100).then_some(()));
    stage.stop("plugin_loop");
    stage.catches_up();
    let worst = stage.plugin("own").worst.expect("a slowest event");
    assert!(worst.cpu_us >= 90_000, "{worst:?}");
    assert_eq!(stage.plugin("url-normalizer").errors, 0, "the other one was left alone");
}

#[test]
fn a_worker_that_stalls_leaves_everything_in_the_log() {
    let stage = Stage::set(&[]);
    stage.start(&["worker_stall"]);
    let status = wait_for("a backlog", || Some(stage.weir.status()).filter(|status| status.ledger.in_flight > 300));
    assert_eq!(status.ledger.unexplained, 0);
    assert!(stage.weir.send(&[event("e", "ann", 1, json!({}))]), "capture goes on");
    let metrics = stage.weir.http.get(format!("{}/metrics", stage.weir.control)).bearer_auth(&stage.weir.token);
    let metrics = metrics.send().and_then(reqwest::blocking::Response::text).expect("metrics");
    assert!(metrics.contains("weir_fault_active{fault=\"worker_stall\"} 1"), "{metrics}");
    assert!(metrics.contains("weir_fault_active{fault=\"disk_full\"} 0"), "{metrics}");
    assert!(metrics.contains("weir_fault_strikes_total{fault=\"worker_stall\"} "), "{metrics}");
    stage.stop("worker_stall");
    stage.catches_up();
    assert_eq!(stage.weir.count("events WHERE event = 'e'"), 1);

    // One that has a time ends by itself, and one that is active does not hold up a stop.
    stage.goes_on();
    stage.start(&["worker_stall", "--for", "300ms"]);
    wait_for("its end", || (!stage.view("worker_stall").active).then_some(()));
    stage.start(&["worker_stall"]);
    wait_for("a backlog", || (stage.weir.status().ledger.in_flight > 50).then_some(()));
    let Stage { weir, data, dir } = stage;
    weir.stop();
    let weir = Weir::start(&data);
    let ledger = weir.settle().ledger;
    assert_eq!(ledger.unexplained, 0);
    assert_eq!(weir.audit().differences, Vec::<String>::new());
    weir.stop();
    drop(dir);
}

#[test]
fn a_damaged_store_is_noticed_and_rebuilt_while_capture_goes_on() {
    let (sink_dir, stage) = with_sink();
    stage.catches_up();
    let before = stage.weir.digest();
    stage.start(&["store_corruption"]);
    wait_for("the damage to be noticed", || {
        let notes = stage.weir.status().recovery;
        notes.iter().any(|note| note.contains("is damaged: its beginning was overwritten")).then_some(())
    });
    // It ends by itself, when the store is there again.
    wait_for("the store", || (!stage.view("store_corruption").active).then_some(()));
    stage.weir.settle();
    assert_eq!(stage.weir.digest(), before);

    stage.goes_on();
    wait_for("the stream", || (stage.weir.status().ledger.in_flight > 0).then_some(()));
    stage.start(&["store_corruption"]);
    wait_for("the store", || (!stage.view("store_corruption").active).then_some(()));
    assert_eq!(stage.view("store_corruption").strikes, 2);
    stage.catches_up();
    drained(&stage, &sink_dir);
}

/// A server with a sink named `jsonl`, and its folder.
fn with_sink() -> (tempfile::TempDir, Stage) {
    let dir = tempfile::tempdir().expect("a temp dir");
    let target = format!("jsonl:{}", dir.path().display());
    (dir, Stage::set(&["--sink", &target]))
}

/// The sink has everything that is stored, once.
fn drained(stage: &Stage, dir: &tempfile::TempDir) {
    let sink = wait_for("the sink to drain", || Some(stage.sink("jsonl")).filter(|sink| sink.pending == Some(0)));
    assert_eq!(sink.failed, 0);
    let mut uuids = lines(dir.path());
    let count = uuids.len();
    uuids.sort();
    uuids.dedup();
    assert_eq!((count, uuids.len() as u64), (uuids.len(), stage.weir.count("event_rows")));
}

fn lines(dir: &Path) -> Vec<String> {
    let paths = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    let text: String = paths.map(|path| std::fs::read_to_string(path).expect("text")).collect();
    let uuid = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        format!("{} {}", line["uuid"], line["offset"])
    };
    text.lines().map(uuid).collect()
}

#[test]
fn a_destination_that_fails_keeps_its_events_waiting() {
    let (sink_dir, stage) = with_sink();
    wait_for("the sink", || (stage.sink("jsonl").delivered > 0).then_some(()));
    for (fault, delay, reason) in [
        ("sink_429", Some("2000"), "answered 429 Too Many Requests: the fault sink_429 is active"),
        ("sink_5xx", None, "answered 503 Service Unavailable: the fault sink_5xx is active"),
        ("sink_timeout", Some("100"), "operation timed out"),
    ] {
        let delay: Vec<&str> = delay.iter().flat_map(|ms| ["--delay-ms", ms]).collect();
        stage.start(&[&[fault], &*delay].concat());
        let is_held_up = |sink: &SinkView| {
            let said = sink.last_error.as_ref().is_some_and(|error| error.contains(reason));
            sink.state == SinkState::Retrying && said && sink.pending > Some(100)
        };
        let sink = wait_for(fault, || Some(stage.sink("jsonl")).filter(is_held_up));
        assert!(sink.retried > 0 && sink.failed == 0, "{sink:?}");
        stage.stop(fault);
        // Before the pause that it was in would be over.
        wait_for("the sink to go on", || (stage.sink("jsonl").delivered > sink.delivered).then_some(()));
    }
    stage.catches_up();
    drained(&stage, &sink_dir);
}

#[test]
fn a_server_that_is_killed_in_a_batch_is_there_again_with_everything_that_was_acked() {
    let stage = Stage::set(&["--supervise"]);
    let pid = run_file(&stage.data)["pid"].clone();
    assert_ne!(pid, stage.weir.pid(), "the parent is another process");
    let events = |first: u64| -> Vec<Value> {
        (first..first + 50).map(|number| event("e", "ann", number, json!({"n": number}))).collect()
    };
    assert!(stage.weir.send(&events(1)));
    stage.start(&["kill_mid_batch"]);
    let mut acked = 1;
    let list = wait_for("the restart", || {
        // Some are acked in the meantime, and others are not; those that are have to be there.
        if stage.weir.send(&events(1_000 * acked)) {
            acked += 1;
        }
        let url = format!("{}/api/v1/faults", stage.weir.control);
        let answer = stage.weir.http.post(url).bearer_auth(&stage.weir.token).timeout(Duration::from_secs(5)).send();
        let list: FaultList = answer.ok().filter(|answer| answer.status().is_success())?.json().ok()?;
        (list.restarts == 1).then_some(list)
    });
    assert!(list.supervised && list.faults.iter().all(|fault| !fault.active));
    assert_eq!(named(list, "kill_mid_batch").strikes, 1);
    assert_ne!(run_file(&stage.data)["pid"], pid);
    wait_for("the stream", || (stage.weir.status().store_state == "ready").then_some(()));
    stage.catches_up();
    for batch in (1..acked).map(|batch| batch * 1_000).chain([1]) {
        for row in events(batch) {
            let uuid = row["uuid"].as_str().expect("a uuid");
            assert_eq!(stage.weir.count(&format!("events WHERE uuid = '{uuid}'")), 1, "{uuid} was acked");
        }
    }
    // Whoever asks the parent to stop stops the server.
    let Stage { weir, data, dir } = stage;
    weir.stop();
    assert!(!data.join("run.json").exists() && !data.join("running").exists(), "a clean stop");
    drop(dir);
}

fn run_file(data: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(data.join("run.json")).expect("run.json")).expect("JSON")
}

#[test]
fn what_cannot_be_broken_is_refused_with_a_reason() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let refusal = |change: fn(&mut FaultRequest)| {
        let mut request = FaultRequest { running: true, ..FaultRequest::default() };
        change(&mut request);
        let error = weir.call::<registry::Fault>(&request).expect_err("it is refused");
        (error.code, format!("{}; {}", error.message, error.hint.unwrap_or_default()))
    };
    type Change = fn(&mut FaultRequest);
    let refused: [(Change, ErrorCode, &str); 7] = [
        (|request| request.name = Some("flood".into()), ErrorCode::NotFound, "`weir fault` lists them"),
        (|_| {}, ErrorCode::BadRequest, "which fault is to start?"),
        (|request| request.name = Some("slow_plugin".into()), ErrorCode::Unavailable, "`weir dev DIR`"),
        (|request| request.name = Some("sink_429".into()), ErrorCode::Unavailable, "`weir sink add jsonl DIR`"),
        (|request| request.name = Some("kill_mid_batch".into()), ErrorCode::Unavailable, "weir serve --supervise"),
        (
            |request| (request.name, request.sink) = (Some("sink_5xx".into()), Some("lake".into())),
            ErrorCode::NotFound,
            "there is no sink \"lake\"",
        ),
        (
            |request| (request.name, request.every) = (Some("disk_full".into()), Some(2)),
            ErrorCode::BadRequest,
            "disk_full has no setting every",
        ),
    ];
    for (change, code, words) in refused {
        let (found, said) = refusal(change);
        assert!(found == code && said.contains(words), "{found:?}: {said}");
    }
    let list = weir.call::<registry::Faults>(&FaultsRequest::default()).expect("the list");
    assert_eq!(list.faults.len(), 12);
    assert!(!list.supervised && list.faults.iter().all(|fault| !fault.active));
    let why = named(list, "kill_mid_batch").unavailable.expect("a reason");
    assert!(why.contains("--supervise"), "{why}");
    // All of them can be stopped at once, also when there are none.
    for name in ["disk_full", "worker_stall"] {
        let start = FaultRequest { name: Some(name.into()), running: true, ..FaultRequest::default() };
        weir.call::<registry::Fault>(&start).expect("it starts");
    }
    for _ in 0..2 {
        let list = weir.call::<registry::Fault>(&FaultRequest::default()).expect("they stop");
        assert!(list.faults.iter().all(|fault| !fault.active));
    }
    weir.stop();
}

//! What runs after an event is stored, from outside: files that equal the store, and a destination that
//! fails in every way and gets everything all the same.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pipeline_core::api::ErrorCode;
use pipeline_core::api::plugin::{PluginAdd, PluginStorageRequest};
use pipeline_core::api::registry;
use pipeline_core::api::sink::{SinkAdd, SinkRemove, SinkReplay, SinkState, SinkView};
use pipeline_core::event::js_date;
use serde_json::{Value, json};

use crate::server::{Weir, event, plugin, scratch, wait_for};

fn fill(weir: &Weir, numbers: std::ops::Range<u64>) {
    fill_at(weir, numbers, "2026-01-02T03:04:05.678Z");
}

fn fill_at(weir: &Weir, numbers: std::ops::Range<u64>, timestamp: &str) {
    let events: Vec<_> = numbers
        .map(|number| {
            let properties = json!({"number": number, "$set": {"last": number}, "big": 1e300, "text": "Käse\n🧀"});
            let mut event = event("e", &format!("person-{}", number % 7), number, properties);
            event["timestamp"] = timestamp.into();
            event
        })
        .collect();
    for batch in events.chunks(50) {
        assert!(weir.send(batch));
    }
}

fn view(weir: &Weir, name: &str) -> SinkView {
    // Sinks start when the store is level with the logs.
    wait_for("the sink", || weir.status().sinks.into_iter().find(|sink| sink.name == name))
}

/// Waits until a sink has nothing before it.
fn drained(weir: &Weir, name: &str) -> SinkView {
    weir.settle();
    let view = wait_for("the sink to drain", || Some(view(weir, name)).filter(|view| view.pending == Some(0)));
    assert_eq!(view.delivered + view.failed, weir.count(&format!("event_rows WHERE _offset >= {}", view.start)));
    view
}

/// Every line of a directory, in order of its files.
fn lines(dir: &Path) -> Vec<Value> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("it").path()).collect();
    paths.sort();
    let text: String = paths.iter().map(|path| fs::read_to_string(path).expect("text")).collect();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

const COLUMNS: &str = "uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, \
    person_id, person_created_at, person_properties, person_mode, group0_properties, group0_created_at, \
    group1_properties, group1_created_at, group2_properties, group2_created_at, group3_properties, \
    group3_created_at, group4_properties, group4_created_at, plugins, _timestamp, _offset";

/// What the store has, in the order of the log.
fn stored(weir: &Weir) -> Vec<Value> {
    weir.query_all(&format!("SELECT {COLUMNS} FROM events ORDER BY _offset"))
}

#[test]
fn through_kills_nothing_is_lost_and_no_line_is_doubled() {
    let (dir, data) = scratch();
    let out = dir.path().join("out");
    let sink = format!("jsonl:{}", out.display());
    let destination = Destination::start([Answer::Status(503), Answer::TakenAndLost]);
    for round in 0..4 {
        let weir = Weir::start_with(&data, &["--sink", &sink, "--sink", &destination.url]);
        fill(&weir, 1 + round * 1_000..1_001 + round * 1_000);
        let delivered = 200 + round * 900;
        wait_for("some lines", || (view(&weir, "jsonl").delivered >= delivered).then_some(()));
        weir.kill();
    }
    let weir = Weir::start_with(&data, &["--sink", &sink, "--sink", &destination.url]);
    assert_eq!(drained(&weir, "jsonl").failed, 0);
    let rows = stored(&weir);
    assert_eq!(rows.len(), 4_000);
    assert_eq!(lines(&out), rows);
    assert_eq!(drained(&weir, "http").delivered, 4_000);
    assert_eq!(destination.events(), rows);
    assert_eq!(weir.status().sinks.len(), 2, "the sinks of the first start go on");
    weir.stop();

    // A rebuild of the store sends nothing, and the next event goes on where the last was.
    let before = fs::read_dir(&out).expect("a folder").count();
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start(&data);
    let delivered = drained(&weir, "jsonl").delivered;
    assert_eq!(delivered, 4_000, "the cursor is the journal's");
    assert_eq!(lines(&out), rows);
    fill(&weir, 10_000..10_010);
    assert_eq!(drained(&weir, "jsonl").delivered, 4_010);
    assert_eq!(lines(&out), stored(&weir));
    assert!(fs::read_dir(&out).expect("a folder").count() <= before + 1);
    assert_eq!(weir.audit().differences, Vec::<String>::new());
}

#[test]
fn what_is_stored_is_sent_once_more_from_the_start_or_from_a_moment() {
    let (dir, data) = scratch();
    let source = "export async function exportEvents(events, { storage }) {\n\
        const seen = await storage.get('seen', [])\n\
        await storage.set('seen', [...seen, ...events.map((event) => event.properties.number)]) }";
    let manifest = r#"{"config": [{"key": "exportEventsBufferSeconds", "type": "string", "default": "1"}]}"#;
    let folder = plugin(dir.path(), "history", "index.js", source);
    fs::write(folder.join("plugin.json"), manifest).expect("a manifest");
    let weir = Weir::start(&data);
    fill(&weir, 1..91);
    fill_at(&weir, 91..101, "2026-02-03T04:05:06Z");
    weir.settle();
    // The plugin comes after its first hundred events.
    let add = PluginAdd { dir: folder.display().to_string() };
    weir.call::<registry::PluginAdd>(&add).expect("a plugin");
    let name = "plugin:history:exportEvents";
    assert_eq!(view(&weir, name).start, 100);
    fill_at(&weir, 101..111, "2026-02-04T04:05:06Z");
    drained(&weir, name);
    let replay = |name: &str, from_ms| {
        weir.call::<registry::SinkReplay>(&SinkReplay { name: name.into(), from_ms }).map(|view| view.start)
    };
    assert_eq!(replay(name, None).expect("a sink"), 0);
    assert_eq!(drained(&weir, name).delivered, 110);
    let moment = js_date::parse("2026-02-03T04:05:06Z");
    assert_eq!(replay(name, moment).expect("a sink"), 90);
    assert_eq!(drained(&weir, name).delivered, 20);
    let kept = PluginStorageRequest { id: "history".into(), ..PluginStorageRequest::default() };
    let entries = weir.call::<registry::PluginStorage>(&kept).expect("storage").entries;
    let numbers: Vec<u64> = serde_json::from_str(&entries[0].value).expect("numbers");
    assert_eq!(numbers, (101..111).chain(1..111).chain(91..111).collect::<Vec<_>>());
    assert_eq!(replay("nobody", None).expect_err("no sink").code, ErrorCode::NotFound);
    weir.kill();
    // The restart goes on behind the newest cursor.
    let weir = Weir::start_with(&data, &["--plugin", &folder.display().to_string()]);
    assert_eq!(drained(&weir, name).start, 90);
}

#[test]
fn parquet_files_equal_the_rows() {
    let (dir, data) = scratch();
    let out = dir.path().join("lake");
    let weir = Weir::start(&data);
    fill(&weir, 1..300);
    weir.settle();
    let add = SinkAdd {
        kind: "parquet".into(),
        target: out.display().to_string(),
        name: Some("lake".into()),
        from_start: true,
        ..SinkAdd::default()
    };
    assert_eq!(weir.call::<registry::SinkAdd>(&add).expect("a sink").start, 0);
    drained(&weir, "lake");
    fill(&weir, 300..400);
    weir.settle();
    let rows = stored(&weir);
    // What has been gathered is written at a stop.
    weir.stop();
    let reader = duckdb::Connection::open_in_memory().expect("a database");
    let sql = format!(
        "SELECT to_json(t)::VARCHAR FROM (SELECT * REPLACE (epoch_ms(timestamp) AS timestamp, \
         epoch_ms(created_at) AS created_at, epoch_ms(person_created_at) AS person_created_at, \
         epoch_ms(_timestamp) AS _timestamp) FROM read_parquet('{}/*.parquet')) t ORDER BY _offset",
        out.display()
    );
    let mut statement = reader.prepare(&sql).expect("readable files");
    let found: Vec<Value> = statement
        .query_map([], |row| row.get::<_, String>(0))
        .expect("rows")
        .map(|text| serde_json::from_str(&text.expect("text")).expect("JSON"))
        .collect();
    assert_eq!(found.len(), 399);
    for (found, row) in found.iter().zip(&rows) {
        for name in ["uuid", "event", "team_id", "distinct_id", "person_id", "person_mode", "_offset"] {
            assert_eq!(found[name], row[name], "{name}");
        }
        for name in ["properties", "person_properties", "group0_properties", "plugins"] {
            let text = found[name].as_str().expect("text");
            assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), row[name], "{name}");
        }
        for name in ["timestamp", "created_at", "person_created_at", "_timestamp"] {
            let ms = found[name].as_i64().expect("milliseconds");
            assert_eq!(pipeline_core::event::time::iso(ms), row[name].as_str().expect("a time"), "{name}");
        }
    }
}

/// How the destination answers the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Status(u16),
    /// Takes the request, and lets the connection go without an answer.
    TakenAndLost,
    /// Never, until the caller gives up.
    Hang,
}

/// A real server that counts what it was sent, by idempotency key.
#[derive(Clone)]
struct Destination {
    url: String,
    /// First answers; 200 when there are none left.
    answers: Arc<Mutex<VecDeque<Answer>>>,
    /// Bodies by key, in the order of arrival: all that were answered with 200 or lost.
    taken: Arc<Mutex<Vec<(String, Value)>>>,
    hanging: Arc<Mutex<Vec<TcpStream>>>,
}

impl Destination {
    fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let destination = Self {
            url: format!("http://{}/events", listener.local_addr().expect("an address")),
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            taken: Arc::default(),
            hanging: Arc::default(),
        };
        let server = destination.clone();
        std::thread::Builder::new()
            .spawn(move || listener.incoming().map_while(Result::ok).for_each(|stream| server.serve(stream)))
            .expect("a thread");
        destination
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let mut chunk = [0; 8_192];
        let (key, body) = loop {
            let Ok(read) = stream.read(&mut chunk) else { return };
            if read == 0 {
                return;
            }
            bytes.extend_from_slice(&chunk[..read]);
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let length: usize = field("content-length: ").expect("a length").parse().expect("a number");
            if bytes.len() >= end + 4 + length {
                let body = serde_json::from_slice(&bytes[end + 4..end + 4 + length]).expect("JSON");
                break (field("idempotency-key: ").expect("a key"), body);
            }
        };
        let answer = self.answers.lock().expect("no panic").pop_front().unwrap_or(Answer::Status(200));
        match answer {
            Answer::Hang => self.hanging.lock().expect("no panic").push(stream),
            Answer::TakenAndLost => self.taken.lock().expect("no panic").push((key, body)),
            Answer::Status(status) => {
                if status == 200 {
                    self.taken.lock().expect("no panic").push((key, body));
                }
                let retry = if status == 429 { "retry-after: 1\r\n" } else { "" };
                write!(stream, "HTTP/1.1 {status} x\r\n{retry}connection: close\r\ncontent-length: 0\r\n\r\n").ok();
            }
        }
    }

    /// Events of each key once, in order; a key that came twice must have brought the same.
    fn events(&self) -> Vec<Value> {
        let mut known: HashMap<String, Value> = HashMap::new();
        let mut events = Vec::new();
        for (key, body) in self.taken.lock().expect("no panic").iter() {
            assert_eq!(&body["key"], key.as_str());
            if let Some(first) = known.get(key) {
                assert_eq!(first, body, "a repeated key brings the same batch");
                continue;
            }
            events.extend(body["events"].as_array().expect("events").iter().cloned());
            known.insert(key.clone(), body.clone());
        }
        events
    }

    fn requests(&self) -> usize {
        self.taken.lock().expect("no panic").len()
    }
}

#[test]
fn a_destination_that_fails_in_every_way_gets_everything_once_by_key() {
    let (_dir, data) = scratch();
    let destination =
        Destination::start([Answer::Status(500), Answer::TakenAndLost, Answer::Status(429), Answer::Hang]);
    let weir = Weir::start_with(&data, &["--sink", &destination.url]);
    fill(&weir, 1..200);
    // It dies with a request on its way, and more is stored by then; the repetition is the same batch, under
    // the same key.
    wait_for("a request that hangs", || (!destination.hanging.lock().expect("no panic").is_empty()).then_some(()));
    fill(&weir, 200..300);
    weir.settle();
    weir.kill();
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start(&data);
    fill(&weir, 300..400);
    let sink = drained(&weir, "http");
    assert_eq!((sink.delivered, sink.failed), (399, 0));
    assert_eq!(destination.events(), stored(&weir));

    // What it will never take is named, and the rest goes on.
    destination.answers.lock().expect("no panic").push_back(Answer::Status(400));
    fill(&weir, 400..410);
    let sink = drained(&weir, "http");
    assert_eq!((sink.delivered, sink.failed), (399, 10));
    assert!(sink.last_error.expect("a reason").contains("400"));
    let failures = wait_for("the failure's row", || {
        Some(weir.query("SELECT sink, first_offset, until_offset, events, attempts, reason FROM sink_failures"))
            .filter(|rows| !rows.is_empty())
    });
    assert_eq!(failures.len(), 1);
    assert_eq!((&failures[0]["sink"], &failures[0]["events"]), (&json!("http"), &json!(10)));
    assert_eq!((&failures[0]["first_offset"], &failures[0]["until_offset"]), (&json!(399), &json!(409)));
    let digest = weir.digest();
    weir.stop();

    // Neither a rebuild nor a restart sends anything again.
    let requests = destination.requests();
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start(&data);
    let sink = drained(&weir, "http");
    assert_eq!((sink.delivered, sink.failed), (399, 10));
    assert_eq!(weir.digest(), digest, "failures are a projection too");
    fill(&weir, 500..501);
    drained(&weir, "http");
    assert_eq!(destination.requests(), requests + 1);
}

#[test]
fn a_store_that_is_deleted_under_a_running_sink_sends_nothing_twice() {
    let (_dir, data) = scratch();
    let destination = Destination::start([]);
    let weir = Weir::start_with(&data, &["--sink", &format!("http:{}", destination.url)]);
    fill(&weir, 1..500);
    drained(&weir, "http");
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    fill(&weir, 500..1_000);
    wait_for("the rebuild", || {
        weir.status().recovery.iter().any(|note| note.contains("rebuilt from the logs")).then_some(())
    });
    assert_eq!(drained(&weir, "http").delivered, 999);
    let mut times: BTreeMap<u64, u32> = BTreeMap::new();
    for (_, body) in destination.taken.lock().expect("no panic").iter() {
        for event in body["events"].as_array().expect("events") {
            *times.entry(event["_offset"].as_u64().expect("an offset")).or_default() += 1;
        }
    }
    assert_eq!(times.len(), 999);
    assert!(times.values().all(|times| *times == 1));
}

#[test]
fn sinks_are_added_listed_and_removed() {
    let (dir, data) = scratch();
    let weir = Weir::start(&data);
    fill(&weir, 1..21);
    weir.settle();
    let command = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(arguments)
            .args(["--json", "--data"])
            .arg(&data)
            .current_dir(dir.path())
            .output()
            .expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), serde_json::from_str::<Value>(&text).unwrap_or_default(), said)
    };
    let (worked, now, said) = command(&["sink", "add", "jsonl", "now"]);
    assert!(worked, "{said}");
    assert_eq!((&now["name"], &now["start"]), (&json!("jsonl"), &json!(20)), "from now on");
    assert_eq!(now["target"], dir.path().join("now").to_str().expect("a path"), "a path is meant from here");
    let (worked, all, said) = command(&["sink", "add", "jsonl", "all", "--from-start", "--name", "all"]);
    assert!(worked && all["start"] == 0, "{said}");
    for refused in [
        vec!["sink", "add", "csv", "x"],
        vec!["sink", "add", "http", "https://example.org/"],
        vec!["sink", "add", "jsonl", "x", "--name", "all"],
        vec!["sink", "add", "jsonl", "x", "--name", "a b"],
        vec!["sink", "add", "http", "http://127.0.0.1:1/", "--attempts", "0"],
        vec!["sink", "remove", "none"],
    ] {
        let (worked, _, said) = command(&refused);
        assert!(!worked && !said.trim().is_empty(), "{refused:?}: {said}");
    }
    fill(&weir, 21..31);
    assert_eq!((drained(&weir, "jsonl").delivered, drained(&weir, "all").delivered), (10, 30));
    assert_eq!(lines(&dir.path().join("all")).len(), 30);
    assert_eq!(lines(&dir.path().join("now")), lines(&dir.path().join("all"))[20..]);

    // One that cannot deliver holds nobody up, and gives up when it was told to.
    let (worked, _, said) = command(&["sink", "add", "http", "http://127.0.0.1:1/", "--attempts", "2"]);
    assert!(worked, "{said}");
    fill(&weir, 31..41);
    assert_eq!(drained(&weir, "all").delivered, 40);
    let http = drained(&weir, "http");
    assert_eq!((http.delivered, http.failed, http.retried), (0, 10, 1));
    let (worked, list, _) = command(&["sink", "list"]);
    assert!(worked && list.as_array().is_some_and(|list| list.len() == 3), "{list}");

    let removed = weir.call::<registry::SinkRemove>(&SinkRemove { name: "all".into() }).expect("removed");
    assert_eq!(removed.delivered, 40);
    let again = weir.call::<registry::SinkRemove>(&SinkRemove { name: "all".into() }).expect_err("it is gone");
    assert_eq!(again.code, ErrorCode::NotFound);
    fill(&weir, 41..51);
    drained(&weir, "jsonl");
    assert_eq!(lines(&dir.path().join("all")).len(), 40, "what was delivered stays, and nothing follows");
    weir.stop();
    let weir = Weir::start(&data);
    wait_for("the sinks", || (weir.status().sinks.len() == 2).then_some(()));
    let names: Vec<String> = weir.status().sinks.into_iter().map(|sink| sink.name).collect();
    assert_eq!(names, ["http", "jsonl"], "a removed sink stays removed");
    assert_ne!(view(&weir, "jsonl").state, SinkState::Stopped);
}

#[test]
fn plugins_are_called_once_for_each_stored_event_in_order() {
    let (dir, data) = scratch();
    let plugin = dir.path().join("exporter");
    fs::create_dir(&plugin).expect("a folder");
    let config = json!([
        {"key": "exportEventsBufferSeconds", "type": "string", "default": "1"},
        {"key": "exportEventsToIgnore", "type": "string", "default": "quiet"},
    ]);
    fs::write(plugin.join("plugin.json"), json!({"name": "Exporter", "config": config}).to_string())
        .expect("a manifest");
    let source = r"
        export function processEvent(event) { return event.event === 'drop' ? null : event }
        async function note(storage, key, values) {
            await storage.set(key, [...(await storage.get(key, [])), ...values])
        }
        export async function onEvent(event, { storage }) {
            await note(storage, 'seen', [event.properties.number])
            if (event.event === 'retry' && (await storage.get('asked', false)) === false) {
                await storage.set('asked', true)
                throw new RetryError('once more')
            }
            if (event.event === 'fail') throw new Error('no luck')
        }
        export async function exportEvents(events, { storage }) {
            await note(storage, 'exported', events.map((event) => event.properties.number))
        }";
    fs::write(plugin.join("index.js"), source).expect("a source");
    let arguments = ["--plugin", plugin.to_str().expect("a plain path")];
    let weir = Weir::start_with(&data, &arguments);
    let send = |weir: &Weir, name: &str, numbers: std::ops::Range<u64>| {
        let events: Vec<Value> =
            numbers.map(|number| event(name, "a", number, json!({"number": number, "$ip": "1.2.3.4"}))).collect();
        assert!(weir.send(&events));
    };
    let (on_event, export) = ("plugin:exporter:onEvent", "plugin:exporter:exportEvents");
    assert_eq!(view(&weir, on_event).kind, "plugin_on_event");
    send(&weir, "e", 1..60);
    send(&weir, "drop", 60..70);
    send(&weir, "retry", 70..71);
    send(&weir, "fail", 71..72);
    send(&weir, "quiet", 72..75);
    let seen = drained(&weir, on_event);
    assert_eq!((seen.delivered, seen.failed, seen.retried), (63, 1, 1));
    assert_eq!(drained(&weir, export).delivered, 64);
    let deferred = weir.query("SELECT DISTINCT properties->'$.\"$plugins_deferred\"' AS names FROM events");
    assert_eq!(json!(deferred), json!([{"names": ["Exporter (exporter)"]}]));
    weir.stop();

    // After a stop and a rebuild they go on where they were.
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start_with(&data, &arguments);
    send(&weir, "e", 75..80);
    assert_eq!(drained(&weir, on_event).delivered, 68);
    assert_eq!(drained(&weir, export).delivered, 69);
    let numbers = |key: &str| -> Vec<u64> {
        let sql = format!("SELECT value FROM plugin_storage WHERE key = '{key}'");
        let rows = weir.query(&sql);
        serde_json::from_str(rows.first().and_then(|row| row["value"].as_str()).unwrap_or("[]")).expect("numbers")
    };
    let stored: Vec<u64> = (1..60).chain(70..80).collect();
    let with_retry: Vec<u64> =
        stored.iter().flat_map(|number| if *number == 70 { vec![70, 70] } else { vec![*number] }).collect();
    let exported: Vec<u64> = stored.iter().copied().filter(|number| !(72..75).contains(number)).collect();
    wait_for("what the plugin stored", || {
        (numbers("seen") == with_retry && numbers("exported") == exported).then_some(())
    });
    let lines = weir.query("SELECT message FROM plugin_logs WHERE source = 'PLUGIN'");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0]["message"].as_str().is_some_and(|text| text.contains("no luck")), "{lines:?}");
    let failures = weir.query("SELECT sink, events, reason FROM sink_failures");
    assert_eq!((failures.len(), &failures[0]["sink"]), (1, &json!(on_event)));
    let refused =
        weir.call::<registry::SinkRemove>(&SinkRemove { name: on_event.into() }).expect_err("it is the plugin's");
    assert_eq!(refused.code, ErrorCode::SinkRefused);
    assert_eq!(weir.audit().differences, Vec::<String>::new());
}

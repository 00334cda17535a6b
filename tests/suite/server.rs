//! Starts, asks, stops and kills a `weir serve`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pipeline_core::api::ledger::{Audit, Digest, Status};
use pipeline_core::api::{self, Command as ApiCommand, registry};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub const TOKEN: &str = "phc_test";
const PATIENCE: Duration = Duration::from_mins(1);

pub struct Weir {
    child: Child,
    pub capture: String,
    pub control: String,
    pub token: String,
    pub http: reqwest::blocking::Client,
}

impl Weir {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// `extra` are further arguments of `weir serve`.
    pub fn start_with(data: &Path, extra: &[&str]) -> Self {
        Self::start_in(data, extra, &[])
    }

    /// With variables of its environment.
    pub fn start_in(data: &Path, extra: &[&str], environment: &[(&str, &str)]) -> Self {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(data.with_extension("log"))
            .expect("a log file beside the data directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["serve", "--capture", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(extra)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("one line");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
            panic!("{error}: {line:?}; log: {}", fs::read_to_string(data.with_extension("log")).unwrap_or_default())
        });
        assert_eq!(ready["ready"], true);
        let text = |key: &str| ready[key].as_str().expect("a string").to_owned();
        Self {
            child,
            capture: text("capture"),
            control: text("control"),
            token: text("token"),
            http: reqwest::blocking::Client::builder().no_proxy().build().expect("a client"),
        }
    }

    /// Sends a batch and says whether it was acked.
    pub fn send(&self, events: &[Value]) -> bool {
        let body = json!({"api_key": TOKEN, "batch": events});
        let response = self.http.post(format!("{}/batch/", self.capture)).json(&body).send();
        response.is_ok_and(|response| response.status().is_success())
    }

    pub fn call<C: ApiCommand>(&self, request: &C::Request) -> Result<C::Response, api::ApiError> {
        let url = format!("{}{}", self.control, api::command::path(C::NAME));
        let response = self.http.post(url).bearer_auth(&self.token).json(request).send().expect("an answer");
        if response.status().is_success() { Ok(body(response)) } else { Err(body(response)) }
    }

    pub fn status(&self) -> Status {
        self.call::<registry::Status>(&Default::default()).expect("status always answers")
    }

    /// Rows as objects.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        self.query_up_to(sql, None)
    }

    /// The same for a result larger than the default limit.
    pub fn query_all(&self, sql: &str) -> Vec<Value> {
        self.query_up_to(sql, Some(100_000))
    }

    fn query_up_to(&self, sql: &str, max_rows: Option<u64>) -> Vec<Value> {
        let result = self
            .call::<registry::Query>(&api::query::QueryRequest { sql: sql.into(), max_rows, timeout_ms: None })
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(!result.truncated, "{sql}: more rows than the limit");
        let columns = result.columns;
        result.rows.into_iter().map(|row| Value::Object(columns.iter().cloned().zip(row).collect())).collect()
    }

    pub fn count(&self, sql: &str) -> u64 {
        self.query(&format!("SELECT count(*) AS n FROM {sql}"))[0]["n"].as_u64().expect("a count")
    }

    pub fn audit(&self) -> Audit {
        self.call::<registry::Audit>(&Default::default()).expect("an audit")
    }

    pub fn digest(&self) -> Digest {
        self.call::<registry::Digest>(&Default::default()).expect("digests")
    }

    /// Waits until everything received has an outcome and the store can be asked.
    pub fn settle(&self) -> Status {
        wait_for("everything to be stored", || {
            let status = self.status();
            (status.ledger.in_flight == 0 && status.store_state == "ready").then_some(status)
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("a signal");
        self.child.wait().expect("an end");
    }

    /// SIGTERM, and the exit code 0 that must follow.
    pub fn stop(mut self) {
        self.signal_terminate();
        let status = wait_for("the server to stop", || self.child.try_wait().expect("a state"));
        assert!(status.success(), "{status}");
    }

    fn signal_terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn body<T: DeserializeOwned>(response: reqwest::blocking::Response) -> T {
    let text = response.text().expect("a body");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Polls until `ready` gives something. The limit is only there to fail instead of hanging.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The top of the repository. Asked for at run time: clones share a build folder, so the path at compile
/// time may be another's.
pub fn root() -> PathBuf {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.join("../..")
}

/// A directory for one test's data, with room for the log beside it.
pub fn scratch() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temp dir");
    let data = dir.path().join("data");
    (dir, data)
}

/// An event with a uuid of its own.
pub fn event(name: &str, distinct_id: &str, number: u64, properties: Value) -> Value {
    json!({
        "uuid": format!("00000000-0000-4000-8000-{number:012x}"),
        "event": name,
        "distinct_id": distinct_id,
        "properties": properties,
        "timestamp": "2026-01-02T03:04:05.678Z",
    })
}

/// A plugin folder with one source file.
pub fn plugin(root: &Path, name: &str, file: &str, source: &str) -> PathBuf {
    let dir = root.join(name);
    fs::create_dir_all(&dir).expect("a folder");
    fs::write(dir.join("plugin.json"), json!({"name": name}).to_string()).expect("a manifest");
    fs::write(dir.join(file), source).expect("a source");
    dir
}

//! A `weir serve` to measure.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use pipeline_core::api::ledger::Status;
use pipeline_core::api::{Command as ApiCommand, command, registry};
use serde_json::Value;

pub struct Server {
    child: Child,
    pub capture: String,
    control: String,
    token: String,
    http: reqwest::blocking::Client,
}

impl Server {
    /// Pinned to the first core with all its threads when `pinned`.
    pub fn start(data: &Path, plugins: &[&Path], pinned: bool) -> anyhow::Result<Self> {
        let binary = std::env::var_os("WEIR_BIN").map_or_else(|| PathBuf::from("weir"), PathBuf::from);
        let mut command = if pinned {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(binary);
            command
        } else {
            Command::new(binary)
        };
        command.args(["serve", "--capture", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data"]).arg(data);
        for plugin in plugins {
            command.arg("--plugin").arg(plugin);
        }
        let mut child = command
            .env("WEIR_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("weir serve")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no pipe")?).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("weir did not start")?;
        let text = |key: &str| ready[key].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            child,
            capture: text("capture"),
            control: text("control"),
            token: text("token"),
            // A comparison that gives way may take its time.
            http: reqwest::blocking::Client::builder().no_proxy().timeout(None).build()?,
        })
    }

    pub fn call<C: ApiCommand>(&self, request: &C::Request) -> anyhow::Result<C::Response> {
        let url = format!("{}{}", self.control, command::path(C::NAME));
        Ok(self.http.post(url).bearer_auth(&self.token).json(request).send()?.error_for_status()?.json()?)
    }

    pub fn status(&self) -> anyhow::Result<Status> {
        self.call::<registry::Status>(&pipeline_core::api::ledger::StatusRequest::default())
    }

    /// A quantile of a summary, in its own unit.
    pub fn quantile(&self, metric: &str, quantile: &str) -> anyhow::Result<f64> {
        let text = self.http.get(format!("{}/metrics", self.control)).bearer_auth(&self.token).send()?.text()?;
        let wanted = format!("quantile=\"{quantile}\"");
        text.lines()
            .find(|line| line.starts_with(metric) && line.contains(&wanted))
            .and_then(|line| line.rsplit(' ').next()?.parse().ok())
            .with_context(|| format!("no {metric} yet"))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(&mut self) {
        Command::new("kill").arg(self.child.id().to_string()).status().ok();
        self.child.wait().ok();
    }

    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

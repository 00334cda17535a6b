//! `./dev run`, the desktop window, and the benchmarks.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::process::{cargo, root, run as run_to_end};
use crate::ui;

fn binary(name: &str) -> PathBuf {
    // This program lies where cargo puts the others.
    std::env::current_exe().map_or_else(|_| PathBuf::from(name), |path| path.with_file_name(name))
}

/// Builds what is missing and opens the studio, with the demo stream flowing through a sample plugin.
pub fn run(no_open: bool, arguments: &[String]) -> anyhow::Result<()> {
    ui::build()?;
    run_to_end(cargo().args(["build", "--locked"]))?;
    let plugin = root().join("sample-plugins/url-normalizer");
    let mut server = Command::new(binary("weir"));
    server.args(["serve", "--demo", "--supervise"]);
    if !arguments.iter().any(|argument| argument == "--plugin") {
        server.arg("--plugin").arg(&plugin);
    }
    let mut child = server.args(arguments).stdout(Stdio::piped()).spawn().context("cannot start weir")?;
    let mut ready = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut ready)?;
    }
    let ready: serde_json::Value = serde_json::from_str(&ready).context("weir did not start; its message is above")?;
    let link = Command::new(binary("weir"))
        .args(["open", "--url", ready["control"].as_str().unwrap_or_default()])
        .args(["--token", ready["token"].as_str().unwrap_or_default()])
        .output()?;
    let link = String::from_utf8_lossy(&link.stdout).trim().to_owned();
    eprintln!(
        "\n  Weir is running.\n\n  studio   {link}\n  capture  {}\n  plugin   {}\n\n  Edit the plugin and save: the stream shows it. Ctrl-C stops.\n",
        ready["capture"].as_str().unwrap_or_default(),
        plugin.display()
    );
    let has_display = std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
    if !no_open && has_display {
        // Without a browser the printed link is enough.
        Command::new("xdg-open").arg(&link).stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
    }
    child.wait()?;
    Ok(())
}

/// Builds the desktop window; it needs WebKit, which `./dev desktop` installs.
pub fn desktop() -> anyhow::Result<()> {
    ui::build()?;
    run_to_end(cargo().args(["build", "--locked", "--package", "weir-desktop"]))?;
    eprintln!("the window is {}", binary("weir-desktop").display());
    Ok(())
}

pub fn bench(arguments: &[String]) -> anyhow::Result<()> {
    ui::build()?;
    run_to_end(cargo().args(["build", "--locked"]))?;
    run_to_end(Command::new(binary("weir-bench")).args(arguments).env("WEIR_BIN", binary("weir")).current_dir(root()))
}

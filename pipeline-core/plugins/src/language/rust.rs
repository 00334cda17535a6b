//! A Rust crate becomes a component: cargo builds it for `wasm32-wasip2`.
//!
//! Cargo is asked to do without the network first, and only when that fails for want of a package to go
//! and fetch it. All plugins share one folder of intermediate results, so that the second plugin does not
//! build the SDK again; final results lie apart, by the plugin's folder. Build scripts and macros of the
//! crate run on this machine with this user's rights, as they do under cargo anywhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use weir_api::plugin::Diagnostic;

use super::CARGO;
use super::cache_dir;
use super::job::{Cancel, Said};
use super::rustc;
use crate::sources::Snapshot;

const TARGET: &str = "wasm32-wasip2";

include!("../../cargo_settings.rs");

/// Cargo's words for a package that is not on this machine.
const WANTS_NETWORK: [&str; 4] = ["--offline", "no matching package", "failed to download", "failed to get `"];

/// The component's bytes.
pub fn build(dir: &Path, snapshot: &Snapshot, cancel: &Cancel) -> Result<Vec<u8>, Box<Diagnostic>> {
    check_target(dir, cancel)?;
    let cache = cache_dir()?.join("rust-plugins");
    let place = cache.join(&blake3::hash(dir.as_os_str().as_encoded_bytes()).to_hex()[..16]);
    let mut said = cargo(dir, &cache, &place, true, cancel)?;
    if !said.status.success() && WANTS_NETWORK.iter().any(|words| said.stderr.contains(words)) {
        said = cargo(dir, &cache, &place, false, cancel)?;
    }
    let told = rustc::read(&said.stdout, dir);
    if !said.status.success() {
        return Err(told.first_error.unwrap_or_else(|| rustc::cargo_error(&said.stderr, snapshot)));
    }
    let Some(artifact) = told.artifact else {
        return Err(problem(
            "The crate builds no component".to_owned(),
            "Add `[lib]` with `crate-type = [\"cdylib\"]` to Cargo.toml.",
        ));
    };
    fs::read(&artifact)
        .map_err(|error| problem(format!("Cannot read {}: {error}", artifact.display()), "Save a file to build again."))
}

fn cargo(dir: &Path, cache: &Path, place: &Path, is_offline: bool, cancel: &Cancel) -> Result<Said, Box<Diagnostic>> {
    let mut command = tool("cargo", dir);
    command
        .args(["build", "--release", "--lib", "--target", TARGET, "--message-format=json", "--target-dir"])
        .arg(place)
        .env("CARGO_BUILD_BUILD_DIR", cache.join("build"))
        .env("CARGO_TERM_COLOR", "never");
    if is_offline {
        command.arg("--offline");
    }
    cancel.run(&mut command).map_err(|error| no_tool("cargo", &error))
}

/// Without its standard library the compiler's own message is about `std` and helps nobody.
fn check_target(dir: &Path, cancel: &Cancel) -> Result<(), Box<Diagnostic>> {
    let said = cancel
        .run(tool("rustc", dir).args(["--print", "target-libdir", "--target", TARGET]))
        .map_err(|error| no_tool("rustc", &error))?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim());
    if said.status.success() && libraries.is_dir() {
        return Ok(());
    }
    Err(problem(
        format!("The Rust target {TARGET} is not installed"),
        "Run `rustup target add wasm32-wasip2` in the plugin's folder.",
    ))
}

fn tool(name: &str, dir: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(dir);
    for setting in FOREIGN {
        command.env_remove(setting);
    }
    command
}

fn no_tool(name: &str, error: &io::Error) -> Box<Diagnostic> {
    problem(format!("Cannot run {name}: {error}"), "Plugins in Rust need the Rust toolchain; install it with rustup.")
}

fn problem(message: String, hint: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic { message, file: CARGO.to_owned(), hint: Some(hint.to_owned()), ..Diagnostic::default() })
}

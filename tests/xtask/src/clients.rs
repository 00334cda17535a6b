//! The official client libraries that the suite drives, pinned and installed from their registries.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::process::{cache, cargo, hex, root, run};

/// What names the versions; the Rust client is a program, so its source counts too.
const PINS: [&str; 6] =
    ["requirements.txt", "package.json", "package-lock.json", "rust/Cargo.toml", "rust/Cargo.lock", "rust/src/main.rs"];

/// A directory with `venv`, `node_modules` and `bin`; made once per set of pins.
pub fn install() -> anyhow::Result<PathBuf> {
    let source = root().join("tests/clients");
    let mut hasher = Sha256::new();
    for pins in PINS {
        hasher.update(fs::read(source.join(pins))?);
    }
    let hash = &hex(&hasher.finalize())[..16];
    let dir = cache().join("clients").join(hash);
    if dir.join("ready").exists() {
        return Ok(dir);
    }
    fs::create_dir_all(&dir)?;
    run(Command::new("python3").args(["-m", "venv"]).arg(dir.join("venv")))?;
    run(Command::new(dir.join("venv/bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(source.join("requirements.txt")))?;
    for pins in ["package.json", "package-lock.json"] {
        fs::copy(source.join(pins), dir.join(pins))?;
    }
    run(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&dir))?;
    run(cargo()
        .args(["install", "--quiet", "--locked", "--debug", "--path"])
        .arg(source.join("rust"))
        .arg("--root")
        .arg(&dir)
        .env("CARGO_TARGET_DIR", cache().join("target-clients")))?;
    fs::write(dir.join("ready"), "")?;
    Ok(dir)
}

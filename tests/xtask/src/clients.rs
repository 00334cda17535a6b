//! The official client libraries that the suite drives, pinned and installed from their registries.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::process::{cache, hex, root, run};

/// A directory with `venv` and `node_modules`; made once per set of pins.
pub fn install() -> anyhow::Result<PathBuf> {
    let source = root().join("tests/clients");
    let mut hasher = Sha256::new();
    for pins in ["requirements.txt", "package.json", "package-lock.json"] {
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
    fs::write(dir.join("ready"), "")?;
    Ok(dir)
}

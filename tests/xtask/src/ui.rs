//! Builds the studio's page: Rust to WebAssembly, the glue by `wasm-bindgen` as a library (its version
//! is that of the lock file, nothing is downloaded), and the static files under a name with a hash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::{cache, cargo, hex, root, run};

/// What the page is made of; a change in any of it is a new build.
const INPUTS: [&str; 8] = [
    "ui/Cargo.toml",
    "ui/Cargo.lock",
    "ui/index.html",
    "ui/src",
    "ui/js",
    "ui/style",
    "ui/vendor",
    "pipeline-core/api/src",
];

/// Files that are served as they are.
const STATIC: [&str; 3] = ["ui/js/boot.js", "ui/vendor/uplot/uPlot.iife.min.js", "ui/vendor/uplot/uPlot.min.css"];

/// Builds the page into `ui/dist` unless it is up to date; returns that folder.
pub fn build() -> anyhow::Result<PathBuf> {
    let dist = root().join("ui/dist");
    let stamp = dist.join(".stamp");
    let hash = hash_inputs()?;
    if fs::read_to_string(&stamp).is_ok_and(|built| built == hash) {
        return Ok(dist);
    }
    let target = cache().join("target-ui");
    run(cargo_apart(&target)
        .args([
            "build",
            "--locked",
            "--target",
            "wasm32-unknown-unknown",
            "--profile",
            "wasm-release",
            "--manifest-path",
        ])
        .arg(root().join("ui/Cargo.toml")))?;
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    let assets_name = format!("assets-{}", &hash[..12]);
    let assets = dist.join(&assets_name);
    fs::create_dir_all(&assets)?;
    Bindgen::new()
        .web(true)?
        .typescript(false)
        .input_path(target.join("wasm32-unknown-unknown/wasm-release/weir-ui.wasm"))
        .out_name("weir-ui")
        .generate(&assets)
        .context("wasm-bindgen could not make the page's glue")?;
    let styles = files(&root().join("ui/style"))?;
    for file in STATIC.iter().map(|file| root().join(file)).chain(styles) {
        let name = file.file_name().context("a file has a name")?;
        fs::copy(&file, assets.join(name)).with_context(|| file.display().to_string())?;
    }
    let page = fs::read_to_string(root().join("ui/index.html"))?;
    ensure!(page.contains("{{assets}}"), "ui/index.html does not name its assets");
    fs::write(dist.join("index.html"), page.replace("{{assets}}", &assets_name))?;
    fs::write(stamp, hash)?;
    Ok(dist)
}

/// The page's pure modules, on this machine.
pub fn test() -> anyhow::Result<()> {
    let target = cache().join("target-ui");
    run(cargo_apart(&target)
        .args(["test", "--quiet", "--locked", "--lib", "--manifest-path"])
        .arg(root().join("ui/Cargo.toml")))?;
    run(cargo_apart(&target)
        .args([
            "clippy",
            "--locked",
            "--target",
            "wasm32-unknown-unknown",
            "--profile",
            "wasm-release",
            "--manifest-path",
        ])
        .arg(root().join("ui/Cargo.toml"))
        .args(["--", "-D", "warnings"]))
}

/// A cargo for a crate outside the workspace, with flags and a target folder of its own.
fn cargo_apart(target: &Path) -> Command {
    let mut command = cargo();
    command
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // Components as plain values: less generic code, a smaller page.
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "--cfg erase_components")
        .env("CARGO_TARGET_DIR", target);
    command
}

fn hash_inputs() -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    for input in INPUTS {
        for file in files(&root().join(input))? {
            hasher.update(file.display().to_string().as_bytes());
            hasher.update(fs::read(&file)?);
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// Every file under a path, sorted.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).with_context(|| path.display().to_string())? {
        found.extend(files(&entry?.path())?);
    }
    found.sort();
    Ok(found)
}

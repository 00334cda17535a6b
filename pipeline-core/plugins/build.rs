//! Builds the JavaScript engine, so that a plain `cargo build` gives a `weir` that needs no other file.
//!
//! The engine is kept in the user's cache under a hash of everything it is made of; most builds only
//! copy it. `WEIR_JS_ENGINE` names a finished component to embed instead.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

type Failure = Box<dyn Error>;

const GUEST: &str = "wasm32-unknown-unknown";
/// Everything the engine is made of, relative to this crate.
const SOURCES: [&str; 4] = ["js-engine/src", "js-engine/Cargo.toml", "js-engine/Cargo.lock", "wit/v0_1"];
include!("cargo_settings.rs");

fn main() -> Result<(), Failure> {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=cargo_settings.rs");
    println!("cargo:rerun-if-env-changed=WEIR_JS_ENGINE");

    let (component, hash) = if let Some(given) = env::var_os("WEIR_JS_ENGINE") {
        let given = PathBuf::from(given);
        println!("cargo:rerun-if-changed={}", given.display());
        let hash = short_hash(&fs::read(&given)?);
        (given, hash)
    } else {
        let hash = hash_of(&SOURCES)?;
        let cache = cache_dir()?;
        let component = cache.join("engine").join(format!("js-engine-{hash}.wasm"));
        if !component.exists() {
            build(&cache, &component, &hash)?;
        }
        (component, hash)
    };
    let embedded = PathBuf::from(env::var("OUT_DIR")?).join("js-engine.wasm");
    fs::copy(&component, &embedded)?;
    println!("cargo:rustc-env=WEIR_JS_ENGINE_WASM={}", embedded.display());
    println!("cargo:rustc-env=WEIR_JS_ENGINE_HASH={hash}");
    println!("cargo:rustc-env=WEIR_WIT_HASH={}", hash_of(&["wit/v0_1"])?);
    Ok(())
}

/// Compiles the guest and wraps its module into a component; the result appears at once or not at all.
fn build(cache: &Path, component: &Path, hash: &str) -> Result<(), Failure> {
    let target_dir = cache.join("target-guest");
    // Clones share this folder, and a build of another one must not slip in between building and reading.
    fs::create_dir_all(&target_dir)?;
    let lock = fs::File::create(target_dir.join("weir.lock"))?;
    lock.lock()?;
    let mut cargo = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo
        .args(["build", "--release", "--locked", "--target", GUEST, "--target-dir"])
        .arg(&target_dir)
        .current_dir("js-engine")
        .env("RQUICKJS_SYS_NO_WASI_SDK", "1")
        .env("WEIR_JS_ENGINE_HASH", hash);
    for name in FOREIGN {
        cargo.env_remove(name);
    }
    // QuickJS is C; the host's compiler is often gcc, which has no WebAssembly back end.
    for (name, tool) in [("CC_wasm32_unknown_unknown", "clang"), ("AR_wasm32_unknown_unknown", "llvm-ar")] {
        if env::var_os(name).is_none() {
            cargo.env(name, tool);
        }
    }
    let output = cargo.output().map_err(|error| format!("cannot run cargo for the JavaScript engine: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "the JavaScript engine did not build (it needs clang, llvm-ar and the Rust target {GUEST}):\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    let module = fs::read(target_dir.join(GUEST).join("release/js_engine.wasm"))?;
    // The engine names what it was made from: a module of other sources must not pass for this one.
    if !module.windows(hash.len()).any(|window| window == hash.as_bytes()) {
        return Err("another build of the JavaScript engine wrote into the same folder; build again".into());
    }
    let bytes = wit_component::ComponentEncoder::default().module(&module)?.validate(true).encode()?;
    let dir = component.parent().ok_or("the cache has no folder")?;
    fs::create_dir_all(dir)?;
    let partial = dir.join(format!("partial-{}", std::process::id()));
    fs::write(&partial, bytes)?;
    fs::rename(&partial, component)?;
    Ok(())
}

fn cache_dir() -> Result<PathBuf, Failure> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(env::var_os("HOME").ok_or("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache"),
    };
    Ok(base.join("weir"))
}

/// Independent of where the sources lie, so that a version of a plugin is the same on every machine.
fn hash_of(sources: &[&str]) -> Result<String, Failure> {
    let mut files = Vec::new();
    for source in sources {
        collect(Path::new(source), &mut files)?;
    }
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in files {
        let bytes = fs::read(&file)?;
        hasher.update(file.to_string_lossy().as_bytes()).update(&[0]);
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(&bytes);
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}

fn short_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}

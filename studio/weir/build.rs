//! Puts the files that `weir new` writes into the binary: the templates, the SDK for plugins in Rust, and the
//! contract that the SDK is generated from.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Where files are found, and what their paths begin with in the binary.
const ROOTS: [(&str, &str); 3] = [
    ("templates", ""),
    ("../../pipeline-core/plugins/sdk/rust", "sdk/vendor/weir/sdk/rust/"),
    ("../../pipeline-core/plugins/wit/v0_1", "sdk/vendor/weir/wit/v0_1/"),
];
/// What builds leave in those folders.
const LEFT_OUT: [&str; 2] = ["target", "Cargo.lock"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    for (root, prefix) in ROOTS {
        println!("cargo:rerun-if-changed={root}");
        collect(Path::new(root), prefix, &mut files)?;
    }
    println!("cargo:rerun-if-changed=../../LICENSE");
    files.push(("sdk/vendor/weir/LICENSE".to_owned(), PathBuf::from("../../LICENSE")));
    files.sort();
    let mut table = String::from("pub const FILES: &[(&str, &str)] = &[\n");
    for (name, path) in files {
        // The text itself and not its path: clones share a build folder.
        writeln!(table, "({name:?}, {:?}),", fs::read_to_string(&path)?)?;
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("templates.rs"), table)?;
    Ok(())
}

fn collect(dir: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| format!("{} is no text", name.display()))?;
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

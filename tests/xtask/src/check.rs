//! `./dev test`: everything that continuous integration checks, in the order of what fails fastest.

use std::path::Path;

use crate::process::{cargo, root, run};
use crate::{clients, ui};

/// The crates that are not in the workspace: two are WebAssembly only, one is a client that tests install.
const APART: [&str; 3] = ["ui", "pipeline-core/plugins/js-engine", "tests/clients/rust"];

pub fn test(filter: Option<&str>) -> anyhow::Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    // The whole graph, other platforms too: the licence test reads it without the network.
    run(cargo().args(["fetch", "--quiet", "--locked"]))?;
    for manifest in APART.map(|dir| root().join(dir).join("Cargo.toml")) {
        run(cargo().args(["fmt", "--check", "--manifest-path"]).arg(manifest))?;
    }
    ui::build()?;
    run(cargo()
        .args(["clippy", "--workspace", "--exclude", "weir-desktop", "--all-targets", "--locked"])
        .args(["--", "-D", "warnings"]))?;
    ui::test()?;
    let clients = clients::install()?;
    nextest(&clients, filter)
}

/// Last, so that its summary closes the output.
fn nextest(clients: &Path, filter: Option<&str>) -> anyhow::Result<()> {
    let mut command = cargo();
    command.args(["nextest", "run", "--locked"]).env("WEIR_CLIENTS", clients).env("INSTA_UPDATE", "no");
    if let Some(filter) = filter {
        command.arg(filter);
    }
    run(&mut command)
}

//! `./dev test`: everything that continuous integration checks, in the order of what fails fastest.

use std::path::Path;

use crate::process::{cargo, root, run};
use crate::{clients, ui};

/// The crates that are not in the workspace: most are WebAssembly only, one is a client that tests install.
const APART: [&str; 6] = [
    "ui",
    "pipeline-core/plugins/js-engine",
    "pipeline-core/plugins/sdk/rust",
    "pipeline-core/plugins/tests/fixtures/rust-behaviours",
    "sample-plugins/rust-sessionizer",
    "tests/clients/rust",
];
/// Those of them that have tests which run on this machine.
const TESTED_APART: [&str; 2] = ["pipeline-core/plugins/sdk/rust", "sample-plugins/rust-sessionizer"];

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
    for manifest in TESTED_APART.map(|dir| root().join(dir).join("Cargo.toml")) {
        run(cargo()
            .args(["clippy", "--all-targets", "--locked", "--manifest-path"])
            .arg(&manifest)
            .args(["--", "-D", "warnings"]))?;
        run(cargo().args(["test", "--quiet", "--locked", "--manifest-path"]).arg(&manifest))?;
    }
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

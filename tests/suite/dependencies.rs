//! What may depend on what, and under which licences: read from `cargo metadata`, so that it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::server::root;

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Crate -> crates of ours that it may use. A stage knows the vocabulary and nothing of other stages.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let vocabulary = vec!["weir-event", "weir-api"];
    let stages =
        ["weir-log", "weir-capture", "weir-plugins", "weir-identity", "weir-store", "weir-sinks", "weir-generator"];
    let mut rules: BTreeMap<_, _> = stages.iter().map(|stage| (*stage, vocabulary.clone())).collect();
    rules.insert("weir-event", vec![]);
    rules.insert("weir-api", vec![]);
    // Trials of plugins, and the oracle, which shares nothing with the stages it watches.
    let beside = ["weir-trial", "weir-oracle"];
    rules.insert("weir-flow", stages.iter().copied().chain(vocabulary.iter().copied()).chain(beside).collect());
    // What it tries went through capture and was made by the generator, as live, and checks ask the store's own tables.
    let on_the_way = ["weir-capture", "weir-plugins", "weir-generator", "weir-store"];
    rules.insert("weir-trial", vocabulary.iter().copied().chain(on_the_way).collect());
    rules
        .insert("pipeline-core", stages.iter().copied().chain(vocabulary).chain(["weir-trial", "weir-flow"]).collect());
    rules.insert("weir-studio", vec!["pipeline-core"]);
    rules.insert("weir", vec!["pipeline-core", "weir-studio"]);
    rules.insert("weir-desktop", vec!["pipeline-core", "weir-studio"]);
    // It must not share a rule with what it checks.
    rules.insert("weir-oracle", vec!["weir-event"]);
    rules.insert("weir-bench", vec!["pipeline-core"]);
    rules.insert("histories", vec!["pipeline-core", "weir-oracle"]);
    rules.insert("xtask", vec![]);
    rules
}

#[test]
fn the_dependency_rule_holds() {
    let metadata = metadata();
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().expect("a list");
    let ours: Vec<&Value> =
        packages.iter().filter(|package| members.contains(package["id"].as_str().expect("an id"))).collect();
    let names: BTreeSet<&str> = ours.iter().filter_map(|package| package["name"].as_str()).collect();
    let allowed = allowed();
    assert_eq!(names, allowed.keys().copied().collect(), "a new crate states here what it may use");
    for package in ours {
        let name = package["name"].as_str().expect("a name");
        for dependency in package["dependencies"].as_array().expect("a list") {
            let dependency = dependency["name"].as_str().expect("a name");
            if names.contains(dependency) {
                assert!(allowed[name].contains(&dependency), "{name} must not depend on {dependency}");
            }
        }
    }
}

#[test]
fn every_licence_is_permissive() {
    const PERMISSIVE: [&str; 14] = [
        "MIT",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unicode-3.0",
        "CC0-1.0",
        "MIT-0",
        "BSL-1.0",
        "0BSD",
        "CDLA-Permissive-2.0",
        "Unlicense",
    ];
    // Weak copyleft by file, unmodified, in the desktop's HTML engine only.
    const BY_FILE: &str = "MPL-2.0";
    let metadata = metadata();
    let mut refused = Vec::new();
    for package in metadata["packages"].as_array().expect("a list") {
        let licence = package["license"].as_str().unwrap_or_default();
        let fits = licence.replace('/', " OR ").split(" OR ").any(|choice| {
            choice.trim_matches(['(', ')', ' ']).split(" AND ").all(|part| {
                let part = part.trim_matches(['(', ')', ' ']);
                PERMISSIVE.contains(&part) || part == BY_FILE
            })
        });
        if !fits {
            refused.push(format!("{} ({licence})", package["name"]));
        }
    }
    assert!(refused.is_empty(), "licences to look at: {refused:#?}");
}

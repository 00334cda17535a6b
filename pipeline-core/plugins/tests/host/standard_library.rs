//! What plugins find around them, held against what Node answers to the same code.
//!
//! `standard_library/record.js` runs the cases with Node and writes the expected answers beside them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::time::Duration;

use serde_json::Value;
use weir_api::plugin::PluginState;
use weir_plugins::Limits;

use crate::support::{Bench, output, run_one};

fn file(name: &str) -> String {
    let path = crate::samples::crate_dir().join("tests/host/standard_library").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn patient() -> Bench {
    Bench::with_limits(Limits { cpu_per_event: Duration::from_secs(20), ..Limits::default() })
}

/// Runs the cases of one file in a plugin; every answer has to be Node's, but for the named cases.
fn as_node_does(area: &str, different: &[(&str, &str)]) {
    let bench = patient();
    let entry = format!(
        "const run = require('./run')\nconst cases = require('./{area}')\n\
         exports.processEvent = async (event) => ({{ ...event, answers: await run(cases) }})"
    );
    let (run, cases, keys) = (file("run.js"), file(&format!("{area}.js")), file("keys.json"));
    let name = format!("{area}.js");
    bench.live("plugin", &[("index.js", &entry), ("run.js", &run), (&name, &cases), ("keys.json", &keys)]);
    let out = output(&run_one(&mut bench.host.lane()));
    let answers: BTreeMap<String, Value> = serde_json::from_value(out["answers"].clone()).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_str(&file(&format!("expected/{area}.json"))).unwrap();
    assert!(expected.len() > 3 && answers.keys().eq(expected.keys()), "{:?}", answers.keys());
    let mut report = String::new();
    for (case, node) in expected {
        let node = match different.iter().find(|(name, _)| *name == case) {
            Some((_, ours)) => serde_json::from_str(ours).unwrap(),
            None => node,
        };
        if answers[&case] != node {
            let _ = writeln!(report, "{case}\n   here: {}\n   node: {node}", answers[&case]);
        }
    }
    assert!(report.is_empty(), "{area}:\n{report}");
}

macro_rules! areas {
    ($($area:ident $(except $different:expr)?;)*) => {$(
        #[test]
        fn $area() {
            let different: &[(&str, &str)] = &[];
            $(let different: &[(&str, &str)] = &$different;)?
            as_node_does(stringify!($area), different);
        }
    )*};
}

areas! {
    buffer;
    crypto;
    events;
    fetching;
    intl;
    packages;
    small;
    streams;
    text;
    urls;
    zlib;
}

#[test]
fn both_ways_of_importing_give_the_same_object() {
    let code = "import crypto from 'crypto'\nimport * as all from 'node:crypto'\nimport { createHash } from 'crypto'\n\
                import fetch, { Headers } from 'node-fetch'\nimport EventEmitter, { once } from 'events'\n\
                const required = require('crypto')\n\
                export const processEvent = (event) => ({ ...event, same: [\n\
                crypto === required, all.default === crypto, all.createHash === createHash, crypto.createHash === createHash,\n\
                require('node-fetch') === fetch, fetch.Headers === Headers, EventEmitter.once === once,\n\
                require('posthog-plugins') === require('@posthog/plugin-scaffold'),\n\
                require('buffer').Buffer === Buffer, require('url').URL === URL] })";
    let (_bench, mut lane) = Bench::single(code);
    let out = output(&run_one(&mut lane));
    assert_eq!(out["same"], Value::Array(vec![true.into(); 10]));
}

#[test]
fn every_listed_module_can_be_imported() {
    let list = include_str!("../../js-engine/src/provided_list.rs");
    let names = list.lines().filter_map(|line| {
        let (kind, rest) = line.trim().split_once(' ')?;
        let name = rest.strip_prefix('"')?.split('"').next()?;
        (kind == "node" || kind == "package").then_some(name)
    });
    let mut code = String::new();
    let mut count = 0;
    for name in names {
        let _ = writeln!(code, "import * as m{count} from '{name}'; if (!m{count}.default) throw new Error('{name}')");
        count += 1;
    }
    assert!(count > 20, "{count}");
    code.push_str("export const processEvent = (event) => event");
    Bench::new().live("plugin", &[("index.js", &code)]);
}

#[test]
fn what_a_sandbox_cannot_have_is_refused_with_a_reason() {
    for name in ["fs", "node:fs/promises", "net", "https", "child_process", "worker_threads", "vm"] {
        let code = format!("const a = 1\nconst x = require('{name}')\nexports.processEvent = (e) => e");
        let view = Bench::new().add("plugin", &[("index.js", &code)]);
        assert_eq!(view.state, PluginState::Failed);
        let problem = view.load_error.unwrap();
        assert!(problem.message.starts_with(&format!("Cannot import '{name}': ")), "{problem:?}");
        assert_eq!((problem.file.as_str(), problem.line), ("index.js", 2));
        assert!(problem.hint.unwrap().ends_with('.'));
    }
    let view = Bench::new().add("plugin", &[("index.js", "require('internal/fetch')")]);
    assert_eq!(view.state, PluginState::Failed, "the engine's own modules are not for plugins");
}

#[test]
fn random_values_come_from_the_host_and_are_well_formed() {
    let code = "const crypto = require('crypto')\nexports.processEvent = (event) => ({ ...event, out: [\n\
                crypto.randomBytes(20).toString('hex'), crypto.randomUUID(), crypto.randomInt(10, 20),\n\
                globalThis.crypto.getRandomValues(new Uint8Array(4)).length, Math.random() ] })";
    let (_bench, mut lane) = Bench::single(code);
    let (first, second) = (output(&run_one(&mut lane)), output(&run_one(&mut lane)));
    for out in [&first["out"], &second["out"]] {
        assert_eq!(out[0].as_str().unwrap().len(), 40);
        assert_eq!(out[1].as_str().unwrap().parse::<uuid::Uuid>().unwrap().get_version_num(), 4);
        assert!((10..20).contains(&out[2].as_u64().unwrap()));
        assert!((0.0..1.0).contains(&out[4].as_f64().unwrap()));
    }
    assert_ne!(first["out"][0], second["out"][0]);
    assert_ne!(first["out"][1], second["out"][1]);
}

#[test]
fn create_buffer_flushes_at_its_limit() {
    // A clock that never rings, so that only the limit and the plugin flush.
    let code = "const { createBuffer } = require('@posthog/plugin-contrib')\n\
                globalThis.setTimeout = () => 1; globalThis.clearTimeout = () => {}\n\
                exports.processEvent = async (event) => {\n  const flushed = []\n\
                const buffer = createBuffer({ limit: 3, onFlush: (objects, points) => flushed.push([objects, points]) })\n\
                buffer.add('a'); buffer.add('b', 2); buffer.add('c'); buffer.add('d', 10)\n\
                await buffer.flush(); await buffer.flush()\n  return { ...event, flushed } }";
    let (_bench, mut lane) = Bench::single(code);
    let flushed = output(&run_one(&mut lane))["flushed"].to_string();
    assert_eq!(flushed, r#"[[["a","b"],3],[["c"],1],[["d"],10]]"#);
}

#[test]
fn posthog_api_wants_both_keys_or_none() {
    let code = "export async function processEvent(event) {\n\
                for (const keys of [{ projectApiKey: 'a' }, { personalApiKey: 'b' }]) {\n\
                try { await posthog.api.get('/api/event', keys) } catch (e) { event.properties[Object.keys(keys)] = e.message } }\n\
                return event }";
    let (_bench, mut lane) = Bench::single(code);
    let out = output(&run_one(&mut lane));
    let message = "You must specify a personalApiKey if you specify a projectApiKey and vice-versa!";
    assert_eq!(out["properties"]["projectApiKey"], message);
    assert_eq!(out["properties"]["personalApiKey"], message);
}

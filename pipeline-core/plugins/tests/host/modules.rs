//! How a plugin's functions and files are found.

use serde_json::json;
use weir_api::plugin::PluginState;
use weir_plugins::PluginError;

use crate::support::{Bench, output, run_one};

#[test]
fn functions_are_found_wherever_posthog_finds_them() {
    let forms = [
        ("index.ts", "export function processEvent(e) { e.ok = 1; return e }"),
        ("index.js", "export default { processEvent(e) { e.ok = 1; return e } }"),
        ("index.js", "exports.processEvent = (e) => ({ ...e, ok: 1 })"),
        ("index.js", "module.exports = { processEvent: async (e) => ({ ...e, ok: 1 }) }"),
        ("index.js", "function processEvent(e) { e.ok = 1; return e }"),
        ("index.js", "const processEvent = (e) => { e.ok = 1; return e }"),
        (
            "index.ts",
            "import type { Plugin } from '@posthog/plugin-scaffold'\nfunction processEvent(e: any) { e.ok = 1; return e }",
        ),
        ("index.js", "export function processEventBatch(list) { return list.map((e) => ({ ...e, ok: 1 })) }"),
        (
            "index.ts",
            "import { RetryError } from '@posthog/plugin-scaffold'\nexport async function processEventBatch(list) { return list.map((e) => ({ ...e, ok: new RetryError('') instanceof Error ? 1 : 0 })) }",
        ),
        (
            "index.ts",
            "import { Plugin, PluginEvent } from '@posthog/plugin-scaffold'\nconst plugin: Plugin = { processEvent: (e: PluginEvent) => ({ ...e, ok: 1 }) }\nexport default plugin",
        ),
    ];
    for (file, code) in forms {
        let bench = Bench::new();
        bench.live("plugin", &[(file, code)]);
        let mut lane = bench.host.lane();
        assert_eq!(output(&run_one(&mut lane))["ok"], 1, "{code}");
    }
}

#[test]
fn main_names_the_entry_and_imports_reach_other_files() {
    let bench = Bench::new();
    bench.live(
        "plugin",
        &[
            ("plugin.json", r#"{"name": "p", "main": "src/main.ts", "config": {}}"#),
            ("src/main.ts", "import { double } from './lib/math'\nimport table from '../table.json'\nimport old from './old'\nimport { three } from './old'\n\
              export const processEvent = (e: any) => ({ ...e, out: [double(4), table.a, old.three, three] })"),
            ("src/lib/math.ts", "import { two } from '../two.js'\nexport function double(x: number): number { return x * two }"),
            ("src/two.ts", "export const two: number = 2"),
            ("src/old.js", "const table = require('../table'); exports.three = table.a - 4"),
            ("table.json", r#"{"a": 7}"#),
        ],
    );
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["out"], json!([8, 7, 3, 3]));
}

#[test]
fn a_foreign_package_is_refused_with_its_place() {
    let bench = Bench::new();
    let view = bench
        .add("plugin", &[("index.ts", "const x = 1\nimport s3 from 'left-pad'\nexport const processEvent = () => s3")]);
    assert_eq!(view.state, PluginState::Failed);
    let problem = view.load_error.unwrap();
    assert_eq!(problem.message, "Cannot import 'left-pad'! This package is not provided by PostHog in plugins.");
    assert_eq!((problem.file.as_str(), problem.line, problem.column), ("index.ts", 2, 16));
    assert_eq!(problem.excerpt, "import s3 from 'left-pad'");
}

#[test]
fn an_import_cannot_leave_the_folder() {
    let bench = Bench::new();
    let view = bench.add("plugin", &[("index.js", "import x from '../../secret.js'\nexport const processEvent = x")]);
    assert!(view.load_error.unwrap().message.contains("outside"));
}

#[test]
fn what_is_wrong_at_load_names_its_place() {
    let cases = [
        ("index.ts", "export function processEvent(e) {\n  return e +\n}\n", 3),
        ("index.ts", "const a: number = 1\n\nnull.field\nexport const processEvent = (e) => e", 3),
        ("index.js", "exports.x = 1\nundefinedFunction()", 2),
        ("plugin.json", "{\n \"name\": }", 2),
        ("index.ts", "export function setupPlugin() {\n  throw new Error('no key')\n}", 2),
    ];
    for (file, text, line) in cases {
        let bench = Bench::new();
        let view = bench.add("plugin", &[(file, text)]);
        assert_eq!(view.state, PluginState::Failed, "{text}");
        let problem = view.load_error.unwrap();
        assert_eq!((problem.file.as_str(), problem.line), (file, line), "{problem:?}");
        assert!(!problem.excerpt.is_empty(), "{problem:?}");
    }
}

#[test]
fn folders_without_a_plugin_are_refused() {
    let bench = Bench::new();
    assert!(matches!(bench.host.add(&bench.folder("empty")), Err(PluginError::NotAPlugin(_))));
    let missing = bench.folder("empty").join("missing");
    assert!(matches!(bench.host.add(&missing), Err(PluginError::NoFolder(_))));
}

#[test]
fn the_same_source_has_the_same_version() {
    let code = [("index.js", "export const processEvent = (e) => e")];
    let (one, two) = (Bench::new(), Bench::new());
    assert_eq!(one.live("p", &code).version, two.live("p", &code).version);
    assert_eq!(one.view(0).version.len(), 12);
}

#[test]
fn packages_are_found_where_the_package_manager_put_them() {
    let bench = Bench::new();
    let lodash = "exports.get = (object, path) => path.split('.').reduce((at, key) => at?.[key], object)";
    let files = [
        ("package-lock.json", r#"{"lockfileVersion": 3}"#),
        ("node_modules/lodash.get/package.json", r#"{"name": "lodash.get", "main": "./lib/main"}"#),
        (
            "node_modules/lodash.get/lib/main.js",
            "module.exports = require('../inner').get; try { require('fs') } catch {}",
        ),
        ("node_modules/lodash.get/inner.js", lodash),
        ("node_modules/@scope/esm/package.json", r#"{"exports": {".": {"import": "./m.mjs"}, "./two": "./two.js"}}"#),
        (
            "node_modules/@scope/esm/m.mjs",
            "import two from './two.js'\nimport nested from 'nested'\nexport const three = two + nested",
        ),
        ("node_modules/@scope/esm/two.js", "export default 2"),
        ("node_modules/@scope/esm/node_modules/nested/package.json", "{}"),
        ("node_modules/@scope/esm/node_modules/nested/index.js", "module.exports = 1"),
        (
            "index.ts",
            "import get from 'lodash.get'\nimport { three } from '@scope/esm'\nimport two from '@scope/esm/two'\n\
             export const processEvent = (e: any) => ({ ...e, out: [get(e, 'properties.n'), three, two] })",
        ),
    ];
    let view = bench.live("plugin", &files);
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["out"], json!([0, 3, 2]));
    // A package that changes without its lock file is not looked at again; with it, it is.
    let dir = std::path::PathBuf::from(&view.dir);
    std::fs::write(dir.join("node_modules/@scope/esm/two.js"), "export default 20").unwrap();
    std::fs::write(dir.join("package-lock.json"), r#"{"lockfileVersion": 3, "packages": {}}"#).unwrap();
    bench.wait_for("the new package", 0, |now| now.version != view.version);
    assert_eq!(output(&run_one(&mut lane))["out"], json!([0, 21, 20]));
}

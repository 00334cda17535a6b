//! `meta` and the globals.

use serde_json::json;
use weir_event::journal::{LogLevel, LogSource, StorageMutation};
use weir_plugins::{Limits, OtherSettings, Settings};

use crate::support::{Bench, error, output, run_numbered, run_one};

#[test]
fn storage_is_visible_at_once_and_handed_out() {
    let code = "export async function processEvent(event, { storage, utils }) {\n\
                event.properties.before = await storage.get('k', 'none')\n\
                await storage.set('k', { n: event.properties.n })\n\
                event.properties.after = await storage.get('k')\n\
                event.properties.cursor = await utils.cursor.increment('c')\n\
                await storage.del('gone')\n  return event }";
    let bench = Bench::new();
    let restored = StorageMutation { plugin_id: "plugin".into(), key: "c".into(), value: Some("40".into()) };
    bench.host.restore_storage(&restored);
    bench.live("plugin", &[("index.js", code)]);
    let mut lane = bench.host.lane();
    let result = run_numbered(&mut lane, 2);
    assert_eq!(output(&result.events[0])["properties"]["before"], "none");
    assert_eq!(output(&result.events[0])["properties"]["cursor"], 41);
    assert_eq!(output(&result.events[1])["properties"]["before"], json!({ "n": 0 }));
    assert_eq!(output(&result.events[1])["properties"]["cursor"], 42);
    let last = result.storage.iter().rfind(|write| write.key == "k").unwrap();
    assert_eq!(last.value.as_deref(), Some(r#"{"n":1}"#));
    assert!(result.storage.iter().any(|write| write.key == "gone" && write.value.is_none()));
    let mut other = bench.host.lane();
    assert_eq!(output(&run_one(&mut other))["properties"]["before"], json!({ "n": 1 }), "lanes share it");
}

#[test]
fn the_cache_counts_and_keeps_lists() {
    let code = "export async function processEvent(event, { cache }) {\n\
                await cache.set('a', [1], 60)\n\
                await cache.lpush('l', ['x', 'y'])\n\
                event.properties.out = [await cache.get('a'), await cache.get('b', 5), await cache.incr('i'),\n\
                await cache.lrange('l', 0, -1), await cache.llen('l'), await cache.lrem('l', 0, 'x'),\n\
                await cache.lpop('l', 1), await cache.expire('none', 1)]\n\
                try { await cache.lpush('l', 5) } catch (e) { event.properties.error = e.message }\n\
                return event }";
    let (_bench, mut lane) = Bench::single(code);
    let out = output(&run_one(&mut lane));
    assert_eq!(out["properties"]["out"], json!([[1], 5, 1, ["y", "x"], 2, 1, ["y"], false]));
    assert_eq!(out["properties"]["error"], "cache.lpush expects a string value or an array of strings");
}

#[test]
fn console_lines_arrive_with_their_level() {
    let code = "export function processEvent(event) {\n\
                console.log('a', { b: 1 }, [2], null, new Error('c'))\n  console.warn('w')\n\
                console.error('x'.repeat(60000))\n  return event }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run_numbered(&mut lane, 1);
    let lines: Vec<_> = result.logs.iter().map(|line| (line.source, line.level, line.message.as_str())).collect();
    assert_eq!(
        lines,
        [
            (LogSource::Console, LogLevel::Log, r#"a {"b":1} [2] null Error: c"#),
            (LogSource::Console, LogLevel::Warn, "w"),
        ]
    );
}

#[test]
fn a_flood_of_lines_is_cut() {
    let limits = Limits { log_lines_per_second: 10, ..Limits::default() };
    let bench = Bench::with_limits(limits);
    let code = "export function processEvent(event) { for (let i = 0; i < 100; i++) console.log(i); return event }";
    bench.live("plugin", &[("index.js", code)]);
    let mut lane = bench.host.lane();
    // A second may begin in between, and with it a new allowance.
    assert!(run_numbered(&mut lane, 1).logs.len() <= 22);
}

#[test]
fn config_holds_defaults_and_configured_values() {
    let bench = Bench::new();
    let manifest = r#"{"name": "Named", "config": [{"key": "a", "type": "string", "default": "1"}, {"key": "b"}]}"#;
    let code = "export const processEvent = (event, { config }) => ({ ...event, properties: { config } })";
    let view = bench.live("plugin", &[("plugin.json", manifest), ("index.js", code)]);
    assert_eq!(view.name, "Named");
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["properties"]["config"], json!({ "a": "1" }));
    let values = [("b".to_owned(), Some("2".to_owned()))].into();
    let settings = Settings { values, ..Settings::default() };
    let changed = bench.host.configure("plugin", settings).unwrap();
    assert_ne!(changed.version, view.version);
    assert_eq!(output(&run_one(&mut lane))["properties"]["config"], json!({ "a": "1", "b": "2" }));
}

#[test]
fn posthog_capture_is_handed_out_with_its_parent() {
    let code = "export function processEvent(event) {\n\
                posthog.capture('made', { distinct_id: 'x', a: event.properties.n })\n  return event }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run_numbered(&mut lane, 2);
    let (parent, plugin, made) = &result.emitted[1];
    assert_eq!((*parent, plugin.as_str()), (1, "plugin"));
    let made: serde_json::Value = serde_json::from_str(made).unwrap();
    assert_eq!(made["event"], "made");
    assert_eq!(made["distinct_id"], "x");
    assert_eq!(made["properties"]["a"], 1);
    assert_eq!(made["properties"]["$lib"], "posthog-plugin-server");
}

#[test]
fn what_is_captured_is_an_object_whatever_objects_are() {
    let code = "Object.prototype.toJSON = () => 1\n\
                export function processEvent(event) { posthog.capture('made', { a: 1 }); return event }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run_numbered(&mut lane, 1);
    assert_eq!(result.emitted.len(), 1, "{result:?}");
    let made: serde_json::Value = serde_json::from_str(&result.emitted[0].2).unwrap();
    assert_eq!(made["event"], "made");
}

#[test]
fn setup_runs_first_and_its_effects_are_control_effects() {
    let code = "export async function setupPlugin({ global, storage, config }) {\n\
                console.info('hello'); await storage.set('s', 1); global.ready = 'yes' }\n\
                export const processEvent = (event, { global }) => ({ ...event, ready: global.ready })";
    let (bench, mut lane) = Bench::single(code);
    let control = bench.host.drain_control();
    assert!(control.logs.iter().any(|line| line.source == LogSource::Console && line.message == "hello"));
    assert!(control.logs.iter().any(|line| line.message.starts_with("Plugin loaded")));
    assert_eq!(control.storage[0].key, "s");
    assert_eq!(output(&run_one(&mut lane))["ready"], "yes");
    assert!(bench.view(0).setup_ms.is_some());
}

#[test]
fn teardown_runs_when_a_lane_gives_its_instance_back() {
    let code = "export function teardownPlugin() { console.log('bye') }\nexport const processEvent = (e) => e";
    let (bench, mut lane) = Bench::single(code);
    run_one(&mut lane);
    drop(lane);
    bench.host.shutdown();
    assert!(bench.host.drain_control().logs.iter().any(|line| line.message == "bye"));
}

#[test]
fn url_fetch_and_random() {
    let code = "export async function processEvent(event) {\n\
                const url = new URL('HTTPS://Example.com:443/a/../b/?x=1&y=a+b#h')\n\
                url.searchParams.set('x', '2 3'); url.hash = ''\n\
                event.properties.url = [url.href, url.host, url.pathname, url.searchParams.get('y'), url.origin]\n\
                event.properties.random = [Math.random(), Math.random()]\n\
                event.properties.now = Date.now()\n\
                try { new URL('nothing') } catch (e) { event.properties.bad = String(e) }\n\
                await fetch('https://example.com') }";
    let (_bench, mut lane) = Bench::single(code);
    let result = run_one(&mut lane);
    assert!(error(&result).contains("no mock answers GET https://example.com"), "{}", error(&result));
    let out = output(&result);
    assert_eq!(
        out["properties"]["url"],
        json!(["https://example.com/b/?x=2+3&y=a+b", "example.com", "/b/", "a b", "https://example.com"])
    );
    assert_eq!(out["properties"]["bad"], "TypeError: Invalid URL");
    assert_ne!(out["properties"]["random"][0], out["properties"]["random"][1]);
    assert!(out["properties"]["now"].as_i64().unwrap() > 1_600_000_000_000);
}

#[test]
fn console_lines_below_the_level_are_not_kept() {
    let code = "export function processEvent(event) {\n\
                for (const level of ['debug', 'log', 'info', 'warn', 'error']) console[level](level)\n  throw new Error('thrown') }";
    let ladder = [
        (LogLevel::Debug, vec!["DEBUG", "LOG", "INFO", "WARN", "ERROR"]),
        (LogLevel::Log, vec!["LOG", "INFO", "WARN", "ERROR"]),
        (LogLevel::Info, vec!["INFO", "WARN", "ERROR"]),
        (LogLevel::Warn, vec!["WARN", "ERROR"]),
        (LogLevel::Error, vec!["ERROR"]),
    ];
    let (bench, mut lane) = Bench::single(code);
    for (log_level, kept) in ladder {
        let other = OtherSettings { log_level, ..OtherSettings::default() };
        bench.host.configure("plugin", Settings { other, ..Settings::default() }).unwrap();
        let logs = run_numbered(&mut lane, 1).logs;
        let of = |source| logs.iter().filter(move |line| line.source == source);
        assert_eq!(of(LogSource::Console).map(|line| line.level.as_str()).collect::<Vec<_>>(), kept);
        assert_eq!(of(LogSource::Plugin).count(), 1, "what was thrown is told at every level");
    }
}

//! Reloads leave nothing behind: neither memory nor threads, descriptors or watches.
//!
//! `WEIR_RELOADS` says how many, `WEIR_SEED` which ones.

use std::fs;

use weir_api::plugin::PluginState;

use crate::process;
use crate::support::{Bench, output, run_numbered, write};

const RELOADS: u64 = 100;
/// Fill caches and pools.
const WARM: u64 = 20;
/// One instance has several megabytes, so that a hundred left behind could not hide here.
const MOST_GROWTH_BYTES: u64 = 96 << 20;

#[derive(Debug, PartialEq, Eq)]
struct Held {
    threads: usize,
    descriptors: usize,
    watches: usize,
}

fn held() -> Held {
    Held { threads: process::threads(), descriptors: process::descriptors(), watches: process::watches() }
}

/// Each has a global that is worth noticing, a timer that never ends, a request and a file of its own.
fn code(mark: u64) -> String {
    format!(
        "import {{ value }} from './lib{}/value'\n\
         export function setupPlugin({{ global }}) {{ global.big = new Array(20000).fill({mark}) }}\n\
         export function teardownPlugin({{ global }}) {{ global.big = null; setInterval(() => {{}}, 1000) }}\n\
         export async function processEvent(event, {{ global, storage }}) {{\n\
         setTimeout(() => {{}}, 1e7); fetch('https://example.com/{mark}').catch(() => {{}});\n\
         await storage.set('mark', {mark}); event.mark = value + global.big[0] - {mark}; return event }}",
        mark % 3
    )
}

fn save(dir: &std::path::Path, mark: u64) {
    for other in 0..3 {
        if other != mark % 3 {
            // Folders come and go, and their watches with them.
            let _ = fs::remove_dir_all(dir.join(format!("lib{other}")));
        }
    }
    write(dir, &format!("lib{}/value.js", mark % 3), &format!("export const value = {mark}"));
    write(dir, "index.js.tmp", &code(mark));
    fs::rename(dir.join("index.js.tmp"), dir.join("index.js")).unwrap();
}

#[test]
fn reloads_leave_nothing_behind() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let reloads = number("WEIR_RELOADS").unwrap_or(RELOADS);
    let first = number("WEIR_SEED").unwrap_or(1) * (reloads + WARM);
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    save(&dir, first - 1);
    bench.live("plugin", &[]);
    let mut lane = bench.host.lane();
    let mut second_lane = bench.host.lane();
    let mut reload = |mark: u64| {
        if mark.is_multiple_of(10) {
            write(&dir, "index.js", "export const processEvent = (");
            bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
        }
        save(&dir, mark);
        // A save of several files may be two loads; the last one is this.
        let mut lanes = [&mut lane, &mut second_lane];
        bench.wait_for("the save", 0, |_| {
            lanes.iter_mut().all(|lane| output(&run_numbered(lane, 4).events[0])["mark"] == mark)
        });
        bench.host.drain_control();
    };
    (first..first + WARM).for_each(&mut reload);
    let (before, bytes_before) = (held(), process::resident_bytes());
    (first + WARM..first + WARM + reloads).for_each(&mut reload);
    let grown = process::resident_bytes().saturating_sub(bytes_before);
    // Old instances are torn down in the background.
    bench.wait_for("the end of the teardowns", 0, |_| held() == before);
    assert!(grown < MOST_GROWTH_BYTES, "{reloads} reloads have left {} MiB behind", grown >> 20);
    assert!(bench.view(0).generation >= reloads + WARM);
    println!("{reloads} reloads: {} KiB more, {before:?}", grown >> 10);
}

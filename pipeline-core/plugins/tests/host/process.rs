//! What this process holds, as the system counts it.

use std::fs;
use std::path::Path;

/// Memory in use, in bytes.
pub fn resident_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

pub fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

pub fn descriptors() -> usize {
    // One of them reads the folder.
    fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

/// Folders that are watched, in all watchers.
pub fn watches() -> usize {
    let infos = fs::read_dir("/proc/self/fdinfo").unwrap();
    let count = |path: &Path| fs::read_to_string(path).map_or(0, |text| text.matches("inotify wd:").count());
    infos.map(|entry| count(&entry.unwrap().path())).sum()
}

//! Resident memory, as the system counts it.

/// `VmRSS` of a process, bytes.
pub fn of_process(pid: u32) -> u64 {
    resident(&format!("/proc/{pid}/status"))
}

pub fn of_this_process() -> u64 {
    resident("/proc/self/status")
}

fn resident(path: &str) -> u64 {
    let kilobytes = |status: String| -> Option<u64> {
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
    };
    std::fs::read_to_string(path).ok().and_then(kilobytes).map_or(0, |kilobytes| kilobytes * 1024)
}

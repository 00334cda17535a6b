//! What has changed since the last commit, asked of git.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// Changed and new files in the repositories that the plugins are in, as whole paths.
pub fn paths(dirs: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut tops = BTreeSet::new();
    for dir in dirs {
        tops.insert(top(dir)?);
    }
    let mut changed = Vec::new();
    for top in tops {
        let status = git(&top, &["status", "--porcelain=v1", "-z", "--untracked-files=all"])?;
        changed.extend(named(&status).into_iter().map(|path| top.join(path)));
    }
    Ok(changed)
}

fn top(dir: &Path) -> anyhow::Result<PathBuf> {
    let path = git(dir, &["rev-parse", "--show-toplevel"])?;
    let path = PathBuf::from(OsStr::from_bytes(path.trim_ascii_end()));
    Ok(path.canonicalize().unwrap_or(path))
}

fn git(dir: &Path, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(arguments)
        .output()
        .context("--modified needs git, which cannot be run; leave it out to run everything")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "--modified asks git what has changed, and git says of {}: {}\nLeave it out to run everything.",
            dir.display(),
            said.trim()
        );
    }
    Ok(output.stdout)
}

/// Paths of `git status --porcelain -z`: two letters, a space and the path; a renamed one is followed by what
/// it was called before.
fn named(status: &[u8]) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut entries = status.split(|byte| *byte == 0).filter(|entry| entry.len() > 3);
    while let Some(entry) = entries.next() {
        paths.push(PathBuf::from(OsStr::from_bytes(&entry[3..])));
        if entry[..2].contains(&b'R') || entry[..2].contains(&b'C') {
            // The old place counts too: what was there is gone.
            paths.extend(entries.next().map(|before| PathBuf::from(OsStr::from_bytes(before))));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamed_files_are_two() {
        let status = b" M a b.json\0R  new.ts\0old.ts\0?? c/d.json\0";
        let wanted = ["a b.json", "new.ts", "old.ts", "c/d.json"].map(PathBuf::from);
        assert_eq!(named(status), wanted);
        assert!(named(b"").is_empty());
    }
}

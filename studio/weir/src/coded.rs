//! How an error that has a code is told: what happened, the code, and on a line of its own what to do about it.
//! `docs/troubleshooting.md` is ordered by these codes.

use std::fmt::Display;

use anyhow::anyhow;

pub fn coded(error: impl Display, code: impl Display, hint: &str) -> anyhow::Error {
    if hint.is_empty() { anyhow!("{error} [{code}]") } else { anyhow!("{error} [{code}]\n{hint}") }
}

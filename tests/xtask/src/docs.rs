//! The documents that are written from sources. The suite holds that they are up to date.

mod compatibility;
mod control_api;
mod metrics;
mod plugin_api;

use std::fs;

use crate::process::root;

pub fn write() -> anyhow::Result<()> {
    let root = root();
    fs::write(root.join("docs/api.md"), control_api::page(&root)?)?;
    fs::write(root.join("docs/compatibility.md"), compatibility::page(&root)?)?;
    fs::write(root.join("docs/metrics.md"), metrics::page(&root)?)?;
    fs::write(root.join("docs/plugin-api.md"), plugin_api::page(&root)?)?;
    Ok(())
}

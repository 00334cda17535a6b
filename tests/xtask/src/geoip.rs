//! `places.mmdb`: the small database of places that Weir embeds, made from `places.json` beside it.
//!
//! It is committed, so that a build needs no other program, and a test holds that it is what its source
//! makes.

mod mmdb;
mod places;

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::process::root;

const DIR: &str = "pipeline-core/plugins/geoip";

pub fn write() -> anyhow::Result<()> {
    let dir = root().join(DIR);
    let bytes = make(&dir.join("places.json"))?;
    fs::write(dir.join("places.mmdb"), &bytes)?;
    eprintln!("{DIR}/places.mmdb: {} bytes", bytes.len());
    Ok(())
}

fn make(source: &Path) -> anyhow::Result<Vec<u8>> {
    let text = fs::read_to_string(source).with_context(|| format!("cannot read {}", source.display()))?;
    places::database(&text).with_context(|| format!("in {}", source.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_database_is_what_its_source_makes() {
        let dir = root().join(DIR);
        let made = make(&dir.join("places.json")).unwrap();
        let committed = fs::read(dir.join("places.mmdb")).unwrap();
        assert!(made == committed, "places.mmdb is out of date: run cargo xtask geoip");
    }
}

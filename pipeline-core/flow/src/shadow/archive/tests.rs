use std::fs;

use weir_plugins::Workshop;

use super::*;

struct Shelf {
    dir: tempfile::TempDir,
    workshop: Workshop,
    archive: Archive,
}

impl Shelf {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let workshop = Workshop::start(&dir.path().join("compiled"), None).expect("a workshop");
        let archive = Archive::new(dir.path().join("versions"));
        Self { dir, workshop, archive }
    }

    /// A version of the plugin `p` with this number in its source.
    fn reload(&self, number: usize) -> Reload {
        let dir = self.dir.path().join("p");
        fs::create_dir_all(&dir).expect("a folder");
        fs::write(dir.join("index.js"), format!("export function processEvent(event) {{ return event }} // {number}"))
            .expect("a source");
        fs::write(dir.join("same.json"), "{}").expect("a file");
        let blueprint = self.workshop.open(&dir).expect("a plugin");
        let (version, language) = self.workshop.version_of(&blueprint, Settings::default()).expect("a version");
        let (plugin_id, name) = ("p".to_owned(), "P".to_owned());
        Reload { plugin_id, version, language, name, blueprint, is_live: true, replaces: None }
    }

    fn blobs(&self) -> usize {
        fs::read_dir(self.dir.path().join("versions/blobs")).expect("the folder").count()
    }
}

#[test]
fn what_was_kept_makes_the_same_version_again() {
    let shelf = Shelf::new();
    let reload = shelf.reload(1);
    shelf.archive.keep(&reload, 7).expect("it is kept");
    fs::remove_dir_all(shelf.dir.path().join("p")).expect("the folder goes");
    let kept = shelf.archive.find("p", &reload.version[..5]).expect("it is found");
    assert_eq!((kept.live_at_ms, kept.files(), kept.language.as_str()), (7, 2, "javascript"));
    let (sources, settings) = shelf.archive.open("p", &kept, &Settings::default()).expect("it is whole");
    let again = shelf.workshop.reopen("p", shelf.dir.path(), sources).expect("it opens");
    assert_eq!(shelf.workshop.version_of(&again, settings).expect("a version").0, reload.version);
}

#[test]
fn the_newest_are_kept_and_contents_that_nobody_has_go() {
    let shelf = Shelf::new();
    let names: Vec<String> = (0..MOST_VERSIONS + 5)
        .map(|number| {
            let reload = shelf.reload(number);
            shelf.archive.keep(&reload, number as i64).expect("it is kept");
            reload.version
        })
        .collect();
    let kept: Vec<String> =
        shelf.archive.versions("p").expect("they are read").into_iter().map(|kept| kept.version).collect();
    let newest: Vec<String> = names.iter().rev().take(MOST_VERSIONS).cloned().collect();
    assert_eq!(kept, newest);
    assert_eq!(shelf.blobs(), MOST_VERSIONS + 1, "one source each, and the file that all have");
    let error = shelf.archive.find("p", &names[0]).expect_err("it is gone");
    assert!(error.to_string().contains("the newest 50 that were live are kept"), "{error}");
    // One that goes live again is the newest again.
    shelf.archive.keep(&shelf.reload(10), 99).expect("it is kept");
    let versions = shelf.archive.versions("p").expect("they are read");
    assert_eq!(
        (versions.len(), versions[0].version.as_str(), versions[0].live_at_ms),
        (MOST_VERSIONS, names[10].as_str(), 99)
    );
}

#[test]
fn what_is_damaged_is_not_run() {
    let shelf = Shelf::new();
    let reload = shelf.reload(1);
    shelf.archive.keep(&reload, 0).expect("it is kept");
    let kept = shelf.archive.find("p", "").expect("the only one");
    for entry in fs::read_dir(shelf.dir.path().join("versions/blobs")).expect("the folder") {
        fs::write(entry.expect("a file").path(), "export const other = 1").expect("a change");
    }
    let error = shelf.archive.open("p", &kept, &Settings::default()).expect_err("it is refused");
    assert_eq!(error.code(), "version_damaged");
    // And an index that cannot be read is no reason to fail a reload.
    fs::write(shelf.dir.path().join("versions/p.json"), "{").expect("a change");
    shelf.archive.keep(&reload, 1).expect("it is kept");
    assert_eq!(shelf.archive.versions("p").expect("they are read").len(), 1);
}

#[test]
fn secrets_stay_out_and_those_of_now_are_used() {
    let shelf = Shelf::new();
    let dir = shelf.dir.path().join("p");
    fs::create_dir_all(&dir).expect("a folder");
    let manifest = r#"{"name": "p", "config": [{"key": "token", "type": "string", "secret": true}]}"#;
    fs::write(dir.join("plugin.json"), manifest).expect("a manifest");
    let mut reload = shelf.reload(1);
    let given = |token: &str| {
        let values = [("token", token), ("place", "Graz")].map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
        Settings { values: values.into_iter().collect(), ..Settings::default() }
    };
    reload.blueprint = reload.blueprint.with_settings(given("then-4242"));
    shelf.archive.keep(&reload, 0).expect("it is kept");
    let index = fs::read_to_string(shelf.dir.path().join("versions/p.json")).expect("the index");
    assert!(index.contains("Graz") && !index.contains("then-4242"), "{index}");
    let kept = shelf.archive.find("p", "").expect("the only one");
    let (_, settings) = shelf.archive.open("p", &kept, &given("now-4242")).expect("it is whole");
    assert_eq!(settings, given("now-4242"));
}

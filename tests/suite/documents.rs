//! What is written from sources is what the sources say, every test that a document names exists, and so does every
//! file.

use std::fs;

#[path = "../xtask/src/docs/compatibility.rs"]
mod compatibility;
#[path = "../xtask/src/docs/control_api.rs"]
mod control_api;
#[path = "../xtask/src/docs/metrics.rs"]
mod metrics;
#[path = "../xtask/src/docs/plugin_api.rs"]
mod plugin_api;

use crate::server::root;

#[test]
fn generated_documents_are_up_to_date() {
    let root = &root();
    let pages = [
        ("api.md", control_api::page(root)),
        ("compatibility.md", compatibility::page(root)),
        ("metrics.md", metrics::page(root)),
        ("plugin-api.md", plugin_api::page(root)),
    ];
    for (name, page) in pages {
        let page = page.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let written = fs::read_to_string(root.join("docs").join(name)).expect("a document");
        assert!(written == page, "docs/{name} is out of date: `cargo xtask docs` writes it");
    }
}

#[test]
fn links_lead_to_files() {
    let root = root();
    let pages = [root.clone(), root.join("docs"), root.join("sample-plugins")];
    let pages = pages.iter().flat_map(|dir| fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry")));
    let mut links = 0;
    for page in pages.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = fs::read_to_string(&page).expect("a page");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let file = target.split('#').next().unwrap_or_default();
            // Of this page, or of another site.
            if file.is_empty() || file.contains(':') {
                continue;
            }
            links += 1;
            let found = page.parent().expect("a folder").join(file);
            assert!(found.exists(), "{}: there is no {file}", page.display());
        }
    }
    assert!(links > 50, "{links} links");
}

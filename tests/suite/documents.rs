//! What is written from sources is what the sources say, and every test that a document names exists.

use std::fs;

#[path = "../xtask/src/docs/compatibility.rs"]
mod compatibility;
#[path = "../xtask/src/docs/control_api.rs"]
mod control_api;
#[path = "../xtask/src/docs/plugin_api.rs"]
mod plugin_api;

use crate::server::root;

#[test]
fn generated_documents_are_up_to_date() {
    let root = &root();
    let pages = [
        ("api.md", control_api::page(root)),
        ("compatibility.md", compatibility::page(root)),
        ("plugin-api.md", plugin_api::page(root)),
    ];
    for (name, page) in pages {
        let page = page.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let written = fs::read_to_string(root.join("docs").join(name)).expect("a document");
        assert!(written == page, "docs/{name} is out of date: `cargo xtask docs` writes it");
    }
}

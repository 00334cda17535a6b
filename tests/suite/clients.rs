//! The official clients, unmodified from their registries, from their call to the row.

use std::path::PathBuf;
use std::process::Command;

use crate::server::{Weir, scratch};

/// Where the set-up put the clients. A missing client fails the test: skipping would prove nothing.
fn installed(path: &str) -> PathBuf {
    let root = std::env::var_os("WEIR_CLIENTS").expect("WEIR_CLIENTS is set by ./dev test");
    let path = PathBuf::from(root).join(path);
    assert!(path.exists(), "{} is missing; run ./dev test once", path.display());
    path
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients").join(name)
}

fn check_round_trip(library: &str, mut client: Command) {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    let output = client.env("WEIR_CAPTURE", &weir.capture).output().expect("the client runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let status = crate::server::wait_for("the client's events", || {
        let status = weir.settle();
        (status.ledger.received >= 3).then_some(status)
    });
    assert_eq!((status.ledger.rejected, status.ledger.dead_lettered, status.ledger.unexplained), (0, 0, 0));
    let rows = weir.query("SELECT event, distinct_id, properties, timestamp FROM events WHERE event = 'bought'");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["distinct_id"], "user-1");
    assert_eq!(rows[0]["properties"]["price"], 12.5);
    assert_eq!(rows[0]["properties"]["title"], "Käse & 🧀");
    assert_eq!(rows[0]["properties"]["$lib"], library);
    let persons = weir.query("SELECT properties FROM persons WHERE properties->>'$.email' = 'user-1@example.com'");
    assert_eq!(persons.len(), 1);
    let owners = weir.query(
        "SELECT count(DISTINCT person_id) AS n FROM person_distinct_ids WHERE distinct_id IN ('user-1', 'anon-1')",
    );
    assert_eq!(owners[0]["n"], 1, "the alias made one person of two ids");
    weir.stop();
}

#[test]
fn posthog_python_round_trip() {
    let mut python = Command::new(installed("venv/bin/python"));
    python.arg(script("client.py"));
    check_round_trip("posthog-python", python);
}

#[test]
fn posthog_node_round_trip() {
    let mut node = Command::new("node");
    node.arg(script("client.cjs")).env("NODE_PATH", installed("node_modules"));
    check_round_trip("posthog-node", node);
}

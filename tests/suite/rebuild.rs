//! The store is disposable: deleted, damaged, stopped or running, it comes back the same.

use serde_json::json;

use crate::server::{Weir, event, scratch, wait_for};

fn fill(weir: &Weir, numbers: std::ops::Range<u64>) {
    let events: Vec<_> = numbers
        .map(|number| match number % 5 {
            0 => event(
                "$identify",
                &format!("user-{}", number % 40),
                number,
                json!({"$anon_distinct_id": format!("anon-{}", number % 90), "$set": {"n": number}}),
            ),
            _ => event(
                "view",
                &format!("anon-{}", number % 90),
                number,
                json!({"$set": {"seen": number}, "utm_source": "mail"}),
            ),
        })
        .collect();
    for batch in events.chunks(100) {
        assert!(weir.send(batch));
    }
}

#[test]
fn deleted_while_stopped_it_is_rebuilt_to_the_same_digest() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    fill(&weir, 1..1_000);
    let before = (weir.settle().ledger, weir.digest());
    weir.stop();
    std::fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start(&data);
    let after = (weir.settle().ledger, weir.digest());
    assert_eq!(before, after);
    assert_eq!(weir.audit().differences, Vec::<String>::new());
}

#[test]
fn deleted_while_running_it_is_rebuilt_while_capture_keeps_acking() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    fill(&weir, 1..1_000);
    let before = (weir.settle().ledger, weir.digest());
    std::fs::remove_file(data.join("store.duckdb")).expect("a store");
    wait_for("the loss to be noticed", || {
        let status = weir.status();
        status.recovery.iter().any(|note| note.contains("rebuilt from the logs")).then_some(())
    });
    let after = (weir.settle().ledger, weir.digest());
    assert_eq!(before, after);

    // And once more, with events arriving all the while.
    std::fs::remove_file(data.join("store.duckdb")).expect("a store");
    fill(&weir, 1_000..3_000);
    let status = weir.settle();
    assert_eq!((status.ledger.received, status.ledger.unexplained), (2_999, 0));
    assert_eq!(weir.audit().differences, Vec::<String>::new());
    assert!(data.join("store.duckdb").exists());
}

#[test]
fn a_damaged_store_is_put_aside_and_rebuilt() {
    let (_dir, data) = scratch();
    let weir = Weir::start(&data);
    fill(&weir, 1..500);
    weir.settle();
    let before = weir.digest();
    weir.stop();
    let mut bytes = std::fs::read(data.join("store.duckdb")).expect("a store");
    let middle = bytes.len() / 2;
    bytes[..middle].fill(0xa5);
    std::fs::write(data.join("store.duckdb"), bytes).expect("damage");
    let weir = Weir::start(&data);
    let status = weir.settle();
    assert!(status.recovery.iter().any(|note| note.contains("quarantined")), "{:?}", status.recovery);
    assert_eq!(weir.digest(), before);
}

//! Recordings and journeys: what is kept of an event when it is no longer among the newest.

use std::fs;

use pipeline_core::api::event::{Journey, JourneyRequest};
use pipeline_core::api::registry;
use serde_json::{Value, json};

use crate::server::{Weir, event, plugin, scratch, wait_for};

fn journey(weir: &Weir, offset: u64) -> Journey {
    weir.call::<registry::Journey>(&JourneyRequest { offset }).expect("a journey")
}

#[test]
fn a_journey_outlives_the_live_view() {
    let (dir, data) = scratch();
    let mark = "export function processEvent(event) {
        if (event.event === 'unwanted') return null
        if (event.event === 'throws') throw new Error('no luck')
        event.properties.marked = true
        return event }";
    let (idle, mark) = (
        plugin(dir.path(), "idle", "index.js", "export const processEvent = (e) => e"),
        plugin(dir.path(), "mark", "index.js", mark),
    );
    let arguments = ["--plugin", idle.to_str().expect("a path"), "--plugin", mark.to_str().expect("a path")];
    let weir = Weir::start_with(&data, &arguments);
    wait_for("both plugins", || {
        (weir.status().plugins.iter().filter(|it| !it.version.is_empty()).count() == 2).then_some(())
    });
    assert!(weir.send(&[
        event("wanted", "a", 1, json!({"$set": {"name": "Ada"}})),
        event("unwanted", "a", 2, json!({})),
        event("throws", "a", 3, json!({})),
        event("$snapshot", "a", 4, json!({"$snapshot_data": {}})),
        event("wanted", "a", 1, json!({"$set": {"name": "Ada"}})),
    ]));
    weir.settle();
    let live: Vec<Journey> = (0..5).map(|offset| journey(&weir, offset)).collect();
    weir.stop();

    let weir = Weir::start(&data);
    weir.settle();
    let later: Vec<Journey> = (0..5).map(|offset| journey(&weir, offset)).collect();
    for (live, later) in live.iter().zip(&later) {
        assert_eq!(live, later);
    }
    let outcomes: Vec<&str> = later.iter().map(|it| it.summary.outcome.as_str()).collect();
    assert_eq!(outcomes, ["stored", "dropped", "stored", "dropped", "deduplicated"]);
    assert_eq!(later[0].steps[1].after.as_ref().expect("kept")["properties"]["marked"], true);
    assert_eq!(later[0].person.as_ref().expect("a person").properties["name"], "Ada");
    assert!(later[2].steps[1].error.as_ref().expect("an error").contains("no luck"));
    assert!(later[3].reason.contains("recording is off"));
    let none = weir.call::<registry::Journey>(&JourneyRequest { offset: 5 }).expect_err("no such event");
    assert!(none.message.contains("no event has the offset 5"), "{none:?}");
    weir.stop();
}

#[test]
fn recordings_are_stored_and_given_to_on_snapshot_when_they_are_wanted() {
    let (dir, data) = scratch();
    let source = "export function processEvent(event) { event.properties.processed = true; return event }
        async function note(storage, key, event) {
            await storage.set(key, [...(await storage.get(key, [])), event.properties.$session_id ?? event.event])
        }
        export const onSnapshot = (event, { storage }) => note(storage, 'snapshots', event)
        export const onEvent = (event, { storage }) => note(storage, 'events', event)";
    let recorder = plugin(dir.path(), "recorder", "index.js", source);
    let plugin = ["--plugin", recorder.to_str().expect("a path")];
    let recording = |number: u64, session: &str| {
        event(
            "$snapshot",
            "a",
            number,
            json!({"$snapshot_data": {"n": number}, "$session_id": session, "$window_id": "w",
            "$set": {"not": "a person"}}),
        )
    };
    let weir = Weir::start_with(&data, &[plugin[0], plugin[1], "--recordings"]);
    wait_for("the plugin", || weir.status().plugins.first().filter(|it| !it.version.is_empty()).map(drop));
    assert!(weir.send(&[recording(1, "s1"), event("seen", "a", 2, json!({}))]));
    let status = weir.settle();
    assert_eq!((status.ledger.stored, status.ledger.dropped, status.ledger.unexplained), (2, 0, 0));
    let rows = weir.query("SELECT session_id, window_id, snapshot_data FROM session_recording_events");
    assert_eq!(json!(rows), json!([{"session_id": "s1", "window_id": "w", "snapshot_data": {"n": 1}}]));
    let kept = weir.query("SELECT properties FROM events WHERE event = '$snapshot'");
    assert_eq!(kept[0]["properties"].get("processed"), None, "recordings are not for processEvent");
    assert_eq!(weir.count("persons WHERE properties->>'not' IS NOT NULL"), 0);
    let stored = |key: &str| -> Option<Value> {
        let sql = format!("SELECT value::JSON AS value FROM plugin_storage WHERE key = '{key}'");
        weir.query(&sql).into_iter().next().map(|row| row["value"].clone())
    };
    assert_eq!(wait_for("the recording", || stored("snapshots")), json!(["s1"]));
    assert_eq!(wait_for("the event", || stored("events")), json!(["seen"]));
    let events =
        |weir: &Weir| weir.digest().tables.into_iter().find(|table| table.table == "events").expect("a digest");
    let before = events(&weir);
    weir.stop();

    // Off again from here on; a rebuild still knows what was on before.
    let weir = Weir::start_with(&data, &plugin);
    assert!(weir.send(&[recording(3, "s2")]));
    let status = weir.settle();
    assert_eq!((status.ledger.stored, status.ledger.dropped), (2, 1));
    weir.stop();
    fs::remove_file(data.join("store.duckdb")).expect("a store");
    let weir = Weir::start_with(&data, &plugin);
    weir.settle();
    assert_eq!(weir.count("session_recording_events"), 1);
    assert_eq!(events(&weir), before);
    weir.stop();
}

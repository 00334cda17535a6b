//! What is sent.

use serde_json::{Value, json};
use weir_plugin::Event;

pub fn body(events: &[Event]) -> Value {
    json!({ "events": events.iter().map(row).collect::<Vec<_>>() })
}

fn row(event: &Event) -> Value {
    json!({
        "id": event.uuid(),
        "event": event.name(),
        "distinct_id": event.distinct_id(),
        "timestamp": event.timestamp(),
        "properties": event.properties(),
    })
}

#[cfg(test)]
mod tests {
    use super::body;
    use weir_plugin::Event;

    #[test]
    fn a_row_says_who_did_what_and_when() {
        let event = Event::new(
            r#"{"uuid":"u","event":"purchase","distinct_id":"ada","timestamp":"2026-01-02T03:04:05Z","properties":{"total":9.5}}"#,
        );
        let row = &body(&[event])["events"][0];
        assert_eq!((&row["id"], &row["distinct_id"]), (&"u".into(), &"ada".into()));
        assert_eq!(row["properties"]["total"], 9.5);
    }
}

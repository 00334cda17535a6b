//! The live list's model: what is kept, what a filter lets through, which rows are on screen.

use std::{ops::Range, sync::Arc};

use weir_api::event::EventSummary;

use crate::ring::Ring;

pub const CAPACITY: usize = 1_000;
pub const LABELS: [&str; 5] = ["modified", "unmodified", "dropped", "skipped", "error"];
pub const OUTCOMES: [&str; 5] = ["stored", "dropped", "rejected", "dead_lettered", "deduplicated"];

pub type Row = Arc<EventSummary>;

#[derive(Debug, Clone)]
pub struct Feed {
    rows: Ring<Row>,
    /// Events the server left out of its sample since the page opened.
    pub not_shown: u64,
}

impl Default for Feed {
    fn default() -> Self {
        Self { rows: Ring::new(CAPACITY), not_shown: 0 }
    }
}

impl Feed {
    pub fn extend(&mut self, events: Vec<EventSummary>, skipped: u64) {
        self.not_shown += skipped;
        for event in events {
            self.rows.push(Arc::new(event));
        }
    }

    pub const fn seen(&self) -> u64 {
        self.rows.pushed()
    }

    pub fn newest_first(&self) -> Vec<Row> {
        self.rows.newest_first().cloned().collect()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Lower case; matches event, distinct id, uuid or offset.
    pub text: String,
    /// Labels let through; empty lets all.
    pub labels: Vec<&'static str>,
    pub outcome: Option<&'static str>,
}

impl Filter {
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    pub fn toggle_label(&mut self, label: &'static str) {
        if let Some(at) = self.labels.iter().position(|have| *have == label) {
            self.labels.remove(at);
        } else {
            self.labels.push(label);
        }
    }

    pub fn lets(&self, row: &EventSummary) -> bool {
        (self.labels.is_empty() || self.labels.contains(&row.label.as_str()))
            && self.outcome.is_none_or(|outcome| outcome == row.outcome)
            && (self.text.is_empty()
                || [&row.event, &row.distinct_id, &row.uuid].iter().any(|field| holds(field, &self.text))
                || row.offset.to_string() == self.text)
    }
}

/// `needle` is lower case already.
fn holds(field: &str, needle: &str) -> bool {
    field.to_lowercase().contains(needle)
}

/// Rows to render: those on screen and a few around them, so that scrolling never shows a gap.
pub fn on_screen(scroll_top: f64, height: f64, row_height: f64, total: usize) -> Range<usize> {
    const AROUND: usize = 4;
    let first = (scroll_top.max(0.0) / row_height) as usize;
    let count = (height.max(0.0) / row_height).ceil() as usize + 1;
    first.saturating_sub(AROUND).min(total)..(first + count + AROUND).min(total)
}

/// The row that is selected after moving `by` rows, given the offset selected now.
pub fn step(rows: &[Row], selected: Option<u64>, by: isize) -> Option<u64> {
    let last = rows.len().checked_sub(1)?;
    let at = selected.and_then(|offset| rows.iter().position(|row| row.offset == offset));
    let next = at.map_or(0, |at| at.saturating_add_signed(by).min(last));
    Some(rows[next].offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(offset: u64, event: &str, label: &str) -> EventSummary {
        EventSummary {
            offset,
            event: event.into(),
            label: label.into(),
            outcome: if label == "dropped" { "dropped" } else { "stored" }.into(),
            distinct_id: format!("User-{offset}"),
            ..EventSummary::default()
        }
    }

    #[test]
    fn newest_first_and_bounded() {
        let mut feed = Feed::default();
        feed.extend((0..1_500).map(|offset| row(offset, "e", "modified")).collect(), 3);
        let rows = feed.newest_first();
        assert_eq!((rows.len(), rows[0].offset, feed.seen(), feed.not_shown), (CAPACITY, 1_499, 1_500, 3));
    }

    #[test]
    fn filters_combine() {
        let mut filter = Filter { text: "user-7".into(), ..Filter::default() };
        assert!(filter.lets(&row(7, "$pageview", "modified")));
        assert!(!filter.lets(&row(8, "$pageview", "modified")));
        filter.toggle_label("dropped");
        assert!(!filter.lets(&row(7, "$pageview", "modified")));
        assert!(filter.lets(&row(7, "$pageview", "dropped")));
        filter.outcome = Some("stored");
        assert!(!filter.lets(&row(7, "$pageview", "dropped")));
        filter.toggle_label("dropped");
        assert!(filter.labels.is_empty() && !filter.is_open());
    }

    #[test]
    fn only_what_is_on_screen_is_rendered() {
        assert_eq!(on_screen(0.0, 280.0, 28.0, 1_000), 0..15);
        assert_eq!(on_screen(2_800.0, 280.0, 28.0, 1_000), 96..115);
        assert_eq!(on_screen(9e9, 280.0, 28.0, 3), 3..3);
        assert_eq!(on_screen(0.0, 280.0, 28.0, 3), 0..3);
    }

    #[test]
    fn stepping_stays_in_the_list() {
        let rows: Vec<Row> = [3, 2, 1].map(|offset| Arc::new(row(offset, "e", "modified"))).into();
        assert_eq!(step(&rows, None, 1), Some(3));
        assert_eq!(step(&rows, Some(3), 1), Some(2));
        assert_eq!(step(&rows, Some(3), -1), Some(3));
        assert_eq!(step(&rows, Some(1), 5), Some(1));
        assert_eq!(step(&[], Some(1), 1), None);
    }
}

//! Events with the same difference, counted, with a few of them as examples.

use std::collections::BTreeMap;

use serde_json::Value;
use weir_api::diff::{DiffExample, DiffGroup};

/// Of one result; what comes after the last is counted under `…`.
const MOST_GROUPS: usize = 200;
const EXAMPLES: usize = 3;
const OFFSETS: usize = 100;
/// A longer value of an example is shown by its beginning.
const EXAMPLE_BYTES: usize = 4 << 10;

#[derive(Default)]
pub struct Groups(BTreeMap<(String, String), DiffGroup>);

impl Groups {
    pub fn add(&mut self, kind: &str, path: &str, example: impl FnOnce() -> DiffExample) {
        let mut key = (kind.to_owned(), path.to_owned());
        if self.0.len() >= MOST_GROUPS && !self.0.contains_key(&key) {
            "…".clone_into(&mut key.1);
        }
        let group = self.0.entry(key).or_insert_with_key(|(kind, path)| DiffGroup {
            kind: kind.clone(),
            path: path.clone(),
            ..DiffGroup::default()
        });
        group.count += 1;
        if group.examples.len() >= EXAMPLES && group.offsets.len() >= OFFSETS {
            return;
        }
        let mut example = example();
        if let Some(offset) = example.offset.filter(|offset| group.offsets.last() != Some(offset))
            && group.offsets.len() < OFFSETS
        {
            group.offsets.push(offset);
        }
        if group.examples.len() < EXAMPLES {
            example.before = example.before.map(clipped);
            example.after = example.after.map(clipped);
            group.examples.push(example);
        }
    }

    /// The largest first.
    pub fn sorted(self) -> Vec<DiffGroup> {
        let mut groups: Vec<DiffGroup> = self.0.into_values().collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.path.cmp(&b.path)));
        groups
    }
}

fn clipped(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= EXAMPLE_BYTES {
        return value;
    }
    let end = (0..=EXAMPLE_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    Value::String(format!("{}…", &text[..end]))
}

/// `items[3].price` as `items[].price`, so that it is one group whatever the place.
pub fn any_place(path: &str) -> String {
    let mut pieces = path.split('[');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push('[');
        let rest = piece.trim_start_matches(|letter: char| letter.is_ascii_digit());
        plain.push_str(if rest.starts_with(']') { rest } else { piece });
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_of_lists_are_one_group_and_names_are_not_touched() {
        assert_eq!(any_place("properties.items[12].price"), "properties.items[].price");
        assert_eq!(any_place("a[0][1]"), "a[][]");
        assert_eq!(any_place("a[\"1] x\"].b"), "a[\"1] x\"].b");
        assert_eq!(any_place("plain"), "plain");
    }

    #[test]
    fn groups_are_bounded_and_lose_no_count() {
        let mut groups = Groups::default();
        for at in 0..1_000_u64 {
            let path = format!("p{}", at % 300);
            groups.add("changed", &path, || DiffExample {
                offset: Some(at),
                before: Some(json!("x".repeat(10_000))),
                ..DiffExample::default()
            });
        }
        let sorted = groups.sorted();
        assert_eq!(sorted.iter().map(|group| group.count).sum::<u64>(), 1_000);
        assert_eq!((sorted.len(), sorted[0].path.as_str()), (MOST_GROUPS + 1, "…"));
        assert!(sorted.iter().all(|group| group.examples.len() <= EXAMPLES && group.offsets.len() <= OFFSETS));
        let shown = sorted[1].examples[0].before.as_ref().and_then(Value::as_str).expect("a text");
        assert!(shown.len() < EXAMPLE_BYTES + 10 && shown.ends_with('…'));
    }
}

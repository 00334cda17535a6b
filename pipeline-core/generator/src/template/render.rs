//! From templates to JSON text. Everything is appended to one string: a stream is made of little else.

use std::fmt::Write as _;

use rand::RngExt as _;
use uuid::Builder;

use super::{Path, PersonField, Piece, Property, Template};
use crate::catalogue::{Catalogue, Field, number};
use crate::people::{Group, Person};
use crate::random::{Random, between};

/// Who and what a session is about.
#[derive(Debug, Clone)]
pub struct Cast<'c> {
    pub person: &'c Person,
    /// What the device is called by its client until somebody signs in.
    pub device_id: &'c str,
    pub session_id: String,
    pub is_bot: bool,
    /// Items at hand, one a catalogue.
    pub at_hand: Vec<Option<usize>>,
    /// Items that were kept, in order, a list a catalogue.
    pub kept: Vec<Vec<usize>>,
    /// Values made at the start of the session, as JSON.
    pub per_session: Vec<String>,
    pub events: u32,
}

/// Everything that a template can ask for.
#[derive(Debug)]
pub struct Scene<'a, 'c> {
    pub places: &'a Catalogue,
    pub devices: &'a Catalogue,
    pub catalogues: &'a [Catalogue],
    pub groups: &'a [Group],
    pub per_event: &'a [Property],
    pub cast: &'a mut Cast<'c>,
    /// Of this event, made when they are first asked for.
    pub event_values: Vec<Option<String>>,
}

/// Appends a JSON string.
pub fn quoted(text: &str, out: &mut String) {
    out.push('"');
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    if text.as_bytes().iter().all(plain) {
        out.push_str(text);
    } else {
        // Quoting the quotes is left to who knows how.
        let json = serde_json::Value::from(text).to_string();
        out.push_str(&json[1..json.len() - 1]);
    }
    out.push('"');
}

impl Scene<'_, '_> {
    /// Appends `"key":value` for each, with commas between; what is left out this time has no comma either.
    pub fn properties(&mut self, properties: &[Property], random: &mut Random, out: &mut String) {
        for property in properties {
            let before = out.len();
            if !out.is_empty() && !out.ends_with('{') {
                out.push(',');
            }
            out.push_str(&property.key);
            if !self.write(&property.template, random, out) {
                out.truncate(before);
            }
        }
    }

    /// Appends a value; `false` if there is none this time.
    pub fn write(&mut self, template: &Template, random: &mut Random, out: &mut String) -> bool {
        match template {
            Template::Literal(json) => out.push_str(json),
            Template::Whole(path) => self.value(path, random, out),
            Template::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Words(words) => text.push_str(words),
                        Piece::Value(path) => self.words(path, random, &mut text),
                    }
                }
                quoted(&text, out);
            }
            Template::List(list) => {
                out.push('[');
                for element in list {
                    self.element(element, random, out);
                }
                out.push(']');
            }
            Template::Object(properties) => {
                out.push('{');
                self.properties(properties, random, out);
                out.push('}');
            }
            Template::OneOf(choices, weights) => return self.write(&choices[weights.pick(random)], random, out),
            Template::Int(bounds) => {
                let drawn = spread(bounds, random);
                write!(out, "{drawn}").ok();
            }
            Template::Decimal(bounds, places) => decimal(spread(bounds, random), *places, out),
            Template::Fake(faker) => quoted(&faker.draw(self.cast.person.locale, random), out),
            Template::Maybe(rate, then) => return rate.happens(random) && self.write(then, random, out),
            Template::Repeat(of, (least, most)) => {
                out.push('[');
                for _ in 0..between(random, *least, *most) {
                    self.element(of, random, out);
                }
                out.push(']');
            }
            Template::Pattern(pattern) => quoted(&drawn_by(pattern, random), out),
            Template::Uuid => {
                write!(out, "\"{}\"", Builder::from_random_bytes(random.random()).into_uuid()).ok();
            }
        }
        true
    }

    fn element(&mut self, template: &Template, random: &mut Random, out: &mut String) {
        let before = out.len();
        if !out.ends_with('[') {
            out.push(',');
        }
        if !self.write(template, random, out) {
            out.truncate(before);
        }
    }

    /// As JSON.
    fn value(&mut self, path: &Path, random: &mut Random, out: &mut String) {
        match path {
            Path::Person(PersonField::IsBot) => out.push_str(if self.cast.is_bot { "true" } else { "false" }),
            Path::Place(field) => out.push_str(&self.places.items[self.cast.person.place][*field].json),
            Path::Device(field) => out.push_str(&self.devices.items[self.cast.person.device][*field].json),
            Path::SessionEvents => {
                write!(out, "{}", self.cast.events).ok();
            }
            Path::Session(at) => out.push_str(&self.cast.per_session[*at]),
            Path::Event(at) => {
                let json = self.event_value(*at, random);
                out.push_str(&json);
            }
            Path::Item(catalogue, field) => {
                let item = self.item(*catalogue, random);
                out.push_str(&item[*field].json);
            }
            Path::Kept(catalogue, field) => {
                out.push('[');
                for (place, item) in self.cast.kept[*catalogue].iter().enumerate() {
                    out.push_str(if place > 0 { "," } else { "" });
                    out.push_str(&self.catalogues[*catalogue].items[*item][*field].json);
                }
                out.push(']');
            }
            Path::KeptCount(catalogue) => {
                write!(out, "{}", self.cast.kept[*catalogue].len()).ok();
            }
            Path::KeptSum(catalogue, field) => {
                let items = &self.catalogues[*catalogue].items;
                let kept = self.cast.kept[*catalogue].iter();
                out.push_str(&number(kept.filter_map(|item| items[*item][*field].ten_thousandths).sum()));
            }
            Path::GroupProperties(group) => {
                out.push('{');
                for (place, (key, json)) in self.groups[*group].properties.iter().enumerate() {
                    out.push_str(if place > 0 { "," } else { "" });
                    out.push_str(key);
                    out.push_str(json);
                }
                out.push('}');
            }
            Path::GroupProperty(group, property) => out.push_str(&self.groups[*group].properties[*property].1),
            Path::Person(_) | Path::PlaceIp | Path::DeviceId | Path::SessionId | Path::GroupKey(_) => {
                let mut text = String::new();
                self.words(path, random, &mut text);
                quoted(&text, out);
            }
        }
    }

    /// As it stands inside a text.
    fn words(&mut self, path: &Path, random: &mut Random, out: &mut String) {
        let person = self.cast.person;
        match path {
            Path::Person(PersonField::Key) => out.push_str(&person.key),
            Path::Person(PersonField::Name) => out.push_str(&person.name),
            Path::Person(PersonField::FirstName) => {
                out.push_str(person.name.split_whitespace().next().unwrap_or(&person.name));
            }
            Path::Person(PersonField::Email) => out.push_str(&person.email),
            Path::Person(PersonField::Company) => out.push_str(&person.company),
            Path::Person(PersonField::JobTitle) => out.push_str(&person.job_title),
            Path::Person(PersonField::Phone) => out.push_str(&person.phone),
            Path::PlaceIp => {
                let network = self.places.items[person.place].iter().find(|field| field.name == "network");
                let network = network.and_then(|field| field.value.as_str()).unwrap_or("192.0.2");
                write!(out, "{network}.{}", person.host).ok();
            }
            Path::DeviceId => out.push_str(self.cast.device_id),
            Path::SessionId => out.push_str(&self.cast.session_id),
            Path::GroupKey(group) => out.push_str(&self.groups[*group].key),
            Path::Item(catalogue, field) => {
                let text = in_words(&self.item(*catalogue, random)[*field]);
                out.push_str(text);
            }
            Path::Place(field) => out.push_str(in_words(&self.places.items[person.place][*field])),
            Path::Device(field) => out.push_str(in_words(&self.devices.items[person.device][*field])),
            _ => {
                let mut json = String::new();
                self.value(path, random, &mut json);
                match serde_json::from_str::<String>(&json) {
                    Ok(text) => out.push_str(&text),
                    Err(_) => out.push_str(&json),
                }
            }
        }
    }

    fn event_value(&mut self, at: usize, random: &mut Random) -> String {
        if let Some(Some(json)) = self.event_values.get(at) {
            return json.clone();
        }
        let mut json = String::new();
        if !self.write(&self.per_event[at].template, random, &mut json) {
            json.push_str("null");
        }
        self.event_values[at] = Some(json.clone());
        json
    }

    /// The item at hand; the first question picks one.
    fn item(&mut self, catalogue: usize, random: &mut Random) -> &[Field] {
        let known = &self.catalogues[catalogue];
        let item = *self.cast.at_hand[catalogue].get_or_insert_with(|| known.weights.pick(random));
        &known.items[item]
    }
}

fn in_words(field: &Field) -> &str {
    field.value.as_str().unwrap_or(&field.json)
}

/// Between each two neighbours with the same chance.
fn spread(bounds: &[i64], random: &mut Random) -> i64 {
    let stretch = between(random, 0, bounds.len() as u64 - 2) as usize;
    random.random_range(bounds[stretch]..=bounds[stretch + 1])
}

fn decimal(units: i64, places: u32, out: &mut String) {
    let unit = 10_u64.pow(places);
    let sign = if units < 0 { "-" } else { "" };
    let (whole, part) = (units.unsigned_abs() / unit, units.unsigned_abs() % unit);
    write!(out, "{sign}{whole}").ok();
    if part > 0 {
        write!(out, ".{part:0width$}", width = places as usize).ok();
        out.truncate(out.trim_end_matches('0').len());
    }
}

fn drawn_by(pattern: &str, random: &mut Random) -> String {
    let mut drawn = String::new();
    let mut letters = pattern.chars();
    let mut one_of = |letters: &[u8]| char::from(letters[between(random, 0, letters.len() as u64 - 1) as usize]);
    while let Some(letter) = letters.next() {
        drawn.push(match letter {
            'a' => one_of(b"abcdefghijklmnopqrstuvwxyz"),
            'A' => one_of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            '9' => one_of(b"0123456789"),
            'x' => one_of(b"0123456789abcdef"),
            '\\' => letters.next().unwrap_or('\\'),
            other => other,
        });
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Domain, random};

    #[test]
    fn decimals_have_no_needless_zeros_and_patterns_are_followed() {
        let written = |units, places| {
            let mut out = String::new();
            decimal(units, places, &mut out);
            out
        };
        assert_eq!(
            [written(12_900, 2), written(1_450, 2), written(-5, 2), written(7, 0), written(1_005, 3)],
            ["129", "14.5", "-0.05", "7", "1.005"]
        );
        let drawn = drawn_by(r"AA-99\A", &mut random(1, Domain::Block, 0));
        let shape: Vec<bool> = drawn.chars().map(|letter| letter.is_ascii_digit()).collect();
        assert_eq!(shape, [false, false, false, true, true, false], "{drawn}");
        assert!(drawn.ends_with('A') && drawn.as_bytes()[2] == b'-');
    }

    #[test]
    fn quoting_is_that_of_json() {
        for text in ["plain", "a \"b\"", "tab\t", "\\", "é", ""] {
            let mut out = String::new();
            quoted(text, &mut out);
            assert_eq!(serde_json::from_str::<String>(&out).expect("JSON"), text);
        }
    }
}

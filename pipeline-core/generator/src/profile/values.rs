//! What values look like, property by property, and templates that make others like them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::grid;
use super::shape::{self, Shape};
use super::write::{braced, quoted};

const MOST_PROPERTIES: usize = 200;
/// Values of a property that are kept to see how they are spread.
const MOST_NUMBERS: usize = 4_096;
/// Texts of which there are no more than these are a choice.
const MOST_CHOICES: usize = 24;
const MOST_SHAPES: usize = 64;
const DEEPEST: usize = 3;

/// Objects with the same meaning: all events of a name, or a property that holds objects.
#[derive(Debug, Default)]
pub struct Objects {
    pub count: u64,
    pub properties: BTreeMap<String, Values>,
}

/// All values of one property.
#[derive(Debug, Default)]
pub struct Values {
    count: u64,
    nulls: u64,
    trues: u64,
    falses: u64,
    whole: u64,
    numbers: Vec<f64>,
    numbers_count: u64,
    texts: u64,
    /// By a hash, so that not even here the text is kept.
    choices: BTreeMap<u64, u64>,
    shapes: BTreeMap<Shape, u64>,
    lists: u64,
    lengths: Vec<f64>,
    elements: Option<Box<Values>>,
    objects: Option<Box<Objects>>,
}

impl Objects {
    pub fn add(&mut self, object: &Map<String, Value>) {
        self.add_at(object, 0);
    }

    fn add_at(&mut self, object: &Map<String, Value>, depth: usize) {
        self.count += 1;
        for (name, value) in object {
            if self.properties.len() < MOST_PROPERTIES || self.properties.contains_key(name) {
                self.properties.entry(name.clone()).or_default().add(value, depth);
            }
        }
    }

    /// Each property with its template, which leaves it out as often as it was.
    pub fn templates(&self) -> Vec<(&str, String)> {
        let template = |(name, values): (&'_ String, &Values)| {
            let own = values.template(name);
            if values.count >= self.count {
                return own;
            }
            let share = values.count as f64 / self.count as f64;
            format!("{{ maybe = {share:.4}, then = {own} }}")
        };
        self.properties.iter().map(|(name, values)| (name.as_str(), template((name, values)))).collect()
    }
}

impl Values {
    fn add(&mut self, value: &Value, depth: usize) {
        self.count += 1;
        match value {
            Value::Null => self.nulls += 1,
            Value::Bool(true) => self.trues += 1,
            Value::Bool(false) => self.falses += 1,
            Value::Number(number) => {
                self.numbers_count += 1;
                let number = number.as_f64().unwrap_or_default();
                self.whole += u64::from(number.fract() == 0.0);
                if self.numbers.len() < MOST_NUMBERS {
                    self.numbers.push(number);
                }
            }
            Value::String(text) => self.add_text(text),
            Value::Array(list) => {
                self.lists += 1;
                if self.lengths.len() < MOST_NUMBERS {
                    self.lengths.push(list.len() as f64);
                }
                if depth < DEEPEST {
                    let elements = self.elements.get_or_insert_default();
                    list.iter().for_each(|element| elements.add(element, depth + 1));
                }
            }
            Value::Object(object) => {
                let objects = self.objects.get_or_insert_default();
                if depth < DEEPEST { objects.add_at(object, depth + 1) } else { objects.count += 1 }
            }
        }
    }

    fn add_text(&mut self, text: &str) {
        self.texts += 1;
        let choice = super::hashed(text);
        // One more than may be a choice shows that it is none.
        if self.choices.len() <= MOST_CHOICES || self.choices.contains_key(&choice) {
            *self.choices.entry(choice).or_default() += 1;
        }
        let shape = shape::of(text);
        if self.shapes.len() < MOST_SHAPES || self.shapes.contains_key(&shape) {
            *self.shapes.entry(shape).or_default() += 1;
        }
    }

    /// TOML that makes such values.
    fn template(&self, name: &str) -> String {
        let mut kinds: Vec<(u64, String)> = Vec::new();
        if self.nulls > 0 {
            kinds.push((self.nulls, "{ null = true }".to_owned()));
        }
        if self.trues > 0 {
            kinds.push((self.trues, "true".to_owned()));
        }
        if self.falses > 0 {
            kinds.push((self.falses, "false".to_owned()));
        }
        if self.numbers_count > 0 {
            kinds.push((self.numbers_count, self.number_template()));
        }
        if self.texts > 0 {
            kinds.push((self.texts, self.text_template(name)));
        }
        if self.lists > 0 {
            let longest = self.lengths.iter().copied().fold(0.0, f64::max).min(50.0) as u64;
            let element = self.elements.as_ref().filter(|elements| elements.count > 0);
            let element = element.map_or_else(|| "{ null = true }".to_owned(), |elements| elements.template(name));
            let length = if self.lengths.iter().all(|length| *length == 0.0) { 0 } else { longest.max(1) };
            kinds.push((self.lists, format!("{{ list = {element}, length = [0, {length}] }}")));
        }
        if let Some(objects) = &self.objects {
            let properties = objects.templates();
            let fields: Vec<String> = properties.iter().map(|(key, own)| format!("{} = {own}", quoted(key))).collect();
            kinds.push((objects.count, format!("{{ object = {{ {} }} }}", fields.join(", "))));
        }
        match kinds.as_slice() {
            [] => "{ null = true }".to_owned(),
            [(_, only)] => only.clone(),
            several => one_of(several),
        }
    }

    fn number_template(&self) -> String {
        let bounds = grid::spread(&self.numbers);
        if self.whole == self.numbers_count {
            let bounds: Vec<String> = bounds.iter().map(|bound| format!("{:.0}", bound.clamp(-9e15, 9e15))).collect();
            return format!("{{ int = [{}] }}", bounds.join(", "));
        }
        let bounds: Vec<String> = bounds.iter().map(|bound| format!("{bound:.4}")).collect();
        format!("{{ decimal = [{}], places = 4 }}", bounds.join(", "))
    }

    fn text_template(&self, name: &str) -> String {
        // Each comes again often enough to be one of few.
        let is_choice = self.choices.len() <= MOST_CHOICES && self.choices.len() as u64 * 3 <= self.texts;
        if is_choice {
            let mut counts: Vec<u64> = self.choices.values().copied().collect();
            counts.sort_unstable_by(|one, other| other.cmp(one));
            let choice = |(at, count): (usize, u64)| {
                (count, quoted(&braced(&format!("{} {}", name.trim_start_matches('$'), at + 1))))
            };
            let choices: Vec<(u64, String)> = counts.into_iter().enumerate().map(choice).collect();
            return match choices.as_slice() {
                [(_, only)] => only.clone(),
                several => one_of(several),
            };
        }
        let most = self.shapes.iter().max_by_key(|(_, count)| **count).map(|(shape, _)| shape);
        match most {
            Some(Shape::Uuid) => "{ uuid = true }".to_owned(),
            Some(Shape::Email) => "{ fake = \"email\" }".to_owned(),
            None | Some(Shape::Prose) => "{ fake = \"sentence\" }".to_owned(),
            Some(shape) => match shape::pattern(shape) {
                Some(pattern) => format!("{{ pattern = {} }}", quoted(&pattern)),
                None => "{ fake = \"word\" }".to_owned(),
            },
        }
    }
}

/// Shares and not counts: how many there were is nobody's business either.
fn one_of(kinds: &[(u64, String)]) -> String {
    let all: u64 = kinds.iter().map(|(count, _)| count).sum();
    let weights: Vec<String> =
        kinds.iter().map(|(count, _)| format!("{:.3}", (*count as f64 / all as f64).max(0.001))).collect();
    let choices: Vec<&str> = kinds.iter().map(|(_, own)| own.as_str()).collect();
    format!("{{ one_of = [{}], weights = [{}] }}", choices.join(", "), weights.join(", "))
}

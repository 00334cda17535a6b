//! Properties as registers: what wins is decided by the order of events, not of arrival.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use weir_event::js;

use super::OrderKey;
use crate::properties::unset_names;

/// What one event says of its person.
#[derive(Debug, Default)]
pub struct Facts {
    once: Vec<(String, Value)>,
    /// `None` unsets.
    set: Vec<(String, Option<Value>)>,
}

impl Facts {
    pub fn of(properties: &Map<String, Value>) -> Self {
        let clean = |name: &str, value: &Value| {
            let mut value = value.clone();
            js::value_without_nul(&mut value);
            (js::without_nul(name.to_owned()), value)
        };
        let object = |key: &str| properties.get(key).and_then(Value::as_object).into_iter().flatten();
        let once = object("$set_once").map(|(name, value)| clean(name, value)).collect();
        let mut set: Vec<(String, Option<Value>)> =
            object("$set").map(|(name, value)| clean(name, value)).map(|(name, value)| (name, Some(value))).collect();
        for name in unset_names(properties) {
            let name = js::without_nul(name.to_owned());
            set.retain(|(known, _)| *known != name);
            set.push((name, None));
        }
        Self { once, set }
    }
}

#[derive(Debug, Default, Clone)]
struct Register {
    latest: Option<(OrderKey, Option<Value>)>,
    once: Option<(OrderKey, Value)>,
}

#[derive(Debug, Default, Clone)]
pub struct Registers(BTreeMap<String, Register>);

impl Registers {
    pub fn of(uses: &BTreeMap<OrderKey, Facts>) -> Self {
        let mut registers = Self::default();
        for (key, facts) in uses {
            registers.add(*key, facts);
        }
        registers
    }

    pub fn add(&mut self, key: OrderKey, facts: &Facts) {
        for (name, value) in &facts.once {
            let register = self.0.entry(name.clone()).or_default();
            if register.once.as_ref().is_none_or(|(known, _)| key < *known) {
                register.once = Some((key, value.clone()));
            }
        }
        for (name, value) in &facts.set {
            let register = self.0.entry(name.clone()).or_default();
            if register.latest.as_ref().is_none_or(|(known, _)| key > *known) {
                register.latest = Some((key, value.clone()));
            }
        }
    }

    /// The properties of a person that owns these ids' registers.
    pub fn fold<'a>(all: impl Iterator<Item = &'a Self>) -> Map<String, Value> {
        let mut together: BTreeMap<&str, Register> = BTreeMap::new();
        for (name, register) in all.flat_map(|registers| &registers.0) {
            let joined = together.entry(name).or_default();
            let later = |known: &Option<(OrderKey, Option<Value>)>, key: OrderKey| {
                known.as_ref().is_none_or(|(known, _)| key > *known)
            };
            if register.latest.as_ref().is_some_and(|(key, _)| later(&joined.latest, *key)) {
                joined.latest.clone_from(&register.latest);
            }
            if let Some((key, _)) = &register.once
                && joined.once.as_ref().is_none_or(|(known, _)| key < known)
            {
                joined.once.clone_from(&register.once);
            }
        }
        together.into_iter().filter_map(|(name, register)| Some((name.to_owned(), register.value()?))).collect()
    }
}

impl Register {
    fn value(self) -> Option<Value> {
        match (self.latest, self.once) {
            (Some((_, Some(value))), _) => Some(value),
            // An unset takes away what was there, not what a later first-time value brings.
            (Some((unset, None)), Some((once, value))) => (once > unset).then_some(value),
            (Some((_, None)), None) => None,
            (None, once) => once.map(|(_, value)| value),
        }
    }
}

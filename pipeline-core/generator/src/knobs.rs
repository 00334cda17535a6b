//! What can go wrong on the way from a client to the pipeline, and how often.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;
use weir_event::suggestion::nearest;

use crate::rate::Rate;

/// A kind of mess, for people who turn it up and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knob {
    pub mess: Mess,
    pub name: &'static str,
    /// What the rate is a share of: `event`, `session`, `request` or `block`.
    pub of: &'static str,
    pub summary: &'static str,
}

macro_rules! knobs {
    ($($(#[doc = $doc:literal])+ $field:ident $kind:ident of $of:literal;)*) => {
        /// A kind of mess.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mess {
            $($(#[doc = $doc])+ $kind,)*
        }

        /// How often each kind happens: the table `[mess]` of a scenario.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct MessRates {
            $(pub $field: Rate,)*
        }

        /// Every kind, in the order of the documentation.
        pub const KNOBS: &[Knob] = &[$(Knob {
            mess: Mess::$kind,
            name: stringify!($field),
            of: $of,
            summary: concat!($($doc),+).trim_ascii(),
        },)*];

        impl Mess {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => stringify!($field),)* }
            }
        }

        impl MessRates {
            pub const fn of(&self, mess: Mess) -> Rate {
                match mess { $(Mess::$kind => self.$field,)* }
            }

            pub const fn set(&mut self, mess: Mess, rate: Rate) {
                match mess { $(Mess::$kind => self.$field = rate,)* }
            }
        }
    };
}

knobs! {
    /// Arrives after events that happened later, by up to 200 places.
    out_of_order OutOfOrder of "event";
    /// Collected without a network and sent together, 10 minutes to `late_up_to_days` after it happened.
    late Late of "session";
    /// Sent again as it was: same uuid, same payload.
    duplicate Duplicate of "event";
    /// Sent again under a new uuid: nobody can tell it from a new event.
    copied Copied of "event";
    /// Sent again with the same uuid and another payload.
    conflicting Conflicting of "event";
    /// The whole request is sent again, as after an answer that was lost.
    retry Retry of "request";
    /// The client's clock is wrong, by up to three days; `sent_at` tells by how much.
    clock_skew ClockSkew of "session";
    /// Local time is sent as if it were UTC; nothing in the request tells.
    wrong_zone WrongZone of "session";
    /// The body is cut short, not what it says it is, or breaks a rule of the protocol.
    malformed Malformed of "request";
    /// Content that is allowed and that breaks careless code: NUL, half surrogates, huge numbers, `__proto__`.
    poison Poison of "event";
    /// A property has another type than it should have.
    wrong_type WrongType of "event";
    /// An event of more than a megabyte.
    oversize Oversize of "request";
    /// Everything of 1,000 events comes in the first tenth of its time.
    burst Burst of "block";
    /// 1,000 events begin slowly and come ever faster.
    slow_start SlowStart of "block";
    /// 1,000 events come as a day has them: few, ever more, then ever fewer.
    diurnal Diurnal of "block";
    /// A session of the one distinct id that everything else shares.
    hot_key HotKey of "session";
    /// One person turns out to be up to 40 anonymous visitors, all at once.
    merge_storm MergeStorm of "block";
    /// A chain of aliases, each of the one before.
    alias_chain AliasChain of "block";
    /// The next person uses the device without anybody having signed out.
    shared_device SharedDevice of "session";
    /// A program and no person: quick, and of a persona that is one if the scenario has any.
    bots Bots of "session";
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no kind of mess called {name:?}")]
pub struct UnknownKnob {
    pub name: String,
    pub hint: String,
}

impl UnknownKnob {
    pub const fn code(&self) -> &'static str {
        "mess_unknown"
    }
}

impl Mess {
    pub fn from_name(name: &str) -> Result<Self, UnknownKnob> {
        let names = || KNOBS.iter().map(|knob| knob.name);
        KNOBS.iter().find(|knob| knob.name == name).map(|knob| knob.mess).ok_or_else(|| UnknownKnob {
            name: name.to_owned(),
            hint: match nearest(name, names()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("possible: {}", names().collect::<Vec<_>>().join(", ")),
            },
        })
    }
}

impl MessRates {
    /// By name, all of them.
    pub fn by_name(&self) -> BTreeMap<String, f64> {
        KNOBS.iter().map(|knob| (knob.name.to_owned(), self.of(knob.mess).share())).collect()
    }
}

/// What was done to one event or request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessSet {
    bits: u32,
}

impl MessSet {
    pub const NONE: Self = Self { bits: 0 };

    pub const fn of(mess: Mess) -> Self {
        Self { bits: 1 << mess as u32 }
    }

    #[must_use]
    pub const fn with(self, mess: Mess) -> Self {
        Self { bits: self.bits | Self::of(mess).bits }
    }

    pub const fn has(self, mess: Mess) -> bool {
        self.bits & Self::of(mess).bits != 0
    }

    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Mess> {
        KNOBS.iter().map(|knob| knob.mess).filter(move |mess| self.has(*mess))
    }
}

impl fmt::Display for MessSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(Mess::as_str).collect::<Vec<_>>().join("+"))
    }
}

/// As a list of names.
impl Serialize for MessSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Mess::as_str))
    }
}

impl<'de> Deserialize<'de> for MessSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names
            .iter()
            .try_fold(Self::NONE, |set, name| Mess::from_name(name).map(|mess| set.with(mess)))
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_fits_into_a_set_and_is_found_by_its_name() {
        assert!(KNOBS.len() <= 32);
        let all = KNOBS.iter().fold(MessSet::NONE, |set, knob| set.with(knob.mess));
        assert_eq!(all.iter().count(), KNOBS.len());
        let text = serde_json::to_string(&all).expect("JSON");
        assert_eq!(serde_json::from_str::<MessSet>(&text).expect("a set"), all);
        assert_eq!(Mess::from_name("dupliacte").expect_err("unknown").hint, "did you mean duplicate?");
    }
}

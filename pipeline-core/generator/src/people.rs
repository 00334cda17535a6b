//! Who comes. A newcomer is drawn with the block that is made; a regular follows from the seed and a number, and
//! is the same in every block.

use std::collections::HashMap;
use std::fmt;

use rand::RngExt as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Builder;

use crate::faker::{Faker, Locale};
use crate::random::{Domain, Random, between, random, scrambled};
use crate::scenario::{GroupType, Scenario};
use crate::template::{Cast, Scene};
use crate::truth::PersonId;

#[derive(Debug, Clone)]
pub struct Person {
    pub id: PersonId,
    /// What ids are made of; no two people of a stream share it.
    pub key: String,
    /// Once the person has signed in.
    pub user_id: String,
    pub device_id: String,
    pub name: String,
    pub email: String,
    pub company: String,
    pub job_title: String,
    pub phone: String,
    pub locale: Locale,
    pub place: usize,
    pub device: usize,
    /// The last part of the address.
    pub host: u64,
    /// Which group of each type.
    pub groups: Vec<u64>,
}

/// A group with its properties.
#[derive(Debug, Clone)]
pub struct Group {
    pub key: String,
    /// Key with its colon, and JSON.
    pub properties: Vec<(String, String)>,
}

const REGULAR: u64 = 1 << 63;

impl PersonId {
    pub(crate) const fn newcomer(block: u64, number: u64) -> Self {
        Self::of(block << 16 | number)
    }

    pub(crate) const fn regular(persona: u64, number: u64) -> Self {
        Self::of(REGULAR | persona << 40 | number)
    }
}

impl Person {
    pub fn newcomer(scenario: &Scenario, seed: u64, id: PersonId, random: &mut Random) -> Self {
        Self::drawn(scenario, seed, id, random)
    }

    pub fn regular(scenario: &Scenario, seed: u64, id: PersonId) -> Self {
        Self::drawn(scenario, seed, id, &mut random(seed, Domain::Regular, id.number()))
    }

    fn drawn(scenario: &Scenario, seed: u64, id: PersonId, random: &mut Random) -> Self {
        let place = scenario.places.weights.pick(random);
        let locale = scenario.locales[place];
        let key = format!("{:016x}", scrambled(id.number() ^ scrambled(seed)));
        let mut fake = |faker: Faker| faker.draw(locale, random);
        Self {
            id,
            user_id: format!("{}{key}", scenario.user_prefix),
            name: fake(Faker::Name),
            email: fake(Faker::Email),
            company: fake(Faker::Company),
            job_title: fake(Faker::JobTitle),
            phone: fake(Faker::Phone),
            key,
            locale,
            place,
            device: scenario.devices.weights.pick(random),
            device_id: device_id(random),
            host: between(random, 1, 254),
            groups: scenario.groups.iter().map(|group| between(random, 0, group.count - 1)).collect(),
        }
    }
}

/// As browsers' clients make them.
pub fn device_id(random: &mut Random) -> String {
    Builder::from_random_bytes(random.random()).into_uuid().to_string()
}

/// Groups that were made already; they follow from the seed and a number, too.
#[derive(Debug, Default)]
pub struct Groups {
    known: HashMap<(usize, u64), Group>,
}

impl Groups {
    /// Those of a person, one of each type.
    pub fn of(&mut self, scenario: &Scenario, seed: u64, person: &Person) -> Vec<Group> {
        let types = scenario.groups.iter().enumerate();
        types
            .map(|(at, kind)| {
                let number = person.groups[at];
                self.known.entry((at, number)).or_insert_with(|| made(scenario, seed, at, kind, number)).clone()
            })
            .collect()
    }
}

fn made(scenario: &Scenario, seed: u64, at: usize, kind: &GroupType, number: u64) -> Group {
    let mut random = random(seed, Domain::Group, (at as u64) << 32 | number);
    // Whose language it speaks.
    let founder = Person::drawn(scenario, seed, PersonId::of(number), &mut random);
    let mut cast = Cast {
        person: &founder,
        device_id: "",
        session_id: String::new(),
        is_bot: false,
        at_hand: Vec::new(),
        kept: Vec::new(),
        per_session: Vec::new(),
        events: 0,
    };
    let mut scene = Scene {
        places: &scenario.places,
        devices: &scenario.devices,
        catalogues: &[],
        groups: &[],
        per_event: &[],
        cast: &mut cast,
        event_values: Vec::new(),
    };
    let mut write = |property: &crate::template::Property| {
        let mut json = String::new();
        if !scene.write(&property.template, &mut random, &mut json) {
            json.push_str("null");
        }
        (property.key.clone(), json)
    };
    let properties = kind.properties.iter().map(&mut write).collect();
    let key = format!("{}_{:08x}", kind.name, scrambled(number ^ scrambled(seed ^ at as u64)) >> 32);
    Group { key, properties }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{:x}", self.number())
    }
}

/// As text: JavaScript has no numbers of 64 bits.
impl Serialize for PersonId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PersonId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_prefix('p').and_then(|digits| u64::from_str_radix(digits, 16).ok());
        number.map(Self::of).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no person's id")))
    }
}

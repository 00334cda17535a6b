//! How often something happens: a share from 0 to 1, kept in parts per million.

use std::fmt;

use rand::RngExt as _;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use crate::random::Random;

const MILLION: u32 = 1_000_000;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    per_million: u32,
}

impl Rate {
    pub const NEVER: Self = Self { per_million: 0 };

    /// `None` outside of 0 to 1.
    pub fn new(share: f64) -> Option<Self> {
        let fits = (0.0..=1.0).contains(&share);
        fits.then(|| Self { per_million: (share * f64::from(MILLION)).round() as u32 })
    }

    pub fn share(self) -> f64 {
        f64::from(self.per_million) / f64::from(MILLION)
    }

    /// Draws, but not for what never happens: a rate of 0 leaves the stream as it would be without the rate.
    pub fn happens(self, random: &mut Random) -> bool {
        self.per_million > 0 && random.random_range(0..MILLION) < self.per_million
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.share())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        Self::new(share).ok_or_else(|| D::Error::custom(format!("{share} is no share: write a number from 0 to 1")))
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.share())
    }
}

//! Chance: one generator for each thing that is drawn, keyed by what it is and not by what was drawn before.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub type Random = ChaCha8Rng;

/// What is drawn. Each has a key of its own, so that nothing shares its numbers with anything else.
#[derive(Debug, Clone, Copy)]
pub enum Domain {
    Block,
    Regular,
    Group,
}

/// The generator of the `index`-th thing of a domain.
pub fn random(seed: u64, domain: Domain, index: u64) -> Random {
    // Odd constants; ChaCha makes unrelated streams of any two keys.
    let key = match domain {
        Domain::Block => 0x9e37_79b9_7f4a_7c15,
        Domain::Regular => 0xbf58_476d_1ce4_e5b9,
        Domain::Group => 0x94d0_49bb_1331_11eb,
    };
    let mut random = Random::seed_from_u64(seed ^ key);
    random.set_stream(index);
    random
}

/// A number from `low` to `high`, both included.
pub fn between(random: &mut Random, low: u64, high: u64) -> u64 {
    if low >= high { low } else { random.random_range(low..=high) }
}

/// Takes numbers to numbers, one to one, so that ids look drawn and never meet.
pub const fn scrambled(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Choices with weights.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    cumulative: Vec<u64>,
}

impl Weights {
    /// Weights of files have fractions; a thousandth is the least that counts.
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut total = 0;
        let add = |weight: f64| {
            total += (weight * 1_000.0).round() as u64;
            total
        };
        Self { cumulative: weights.into_iter().map(add).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.cumulative.last().is_none_or(|total| *total == 0)
    }

    /// The place of one of them; of none, the first.
    pub fn pick(&self, random: &mut Random) -> usize {
        let total = self.cumulative.last().copied().unwrap_or_default();
        if total == 0 {
            return 0;
        }
        let drawn = random.random_range(0..total);
        self.cumulative.partition_point(|upto| *upto <= drawn)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn weights_are_kept() {
        let weights = Weights::new([1.0, 0.0, 3.0]);
        let mut random = random(1, Domain::Block, 0);
        let mut counts = [0; 3];
        (0..4_000).for_each(|_| counts[weights.pick(&mut random)] += 1);
        assert_eq!(counts[1], 0);
        assert!((2_800..3_200).contains(&counts[2]), "{counts:?}");
        assert!(Weights::new([0.0]).is_empty() && Weights::default().is_empty());
    }

    #[test]
    fn things_do_not_share_their_numbers() {
        let first = |seed, domain, index| random(seed, domain, index).random::<u64>();
        let drawn = [
            first(1, Domain::Block, 0),
            first(1, Domain::Block, 1),
            first(2, Domain::Block, 0),
            first(1, Domain::Regular, 0),
            first(1, Domain::Group, 0),
        ];
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
        assert_eq!(first(1, Domain::Block, 7), first(1, Domain::Block, 7));
        assert_eq!((0..1_000).map(scrambled).collect::<HashSet<_>>().len(), 1_000);
    }
}

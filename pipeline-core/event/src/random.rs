//! Randomness as a dependency, so that a test can repeat it. Not for secrets.

/// A source of numbers.
pub trait Random: Send + std::fmt::Debug {
    /// Uniform in [0, 1).
    fn next_unit(&mut self) -> f64;
}

/// splitmix64: a seed names a sequence.
#[derive(Debug, Clone)]
pub struct SeededRandom(u64);

impl SeededRandom {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed that no other start has.
    pub fn drawn() -> Self {
        Self(uuid::Uuid::new_v4().as_u64_pair().0)
    }
}

impl Random for SeededRandom {
    fn next_unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}

//! The random numbers plugins get: splitmix64, so that a seed names a run. Not for secrets.

#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, plugin: &str, instance: u64) -> Self {
        let name = blake3::hash(plugin.as_bytes());
        let mut word = [0; 8];
        word.copy_from_slice(&name.as_bytes()[..8]);
        Self(seed ^ u64::from_le_bytes(word) ^ instance.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// Uniform in [0, 1).
    pub fn next_unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend(self.next_u64().to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

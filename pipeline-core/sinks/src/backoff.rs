//! How long to wait before a delivery is tried again.

use std::time::Duration;

use weir_event::Random;

const FIRST: Duration = Duration::from_millis(250);
const CAP: Duration = Duration::from_mins(1);

/// Doubles up to a cap, and takes off up to half at random, so that many sinks of one destination do
/// not come back together.
#[derive(Debug)]
pub struct Backoff {
    random: Box<dyn Random>,
}

impl Backoff {
    pub fn new(random: Box<dyn Random>) -> Self {
        Self { random }
    }

    /// After the `attempt`-th delivery that did not work, counted from 1.
    pub fn pause(&mut self, attempt: u32) -> Duration {
        let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(CAP);
        doubled.mul_f64(1.0 - self.random.next_unit() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use weir_event::SeededRandom;

    use super::*;

    #[test]
    fn it_doubles_up_to_the_cap_and_never_beyond() {
        let mut backoff = Backoff::new(Box::new(SeededRandom::new(1)));
        let pauses: Vec<Duration> = (1..40).map(|attempt| backoff.pause(attempt)).collect();
        assert!(pauses[0] <= FIRST && pauses[0] >= FIRST / 2);
        assert!(pauses[3] <= FIRST * 8 && pauses[3] >= FIRST * 4);
        assert!(pauses.iter().all(|pause| *pause <= CAP));
        assert!(pauses[20..].iter().all(|pause| *pause >= CAP / 2));
        assert!(pauses[20..].windows(2).any(|pair| pair[0] != pair[1]), "there is a jitter");
    }
}

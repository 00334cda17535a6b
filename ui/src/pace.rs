//! The demo's rate on a logarithmic slider: 1 to 20,000 events a second over [`STEPS`] positions.

pub const SLOWEST: u32 = 1;
pub const FASTEST: u32 = 20_000;
pub const STEPS: u32 = 200;

/// The rate at a slider position, rounded to two significant digits so that it reads as chosen.
pub fn rate_at(position: u32) -> u32 {
    let share = f64::from(position.min(STEPS)) / f64::from(STEPS);
    let exact = f64::from(FASTEST).powf(share);
    let unit = 10_f64.powf((exact.log10().floor() - 1.0).max(0.0));
    clamp(((exact / unit).round() * unit) as u32)
}

/// The slider position nearest to a rate.
pub fn position_of(rate: u32) -> u32 {
    let share = f64::from(clamp(rate)).ln() / f64::from(FASTEST).ln();
    (share * f64::from(STEPS)).round() as u32
}

pub fn clamp(rate: u32) -> u32 {
    rate.clamp(SLOWEST, FASTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exact() {
        assert_eq!((rate_at(0), rate_at(STEPS)), (SLOWEST, FASTEST));
        assert_eq!((position_of(SLOWEST), position_of(FASTEST)), (0, STEPS));
    }

    #[test]
    fn never_falls_and_returns_to_its_position() {
        for position in 1..=STEPS {
            assert!(rate_at(position) >= rate_at(position - 1), "falls at {position}");
        }
        for rate in [10, 100, 500, 1_000, 5_000, 20_000] {
            let back = rate_at(position_of(rate));
            assert!(back.abs_diff(rate) * 100 <= rate * 5, "{rate} came back as {back}");
        }
    }

    #[test]
    fn out_of_range_is_clamped() {
        assert_eq!((clamp(0), clamp(1_000_000)), (SLOWEST, FASTEST));
        assert_eq!(rate_at(STEPS + 50), FASTEST);
    }
}

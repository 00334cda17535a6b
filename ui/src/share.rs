//! A share on a slider: 0 to 1 over [`STEPS`] positions, finer where shares are small.

pub const STEPS: u32 = 100;

/// The share at a slider position, rounded so that it reads as chosen.
pub fn share_at(position: u32) -> f64 {
    let part = f64::from(position.min(STEPS)) / f64::from(STEPS);
    let share = part * part * part;
    let unit = if share < 0.01 { 10_000.0 } else { 1_000.0 };
    (share * unit).round() / unit
}

/// The slider position nearest to a share.
pub fn position_of(share: f64) -> u32 {
    (share.clamp(0.0, 1.0).cbrt() * f64::from(STEPS)).round() as u32
}

/// `4 %`, `0.2 %`.
pub fn percent(share: f64) -> String {
    let percent = (share * 10_000.0).round() / 100.0;
    format!("{percent} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exact_and_shares_never_fall() {
        assert_eq!((share_at(0), share_at(STEPS), share_at(STEPS + 1)), (0.0, 1.0, 1.0));
        for position in 1..=STEPS {
            assert!(share_at(position) >= share_at(position - 1), "{position}");
        }
        for share in [0.0, 0.002, 0.01, 0.04, 0.25, 1.0] {
            let back = share_at(position_of(share));
            assert!((back - share).abs() <= share * 0.15 + 0.0005, "{share} came back as {back}");
        }
    }

    #[test]
    fn percents_have_no_needless_digits() {
        assert_eq!([0.04, 0.002, 1.0, 0.0].map(percent), ["4 %", "0.2 %", "100 %", "0 %"]);
    }
}

//! Numbers of a fixed grid, so that no number of the data is told but only between which points it lies.

const STEPS: [f64; 6] = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0];

/// The nearest points below and above.
pub fn around(number: f64) -> (f64, f64) {
    if number == 0.0 || !number.is_finite() {
        return (0.0, 0.0);
    }
    let size = number.abs();
    let mut unit = 1e-6;
    while unit * 10.0 <= size && unit < 1e15 {
        unit *= 10.0;
    }
    let points = || STEPS.iter().map(|step| step * unit).chain([unit * 10.0]);
    let below = points().filter(|point| *point <= size).fold(0.0, f64::max);
    let above = points().filter(|point| *point >= size).fold(f64::INFINITY, f64::min).min(9e15);
    // A point of the grid itself would tell the number.
    let (below, above) = if (above - below).abs() < f64::EPSILON { (below * 0.5, above * 1.5) } else { (below, above) };
    if number < 0.0 { (-above, -below) } else { (below, above) }
}

/// Bounds between which lie, from one to the next, about equally many of the numbers.
pub fn spread(numbers: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { return vec![0.0, 1.0] };
    let mut bounds = vec![around(*least).0];
    for quarter in [1, 2, 3] {
        bounds.push(around(sorted[sorted.len() * quarter / 4]).0);
    }
    bounds.push(around(*most).1);
    bounds.sort_by(f64::total_cmp);
    bounds
}

/// A count, roughly: one significant digit.
pub fn roughly(count: u64) -> u64 {
    let unit = 10_u64.pow(count.max(1).ilog10());
    (count / unit * unit).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_between_points_and_are_none() {
        for number in [4_242.0, 0.37, -18.25, 5_000.0, 1.0, 123_456_789.0] {
            let (below, above) = around(number);
            assert!(below < number && number < above, "{number}: {below} {above}");
        }
        let bounds = spread(&[3.0, 14.0, 15.0, 92.0, 65_358.0]);
        assert!(bounds.is_sorted() && bounds.len() == 5, "{bounds:?}");
        assert_eq!((roughly(0), roughly(7), roughly(4_321)), (1, 7, 4_000));
    }
}

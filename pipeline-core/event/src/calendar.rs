//! The Gregorian calendar in both directions without end. The calendar library's ends before `Date` does.

pub const DAY_MS: i64 = 86_400_000;

/// Days from the epoch to the first of a month.
pub fn days_before(year: i64, month: i64) -> i64 {
    // Years that begin in March have their odd day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 - 719_468
}

/// Days from the epoch to a date, if there is such a date.
pub fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    let first = days_before(year, (1..=12).contains(&month).then_some(month)?);
    let next = if month == 12 { days_before(year + 1, 1) } else { days_before(year, month + 1) };
    (1..=next - first).contains(&day).then_some(first + day - 1)
}

/// The same for a day of the year.
pub fn day_of_year(year: i64, day: i64) -> Option<i64> {
    let first = days_before(year, 1);
    (1..=days_before(year + 1, 1) - first).contains(&day).then_some(first + day - 1)
}

/// The same for a week of ISO 8601 and a day of it, from 1 for Monday.
pub fn day_of_week(year: i64, week: i64, day: i64) -> Option<i64> {
    let monday = |year| {
        // The fourth of January is in the first week, and the epoch was a Thursday.
        let fourth = days_before(year, 1) + 3;
        fourth - (fourth + 3).rem_euclid(7)
    };
    let first = monday(year);
    let exists = (1..=(monday(year + 1) - first) / 7).contains(&week) && (1..=7).contains(&day);
    exists.then_some(first + (week - 1) * 7 + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_where_the_calendar_says() {
        assert_eq!(days_before(1970, 1), 0);
        assert_eq!(days_before(2000, 3), 11_017);
        assert_eq!(days_before(2024, 3) - days_before(2024, 2), 29);
        assert_eq!(days_before(1900, 3) - days_before(1900, 2), 28);
        assert_eq!(days_before(0, 1), -719_528);
        assert_eq!(day(-271_821, 4, 20), Some(-100_000_000), "the first day of Date");
    }

    #[test]
    fn what_is_on_no_calendar_is_refused() {
        assert_eq!(day(2023, 2, 29), None);
        assert_eq!(day(2023, 13, 1), None);
        assert_eq!(day_of_year(2023, 366), None);
        assert_eq!(day_of_year(2024, 366), day(2024, 12, 31));
        assert_eq!(day_of_week(2023, 53, 1), None);
        assert_eq!(day_of_week(2020, 53, 5), day(2021, 1, 1));
        assert_eq!(day_of_week(2023, 1, 8), None);
    }
}

//! When a reminder is due (D10): on the first morning on or after the date of a step that was not told yet.

use chrono::NaiveDate;

use super::calendar::{add_days, sub_days};

/// The days on which the steps before an end are due, `days` before it, rising.
#[must_use]
pub fn before(end: NaiveDate, days: &[u32]) -> Vec<NaiveDate> {
    let mut steps: Vec<NaiveDate> = days.iter().map(|days| sub_days(end, *days)).collect();
    steps.sort_unstable();
    steps
}

/// The days on which the steps after a date are due, `days` after it, rising.
#[must_use]
pub fn after(date: NaiveDate, days: &[u32]) -> Vec<NaiveDate> {
    let mut steps: Vec<NaiveDate> = days.iter().map(|days| add_days(date, *days)).collect();
    steps.sort_unstable();
    steps
}

/// Of steps in rising order: the most urgent that is due on `morning`, for which the ones before it count as told; and
/// the next one to come.
#[must_use]
pub fn due(steps: &[NaiveDate], morning: NaiveDate) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let reached = steps.partition_point(|step| *step <= morning);
    let (past, to_come) = steps.split_at(reached);
    (past.last().copied(), to_come.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn d10_the_most_urgent_step_that_is_due_or_overdue_is_told_and_the_others_count_as_told() {
        let steps = before(day("2025-01-30"), &[60, 30, 14, 7, 1, 0]);
        assert_eq!((steps[0], steps[5]), (day("2024-12-01"), day("2025-01-30")));
        assert_eq!(due(&steps, day("2024-11-30")), (None, Some(day("2024-12-01"))));
        assert_eq!(due(&steps, day("2024-12-01")), (Some(day("2024-12-01")), Some(day("2024-12-31"))));
        assert_eq!(due(&steps, day("2025-01-25")), (Some(day("2025-01-23")), Some(day("2025-01-29"))));
        assert_eq!(due(&steps, day("2025-01-30")), (Some(day("2025-01-30")), None));
        let grace = after(day("2025-01-31"), &[7, 23, 29]);
        assert_eq!(due(&grace, day("2025-02-08")), (Some(day("2025-02-07")), Some(day("2025-02-23"))));
        assert_eq!(due(&[], day("2025-02-08")), (None, None));
    }
}

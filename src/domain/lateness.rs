//! How late the nights are: silence is an alarm, and a late night is a figure.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::{calendar::add_days, timetable::Timetable};

/// Hours after its due time at which a night that is not complete is overdue.
pub const OVERDUE_AFTER_HOURS: i64 = 6;

/// Where the nights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// The first business date that is over and not complete.
    pub first_missing: Option<NaiveDate>,
    /// How many are.
    pub missing: i64,
    /// When the first of them was, or is, due.
    pub due_at: Option<DateTime<Utc>>,
    /// It is not complete hours after it was due.
    pub overdue: bool,
}

/// Where the nights are at `now`, by the timetable they share.
///
/// On a store without a complete night the first one owed is that of the day its first file arrived; without a file
/// none is.
#[must_use]
pub fn of(
    timetable: &Timetable,
    now: DateTime<Utc>,
    last_complete: Option<NaiveDate>,
    first_file_on: Option<NaiveDate>,
) -> Lateness {
    let today = now.date_naive();
    let owed = last_complete.map(|last| add_days(last, 1)).or(first_file_on);
    let Some(first) = owed.filter(|first| *first < today) else {
        return Lateness { first_missing: None, missing: 0, due_at: None, overdue: false };
    };
    let due_at = due_at(timetable, first);
    let tolerance = TimeDelta::hours(OVERDUE_AFTER_HOURS);
    let deadline = due_at.and_then(|due| due.checked_add_signed(tolerance));
    Lateness {
        first_missing: Some(first),
        missing: today.signed_duration_since(first).num_days(),
        due_at,
        overdue: deadline.is_some_and(|deadline| now > deadline),
    }
}

/// When the night of a business date is due: the first time on the timetable once the day is over.
#[must_use]
pub fn due_at(timetable: &Timetable, day: NaiveDate) -> Option<DateTime<Utc>> {
    let over = add_days(day, 1).and_time(NaiveTime::MIN).and_utc();
    timetable.next_after(over.checked_sub_signed(TimeDelta::nanoseconds(1))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: &str, last: Option<&str>, file: Option<&str>) -> Lateness {
        let day = |text: &str| text.parse().unwrap();
        let timetable = Timetable::parse("30 2 * * *").unwrap();
        of(&timetable, now.parse().unwrap(), last.map(day), file.map(day))
    }

    #[test]
    fn a_night_is_overdue_six_hours_after_it_was_due_and_not_before() {
        let due = at("2024-03-01T08:30:00Z", Some("2024-02-28"), None);
        assert_eq!(due.first_missing.unwrap().to_string(), "2024-02-29");
        assert_eq!(due.due_at.unwrap().to_rfc3339(), "2024-03-01T02:30:00+00:00");
        assert!(!due.overdue);
        assert!(at("2024-03-01T08:30:01Z", Some("2024-02-28"), None).overdue);
        assert!(
            !at("2024-03-01T23:59:59Z", Some("2024-02-29"), None).overdue,
            "the last full day is complete"
        );
    }

    #[test]
    fn an_older_night_that_is_missing_is_overdue_whatever_the_hour() {
        let late = at("2024-03-01T00:10:00Z", Some("2024-02-25"), Some("2024-01-01"));
        assert_eq!((late.missing, late.overdue), (4, true));
    }

    #[test]
    fn a_store_where_nothing_ever_ran_is_late_once_files_are_in() {
        assert!(!at("2024-03-01T12:00:00Z", None, None).overdue);
        assert!(!at("2024-03-01T12:00:00Z", None, Some("2024-03-01")).overdue);
        assert!(at("2024-03-01T12:00:00Z", None, Some("2024-02-29")).overdue);
    }

    #[test]
    fn midnight_itself_is_a_due_time_of_the_day_before() {
        let midnight = Timetable::parse("0 0 * * *").unwrap();
        let due = due_at(&midnight, "2024-02-29".parse().unwrap()).unwrap();
        assert_eq!(due.to_rfc3339(), "2024-03-01T00:00:00+00:00");
    }
}

//! When a job is due: cron expressions in UTC, checked so that they mean what they seem to say.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use cron::Schedule;
use serde::{Deserialize, Serialize};

/// A cron expression that has at least one due time.
///
/// Five fields (minute, hour, day of month, month, day of week), or six with seconds first. Weekdays are
/// names (`MON-FRI`): their digits mean different days to different programs. For the same reason a day of
/// the month and a day of the week are not restricted together.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timetable {
    text: String,
    schedule: Schedule,
}

impl Timetable {
    /// Reads an expression; the error is a sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let six = match fields.len() {
            5 => format!("0 {}", fields.join(" ")),
            6 => fields.join(" "),
            found => {
                return Err(format!(
                    "'{text}' has {found} fields: write five (minute hour day month weekday) \
                     or six (seconds first), for example \"30 2 * * *\""
                ));
            }
        };
        let from_end = |at: usize| fields.iter().rev().nth(at).copied().unwrap_or_default();
        let (weekday, day) = (from_end(0), from_end(2));
        if weekday.bytes().any(|b| b.is_ascii_digit()) {
            return Err(format!(
                "the weekday '{weekday}' of '{text}' holds digits, and programs disagree about which day they \
                 mean: write names, for example MON-FRI"
            ));
        }
        let is_any = |field: &str| matches!(field, "*" | "?");
        if !is_any(day) && !is_any(weekday) {
            return Err(format!(
                "'{text}' restricts both the day of the month and the weekday, and programs disagree whether \
                 one or both must hold: write * for one of them"
            ));
        }
        let schedule = Schedule::from_str(&six).map_err(|error| {
            format!("'{text}' is not a cron expression ({error}): write for example \"30 2 * * *\"")
        })?;
        if schedule.after(&DateTime::UNIX_EPOCH).next().is_none() {
            return Err(format!("'{text}' is never due: no month it names has that day"));
        }
        Ok(Self { text: text.to_owned(), schedule })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.text
    }

    /// The first due time after `instant`, itself not included; `None` past the year 2100.
    #[must_use]
    pub fn next_after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedule.after(&instant).next()
    }

    /// The last due time up to `instant`, itself included; `None` before the year 1970.
    #[must_use]
    pub fn last_until(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next_second = DateTime::from_timestamp(instant.timestamp().checked_add(1)?, 0)?;
        self.schedule.after(&next_second).next_back()
    }
}

impl PartialEq for Timetable {
    fn eq(&self, other: &Self) -> bool {
        self.schedule.timeunitspec_eq(&other.schedule)
    }
}

impl Eq for Timetable {}

impl fmt::Display for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Timetable {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Timetable> for String {
    fn from(timetable: Timetable) -> Self {
        timetable.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, after: &str) -> String {
        let after = after.parse::<DateTime<Utc>>().unwrap();
        Timetable::parse(expression).unwrap().next_after(after).unwrap().to_rfc3339()
    }

    #[test]
    fn five_fields_mean_the_same_as_six_with_second_zero() {
        assert_eq!(Timetable::parse("30 2 * * *"), Timetable::parse("0 30 2 * * *"));
        assert_eq!(next("30 2 * * *", "2024-01-31T02:30:00Z"), "2024-02-01T02:30:00+00:00");
        assert_eq!(next("15 30 2 * * *", "2024-01-31T02:30:00Z"), "2024-01-31T02:30:15+00:00");
    }

    #[test]
    fn the_last_due_time_is_the_one_that_stands_at_an_instant() {
        let last = |expression: &str, until: &str| {
            let until = until.parse::<DateTime<Utc>>().unwrap();
            Timetable::parse(expression).unwrap().last_until(until).unwrap().to_rfc3339()
        };
        assert_eq!(last("30 2 * * *", "2024-02-01T02:29:59.9Z"), "2024-01-31T02:30:00+00:00");
        assert_eq!(last("30 2 * * *", "2024-02-01T02:30:00Z"), "2024-02-01T02:30:00+00:00");
        assert_eq!(last("30 2 * * *", "2024-02-01T02:30:00.1Z"), "2024-02-01T02:30:00+00:00");
        assert_eq!(last("0 0 29 2 *", "2024-02-01T02:30:00Z"), "2020-02-29T00:00:00+00:00");
    }

    #[test]
    fn weekdays_are_names_and_a_name_is_that_day() {
        // 2024-02-02 is a Friday.
        assert_eq!(next("0 6 * * MON-FRI", "2024-02-02T07:00:00Z"), "2024-02-05T06:00:00+00:00");
        assert_eq!(next("0 6 ? * sun", "2024-02-02T07:00:00Z"), "2024-02-04T06:00:00+00:00");
        for digits in ["0 6 * * 1", "0 6 * * 1-5", "0 0 6 * * */2", "0 6 * * MON,3"] {
            assert!(Timetable::parse(digits).unwrap_err().contains("write names"), "{digits}");
        }
    }

    #[test]
    fn an_expression_that_is_never_due_is_refused() {
        for never in ["0 0 30 2 *", "0 0 0 31 FEB,APR,JUN,SEP,NOV *"] {
            assert!(Timetable::parse(never).unwrap_err().contains("never due"), "{never}");
        }
        assert_eq!(next("0 0 29 2 *", "2024-03-01T00:00:00Z"), "2028-02-29T00:00:00+00:00");
    }

    #[test]
    fn what_programs_read_differently_is_refused_with_what_to_write() {
        assert!(Timetable::parse("0 6 13 * FRI").unwrap_err().contains("write * for one of them"));
        for (bad, says) in [
            ("", "0 fields"),
            ("* * * *", "4 fields"),
            ("0 30 2 * * * 2024", "7 fields"),
            ("61 2 * * *", "not a cron expression"),
            ("a b * * *", "not a cron expression"),
        ] {
            assert!(Timetable::parse(bad).unwrap_err().contains(says), "{bad}");
        }
    }
}

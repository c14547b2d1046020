//! Dates: months counted from an anchor, credit periods, inclusive windows (D1, D2).

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// How an entitlement's time is cut into credit periods (policy, D2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodScheme {
    /// Period n starts n months after the entitlement's start.
    #[default]
    Anniversary,
    /// Period 0 runs from the start to the month's end; the others are calendar months.
    Calendar,
}

impl PeriodScheme {
    /// The name in policies and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anniversary => "anniversary",
            Self::Calendar => "calendar",
        }
    }

    /// The scheme of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Anniversary, Self::Calendar].into_iter().find(|scheme| scheme.name() == name)
    }
}

/// A half-open span of days: `from` is in it, `until` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub from: NaiveDate,
    /// First day after.
    pub until: NaiveDate,
}

impl Period {
    /// Whether `day` lies in the period.
    #[must_use]
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from <= day && day < self.until
    }
}

/// `day` plus `days`, clamped to the calendar's last day.
#[must_use]
pub fn add_days(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MAX)
}

/// `day` minus `days`, clamped to the calendar's first day.
#[must_use]
pub fn sub_days(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MIN)
}

/// Whole days from `from` to `to`; negative when `to` is earlier.
#[must_use]
pub fn days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    to.signed_duration_since(from).num_days()
}

/// `anchor` plus n months, clamped to the month's last day (D2: always from the anchor, never stepped).
#[must_use]
pub fn add_months(anchor: NaiveDate, months: u32) -> NaiveDate {
    anchor.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX)
}

/// Credit period `number` of an entitlement that starts on `anchor` (D2).
#[must_use]
pub fn period(scheme: PeriodScheme, anchor: NaiveDate, number: u32) -> Period {
    Period {
        from: period_start(scheme, anchor, number),
        until: period_start(scheme, anchor, number.saturating_add(1)),
    }
}

/// First day of credit period `number` (D2).
#[must_use]
pub fn period_start(scheme: PeriodScheme, anchor: NaiveDate, number: u32) -> NaiveDate {
    match scheme {
        PeriodScheme::Anniversary => add_months(anchor, number),
        PeriodScheme::Calendar if number == 0 => anchor,
        PeriodScheme::Calendar => add_months(anchor.with_day(1).unwrap_or(anchor), number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn d2_a_period_is_counted_from_the_anchor_and_clamped() {
        let starts: Vec<_> = (0..5)
            .map(|n| period_start(PeriodScheme::Anniversary, day("2024-01-31"), n).to_string())
            .collect();
        assert_eq!(starts, ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]);
        assert_eq!(period_start(PeriodScheme::Anniversary, day("2023-01-31"), 1), day("2023-02-28"));
        assert_eq!(add_months(day("2024-02-29"), 12), day("2025-02-28"));
        assert_eq!(add_months(day("2024-02-29"), 48), day("2028-02-29"));
    }

    #[test]
    fn d2_calendar_periods_run_to_the_months_end_first() {
        let p = |n| period(PeriodScheme::Calendar, day("2024-01-15"), n);
        assert_eq!(p(0), Period { from: day("2024-01-15"), until: day("2024-02-01") });
        assert_eq!(p(1), Period { from: day("2024-02-01"), until: day("2024-03-01") });
        assert_eq!(p(12), Period { from: day("2025-01-01"), until: day("2025-02-01") });
    }

    proptest::proptest! {
        #[test]
        fn d2_periods_touch_without_gap_or_overlap(offset in 0u32..20_000, n in 0u32..60, calendar: bool) {
            let anchor = add_days(day("2000-01-01"), offset);
            let scheme = if calendar { PeriodScheme::Calendar } else { PeriodScheme::Anniversary };
            let (a, b) = (period(scheme, anchor, n), period(scheme, anchor, n + 1));
            assert!(a.from < a.until);
            assert_eq!(a.until, b.from);
            assert!(!a.contains(a.until) && a.contains(a.from));
        }
    }
}

//! A membership's year: anniversary, grace, expiry and renewal (D5).

use chrono::NaiveDate;

use super::{
    calendar::{add_days, add_months, sub_days},
    reason::Reason,
};

/// Days of a membership year; `grace_days` is policy (30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Year {
    /// The membership's start: the earliest start of its rows, or what a renewal fixed.
    pub starts_on: NaiveDate,
    /// AD.
    pub anniversary_on: NaiveDate,
    /// Days after AD through which benefits keep working.
    pub grace_days: u32,
}

/// The state on a day of a membership that was not ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Before its start.
    Pending,
    /// From the start to AD − 1.
    Active,
    /// AD … AD + 30.
    InGrace,
    /// From AD + 31 on; the day is the last usable one.
    Expired {
        /// AD + 30.
        ended_on: NaiveDate,
    },
}

impl Year {
    /// The year that starts on a day: AD is twelve months later, clamped (D5).
    #[must_use]
    pub fn starting(starts_on: NaiveDate, grace_days: u32) -> Self {
        Self { starts_on, anniversary_on: add_months(starts_on, 12), grace_days }
    }

    /// The last day before grace, AD − 1.
    #[must_use]
    pub fn last_day_on(&self) -> NaiveDate {
        sub_days(self.anniversary_on, 1)
    }

    /// The last day of grace, AD + 30.
    #[must_use]
    pub fn grace_ends_on(&self) -> NaiveDate {
        add_days(self.anniversary_on, self.grace_days)
    }

    /// Where it stands on `today`.
    #[must_use]
    pub fn standing(&self, today: NaiveDate) -> Standing {
        if today < self.starts_on {
            Standing::Pending
        } else if today < self.anniversary_on {
            Standing::Active
        } else if today <= self.grace_ends_on() {
            Standing::InGrace
        } else {
            Standing::Expired { ended_on: self.grace_ends_on() }
        }
    }

    /// The status of an order whose file arrives on `on`. What is over already is ended by the night, with all that comes
    /// with it.
    #[must_use]
    pub fn status_on_arrival(&self, on: NaiveDate) -> &'static str {
        match self.standing(on) {
            Standing::Pending => "pending",
            Standing::Active => "active",
            Standing::InGrace | Standing::Expired { .. } => "in_grace",
        }
    }

    /// Whether a row that ends on `expires_on` runs with the membership, grace included.
    #[must_use]
    pub fn carries(&self, expires_on: NaiveDate) -> bool {
        expires_on >= self.last_day_on()
    }

    /// The last usable day of a row that ends on `expires_on`.
    #[must_use]
    pub fn last_usable_on(&self, expires_on: NaiveDate) -> NaiveDate {
        if self.carries(expires_on) { self.grace_ends_on() } else { expires_on }
    }

    /// Whether a renewal dated `renewed_on` is in time: AD … AD + 30.
    ///
    /// # Errors
    /// Before: [`Reason::RenewedTooEarly`] with the earliest date; after: [`Reason::RenewedTooLate`], for ever.
    pub fn check_renewal(&self, renewed_on: NaiveDate) -> Result<(), Reason> {
        if renewed_on < self.anniversary_on {
            return Err(Reason::RenewedTooEarly { earliest_on: self.anniversary_on });
        }
        if renewed_on > self.grace_ends_on() {
            return Err(Reason::RenewedTooLate { latest_on: self.grace_ends_on() });
        }
        Ok(())
    }

    /// The year that a renewal fixes: from the day it takes effect to old AD + `renewal_days` (365).
    #[must_use]
    pub fn renewed(&self, renewed_on: NaiveDate, renewal_days: u32) -> Self {
        Self {
            starts_on: renewed_on,
            anniversary_on: add_days(self.anniversary_on, renewal_days),
            grace_days: self.grace_days,
        }
    }
}

/// Whether something whose last usable day is `last_usable_on` was over when a file arrived (D16): the night
/// that ends it, the day after, is complete.
#[must_use]
pub fn over_before(last_usable_on: NaiveDate, arrived_on: NaiveDate) -> bool {
    add_days(last_usable_on, 1) < arrived_on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn d5_grace_runs_through_its_thirtieth_day_and_the_next_day_expires() {
        let year = Year::starting(day("2024-01-31"), 30);
        assert_eq!(year.anniversary_on, day("2025-01-31"));
        assert_eq!(year.standing(day("2024-01-30")), Standing::Pending);
        assert_eq!(year.standing(day("2024-01-31")), Standing::Active);
        assert_eq!(year.standing(day("2025-01-30")), Standing::Active);
        assert_eq!(year.standing(day("2025-01-31")), Standing::InGrace);
        assert_eq!(year.standing(day("2025-03-02")), Standing::InGrace);
        assert_eq!(year.standing(day("2025-03-03")), Standing::Expired { ended_on: day("2025-03-02") });
    }

    #[test]
    fn d5_a_leap_day_start_has_its_anniversary_on_28_february() {
        assert_eq!(Year::starting(day("2024-02-29"), 30).anniversary_on, day("2025-02-28"));
    }

    #[test]
    fn d5_a_row_that_ends_by_ad_minus_1_runs_with_the_membership_and_an_earlier_one_does_not() {
        let year = Year::starting(day("2024-01-31"), 30);
        assert_eq!(year.last_usable_on(day("2025-01-30")), day("2025-03-02"));
        assert_eq!(year.last_usable_on(day("2026-01-30")), day("2025-03-02"));
        assert_eq!(year.last_usable_on(day("2025-01-29")), day("2025-01-29"));
    }

    #[test]
    fn d5_a_renewal_is_dated_from_ad_through_ad_plus_30() {
        let year = Year::starting(day("2024-01-31"), 30);
        let early = Reason::RenewedTooEarly { earliest_on: day("2025-01-31") };
        assert_eq!(year.check_renewal(day("2025-01-30")), Err(early));
        assert_eq!(year.check_renewal(day("2025-01-31")), Ok(()));
        assert_eq!(year.check_renewal(day("2025-03-02")), Ok(()));
        let late = Reason::RenewedTooLate { latest_on: day("2025-03-02") };
        assert_eq!(year.check_renewal(day("2025-03-03")), Err(late));
        let next = year.renewed(day("2025-02-10"), 365);
        assert_eq!((next.starts_on, next.anniversary_on), (day("2025-02-10"), day("2026-01-31")));
    }

    #[test]
    fn d16_a_thing_is_over_for_files_that_arrive_after_the_night_that_ended_it() {
        // Last usable 2 March; the night of 3 March ends it, and runs on the 4th.
        assert!(!over_before(day("2025-03-02"), day("2025-03-03")));
        assert!(over_before(day("2025-03-02"), day("2025-03-04")));
    }
}

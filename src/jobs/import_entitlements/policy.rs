//! The numbers of the rules that rows and requests of files are decided by.

use std::{ops::RangeInclusive, time::Duration};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        kinds::traces::IdentifierForm,
        request_terms::{RequestTerms, SeatClock, SeatTerms},
    },
    jobs::policy::file::{CheckedPolicy, PolicyChecks, YEAR_DAYS},
};

/// Policy of `import_entitlements`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportPolicy {
    /// Days a request may be dated before its file's arrival; an older one waits for the operator (D1).
    pub request_backdate_days: u32,
    /// No date of a row lies before this year, 1900 to 2100.
    #[serde(default = "ImportPolicy::earliest_year")]
    pub earliest_year: u16,
    /// Nor after this one, 2000 to 9000.
    #[serde(default = "ImportPolicy::latest_year")]
    pub latest_year: u16,
    /// Which characters identifiers may have.
    #[serde(default)]
    pub identifiers: IdentifierForm,
    /// A dropped file is whole once nobody has written to it for so many milliseconds and no program has it open for
    /// writing.
    #[serde(default = "ImportPolicy::inbox_rest_ms")]
    pub inbox_rest_ms: u32,
    /// The same where the system does not tell of every program whether it has it open.
    #[serde(default = "ImportPolicy::inbox_rest_unseen_ms")]
    pub inbox_rest_unseen_ms: u32,
    /// For so many hours a file that was taken in is looked at again: whoever had it open may have written on.
    #[serde(default = "ImportPolicy::inbox_watch_hours")]
    pub inbox_watch_hours: u32,
    /// An entitlements file that ends more than this share of the live entitlements of the partners it names, in per
    /// cent, waits for the operator; 0 to 100.
    pub guard_ends_percent: u32,
    /// A file that ends no more entitlements than this never waits.
    pub guard_ends_at_least: u32,
    /// What a full snapshot lacks ends so many days after its file arrived, 1 to 366, so that the end is told before (D16).
    #[serde(default = "ImportPolicy::missing_ends_after_days")]
    pub missing_ends_after_days: u32,
    /// A reference rate of a new day that differs from the one before by more than so many per cent of it waits for the
    /// operator (D16); 1 to 10000.
    #[serde(default = "ImportPolicy::rate_jump_percent")]
    pub rate_jump_percent: u32,
    /// Whether guests in a partner's directory are assigned to (R1).
    pub assign_to_guests: bool,
    /// A Visual Studio seat may be given to another user this many days after its clock began (R4, D9).
    pub reassign_after_days: u32,
    /// When a seat's clock begins (D9).
    pub reassign_clock: SeatClock,
    /// Months of a key that does not say (D8).
    pub key_months: u16,
    /// A key may extend a subscription if it has at most this many times its seats (3) (D8).
    pub extend_at_most_times: u32,
    /// Days from the activation of a Go-To-Market offer until it is live (R8).
    pub go_live_days: u32,
}

impl ImportPolicy {
    const fn earliest_year() -> u16 {
        1990
    }

    const fn latest_year() -> u16 {
        2100
    }

    const fn rate_jump_percent() -> u32 {
        20
    }

    const fn missing_ends_after_days() -> u32 {
        7
    }

    const fn inbox_rest_ms() -> u32 {
        2_000
    }

    const fn inbox_rest_unseen_ms() -> u32 {
        10_000
    }

    const fn inbox_watch_hours() -> u32 {
        48
    }

    /// How long a dropped file is left alone before it is whole; `all_seen`: every program that has it open is known.
    #[must_use]
    pub fn inbox_rest(&self, all_seen: bool) -> Duration {
        let unseen = if all_seen { 0 } else { self.inbox_rest_unseen_ms };
        Duration::from_millis(self.inbox_rest_ms.max(unseen).into())
    }

    /// The first and the last day that a date of a row may be.
    #[must_use]
    pub fn dates(&self) -> RangeInclusive<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(self.earliest_year.into(), 1, 1).unwrap_or(NaiveDate::MIN);
        let last = NaiveDate::from_ymd_opt(self.latest_year.into(), 12, 31).unwrap_or(NaiveDate::MAX);
        first..=last
    }

    /// The numbers that requests are decided by.
    #[must_use]
    pub const fn requests(&self) -> RequestTerms {
        RequestTerms {
            backdate_days: self.request_backdate_days,
            assign_to_guests: self.assign_to_guests,
            seats: SeatTerms { clock: self.reassign_clock, after_days: self.reassign_after_days },
            extend_at_most_times: self.extend_at_most_times,
            go_live_days: self.go_live_days,
        }
    }
}

impl CheckedPolicy for ImportPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        checks.range("policy.request_backdate_days", self.request_backdate_days, 0..=YEAR_DAYS);
        checks.range("policy.earliest_year", self.earliest_year.into(), 1_900..=2_100);
        checks.range("policy.latest_year", self.latest_year.into(), 2_000..=9_000);
        if (1_900..=2_100).contains(&self.earliest_year) && self.latest_year < self.earliest_year {
            checks.add("policy.latest_year", self.latest_year, "write one that is not before earliest_year");
        }
        checks.range("policy.inbox_rest_ms", self.inbox_rest_ms, 0..=3_600_000);
        checks.range("policy.inbox_rest_unseen_ms", self.inbox_rest_unseen_ms, 0..=3_600_000);
        checks.range("policy.inbox_watch_hours", self.inbox_watch_hours, 0..=24 * YEAR_DAYS);
        checks.range("policy.guard_ends_percent", self.guard_ends_percent, 0..=100);
        checks.range("policy.missing_ends_after_days", self.missing_ends_after_days, 1..=YEAR_DAYS);
        checks.range("policy.rate_jump_percent", self.rate_jump_percent, 1..=10_000);
        checks.range("policy.reassign_after_days", self.reassign_after_days, 0..=YEAR_DAYS);
        checks.range("policy.key_months", u32::from(self.key_months), 1..=120);
        checks.range("policy.extend_at_most_times", self.extend_at_most_times, 1..=1_000);
        checks.range("policy.go_live_days", self.go_live_days, 0..=YEAR_DAYS);
    }
}

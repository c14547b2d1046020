//! How long grace lasts, and how long a credit may stay unassigned.

use serde::{Deserialize, Serialize};

use crate::jobs::policy::file::{CheckedPolicy, PolicyChecks, YEAR_DAYS};

/// Policy of `expire_benefits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpiryPolicy {
    /// AD + this many days is the last day of grace and of a renewal; on the day after, everything expires (D5).
    pub grace_days: u32,
    /// Days from an anniversary date to that of the membership that renews it (D5).
    pub renewal_days: u32,
    /// A credit that nobody was assigned to for so many days, from its start or from the day its file arrived if that
    /// is later, is closed; 0: never (D11).
    pub activate_by_days: u32,
}

impl CheckedPolicy for ExpiryPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        checks.range("policy.grace_days", self.grace_days, 0..=YEAR_DAYS);
        checks.range("policy.activate_by_days", self.activate_by_days, 0..=YEAR_DAYS);
        checks.range("policy.renewal_days", self.renewal_days, 1..=3_660);
    }
}

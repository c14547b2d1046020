//! How many days before or after something comes its contacts are told.

use serde::{Deserialize, Serialize};

use crate::jobs::policy::file::{CheckedPolicy, PolicyChecks, YEAR_DAYS};

/// Policy of `remind_contacts` (D10). The lists are of whole days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderPolicy {
    /// Days before the last usable day of an entitlement and before AD − 1, falling; 0 is that day itself.
    pub ending_days: Vec<u32>,
    /// Days after AD, rising, none beyond the grace.
    pub grace_days_after: Vec<u32>,
    /// Days before the last usable day of a credit's period, when something of it is unspent.
    pub credit_lapse_days: u32,
    /// Days before the last day on which bulk credit can be spent, grace included, when something of it is unspent;
    /// falling.
    #[serde(default = "ReminderPolicy::bulk_lapse_days")]
    pub bulk_lapse_days: Vec<u32>,
}

impl ReminderPolicy {
    fn bulk_lapse_days() -> Vec<u32> {
        vec![30, 7]
    }

    /// D10 with D5: a reminder after the last day of grace would never be sent.
    pub fn check_within_grace(&self, grace_days: u32, checks: &mut PolicyChecks<'_>) {
        for days in self.grace_days_after.iter().filter(|days| **days > grace_days) {
            checks.add(
                "policy.grace_days_after",
                days,
                &format!(
                    "grace ends {grace_days} days after the anniversary date (jobs/expire_benefits.toml): \
                     take it out, or write less"
                ),
            );
        }
    }
}

impl CheckedPolicy for ReminderPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        for days in &self.ending_days {
            checks.range("policy.ending_days", *days, 0..=YEAR_DAYS);
        }
        if !self.ending_days.is_sorted_by(|a, b| a > b) {
            checks.add("policy.ending_days", &self.ending_days, "write falling numbers, each once");
        }
        for days in &self.grace_days_after {
            checks.range("policy.grace_days_after", *days, 0..=YEAR_DAYS);
        }
        if !self.grace_days_after.is_sorted_by(|a, b| a < b) {
            checks.add("policy.grace_days_after", &self.grace_days_after, "write rising numbers, each once");
        }
        // A period may be as short as a February.
        checks.range("policy.credit_lapse_days", self.credit_lapse_days, 1..=27);
        for days in &self.bulk_lapse_days {
            checks.range("policy.bulk_lapse_days", *days, 0..=YEAR_DAYS);
        }
        if !self.bulk_lapse_days.is_sorted_by(|a, b| a > b) {
            checks.add("policy.bulk_lapse_days", &self.bulk_lapse_days, "write falling numbers, each once");
        }
    }
}

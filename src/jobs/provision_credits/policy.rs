//! How credit is granted: in which periods, how many, from when, at which rates.

use serde::{Deserialize, Serialize};

use crate::{
    domain::calendar::PeriodScheme,
    jobs::policy::file::{CheckedPolicy, PolicyChecks},
};

/// Policy of `provision_credits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisionPolicy {
    /// How an entitlement's time is cut into periods (D2).
    pub period_scheme: PeriodScheme,
    /// The most periods granted in a membership year, 1 to 12 (D3).
    pub periods_in_a_year: u32,
    /// From when an entitlement that becomes known late is granted (D3).
    pub backdate: Backdate,
    /// A grant waits when the last published rate is more than this many days older than the period's start (D4).
    pub max_rate_age_days: u32,
}

impl ProvisionPolicy {
    /// What a change of these numbers does while credit runs: one sentence for each number.
    #[must_use]
    pub fn notes(&self) -> [String; 2] {
        [
            format!(
                "policy.period_scheme = \"{}\" is for entitlements of which nothing was granted yet; the others keep \
                 the scheme of their first grant (D2)",
                self.period_scheme.name()
            ),
            "whatever else changes under [policy], what was granted stands under its own dates (D3)"
                .to_owned(),
        ]
    }
}

/// From when an entitlement that becomes known late is granted (D3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backdate {
    /// Every period since its start, under its own dates, lapsed where already over.
    #[default]
    FromStart,
    /// Only periods that are not over on the day its file arrived.
    FromImport,
}

impl CheckedPolicy for ProvisionPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        checks.range("policy.periods_in_a_year", self.periods_in_a_year, 1..=12);
        // The longest run of days without a rate so far was shorter than this.
        checks.range("policy.max_rate_age_days", self.max_rate_age_days, 1..=31);
    }
}

//! Until when an order is refunded, and what blocks it.

use serde::{Deserialize, Serialize};

use crate::{
    domain::cancellation::ANY_BENEFIT_USED,
    jobs::policy::file::{CheckedPolicy, PolicyChecks, YEAR_DAYS},
};

/// Policy of `apply_cancellations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancellationPolicy {
    /// Bought on day P, the last refundable request date is P + this many days (R9, D1).
    pub refund_window_days: u32,
    /// What blocks a refund once it has happened (D7). May be empty.
    pub refund_blockers: Vec<RefundBlocker>,
}

/// An event that blocks a refund (D7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundBlocker {
    /// A key of a `software` or `license_subscription` benefit was shown.
    SoftwareKeyRevealed,
    /// A key of one was redeemed.
    SoftwareKeyRedeemed,
    /// One was activated.
    SoftwareActivated,
    /// Any benefit of the order was used.
    AnyBenefitUsed,
}

impl RefundBlocker {
    /// The name as policies and reasons write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SoftwareKeyRevealed => "software_key_revealed",
            Self::SoftwareKeyRedeemed => "software_key_redeemed",
            Self::SoftwareActivated => "software_activated",
            Self::AnyBenefitUsed => ANY_BENEFIT_USED,
        }
    }
}

impl CancellationPolicy {
    /// The names of what blocks, as [`crate::domain::cancellation::decide`] takes them.
    #[must_use]
    pub fn blocker_names(&self) -> Vec<String> {
        self.refund_blockers.iter().map(|blocker| blocker.name().to_owned()).collect()
    }
}

impl CheckedPolicy for CancellationPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        checks.range("policy.refund_window_days", self.refund_window_days, 0..=YEAR_DAYS);
        for (at, blocker) in self.refund_blockers.iter().enumerate() {
            if self.refund_blockers.iter().take(at).any(|earlier| earlier == blocker) {
                checks.add("policy.refund_blockers", blocker, "it stands there twice: take one out");
            }
        }
    }
}

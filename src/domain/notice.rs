//! What a contact is owed word of (D10): typed facts, rendered only when the mail is written.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{money::Amount, reason::Reason};

/// One notice. Stored as its kind and its arguments; a mail is a digest of notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// An entitlement ends before its membership does.
    EntitlementEnding {
        /// The order.
        order_id: String,
        /// The benefit code.
        benefit: String,
        /// Last usable day.
        last_usable_on: NaiveDate,
    },
    /// A membership reaches the last day before grace (AD − 1).
    MembershipEnding {
        /// The order.
        order_id: String,
        /// The offer.
        offer: String,
        /// AD − 1.
        last_day_on: NaiveDate,
        /// The last day on which a renewal is possible (AD + 30).
        renew_until: NaiveDate,
    },
    /// A membership is in grace and not renewed.
    MembershipInGrace {
        /// The order.
        order_id: String,
        /// The offer.
        offer: String,
        /// The anniversary date that has passed.
        anniversary_on: NaiveDate,
        /// Last day of grace, on which benefits still work and renewal is possible (AD + 30).
        renew_until: NaiveDate,
    },
    /// A credit's period ends within days and something of it is unspent.
    CreditAboutToLapse {
        /// The order.
        order_id: String,
        /// The benefit code.
        benefit: String,
        /// What is unspent.
        unspent: Amount,
        /// Last day on which it can be spent.
        last_usable_on: NaiveDate,
        /// Nobody is assigned to it today.
        unassigned: bool,
    },
    /// A credit lapsed to which nobody was assigned on any day of its period (D3).
    CreditLapsedUnassigned {
        /// The order.
        order_id: String,
        /// The benefit code.
        benefit: String,
        /// What was lost.
        lost: Amount,
        /// First day of the period.
        period_from: NaiveDate,
        /// First day after it.
        period_until: NaiveDate,
    },
    /// An entitlement has ended on its own.
    EntitlementEnded {
        /// The order.
        order_id: String,
        /// The benefit code.
        benefit: String,
        /// Last usable day.
        ended_on: NaiveDate,
    },
    /// A membership has ended without renewal, and its benefits with it.
    MembershipEnded {
        /// The order.
        order_id: String,
        /// The offer.
        offer: String,
        /// Last usable day.
        ended_on: NaiveDate,
    },
    /// A cancellation was accepted and the purchase is refunded (R9, D7).
    CancellationAccepted {
        /// The service request.
        request_id: String,
        /// The order.
        order_id: String,
        /// The last day of the order.
        ended_on: NaiveDate,
        /// Credit taken back, one amount a currency.
        reversed: Vec<Amount>,
        /// Credit that was spent and stays spent.
        spent: Vec<Amount>,
    },
    /// A cancellation was refused, with every failed criterion (D7, D13).
    CancellationRefused {
        /// The service request.
        request_id: String,
        /// The order.
        order_id: String,
        /// When it was asked for.
        requested_on: NaiveDate,
        /// Every failed criterion.
        reasons: Vec<Reason>,
    },
}

impl Notice {
    /// The stable kind, as stored and reported.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::EntitlementEnding { .. } => "entitlement_ending",
            Self::MembershipEnding { .. } => "membership_ending",
            Self::MembershipInGrace { .. } => "membership_in_grace",
            Self::CreditAboutToLapse { .. } => "credit_about_to_lapse",
            Self::CreditLapsedUnassigned { .. } => "credit_lapsed_unassigned",
            Self::EntitlementEnded { .. } => "entitlement_ended",
            Self::MembershipEnded { .. } => "membership_ended",
            Self::CancellationAccepted { .. } => "cancellation_accepted",
            Self::CancellationRefused { .. } => "cancellation_refused",
        }
    }
}

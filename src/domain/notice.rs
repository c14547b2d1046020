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
    /// A Go-To-Market offer was activated: what is to be done until it is live, and then (R8).
    OfferInstructions {
        /// The order.
        order_id: String,
        /// The benefit code.
        benefit: String,
        /// The day from which the offer is live.
        live_on: NaiveDate,
        /// Last usable day.
        last_usable_on: NaiveDate,
    },
    /// A Go-To-Market offer is live (R8).
    OfferLive {
        /// The order.
        order_id: String,
        /// The benefit code.
        benefit: String,
        /// The day from which it is.
        live_on: NaiveDate,
        /// Last usable day.
        last_usable_on: NaiveDate,
    },
    /// A Go-To-Market offer runs and cannot be activated, for its partner has no marketing contact (R8).
    ContactNeeded {
        /// The order.
        order_id: String,
        /// The benefit code.
        benefit: String,
        /// Last usable day.
        last_usable_on: NaiveDate,
    },
}

/// To whom a notice goes (D10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The marketing contact, else the account e-mail: what tells of decisions, endings and lapses is transactional.
    ContactElseAccount,
    /// The marketing contact and nobody else, now or once there is one: offer mail is marketing.
    Contact,
    /// The account e-mail: that there is no contact.
    Account,
}

/// Kinds of notice that go to [`Audience::Contact`].
pub const OFFER_KINDS: [&str; 2] = ["offer_instructions", "offer_live"];
/// Kinds of notice that go to [`Audience::Account`].
pub const ACCOUNT_KINDS: [&str; 1] = ["contact_needed"];

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
            Self::OfferInstructions { .. } => "offer_instructions",
            Self::OfferLive { .. } => "offer_live",
            Self::ContactNeeded { .. } => "contact_needed",
        }
    }

    /// To whom it goes.
    #[must_use]
    pub fn audience(&self) -> Audience {
        let kind = self.kind();
        if OFFER_KINDS.contains(&kind) {
            Audience::Contact
        } else if ACCOUNT_KINDS.contains(&kind) {
            Audience::Account
        } else {
            Audience::ContactElseAccount
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d10_offer_mail_goes_to_the_contact_only_and_that_there_is_none_to_the_account() {
        let day: NaiveDate = "2024-03-04".parse().unwrap();
        let (order_id, benefit) = (|| "ORD-1".to_owned(), || "go_to_market/gold_core".to_owned());
        let (instructions, live) = (
            Notice::OfferInstructions {
                order_id: order_id(),
                benefit: benefit(),
                live_on: day,
                last_usable_on: day,
            },
            Notice::OfferLive { order_id: order_id(), benefit: benefit(), live_on: day, last_usable_on: day },
        );
        assert_eq!([instructions.audience(), live.audience()], [Audience::Contact; 2]);
        assert_eq!([instructions.kind(), live.kind()], OFFER_KINDS);
        let needed = Notice::ContactNeeded { order_id: order_id(), benefit: benefit(), last_usable_on: day };
        assert_eq!((needed.audience(), [needed.kind()]), (Audience::Account, ACCOUNT_KINDS));
        let ended = Notice::EntitlementEnded { order_id: order_id(), benefit: benefit(), ended_on: day };
        assert_eq!(ended.audience(), Audience::ContactElseAccount);
    }
}

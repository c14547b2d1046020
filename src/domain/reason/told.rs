//! What every reason is called, and when a "no" becomes a "yes" (D13).

use chrono::NaiveDate;

use super::Reason;

/// When a "no" becomes a "yes" (D13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Earliest {
    /// Once the file is corrected or what it refers to is there; no date is known.
    WhenCorrected,
    /// On that date.
    On(NaiveDate),
    /// Never.
    Never,
}

impl Reason {
    /// The stable code.
    #[expect(clippy::too_many_lines, reason = "a line each")]
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid { .. } => "invalid",
            Self::WrongFieldCount { .. } => "wrong_field_count",
            Self::EndsBeforeStart => "ends_before_start",
            Self::StartsBeforePurchase => "starts_before_purchase",
            Self::UnknownPartner => "unknown_partner",
            Self::OtherPartner { .. } => "other_partner",
            Self::UnknownOrder => "unknown_order",
            Self::OrderOfAnotherPartner => "order_of_another_partner",
            Self::UnknownBenefit => "unknown_benefit",
            Self::UnknownUser => "unknown_user",
            Self::UserDisabled => "user_disabled",
            Self::ContactIsAccount => "contact_is_account",
            Self::OrderMismatch { .. } => "order_mismatch",
            Self::AlreadyGranted { .. } => "already_granted",
            Self::AlreadyEnded { .. } => "already_ended",
            Self::ConflictsWithEarlier { .. } => "conflicts_with_earlier",
            Self::CurrencyNotAccepted { .. } => "currency_not_accepted",
            Self::DiffersFromCatalogue { .. } => "differs_from_catalogue",
            Self::NoAmount => "no_amount",
            Self::RequestedInFuture { .. } => "requested_in_future",
            Self::WaitsForOperator { .. } => "waits_for_operator",
            Self::DecidedAtNight { .. } => "decided_at_night",
            Self::AlreadyAssigned => "already_assigned",
            Self::NotAssignable => "not_assignable",
            Self::OutsideBenefitDates { .. } => "outside_benefit_dates",
            Self::NotAssigned => "not_assigned",
            Self::BulkNeverRemoved => "bulk_never_removed",
            Self::BulkAlreadyAssigned { .. } => "bulk_already_assigned",
            Self::NotACredit => "not_a_credit",
            Self::UsageCurrencyDiffers { .. } => "usage_currency_differs",
            Self::OutsideCredit { .. } => "outside_credit",
            Self::RenewedTooEarly { .. } => "renewed_too_early",
            Self::RenewedTooLate { .. } => "renewed_too_late",
            Self::NewOrderTaken => "new_order_taken",
            Self::RefundWindowPassed { .. } => "refund_window_passed",
            Self::RequestedBeforePurchase { .. } => "requested_before_purchase",
            Self::RefundBlocked { .. } => "refund_blocked",
            Self::RoleMissing { .. } => "role_missing",
            Self::GuestNotAllowed => "guest_not_allowed",
            Self::NotTransferable => "not_transferable",
            Self::NotReassignable => "not_reassignable",
            Self::SameUser => "same_user",
            Self::TransferOutsideYear { .. } => "transfer_outside_year",
            Self::BulkBlocked { .. } => "bulk_blocked",
            Self::NoSeatLeft { .. } => "no_seat_left",
            Self::SeatOpensLater { .. } => "seat_opens_later",
            Self::ReassignedTooEarly { .. } => "reassigned_too_early",
            Self::CapReached { .. } => "cap_reached",
            Self::OrderFrozen { .. } => "order_frozen",
            Self::NotRevealable => "not_revealable",
            Self::NotRedeemable => "not_redeemable",
            Self::UnknownKey => "unknown_key",
            Self::NoKeyLeft => "no_key_left",
            Self::KeyRedeemed { .. } => "key_redeemed",
            Self::KeyOfAnotherBenefit => "key_of_another_benefit",
            Self::KeyWithoutSeats => "key_without_seats",
            Self::TenantUnknown => "tenant_unknown",
            Self::WrongTenant { .. } => "wrong_tenant",
            Self::TenantPinned { .. } => "tenant_pinned",
            Self::SubscriptionLive { .. } => "subscription_live",
            Self::NoLiveSubscription => "no_live_subscription",
            Self::ExtendsTooMuch { .. } => "extends_too_much",
            Self::NotActivatable => "not_activatable",
            Self::AlreadyActivated { .. } => "already_activated",
            Self::ContactMissing => "contact_missing",
            Self::EndsBeforeLive { .. } => "ends_before_live",
            Self::NoBenefitsYet => "no_benefits_yet",
            Self::NotEnoughLeft { .. } => "not_enough_left",
            Self::UnknownProduct => "unknown_product",
            Self::ProductNotCovered => "product_not_covered",
            Self::VersionNotSupported { .. } => "version_not_supported",
            Self::SupportNotActivated => "support_not_activated",
            Self::WrongSupportId => "wrong_support_id",
            Self::AgreementNotListed => "agreement_not_listed",
            Self::BulkStays { .. } => "bulk_stays",
            Self::ActivateByPassed { .. } => "activate_by_passed",
            Self::KeyNamed { .. } => "key_named",
            Self::SubscriptionNow { .. } => "subscription_now",
            Self::SupportIds { .. } => "support_ids",
            Self::LeftOver { .. } => "left_over",
            Self::GoesLive { .. } => "goes_live",
            Self::RateMissing { .. } => "rate_missing",
            Self::RateTooOld { .. } => "rate_too_old",
        }
    }

    /// When it becomes a yes.
    #[must_use]
    pub fn earliest(&self) -> Earliest {
        match self {
            Self::OutsideBenefitDates { on: Some(on), starts_on, .. } if on < starts_on => {
                Earliest::On(*starts_on)
            }
            Self::RequestedInFuture { requested_on: Some(day), .. } => Earliest::On(*day),
            Self::RenewedTooEarly { earliest_on }
            | Self::RequestedBeforePurchase { earliest_on }
            | Self::SeatOpensLater { earliest_on }
            | Self::ReassignedTooEarly { earliest_on, .. }
            | Self::BulkBlocked { earliest_on: Some(earliest_on), .. } => Earliest::On(*earliest_on),
            Self::OutsideBenefitDates { on: Some(_), .. }
            | Self::AlreadyEnded { .. }
            | Self::BulkBlocked { earliest_on: None, .. }
            | Self::NotTransferable
            | Self::NotReassignable
            | Self::TransferOutsideYear { .. }
            | Self::NotRevealable
            | Self::NotRedeemable
            | Self::KeyRedeemed { .. }
            | Self::KeyOfAnotherBenefit
            | Self::TenantPinned { .. }
            | Self::NotActivatable
            | Self::AlreadyActivated { .. }
            | Self::EndsBeforeLive { .. }
            | Self::ActivateByPassed { .. }
            | Self::ProductNotCovered
            | Self::BulkNeverRemoved
            | Self::RenewedTooLate { .. }
            | Self::RefundWindowPassed { .. }
            | Self::RefundBlocked { .. }
            | Self::NotACredit
            | Self::NotAssignable => Earliest::Never,
            _ => Earliest::WhenCorrected,
        }
    }
}

/// The earliest date on which all of `reasons` are gone: the latest of theirs.
#[must_use]
pub fn earliest<'a>(reasons: impl IntoIterator<Item = &'a Reason>) -> Earliest {
    reasons.into_iter().map(Reason::earliest).max().unwrap_or(Earliest::WhenCorrected)
}

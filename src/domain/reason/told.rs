//! What is told of a reason: its rules, when the "no" becomes a "yes", and its sentence in every language (D13).

use chrono::NaiveDate;

use super::{
    super::{language::Language, naming},
    Reason, activations, assignments, cells, changes, credit, keys, requests,
};

/// What a reason is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Of a no.
    Refusal,
    /// Of what waits for a date, a rate or the operator, and is neither a yes nor a no until then.
    Waiting,
    /// Of a yes.
    Remark,
}

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

impl Earliest {
    /// When a "no" becomes a "yes", in words: `from 2024-03-01`, `never`.
    #[must_use]
    pub fn phrase(self, language: Language) -> String {
        match (self, language) {
            (Self::WhenCorrected, Language::English) => "once it is corrected".to_owned(),
            (Self::WhenCorrected, Language::Swedish) => "när felet är rättat".to_owned(),
            (Self::On(day), Language::English) => format!("from {day}"),
            (Self::On(day), Language::Swedish) => format!("från och med {day}"),
            (Self::Never, Language::English) => "never".to_owned(),
            (Self::Never, Language::Swedish) => "aldrig".to_owned(),
        }
    }
}

/// The earliest date on which all of `reasons` are gone: the latest of theirs.
#[must_use]
pub fn earliest<'a>(reasons: impl IntoIterator<Item = &'a Reason>) -> Earliest {
    reasons.into_iter().map(Reason::earliest).max().unwrap_or(Earliest::WhenCorrected)
}

impl Reason {
    /// The stable code: the variant's name in lower case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// What is told of it.
    #[expect(clippy::too_many_lines, reason = "a line each")]
    #[must_use]
    pub fn told(&self) -> Told<'_> {
        match self {
            Self::Missing => cells::missing(),
            Self::Invalid { expected } => cells::invalid(*expected),
            Self::WrongFieldCount { expected, found } => cells::wrong_field_count(*expected, *found),
            Self::DateOutOfRange { earliest_on, latest_on } => {
                cells::date_out_of_range(*earliest_on, *latest_on)
            }
            Self::StoreRefused { said } => cells::store_refused(said),
            Self::EndsBeforeStart => cells::ends_before_start(),
            Self::StartsBeforePurchase => cells::starts_before_purchase(),
            Self::UnknownPartner => cells::unknown_partner(),
            Self::OtherPartner { partner_id } => cells::other_partner(partner_id),
            Self::UnknownOrder => cells::unknown_order(),
            Self::OrderOfAnotherPartner => cells::order_of_another_partner(),
            Self::UnknownBenefit => cells::unknown_benefit(),
            Self::UnknownUser => cells::unknown_user(),
            Self::UserDisabled => cells::user_disabled(),
            Self::ContactIsAccount => activations::contact_is_account(),
            Self::OrderMismatch { column, expected } => changes::order_mismatch(column, expected),
            Self::AlreadyGranted { column, expected } => changes::already_granted(column, expected),
            Self::AlreadyEnded { ended_on } => changes::already_ended(*ended_on),
            Self::ConflictsWithEarlier { column, expected } => {
                changes::conflicts_with_earlier(column, expected)
            }
            Self::CurrencyNotAccepted { expected } => changes::currency_not_accepted(*expected),
            Self::DiffersFromCatalogue { column, expected } => {
                changes::differs_from_catalogue(column, expected)
            }
            Self::NoAmount => changes::no_amount(),
            Self::RequestedInFuture { received_on, requested_on } => {
                requests::requested_in_future(*received_on, *requested_on)
            }
            Self::WaitsForOperator { earliest_on } => requests::waits_for_operator(*earliest_on),
            Self::DecidedAtNight { night_of } => requests::decided_at_night(*night_of),
            Self::AlreadyAssigned => assignments::already_assigned(),
            Self::NotAssignable => assignments::not_assignable(),
            Self::OutsideBenefitDates { on, starts_on, ends_on } => {
                assignments::outside_benefit_dates(*on, *starts_on, *ends_on)
            }
            Self::NotAssigned => assignments::not_assigned(),
            Self::BulkNeverRemoved => assignments::bulk_never_removed(),
            Self::BulkAlreadyAssigned { user } => assignments::bulk_already_assigned(user),
            Self::NotACredit => credit::not_a_credit(),
            Self::UsageCurrencyDiffers { expected } => credit::usage_currency_differs(*expected),
            Self::OutsideCredit { from, until } => credit::outside_credit(*from, *until),
            Self::RenewedTooEarly { earliest_on } => requests::renewed_too_early(*earliest_on),
            Self::RenewedTooLate { latest_on } => requests::renewed_too_late(*latest_on),
            Self::NewOrderTaken => requests::new_order_taken(),
            Self::RefundWindowPassed { latest_on } => requests::refund_window_passed(*latest_on),
            Self::RequestedBeforePurchase { earliest_on } => {
                requests::requested_before_purchase(*earliest_on)
            }
            Self::RefundBlocked { event, benefit, on } => requests::refund_blocked(event, benefit, *on),
            Self::RoleMissing { roles, held_by } => requests::role_missing(roles, held_by),
            Self::GuestNotAllowed => assignments::guest_not_allowed(),
            Self::NotTransferable => assignments::not_transferable(),
            Self::NotReassignable => assignments::not_reassignable(),
            Self::SameUser => assignments::same_user(),
            Self::TransferOutsideYear { starts_on, latest_on } => {
                assignments::transfer_outside_year(*starts_on, *latest_on)
            }
            Self::BulkBlocked { agreement, earliest_on } => {
                assignments::bulk_blocked(agreement, *earliest_on)
            }
            Self::NoSeatLeft { seats, earliest_on } => assignments::no_seat_left(*seats, *earliest_on),
            Self::SeatOpensLater { earliest_on } => assignments::seat_opens_later(*earliest_on),
            Self::ReassignedTooEarly { assigned_on, earliest_on } => {
                assignments::reassigned_too_early(*assigned_on, *earliest_on)
            }
            Self::CapReached { country, cap, wanted } => {
                assignments::cap_reached(country.as_deref(), *cap, *wanted)
            }
            Self::OrderFrozen { request_id } => keys::order_frozen(request_id),
            Self::NotRevealable => keys::not_revealable(),
            Self::NotRedeemable => keys::not_redeemable(),
            Self::UnknownKey => keys::unknown_key(),
            Self::NoKeyLeft => keys::no_key_left(),
            Self::KeyRedeemed { redeemed_on } => keys::key_redeemed(*redeemed_on),
            Self::KeyOfAnotherBenefit => keys::key_of_another_benefit(),
            Self::KeyWithoutSeats => keys::key_without_seats(),
            Self::TenantUnknown => keys::tenant_unknown(),
            Self::WrongTenant { expected } => keys::wrong_tenant(expected),
            Self::TenantPinned { expected } => keys::tenant_pinned(expected),
            Self::SubscriptionLive { seats, ends_on } => keys::subscription_live(*seats, *ends_on),
            Self::NoLiveSubscription => keys::no_live_subscription(),
            Self::ExtendsTooMuch { seats, most } => keys::extends_too_much(*seats, *most),
            Self::NotActivatable => activations::not_activatable(),
            Self::AlreadyActivated { activated_on } => activations::already_activated(*activated_on),
            Self::ContactMissing => activations::contact_missing(),
            Self::EndsBeforeLive { live_on, ends_on } => activations::ends_before_live(*live_on, *ends_on),
            Self::NoBenefitsYet => activations::no_benefits_yet(),
            Self::NotEnoughLeft { unit, wanted, left } => activations::not_enough_left(*unit, *wanted, *left),
            Self::UnknownProduct => activations::unknown_product(),
            Self::ProductNotCovered => activations::product_not_covered(),
            Self::VersionNotSupported { supported } => activations::version_not_supported(supported),
            Self::SupportNotActivated => activations::support_not_activated(),
            Self::WrongSupportId => activations::wrong_support_id(),
            Self::AgreementNotListed => assignments::agreement_not_listed(),
            Self::BulkStays { order_id, benefit } => assignments::bulk_stays(order_id, benefit),
            Self::ActivateByPassed { latest_on } => credit::activate_by_passed(*latest_on),
            Self::KeyNamed { key_ref } => keys::key_named(key_ref),
            Self::SubscriptionNow { seats, ends_on } => keys::subscription_now(*seats, *ends_on),
            Self::SupportIds { access_id, contract_id } => activations::support_ids(access_id, contract_id),
            Self::LeftOver { unit, left } => activations::left_over(*unit, *left),
            Self::GoesLive { live_on, until } => activations::goes_live(*live_on, *until),
            Self::AmountTooLarge { currency } => credit::amount_too_large(*currency),
            Self::TooManyDecimals { currency, places } => credit::too_many_decimals(*currency, *places),
            Self::StatedUnpublished { on } => credit::stated_unpublished(*on),
            Self::NoEarlierRate { currency, on } => credit::no_earlier_rate(*currency, *on),
            Self::RatesIncomplete { currency, on, missing_on, days } => {
                credit::rates_incomplete(*currency, *on, *missing_on, *days)
            }
            Self::RateMissing { currency, on } => credit::rate_missing(*currency, *on),
            Self::RateTooOld { currency, on, published_on } => {
                credit::rate_too_old(*currency, *on, *published_on)
            }
        }
    }

    /// When it becomes a yes.
    #[must_use]
    pub fn earliest(&self) -> Earliest {
        self.told().earliest
    }

    /// One sentence: what is wrong, and what to do or until when. Dates are ISO (`2024-01-31`).
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        self.told().sentence(language, &|day| day.to_string())
    }

    /// The same sentence for running text: dates are written out (`31 January 2024`).
    #[must_use]
    pub fn prose(&self, language: Language) -> String {
        self.told().sentence(language, &|day| naming::day(day, language))
    }
}

/// How a date is written within a sentence.
type Day<'a> = &'a dyn Fn(NaiveDate) -> String;

/// A sentence that is made when it is asked for.
type Words<'a> = Box<dyn Fn(Day<'_>) -> String + 'a>;

/// What is told of a reason.
pub struct Told<'a> {
    /// The rules that it comes from, joined by `, `; empty where every file has it.
    pub rules: &'static str,
    /// What it is said of.
    pub said: Said,
    /// When the no becomes a yes.
    pub earliest: Earliest,
    english: Words<'a>,
    swedish: Words<'a>,
}

impl Told<'_> {
    /// One sentence: what is wrong, and what to do or until when. `day` says how a date is written.
    #[must_use]
    pub fn sentence(&self, language: Language, day: Day<'_>) -> String {
        match language {
            Language::English => (self.english)(day),
            Language::Swedish => (self.swedish)(day),
        }
    }

    /// When reasons of this kind become a yes, in a word or two: for a list of them.
    #[must_use]
    pub const fn becomes_a_yes(&self) -> &'static str {
        match (self.said, self.earliest) {
            (Said::Remark, _) => "said of a yes",
            (Said::Waiting, _) => "waits",
            (Said::Refusal, Earliest::Never) => "never",
            (Said::Refusal, Earliest::On(_)) => "from a date",
            (Said::Refusal, Earliest::WhenCorrected) => "once corrected",
        }
    }
}

/// What is told, but for the sentences.
pub(super) struct Unworded(&'static str, Said, Earliest);

/// A no that becomes a yes once the file is corrected, or what it refers to is there.
pub(super) const fn refusal(rules: &'static str) -> Unworded {
    Unworded(rules, Said::Refusal, Earliest::WhenCorrected)
}

/// A no that becomes a yes on a day.
pub(super) const fn opens(rules: &'static str, on: NaiveDate) -> Unworded {
    Unworded(rules, Said::Refusal, Earliest::On(on))
}

/// A no that never becomes a yes.
pub(super) const fn never(rules: &'static str) -> Unworded {
    Unworded(rules, Said::Refusal, Earliest::Never)
}

/// What is said of what waits.
pub(super) const fn waits(rules: &'static str) -> Unworded {
    Unworded(rules, Said::Waiting, Earliest::WhenCorrected)
}

/// What is said of a yes.
pub(super) const fn remark(rules: &'static str) -> Unworded {
    Unworded(rules, Said::Remark, Earliest::WhenCorrected)
}

impl Unworded {
    /// With its sentence in English and in Swedish.
    pub(super) fn words<'a>(
        self,
        english: impl Fn(Day<'_>) -> String + 'a,
        swedish: impl Fn(Day<'_>) -> String + 'a,
    ) -> Told<'a> {
        let Self(rules, said, earliest) = self;
        Told { rules, said, earliest, english: Box::new(english), swedish: Box::new(swedish) }
    }

    /// With sentences that are always the same.
    pub(super) fn plain(self, english: &'static str, swedish: &'static str) -> Told<'static> {
        self.words(|_| english.to_owned(), |_| swedish.to_owned())
    }
}

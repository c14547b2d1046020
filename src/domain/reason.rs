//! Every "no", and every remark on a row: a stable code with typed arguments (D13).
//!
//! A reason is its variant in `reason/variants.rs`, and one function of its subject's file in `reason/` that tells the rest: the rules it
//! comes from, when the no becomes a yes, and the sentence in every language, with a sample of it above. The `match` in
//! [`Reason::told`] has no `_`, so the compiler asks for what is missing; the tests ask for the sample and for the row in
//! `REASONS.md`. In the store a reason is JSON (`{"code": …, arguments}`); a sentence is made where it is read.
//!
#![doc = include_str!("REASONS.md")]

use serde::{Deserialize, Serialize};

use super::{
    language::Language,
    naming,
    texts::{ReaderLanguage, TextFault},
};
pub use expected::Expected;
pub use told::{Earliest, Said, Told};
pub use trace::Trace;
pub use variants::Reason;

mod activations;
mod assignments;
mod cells;
mod changes;
mod credit;
mod expected;
mod keys;
mod notation;
mod portals;
mod rates;
mod requests;
mod samples;
mod snapshots;
#[cfg(test)]
mod tests;
mod told;
mod trace;
mod variants;
mod worded;

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
            Self::Invalid { expected, meant } => cells::invalid(*expected, meant.as_deref()),
            Self::WrongFieldCount { expected, found } => cells::wrong_field_count(*expected, *found),
            Self::TextWithoutColumn { cell } => notation::text_without_column(*cell),
            Self::CutOff => notation::cut_off(),
            Self::AmbiguousNumber { decimal, whole } => notation::ambiguous_number(decimal, whole),
            Self::AmbiguousDate { day_first, month_first } => {
                notation::ambiguous_date(*day_first, *month_first)
            }
            Self::NumbersDisagree { line } => notation::numbers_disagree(*line),
            Self::DatesDisagree { line } => notation::dates_disagree(*line),
            Self::AgainstDialect { stated } => notation::against_dialect(stated),
            Self::LeftBySpreadsheet { trace } => notation::left_by_spreadsheet(*trace),
            Self::CharacterInIdentifier { character } => notation::character_in_identifier(character),
            Self::HiddenCharacter { character } => notation::hidden_character(character),
            Self::Garbled => notation::garbled(),
            Self::AlikeKnown { known } => notation::alike_known(known),
            Self::DateOutOfRange { earliest_on, latest_on } => {
                cells::date_out_of_range(*earliest_on, *latest_on)
            }
            Self::RepeatedInFile { line } => cells::repeated_in_file(*line),
            Self::StoreRefused { said } => cells::store_refused(said),
            Self::FileNotApplied { rejected } => cells::file_not_applied(*rejected),
            Self::EndsBeforeStart => cells::ends_before_start(),
            Self::StartsBeforePurchase => cells::starts_before_purchase(),
            Self::UnknownPartner => cells::unknown_partner(),
            Self::OtherPartner { partner_id } => cells::other_partner(partner_id),
            Self::UnknownOrder => cells::unknown_order(),
            Self::OrderOfAnotherPartner => cells::order_of_another_partner(),
            Self::UnknownBenefit => cells::unknown_benefit(),
            Self::UnknownUser => cells::unknown_user(),
            Self::AmbiguousUser => cells::ambiguous_user(),
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
            Self::NotInOffer { offer } => changes::not_in_offer(*offer),
            Self::NoAmount => changes::no_amount(),
            Self::HeldBack { held, order_id, until, .. } => changes::held_back(*held, order_id, *until),
            Self::NotHeldBack { order_id, .. } => changes::not_held_back(order_id),
            Self::RequestedInFuture { received_on, requested_on } => {
                requests::requested_in_future(*received_on, *requested_on)
            }
            Self::WaitsForOperator { earliest_on } => requests::waits_for_operator(*earliest_on),
            Self::RefusedByOperator { by, why } => requests::refused_by_operator(by, why),
            Self::DecidedAtNight { night_of } => requests::decided_at_night(*night_of),
            Self::AlreadyAssigned => assignments::already_assigned(),
            Self::NotAssignable => assignments::not_assignable(),
            Self::OutsideBenefitDates { on, starts_on, ends_on } => {
                assignments::outside_benefit_dates(*on, *starts_on, *ends_on)
            }
            Self::NotAssigned => assignments::not_assigned(),
            Self::BulkNeverRemoved => assignments::bulk_never_removed(),
            Self::BulkAlreadyAssigned { user } => assignments::bulk_already_assigned(user),
            Self::ExampleRow => portals::example_row(),
            Self::NothingUsed => portals::nothing_used(),
            Self::Summed { rows, line, sum } => portals::summed(*rows, *line, sum),
            Self::Rounded { exact, to } => portals::rounded(exact, to),
            Self::SumIncomplete { line } => portals::sum_incomplete(*line),
            Self::CountedAlready { booked } => portals::counted_already(booked),
            Self::CountedOtherwise { booked, stated } => portals::counted_otherwise(booked, stated),
            Self::UnknownSubscription => portals::unknown_subscription(),
            Self::AmbiguousSubscription { orders } => portals::ambiguous_subscription(orders),
            Self::UnconfirmedUser => portals::unconfirmed_user(),
            Self::ConfirmedUser => portals::confirmed_user(),
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
            Self::NotEnoughLeft { unit, wanted, left, earliest_on } => {
                activations::not_enough_left(*unit, *wanted, *left, *earliest_on)
            }
            Self::UnknownProduct => activations::unknown_product(),
            Self::ProductNotCovered => activations::product_not_covered(),
            Self::VersionNotSupported { supported } => activations::version_not_supported(supported),
            Self::SupportNotActivated => activations::support_not_activated(),
            Self::WrongSupportId => activations::wrong_support_id(),
            Self::AgreementNotListed => assignments::agreement_not_listed(),
            Self::BulkStays { order_id, benefit } => assignments::bulk_stays(order_id, benefit),
            Self::ActivateByPassed { latest_on } => credit::activate_by_passed(*latest_on),
            Self::MissingInSnapshot { as_of, until } => snapshots::missing_in_snapshot(*as_of, *until),
            Self::NamedAgain { until } => snapshots::named_again(*until),
            Self::SnapshotIncomplete { rows } => snapshots::snapshot_incomplete(*rows),
            Self::EndsHeld { ends, live } => snapshots::ends_held(*ends, *live),
            Self::KeyNamed { key_ref } => keys::key_named(key_ref),
            Self::SubscriptionNow { seats, ends_on } => keys::subscription_now(*seats, *ends_on),
            Self::SupportIds { access_id, contract_id } => activations::support_ids(access_id, contract_id),
            Self::LeftOver { unit, left } => activations::left_over(*unit, *left),
            Self::GoesLive { live_on, until } => activations::goes_live(*live_on, *until),
            Self::AmountTooLarge { currency } => credit::amount_too_large(*currency),
            Self::TooManyDecimals { currency, places } => credit::too_many_decimals(*currency, *places),
            Self::StatedUnpublished { on } => credit::stated_unpublished(*on),
            Self::RateInFuture { received_on } => rates::rate_in_future(*received_on),
            Self::RateJumped { before, before_on } => rates::rate_jumped(before, *before_on),
            Self::RateUnlikely { before, before_on } => rates::rate_unlikely(before, *before_on),
            Self::RateHeld { currency, on, held_on } => rates::rate_held(*currency, *on, *held_on),
            Self::RateTakenBack { currency, on, taken_on } => {
                rates::rate_taken_back(*currency, *on, *taken_on)
            }
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
    pub fn prose(&self, language: impl Into<ReaderLanguage>) -> String {
        let language = language.into();
        if let Some(Ok(sentence)) = worded::sentence(self, language) {
            return sentence;
        }
        // They stand with the reasons; or `benefactor check` tells what is wrong, and another language is better than nothing.
        let own = language.of_answers();
        self.told().sentence(own, &|day| naming::day(day, own))
    }
}

/// Whether a language whose sentences are in its folder has one for every reason, and for no other.
///
/// # Errors
/// The first that lacks, that asks for what its reason does not have, or that there is no reason for.
pub fn check_sentences(language: ReaderLanguage) -> Result<(), TextFault> {
    let samples = samples();
    for sample in &samples {
        worded::sentence(sample, language).transpose()?;
    }
    let known = |code: &str| samples.iter().any(|sample| sample.code() == code);
    match worded::codes(language).into_iter().find(|code| !known(code)) {
        Some(code) => Err(TextFault {
            file: format!("{}/reasons.toml", language.tag()),
            problem: format!("there is no reason \"{code}\""),
        }),
        None => Ok(()),
    }
}

/// One of every reason, with arguments as they might be, subject by subject.
#[must_use]
pub fn samples() -> Vec<Reason> {
    [
        cells::samples(),
        notation::samples(),
        portals::samples(),
        changes::samples(),
        requests::samples(),
        assignments::samples(),
        keys::samples(),
        activations::samples(),
        credit::samples(),
        rates::samples(),
        snapshots::samples(),
    ]
    .concat()
}

/// One thing wrong with (or remarkable about) a row: the column and its value, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The canonical column name; empty when it is the row as a whole.
    pub column: String,
    /// The cell as it was written.
    pub value: String,
    /// What about it.
    pub reason: Reason,
}

impl Problem {
    /// A problem with one cell.
    #[must_use]
    pub fn at(column: &str, value: &str, reason: Reason) -> Self {
        Self { column: column.to_owned(), value: value.to_owned(), reason }
    }

    /// A problem with the row as a whole.
    #[must_use]
    pub const fn of_row(reason: Reason) -> Self {
        Self { column: String::new(), value: String::new(), reason }
    }
}

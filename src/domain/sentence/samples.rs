//! One of every reason: what a list of them shows, and what the tests hold every language to.

use chrono::NaiveDate;

use super::super::{
    directory_user::Role,
    draw::Unit,
    money::Currency,
    reason::{Expected, Reason},
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

/// A reason with arguments as they might be.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The reason.
    pub reason: Reason,
    /// The rules that it comes from, joined by `, `; empty where every file has it.
    pub rules: &'static str,
    /// What it is said of.
    pub said: Said,
}

const fn refusal(rules: &'static str, reason: Reason) -> Sample {
    Sample { reason, rules, said: Said::Refusal }
}

const fn waits(rules: &'static str, reason: Reason) -> Sample {
    Sample { reason, rules, said: Said::Waiting }
}

const fn remark(rules: &'static str, reason: Reason) -> Sample {
    Sample { reason, rules, said: Said::Remark }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_default()
}

/// One of every reason, in the order of their declaration.
#[expect(clippy::too_many_lines, reason = "a line each")]
#[must_use]
pub fn samples() -> Vec<Sample> {
    let sek = Currency::parse("SEK").unwrap_or(Currency::USD);
    let (column, text) = (|| "purchased_on".to_owned(), |value: &str| value.to_owned());
    vec![
        refusal("", Reason::Missing),
        refusal("", Reason::Invalid { expected: Expected::Date }),
        refusal("", Reason::WrongFieldCount { expected: 11, found: 10 }),
        refusal("", Reason::EndsBeforeStart),
        refusal("", Reason::StartsBeforePurchase),
        refusal("", Reason::UnknownPartner),
        refusal("", Reason::OtherPartner { partner_id: text("4711") }),
        refusal("", Reason::UnknownOrder),
        refusal("D5", Reason::OrderOfAnotherPartner),
        refusal("", Reason::UnknownBenefit),
        refusal("", Reason::UnknownUser),
        refusal("R1", Reason::UserDisabled),
        refusal("D5", Reason::OrderMismatch { column: column(), expected: text("2024-01-31") }),
        refusal("D16", Reason::AlreadyGranted { column: text("amount"), expected: String::new() }),
        refusal("D16", Reason::AlreadyEnded { ended_on: day("2024-03-01") }),
        refusal("D16", Reason::ConflictsWithEarlier { column: text("amount"), expected: text("12.50") }),
        refusal("D4", Reason::CurrencyNotAccepted { expected: sek }),
        remark("D12", Reason::DiffersFromCatalogue { column: text("quantity"), expected: text("5") }),
        refusal("D12", Reason::NoAmount),
        refusal(
            "D1",
            Reason::RequestedInFuture {
                received_on: day("2024-02-01"),
                requested_on: Some(day("2024-02-03")),
            },
        ),
        waits("D1", Reason::WaitsForOperator { earliest_on: day("2024-01-25") }),
        waits("D1", Reason::DecidedAtNight { night_of: day("2024-02-02") }),
        refusal("R1", Reason::NotAssignable),
        refusal(
            "D5",
            Reason::OutsideBenefitDates {
                on: Some(day("2024-01-15")),
                starts_on: day("2024-01-31"),
                ends_on: day("2025-01-30"),
            },
        ),
        refusal("R8", Reason::ContactIsAccount),
        refusal("R1", Reason::AlreadyAssigned),
        refusal("R1", Reason::NotAssigned),
        refusal("R2", Reason::BulkNeverRemoved),
        refusal("R2", Reason::BulkAlreadyAssigned { user: text("anna@nordvik.example") }),
        refusal("D15", Reason::NotACredit),
        refusal("D15", Reason::UsageCurrencyDiffers { expected: sek }),
        refusal("D15", Reason::OutsideCredit { from: day("2024-01-31"), until: day("2025-01-31") }),
        refusal("D5", Reason::RenewedTooEarly { earliest_on: day("2025-01-31") }),
        refusal("D5", Reason::RenewedTooLate { latest_on: day("2025-03-02") }),
        refusal("D5", Reason::NewOrderTaken),
        refusal("R9, D7", Reason::RefundWindowPassed { latest_on: day("2024-03-01") }),
        refusal("R9, D7", Reason::RequestedBeforePurchase { earliest_on: day("2024-01-31") }),
        refusal(
            "R9, D7",
            Reason::RefundBlocked {
                event: text("software_key_revealed"),
                benefit: text("software"),
                on: day("2024-02-10"),
            },
        ),
        refusal(
            "",
            Reason::RoleMissing {
                roles: vec![Role::GlobalAdmin, Role::MpnPartnerAdmin],
                held_by: vec![text("bo@nordvik.example")],
            },
        ),
        refusal("R1", Reason::GuestNotAllowed),
        refusal("R2", Reason::NotTransferable),
        refusal("R4", Reason::NotReassignable),
        refusal("R2, R4", Reason::SameUser),
        refusal(
            "R2",
            Reason::TransferOutsideYear { starts_on: day("2024-01-31"), latest_on: day("2025-01-30") },
        ),
        refusal(
            "R2, D14",
            Reason::BulkBlocked { agreement: text("csp"), earliest_on: Some(day("2024-06-01")) },
        ),
        refusal("D9", Reason::NoSeatLeft { seats: 5 }),
        refusal("R4, D9", Reason::SeatOpensLater { earliest_on: day("2024-04-30") }),
        refusal(
            "R4, D9",
            Reason::ReassignedTooEarly { assigned_on: day("2024-01-31"), earliest_on: day("2024-04-30") },
        ),
        refusal("D12", Reason::CapReached { country: Some(text("SE")), cap: 25, wanted: 26 }),
        refusal("D7", Reason::OrderFrozen { request_id: text("SR-1") }),
        refusal("R5", Reason::NotRevealable),
        refusal("R3", Reason::NotRedeemable),
        refusal("R3, R5", Reason::UnknownKey),
        refusal("R3, R5", Reason::NoKeyLeft),
        refusal("R3", Reason::KeyRedeemed { redeemed_on: day("2024-02-10") }),
        refusal("R3, R5", Reason::KeyOfAnotherBenefit),
        refusal("D8", Reason::KeyWithoutSeats),
        refusal("R3", Reason::TenantUnknown),
        refusal("R3", Reason::WrongTenant { expected: text("3f2504e0-4f89-11d3-9a0c-0305e82c3301") }),
        refusal("R3", Reason::TenantPinned { expected: text("3f2504e0-4f89-11d3-9a0c-0305e82c3301") }),
        refusal("R3, D8", Reason::SubscriptionLive { seats: 25, ends_on: day("2025-02-10") }),
        refusal("R3, D8", Reason::NoLiveSubscription),
        refusal("D8", Reason::ExtendsTooMuch { seats: 100, most: 75 }),
        refusal("R5, R6, R8", Reason::NotActivatable),
        refusal("R5, R6, R8", Reason::AlreadyActivated { activated_on: day("2024-02-10") }),
        refusal("R8", Reason::ContactMissing),
        refusal("R8", Reason::EndsBeforeLive { live_on: day("2025-01-31"), ends_on: day("2025-01-30") }),
        refusal("R6, R7", Reason::NoBenefitsYet),
        refusal("R6, R7", Reason::NotEnoughLeft { unit: Unit::Hours, wanted: 150, left: 90 }),
        refusal("R6", Reason::UnknownProduct),
        refusal("R6", Reason::ProductNotCovered),
        refusal("R6", Reason::VersionNotSupported { supported: vec![text("2019"), text("2022")] }),
        refusal("R6", Reason::SupportNotActivated),
        refusal("R6", Reason::WrongSupportId),
        remark("D14", Reason::AgreementNotListed),
        remark("D14", Reason::BulkStays { order_id: text("ORD-1"), benefit: text("azure_bulk_credit") }),
        refusal("D11", Reason::ActivateByPassed { latest_on: day("2024-04-30") }),
        remark("R3, R5", Reason::KeyNamed { key_ref: text("K17") }),
        remark("R3, D8", Reason::SubscriptionNow { seats: 50, ends_on: day("2024-10-10") }),
        remark("R6", Reason::SupportIds { access_id: text("1000000017"), contract_id: text("2000000031") }),
        remark("R6, R7", Reason::LeftOver { unit: Unit::Incidents, left: 9 }),
        remark("R8", Reason::GoesLive { live_on: day("2024-02-13"), until: day("2025-01-30") }),
        waits("D4", Reason::RateMissing { currency: sek, on: day("2024-01-31") }),
        waits(
            "D4",
            Reason::RateTooOld { currency: sek, on: day("2024-01-31"), published_on: day("2024-01-20") },
        ),
    ]
}

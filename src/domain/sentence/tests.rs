use std::collections::BTreeSet;

use super::super::{directory_user::Role, draw::Unit, money::Currency};
use super::*;

const LANGUAGES: [Language; 2] = [Language::English, Language::Swedish];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// One of every reason, in the order of their declaration.
#[expect(clippy::too_many_lines, reason = "a line each")]
fn samples() -> Vec<Reason> {
    let sek = Currency::parse("SEK").unwrap();
    let (column, text) = (|| "purchased_on".to_owned(), |value: &str| value.to_owned());
    vec![
        Reason::Missing,
        Reason::Invalid { expected: Expected::Date },
        Reason::WrongFieldCount { expected: 11, found: 10 },
        Reason::EndsBeforeStart,
        Reason::StartsBeforePurchase,
        Reason::UnknownPartner,
        Reason::OtherPartner { partner_id: text("4711") },
        Reason::UnknownOrder,
        Reason::OrderOfAnotherPartner,
        Reason::UnknownBenefit,
        Reason::UnknownUser,
        Reason::UserDisabled,
        Reason::OrderMismatch { column: column(), expected: text("2024-01-31") },
        Reason::AlreadyGranted { column: text("amount"), expected: String::new() },
        Reason::AlreadyEnded { ended_on: day("2024-03-01") },
        Reason::ConflictsWithEarlier { column: text("amount"), expected: text("12.50") },
        Reason::CurrencyNotAccepted { expected: sek },
        Reason::DiffersFromCatalogue { column: text("quantity"), expected: text("5") },
        Reason::NoAmount,
        Reason::RequestedInFuture { received_on: day("2024-02-01") },
        Reason::WaitsForOperator { earliest_on: day("2024-01-25") },
        Reason::DecidedAtNight { night_of: day("2024-02-02") },
        Reason::NotAssignable,
        Reason::OutsideBenefitDates { starts_on: day("2024-01-31"), ends_on: day("2025-01-30") },
        Reason::ContactIsAccount,
        Reason::AlreadyAssigned,
        Reason::NotAssigned,
        Reason::BulkNeverRemoved,
        Reason::BulkAlreadyAssigned { user: text("anna@nordvik.example") },
        Reason::NotACredit,
        Reason::UsageCurrencyDiffers { expected: sek },
        Reason::OutsideCredit { from: day("2024-01-31"), until: day("2025-01-31") },
        Reason::RenewedTooEarly { earliest_on: day("2025-01-31") },
        Reason::RenewedTooLate { latest_on: day("2025-03-02") },
        Reason::NewOrderTaken,
        Reason::RefundWindowPassed { latest_on: day("2024-03-01") },
        Reason::RequestedBeforePurchase { earliest_on: day("2024-01-31") },
        Reason::RefundBlocked {
            event: text("software_key_revealed"),
            benefit: text("software"),
            on: day("2024-02-10"),
        },
        Reason::RoleMissing {
            roles: vec![Role::GlobalAdmin, Role::MpnPartnerAdmin],
            held_by: vec![text("bo@nordvik.example")],
        },
        Reason::GuestNotAllowed,
        Reason::NotTransferable,
        Reason::NotReassignable,
        Reason::SameUser,
        Reason::TransferOutsideYear { starts_on: day("2024-01-31"), latest_on: day("2025-01-30") },
        Reason::BulkBlocked { agreement: text("csp"), earliest_on: Some(day("2024-06-01")) },
        Reason::NoSeatLeft { seats: 5 },
        Reason::SeatOpensLater { earliest_on: day("2024-04-30") },
        Reason::ReassignedTooEarly { assigned_on: day("2024-01-31"), earliest_on: day("2024-04-30") },
        Reason::CapReached { country: Some(text("SE")), cap: 25, wanted: 26 },
        Reason::OrderFrozen { request_id: text("SR-1") },
        Reason::NotRevealable,
        Reason::NotRedeemable,
        Reason::UnknownKey,
        Reason::NoKeyLeft,
        Reason::KeyRedeemed { redeemed_on: day("2024-02-10") },
        Reason::KeyOfAnotherBenefit,
        Reason::KeyWithoutSeats,
        Reason::TenantUnknown,
        Reason::WrongTenant { expected: text("3f2504e0-4f89-11d3-9a0c-0305e82c3301") },
        Reason::TenantPinned { expected: text("3f2504e0-4f89-11d3-9a0c-0305e82c3301") },
        Reason::SubscriptionLive { seats: 25, ends_on: day("2025-02-10") },
        Reason::NoLiveSubscription,
        Reason::ExtendsTooMuch { seats: 100, most: 75 },
        Reason::NotActivatable,
        Reason::AlreadyActivated { activated_on: day("2024-02-10") },
        Reason::ContactMissing,
        Reason::EndsBeforeLive { live_on: day("2025-01-31"), ends_on: day("2025-01-30") },
        Reason::NoBenefitsYet,
        Reason::NotEnoughLeft { unit: Unit::Hours, wanted: 150, left: 90 },
        Reason::UnknownProduct,
        Reason::ProductNotCovered,
        Reason::VersionNotSupported { supported: vec![text("2019"), text("2022")] },
        Reason::SupportNotActivated,
        Reason::WrongSupportId,
        Reason::AgreementNotListed,
        Reason::BulkStays { order_id: text("ORD-1"), benefit: text("azure_bulk_credit") },
        Reason::ActivateByPassed { latest_on: day("2024-04-30") },
        Reason::KeyNamed { key_ref: text("K17") },
        Reason::SubscriptionNow { seats: 50, ends_on: day("2024-10-10") },
        Reason::SupportIds { access_id: text("1000000017"), contract_id: text("2000000031") },
        Reason::LeftOver { unit: Unit::Incidents, left: 9 },
        Reason::GoesLive { live_on: day("2024-02-13"), until: day("2025-01-30") },
        Reason::RateMissing { currency: sek, on: day("2024-01-31") },
        Reason::RateTooOld { currency: sek, on: day("2024-01-31"), published_on: day("2024-01-20") },
    ]
}

/// The names that serde knows of an enum: it lists them when it is given another.
fn every_name<T: serde::de::DeserializeOwned + std::fmt::Debug>(
    other: serde_json::Value,
) -> BTreeSet<String> {
    let complaint = serde_json::from_value::<T>(other).unwrap_err().to_string();
    let (_, names) = complaint.split_once("expected one of ").unwrap();
    names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

#[test]
fn the_samples_hold_every_reason_once() {
    let samples = samples();
    let codes: BTreeSet<String> = samples.iter().map(|reason| reason.code().to_owned()).collect();
    assert_eq!(codes, every_name::<Reason>(serde_json::json!({"code": "?"})));
    assert_eq!(codes.len(), samples.len());
}

#[test]
fn d13_every_reason_is_one_sentence_of_its_own_in_both_languages() {
    let mut seen = BTreeSet::new();
    for language in LANGUAGES {
        for reason in samples() {
            let sentence = reason.sentence(language);
            assert_ne!(sentence, reason.code(), "no words in {}", language.tag());
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{sentence}");
            assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
            assert!(!sentence.contains(char::is_control), "{sentence}");
            assert!(seen.insert(sentence.clone()), "said twice: {sentence}");
        }
    }
}

#[test]
fn every_column_type_has_a_phrase_of_its_own_in_both_languages() {
    let names = every_name::<Expected>(serde_json::json!("?"));
    for language in LANGUAGES {
        let phrases: BTreeSet<&str> = names
            .iter()
            .map(|name| serde_json::from_value::<Expected>(name.as_str().into()).unwrap().phrase(language))
            .collect();
        assert_eq!(phrases.len(), names.len());
        assert!(phrases.iter().all(|phrase| !phrase.is_empty()));
    }
}

#[test]
fn r9_a_refusal_says_until_when_it_could_have_been_asked_for() {
    let late = Reason::RefundWindowPassed { latest_on: day("2024-03-01") };
    assert_eq!(
        late.sentence(Language::English),
        "A refund could be asked for through 2024-03-01, and that day has passed."
    );
    assert_eq!(
        late.prose(Language::Swedish),
        "Återbetalning kunde begäras till och med 1\u{a0}mars\u{a0}2024, och den dagen har passerat."
    );
}

#[test]
fn d15_a_half_open_span_is_said_with_its_last_day() {
    let outside = Reason::OutsideCredit { from: day("2024-01-31"), until: day("2024-02-29") };
    assert_eq!(
        outside.sentence(Language::English),
        "This credit runs from 2024-01-31 through 2024-02-28; correct the date of use."
    );
}

#[test]
fn d13_when_a_no_becomes_a_yes_is_said_in_words() {
    assert_eq!(Earliest::On(day("2024-03-01")).phrase(Language::English), "from 2024-03-01");
    assert_eq!(Earliest::On(day("2024-03-01")).phrase(Language::Swedish), "från och med 2024-03-01");
    assert_eq!(Earliest::Never.phrase(Language::Swedish), "aldrig");
    assert_eq!(Earliest::WhenCorrected.phrase(Language::English), "once it is corrected");
}

//! Reasons in English.

use super::super::{calendar::sub_days, language::Language::English, money::Currency, naming};
use super::{Day, Expected, Reason};

/// The sentence; `None` when the reason has no words here, which the tests refuse.
pub(super) fn reason(reason: &Reason, day: Day<'_>) -> Option<String> {
    cell(reason)
        .or_else(|| reference(reason))
        .or_else(|| change(reason, day))
        .or_else(|| request(reason, day))
        .or_else(|| assignment(reason, day))
        .or_else(|| usage(reason, day))
        .or_else(|| renewal(reason, day))
        .or_else(|| cancellation(reason, day))
        .or_else(|| waiting(reason, day))
}

fn cell(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::Missing => "This cell is required and is empty; fill it in.".to_owned(),
        Reason::Invalid { expected } => {
            format!("The value must be {}; correct the cell.", self::expected(*expected))
        }
        Reason::WrongFieldCount { expected, found } => format!(
            "The row has {found} fields where the header has {expected}; check its delimiters and quotes."
        ),
        Reason::EndsBeforeStart => {
            "The benefit ends before it starts; correct starts_on or expires_on.".to_owned()
        }
        Reason::StartsBeforePurchase => {
            "The benefit starts before it was bought; correct starts_on or purchased_on.".to_owned()
        }
        _ => return None,
    })
}

fn reference(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::UnknownPartner => {
            "No partner with this ID is known; correct the ID, or import the partner first.".to_owned()
        }
        Reason::OtherPartner { partner_id } => format!(
            "This file is partner {partner_id}'s and cannot hold another partner's rows; \
             move the row to that partner's own file."
        ),
        Reason::UnknownOrder => {
            "This partner has no such order; correct the order ID, or import its entitlements first."
                .to_owned()
        }
        Reason::OrderOfAnotherPartner => {
            "This order belongs to another partner; correct the order ID or the partner ID.".to_owned()
        }
        Reason::UnknownBenefit => {
            "The order has no such benefit; correct the benefit code, or import the entitlement first."
                .to_owned()
        }
        Reason::UnknownUser => {
            "Nobody in the partner's directory has this object ID or user principal name; \
             correct it, or import the directory's users first."
                .to_owned()
        }
        Reason::UserDisabled => {
            "This directory user is disabled; enable the account, or name somebody else.".to_owned()
        }
        _ => return None,
    })
}

fn change(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::OrderMismatch { column, expected } => format!(
            "All rows of an order must agree, and the others have {} in {column}; correct this row.",
            shown(expected)
        ),
        Reason::AlreadyGranted { column, expected } => format!(
            "Credit has been granted with {} in {column}, which can no longer change; restore that value.",
            shown(expected)
        ),
        Reason::AlreadyEnded { ended_on } => format!(
            "This ended, with {} as its last usable day, and no file can revive it; what follows needs a new order.",
            day(*ended_on)
        ),
        Reason::ConflictsWithEarlier { column, expected } => format!(
            "The same event is already on record with {} in {column}; \
             restore that value, or give a different event a key of its own.",
            shown(expected)
        ),
        Reason::CurrencyNotAccepted { expected: Currency::USD } => {
            "The amount must be in USD; correct the currency.".to_owned()
        }
        Reason::CurrencyNotAccepted { expected } => format!(
            "The amount must be in USD or in the partner's own currency, {expected}; correct the currency."
        ),
        Reason::DiffersFromCatalogue { column, expected } => format!(
            "Taken in as written, although the catalogue has {} for {column}; check which of them is right.",
            shown(expected)
        ),
        Reason::NoAmount => {
            "Neither the row nor the catalogue says how much this credit is; fill in amount and currency."
                .to_owned()
        }
        _ => return None,
    })
}

fn request(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::RequestedInFuture { received_on } => format!(
            "The request is dated later than {}, the day it arrived; \
             correct the date, or send it again when that day has come.",
            day(*received_on)
        ),
        Reason::WaitsForOperator { earliest_on } => format!(
            "The request is dated before {}, too long ago to be taken in unseen; \
             it waits until the operator has decided on it.",
            day(*earliest_on)
        ),
        Reason::DecidedAtNight { night_of } => format!("Recorded; the night of {} decides.", day(*night_of)),
        _ => return None,
    })
}

fn assignment(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::NotAssignable => {
            "This kind of benefit is not assigned to users; leave the row out.".to_owned()
        }
        Reason::OutsideBenefitDates { starts_on, ends_on } => format!(
            "The benefit can be used from {} through {}; choose a date between them.",
            day(*starts_on),
            day(*ends_on)
        ),
        Reason::ContactIsAccount => "The marketing contact's e-mail must differ from the partner's account e-mail; name another address.".into(),
        Reason::AlreadyAssigned => {
            "The user is assigned to this benefit already; nothing needs to be done.".into()
        }
        Reason::NotAssigned => {
            "The user is not assigned to this benefit, so there is nothing to remove; check the user."
                .to_owned()
        }
        Reason::BulkNeverRemoved => {
            "Azure bulk credit can never be removed from its user; transfer it to another user instead."
                .to_owned()
        }
        Reason::BulkAlreadyAssigned { user } => format!(
            "Azure bulk credit has one user only, at present {user}; transfer it instead of assigning it."
        ),
        _ => return None,
    })
}

fn usage(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::NotACredit => {
            "This benefit is not a credit, so nothing can be drawn from it; correct the benefit code."
                .to_owned()
        }
        Reason::UsageCurrencyDiffers { expected } => {
            format!("This credit is in {expected}; state the usage in {expected}.")
        }
        Reason::OutsideCredit { from, until } => format!(
            "This credit runs from {} through {}; correct the date of use.",
            day(*from),
            day(sub_days(*until, 1))
        ),
        _ => return None,
    })
}

fn renewal(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::RenewedTooEarly { earliest_on } => format!(
            "A renewal takes effect on the anniversary date, {}, at the earliest; date it then or later.",
            day(*earliest_on)
        ),
        Reason::RenewedTooLate { latest_on } => format!(
            "The last day to renew this membership was {}; what follows needs a new purchase.",
            day(*latest_on)
        ),
        Reason::NewOrderTaken => {
            "The new order ID is already another membership's; give the ID of the renewal's own order."
                .to_owned()
        }
        _ => return None,
    })
}

fn cancellation(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::RefundWindowPassed { latest_on } => {
            format!("A refund could be asked for through {}, and that day has passed.", day(*latest_on))
        }
        Reason::RequestedBeforePurchase { earliest_on } => format!(
            "The order was bought on {}, later than the request is dated; send it again with the right date.",
            day(*earliest_on)
        ),
        Reason::RefundBlocked { event, benefit, on } => {
            let benefit = naming::benefit(benefit, English);
            let done = match event.as_str() {
                "software_key_revealed" => format!("{benefit}: a product key was revealed"),
                "software_key_redeemed" => format!("{benefit}: a product key was redeemed"),
                "software_activated" => format!("{benefit}: it was activated"),
                "any_benefit_used" => format!("{benefit}: it was used"),
                other => format!("{benefit}: {}", other.replace('_', " ")),
            };
            format!("{done} on {}, and an order cannot be refunded after that.", day(*on))
        }
        _ => return None,
    })
}

fn waiting(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::RateMissing { currency, on } => format!(
            "The exchange rate of {currency} for {} is not final; \
             the grant waits until a reference rate of that day or a later one is imported.",
            day(*on)
        ),
        Reason::RateTooOld { currency, on, published_on } => format!(
            "The last exchange rate of {currency} before {} is of {}, which is too old; \
             the grant waits until a newer reference rate is imported.",
            day(*on),
            day(*published_on)
        ),
        _ => return None,
    })
}

/// A recorded value as it stands in the sentence.
fn shown(value: &str) -> String {
    if value.is_empty() { "nothing".to_owned() } else { format!("“{value}”") }
}

/// What a column asks for, to follow "must be".
pub(super) const fn expected(expected: Expected) -> &'static str {
    match expected {
        Expected::Digits => "digits only",
        Expected::Quantity => "a whole number, zero or more",
        Expected::Date => "a date written YYYY-MM-DD",
        Expected::DateOrInstant => "a date written YYYY-MM-DD, or an instant such as 2024-01-31T09:30:00Z",
        Expected::Amount => "an amount with a decimal point, no more decimals than the currency has",
        Expected::Currency => "a three-letter currency code such as SEK",
        Expected::Country => "a two-letter country code such as SE",
        Expected::Email => "an e-mail address",
        Expected::Language => "a language tag such as en or sv-SE",
        Expected::Phone => "a telephone number such as +46 8 123 456",
        Expected::Guid => "a GUID such as 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        Expected::Flag => "true or false",
        Expected::UserType => "Member or Guest",
        Expected::Role => "a role, or several joined by +",
        Expected::Offer => "one of the offers: action_pack, silver, gold, isv_cosell_ready",
        Expected::Benefit => "a benefit code such as azure_monthly_credit or license_subscription/office_365",
        Expected::BenefitType => "core or incremental",
        Expected::Action => "an action that this kind of file has",
        Expected::RequestKind => "a kind of service request that is taken in",
        Expected::Text => "text of moderate length without control characters",
        Expected::Rate => "a positive decimal number",
    }
}

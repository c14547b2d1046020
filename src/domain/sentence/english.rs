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
        .or_else(|| entitled(reason))
        .or_else(|| seat(reason, day))
        .or_else(|| key(reason, day))
        .or_else(|| activation(reason, day))
        .or_else(|| remark(reason, day))
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
        Reason::RequestedInFuture { received_on, .. } => format!(
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
        Reason::OutsideBenefitDates { starts_on, ends_on, .. } => format!(
            "The benefit can be used from {} through {}; choose a date between them.",
            day(*starts_on),
            day(*ends_on)
        ),
        Reason::ContactIsAccount => "The marketing contact's e-mail must differ from the partner's account e-mail; name another address.".into(),
        Reason::AlreadyAssigned => {
            "The user is assigned to this benefit already; nothing needs to be done.".into()
        }
        Reason::NotAssigned => {
            "The user is not assigned to this benefit on that day; check the user."
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

fn entitled(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::RoleMissing { roles, held_by } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            let holders = if held_by.is_empty() {
                "nobody at this partner holds it".to_owned()
            } else {
                format!("at this partner: {}", held_by.join(", "))
            };
            format!("This needs the role {}; {holders}. Let one of them ask.", roles.join(" or "))
        }
        Reason::GuestNotAllowed => {
            "This directory user is a guest, and guests are not assigned to here; name a member.".to_owned()
        }
        _ => return None,
    })
}

fn seat(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::NotTransferable => {
            "Only Azure bulk credit is transferred; assign and remove other benefits.".to_owned()
        }
        Reason::NotReassignable => {
            "Only Visual Studio seats are reassigned; assign and remove, or transfer, other benefits."
                .to_owned()
        }
        Reason::SameUser => "Both users are the same; name another one in to_user.".to_owned(),
        Reason::TransferOutsideYear { starts_on, latest_on } => format!(
            "Bulk credit can be transferred in its enrolment year only, from {} through {}.",
            day(*starts_on),
            day(*latest_on)
        ),
        Reason::BulkBlocked { agreement, earliest_on: Some(earliest_on) } => format!(
            "Azure bulk credit cannot be combined with {}; it can be used from {}.",
            naming::agreement(agreement),
            day(*earliest_on)
        ),
        Reason::BulkBlocked { agreement, earliest_on: None } => format!(
            "Azure bulk credit cannot be combined with {}, which outlasts it.",
            naming::agreement(agreement)
        ),
        Reason::NoSeatLeft { seats } => {
            format!("No seat of {seats} is free; free one, or reassign one.")
        }
        Reason::SeatOpensLater { earliest_on } => {
            format!("A seat was freed, and opens to another user on {}.", day(*earliest_on))
        }
        Reason::ReassignedTooEarly { assigned_on, earliest_on } => format!(
            "The seat was assigned on {} and can be reassigned from {}.",
            day(*assigned_on),
            day(*earliest_on)
        ),
        Reason::CapReached { country, cap, wanted } => {
            let place = country.as_ref().map_or_else(|| "in all".to_owned(), |code| format!("in {code}"));
            format!(
                "This would make {wanted} Visual Studio seats {place}, where the partner's group may have {cap}."
            )
        }
        Reason::ActivateByPassed { latest_on } => {
            format!("Nobody was assigned to this credit through {}, so it was closed.", day(*latest_on))
        }
        _ => return None,
    })
}

fn key(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::OrderFrozen { request_id } => format!(
            "Cancellation {request_id} of this order is being decided; \
             until then nothing is revealed, redeemed or activated."
        ),
        Reason::NotRevealable => "Only software and licence subscriptions have keys to reveal.".to_owned(),
        Reason::NotRedeemable => "Only keys of licence subscriptions are redeemed.".to_owned(),
        Reason::UnknownKey => {
            "The benefit has no such key; take the name from the export of keys, or leave the cell empty."
                .to_owned()
        }
        Reason::NoKeyLeft => "No key of this benefit is left; import more of them.".to_owned(),
        Reason::KeyRedeemed { redeemed_on } => format!(
            "The key was redeemed on {}, and a redeemed key can never be redeemed again; use another key.",
            day(*redeemed_on)
        ),
        Reason::KeyOfAnotherBenefit => {
            "The same key is in the store for another benefit; check which of them it belongs to.".to_owned()
        }
        Reason::KeyWithoutSeats => {
            "It is not known for how many seats this key is; import it again with its seats.".to_owned()
        }
        Reason::TenantUnknown => {
            "The partner's own tenant is not known; import the partner with its tenant_id first.".to_owned()
        }
        Reason::WrongTenant { expected } => {
            format!("Keys are redeemed onto the partner's own tenant, {expected}, and no other.")
        }
        Reason::TenantPinned { expected } => {
            format!("Keys were redeemed onto tenant {expected}, which can no longer change; restore it.")
        }
        Reason::SubscriptionLive { seats, ends_on } => format!(
            "There is a live subscription of {seats} seats through {}; choose add_seats or extend.",
            day(sub_days(*ends_on, 1))
        ),
        Reason::NoLiveSubscription => {
            "There is no live subscription to add to or to extend; choose new.".to_owned()
        }
        Reason::ExtendsTooMuch { seats, most } => format!(
            "A key of {seats} seats cannot extend this subscription, for which {most} is the most; add its seats."
        ),
        _ => return None,
    })
}

fn activation(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::NotActivatable => "This benefit is not activated: credit and seats are assigned, licence keys are redeemed, \
             hours are asked for."
            .to_owned(),
        Reason::AlreadyActivated { activated_on } => {
            format!("This was activated on {}; nothing needs to be done.", day(*activated_on))
        }
        Reason::ContactMissing => {
            "The partner has no marketing contact, who must be set before an offer is activated.".to_owned()
        }
        Reason::EndsBeforeLive { live_on, ends_on } => format!(
            "The offer ends on {}, and activated now it would be live only from {}.",
            day(*ends_on),
            day(*live_on)
        ),
        Reason::NoBenefitsYet => "Looks like you don't have any benefits yet. Either the partner has no active offer that \
             brings this benefit, or this is not the account that has it."
            .to_owned(),
        Reason::NotEnoughLeft { unit, wanted, left } => format!(
            "The request is for {}, and {} are left.",
            naming::units(*unit, *wanted, English),
            naming::units(*unit, *left, English)
        ),
        Reason::UnknownProduct => {
            "The catalogue has no such product; correct its name.".to_owned()
        }
        Reason::ProductNotCovered => {
            "Product support is for on-premises products, cloud support for online services; choose the other kind."
                .to_owned()
        }
        Reason::VersionNotSupported { supported } if supported.is_empty() => {
            "No version of this product is supported on that day.".to_owned()
        }
        Reason::VersionNotSupported { supported } => {
            format!("Only the current and the previous version are supported: {}.", supported.join(", "))
        }
        Reason::SupportNotActivated => {
            "Support of this order was not activated, so it has no Access ID and no Contract ID; activate it first."
                .to_owned()
        }
        Reason::WrongSupportId => {
            "This ID is not the one of the partner's support; take it from the answer to the activation.".to_owned()
        }
        _ => return None,
    })
}

fn remark(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::AgreementNotListed => {
            "Taken in; this agreement does not exclude Azure bulk credit.".to_owned()
        }
        Reason::BulkStays { order_id, benefit } => format!(
            "{} of {order_id} was granted and stays; it is no longer assigned or transferred.",
            naming::benefit(benefit, English)
        ),
        Reason::KeyNamed { key_ref } => format!("It is key {key_ref}."),
        Reason::SubscriptionNow { seats, ends_on } => {
            format!("The subscription has {seats} seats now and ends on {}.", day(*ends_on))
        }
        Reason::SupportIds { access_id, contract_id } => {
            format!("Access ID {access_id}, Contract ID {contract_id}.")
        }
        Reason::LeftOver { unit, left } => {
            format!("Left: {}.", naming::units(*unit, *left, English))
        }
        Reason::GoesLive { live_on, until } => {
            format!("The offer is live from {} through {}.", day(*live_on), day(*until))
        }
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
        Expected::Positive => "a whole number above zero",
        Expected::Key => "a product key: letters, digits and hyphens, at least eight of them",
        Expected::KeyRef => "the name of a key such as K17",
        Expected::RedeemMode => "new, add_seats or extend",
        Expected::Hours => "hours such as 1.5, in whole minutes",
        Expected::Url => "a web address beginning with https://",
    }
}

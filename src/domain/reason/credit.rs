//! What a grant waits for, and what usage of credit is refused for (D4, D11, D15).

use super::super::{calendar::sub_days, money::Currency};
use super::{
    samples::{day, sek},
    told::{Told, never, refusal, waits},
    variants::Reason,
};
use chrono::NaiveDate;

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::NotACredit,
        Reason::UsageCurrencyDiffers { expected: sek() },
        Reason::OutsideCredit { from: day("2024-01-31"), until: day("2025-01-31") },
        Reason::ActivateByPassed { latest_on: day("2024-04-30") },
        Reason::AmountTooLarge { currency: sek() },
        Reason::TooManyDecimals { currency: sek(), places: 2 },
        Reason::StatedUnpublished { on: day("2024-01-30") },
        Reason::NoEarlierRate { currency: sek(), on: day("2024-01-31") },
        Reason::RatesIncomplete {
            currency: sek(),
            on: day("2024-01-31"),
            missing_on: day("2024-01-30"),
            days: 2,
        },
        Reason::RateMissing { currency: sek(), on: day("2024-01-31") },
        Reason::RateTooOld { currency: sek(), on: day("2024-01-31"), published_on: day("2024-01-20") },
    ]
}

pub(super) fn not_a_credit() -> Told<'static> {
    never("D15").plain(
        "This benefit is not a credit, so nothing can be drawn from it; correct the benefit \
        code.",
        "Förmånen är ingen kredit, så inget kan dras från den; rätta förmånskoden.",
    )
}

pub(super) fn usage_currency_differs(expected: Currency) -> Told<'static> {
    refusal("D15").words(
        move |_| format!("This credit is in {expected}; state the usage in {expected}."),
        move |_| format!("Krediten är i {expected}; ange förbrukningen i {expected}."),
    )
}

pub(super) fn outside_credit(from: NaiveDate, until: NaiveDate) -> Told<'static> {
    refusal("D15").words(
        move |day| {
            format!(
                "This credit runs from {} through {}; correct the date of use.",
                day(from),
                day(sub_days(until, 1))
            )
        },
        move |day| {
            format!(
                "Krediten gäller från och med {} till och med {}; rätta förbrukningsdatumet.",
                day(from),
                day(sub_days(until, 1))
            )
        },
    )
}

pub(super) fn activate_by_passed(latest_on: NaiveDate) -> Told<'static> {
    never("D11").words(
        move |day| {
            format!("Nobody was assigned to this credit through {} (UTC), so it was closed.", day(latest_on))
        },
        move |day| {
            format!("Ingen tilldelades krediten till och med {} (UTC), så den stängdes.", day(latest_on))
        },
    )
}

pub(super) fn amount_too_large(currency: Currency) -> Told<'static> {
    refusal("D4").words(
        move |_| format!("The amount is more than can be kept in {currency}; correct amount or quantity."),
        move |_| {
            format!("Beloppet är större än vad som kan bokföras i {currency}; rätta beloppet eller antalet.")
        },
    )
}

pub(super) fn too_many_decimals(currency: Currency, places: u32) -> Told<'static> {
    refusal("D4").words(
        move |_| match places {
            0 => format!("An amount in {currency} has no decimals; correct the amount."),
            1.. => format!("An amount in {currency} has at most {places} decimals; correct the amount."),
        },
        move |_| match places {
            0 => format!("Ett belopp i {currency} har inga decimaler; rätta beloppet."),
            1.. => format!("Ett belopp i {currency} har högst {places} decimaler; rätta beloppet."),
        },
    )
}

pub(super) fn stated_unpublished(on: NaiveDate) -> Told<'static> {
    refusal("D4").words(
        move |day| {
            format!(
                "An operator stated that no rates were published on {}; take that back first, or \
                leave the row out.",
                day(on)
            )
        },
        move |day| {
            format!(
                "En operatör har angett att inga kurser publicerades den {}; ta först tillbaka \
                det, eller utelämna raden.",
                day(on)
            )
        },
    )
}

pub(super) fn no_earlier_rate(currency: Currency, on: NaiveDate) -> Told<'static> {
    waits("D4").words(
        move |day| {
            format!(
                "No exchange rate of {currency} on or before {} is stored; the grant waits until \
                one of that day or an earlier one is imported.",
                day(on)
            )
        },
        move |day| {
            format!(
                "Ingen växelkurs för {currency} från {} eller tidigare finns registrerad; krediten \
                väntar tills en från den dagen eller en tidigare har lästs in.",
                day(on)
            )
        },
    )
}

pub(super) fn rates_incomplete(
    currency: Currency,
    on: NaiveDate,
    missing_on: NaiveDate,
    days: usize,
) -> Told<'static> {
    waits("D4").words(
        move |day| {
            let also = match days.saturating_sub(1) {
                0 => String::new(),
                1 => " and of one more business day".to_owned(),
                more => format!(" and of {more} more business days"),
            };
            format!(
                "The exchange rate of {currency} for {} is not final, because the rates of \
                {}{also} are missing; the grant waits until they are imported, or stated as not \
                published.",
                day(on),
                day(missing_on)
            )
        },
        move |day| {
            let also = match days.saturating_sub(1) {
                0 => String::new(),
                1 => " och för ytterligare en bankdag".to_owned(),
                more => format!(" och för ytterligare {more} bankdagar"),
            };
            format!(
                "Växelkursen för {currency} den {} är inte slutgiltig, eftersom kurserna för \
                {}{also} saknas; krediten väntar tills de har lästs in, eller angetts som inte \
                publicerade.",
                day(on),
                day(missing_on)
            )
        },
    )
}

pub(super) fn rate_missing(currency: Currency, on: NaiveDate) -> Told<'static> {
    waits("D4").words(
        move |day| {
            format!(
                "The exchange rate of {currency} for {} is not final; the grant waits until a \
                reference rate of that day or a later one is imported.",
                day(on)
            )
        },
        move |day| {
            format!(
                "Växelkursen för {currency} den {} är inte slutgiltig; krediten väntar tills en \
                referenskurs för den dagen eller en senare har lästs in.",
                day(on)
            )
        },
    )
}

pub(super) fn rate_too_old(currency: Currency, on: NaiveDate, published_on: NaiveDate) -> Told<'static> {
    waits("D4").words(
        move |day| {
            format!(
                "The last exchange rate of {currency} before {} is of {}, which is too old; the grant \
                waits until a newer one is imported, or the partner's currency is changed.",
                day(on),
                day(published_on)
            )
        },
        move |day| {
            format!(
                "Den senaste växelkursen för {currency} före {} är från {} och därmed för gammal; \
                krediten väntar tills en nyare har lästs in, eller partnerns valuta har ändrats.",
                day(on),
                day(published_on)
            )
        },
    )
}

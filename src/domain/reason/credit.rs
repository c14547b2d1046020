//! What a grant waits for, and what usage of credit is refused for (D4, D11, D15).

use super::super::{calendar::sub_days, money::Currency};
use super::{
    Reason, day, sek,
    told::{Told, never, refusal, waits},
};
use chrono::NaiveDate;

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::NotACredit,
        Reason::UsageCurrencyDiffers { expected: sek() },
        Reason::OutsideCredit { from: day("2024-01-31"), until: day("2025-01-31") },
        Reason::ActivateByPassed { latest_on: day("2024-04-30") },
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
            format!("Nobody was assigned to this credit through {}, so it was closed.", day(latest_on))
        },
        move |day| format!("Ingen tilldelades krediten till och med {}, så den stängdes.", day(latest_on)),
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
                waits until a newer reference rate is imported.",
                day(on),
                day(published_on)
            )
        },
        move |day| {
            format!(
                "Den senaste växelkursen för {currency} före {} är från {} och därmed för gammal; \
                krediten väntar tills en nyare referenskurs har lästs in.",
                day(on),
                day(published_on)
            )
        },
    )
}

//! Reference rates that are not taken at once, and what waits for them (D4, D16).

use chrono::NaiveDate;

use super::super::money::Currency;
use super::{
    samples::{day, sek},
    told::{Told, refusal, remark, waits},
    variants::Reason,
};

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    let (before, before_on) = ("11.2970".to_owned(), day("2024-01-30"));
    vec![
        Reason::RateInFuture { received_on: day("2024-01-31") },
        Reason::RateJumped { before: before.clone(), before_on },
        Reason::RateUnlikely { before, before_on },
        Reason::RateHeld { currency: sek(), on: day("2024-02-01"), held_on: day("2024-01-31") },
        Reason::RateTakenBack { currency: sek(), on: day("2024-02-01"), taken_on: day("2024-01-31") },
    ]
}

pub(super) fn rate_in_future(received_on: NaiveDate) -> Told<'static> {
    refusal("D4").words(
        move |day| {
            format!(
                "No rates of a day later than {}, on which the file arrived, can have been published; correct the date.",
                day(received_on)
            )
        },
        move |day| {
            format!(
                "Inga kurser för en dag efter den {}, då filen kom in, kan ha publicerats; rätta datumet.",
                day(received_on)
            )
        },
    )
}

pub(super) fn rate_jumped(before: &str, before_on: NaiveDate) -> Told<'_> {
    remark("D16").words(
        move |day| {
            format!(
                "Taken in, although it differs greatly from the one before, {before} of {}; check it.",
                day(before_on)
            )
        },
        move |day| {
            format!(
                "Inläst, trots att den avviker kraftigt från den föregående, {before} den {}; kontrollera den.",
                day(before_on)
            )
        },
    )
}

pub(super) fn rate_unlikely(before: &str, before_on: NaiveDate) -> Told<'_> {
    waits("D16").words(
        move |day| {
            format!(
                "It differs greatly from the one before, {before} of {}, so nothing is granted at it until the \
                 operator admits it; the other rates of the row are taken in.",
                day(before_on)
            )
        },
        move |day| {
            format!(
                "Den avviker kraftigt från den föregående, {before} den {}, så inget beviljas efter den förrän \
                 operatören släpper in den; radens övriga kurser är inlästa.",
                day(before_on)
            )
        },
    )
}

pub(super) fn rate_held(currency: Currency, on: NaiveDate, held_on: NaiveDate) -> Told<'static> {
    waits("D4, D16").words(
        move |day| {
            format!(
                "The exchange rate of {currency} of {} differs greatly from the one before; the grant for {} waits \
                 until the operator has admitted it with `benefactor rates admit {held_on} {currency}`, or taken it back.",
                day(held_on),
                day(on)
            )
        },
        move |day| {
            format!(
                "Växelkursen för {currency} från den {} avviker kraftigt från den föregående; krediten för den {} \
                 väntar tills operatören har släppt in den med `benefactor rates admit {held_on} {currency}`, eller \
                 tagit tillbaka den.",
                day(held_on),
                day(on)
            )
        },
    )
}

pub(super) fn rate_taken_back(currency: Currency, on: NaiveDate, taken_on: NaiveDate) -> Told<'static> {
    waits("D4").words(
        move |day| {
            format!(
                "The exchange rate of {currency} of {} was taken back; the grant for {} waits until a file with that \
                 day is imported.",
                day(taken_on),
                day(on)
            )
        },
        move |day| {
            format!(
                "Växelkursen för {currency} från den {} har tagits tillbaka; krediten för den {} väntar tills en fil \
                 med den dagen har lästs in.",
                day(taken_on),
                day(on)
            )
        },
    )
}

//! What is wrong with a cell or a row by itself, and what it names that is not known.

use chrono::NaiveDate;

use super::super::{
    id::PartnerId,
    language::Language::{English, Swedish},
};
use super::{
    expected::Expected,
    samples::day,
    told::{Told, refusal},
    variants::Reason,
};

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::Missing,
        Reason::Invalid { expected: Expected::Date, meant: None },
        Reason::WrongFieldCount { expected: 11, found: 10 },
        Reason::DateOutOfRange { earliest_on: day("1990-01-01"), latest_on: day("2100-12-31") },
        Reason::RepeatedInFile { line: 7 },
        Reason::StoreRefused { said: "bigint out of range".into() },
        Reason::FileNotApplied { rejected: 2 },
        Reason::EndsBeforeStart,
        Reason::StartsBeforePurchase,
        Reason::UnknownPartner,
        Reason::OtherPartner { partner_id: "4711".into() },
        Reason::UnknownOrder,
        Reason::OrderOfAnotherPartner,
        Reason::UnknownBenefit,
        Reason::UnknownUser,
        Reason::AmbiguousUser,
        Reason::UserDisabled,
    ]
}

pub(super) fn missing() -> Told<'static> {
    refusal("").plain(
        "This cell is required and is empty; fill it in.",
        "Cellen är obligatorisk men tom; fyll i den.",
    )
}

pub(super) fn invalid(expected: Expected, meant: Option<&str>) -> Told<'_> {
    refusal("").words(
        move |_| {
            let asked = expected.phrase(English);
            match meant {
                None => format!("The value must be {asked}; correct the cell."),
                Some(meant) => format!("The value must be {asked}; did you mean {meant}? Correct the cell."),
            }
        },
        move |_| {
            let asked = expected.phrase(Swedish);
            match meant {
                None => format!("Värdet måste vara {asked}; rätta cellen."),
                Some(meant) => format!("Värdet måste vara {asked}; menade du {meant}? Rätta cellen."),
            }
        },
    )
}

pub(super) fn wrong_field_count(expected: usize, found: usize) -> Told<'static> {
    refusal("").words(
        move |_| {
            format!(
                "The row has {found} fields where the header has {expected}; check its delimiters and \
                quotes."
            )
        },
        move |_| {
            format!(
                "Raden har {found} fält men rubrikraden har {expected}; kontrollera avgränsare och \
                citattecken."
            )
        },
    )
}

pub(super) fn date_out_of_range(earliest_on: NaiveDate, latest_on: NaiveDate) -> Told<'static> {
    refusal("").words(
        move |day| {
            format!("Dates are taken from {} through {}; correct the year.", day(earliest_on), day(latest_on))
        },
        move |day| {
            format!(
                "Datum tas emot från och med {} till och med {}; rätta året.",
                day(earliest_on),
                day(latest_on)
            )
        },
    )
}

pub(super) fn repeated_in_file(line: i32) -> Told<'static> {
    refusal("D16").words(
        move |_| {
            format!(
                "Line {line} of this file says something else of the same key; keep the row that is right."
            )
        },
        move |_| format!("Rad {line} i filen säger något annat om samma nyckel; behåll den rad som är rätt."),
    )
}

pub(super) fn file_not_applied(rejected: u32) -> Told<'static> {
    let (rows, rader) = if rejected == 1 { ("row is", "rad") } else { ("rows are", "rader") };
    refusal("").words(
        move |_| {
            format!(
                "This row is good, but its file was to be applied as a whole or not at all, and {rejected} {rows} \
                 rejected: nothing of the file was applied. Correct what is rejected and drop the file again."
            )
        },
        move |_| {
            format!(
                "Raden är bra, men filen skulle läsas in i sin helhet eller inte alls, och {rejected} {rader} \
                 avvisades: inget i filen har lästs in. Rätta det som avvisades och släpp filen igen."
            )
        },
    )
}

pub(super) fn store_refused(said: &str) -> Told<'_> {
    refusal("").words(
        move |_| {
            format!(
                "The store does not take this row and says: {said}; the other rows are not concerned. Correct \
                the row, or ask the operator."
            )
        },
        move |_| {
            format!(
                "Lagret tar inte emot den här raden och säger: {said}; övriga rader berörs inte. Rätta \
                raden eller fråga operatören."
            )
        },
    )
}

pub(super) fn ends_before_start() -> Told<'static> {
    refusal("").plain(
        "The benefit ends before it starts; correct starts_on or expires_on.",
        "Förmånen slutar innan den börjar; rätta starts_on eller expires_on.",
    )
}

pub(super) fn starts_before_purchase() -> Told<'static> {
    refusal("").plain(
        "The benefit starts before it was bought; correct starts_on or purchased_on.",
        "Förmånen börjar innan den köptes; rätta starts_on eller purchased_on.",
    )
}

pub(super) fn unknown_partner() -> Told<'static> {
    refusal("").plain(
        "No partner with this ID is known; correct the ID, or import the partner first.",
        "Ingen partner med detta ID är känd; rätta ID:t eller läs in partnern först.",
    )
}

pub(super) fn other_partner(partner_id: &PartnerId) -> Told<'_> {
    refusal("").words(
        move |_| {
            format!(
                "This file is partner {partner_id}'s and cannot hold another partner's rows; move the \
                row to that partner's own file."
            )
        },
        move |_| {
            format!(
                "Filen tillhör partner {partner_id} och får inte innehålla en annan partners rader; \
                flytta raden till den partnerns egen fil."
            )
        },
    )
}

pub(super) fn unknown_order() -> Told<'static> {
    refusal("").plain(
        "This partner has no such order; correct the order ID, or import its entitlements \
        first.",
        "Partnern har ingen sådan order; rätta order-ID:t eller läs in orderns förmåner \
        först.",
    )
}

pub(super) fn order_of_another_partner() -> Told<'static> {
    refusal("D5").plain(
        "This order belongs to another partner; correct the order ID or the partner ID.",
        "Ordern tillhör en annan partner; rätta order-ID:t eller partner-ID:t.",
    )
}

pub(super) fn unknown_benefit() -> Told<'static> {
    refusal("").plain(
        "The order has no such benefit; correct the benefit code, or import the entitlement \
        first.",
        "Ordern har ingen sådan förmån; rätta förmånskoden eller läs in förmånen först.",
    )
}

pub(super) fn unknown_user() -> Told<'static> {
    refusal("").plain(
        "Nobody in the partner's directory has this object ID or user principal name; correct \
        it, or import the directory's users first.",
        "Ingen i partnerns katalog har detta objekt-ID eller användarhuvudnamn (UPN); rätta \
        det eller läs in katalogens användare först.",
    )
}

pub(super) fn ambiguous_user() -> Told<'static> {
    refusal("").plain(
        "This is the object ID of one directory user and the user principal name of another; name the one who \
        is meant by the other of their two names, and give the second user another user principal name.",
        "Detta är objekt-ID för en användare i katalogen och användarhuvudnamn (UPN) för en annan; ange den som \
        avses med det andra av sina två namn och ge den andra användaren ett annat användarhuvudnamn.",
    )
}

pub(super) fn user_disabled() -> Told<'static> {
    refusal("R1").plain(
        "This directory user is disabled; enable the account, or name somebody else.",
        "Användaren är inaktiverad i katalogen; aktivera kontot eller ange någon annan.",
    )
}

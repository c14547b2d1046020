//! What is said of rows of portals' files: what is passed over, what is booked as one, and what they name that is not known.

use super::super::id::OrderId;
use super::{
    told::{Told, refusal, remark},
    variants::Reason,
};

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::ExampleRow,
        Reason::NothingUsed,
        Reason::Summed { rows: 3, line: 4, sum: "12.50".into() },
        Reason::Rounded { exact: "0.3724".into(), to: "0.37".into() },
        Reason::SumIncomplete { line: 7 },
        Reason::CountedAlready { booked: "1.30".into() },
        Reason::CountedOtherwise { booked: "1.30".into(), stated: "1.45".into() },
        Reason::UnknownSubscription,
        Reason::AmbiguousSubscription { orders: vec!["MPN-240131-101".into(), "MPN-240202-104".into()] },
        Reason::UnconfirmedUser,
        Reason::ConfirmedUser,
    ]
}

pub(super) fn example_row() -> Told<'static> {
    remark("").plain(
        "This row shows how the template is filled in; it is passed over.",
        "Raden visar hur mallen fylls i; den hoppas över.",
    )
}

pub(super) fn nothing_used() -> Told<'static> {
    remark("D15").plain(
        "What was used comes to less than half a cent, so nothing is booked.",
        "Det som förbrukats är mindre än en halv cent, så inget bokförs.",
    )
}

pub(super) fn summed(rows: u32, line: i32, sum: &str) -> Told<'_> {
    remark("D15").words(
        move |_| format!("Booked as one sum of {sum}, with {rows} rows in all; the first is on line {line}."),
        move |_| {
            format!("Bokförs som en summa på {sum}, med {rows} rader i allt; den första är på rad {line}.")
        },
    )
}

pub(super) fn rounded<'a>(exact: &'a str, to: &'a str) -> Told<'a> {
    remark("D15").words(
        move |_| format!("The amount {exact} is booked as {to}, rounded half up."),
        move |_| format!("Beloppet {exact} bokförs som {to}, avrundat."),
    )
}

pub(super) fn sum_incomplete(line: i32) -> Told<'static> {
    refusal("D15").words(
        move |_| {
            format!("This row is booked as one with the row on line {line}, which cannot be read; correct that row.")
        },
        move |_| format!("Raden bokförs som en med den på rad {line}, som inte kan läsas; rätta den raden."),
    )
}

pub(super) fn counted_already(booked: &str) -> Told<'_> {
    remark("D15").words(
        move |_| {
            format!("A file with other columns of resources booked {booked} for this already, so nothing more is booked.")
        },
        move |_| format!("En fil med andra resurskolumner har redan bokfört {booked} för detta, så inget mer bokförs."),
    )
}

pub(super) fn counted_otherwise<'a>(booked: &'a str, stated: &'a str) -> Told<'a> {
    refusal("D15").words(
        move |_| {
            format!(
                "A file with other columns of resources booked {booked} for this day, service and region, and this file \
                 comes to {stated}; take that file back (benefactor import revert) and drop this one again, or go on \
                 with files of that form."
            )
        },
        move |_| {
            format!(
                "En fil med andra resurskolumner har bokfört {booked} för dagen, tjänsten och regionen, och den här filen \
                 ger {stated}; återta den filen (benefactor import revert) och lämna in den här igen, eller fortsätt med \
                 filer av den sorten."
            )
        },
    )
}

pub(super) fn unknown_subscription() -> Told<'static> {
    refusal("D15").plain(
        "No credit of this partner has this subscription; give the entitlement its subscription_id first.",
        "Ingen av partnerns krediter har den här prenumerationen; ange först dess subscription_id för förmånen.",
    )
}

pub(super) fn ambiguous_subscription(orders: &[OrderId]) -> Told<'_> {
    refusal("D15").words(
        move |_| {
            format!(
                "On that day several credits have this subscription, of the orders {}; let one of them have it.",
                orders.join(", ")
            )
        },
        move |_| {
            format!(
                "Den dagen har flera krediter den här prenumerationen, i beställningarna {}; låt en av dem ha den.",
                orders.join(", ")
            )
        },
    )
}

pub(super) fn unconfirmed_user() -> Told<'static> {
    remark("").plain(
        "The directory has not confirmed this user, so nothing can be assigned to them; import an export of its users \
         once it has them.",
        "Katalogen har inte bekräftat användaren, så inget kan tilldelas; läs in en export av dess användare när den har \
         hen.",
    )
}

pub(super) fn confirmed_user() -> Told<'static> {
    remark("").plain(
        "The directory has this user already; the template changes nothing.",
        "Katalogen har redan användaren; mallen ändrar inget.",
    )
}

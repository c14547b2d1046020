//! Who may ask, and when; what a renewal or a cancellation is refused for (R9, D1, D5, D7).

use super::super::{
    directory_role::Role,
    language::Language::{English, Swedish},
    naming,
};
use super::{
    samples::day,
    told::{Told, never, opens, refusal, waits},
    variants::Reason,
};
use chrono::NaiveDate;

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::RoleMissing {
            roles: vec![Role::GlobalAdmin, Role::MpnPartnerAdmin],
            held_by: vec!["bo@nordvik.example".into()],
        },
        Reason::RequestedInFuture { received_on: day("2024-02-01"), requested_on: Some(day("2024-02-03")) },
        Reason::WaitsForOperator { earliest_on: day("2024-01-25") },
        Reason::RefusedByOperator { by: "ada".into(), why: "nobody at the partner confirms it".into() },
        Reason::DecidedAtNight { night_of: day("2024-02-02") },
        Reason::RenewedTooEarly { earliest_on: day("2025-01-31") },
        Reason::RenewedTooLate { latest_on: day("2025-03-02") },
        Reason::NewOrderTaken,
        Reason::RefundWindowPassed { latest_on: day("2024-03-01") },
        Reason::RequestedBeforePurchase { earliest_on: day("2024-01-31") },
        Reason::RefundBlocked {
            event: "software_key_revealed".into(),
            benefit: "software".into(),
            on: day("2024-02-10"),
        },
    ]
}

pub(super) fn role_missing<'a>(roles: &'a [Role], held_by: &'a [String]) -> Told<'a> {
    refusal("").words(
        move |_| {
            let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            let holders = if held_by.is_empty() {
                "nobody at this partner holds it".to_owned()
            } else {
                format!("at this partner: {}", held_by.join(", "))
            };
            format!("This needs the role {}; {holders}. Let one of them ask.", roles.join(" or "))
        },
        move |_| {
            let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            let holders = if held_by.is_empty() {
                "ingen hos partnern har den".to_owned()
            } else {
                format!("hos partnern: {}", held_by.join(", "))
            };
            format!(
                "Det här kräver rollen {}; {holders}. Låt någon av dem begära det.",
                roles.join(" eller ")
            )
        },
    )
}

pub(super) fn requested_in_future(received_on: NaiveDate, requested_on: Option<NaiveDate>) -> Told<'static> {
    let told = requested_on.map_or_else(|| refusal("D1"), |day| opens("D1", day));
    told.words(
        move |day| {
            format!(
                "The request is dated later than {}, the day it arrived; correct the date, or send it \
                again when that day has come.",
                day(received_on)
            )
        },
        move |day| {
            format!(
                "Begäran är daterad senare än {}, dagen då den kom in; rätta datumet eller skicka in \
                den på nytt när dagen är inne.",
                day(received_on)
            )
        },
    )
}

pub(super) fn waits_for_operator(earliest_on: NaiveDate) -> Told<'static> {
    waits("D1").words(
        move |day| {
            format!(
                "The request is dated before {}, too long ago to be taken in unseen; it waits until \
                the operator has decided on it.",
                day(earliest_on)
            )
        },
        move |day| {
            format!(
                "Begäran är daterad före {}, vilket är för länge sedan för att tas emot utan \
                kontroll; den väntar på operatörens beslut.",
                day(earliest_on)
            )
        },
    )
}

pub(super) fn refused_by_operator<'a>(by: &'a str, why: &'a str) -> Told<'a> {
    never("D1").words(
        move |_| format!("The operator refused this request; {by} says: “{why}”."),
        move |_| format!("Operatören avslog begäran; {by} anger: ”{why}”."),
    )
}

pub(super) fn decided_at_night(night_of: NaiveDate) -> Told<'static> {
    waits("D1").words(
        move |day| format!("Recorded; the night of {} decides.", day(night_of)),
        move |day| format!("Registrerad; natten för {} avgör.", day(night_of)),
    )
}

pub(super) fn renewed_too_early(earliest_on: NaiveDate) -> Told<'static> {
    opens("D5", earliest_on).words(
        move |day| {
            format!(
                "A renewal takes effect on the anniversary date, {} (UTC), at the earliest; date it then or \
                later.",
                day(earliest_on)
            )
        },
        move |day| {
            format!(
                "En förnyelse träder i kraft tidigast på årsdagen, {} (UTC); datera den då eller senare.",
                day(earliest_on)
            )
        },
    )
}

pub(super) fn renewed_too_late(latest_on: NaiveDate) -> Told<'static> {
    never("D5").words(
        move |day| {
            format!(
                "The last day to renew this membership was {} (UTC); what follows needs a new purchase.",
                day(latest_on)
            )
        },
        move |day| {
            format!(
                "Medlemskapet kunde förnyas till och med {} (UTC); en fortsättning kräver ett nytt köp.",
                day(latest_on)
            )
        },
    )
}

pub(super) fn new_order_taken() -> Told<'static> {
    refusal("D5").plain(
        "The new order ID is already another membership's; give the ID of the renewal's own \
        order.",
        "Det nya order-ID:t tillhör redan ett annat medlemskap; ange ID:t för förnyelsens \
        egen order.",
    )
}

pub(super) fn refund_window_passed(latest_on: NaiveDate) -> Told<'static> {
    never("R9, D7").words(
        move |day| {
            format!("A refund could be asked for through {} (UTC), and that day has passed.", day(latest_on))
        },
        move |day| {
            format!(
                "Återbetalning kunde begäras till och med {} (UTC), och den dagen har passerat.",
                day(latest_on)
            )
        },
    )
}

pub(super) fn requested_before_purchase(earliest_on: NaiveDate) -> Told<'static> {
    opens("R9, D7", earliest_on).words(
        move |day| {
            format!(
                "The order was bought on {}, later than the request is dated; send it again with the \
                right date.",
                day(earliest_on)
            )
        },
        move |day| {
            format!(
                "Ordern köptes den {}, senare än begäran är daterad; skicka in den på nytt med rätt \
                datum.",
                day(earliest_on)
            )
        },
    )
}

pub(super) fn refund_blocked<'a>(event: &'a str, benefit: &'a str, on: NaiveDate) -> Told<'a> {
    never("R9, D7").words(
        move |day| {
            let benefit = naming::benefit(benefit, English);
            let done = match event {
                "software_key_revealed" => format!("{benefit}: a product key was revealed"),
                "software_key_redeemed" => format!("{benefit}: a product key was redeemed"),
                "software_activated" => format!("{benefit}: it was activated"),
                "any_benefit_used" => format!("{benefit}: it was used"),
                "benefit_assigned" => format!("{benefit}: it was assigned"),
                "credit_used" => format!("{benefit}: credit was spent"),
                "product_support" | "cloud_support" => format!("{benefit}: a support ticket was opened"),
                "advisory_hours" => format!("{benefit}: hours were drawn"),
                other => format!("{benefit}: {}", other.replace('_', " ")),
            };
            format!("{done} on {}, and an order cannot be refunded after that.", day(on))
        },
        move |day| {
            let benefit = naming::benefit(benefit, Swedish);
            let done = match event {
                "software_key_revealed" => format!("{benefit}: en produktnyckel visades"),
                "software_key_redeemed" => format!("{benefit}: en produktnyckel löstes in"),
                "software_activated" => format!("{benefit}: förmånen aktiverades"),
                "any_benefit_used" => format!("{benefit}: förmånen användes"),
                "benefit_assigned" => format!("{benefit}: förmånen tilldelades"),
                "credit_used" => format!("{benefit}: kredit användes"),
                "product_support" | "cloud_support" => format!("{benefit}: ett supportärende öppnades"),
                "advisory_hours" => format!("{benefit}: timmar togs i anspråk"),
                other => format!("{benefit}: {}", other.replace('_', " ")),
            };
            format!("{done} den {}, och därefter kan ordern inte återbetalas.", day(on))
        },
    )
}

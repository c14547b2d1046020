//! What an assignment, a transfer or a seat is refused for, and what stands against bulk credit (R1, R2, R4, D9, D12, D14).

use super::super::{
    id::OrderId,
    language::Language::{English, Swedish},
    naming,
};
use super::{
    samples::day,
    told::{Told, never, opens, refusal, remark},
    variants::Reason,
};
use chrono::NaiveDate;

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::AlreadyAssigned,
        Reason::NotAssignable,
        Reason::OutsideBenefitDates {
            on: Some(day("2024-01-15")),
            starts_on: day("2024-01-31"),
            ends_on: day("2025-01-30"),
        },
        Reason::NotAssigned,
        Reason::BulkNeverRemoved,
        Reason::BulkAlreadyAssigned { user: "anna@nordvik.example".into() },
        Reason::GuestNotAllowed,
        Reason::NotTransferable,
        Reason::NotReassignable,
        Reason::SameUser,
        Reason::TransferOutsideYear { starts_on: day("2024-01-31"), latest_on: day("2025-01-30") },
        Reason::BulkBlocked { agreement: "csp".into(), earliest_on: Some(day("2024-06-01")) },
        Reason::NoSeatLeft { seats: 5, earliest_on: Some(day("2024-04-30")) },
        Reason::SeatOpensLater { earliest_on: day("2024-04-30") },
        Reason::ReassignedTooEarly { assigned_on: day("2024-01-31"), earliest_on: day("2024-04-30") },
        Reason::CapReached { country: Some("SE".into()), cap: 25, wanted: 26 },
        Reason::AgreementNotListed,
        Reason::BulkStays { order_id: "ORD-1".into(), benefit: "azure_bulk_credit".into() },
    ]
}

pub(super) fn already_assigned() -> Told<'static> {
    refusal("R1").plain(
        "The user is assigned to this benefit already; nothing needs to be done.",
        "Användaren är redan tilldelad förmånen; inget behöver göras.",
    )
}

pub(super) fn not_assignable() -> Told<'static> {
    never("R1").plain(
        "This kind of benefit is not assigned to users; leave the row out.",
        "Den här sortens förmån tilldelas inte användare; utelämna raden.",
    )
}

pub(super) fn outside_benefit_dates(
    on: Option<NaiveDate>,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
) -> Told<'static> {
    let told = match on {
        Some(on) if on < starts_on => opens("D5", starts_on),
        Some(_) => never("D5"),
        None => refusal("D5"),
    };
    let over = on.is_some_and(|on| on > ends_on);
    told.words(
        move |day| {
            let (from, through) = (day(starts_on), day(ends_on));
            if over {
                format!("The benefit could be used from {from} through {through}, which is over.")
            } else {
                format!("The benefit can be used from {from} through {through}; choose a date between them.")
            }
        },
        move |day| {
            let (from, through) = (day(starts_on), day(ends_on));
            if over {
                format!("Förmånen kunde användas från och med {from} till och med {through}, som har passerat.")
            } else {
                format!("Förmånen kan användas från och med {from} till och med {through}; välj ett datum däremellan.")
            }
        },
    )
}

pub(super) fn not_assigned() -> Told<'static> {
    refusal("R1").plain(
        "The user is not assigned to this benefit on that day; check the user.",
        "Användaren är inte tilldelad förmånen den dagen; kontrollera användaren.",
    )
}

pub(super) fn bulk_never_removed() -> Told<'static> {
    never("R2").plain(
        "Azure bulk credit can never be removed from its user; transfer it to another user \
        instead.",
        "Azure-kredit som engångsbelopp kan aldrig tas ifrån sin användare; överför den till \
        en annan användare i stället.",
    )
}

pub(super) fn bulk_already_assigned(user: &str) -> Told<'_> {
    refusal("R2").words(
        move |_| {
            format!(
                "Azure bulk credit has one user only, at present {user}; transfer it instead of \
                assigning it."
            )
        },
        move |_| {
            format!(
                "Azure-kredit som engångsbelopp har bara en användare, för närvarande {user}; överför \
                den i stället för att tilldela den."
            )
        },
    )
}

pub(super) fn guest_not_allowed() -> Told<'static> {
    refusal("R1").plain(
        "This directory user is a guest, and guests are not assigned to here; name a member.",
        "Katalogens användare är gäst, och gäster tilldelas inte här; ange en medlem.",
    )
}

pub(super) fn not_transferable() -> Told<'static> {
    never("R2").plain(
        "Only Azure bulk credit is transferred; assign and remove other benefits.",
        "Bara Azure-kredit som engångsbelopp överlåts; tilldela och ta bort andra förmåner.",
    )
}

pub(super) fn not_reassignable() -> Told<'static> {
    never("R4").plain(
        "Only Visual Studio seats are reassigned; assign and remove, or transfer, other \
        benefits.",
        "Bara Visual Studio-platser omtilldelas; tilldela och ta bort, eller överlåt, andra \
        förmåner.",
    )
}

pub(super) fn same_user() -> Told<'static> {
    refusal("R2, R4").plain(
        "Both users are the same; name another one in to_user.",
        "Båda användarna är samma person; ange en annan i to_user.",
    )
}

pub(super) fn transfer_outside_year(starts_on: NaiveDate, latest_on: NaiveDate) -> Told<'static> {
    never("R2").words(
        move |day| {
            format!(
                "Bulk credit can be transferred in its enrolment year only, from {} through {}.",
                day(starts_on),
                day(latest_on)
            )
        },
        move |day| {
            format!(
                "Engångskredit kan bara överlåtas under sitt registreringsår, från och med {} till och med \
                {}.",
                day(starts_on),
                day(latest_on)
            )
        },
    )
}

pub(super) fn bulk_blocked(agreement: &str, earliest_on: Option<NaiveDate>) -> Told<'_> {
    let told = earliest_on.map_or_else(|| never("R2, D14"), |day| opens("R2, D14", day));
    let agreement = naming::agreement(agreement);
    let english = agreement.clone();
    told.words(
        move |day| match earliest_on {
            Some(on) => format!(
                "Azure bulk credit cannot be combined with {english}; it can be used from {}.",
                day(on)
            ),
            None => format!("Azure bulk credit cannot be combined with {english}, which outlasts it."),
        },
        move |day| match earliest_on {
            Some(on) => format!(
                "Azure-kredit som engångsbelopp kan inte kombineras med {agreement}; den kan användas \
                från och med {}.",
                day(on)
            ),
            None => format!(
                "Azure-kredit som engångsbelopp kan inte kombineras med {agreement}, som varar längre \
                än den."
            ),
        },
    )
}

pub(super) fn no_seat_left(seats: u32, earliest_on: Option<NaiveDate>) -> Told<'static> {
    earliest_on.map_or(refusal("D9"), |on| opens("D9", on)).words(
        move |day| match earliest_on {
            Some(on) if seats == 0 => {
                format!("A silver order holds all its seats back; the first comes on {} (UTC).", day(on))
            }
            Some(on) => format!(
                "All {seats} seats are taken. The first of them can go to another user from {} (UTC): reassign it, or \
                 remove its user.",
                day(on)
            ),
            None => "The benefit has no seats; a file that gives it some lets users in.".to_owned(),
        },
        move |day| match earliest_on {
            Some(on) if seats == 0 => {
                format!("En silverorder håller alla dess platser inne; den första kommer {} (UTC).", day(on))
            }
            Some(on) => format!(
                "Alla {seats} platser är upptagna. Den första av dem kan gå till en annan användare från och med \
                 {} (UTC): omtilldela den, eller ta bort dess användare.",
                day(on)
            ),
            None => "Förmånen har inga platser; en fil som ger den några släpper in användare.".to_owned(),
        },
    )
}

pub(super) fn seat_opens_later(earliest_on: NaiveDate) -> Told<'static> {
    opens("R4, D9", earliest_on).words(
        move |day| format!("A seat was freed, and opens to another user on {}.", day(earliest_on)),
        move |day| format!("En plats har frigjorts, och öppnas för en annan användare {}.", day(earliest_on)),
    )
}

pub(super) fn reassigned_too_early(assigned_on: NaiveDate, earliest_on: NaiveDate) -> Told<'static> {
    opens("R4, D9", earliest_on).words(
        move |day| {
            format!(
                "The seat was assigned on {} and can be reassigned from {} (UTC).",
                day(assigned_on),
                day(earliest_on)
            )
        },
        move |day| {
            format!(
                "Platsen tilldelades {} och kan omtilldelas från och med {} (UTC).",
                day(assigned_on),
                day(earliest_on)
            )
        },
    )
}

pub(super) fn cap_reached(country: Option<&str>, cap: u32, wanted: u32) -> Told<'_> {
    refusal("D12").words(
        move |_| {
            let place = country.map_or_else(|| "in all".to_owned(), |code| format!("in {code}"));
            format!(
                "This would make {wanted} Visual Studio seats {place}, where the partner's group may \
                have {cap}."
            )
        },
        move |_| {
            let place = country.map_or_else(|| "totalt".to_owned(), |code| format!("i {code}"));
            format!(
                "Det skulle bli {wanted} Visual Studio-platser {place}, där partnerns grupp får ha \
                {cap}."
            )
        },
    )
}

pub(super) fn agreement_not_listed() -> Told<'static> {
    remark("D14").plain(
        "Taken in; this agreement does not exclude Azure bulk credit.",
        "Registrerat; avtalet utesluter inte Azure-kredit som engångsbelopp.",
    )
}

pub(super) fn bulk_stays<'a>(order_id: &'a OrderId, benefit: &'a str) -> Told<'a> {
    remark("D14").words(
        move |_| {
            format!(
                "{} of {order_id} was granted and stays; it is no longer assigned or transferred.",
                naming::benefit(benefit, English)
            )
        },
        move |_| {
            format!(
                "{} i {order_id} har beviljats och består; den tilldelas eller överlåts inte längre.",
                naming::benefit(benefit, Swedish)
            )
        },
    )
}

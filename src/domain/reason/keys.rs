//! What a key is refused for, and what came of it (R3, R5, D7, D8).

use super::super::{calendar::sub_days, id::RequestId};
use super::{
    samples::day,
    told::{Told, never, refusal, remark},
    variants::Reason,
};
use chrono::NaiveDate;

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::OrderFrozen { request_id: "SR-1".into() },
        Reason::NotRevealable,
        Reason::NotRedeemable,
        Reason::UnknownKey,
        Reason::NoKeyLeft,
        Reason::KeyRedeemed { redeemed_on: day("2024-02-10") },
        Reason::KeyOfAnotherBenefit,
        Reason::KeyWithoutSeats,
        Reason::TenantUnknown,
        Reason::WrongTenant { expected: "3f2504e0-4f89-11d3-9a0c-0305e82c3301".into() },
        Reason::TenantPinned { expected: "3f2504e0-4f89-11d3-9a0c-0305e82c3301".into() },
        Reason::SubscriptionLive { seats: 25, ends_on: day("2025-02-10") },
        Reason::NoLiveSubscription,
        Reason::ExtendsTooMuch { seats: 100, most: 75 },
        Reason::KeyNamed { key_ref: "K17".into() },
        Reason::SubscriptionNow { seats: 50, ends_on: day("2024-10-10") },
    ]
}

pub(super) fn order_frozen(request_id: &RequestId) -> Told<'_> {
    refusal("D7").words(
        move |_| {
            format!(
                "Somebody asked to cancel this order ({request_id}), which is not decided yet: until it is, no \
                key is revealed or redeemed and nothing is activated. If it is refused, ask again then; if it is \
                accepted, the order ends."
            )
        },
        move |_| {
            format!(
                "Någon har begärt annullering av ordern ({request_id}), och det är inte avgjort ännu: till dess \
                visas ingen nyckel, ingen löses in och ingenting aktiveras. Avslås begäran, be om det på nytt då; \
                godkänns den, upphör ordern."
            )
        },
    )
}

pub(super) fn not_revealable() -> Told<'static> {
    never("R5").plain(
        "Only software and licence subscriptions have keys to reveal.",
        "Bara programvara och licensprenumerationer har nycklar att visa.",
    )
}

pub(super) fn not_redeemable() -> Told<'static> {
    never("R3").plain(
        "Only keys of licence subscriptions are redeemed.",
        "Bara licensprenumerationers nycklar löses in.",
    )
}

pub(super) fn unknown_key() -> Told<'static> {
    refusal("R3, R5").plain(
        "The benefit has no such key; take the name from the export of keys, or leave the \
        cell empty.",
        "Förmånen har ingen sådan nyckel; ta namnet från exporten av nycklar, eller lämna \
        cellen tom.",
    )
}

pub(super) fn no_key_left() -> Told<'static> {
    refusal("R3, R5").plain(
        "No key of this benefit is left; import more of them.",
        "Förmånen har ingen nyckel kvar; importera fler.",
    )
}

pub(super) fn key_redeemed(redeemed_on: NaiveDate) -> Told<'static> {
    never("R3").words(
        move |day| {
            format!(
                "The key was redeemed on {}, and a redeemed key can never be redeemed again; use \
                another key.",
                day(redeemed_on)
            )
        },
        move |day| {
            format!(
                "Nyckeln löstes in {}, och en inlöst nyckel kan aldrig lösas in igen; använd en annan \
                nyckel.",
                day(redeemed_on)
            )
        },
    )
}

pub(super) fn key_of_another_benefit() -> Told<'static> {
    never("R3, R5").plain(
        "The same key is in the store for another benefit; check which of them it belongs to.",
        "Samma nyckel finns redan för en annan förmån; kontrollera vilken av dem den hör \
        till.",
    )
}

pub(super) fn key_without_seats() -> Told<'static> {
    refusal("D8").plain(
        "It is not known for how many seats this key is; import it again with its seats.",
        "Det är inte känt hur många platser nyckeln gäller; importera den igen med antalet \
        platser.",
    )
}

pub(super) fn tenant_unknown() -> Told<'static> {
    refusal("R3").plain(
        "The partner's own tenant is not known; import the partner with its tenant_id first.",
        "Partnerns egen klientorganisation är inte känd; importera först partnern med dess \
        tenant_id.",
    )
}

pub(super) fn wrong_tenant(expected: &str) -> Told<'_> {
    refusal("R3").words(
        move |_| format!("Keys are redeemed onto the partner's own tenant, {expected}, and no other."),
        move |_| {
            format!("Nycklar löses in i partnerns egen klientorganisation, {expected}, och ingen annan.")
        },
    )
}

pub(super) fn tenant_pinned(expected: &str) -> Told<'_> {
    never("R3").words(
        move |_| {
            format!("Keys were redeemed onto tenant {expected}, which can no longer change; restore it.")
        },
        move |_| {
            format!(
                "Nycklar har lösts in i klientorganisationen {expected}, som inte längre kan ändras; \
                återställ den."
            )
        },
    )
}

pub(super) fn subscription_live(seats: u32, ends_on: NaiveDate) -> Told<'static> {
    refusal("R3, D8").words(
        move |day| {
            format!(
                "There is a live subscription of {seats} seats through {}; choose add_seats or \
                extend.",
                day(sub_days(ends_on, 1))
            )
        },
        move |day| {
            format!(
                "Det finns en aktiv prenumeration med {seats} platser till och med {}; välj add_seats \
                eller extend.",
                day(sub_days(ends_on, 1))
            )
        },
    )
}

pub(super) fn no_live_subscription() -> Told<'static> {
    refusal("R3, D8").plain(
        "There is no live subscription to add to or to extend; choose new.",
        "Det finns ingen aktiv prenumeration att utöka eller förlänga; välj new.",
    )
}

pub(super) fn extends_too_much(seats: u32, most: u32) -> Told<'static> {
    refusal("D8").words(
        move |_| {
            format!(
                "A key of {seats} seats cannot extend this subscription, for which {most} is the \
                most; add its seats."
            )
        },
        move |_| {
            format!(
                "En nyckel med {seats} platser kan inte förlänga prenumerationen, där {most} är det \
                högsta; lägg till platserna i stället."
            )
        },
    )
}

pub(super) fn key_named(key_ref: &str) -> Told<'_> {
    remark("R3, R5")
        .words(move |_| format!("It is key {key_ref}."), move |_| format!("Det är nyckel {key_ref}."))
}

pub(super) fn subscription_now(seats: u32, ends_on: NaiveDate) -> Told<'static> {
    remark("R3, D8").words(
        move |day| format!("The subscription has {seats} seats now and ends on {}.", day(ends_on)),
        move |day| format!("Prenumerationen har nu {seats} platser och slutar {}.", day(ends_on)),
    )
}

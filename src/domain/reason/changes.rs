//! What a file may not change, and where it differs from the catalogue (D4, D5, D12, D16).

use super::super::{
    benefit::Offer,
    calendar::add_days,
    held_back::Part,
    id::OrderId,
    language::Language::{self, English, Swedish},
    money::{Amount, Currency},
    naming,
};
use super::{
    samples::{day, sek},
    told::{Told, never, opens, refusal, remark},
    variants::Reason,
};
use chrono::NaiveDate;

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::OrderMismatch { column: "purchased_on".into(), expected: "2024-01-31".into() },
        Reason::AlreadyGranted { column: "amount".into(), expected: String::new() },
        Reason::AlreadyEnded { ended_on: day("2024-03-01") },
        Reason::ConflictsWithEarlier { column: "amount".into(), expected: "12.50".into() },
        Reason::CurrencyNotAccepted { expected: sek() },
        Reason::DiffersFromCatalogue { column: "quantity".into(), expected: "5".into() },
        Reason::NotInOffer { offer: Offer::ActionPack },
        Reason::NoAmount,
        Reason::HeldBack {
            on: day("2024-12-20"),
            held: Part::Period(Amount::new(10_000, Currency::USD)),
            order_id: "ORD-1".into(),
            until: day("2024-12-31"),
        },
        Reason::NotHeldBack { on: day("2024-12-20"), order_id: "ORD-1".into() },
    ]
}

pub(super) fn order_mismatch<'a>(column: &'a str, expected: &'a str) -> Told<'a> {
    refusal("D5").words(
        move |_| {
            format!(
                "All rows of an order must agree, and the others have {} in {column}; correct this \
                row.",
                shown(expected, English)
            )
        },
        move |_| {
            format!(
                "Alla rader i en order måste stämma överens, och de övriga har {} i {column}; rätta \
                den här raden.",
                shown(expected, Swedish)
            )
        },
    )
}

pub(super) fn already_granted<'a>(column: &'a str, expected: &'a str) -> Told<'a> {
    refusal("D16").words(
        move |_| {
            format!(
                "Credit has been granted with {} in {column}, which can no longer change; restore \
                that value.",
                shown(expected, English)
            )
        },
        move |_| {
            format!(
                "Kredit har beviljats med {} i {column}, som inte längre kan ändras; återställ det \
                värdet.",
                shown(expected, Swedish)
            )
        },
    )
}

pub(super) fn already_ended(ended_on: NaiveDate) -> Told<'static> {
    never("D16").words(
        move |day| {
            format!(
                "This ended, with {} as its last usable day, and no file can revive it; what follows \
                needs a new order.",
                day(ended_on)
            )
        },
        move |day| {
            format!(
                "Detta är avslutat med {} som sista användbara dag och ingen fil kan återuppliva det; \
                en fortsättning kräver en ny order.",
                day(ended_on)
            )
        },
    )
}

pub(super) fn conflicts_with_earlier<'a>(column: &'a str, expected: &'a str) -> Told<'a> {
    refusal("D16").words(
        move |_| {
            format!(
                "The same event is already on record with {} in {column}; restore that value, or give \
                a different event a key of its own.",
                shown(expected, English)
            )
        },
        move |_| {
            format!(
                "Samma händelse finns redan registrerad med {} i {column}; återställ det värdet eller \
                ge en annan händelse en egen nyckel.",
                shown(expected, Swedish)
            )
        },
    )
}

pub(super) fn currency_not_accepted(expected: Currency) -> Told<'static> {
    refusal("D4").words(
        move |_| match expected {
            Currency::USD => "The amount must be in USD; correct the currency.".to_owned(),
            expected => format!(
                "The amount must be in USD or in the partner's own currency, {expected}; correct the \
                currency."
            ),
        },
        move |_| match expected {
            Currency::USD => "Beloppet måste vara i USD; rätta valutan.".to_owned(),
            expected => {
                format!("Beloppet måste vara i USD eller i partnerns egen valuta, {expected}; rätta valutan.")
            }
        },
    )
}

pub(super) fn differs_from_catalogue<'a>(column: &'a str, expected: &'a str) -> Told<'a> {
    remark("D12").words(
        move |_| {
            format!(
                "Taken in as written, although the catalogue has {} for {column}; check which of them \
                is right.",
                shown(expected, English)
            )
        },
        move |_| {
            format!(
                "Inläst som det står, trots att katalogen har {} för {column}; kontrollera vilket som \
                är rätt.",
                shown(expected, Swedish)
            )
        },
    )
}

pub(super) fn not_in_offer(offer: Offer) -> Told<'static> {
    let offer = naming::offer(offer.name());
    let swedish = offer.clone();
    remark("R6").words(
        move |_| {
            format!(
                "Taken in, but {offer} does not bring this benefit: nothing of it is granted, and a request for it \
                is refused; check the order's offer."
            )
        },
        move |_| {
            format!(
                "Inläst, men {swedish} ger inte den här förmånen: inget av den beviljas och en begäran om den \
                avslås; kontrollera orderns erbjudande."
            )
        },
    )
}

pub(super) fn no_amount() -> Told<'static> {
    refusal("D12").plain(
        "Neither the row nor the catalogue says how much this credit is; fill in amount and \
        currency.",
        "Varken raden eller katalogen anger hur stor krediten är; fyll i amount och currency.",
    )
}

/// A recorded value as it stands in the sentence.
fn shown(value: &str, language: Language) -> String {
    match (value, language) {
        ("", English) => "nothing".to_owned(),
        ("", Swedish) => "inget värde".to_owned(),
        (value, English) => format!("“{value}”"),
        (value, Swedish) => format!("”{value}”"),
    }
}

pub(super) fn held_back(held: Part, order_id: &OrderId, until: NaiveDate) -> Told<'_> {
    opens("D12", add_days(until, 1)).words(
        move |day| match held {
            Part::Period(held) => format!(
                "Silver order {order_id} brings this too, so of each period of gold that begins through {}, {held} is \
                held back; what begins later comes whole.",
                day(until)
            ),
            Part::Bulk { bulk } => format!(
                "Silver order {order_id} brings this too, so {bulk} of gold's credit is held back through {}; it comes on the \
                day after.",
                day(until)
            ),
            Part::Units { units } => format!(
                "Silver order {order_id} brings this too, so of gold's quantity {units} is held back through {}; it \
                comes on the day after.",
                day(until)
            ),
        },
        move |day| match held {
            Part::Period(held) => format!(
                "Silverordern {order_id} ger också detta, så av varje period av guld som börjar till och med {} hålls \
                {held} inne; det som börjar senare kommer helt.",
                day(until)
            ),
            Part::Bulk { bulk } => format!(
                "Silverordern {order_id} ger också detta, så av guldorderns kredit hålls {bulk} inne till och med {}; det kommer \
                dagen efter.",
                day(until)
            ),
            Part::Units { units } => format!(
                "Silverordern {order_id} ger också detta, så av guldorderns antal hålls {units} inne till och med {}; det \
                kommer dagen efter.",
                day(until)
            ),
        },
    )
}

pub(super) fn not_held_back(order_id: &OrderId) -> Told<'_> {
    remark("D12").words(
        move |_| {
            format!(
                "Nothing is held back for what silver order {order_id} brings too: the amounts are in different \
                currencies."
            )
        },
        move |_| {
            format!(
                "Inget hålls inne för det som silverordern {order_id} också ger: beloppen är i olika valutor."
            )
        },
    )
}

//! What an activation, support, hours or an offer is refused for, and what came of it (R5–R8).

use super::super::{
    benefit::Unit,
    id::{AccessId, ContractId},
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
        Reason::ContactIsAccount,
        Reason::NotActivatable,
        Reason::AlreadyActivated { activated_on: day("2024-02-10") },
        Reason::ContactMissing,
        Reason::EndsBeforeLive { live_on: day("2025-01-31"), ends_on: day("2025-01-30") },
        Reason::NoBenefitsYet,
        Reason::NotEnoughLeft { unit: Unit::Hours, wanted: 150, left: 90, earliest_on: None },
        Reason::UnknownProduct,
        Reason::ProductNotCovered,
        Reason::VersionNotSupported { supported: vec!["2019".into(), "2022".into()] },
        Reason::SupportNotActivated,
        Reason::WrongSupportId,
        Reason::SupportIds { access_id: "1000000017".into(), contract_id: "2000000031".into() },
        Reason::LeftOver { unit: Unit::Incidents, left: 9 },
        Reason::GoesLive { live_on: day("2024-02-13"), until: day("2025-01-30") },
    ]
}

pub(super) fn contact_is_account() -> Told<'static> {
    refusal("R8").plain(
        "The marketing contact's e-mail must differ from the partner's account e-mail; name \
        another address.",
        "Marknadskontaktens e-postadress måste vara en annan än partnerns kontoadress; ange \
        en annan adress.",
    )
}

pub(super) fn not_activatable() -> Told<'static> {
    never("R5, R6, R8").plain(
        "This benefit is not activated: credit and seats are assigned, licence keys are \
        redeemed, hours are asked for.",
        "Förmånen aktiveras inte: kredit och platser tilldelas, licensnycklar löses in, \
        timmar begärs.",
    )
}

pub(super) fn already_activated(activated_on: NaiveDate) -> Told<'static> {
    never("R5, R6, R8").words(
        move |day| format!("This was activated on {}; nothing needs to be done.", day(activated_on)),
        move |day| format!("Förmånen aktiverades {}; ingenting behöver göras.", day(activated_on)),
    )
}

pub(super) fn contact_missing() -> Told<'static> {
    refusal("R8").plain(
        "The partner has no marketing contact, who must be set before an offer is activated.",
        "Partnern har ingen marknadsföringskontakt, och en sådan måste anges innan ett erbjudande \
        aktiveras.",
    )
}

pub(super) fn ends_before_live(live_on: NaiveDate, ends_on: NaiveDate) -> Told<'static> {
    never("R8").words(
        move |day| {
            format!(
                "The offer ends on {}, and activated now it would be live only from {}.",
                day(ends_on),
                day(live_on)
            )
        },
        move |day| {
            format!(
                "Erbjudandet upphör den {}, och aktiverat nu skulle det bli tillgängligt först den \
                {}.",
                day(ends_on),
                day(live_on)
            )
        },
    )
}

pub(super) fn no_benefits_yet() -> Told<'static> {
    refusal("R6, R7").plain(
        "Looks like you don't have any benefits yet. Either the partner has no active offer \
        that brings this benefit, or this is not the account that has it.",
        "Det ser inte ut som om ni har några förmåner ännu. Antingen har partnern inget \
        aktivt erbjudande som ger förmånen, eller så är det inte det här kontot som har den.",
    )
}

pub(super) fn not_enough_left(
    unit: Unit,
    wanted: i64,
    left: i64,
    earliest_on: Option<NaiveDate>,
) -> Told<'static> {
    earliest_on.map_or(refusal("R6, R7"), |on| opens("R6, R7, D12", on)).words(
        move |day| {
            let (asked, left) = (naming::units(unit, wanted, English), naming::units(unit, left, English));
            let later =
                earliest_on.map(|on| format!(" What a silver order holds back comes on {}.", day(on)));
            format!("The request is for {asked}, and {left} are left.{}", later.unwrap_or_default())
        },
        move |day| {
            let (asked, left) = (naming::units(unit, wanted, Swedish), naming::units(unit, left, Swedish));
            let later =
                earliest_on.map(|on| format!(" Det som en silverorder håller inne kommer {}.", day(on)));
            format!("Begäran gäller {asked}, och {left} finns kvar.{}", later.unwrap_or_default())
        },
    )
}

pub(super) fn unknown_product() -> Told<'static> {
    refusal("R6").plain(
        "The catalogue has no such product; correct its name.",
        "Katalogen har ingen sådan produkt; rätta namnet.",
    )
}

pub(super) fn product_not_covered() -> Told<'static> {
    never("R6").plain(
        "Product support is for on-premises products, cloud support for online services; \
        choose the other kind.",
        "Produktsupport gäller lokalt installerade produkter, molnsupport onlinetjänster; \
        välj det andra slaget.",
    )
}

pub(super) fn version_not_supported(supported: &[String]) -> Told<'_> {
    refusal("R6").words(
        move |_| match supported {
            [] => "No version of this product is supported on that day.".to_owned(),
            supported => {
                format!("Only the current and the previous version are supported: {}.", supported.join(", "))
            }
        },
        move |_| match supported {
            [] => "Ingen version av produkten stöds den dagen.".to_owned(),
            supported => {
                format!("Bara den nuvarande och den föregående versionen stöds: {}.", supported.join(", "))
            }
        },
    )
}

pub(super) fn support_not_activated() -> Told<'static> {
    refusal("R6").plain(
        "Support of this order was not activated, so it has no Access ID and no Contract ID; \
        activate it first.",
        "Orderns support är inte aktiverad, så den har inget åtkomst-ID och inget kontrakt-ID; \
        aktivera den först.",
    )
}

pub(super) fn wrong_support_id() -> Told<'static> {
    refusal("R6").plain(
        "This ID is not the one of the partner's support; take it from the answer to the \
        activation.",
        "Detta ID är inte det som gäller partnerns support; ta det från svaret på \
        aktiveringen.",
    )
}

pub(super) fn support_ids<'a>(access_id: &'a AccessId, contract_id: &'a ContractId) -> Told<'a> {
    remark("R6").words(
        move |_| format!("Access ID {access_id}, Contract ID {contract_id}."),
        move |_| format!("Åtkomst-ID {access_id}, kontrakt-ID {contract_id}."),
    )
}

pub(super) fn left_over(unit: Unit, left: i64) -> Told<'static> {
    remark("R6, R7").words(
        move |_| format!("Left: {}.", naming::units(unit, left, English)),
        move |_| format!("Kvar: {}.", naming::units(unit, left, Swedish)),
    )
}

pub(super) fn goes_live(live_on: NaiveDate, until: NaiveDate) -> Told<'static> {
    remark("R8").words(
        move |day| format!("The offer is live from {} through {}.", day(live_on), day(until)),
        move |day| format!("Erbjudandet gäller från och med {} till och med {}.", day(live_on), day(until)),
    )
}

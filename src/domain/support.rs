//! Support tickets and advisory hours: who is covered for what, and what is drawn (R6, R7).

use chrono::NaiveDate;

use super::{
    benefit::{BenefitKind, Unit},
    book::{Case, Effect, Held, Order, Ruling},
    catalogue::{Family, Product},
    core_difference,
    id::{AccessId, ContractId, OrderId, OrderNo, PartnerNo},
    kinds::service_requests::{Request, Ticket},
    reason::{Problem, Reason},
};

/// The Access ID of a partner by its number in the store: the same on each of its orders.
#[must_use]
pub fn access_id(partner_id: PartnerNo) -> AccessId {
    format!("1{partner_id:09}").into()
}

/// The Contract ID of an order by its number in the store.
#[must_use]
pub fn contract_id(membership_id: OrderNo) -> ContractId {
    format!("2{membership_id:09}").into()
}

/// The IDs of an order's support for a directory user who asks to see them: every enabled one may once support is
/// activated, and nobody before (R6).
pub fn see_ids<T>(enabled: bool, support: Option<T>) -> Result<T, Reason> {
    if enabled { support.ok_or(Reason::SupportNotActivated) } else { Err(Reason::UserDisabled) }
}

/// Rules on a ticket or a request for hours: every reason against it.
///
/// A ticket takes one incident from the order that it names, by its id or by its contract, or else from the benefit that
/// ends first and has one left. Hours come from as many as needed, in that order. What is unlimited
/// is covered and nothing is drawn.
pub fn decide(case: &Case<'_>, request: &Request) -> Ruling {
    match request {
        Request::Cancel { .. } => Err(vec![]),
        Request::ProductSupport(ticket) => support(case, ticket, BenefitKind::ProductSupport),
        Request::CloudSupport(ticket) => support(case, ticket, BenefitKind::SignatureCloudSupport),
        Request::AdvisoryHours { minutes, .. } => {
            let mut problems = Vec::new();
            let running = running(case, BenefitKind::AdvisoryHours, case.order, &mut problems);
            draw(&running, (Unit::Hours, *minutes, case.on), ("hours", &hours(*minutes)), problems)
        }
    }
}

/// A ticket about a product that this kind of support covers, of an order that brings it (R6).
fn support(case: &Case<'_>, ticket: &Ticket, kind: BenefitKind) -> Ruling {
    let mut problems = Vec::new();
    let product = case.catalogue.product(&ticket.product);
    match product {
        None => problems.push(Problem::at("product", &ticket.product, Reason::UnknownProduct)),
        Some(product) if (product.family == Family::OnPremises) != (kind == BenefitKind::ProductSupport) => {
            problems.push(Problem::at("product", &ticket.product, Reason::ProductNotCovered));
        }
        Some(product) => problems.extend(version(product, ticket, case.on)),
    }
    let needs_ids = product.is_some_and(|product| match product.family {
        Family::OnPremises | Family::Azure | Family::Dynamics => true,
        Family::AzureCsp | Family::Cloud => false,
    });
    let order = if needs_ids { identified(case, ticket, &mut problems) } else { case.order };
    let running = running(case, kind, order, &mut problems);
    draw(&running, (Unit::Incidents, 1, case.on), ("kind", kind_asked(kind)), problems)
}

/// What kind of request asks for a kind of support.
const fn kind_asked(kind: BenefitKind) -> &'static str {
    if let BenefitKind::ProductSupport = kind { "product_support" } else { "cloud_support" }
}

/// Of an on-premises product only the current and the previous version are supported (R6).
fn version(product: &Product, ticket: &Ticket, on: NaiveDate) -> Option<Problem> {
    if product.family != Family::OnPremises {
        return None;
    }
    let Some(named) = &ticket.product_version else {
        return Some(Problem::at("product_version", "", Reason::Missing));
    };
    let supported = product.supported_on(on);
    if supported.iter().any(|version| version.version.eq_ignore_ascii_case(named)) {
        return None;
    }
    let supported = supported.iter().map(|version| version.version.clone()).collect();
    Some(Problem::at("product_version", named, Reason::VersionNotSupported { supported }))
}

/// The order that a ticket's IDs are of: both must be there and right, and the order's support activated by then (R6).
fn identified<'a>(case: &Case<'a>, ticket: &Ticket, problems: &mut Vec<Problem>) -> Option<&'a Order> {
    let mut no = |column: &str, value: &str, reason| problems.push(Problem::at(column, value, reason));
    let given = [("access_id", ticket.access_id.is_some()), ("contract_id", ticket.contract_id.is_some())];
    for (column, is_given) in given {
        if !is_given {
            no(column, "", Reason::Missing);
        }
    }
    let named = |order: &Order| case.order.is_none_or(|own| own.membership_id == order.membership_id);
    let opened: Vec<(&Order, &AccessId, &ContractId)> = case
        .book
        .orders
        .values()
        .filter(|order| order.partner_id == case.partner.partner_id && named(order))
        .filter(|order| activated_on(case, order).is_none_or(|day| day <= case.on))
        .filter_map(|order| {
            let (access_id, contract_id) = order.support.as_ref()?;
            Some((order, access_id, contract_id))
        })
        .collect();
    if opened.is_empty() {
        let order_id = ticket.order_id.as_ref().map_or("", OrderId::as_str);
        no("order_id", order_id, Reason::SupportNotActivated);
        return case.order;
    }
    if let Some(given) = &ticket.access_id
        && opened.iter().all(|(_, access_id, _)| *access_id != given)
    {
        no("access_id", given.as_str(), Reason::WrongSupportId);
    }
    let Some(given) = &ticket.contract_id else { return case.order };
    let found = opened.iter().find(|(_, _, contract_id)| *contract_id == given).map(|(order, ..)| *order);
    if found.is_none() {
        no("contract_id", given.as_str(), Reason::WrongSupportId);
    }
    found.or(case.order)
}

/// When the support of an order was activated, by the first of its benefits that was.
fn activated_on(case: &Case<'_>, order: &Order) -> Option<NaiveDate> {
    let benefits = case.book.drawable.get(&order.partner_id).into_iter().flatten();
    benefits
        .filter_map(|id| case.book.benefits.get(id))
        .filter(|held| held.membership_id == order.membership_id)
        .filter_map(|held| held.activated_on)
        .min()
}

/// The partner's benefits of a kind that run on the request's date, in the order of their ends; of one order, if known.
fn running<'a>(
    case: &Case<'a>,
    kind: BenefitKind,
    order: Option<&Order>,
    problems: &mut Vec<Problem>,
) -> Vec<&'a Held> {
    let benefits = case.book.drawable.get(&case.partner.partner_id).into_iter().flatten();
    let of_kind: Vec<&Held> = benefits
        .filter_map(|id| case.book.benefits.get(id))
        .filter(|held| held.benefit.kind() == kind && brings(case, held))
        .collect();
    let own = |held: &Held| order.is_none_or(|order| order.membership_id == held.membership_id);
    let mut running: Vec<&Held> = of_kind.iter().copied().filter(|held| held.runs_on(case.on)).collect();
    if running.is_empty() {
        problems.push(Problem::of_row(Reason::NoBenefitsYet));
        return running;
    }
    running.retain(|held| own(held));
    if let Some(order) = order.filter(|_| running.is_empty()) {
        problems.push(match of_kind.iter().rev().find(|held| own(held)) {
            Some(held) => Problem::at("requested_on", &case.on.to_string(), held.outside(case.on)),
            None => Problem::at("order_id", order.order_id.as_str(), Reason::NoBenefitsYet),
        });
    }
    running
}

/// Whether the offer of a benefit's order brings support or hours of its kind at all (R6).
fn brings(case: &Case<'_>, held: &Held) -> bool {
    let offer = case.book.orders.get(&held.order_id).and_then(|order| order.offer);
    offer.is_some_and(|offer| held.benefit.kind().comes_with(offer))
}

/// What is left of a benefit on a day; `None`: it is unlimited.
fn left(held: &Held, unit: Unit, on: NaiveDate) -> Option<i64> {
    held.quantity_on(on).map(|quantity| unit.granted(quantity).saturating_sub(held.drawn).max(0))
}

/// The first day after `on` on which as much as `wanted` is left, because silver holds less back (D12).
fn enough_on(running: &[&Held], unit: Unit, wanted: i64, on: NaiveDate) -> Option<NaiveDate> {
    let all_left = |day: NaiveDate| {
        let running = running.iter().filter(|held| held.runs_on(day));
        running.fold(0_i64, |sum, held| sum.saturating_add(left(held, unit, day).unwrap_or(0)))
    };
    let days = running.iter().flat_map(|held| core_difference::changes(&held.beside, on, held.ends_on()));
    days.filter(|day| all_left(*day) >= wanted).min()
}

/// Draws as much as is `wanted` on a day from benefits in their order; `at` is the column and value that ask for it.
fn draw(
    running: &[&Held],
    (unit, wanted, on): (Unit, i64, NaiveDate),
    at: (&str, &str),
    mut problems: Vec<Problem>,
) -> Ruling {
    let (mut effects, mut open, mut rest) = (Vec::new(), wanted, 0_i64);
    let mut unlimited = false;
    for held in running {
        let Some(left) = left(held, unit, on) else {
            // It covers what is still wanted; nothing is drawn.
            unlimited = true;
            open = 0;
            continue;
        };
        let count = left.min(open);
        open = open.saturating_sub(count);
        rest = rest.saturating_add(left.saturating_sub(count));
        if count > 0 {
            effects.push(Effect::Drawn { entitlement_id: held.entitlement_id, count });
        }
    }
    if open > 0 && !running.is_empty() {
        let left = wanted.saturating_sub(open);
        problems.push(Problem::at(
            at.0,
            at.1,
            Reason::NotEnoughLeft { unit, wanted, left, earliest_on: enough_on(running, unit, wanted, on) },
        ));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let remarks =
        if unlimited { vec![] } else { vec![Problem::of_row(Reason::LeftOver { unit, left: rest })] };
    Ok((effects, remarks))
}

/// Minutes as the column of hours has them, in hundredths where they are whole.
pub(super) fn hours(minutes: i64) -> String {
    let hundredths = minutes.saturating_mul(100).checked_div(60).unwrap_or_default();
    super::money::plain(hundredths, 2).trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
#[path = "support_tests.rs"]
mod tests;

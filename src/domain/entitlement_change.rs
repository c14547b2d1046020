//! What a row of an entitlements file does to what is known of its order (D5, D12, D16): only files create
//! entitlements, the last file wins, the catalogue fills what a row leaves empty and warns about what differs from
//! it, and neither what was granted nor what has ended is changed.

use chrono::NaiveDate;

use super::{
    benefit::{BenefitKind, Offer, Quantity},
    catalogue::{Catalogue, Entry},
    core_difference::HeldBeside,
    id::SubscriptionId,
    kinds::{cell::Patch, entitlements::EntitlementRow},
    membership::{Year, over_before},
    money::{Amount, Currency, plain},
    reason::{Problem, Reason},
};

/// An order as it is known.
#[derive(Clone, Debug)]
pub struct KnownOrder {
    /// `None` while a renewal waits for its entitlements.
    pub offer: Option<Offer>,
    /// When it was bought, likewise.
    pub purchased_on: Option<NaiveDate>,
    /// Its year.
    pub year: Year,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// This file makes it: if it is over, it was before anybody knew, and takes all its benefits (D3).
    pub new: bool,
}

/// An entitlement as it is known.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it says.
    pub stated: Stated,
    /// Credit was granted: dates and amount are fixed.
    pub granted: bool,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// Its last usable day because a full snapshot does not have it.
    pub missing_until: Option<NaiveDate>,
}

impl Known {
    /// What its last usable day was to be, of what a full snapshot does not have and which can be kept when a file arrives.
    fn is_to_end(&self, arrived_on: NaiveDate) -> Option<NaiveDate> {
        self.missing_until.filter(|until| self.ended_on.is_none() && !over_before(*until, arrived_on))
    }
}

/// What an entitlement says, with nothing left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Seats, incidents, hours or units of credit; `None`: unlimited.
    pub quantity: Option<u32>,
    /// `core` or `incremental`.
    pub benefit_type: String,
    /// First usable day.
    pub starts_on: NaiveDate,
    /// Last usable day.
    pub expires_on: NaiveDate,
    /// Per period and unit.
    pub amount: Option<Amount>,
    /// The competency it came with.
    pub competency: Option<String>,
    /// The Azure subscription.
    pub subscription_id: Option<SubscriptionId>,
}

/// What becomes of a row that is taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It says what is known.
    Unchanged,
    /// It makes an entitlement, or makes one anew.
    Put(Stated),
}

/// What a row is read against.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// The partner's currency when the file arrived.
    pub local: Currency,
    /// Its currency when the row's benefit starts, which it may have changed since (D4).
    pub at_start: Currency,
    /// Its order, if known.
    pub order: Option<&'a KnownOrder>,
    /// Its entitlement, if known.
    pub known: Option<&'a Known>,
    /// What offers bring.
    pub catalogue: &'a Catalogue,
    /// What other core rows hold of the benefit already: the catalogue brings the difference.
    pub held: HeldBeside,
    /// The business date its file arrived.
    pub arrived_on: NaiveDate,
}

/// Decides a row: a change with remarks, or every reason against it.
pub fn decide(row: &EntitlementRow, against: &Against<'_>) -> Result<(Change, Vec<Problem>), Vec<Problem>> {
    let mut problems = mismatches(row, against.order);
    let listed = against.catalogue.lookup(
        row.offer.name(),
        row.benefit.as_str(),
        row.competency.as_set().map(String::as_str),
        row.purchased_on,
    );
    let (stated, mut remarks) = match state(row, against, listed) {
        Ok(stated) => (stated, remarks(row, listed, against.held)),
        Err(open) => {
            problems.extend(open);
            return Err(problems);
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let ended = ended(against);
    let to_end = against.known.and_then(|known| known.is_to_end(against.arrived_on));
    let kept = to_end.filter(|_| ended.is_none());
    if kept.is_none() && against.known.is_some_and(|known| known.stated == stated) {
        return Ok((Change::Unchanged, remarks));
    }
    if let Some(ended_on) = ended {
        return Err(vec![Problem::at("order_id", row.order_id.as_str(), Reason::AlreadyEnded { ended_on })]);
    }
    if let Some(known) = against.known.filter(|known| known.granted) {
        let fixed = fixed(&known.stated, &stated, against.local);
        if !fixed.is_empty() {
            return Err(fixed);
        }
    }
    remarks.extend(kept.map(|until| Problem::of_row(Reason::NamedAgain { until })));
    Ok((Change::Put(stated), remarks))
}

/// The last usable day of what has ended, or was over when the file arrived (D16).
fn ended(against: &Against<'_>) -> Option<NaiveDate> {
    let known = against.known?;
    let order = against.order?;
    let last_usable_on = order.year.last_usable_on(known.stated.expires_on);
    let over = over_before(last_usable_on, against.arrived_on).then_some(last_usable_on);
    let missing = known.missing_until.filter(|until| over_before(*until, against.arrived_on));
    known.ended_on.or(missing).or(over).or_else(|| order_ended(order, against.arrived_on))
}

fn order_ended(order: &KnownOrder, arrived_on: NaiveDate) -> Option<NaiveDate> {
    let grace_ends_on = order.year.grace_ends_on();
    let over = !order.new && over_before(grace_ends_on, arrived_on);
    order.ended_on.or_else(|| over.then_some(grace_ends_on))
}

/// Offer and purchase date agree on all rows of an order (D5); an order that has ended takes no new benefit.
fn mismatches(row: &EntitlementRow, order: Option<&KnownOrder>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(order) = order else { return problems };
    if let Some(offer) = order.offer
        && offer != row.offer
    {
        let reason = Reason::OrderMismatch { column: "offer".into(), expected: offer.name().into() };
        problems.push(Problem::at("offer", row.offer.name(), reason));
    }
    if let Some(bought) = order.purchased_on
        && bought != row.purchased_on
    {
        let reason = Reason::OrderMismatch { column: "purchased_on".into(), expected: bought.to_string() };
        problems.push(Problem::at("purchased_on", &row.purchased_on.to_string(), reason));
    }
    problems
}

/// Fills what the row leaves open, from what is known (an absent column keeps), then from the catalogue (D12).
fn state(
    row: &EntitlementRow,
    against: &Against<'_>,
    listed: Option<&Entry>,
) -> Result<Stated, Vec<Problem>> {
    let mut problems = Vec::new();
    let known = against.known.map(|known| &known.stated);
    if known.is_none()
        && let Some(ended_on) = against.order.and_then(|order| order_ended(order, against.arrived_on))
    {
        problems.push(Problem::at("order_id", row.order_id.as_str(), Reason::AlreadyEnded { ended_on }));
    }
    let held = against.held;
    let from_catalogue = |entry: &Entry| {
        if is_credit(row) { entry.quantity } else { held.units_beside(entry.quantity) }
    };
    let quantity = match (row.quantity, listed.map(from_catalogue)) {
        // What was taken in before this was looked at stays as it is (D16).
        _ if !row.benefit.kind().comes_with(row.offer) => known.map_or(Some(0), |stated| stated.quantity),
        (Some(Quantity::Count(count)), _) | (None, Some(Quantity::Count(count))) => Some(count),
        (Some(Quantity::Unlimited), _) | (None, Some(Quantity::Unlimited)) => None,
        (None, None) => {
            problems.push(Problem::at("quantity", "", Reason::Missing));
            None
        }
    };
    let from_catalogue = || {
        let listed = listed.and_then(Entry::amount_minor);
        listed.map(|minor| Amount::new(held.usd_beside(minor), Currency::USD))
    };
    let amount = match &row.amount {
        Patch::Set(amount) => Some(*amount),
        Patch::Keep => known.map_or_else(from_catalogue, |stated| stated.amount),
        Patch::Clear => from_catalogue(),
    };
    match amount {
        Some(amount) if ![Currency::USD, against.local, against.at_start].contains(&amount.currency) => {
            let reason = Reason::CurrencyNotAccepted { expected: against.local };
            problems.push(Problem::at("currency", amount.currency.code(), reason));
        }
        // What was taken in stays as it is, however large (D16).
        Some(amount)
            if amount.times(quantity.unwrap_or(1)).is_none()
                && known
                    .is_none_or(|stated| (stated.amount, stated.quantity) != (Some(amount), quantity)) =>
        {
            let reason = Reason::AmountTooLarge { currency: amount.currency };
            // Where the row leaves the amount open, its quantity is what can be corrected.
            let count = quantity.unwrap_or(1).to_string();
            let of_row = matches!(row.amount, Patch::Set(_));
            let (column, value) = if of_row { ("amount", amount.plain()) } else { ("quantity", count) };
            problems.push(Problem::at(column, &value, reason));
        }
        None if is_credit(row) => problems.push(Problem::at("amount", "", Reason::NoAmount)),
        _ => {}
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Stated {
        quantity,
        benefit_type: row.benefit_type.name().to_owned(),
        starts_on: row.starts_on,
        expires_on: row.expires_on,
        amount,
        competency: row.competency.clone().onto(known.and_then(|k| k.competency.clone())),
        subscription_id: row.subscription_id.clone().onto(known.and_then(|k| k.subscription_id.clone())),
    })
}

/// Whether a row is Azure credit.
#[must_use]
pub fn is_credit(row: &EntitlementRow) -> bool {
    matches!(row.benefit.kind(), BenefitKind::AzureMonthlyCredit | BenefitKind::AzureBulkCredit)
}

/// What the row says otherwise than the catalogue.
fn remarks(row: &EntitlementRow, listed: Option<&Entry>, held: HeldBeside) -> Vec<Problem> {
    let mut remarks = Vec::new();
    if !row.benefit.kind().comes_with(row.offer) {
        let reason = Reason::NotInOffer { offer: row.offer };
        return vec![Problem::at("benefit", row.benefit.as_str(), reason)];
    }
    let Some(entry) = listed else { return remarks };
    let mut differs = |column: &str, value: &str, expected: String| {
        let reason = Reason::DiffersFromCatalogue { column: column.to_owned(), expected };
        remarks.push(Problem::at(column, value, reason));
    };
    let quantity = if is_credit(row) { entry.quantity } else { held.units_beside(entry.quantity) };
    match (row.quantity, quantity) {
        (Some(Quantity::Count(stated)), Quantity::Count(listed)) if stated != listed => {
            differs("quantity", &stated.to_string(), listed.to_string());
        }
        (Some(Quantity::Unlimited), Quantity::Count(listed)) => {
            differs("quantity", "unlimited", listed.to_string());
        }
        _ => {}
    }
    if let Patch::Set(amount) = &row.amount
        && amount.currency == Currency::USD
        && !entry.amounts_minor.is_empty()
        && !entry.amounts_minor.iter().any(|minor| held.usd_beside(*minor) == amount.minor)
    {
        let listed: Vec<String> =
            entry.amounts_minor.iter().map(|minor| plain(held.usd_beside(*minor), 2)).collect();
        differs("amount", &amount.plain(), listed.join(" / "));
    }
    if entry.benefit_type != row.benefit_type.name() {
        differs("benefit_type", row.benefit_type.name(), entry.benefit_type.clone());
    }
    remarks
}

/// Every column that was granted with another value (D16). An amount in a currency that the partner `local` has no more
/// is stated anew: later periods cannot be granted in it (D4).
fn fixed(known: &Stated, stated: &Stated, local: Currency) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut differs = |column: &str, was: String, now: String| {
        if was != now {
            let reason = Reason::AlreadyGranted { column: column.to_owned(), expected: was };
            problems.push(Problem::at(column, &now, reason));
        }
    };
    let count = |quantity: Option<u32>| quantity.map_or_else(|| "unlimited".to_owned(), |n| n.to_string());
    differs("quantity", count(known.quantity), count(stated.quantity));
    differs("starts_on", known.starts_on.to_string(), stated.starts_on.to_string());
    differs("expires_on", known.expires_on.to_string(), stated.expires_on.to_string());
    let left = |amount: &Amount| amount.currency != Currency::USD && amount.currency != local;
    if known.amount.as_ref().is_some_and(left) && stated.amount.is_some_and(|amount| !left(&amount)) {
        return problems;
    }
    let written = |amount: Option<Amount>| amount.map_or_else(String::new, |a| a.plain());
    differs("amount", written(known.amount), written(stated.amount));
    let code = |amount: Option<Amount>| amount.map_or_else(String::new, |a| a.currency.to_string());
    differs("currency", code(known.amount), code(stated.amount));
    problems
}

#[cfg(test)]
#[path = "entitlement_change_tests.rs"]
mod tests;

//! Usage that names a subscription in place of an order: the entitlement is the partner's credit that has it on that day.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::staged::StagedFile;
use crate::{
    domain::{
        id::{OrderId, PartnerId, PartnerNo, SubscriptionId},
        kinds::forms,
        reason::{Problem, Reason},
    },
    jobs::engine::Result,
    store::{
        file::{CELL_END, StagedRow},
        intake::{self, Subscribed},
    },
};

/// The column that names a subscription.
const SUBSCRIPTION: &str = "subscription_id";
/// The columns that it says.
pub const RESOLVED: [&str; 2] = ["order_id", "benefit"];

/// Rows of usage with the order and the benefit whose subscription they name, and of each why it has none, if so. Rows that
/// name no subscription stay as they are.
pub async fn resolve<'a>(
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &'a [StagedRow],
) -> Result<(Cow<'a, [StagedRow]>, Vec<Option<Problem>>)> {
    let place = |name: &str| staged.header.iter().position(|column| column == name);
    let places =
        [place("partner_id"), place("used_on"), place(SUBSCRIPTION), place("order_id"), place("benefit")];
    let [Some(partner), Some(used_on), Some(subscription), Some(order), Some(benefit)] = places else {
        return Ok((Cow::Borrowed(rows), vec![None; rows.len()]));
    };
    let cells: Vec<Vec<&str>> =
        rows.iter().map(|row| row.cells.split(CELL_END).map(str::trim).collect()).collect();
    let cell = |row: &[&'a str], at: usize| row.get(at).copied().unwrap_or_default();
    let numbers: BTreeSet<&str> = cells.iter().map(|row| cell(row, partner)).collect();
    let numbers: Vec<PartnerId> = numbers.into_iter().map(PartnerId::from).collect();
    let partners = intake::partners(conn, &numbers).await?;
    let ids: Vec<PartnerNo> = partners.values().map(|(partner_id, _)| *partner_id).collect();
    let mut credits: BTreeMap<(PartnerNo, SubscriptionId), Vec<Subscribed>> = BTreeMap::new();
    for one in intake::subscribed(conn, &ids).await? {
        credits.entry((one.partner_id, one.subscription_id.clone())).or_default().push(one);
    }
    let (mut resolved, mut lacking) = (rows.to_vec(), Vec::with_capacity(rows.len()));
    for (row, cells) in resolved.iter_mut().zip(&cells) {
        let named = cell(cells, subscription);
        if named.is_empty() || !cell(cells, order).is_empty() {
            lacking.push(None);
            continue;
        }
        let known = partners
            .get(cell(cells, partner))
            .map(|(partner_id, _)| (*partner_id, SubscriptionId::from(named.to_lowercase())));
        let known = known.and_then(|key| credits.get(&key)).map_or(&[][..], Vec::as_slice);
        match on_day(known, forms::date(cell(cells, used_on))) {
            Ok(credit) => {
                let cell = |(at, cell): (usize, &&str)| match at {
                    _ if at == order => credit.order_id.to_string(),
                    _ if at == benefit => credit.benefit.clone(),
                    _ => (*cell).to_owned(),
                };
                let filled: Vec<String> = cells.iter().enumerate().map(cell).collect();
                row.cells = filled.join(CELL_END.encode_utf8(&mut [0; 4]));
                lacking.push(None);
            }
            Err(reason) => lacking.push(Some(Problem::at(SUBSCRIPTION, named, reason))),
        }
    }
    Ok((Cow::Owned(resolved), lacking))
}

/// The credit that has the subscription on a day: the one that runs then; else the one that ended last before, since what is
/// used after the end is not lost (D15); else the first, which says when it starts.
fn on_day(credits: &[Subscribed], day: Option<NaiveDate>) -> std::result::Result<&Subscribed, Reason> {
    let begun = |credit: &&Subscribed| day.is_none_or(|day| credit.starts_on <= day);
    let runs = |credit: &&Subscribed| begun(credit) && day.is_none_or(|day| day <= credit.last_on);
    let running: Vec<&Subscribed> = credits.iter().filter(runs).collect();
    let candidates = if running.is_empty() {
        let last = credits.iter().filter(begun).map(|credit| credit.last_on).max();
        let ended: Vec<_> =
            credits.iter().filter(|credit| begun(credit) && Some(credit.last_on) == last).collect();
        let first = credits.iter().min_by_key(|credit| credit.starts_on);
        if ended.is_empty() { first.into_iter().collect() } else { ended }
    } else {
        running
    };
    match candidates.as_slice() {
        [] => Err(Reason::UnknownSubscription),
        [one] => Ok(one),
        several => {
            let orders: BTreeSet<OrderId> = several.iter().map(|credit| credit.order_id.clone()).collect();
            Err(Reason::AmbiguousSubscription { orders: orders.into_iter().collect() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d15_usage_is_of_the_credit_that_has_its_subscription_that_day() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let credit = |order: &str, starts_on: &str, last_on: &str| Subscribed {
            partner_id: PartnerNo::from(1),
            subscription_id: "s".into(),
            order_id: order.into(),
            benefit: "azure_monthly_credit".into(),
            starts_on: day(starts_on),
            last_on: day(last_on),
        };
        let years = [credit("A", "2024-01-31", "2025-01-30"), credit("B", "2025-01-31", "2026-01-30")];
        let of = |on: &str| on_day(&years, Some(day(on))).map(|credit| credit.order_id.as_str());
        assert_eq!((of("2024-06-01"), of("2025-01-31"), of("2026-03-01")), (Ok("A"), Ok("B"), Ok("B")));
        assert_eq!(of("2023-01-01"), Ok("A"), "its start is told");
        assert_eq!(on_day(&[], Some(day("2024-06-01"))), Err(Reason::UnknownSubscription));
        let both = [years[0].clone(), credit("C", "2024-05-01", "2024-07-01")];
        let orders = vec![OrderId::from("A"), OrderId::from("C")];
        assert_eq!(on_day(&both, Some(day("2024-06-01"))), Err(Reason::AmbiguousSubscription { orders }));
    }
}

//! Usage of credit: events, which the night draws; the same reference with other content is a conflict, told loudly (D15, D16).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        benefit::BenefitKind,
        calendar::add_days,
        id::{EntitlementNo, OrderId, OrderNo, PartnerId, PartnerNo},
        kinds::credit_usage,
        ledger::EntryKind,
        money::{Amount, Currency},
        own_currency::Exchange,
        rate::Rates,
        reason::{Expected, Problem, Reason},
    },
    jobs::{
        engine::{Context, Result},
        intake::{
            staged::{StagedFile, Verdict, distinct, order_of, parse},
            subscriptions,
            usage_parts::CountedUsage,
        },
    },
    store::{
        credit::{self, Credit},
        file::StagedRow,
        intake::{self, NewUsage},
        own_currency, rate, settlement,
    },
};

/// Records usage of credit; the night draws it (D15).
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let (rows, lacking) = subscriptions::resolve(conn, staged, rows).await?;
    let parsed: Vec<_> = rows
        .iter()
        .zip(lacking)
        .map(|(row, lacking)| match (parse(staged, row, credit_usage::parse), lacking) {
            (parsed, None) => parsed,
            (parsed, Some(why)) => {
                let others = parsed.err().unwrap_or_default().into_iter();
                let others =
                    others.filter(|problem| !subscriptions::RESOLVED.contains(&problem.column.as_str()));
                Err(others.chain([why]).collect())
            }
        })
        .collect();
    let numbers = distinct(parsed.iter().flatten(), |row| &row.partner_id);
    let partners = intake::partners(conn, &numbers).await?;
    let order_ids = distinct(parsed.iter().flatten(), |row| &row.order_id);
    let orders = intake::orders(conn, &order_ids).await?;
    let memberships: Vec<OrderNo> = orders.values().map(|order| order.membership_id).collect();
    let benefits = intake::entitlements(conn, &memberships).await?;
    let owned =
        |row: &credit_usage::CreditUsageRow| Some((partners.get(&row.partner_id)?.0, row.reference.clone()));
    let (owners, references): (Vec<PartnerNo>, Vec<String>) =
        parsed.iter().flatten().filter_map(owned).unzip();
    let mut recorded = intake::usage(conn, &owners, &references).await?;
    let changed = Changed::load(cx, conn, &partners, &benefits).await?;
    let counted = CountedUsage::load(conn, staged, &rows, &partners).await?;
    let (mut verdicts, mut fresh) = (Vec::with_capacity(rows.len()), Vec::new());
    for (row, parsed) in rows.iter().zip(parsed) {
        let usage = match parsed {
            Err(problems) => Err(problems),
            Ok(wanted) => one_usage(staged, row.line, &wanted, &partners, &orders, (&benefits, &changed))
                .map_err(|p| vec![p]),
        };
        verdicts.push(match usage {
            Err(problems) => Verdict::Rejected(problems),
            Ok(new) => {
                let key = (new.partner_id, new.reference.clone());
                if let Some(earlier) = recorded.get(&key) {
                    same_usage(&new, *earlier)
                } else if let Some(verdict) = counted.verdict(row, new.partner_id, &new.reference) {
                    verdict
                } else {
                    recorded.insert(key, (new.entitlement_id, new.used_on, new.amount.minor));
                    fresh.push(new);
                    Verdict::Applied(vec![])
                }
            }
        });
    }
    intake::append_usage(conn, staged.file_id, &fresh).await?;
    Ok(verdicts)
}

/// The credits of partners that changed their currency: usage follows the currency of its period's grant (D4, D15).
#[derive(Default)]
struct Changed {
    credits: HashMap<EntitlementNo, Credit>,
    /// The currency of a grant, by entitlement and period.
    granted: HashMap<(EntitlementNo, u32), Currency>,
    rates: Rates,
}

impl Changed {
    async fn load(
        cx: &Context,
        conn: &mut PgConnection,
        partners: &HashMap<PartnerId, (PartnerNo, Currency)>,
        benefits: &HashMap<(OrderNo, String), intake::StoredEntitlement>,
    ) -> Result<Self> {
        let partner_ids: Vec<PartnerNo> = partners.values().map(|(id, _)| *id).collect();
        if own_currency::changes(conn, &partner_ids).await?.is_empty() {
            return Ok(Self::default());
        }
        let ids: Vec<EntitlementNo> = benefits.values().map(|stored| stored.entitlement_id).collect();
        let mut credits = credit::of_entitlements(conn, &ids, &cx.credit_policy()).await?;
        credits.retain(|credit| !credit.changes.is_empty());
        let ids: Vec<EntitlementNo> = credits.iter().map(|credit| credit.entitlement_id).collect();
        let booked = settlement::booked(conn, &ids).await?;
        let granted = booked.into_iter().filter(|(_, b)| b.transfer.kind == EntryKind::CreditGranted);
        Ok(Self {
            granted: granted
                .map(|(id, b)| ((id, b.transfer.period_no), b.transfer.amount.currency))
                .collect(),
            credits: credits.into_iter().map(|credit| (credit.entitlement_id, credit)).collect(),
            rates: rate::load(conn).await?,
        })
    }

    /// The currency of the grant that usage of a day draws from, or will; `None`: the partner never changed it.
    fn currency(
        &self,
        entitlement_id: EntitlementNo,
        used_on: NaiveDate,
        arrived_on: NaiveDate,
    ) -> Option<Currency> {
        let credit = self.credits.get(&entitlement_id)?;
        let number = credit.terms.period_of(used_on)?;
        let exchange = Exchange { rates: &self.rates, changes: &credit.changes };
        let granted = self.granted.get(&(entitlement_id, number)).copied();
        Some(granted.unwrap_or_else(|| credit.terms.currency_of(number, exchange, arrived_on)))
    }
}

fn one_usage(
    staged: &StagedFile,
    line: i32,
    row: &credit_usage::CreditUsageRow,
    partners: &HashMap<PartnerId, (PartnerNo, Currency)>,
    orders: &HashMap<OrderId, intake::StoredOrder>,
    (benefits, changed): (&HashMap<(OrderNo, String), intake::StoredEntitlement>, &Changed),
) -> std::result::Result<NewUsage, Problem> {
    let known = partners.get(&row.partner_id);
    let partner_id = staged.admit(&row.partner_id, known.map(|(id, _)| *id))?;
    let order = order_of(orders, &row.order_id, partner_id)?;
    let benefit = row.benefit.as_str();
    let stored = benefits
        .get(&(order.membership_id, benefit.to_owned()))
        .ok_or_else(|| Problem::at("benefit", benefit, Reason::UnknownBenefit))?;
    if !matches!(row.benefit.kind(), BenefitKind::AzureMonthlyCredit | BenefitKind::AzureBulkCredit) {
        return Err(Problem::at("benefit", benefit, Reason::NotACredit));
    }
    let local = changed.currency(stored.entitlement_id, row.used_on, staged.received_on);
    if let Some(expected) = local.or(known.map(|(_, local)| *local)).filter(|c| *c != row.amount.currency) {
        let reason = Reason::UsageCurrencyDiffers { expected };
        return Err(Problem::at("currency", row.amount.currency.code(), reason));
    }
    let used_on = row.used_on.to_string();
    if row.used_on > staged.received_on {
        let reason =
            Reason::RequestedInFuture { received_on: staged.received_on, requested_on: Some(row.used_on) };
        return Err(Problem::at("used_on", &used_on, reason));
    }
    let starts_on = stored.known.stated.starts_on;
    if row.used_on < starts_on {
        let until = add_days(stored.known.stated.expires_on, 1);
        return Err(Problem::at("used_on", &used_on, Reason::OutsideCredit { from: starts_on, until }));
    }
    Ok(NewUsage {
        partner_id,
        entitlement_id: stored.entitlement_id,
        reference: row.reference.clone(),
        used_on: row.used_on,
        amount: row.amount,
        line,
    })
}

fn same_usage(new: &NewUsage, (entitlement_id, used_on, minor): (EntitlementNo, NaiveDate, i64)) -> Verdict {
    let conflict = |column: &str, value: String, expected: String| {
        Verdict::no(column, &value, Reason::ConflictsWithEarlier { column: column.to_owned(), expected })
    };
    if new.used_on != used_on {
        conflict("used_on", new.used_on.to_string(), used_on.to_string())
    } else if new.amount.minor != minor {
        conflict("amount", new.amount.plain(), Amount::new(minor, new.amount.currency).plain())
    } else if new.entitlement_id != entitlement_id {
        Verdict::no("reference", &new.reference, Reason::Invalid { expected: Expected::Benefit, meant: None })
    } else {
        Verdict::Unchanged(vec![])
    }
}

//! Usage of credit: events, which the night draws; the same reference with other content is a conflict, told loudly (D15, D16).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        benefit::BenefitKind,
        calendar::add_days,
        kinds::credit_usage,
        money::{Amount, Currency},
        reason::{Expected, Problem, Reason},
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, order_of, parse},
    },
    store::{
        file::StagedRow,
        intake::{self, NewUsage},
    },
};

/// Records usage of credit; the night draws it (D15).
pub async fn apply(
    _: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(staged, row, credit_usage::parse)).collect();
    let numbers: Vec<String> = parsed.iter().flatten().map(|row| row.partner_id.clone()).collect();
    let partners = intake::partners(conn, &numbers).await?;
    let order_ids: Vec<String> = parsed.iter().flatten().map(|row| row.order_id.clone()).collect();
    let orders = intake::orders(conn, &order_ids).await?;
    let memberships: Vec<i64> = orders.values().map(|order| order.membership_id).collect();
    let benefits = intake::entitlements(conn, &memberships).await?;
    let owners: Vec<i64> =
        parsed.iter().flatten().map(|row| partners.get(&row.partner_id).map_or(0, |p| p.0)).collect();
    let references: Vec<String> = parsed.iter().flatten().map(|row| row.reference.clone()).collect();
    let mut recorded = intake::usage(conn, &owners, &references).await?;
    let (mut verdicts, mut fresh) = (Vec::with_capacity(rows.len()), Vec::new());
    for (row, parsed) in rows.iter().zip(parsed) {
        let row = match parsed {
            Err(problems) => Err(problems),
            Ok(wanted) => {
                one_usage(staged, row.line, &wanted, &partners, &orders, &benefits).map_err(|p| vec![p])
            }
        };
        verdicts.push(match row {
            Err(problems) => Verdict::Rejected(problems),
            Ok(new) => {
                let key = (new.partner_id, new.reference.clone());
                if let Some(earlier) = recorded.get(&key) {
                    same_usage(&new, *earlier)
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

fn one_usage(
    staged: &StagedFile,
    line: i32,
    row: &credit_usage::CreditUsageRow,
    partners: &HashMap<String, (i64, Currency)>,
    orders: &HashMap<String, intake::StoredOrder>,
    benefits: &HashMap<(i64, String), intake::StoredEntitlement>,
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
    if let Some((_, local)) = known.filter(|(_, local)| *local != row.amount.currency) {
        let reason = Reason::UsageCurrencyDiffers { expected: *local };
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

fn same_usage(new: &NewUsage, (entitlement_id, used_on, minor): (i64, NaiveDate, i64)) -> Verdict {
    let conflict = |column: &str, value: String, expected: String| {
        Verdict::no(column, &value, Reason::ConflictsWithEarlier { column: column.to_owned(), expected })
    };
    if new.used_on != used_on {
        conflict("used_on", new.used_on.to_string(), used_on.to_string())
    } else if new.amount.minor != minor {
        conflict("amount", new.amount.plain(), Amount::new(minor, new.amount.currency).plain())
    } else if new.entitlement_id != entitlement_id {
        Verdict::no("reference", &new.reference, Reason::Invalid { expected: Expected::Benefit })
    } else {
        Verdict::Unchanged(vec![])
    }
}

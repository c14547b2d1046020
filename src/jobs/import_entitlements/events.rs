//! Events: published rates, renewals, usage of credit. The same key with other content is a conflict, told loudly (D16).

use std::collections::HashMap;

use serde_json::json;
use sqlx::PgConnection;

use super::{
    apply::{Verdict, parse, record},
    intake::{StagedFile, order_of},
    people::partner_of,
};
use crate::{
    domain::{
        credit_usage,
        entitlement::BenefitKind,
        membership::Year,
        money::{Amount, plain},
        reason::{Expected, Problem, Reason},
        renewal,
    },
    files::rates::Rates,
    jobs::{Context, Error, Result},
    store::{
        file::StagedRow,
        intake::{self, NewRequest, NewUsage},
        order,
    },
};

/// Applies published days of a rates file.
pub async fn rates(conn: &mut PgConnection, staged: &StagedFile, rows: &[StagedRow]) -> Result<Vec<Verdict>> {
    let columns = Rates::of_header(&staged.header)
        .map_err(|refusal| Error::file(std::path::Path::new("rates"))(std::io::Error::other(refusal)))?;
    let days: Vec<_> = rows.iter().map(|row| columns.day(&record(row))).collect();
    let published: Vec<_> = days.iter().flatten().map(|day| day.on).collect();
    let mut known = intake::rates(conn, &published).await?;
    let (mut verdicts, mut fresh) = (Vec::with_capacity(rows.len()), Vec::new());
    for day in days {
        let day = match day {
            Ok(day) => day,
            Err(problems) => {
                verdicts.push(Verdict::Rejected(problems));
                continue;
            }
        };
        let (mut problems, mut new) = (Vec::new(), Vec::new());
        for (currency, rate) in day.rates {
            match known.get(&(day.on, currency.to_string())) {
                None => new.push((day.on, currency, rate)),
                Some(micro) if *micro == rate.micro() => {}
                Some(micro) => {
                    let (column, expected) = (currency.to_string(), plain(*micro, 6));
                    let reason = Reason::ConflictsWithEarlier { column, expected };
                    problems.push(Problem::at(currency.code(), &plain(rate.micro(), 6), reason));
                }
            }
        }
        verdicts.push(if !problems.is_empty() {
            Verdict::Rejected(problems)
        } else if new.is_empty() {
            Verdict::Unchanged(vec![])
        } else {
            known.extend(new.iter().map(|(on, currency, rate)| ((*on, currency.to_string()), rate.micro())));
            fresh.extend(new);
            Verdict::Applied(vec![])
        });
    }
    intake::append_rates(conn, staged.file_id, &fresh).await?;
    Ok(verdicts)
}

/// Records renewals, which take effect in the night of their date (D5).
pub async fn renewals(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        verdicts.push(match parse(staged, row, renewal::parse) {
            Ok(renewal) => record_renewal(cx, conn, staged, row.line, &renewal).await?,
            Err(problems) => Verdict::Rejected(problems),
        });
    }
    Ok(verdicts)
}

async fn record_renewal(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    line: i32,
    row: &renewal::RenewalRow,
) -> Result<Verdict> {
    let partner_id = match partner_of(conn, staged, &row.partner_id).await? {
        Ok(partner_id) => partner_id,
        Err(problems) => return Ok(Verdict::Rejected(problems)),
    };
    let content = json!({ "renewed_on": row.renewed_on, "new_order_id": row.new_order_id });
    if let Some(earlier) = intake::find_request(conn, partner_id, "renew", &row.order_id).await? {
        let differs = ["renewed_on", "new_order_id"]
            .into_iter()
            .find(|column| earlier.content.0[column] != content[column]);
        return Ok(match differs {
            None => Verdict::Unchanged(vec![]),
            Some(column) => {
                let expected = earlier.content.0[column].as_str().unwrap_or_default().to_owned();
                let value = content[column].as_str().unwrap_or_default();
                Verdict::no(
                    column,
                    value,
                    Reason::ConflictsWithEarlier { column: column.to_owned(), expected },
                )
            }
        });
    }
    let order = match order::owner(conn, &row.order_id).await? {
        None => return Ok(Verdict::no("order_id", &row.order_id, Reason::UnknownOrder)),
        Some((_, owner)) if owner != partner_id => {
            return Ok(Verdict::no("order_id", &row.order_id, Reason::OrderOfAnotherPartner));
        }
        Some((membership_id, _)) => order::lock(conn, membership_id).await?,
    };
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    let year = Year { starts_on: order.starts_on, anniversary_on: order.anniversary_on, grace_days };
    let mut problems = Vec::new();
    if row.renewed_on > staged.received_on {
        let reason =
            Reason::RequestedInFuture { received_on: staged.received_on, requested_on: Some(row.renewed_on) };
        problems.push(Problem::at("renewed_on", &row.renewed_on.to_string(), reason));
    }
    if let Err(reason) = year.check_renewal(row.renewed_on) {
        problems.push(Problem::at("renewed_on", &row.renewed_on.to_string(), reason));
    }
    let over = crate::domain::membership::over_before(year.grace_ends_on(), staged.received_on);
    if let Some(ended_on) = order.ended_on.or_else(|| over.then(|| year.grace_ends_on())) {
        problems.push(Problem::at("order_id", &row.order_id, Reason::AlreadyEnded { ended_on }));
    }
    if order::is_taken(conn, &row.new_order_id, &order).await? {
        problems.push(Problem::at("new_order_id", &row.new_order_id, Reason::NewOrderTaken));
    }
    if !problems.is_empty() {
        return Ok(Verdict::Rejected(problems));
    }
    let new = NewRequest {
        partner_id,
        kind: "renew",
        request_key: &row.order_id,
        content: &content,
        membership_id: order.membership_id,
        entitlement_id: None,
        requested_by: "operator",
        requested_on: row.renewed_on,
        file_id: staged.file_id,
        line,
        status: "pending",
    };
    intake::append_request(conn, &new).await?;
    Ok(Verdict::Applied(vec![Problem::of_row(Reason::DecidedAtNight { night_of: staged.received_on })]))
}

/// Records usage of credit; the night draws it (D15).
pub async fn usage(conn: &mut PgConnection, staged: &StagedFile, rows: &[StagedRow]) -> Result<Vec<Verdict>> {
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
    partners: &HashMap<String, (i64, crate::domain::money::Currency)>,
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
        let until = crate::domain::calendar::add_days(stored.known.stated.expires_on, 1);
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

fn same_usage(new: &NewUsage, (entitlement_id, used_on, minor): (i64, chrono::NaiveDate, i64)) -> Verdict {
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

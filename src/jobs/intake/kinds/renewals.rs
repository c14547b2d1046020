//! Renewals: events that the night of their date decides; the same order with other content is a conflict (D5, D16).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    domain::{
        kinds::renewals::{self, RenewalRow},
        membership::{self, Year},
        reason::{Problem, Reason},
        request::OPERATOR,
        role::Action,
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, asker, may, parse},
    },
    store::{
        directory::Directory,
        file::StagedRow,
        intake::{self, NewRequest, RecordedRequest},
        order,
    },
};

/// The column of who asks.
const BY: &str = "requested_by";

/// Records renewals, which take effect in the night of their date (D5).
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(staged, row, renewals::parse)).collect();
    let numbers: BTreeSet<&String> = parsed.iter().flatten().map(|row| &row.partner_id).collect();
    let numbers: Vec<String> = numbers.into_iter().cloned().collect();
    let partners = intake::partners(conn, &numbers).await?;
    let partner = |row: &RenewalRow| partners.get(&row.partner_id).map(|(partner_id, _)| *partner_id);
    let named = |row| Some((partner(row)?, asker(staged, row.requested_by.as_deref())?));
    let named: Vec<(i64, &str)> = parsed.iter().flatten().filter_map(named).collect();
    let directory = Directory::load(conn, &named).await?;
    let mut verdicts = Vec::with_capacity(rows.len());
    for (StagedRow { line, .. }, parsed) in rows.iter().zip(&parsed) {
        verdicts.push(match parsed {
            Err(problems) => Verdict::Rejected(problems.clone()),
            Ok(row) => match staged.admit(&row.partner_id, partner(row)) {
                Err(problem) => Verdict::Rejected(vec![problem]),
                Ok(partner_id) => record(cx, conn, staged, &directory, partner_id, *line, row).await?,
            },
        });
    }
    Ok(verdicts)
}

/// Records a renewal of a partner's order, or says why not.
async fn record(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    directory: &Directory,
    partner_id: i64,
    line: i32,
    row: &RenewalRow,
) -> Result<Verdict> {
    let asker = asker(staged, row.requested_by.as_deref());
    let by = asker.and_then(|named| directory.find(partner_id, named).ok()).map(|user| user.user_id);
    let content = json!({
        "renewed_on": row.renewed_on, "new_order_id": row.new_order_id, BY: by.map_or(OPERATOR.into(), Value::from),
    });
    let known = asker.is_none() || by.is_some();
    if known && let Some(earlier) = intake::find_request(conn, partner_id, "renew", &row.order_id).await? {
        let conflicts = conflicts(row, &content, &earlier);
        let same = conflicts.is_empty();
        return Ok(if same { Verdict::Unchanged(vec![]) } else { Verdict::Rejected(conflicts) });
    }
    // Who may buy may renew.
    let mut problems: Vec<Problem> =
        may(staged, directory, partner_id, asker, Action::Buy).into_iter().collect();
    let order = match order::owner(conn, &row.order_id).await? {
        None => {
            problems.insert(0, Problem::at("order_id", &row.order_id, Reason::UnknownOrder));
            return Ok(Verdict::Rejected(problems));
        }
        Some((_, owner)) if owner != partner_id => {
            problems.insert(0, Problem::at("order_id", &row.order_id, Reason::OrderOfAnotherPartner));
            return Ok(Verdict::Rejected(problems));
        }
        Some((membership_id, _)) => order::lock(conn, membership_id).await?,
    };
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    let year = Year { starts_on: order.starts_on, anniversary_on: order.anniversary_on, grace_days };
    if row.renewed_on > staged.received_on {
        let reason =
            Reason::RequestedInFuture { received_on: staged.received_on, requested_on: Some(row.renewed_on) };
        problems.push(Problem::at("renewed_on", &row.renewed_on.to_string(), reason));
    }
    if let Err(reason) = year.check_renewal(row.renewed_on) {
        problems.push(Problem::at("renewed_on", &row.renewed_on.to_string(), reason));
    }
    let over = membership::over_before(year.grace_ends_on(), staged.received_on);
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
        requested_by: asker.unwrap_or(OPERATOR),
        requested_on: row.renewed_on,
        file_id: staged.file_id,
        line,
        status: "pending",
    };
    intake::append_request(conn, &new).await?;
    Ok(Verdict::Applied(vec![Problem::of_row(Reason::DecidedAtNight { night_of: staged.received_on })]))
}

/// Every column in which a row differs from the renewal on record (D16). What was recorded before a row could say who asks
/// is the operator's.
fn conflicts(row: &RenewalRow, content: &Value, earlier: &RecordedRequest) -> Vec<Problem> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let operator = Value::from(OPERATOR);
    ["renewed_on", "new_order_id", BY]
        .into_iter()
        .filter_map(|column| {
            let then = earlier.content.0.get(column).unwrap_or(&operator);
            let now = &content[column];
            let (value, expected) = match column {
                BY => (row.requested_by.clone().unwrap_or_default(), earlier.requested_by.clone()),
                _ => (text(now), text(then)),
            };
            let reason = Reason::ConflictsWithEarlier { column: column.to_owned(), expected };
            (then != now).then(|| Problem::at(column, &value, reason))
        })
        .collect()
}

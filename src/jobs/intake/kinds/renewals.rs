//! Renewals: events that the night of their date decides; the same order with other content is a conflict (D5, D16).

use serde_json::json;
use sqlx::PgConnection;

use crate::{
    domain::{
        kinds::renewals,
        membership::{self, Year},
        reason::{Problem, Reason},
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, parse, partner_of},
    },
    store::{
        file::StagedRow,
        intake::{self, NewRequest},
        order,
    },
};

/// Records renewals, which take effect in the night of their date (D5).
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        verdicts.push(match parse(staged, row, renewals::parse) {
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
    row: &renewals::RenewalRow,
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
        requested_by: "operator",
        requested_on: row.renewed_on,
        file_id: staged.file_id,
        line,
        status: "pending",
    };
    intake::append_request(conn, &new).await?;
    Ok(Verdict::Applied(vec![Problem::of_row(Reason::DecidedAtNight { night_of: staged.received_on })]))
}

//! Requests and decisions.

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::{Result, credit::spans, run::Span};
use crate::domain::reason::{Earliest, Reason, earliest};

/// A request that a night decides.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    /// Its number in the store.
    pub request_no: i64,
    /// Whose.
    pub partner_id: i64,
    /// Its key in its file: the request id of a cancellation, the old order of a renewal.
    pub request_key: String,
    /// The row as it was understood.
    pub content: Json<Value>,
    /// The order.
    pub membership_id: i64,
    /// Who asked.
    pub requested_by: String,
    /// When it counts (D1).
    pub requested_on: NaiveDate,
}

/// A yes or a no, with every reason (D13).
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// Whose.
    pub partner_id: i64,
    /// The request that was decided; `None` for a row that never became one.
    pub request_no: Option<i64>,
    /// What kind of thing it is about: `order`, `entitlement`.
    pub subject_kind: &'a str,
    /// Its outside name.
    pub subject: &'a str,
    /// What was asked for.
    pub action: &'a str,
    /// Who asked.
    pub requested_by: &'a str,
    /// Empty: accepted.
    pub reasons: &'a [Reason],
    /// The business date.
    pub decided_on: NaiveDate,
    /// The run that decided.
    pub run_id: Option<i64>,
    /// The file whose arrival decided.
    pub file_id: Option<i64>,
}

/// Cuts the pending requests of a kind dated by `today` into spans.
pub async fn pending_spans(
    conn: &mut PgConnection,
    kind: &str,
    today: NaiveDate,
    rows: i64,
) -> Result<Vec<Span>> {
    let starts = sqlx::query!(
        r#"select requested_on as "on!", request_no as "no!"
           from (select requested_on, request_no, row_number() over (order by requested_on, request_no) as nth
                 from request where status = 'pending' and kind = $1 and requested_on <= $2) due
           where (nth - 1) % $3 = 0 order by 1, 2"#,
        kind,
        today,
        rows
    )
    .fetch_all(conn)
    .await?;
    Ok(spans(starts.into_iter().map(|r| (r.on, r.no)).collect(), (today.succ_opt().unwrap_or(today), 0)))
}

/// The pending requests of a span: by date, then arrival, then line.
pub async fn pending(conn: &mut PgConnection, kind: &str, span: Span) -> Result<Vec<PendingRequest>> {
    Ok(sqlx::query_as!(
        PendingRequest,
        r#"select request_no, partner_id, request_key, content as "content: Json<Value>",
                  membership_id as "membership_id!", requested_by, requested_on
           from request
           where status = 'pending' and kind = $1
             and (requested_on, request_no) >= ($2, $3) and (requested_on, request_no) < ($4, $5)
           order by requested_on, request_no"#,
        kind,
        span.from.0,
        span.from.1,
        span.until.0,
        span.until.1
    )
    .fetch_all(conn)
    .await?)
}

/// Records a decision, and its request as decided.
pub async fn decide(conn: &mut PgConnection, decision: &Decision<'_>) -> Result<()> {
    let accepted = decision.reasons.is_empty();
    let outcome = if accepted { "accepted" } else { "refused" };
    let earliest_on = match earliest(decision.reasons) {
        Earliest::On(day) if !accepted => Some(day),
        _ => None,
    };
    sqlx::query!(
        "insert into decision (partner_id, request_no, subject_kind, subject, action, requested_by, outcome, reasons,
             earliest_on, decided_on, run_id, file_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        decision.partner_id,
        decision.request_no,
        decision.subject_kind,
        decision.subject,
        decision.action,
        decision.requested_by,
        outcome,
        Json(decision.reasons) as _,
        earliest_on,
        decision.decided_on,
        decision.run_id,
        decision.file_id,
    )
    .execute(&mut *conn)
    .await?;
    if let Some(request_no) = decision.request_no {
        sqlx::query!("update request set status = $2 where request_no = $1", request_no, outcome)
            .execute(conn)
            .await?;
    }
    Ok(())
}

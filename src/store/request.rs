//! Requests and decisions.

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::{Result, credit::spans, run::Span};
use crate::domain::{
    cancellation::Refund,
    id::{FileNo, OrderNo, PartnerNo, RequestNo, RunNo},
    reason::{Earliest, Reason, earliest},
};

/// A request that a night decides.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    /// Its number in the store.
    pub request_no: RequestNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// Its key in its file: the request id of a cancellation, the old order of a renewal.
    pub request_key: String,
    /// The row as it was understood.
    pub content: Json<Value>,
    /// The order.
    pub membership_id: OrderNo,
    /// Who asked.
    pub requested_by: String,
    /// When it counts (D1).
    pub requested_on: NaiveDate,
    /// When its file arrived.
    pub received_on: NaiveDate,
}

/// A yes or a no, with every reason (D13).
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// Whose.
    pub partner_id: PartnerNo,
    /// The request that was decided; `None` for a row that never became one.
    pub request_no: Option<RequestNo>,
    /// What kind of thing it is about: `order`, `entitlement`.
    pub subject_kind: &'a str,
    /// Its outside name.
    pub subject: &'a str,
    /// What was asked for.
    pub action: &'a str,
    /// What is told of it beside that, where no request on record says it.
    pub content: Option<Value>,
    /// Who asked.
    pub requested_by: &'a str,
    /// Empty: accepted.
    pub reasons: &'a [Reason],
    /// Of a cancellation that was accepted: what it did with the order's credit (D7).
    pub refund: Option<&'a Refund>,
    /// The business date.
    pub decided_on: NaiveDate,
    /// The run that decided.
    pub run_id: Option<RunNo>,
    /// The file whose arrival decided.
    pub file_id: Option<FileNo>,
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
                  membership_id as "membership_id!", requested_by, requested_on,
                  (select f.received_on from file f where f.file_id = request.file_id) as "received_on!"
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

/// Records decisions, in their order, and their requests as decided.
pub async fn decide(conn: &mut PgConnection, decisions: &[Decision<'_>]) -> Result<()> {
    let outcome = |d: &Decision<'_>| if d.reasons.is_empty() { "accepted" } else { "refused" }.to_owned();
    let earliest_on = |d: &Decision<'_>| match earliest(d.reasons) {
        Earliest::On(day) if !d.reasons.is_empty() => Some(day),
        _ => None,
    };
    let requests: Vec<Option<RequestNo>> = decisions.iter().map(|d| d.request_no).collect();
    let outcomes: Vec<String> = decisions.iter().map(outcome).collect();
    sqlx::query!(
        "insert into decision (partner_id, request_no, subject_kind, subject, action, requested_by, outcome, reasons,
             earliest_on, decided_on, run_id, file_id, content, refund)
         select n.partner_id, n.request_no, n.subject_kind, n.subject, n.action, n.requested_by, n.outcome, n.reasons,
                n.earliest_on, n.decided_on, n.run_id, n.file_id, coalesce(n.content, '{}'), n.refund
         from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
                     $9::date[], $10::date[], $11::bigint[], $12::bigint[], $13::jsonb[], $14::jsonb[]) with ordinality
              as n (partner_id, request_no, subject_kind, subject, action, requested_by, outcome, reasons, earliest_on,
                    decided_on, run_id, file_id, content, refund, nth)
         order by n.nth",
        &decisions.iter().map(|d| d.partner_id).collect::<Vec<_>>() as &[PartnerNo],
        &requests as _,
        &decisions.iter().map(|d| d.subject_kind.to_owned()).collect::<Vec<_>>(),
        &decisions.iter().map(|d| d.subject.to_owned()).collect::<Vec<_>>(),
        &decisions.iter().map(|d| d.action.to_owned()).collect::<Vec<_>>(),
        &decisions.iter().map(|d| d.requested_by.to_owned()).collect::<Vec<_>>(),
        &outcomes,
        decisions.iter().map(|d| Json(d.reasons)).collect::<Vec<_>>() as _,
        decisions.iter().map(earliest_on).collect::<Vec<_>>() as _,
        &decisions.iter().map(|d| d.decided_on).collect::<Vec<_>>(),
        decisions.iter().map(|d| d.run_id).collect::<Vec<_>>() as _,
        decisions.iter().map(|d| d.file_id).collect::<Vec<_>>() as _,
        decisions.iter().map(|d| d.content.clone()).collect::<Vec<_>>() as _,
        decisions.iter().map(|d| d.refund.map(Json)).collect::<Vec<_>>() as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update request r set status = n.outcome
         from unnest((select $1::bigint[]), (select $2::text[])) as n (request_no, outcome)
         where r.request_no = n.request_no",
        &requests as _,
        &outcomes
    )
    .execute(conn)
    .await?;
    Ok(())
}

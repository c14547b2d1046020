//! Refunds are refused when nobody can say what was used when, and lost when a request lies for a month. So each
//! cancellation is decided on its own date and on what was on record when it came: accepted, the whole order ends and its
//! unspent credit goes back; refused, nothing ends and every failed criterion is told (R9, D1, D7).

use std::collections::HashMap;

use futures::future::FutureExt;
use sqlx::PgConnection;

use super::engine::{Context, Job, Result, Stage};
use crate::{
    domain::{
        cancellation::{self, OrderToCancel, Refund},
        id::{OrderId, OrderNo, RunNo},
        notice::{CancellationAccepted, CancellationRefused},
        reason::Reason,
    },
    store::{
        notice::{self, NoticeSubject, Owed},
        order::{self, Membership},
        request::{self, Decision, PendingRequest},
        run::{Chunk, Counts},
        work::Rows,
    },
};

pub mod policy;
mod refund;

const NAME: &str = "apply_cancellations";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[Stage { covers: "cancellations asked for", rows: Rows::Requests("cancel") }],
    plan: |cx, conn, _| {
        async move { Ok(request::pending_spans(conn, "cancel", cx.today, cx.chunk_rows(NAME)).await?) }
            .boxed()
    },
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: false,
};

/// Decides a span's requests in their order with their orders locked: an activation comes before or after, never between.
async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let requests = request::pending(conn, "cancel", chunk.span).await?;
    let (orders, received): (Vec<_>, Vec<_>) =
        requests.iter().map(|r| (r.membership_id, r.received_on)).unzip();
    let mut memberships = order::lock_all(conn, &orders).await?;
    let uses = order::uses(conn, &orders, &received).await?;
    let policy = &cx.policies.apply_cancellations.policy;
    let (blockers, days) = (policy.blocker_names(), policy.refund_window_days);
    let mut ruled = Vec::with_capacity(requests.len());
    for (request, uses) in requests.iter().zip(uses) {
        let Some(membership) = memberships.get_mut(&request.membership_id) else { continue };
        let stood = OrderToCancel {
            purchased_on: membership.purchased_on.unwrap_or(membership.starts_on),
            ended_on: membership.ended_on,
            uses,
        };
        let reasons = cancellation::decide(&stood, request.requested_on, days, &blockers);
        if reasons.is_empty() {
            membership.ended_on = Some(request.requested_on);
        }
        ruled.push((request, reasons));
    }
    write(cx, conn, chunk.run_id, &ruled, &memberships).await?;
    let refused = ruled.iter().filter(|(_, reasons)| !reasons.is_empty()).count();
    Ok(Counts { refused: i64::try_from(refused).unwrap_or(i64::MAX), ..Counts::done(ruled.len() - refused) })
}

/// Ends what was accepted, records every decision, and owes word of each.
async fn write(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: RunNo,
    ruled: &[(&PendingRequest, Vec<Reason>)],
    memberships: &HashMap<OrderNo, Membership>,
) -> Result<()> {
    let accepted = ruled.iter().filter(|(_, reasons)| reasons.is_empty()).map(|(request, _)| *request);
    let refunds = refund::accept(cx, conn, run_id, &accepted.collect::<Vec<_>>()).await?;
    let (nothing, unnamed) = (Refund::default(), OrderId::default());
    let (mut decisions, mut owed) = (Vec::with_capacity(ruled.len()), Vec::with_capacity(ruled.len()));
    for (request, reasons) in ruled {
        let order_id = memberships.get(&request.membership_id).map_or(&unnamed, |known| &known.order_id);
        let refund = reasons.is_empty().then(|| refunds.get(&request.membership_id).unwrap_or(&nothing));
        let (request_id, requested_on) = (request.request_key.as_str().into(), request.requested_on);
        let (told, received_on) = (order_id.clone(), Some(request.received_on));
        let notice = if let Some(refund) = refund.cloned() {
            CancellationAccepted { request_id, order_id: told, ended_on: requested_on, received_on, refund }
                .into()
        } else {
            let (order_id, reasons) = (told, reasons.clone());
            CancellationRefused { request_id, order_id, requested_on, received_on, reasons }.into()
        };
        owed.push(Owed {
            partner_id: request.partner_id,
            subject: NoticeSubject::Request(request.request_no),
            anchor_on: requested_on,
            true_until: None,
            notice,
        });
        decisions.push(Decision {
            partner_id: request.partner_id,
            request_no: Some(request.request_no),
            subject_kind: "order",
            subject: order_id.as_str(),
            action: "cancel",
            content: None,
            requested_by: &request.requested_by,
            reasons,
            refund,
            decided_on: cx.today,
            run_id: Some(run_id),
            file_id: None,
        });
    }
    request::decide(conn, &decisions).await?;
    notice::owe(conn, run_id, &owed).await.map(|_| ()).map_err(Into::into)
}

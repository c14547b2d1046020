//! Refunds are refused when nobody can say what was used when, and lost when a request lies for a month. So each
//! cancellation is decided on its own date and on what was on record then: accepted, the whole order ends and its
//! unspent credit goes back; refused, nothing ends and every failed criterion is told (R9, D1, D7).

use futures::future::FutureExt;
use sqlx::PgConnection;

use super::engine::{Context, Job, Result, Stage};
use crate::{
    domain::{
        cancellation::{self, OrderToCancel},
        notice::CancellationRefused,
    },
    store::{
        notice::{self, NoticeSubject, Owed},
        order,
        request::{self, Decision, PendingRequest},
        run::{Chunk, Counts},
        work::Rows,
    },
};

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

async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let mut counts = Counts::default();
    for request in request::pending(conn, "cancel", chunk.span).await? {
        if decide(cx, conn, chunk.run_id, &request).await? { counts.done += 1 } else { counts.refused += 1 }
    }
    Ok(counts)
}

/// Decides one request with its order locked, so that an activation at the same time comes before or after.
async fn decide(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: i64,
    request: &PendingRequest,
) -> Result<bool> {
    let policy = &cx.policies.apply_cancellations.policy;
    let membership = order::lock(conn, request.membership_id).await?;
    let requested_on = request.requested_on;
    let stood = OrderToCancel {
        purchased_on: membership.purchased_on.unwrap_or(membership.starts_on),
        ended_on: membership.ended_on,
        uses: order::uses(conn, membership.membership_id, requested_on).await?,
    };
    let blockers = policy.blocker_names();
    let reasons = cancellation::decide(&stood, requested_on, policy.refund_window_days, &blockers);
    let notice = if reasons.is_empty() {
        refund::accept(cx, conn, run_id, request, &membership).await?
    } else {
        CancellationRefused {
            request_id: request.request_key.clone(),
            order_id: membership.order_id.clone(),
            requested_on,
            reasons: reasons.clone(),
        }
        .into()
    };
    let decision = Decision {
        partner_id: request.partner_id,
        request_no: Some(request.request_no),
        subject_kind: "order",
        subject: &membership.order_id,
        action: "cancel",
        requested_by: &request.requested_by,
        reasons: &reasons,
        decided_on: cx.today,
        run_id: Some(run_id),
        file_id: None,
    };
    request::decide(conn, &decision).await?;
    let subject = NoticeSubject::Request(request.request_no);
    let owed =
        Owed { partner_id: request.partner_id, subject, anchor_on: requested_on, true_until: None, notice };
    notice::owe(conn, run_id, &[owed]).await?;
    Ok(reasons.is_empty())
}

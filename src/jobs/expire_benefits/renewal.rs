//! Renewals take effect (D5): the old order closes, the new one's year is fixed whatever its file says.

use sqlx::PgConnection;

use super::memberships::grace;
use crate::{
    domain::{calendar::sub_days, membership::Year, reason::Reason},
    jobs::engine::{Context, Result, booking::settle},
    store::{
        credit::of_entitlements,
        order::{self, EndingEntitlement, How},
        request::{self, Decision, PendingRequest},
        run::{Chunk, Counts},
    },
};

/// Decides and applies the renewals of a span.
pub async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let mut counts = Counts::default();
    for request in request::pending(conn, "renew", chunk.span).await? {
        if renew(cx, conn, chunk.run_id, &request).await? { counts.done += 1 } else { counts.refused += 1 }
    }
    Ok(counts)
}

async fn renew(cx: &Context, conn: &mut PgConnection, run_id: i64, request: &PendingRequest) -> Result<bool> {
    let policy = cx.policies.expire_benefits.policy;
    let renewed_on = request.requested_on;
    let old = order::lock(conn, request.membership_id).await?;
    let year =
        Year { starts_on: old.starts_on, anniversary_on: old.anniversary_on, grace_days: policy.grace_days };
    let new_order = request.content.0["new_order_id"].as_str().unwrap_or_default();
    let mut reasons: Vec<Reason> =
        old.ended_on.map(|ended_on| Reason::AlreadyEnded { ended_on }).into_iter().collect();
    reasons.extend(year.check_renewal(renewed_on).err());
    if order::is_taken(conn, new_order, &old).await? {
        reasons.push(Reason::NewOrderTaken);
    }
    if reasons.is_empty() {
        let next = year.renewed(renewed_on, policy.renewal_days);
        let ended_on = sub_days(renewed_on, 1);
        let live = order::live(conn, old.membership_id).await?;
        let endings: Vec<EndingEntitlement> = live
            .iter()
            .map(|(id, last)| EndingEntitlement {
                entitlement_id: *id,
                ended_on: ended_on.min(*last),
                how: How::Renewed,
            })
            .collect();
        order::end_memberships(conn, &[old.membership_id], &[ended_on], How::Renewed).await?;
        order::end_entitlements(conn, run_id, &endings).await?;
        // Known late, it takes back what was drawn after it took effect.
        let ids: Vec<i64> = live.iter().map(|(id, _)| *id).collect();
        let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
        let (booking, _) = settle(cx, conn, &credits).await?;
        booking.write(conn, run_id, &credits).await?;
        let new = order::put_renewal(conn, &old, new_order, next.starts_on, next.anniversary_on).await?;
        order::refit(conn, &[new], grace(cx)).await?;
    }
    let decision = Decision {
        partner_id: request.partner_id,
        request_no: Some(request.request_no),
        subject_kind: "order",
        subject: &old.order_id,
        action: "renew",
        requested_by: &request.requested_by,
        reasons: &reasons,
        decided_on: cx.today,
        run_id: Some(run_id),
        file_id: None,
    };
    request::decide(conn, &[decision]).await?;
    Ok(reasons.is_empty())
}

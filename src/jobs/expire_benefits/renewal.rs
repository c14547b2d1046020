//! Renewals take effect (D5): the old order closes, the new one's year is fixed whatever its file says.

use std::collections::HashSet;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::memberships::grace;
use crate::{
    domain::{
        calendar::sub_days,
        id::{EntitlementNo, OrderId, OrderNo, RunNo},
        membership::Year,
        reason::Reason,
    },
    jobs::engine::{Context, Result, booking::settle},
    store::{
        credit::of_entitlements,
        order::{self, EndingEntitlement, How, Membership},
        renewal::{self, Renewing},
        request::{self, Decision, PendingRequest},
        run::{Chunk, Counts},
        settlement::unsettle_beside,
    },
};

/// Decides and applies the renewals of a span: all at once, but where one concerns an order that an earlier one does, what
/// that came to stands first.
pub async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    renewal::take_turn(conn).await?;
    let requests = request::pending(conn, "renew", chunk.span).await?;
    let ids: Vec<OrderNo> = requests.iter().map(|r| r.membership_id).collect();
    let names = order::lock_all(conn, &ids).await?;
    let old_order = |request: &PendingRequest| names.get(&request.membership_id).map(|m| m.order_id.clone());
    let mut counts = Counts::default();
    let mut rest = requests.as_slice();
    while !rest.is_empty() {
        let mut concerned = HashSet::new();
        let apart = rest.iter().position(|request| {
            let orders = [old_order(request), Some(new_order(request))];
            let again = orders.iter().any(|order| concerned.contains(order));
            concerned.extend(orders);
            again
        });
        let (now, later) = rest.split_at(apart.unwrap_or(rest.len()));
        let accepted = renew(cx, conn, chunk.run_id, now).await?;
        counts.done += i64::try_from(accepted).unwrap_or(i64::MAX);
        counts.refused += i64::try_from(now.len() - accepted).unwrap_or(i64::MAX);
        rest = later;
    }
    Ok(counts)
}

fn new_order(request: &PendingRequest) -> OrderId {
    request.content.0["new_order_id"].as_str().unwrap_or_default().into()
}

/// Decides and applies renewals that concern different orders; says how many were accepted.
async fn renew(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: RunNo,
    requests: &[PendingRequest],
) -> Result<usize> {
    let policy = cx.policies.expire_benefits.policy;
    let ids: Vec<OrderNo> = requests.iter().map(|r| r.membership_id).collect();
    let memberships = order::lock_all(conn, &ids).await?;
    let following: Vec<OrderId> = requests.iter().map(new_order).collect();
    let asked: Vec<(&PendingRequest, Renewing<'_>)> = requests
        .iter()
        .zip(&following)
        .filter_map(|(request, new_order)| {
            let old = memberships.get(&request.membership_id)?;
            Some((request, Renewing { old, new_order }))
        })
        .collect();
    let renewing: Vec<Renewing<'_>> = asked.iter().map(|(_, renewing)| *renewing).collect();
    let taken = renewal::taken(conn, &renewing).await?;
    let year = |old: &Membership| Year {
        starts_on: old.starts_on,
        anniversary_on: old.anniversary_on,
        grace_days: policy.grace_days,
    };
    let ruled: Vec<Vec<Reason>> = asked
        .iter()
        .enumerate()
        .map(|(place, (request, Renewing { old, .. }))| {
            let ended = old.ended_on.map(|ended_on| Reason::AlreadyEnded { ended_on });
            let late_or_early = year(old).check_renewal(request.requested_on).err();
            let taken = taken.contains(&place).then_some(Reason::NewOrderTaken);
            ended.into_iter().chain(late_or_early).chain(taken).collect()
        })
        .collect();
    let accepted: Vec<(Renewing<'_>, NaiveDate)> = asked
        .iter()
        .zip(&ruled)
        .filter(|(_, reasons)| reasons.is_empty())
        .map(|((request, renewing), _)| (*renewing, request.requested_on))
        .collect();
    let years: Vec<(NaiveDate, NaiveDate)> = accepted
        .iter()
        .map(|(renewing, renewed_on)| {
            let next = year(renewing.old).renewed(*renewed_on, policy.renewal_days);
            (next.starts_on, next.anniversary_on)
        })
        .collect();
    apply(cx, conn, run_id, &accepted, &years).await?;
    let decisions: Vec<Decision<'_>> = asked
        .iter()
        .zip(&ruled)
        .map(|((request, renewing), reasons)| Decision {
            partner_id: request.partner_id,
            request_no: Some(request.request_no),
            subject_kind: "order",
            subject: renewing.old.order_id.as_str(),
            action: "renew",
            content: None,
            requested_by: &request.requested_by,
            reasons,
            refund: None,
            decided_on: cx.today,
            run_id: Some(run_id),
            file_id: None,
        })
        .collect();
    request::decide(conn, &decisions).await?;
    Ok(accepted.len())
}

/// Ends the old orders the day before each renewal, and fixes the years of the new ones.
async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: RunNo,
    accepted: &[(Renewing<'_>, NaiveDate)],
    years: &[(NaiveDate, NaiveDate)],
) -> Result<()> {
    let (renewing, renewed_on): (Vec<Renewing<'_>>, Vec<NaiveDate>) = accepted.iter().copied().unzip();
    let old: Vec<OrderNo> = renewing.iter().map(|renewing| renewing.old.membership_id).collect();
    let last: Vec<NaiveDate> = renewed_on.into_iter().map(|day| sub_days(day, 1)).collect();
    order::end_memberships(conn, &old, &last, How::Renewed).await?;
    let live = renewal::live(conn, &old, &last).await?;
    let endings: Vec<EndingEntitlement> = live
        .iter()
        .map(|(id, ended_on)| EndingEntitlement {
            entitlement_id: *id,
            ended_on: *ended_on,
            how: How::Renewed,
        })
        .collect();
    order::end_entitlements(conn, run_id, &endings).await?;
    // Known late, it takes back what was drawn after it took effect.
    let ids: Vec<EntitlementNo> = live.iter().map(|(id, _)| *id).collect();
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    let (booking, _) = settle(cx, conn, &credits).await?;
    booking.write(conn, run_id, &credits).await?;
    let new = renewal::put(conn, &renewing, years).await?;
    order::refit(conn, &new, grace(cx)).await?;
    unsettle_beside(conn, &new).await?;
    Ok(())
}

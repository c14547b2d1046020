//! Credits that nobody is assigned to in time, where the policy says until when (D11).

use std::collections::BTreeSet;

use sqlx::PgConnection;

use crate::{
    domain::{
        id::{EntitlementNo, OrderNo},
        notice::EntitlementEnded,
    },
    jobs::engine::{Context, Result, booking::settle},
    store::{
        credit::of_entitlements,
        notice::{self, NoticeSubject, Owed},
        order::{self, EndingEntitlement, How},
        run::Chunk,
        settlement::unsettle_beside,
    },
};

/// Days within which somebody must be assigned to a credit; 0: there is no such policy (D11).
pub fn activate_by(cx: &Context) -> i32 {
    i32::try_from(cx.policies.expire_benefits.policy.activate_by_days).unwrap_or(i32::MAX)
}

/// Closes credits that nobody was assigned to in time, where the policy says so (D11). Says how many.
pub async fn close(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<usize> {
    if activate_by(cx) == 0 {
        return Ok(0);
    }
    let unassigned = order::unassigned(conn, chunk.span, cx.today, activate_by(cx)).await?;
    let endings: Vec<EndingEntitlement> = unassigned
        .iter()
        .map(|e| EndingEntitlement {
            entitlement_id: e.entitlement_id,
            ended_on: e.latest_on,
            how: How::NotActivated,
        })
        .collect();
    order::end_entitlements(conn, chunk.run_id, &endings).await?;
    let ids: Vec<EntitlementNo> = endings.iter().map(|e| e.entitlement_id).collect();
    let silver: BTreeSet<OrderNo> = unassigned.iter().map(|one| one.membership_id).collect();
    unsettle_beside(conn, &silver.into_iter().collect::<Vec<_>>()).await?;
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    // Where the policy came later than the day, what was granted after it goes back.
    let (booking, _) = settle(cx, conn, &credits).await?;
    booking.write(conn, chunk.run_id, &credits).await?;
    order::decide_closed(conn, chunk.run_id, cx.today, &unassigned).await?;
    let owed: Vec<Owed> = unassigned
        .iter()
        .map(|e| Owed {
            partner_id: e.partner_id,
            subject: NoticeSubject::Entitlement(e.entitlement_id),
            anchor_on: e.latest_on,
            true_until: None,
            notice: EntitlementEnded {
                order_id: e.order_id.clone(),
                benefit: e.benefit.clone(),
                ended_on: e.latest_on,
                unassigned: true,
            }
            .into(),
        })
        .collect();
    notice::owe(conn, chunk.run_id, &owed).await?;
    Ok(unassigned.len())
}

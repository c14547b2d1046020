//! What ends before its time: credits that nobody is assigned to by the day that the policy says (D11), and what full
//! snapshots of partners lack (D16).

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
        order::{self, EndingEntitlement, EndsEarly, How},
        run::Chunk,
        settlement::unsettle_beside,
    },
};

/// Days within which somebody must be assigned to a credit; 0: there is no such policy (D11).
pub fn activate_by(cx: &Context) -> i32 {
    i32::try_from(cx.policies.expire_benefits.policy.activate_by_days).unwrap_or(i32::MAX)
}

/// Closes credits that nobody was assigned to in time, where the policy says so (D11). Says how many.
pub(super) async fn unassigned(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<usize> {
    if activate_by(cx) == 0 {
        return Ok(0);
    }
    let unassigned = order::unassigned(conn, chunk.span, cx.today, activate_by(cx)).await?;
    // Where the policy came later than the day, what was granted after it goes back.
    close(cx, conn, chunk, &unassigned, How::NotActivated).await?;
    order::decide_closed(conn, chunk.run_id, cx.today, &unassigned).await?;
    Ok(unassigned.len())
}

/// Ends what snapshots lack, once its last usable day for that is over (D16). Says how many.
pub(super) async fn missing(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<usize> {
    let missing = order::missing(conn, chunk.span, cx.today).await?;
    close(cx, conn, chunk, &missing, How::Missing).await?;
    Ok(missing.len())
}

/// Ends entitlements with all that hangs on them: assignments, credit, hours and incidents (D6).
async fn close(
    cx: &Context,
    conn: &mut PgConnection,
    chunk: &Chunk,
    early: &[EndsEarly],
    how: How,
) -> Result<()> {
    if early.is_empty() {
        return Ok(());
    }
    let ending =
        |e: &EndsEarly| EndingEntitlement { entitlement_id: e.entitlement_id, ended_on: e.ended_on, how };
    order::end_entitlements(conn, chunk.run_id, &early.iter().map(ending).collect::<Vec<_>>()).await?;
    // Silver that ends earlier than it was to holds nothing back any more (D12).
    let orders: BTreeSet<OrderNo> = early.iter().map(|e| e.membership_id).collect();
    unsettle_beside(conn, &orders.into_iter().collect::<Vec<_>>()).await?;
    let ids: Vec<EntitlementNo> = early.iter().map(|e| e.entitlement_id).collect();
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    let (booking, _) = settle(cx, conn, &credits).await?;
    booking.write(conn, chunk.run_id, &credits).await?;
    let owed = early.iter().map(|e| Owed {
        partner_id: e.partner_id,
        subject: NoticeSubject::Entitlement(e.entitlement_id),
        anchor_on: e.ended_on,
        true_until: None,
        notice: EntitlementEnded {
            order_id: e.order_id.clone(),
            benefit: e.benefit.clone(),
            ended_on: e.ended_on,
            unassigned: how == How::NotActivated,
            missing_as_of: e.missing_as_of,
        }
        .into(),
    });
    notice::owe(conn, chunk.run_id, &owed.collect::<Vec<_>>()).await?;
    Ok(())
}

//! What full snapshots of partners lack, once its last usable day for that is over (D16).

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

/// Ends what snapshots lack, as whatever ends: assignments, credit, hours and incidents (D6). Says how many.
pub(super) async fn close(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<usize> {
    let missing = order::missing(conn, chunk.span, cx.today).await?;
    if missing.is_empty() {
        return Ok(0);
    }
    let endings: Vec<EndingEntitlement> = missing
        .iter()
        .map(|e| EndingEntitlement { entitlement_id: e.entitlement_id, ended_on: e.until, how: How::Missing })
        .collect();
    order::end_entitlements(conn, chunk.run_id, &endings).await?;
    // Silver that ends earlier than it was to holds nothing back any more (D12).
    let touched: BTreeSet<OrderNo> = missing.iter().map(|one| one.membership_id).collect();
    unsettle_beside(conn, &touched.into_iter().collect::<Vec<_>>()).await?;
    let ids: Vec<EntitlementNo> = endings.iter().map(|e| e.entitlement_id).collect();
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    let (booking, _) = settle(cx, conn, &credits).await?;
    booking.write(conn, chunk.run_id, &credits).await?;
    let owed: Vec<Owed> = missing
        .iter()
        .map(|e| Owed {
            partner_id: e.partner_id,
            subject: NoticeSubject::Entitlement(e.entitlement_id),
            anchor_on: e.until,
            true_until: None,
            notice: EntitlementEnded {
                order_id: e.order_id.clone(),
                benefit: e.benefit.clone(),
                ended_on: e.until,
                unassigned: false,
            }
            .into(),
        })
        .collect();
    notice::owe(conn, chunk.run_id, &owed).await?;
    Ok(missing.len())
}

//! Ends entitlements, with their assignments and their credit (D6).

use sqlx::PgConnection;

use super::super::engine::{
    Context, Result,
    booking::{Booking, settle},
};
use crate::{
    domain::{
        credit,
        id::{EntitlementNo, RunNo},
    },
    store::{
        credit::{Credit, of_entitlements},
        order::{self, EndingEntitlement},
        settlement::unsettled,
    },
};

/// Ends entitlements: their assignments, and their credit, which lapses (D6).
pub(super) async fn end(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: RunNo,
    endings: &[EndingEntitlement],
) -> Result<()> {
    order::end_entitlements(conn, run_id, endings).await?;
    let ids: Vec<EntitlementNo> = endings.iter().map(|e| e.entitlement_id).collect();
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    // Where its order's year moved, what is booked is settled first, and that closes what has ended.
    let moved = unsettled(conn, &ids, cx.today).await?;
    let (mut booking, mut out) = (Booking::default(), Vec::new());
    let (parts, whole): (Vec<Credit>, Vec<Credit>) = credits
        .into_iter()
        .filter(|one| !moved.contains_key(&one.entitlement_id))
        .partition(|one| one.terms.comes_in_parts());
    let (of_parts, _) = settle(cx, conn, &parts).await?;
    of_parts.write(conn, run_id, &parts).await?;
    for one in &whole {
        let Some(schedule) = one.schedule.clone() else { continue };
        let after = credit::end(&one.terms, schedule, &mut out);
        booking.stands.push((one.entitlement_id, after));
        booking.add(one, &mut out);
    }
    booking.write(conn, run_id, &whole).await
}

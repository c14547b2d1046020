//! What an accepted cancellation does (D7).

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        cancellation::{self, Refund},
        id::{EntitlementNo, OrderNo, RunNo},
        money::{Amount, Currency},
    },
    jobs::engine::{Context, Result, booking, provisioning},
    store::{
        credit::{Credit, of_entitlements},
        order::{self, EndingEntitlement, How, Usable},
        request::PendingRequest,
        settlement::unsettle_beside,
    },
};

/// Books what the order of each request is due through the request's date, ends it on that date and takes back what is
/// unspent; says what, by membership.
pub async fn accept(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: RunNo,
    requests: &[&PendingRequest],
) -> Result<HashMap<OrderNo, Refund>> {
    let memberships: Vec<OrderNo> = requests.iter().map(|r| r.membership_id).collect();
    let days: Vec<NaiveDate> = requests.iter().map(|r| r.requested_on).collect();
    let usable = order::usable_after(conn, &memberships, &days).await?;
    let through = usable.iter().map(|usable| (usable.entitlement_id, usable.until)).collect();
    provisioning::bring_up(cx, conn, run_id, &through).await?;
    order::end_memberships(conn, &memberships, &days, How::Cancelled).await?;
    let ending = |usable: &Usable| EndingEntitlement {
        entitlement_id: usable.entitlement_id,
        ended_on: usable.until,
        how: How::Cancelled,
    };
    order::end_entitlements(conn, run_id, &usable.iter().map(ending).collect::<Vec<_>>()).await?;
    // It counts as never having run: what gold held back beside it comes (D12).
    unsettle_beside(conn, &memberships).await?;
    settle(cx, conn, run_id, &usable).await
}

/// Takes back what is unspent of orders that have ended.
async fn settle(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: RunNo,
    usable: &[Usable],
) -> Result<HashMap<OrderNo, Refund>> {
    let ids: Vec<EntitlementNo> = usable.iter().map(|usable| usable.entitlement_id).collect();
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    let (booking, settled) = booking::settle(cx, conn, &credits).await?;
    let credit_of: HashMap<EntitlementNo, &Credit> = credits.iter().map(|c| (c.entitlement_id, c)).collect();
    let stands: HashMap<EntitlementNo, _> =
        booking.stands.iter().map(|(id, stands)| (*id, stands.as_ref())).collect();
    let mut refunds = HashMap::<OrderNo, Refund>::new();
    let mut sums = BTreeMap::<(OrderNo, Currency), (i64, i64)>::new();
    for Usable { entitlement_id, membership_id, benefit, .. } in usable {
        let Some((credit, settled)) = credit_of.get(entitlement_id).zip(settled.get(entitlement_id)) else {
            continue;
        };
        for (currency, minor) in &settled.reversed {
            sums.entry((*membership_id, *currency)).or_default().0 += minor;
        }
        for (currency, minor) in &settled.spent {
            sums.entry((*membership_id, *currency)).or_default().1 += minor;
        }
        let stands = stands.get(entitlement_id).copied().flatten();
        let waiting = stands.map_or_else(Vec::new, |s| cancellation::waiting(benefit, &credit.terms, s));
        refunds.entry(*membership_id).or_default().waiting.extend(waiting);
    }
    booking.write(conn, run_id, &credits).await?;
    for ((membership_id, currency), (reversed, spent)) in sums {
        let refund = refunds.entry(membership_id).or_default();
        refund.reversed.extend((reversed > 0).then(|| Amount::new(reversed, currency)));
        refund.spent.extend((spent > 0).then(|| Amount::new(spent, currency)));
    }
    Ok(refunds)
}

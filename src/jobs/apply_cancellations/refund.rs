//! What an accepted cancellation does (D7).

use std::collections::{BTreeMap, HashMap};

use sqlx::PgConnection;

use crate::{
    domain::{
        credit::Settled,
        money::{Amount, Currency},
        notice::{CancellationAccepted, Notice},
    },
    jobs::engine::{Context, Result, booking},
    store::{
        credit::of_entitlements,
        order::{self, EndingEntitlement, How, Membership},
        request::PendingRequest,
    },
};

/// Ends the order on the request's date and takes back what is unspent.
pub async fn accept(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: i64,
    request: &PendingRequest,
    membership: &Membership,
) -> Result<Notice> {
    let ended_on = request.requested_on;
    order::end_memberships(conn, &[membership.membership_id], &[ended_on], How::Cancelled).await?;
    let ids = order::usable_after(conn, membership.membership_id, ended_on).await?;
    let endings: Vec<EndingEntitlement> = ids
        .iter()
        .map(|id| EndingEntitlement { entitlement_id: *id, ended_on, how: How::Cancelled })
        .collect();
    order::end_entitlements(conn, run_id, &endings).await?;
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    let (booking, settled) = booking::settle(cx, conn, &credits).await?;
    booking.write(conn, run_id, &credits).await?;
    let local: HashMap<i64, Currency> = credits.iter().map(|c| (c.entitlement_id, c.terms.local)).collect();
    let sum = |of: fn(&Settled) -> i64| {
        let mut sums = BTreeMap::<Currency, i64>::new();
        for (id, settled) in &settled {
            *sums.entry(local[id]).or_default() += of(settled);
        }
        sums.into_iter()
            .filter(|(_, minor)| *minor > 0)
            .map(|(code, minor)| Amount::new(minor, code))
            .collect()
    };
    Ok(CancellationAccepted {
        request_id: request.request_key.clone(),
        order_id: membership.order_id.clone(),
        ended_on,
        reversed: sum(|s| s.reversed_minor),
        spent: sum(|s| s.spent_minor),
    }
    .into())
}

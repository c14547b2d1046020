//! What an accepted cancellation does (D7).

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::money::{Amount, Currency},
    jobs::engine::{Context, Result, booking},
    store::{
        credit::{of_entitlements, unsettle_beside},
        order::{self, EndingEntitlement, How},
        request::PendingRequest,
    },
};

/// What came of the credit of an order that was cancelled, a currency each.
#[derive(Clone, Debug, Default)]
pub struct Refund {
    /// Taken back.
    pub reversed: Vec<Amount>,
    /// Spent, and so kept.
    pub spent: Vec<Amount>,
}

/// Ends the order of each request on its date and takes back what is unspent; says what, by membership.
pub async fn accept(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: i64,
    requests: &[&PendingRequest],
) -> Result<HashMap<i64, Refund>> {
    let memberships: Vec<i64> = requests.iter().map(|r| r.membership_id).collect();
    let days: Vec<NaiveDate> = requests.iter().map(|r| r.requested_on).collect();
    order::end_memberships(conn, &memberships, &days, How::Cancelled).await?;
    let usable = order::usable_after(conn, &memberships, &days).await?;
    let endings: Vec<EndingEntitlement> = usable
        .iter()
        .map(|(id, _, ended_on)| EndingEntitlement {
            entitlement_id: *id,
            ended_on: *ended_on,
            how: How::Cancelled,
        })
        .collect();
    order::end_entitlements(conn, run_id, &endings).await?;
    // It counts as never having run: what gold held back beside it comes (D12).
    unsettle_beside(conn, &memberships).await?;
    let ids: Vec<i64> = usable.iter().map(|(id, ..)| *id).collect();
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    let (booking, settled) = booking::settle(cx, conn, &credits).await?;
    booking.write(conn, run_id, &credits).await?;
    let of: HashMap<i64, i64> = usable.iter().map(|(id, membership_id, _)| (*id, *membership_id)).collect();
    let mut sums = BTreeMap::<(i64, Currency), (i64, i64)>::new();
    for (id, settled) in &settled {
        let Some(membership_id) = of.get(id) else { continue };
        for (currency, minor) in &settled.reversed {
            sums.entry((*membership_id, *currency)).or_default().0 += minor;
        }
        for (currency, minor) in &settled.spent {
            sums.entry((*membership_id, *currency)).or_default().1 += minor;
        }
    }
    let mut refunds = HashMap::<i64, Refund>::new();
    for ((membership_id, currency), (reversed, spent)) in sums {
        let refund = refunds.entry(membership_id).or_default();
        refund.reversed.extend((reversed > 0).then(|| Amount::new(reversed, currency)));
        refund.spent.extend((spent > 0).then(|| Amount::new(spent, currency)));
    }
    Ok(refunds)
}

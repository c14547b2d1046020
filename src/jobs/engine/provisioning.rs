//! Brings credits up to a day: closes the periods that are over by then and grants those that have started (D3, D4, D14).
//! The night does so with all that is due, a cancellation with the credits of its order before it is decided (D7).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{
    booking::{Booking, settle_by},
    context::Context,
    error::Result,
};
use crate::{
    domain::{
        agreement::KnownExclusion,
        credit::{self, Shape},
        id::{EntitlementNo, PartnerNo, RunNo},
        own_currency::Exchange,
    },
    store::{
        agreement,
        credit::{Credit, of_entitlements},
        held_back,
        run::Counts,
        settlement::with_open_usage,
    },
};

/// Closes and grants what each of the credits is due through its day; counts what was booked, and what began to wait.
pub async fn advance(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: RunNo,
    credits: &[Credit],
    through: impl Fn(&Credit) -> NaiveDate,
) -> Result<Counts> {
    let standing = against(cx, conn, credits).await?;
    let rates = cx.rates(conn).await?;
    let (mut booking, mut waiting) = (Booking::default(), 0_i64);
    let (mut out, mut held, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for credit in credits {
        let Some(schedule) = credit.schedule.clone() else { continue };
        let (before, day) = (schedule.clone(), through(credit));
        let against = standing.get(&credit.partner_id).map_or(&[][..], Vec::as_slice);
        let opening = credit.terms.opening(against, credit.known_on, day);
        let exchange = Exchange { rates, changes: &credit.changes };
        let after = credit::advance(&credit.terms, schedule, exchange, &opening, day, &mut out, &mut held);
        refused.extend(held.drain(..).map(|reason| (credit.entitlement_id, reason)));
        // What waits as it did before is told once, by the night that found it.
        let waits = after.as_ref().and_then(|schedule| schedule.waits.as_ref());
        waiting = waiting.saturating_add(i64::from(waits.is_some() && waits != before.waits.as_ref()));
        if after.as_ref() != Some(&before) {
            booking.stands.push((credit.entitlement_id, after));
        }
        booking.add(credit, &mut out);
    }
    let counts = Counts { refused: waiting, ..Counts::done(booking.entries.len()) };
    booking.write(conn, run_id, credits).await?;
    held_back::decide(conn, run_id, cx.today, &refused).await?;
    Ok(counts)
}

/// Books what the credits among these entitlements are due through the day beside each, usage first, so that what was
/// spent does not lapse.
pub async fn bring_up(
    cx: &Context,
    conn: &mut PgConnection,
    run_id: RunNo,
    days: &BTreeMap<EntitlementNo, NaiveDate>,
) -> Result<()> {
    let through = |credit: &Credit| days.get(&credit.entitlement_id).copied().unwrap_or(cx.today);
    let ids: Vec<EntitlementNo> = days.keys().copied().collect();
    let drawn = with_open_usage(conn, &ids, cx.today).await?;
    if !drawn.is_empty() {
        let credits = of_entitlements(conn, &drawn, &cx.credit_policy()).await?;
        let (booking, _) = settle_by(cx, conn, &credits, through).await?;
        booking.write(conn, run_id, &credits).await?;
    }
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    advance(cx, conn, run_id, &credits, through).await.map(|_| ())
}

/// What stands against the bulk credit among these, by partner; monthly credit asks nothing (D14).
async fn against(
    cx: &Context,
    conn: &mut PgConnection,
    credits: &[Credit],
) -> Result<HashMap<PartnerNo, Vec<KnownExclusion>>> {
    let bulk = credits.iter().filter(|c| c.terms.shape == Shape::Bulk).map(|c| c.partner_id);
    let partners: Vec<PartnerNo> = bulk.collect::<BTreeSet<_>>().into_iter().collect();
    if partners.is_empty() {
        return Ok(HashMap::new());
    }
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    Ok(agreement::standing(conn, &cx.catalogue, &partners, grace_days).await?)
}

//! Renewals of many orders at once (D5). Whatever the database knows of its tables, each order is looked up by its key.

use std::collections::HashSet;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Result, order::Membership};

use crate::domain::id::{EntitlementNo, OrderId, OrderNo, PartnerNo};

/// One renewal that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Renewing<'a> {
    /// The order that ends.
    pub old: &'a Membership,
    /// The order that follows it.
    pub new_order: &'a OrderId,
}

/// Waits for whoever else lets renewals take effect, until the transaction ends: an order follows one other.
pub async fn take_turn(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(r#"select pg_advisory_xact_lock(hashtext('benefactor.renewals'))::text as "turn""#)
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Of these, those whose new order cannot follow the old one, by their place: it is another partner's or the old order
/// itself, renews another already, has ended, or began on its own before the old one could be renewed.
pub async fn taken(conn: &mut PgConnection, renewing: &[Renewing<'_>]) -> Result<HashSet<usize>> {
    let places = sqlx::query_scalar!(
        r#"select n.nth - 1 as "place!"
           from unnest($1::text[], $2::bigint[], $3::bigint[], $4::date[]) with ordinality
                as n (order_id, partner_id, membership_id, anniversary_on, nth)
           cross join lateral (
               select from membership m
               where m.order_id = n.order_id
                 and (m.partner_id <> n.partner_id or m.membership_id = n.membership_id or m.renews is not null
                      or m.ended_on is not null or m.starts_on < n.anniversary_on)
               limit 1) m"#,
        &renewing.iter().map(|r| r.new_order.clone()).collect::<Vec<_>>() as &[OrderId],
        &renewing.iter().map(|r| r.old.partner_id).collect::<Vec<_>>() as &[PartnerNo],
        &renewing.iter().map(|r| r.old.membership_id).collect::<Vec<_>>() as &[OrderNo],
        &renewing.iter().map(|r| r.old.anniversary_on).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    Ok(places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect())
}

/// The live entitlements of memberships that end on the day beside each, with their own last usable day: that day, or an
/// earlier one of theirs.
///
/// What has ended is left out after each order's are looked up: a planner that takes few to be live would read the index of
/// all that are once an order.
pub async fn live(
    conn: &mut PgConnection,
    membership_ids: &[OrderNo],
    days: &[NaiveDate],
) -> Result<Vec<(EntitlementNo, NaiveDate)>> {
    let rows = sqlx::query!(
        r#"select e.entitlement_id, least(e.last_usable_on, e.missing_until, n.ended_on) as "ended_on!"
           from unnest($1::bigint[], $2::date[]) as n (membership_id, ended_on)
           cross join lateral (select entitlement_id, last_usable_on, missing_until, ended_on from entitlement
                               where membership_id = n.membership_id offset 0) e
           where e.ended_on is null
           order by e.entitlement_id"#,
        membership_ids as &[OrderNo],
        days
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.entitlement_id.into(), r.ended_on)).collect())
}

/// Makes the memberships that renew others, or fixes the years of those that are there: the day each starts and its
/// anniversary stand beside it (D5). Says which they are.
pub async fn put(
    conn: &mut PgConnection,
    renewing: &[Renewing<'_>],
    years: &[(NaiveDate, NaiveDate)],
) -> Result<Vec<OrderNo>> {
    Ok(sqlx::query_scalar!(
        r#"insert into membership (partner_id, order_id, starts_on, anniversary_on, status, renews)
         select n.partner_id, n.order_id, n.starts_on, n.anniversary_on, 'pending', n.renews
         from unnest($1::bigint[], $2::text[], $3::date[], $4::date[], $5::bigint[]) with ordinality
              as n (partner_id, order_id, starts_on, anniversary_on, renews, nth)
         order by n.nth
         on conflict (order_id) do update set
             starts_on = excluded.starts_on, anniversary_on = excluded.anniversary_on, renews = excluded.renews
         returning membership_id as "membership_id: OrderNo""#,
        &renewing.iter().map(|r| r.old.partner_id).collect::<Vec<_>>() as &[PartnerNo],
        &renewing.iter().map(|r| r.new_order.clone()).collect::<Vec<_>>() as &[OrderId],
        &years.iter().map(|(starts_on, _)| *starts_on).collect::<Vec<_>>(),
        &years.iter().map(|(_, anniversary_on)| *anniversary_on).collect::<Vec<_>>(),
        &renewing.iter().map(|r| r.old.membership_id).collect::<Vec<_>>() as &[OrderNo],
    )
    .fetch_all(conn)
    .await?)
}

//! Who is to be reminded of what on a day (D10).

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Result, credit::spans, run::Span};
use crate::domain::activation::PendingOffer;

/// An end that comes near.
#[derive(Clone, Debug)]
pub struct Near {
    /// The entitlement, or the membership.
    pub subject_id: i64,
    /// Whose.
    pub partner_id: i64,
    /// The order.
    pub order_id: String,
    /// The benefit code, or the offer.
    pub name: String,
    /// The date that comes near: a last usable day, AD − 1, AD.
    pub on: NaiveDate,
}

/// A credit whose period ends soon with something unspent.
#[derive(Clone, Debug)]
pub struct Unspent {
    /// The entitlement.
    pub entitlement_id: i64,
    /// Whose.
    pub partner_id: i64,
    /// The order.
    pub order_id: String,
    /// The benefit code.
    pub benefit: String,
    /// Minor units of the partner's currency.
    pub open_minor: i64,
    /// The partner's currency.
    pub currency: String,
    /// First day after the period.
    pub period_until: NaiveDate,
    /// Nobody is assigned.
    pub unassigned: bool,
}

/// The days that make something due: last usable days, AD − 1, AD, and period ends.
#[derive(Clone, Debug)]
pub struct Days {
    /// Last usable days of entitlements, and AD − 1 of memberships.
    pub ending: Vec<NaiveDate>,
    /// Anniversary dates.
    pub grace: Vec<NaiveDate>,
    /// The first day after a credit's period.
    pub period_until: NaiveDate,
}

/// Cuts the partners with anything to be reminded of into spans; the date of their keys is `today`.
pub async fn partner_spans(
    conn: &mut PgConnection,
    days: &Days,
    today: NaiveDate,
    rows: i64,
) -> Result<Vec<Span>> {
    let starts = sqlx::query_scalar!(
        r#"select partner_id as "id!"
           from (select partner_id, total, lag(total, 1, 0::bigint) over (order by partner_id) as before
                 from (select partner_id, (sum(count(*)) over (order by partner_id))::bigint as total
                       from (select partner_id from entitlement where ended_on is null and last_usable_on = any($1)
                             union all
                             select partner_id from membership
                              where ended_on is null and (anniversary_on = any($2) or anniversary_on = any($3))
                             union all
                             select partner_id from credit_schedule where next_on = $4 and open_minor > 0
                             union all
                             select a.partner_id from activation a join entitlement e using (entitlement_id)
                              where not a.live and a.live_on is not null and a.activated_on <= $6
                                and a.live_on <= coalesce(e.ended_on, e.last_usable_on)
                                and (a.live_on <= $6 or not exists (
                                    select from notice n where n.subject_kind = 'entitlement'
                                      and n.subject_id = a.entitlement_id and n.kind = 'offer_instructions'))
                             union all
                             select e.partner_id from entitlement e
                              where e.benefit like 'go_to_market%' and e.ended_on is null
                                and e.last_usable_on >= $6 and greatest(e.starts_on, e.known_on) <= $6
                                and not exists (select from contact c where c.partner_id = e.partner_id)
                                and not exists (select from activation a where a.entitlement_id = e.entitlement_id)
                                and not exists (
                                    select from notice n where n.subject_kind = 'entitlement'
                                      and n.subject_id = e.entitlement_id and n.kind = 'contact_needed')) due
                       group by partner_id) sums) cut
           where before = 0 or before / $5 <> total / $5 order by 1"#,
        &days.ending,
        &after(&days.ending),
        &days.grace,
        days.period_until,
        rows,
        today
    )
    .fetch_all(conn)
    .await?;
    Ok(spans(starts.into_iter().map(|id| (today, id)).collect(), (today, i64::MAX)))
}

/// AD of the memberships whose last day before grace is one of `days`.
fn after(days: &[NaiveDate]) -> Vec<NaiveDate> {
    days.iter().filter_map(NaiveDate::succ_opt).collect()
}

/// Entitlements of a span of partners that end on one of the days, before their membership does.
pub async fn ending_entitlements(conn: &mut PgConnection, span: Span, days: &Days) -> Result<Vec<Near>> {
    Ok(sqlx::query_as!(
        Near,
        r#"select e.entitlement_id as subject_id, e.partner_id, m.order_id, e.benefit as name, e.last_usable_on as "on"
           from entitlement e join membership m using (membership_id)
           where e.partner_id >= $1 and e.partner_id < $2 and e.ended_on is null and e.last_usable_on = any($3)
             and e.last_usable_on < m.anniversary_on - 1
           order by e.entitlement_id"#,
        span.from.1,
        span.until.1,
        &days.ending
    )
    .fetch_all(conn)
    .await?)
}

/// Memberships of a span of partners whose AD − 1 is one of the days; `on` is AD.
pub async fn ending_memberships(conn: &mut PgConnection, span: Span, days: &Days) -> Result<Vec<Near>> {
    memberships(conn, span, &after(&days.ending)).await
}

/// Memberships of a span of partners in grace whose AD is one of the days; `on` is AD.
pub async fn in_grace(conn: &mut PgConnection, span: Span, days: &Days) -> Result<Vec<Near>> {
    memberships(conn, span, &days.grace).await
}

async fn memberships(conn: &mut PgConnection, span: Span, anniversaries: &[NaiveDate]) -> Result<Vec<Near>> {
    Ok(sqlx::query_as!(
        Near,
        r#"select m.membership_id as subject_id, m.partner_id, m.order_id, coalesce(m.offer, '') as "name!",
                  m.anniversary_on as "on"
           from membership m
           where m.partner_id >= $1 and m.partner_id < $2 and m.ended_on is null and m.anniversary_on = any($3)
             and m.starts_on < m.anniversary_on
             and exists (select from entitlement e where e.membership_id = m.membership_id)
           order by m.membership_id"#,
        span.from.1,
        span.until.1,
        anniversaries
    )
    .fetch_all(conn)
    .await?)
}

/// Credits of a span of partners whose period ends on the day and of which something is unspent.
pub async fn unspent(conn: &mut PgConnection, span: Span, days: &Days) -> Result<Vec<Unspent>> {
    Ok(sqlx::query_as!(
        Unspent,
        r#"select s.entitlement_id, s.partner_id, m.order_id, e.benefit, s.open_minor, p.currency,
                  s.next_on as "period_until!",
                  not exists (select from assignment a where a.entitlement_id = s.entitlement_id
                              and a.removed_on is null) as "unassigned!"
           from credit_schedule s
           join entitlement e on e.entitlement_id = s.entitlement_id
           join membership m on m.membership_id = e.membership_id
           join partner p on p.partner_id = s.partner_id
           where s.partner_id >= $1 and s.partner_id < $2 and s.next_on = $3 and s.open_minor > 0
             and s.next_period_no > 0
           order by s.entitlement_id"#,
        span.from.1,
        span.until.1,
        days.period_until
    )
    .fetch_all(conn)
    .await?)
}

/// Offers of a span of partners that were activated by `today` and are not live, with what there is to tell of them.
pub async fn activated_offers(
    conn: &mut PgConnection,
    span: Span,
    today: NaiveDate,
) -> Result<Vec<(Near, PendingOffer)>> {
    let rows = sqlx::query!(
        r#"select a.entitlement_id, a.partner_id, m.order_id, e.benefit, a.activated_on, a.live_on as "live_on!",
                  e.last_usable_on, e.ended_on, greatest(e.known_on, f.received_on) as "known_on!"
           from activation a
           join entitlement e using (entitlement_id)
           join membership m using (membership_id)
           join request r using (request_no)
           join file f using (file_id)
           where a.partner_id >= $1 and a.partner_id < $2 and not a.live and a.live_on is not null
             and a.activated_on <= $3
           order by a.entitlement_id for no key update of a"#,
        span.from.1,
        span.until.1,
        today
    )
    .fetch_all(conn)
    .await?;
    let offers = rows.into_iter().map(|r| {
        let near = Near {
            subject_id: r.entitlement_id,
            partner_id: r.partner_id,
            order_id: r.order_id,
            name: r.benefit,
            on: r.last_usable_on,
        };
        let offer = PendingOffer {
            activated_on: r.activated_on,
            live_on: r.live_on,
            last_usable_on: r.last_usable_on,
            ended_on: r.ended_on,
            known_on: r.known_on,
        };
        (near, offer)
    });
    Ok(offers.collect())
}

/// These offers are live from now on.
pub async fn mark_live(conn: &mut PgConnection, entitlement_ids: &[i64]) -> Result<()> {
    sqlx::query!("update activation set live = true where entitlement_id = any($1)", entitlement_ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// An offer that cannot be activated for want of a contact.
#[derive(Clone, Debug)]
pub struct OfferWithoutContact {
    /// What waits; `on` is its last usable day.
    pub offer: Near,
    /// The later of its start and its file's arrival.
    pub since: NaiveDate,
}

/// Offers of a span of partners that run on `today`, are not activated, and whose partner has no marketing contact and
/// was not told so of this offer.
pub async fn waiting_offers(
    conn: &mut PgConnection,
    span: Span,
    today: NaiveDate,
) -> Result<Vec<OfferWithoutContact>> {
    let rows = sqlx::query!(
        r#"select e.entitlement_id, e.partner_id, m.order_id, e.benefit, e.last_usable_on,
                  greatest(e.starts_on, e.known_on) as "since!"
           from entitlement e join membership m using (membership_id)
           where e.partner_id >= $1 and e.partner_id < $2 and e.benefit like 'go_to_market%' and e.ended_on is null
             and e.last_usable_on >= $3 and greatest(e.starts_on, e.known_on) <= $3
             and not exists (select from contact c where c.partner_id = e.partner_id)
             and not exists (select from activation a where a.entitlement_id = e.entitlement_id)
             and not exists (select from notice n where n.subject_kind = 'entitlement'
                             and n.subject_id = e.entitlement_id and n.kind = 'contact_needed')
           order by e.entitlement_id"#,
        span.from.1,
        span.until.1,
        today
    )
    .fetch_all(conn)
    .await?;
    let waiting = rows.into_iter().map(|r| OfferWithoutContact {
        offer: Near {
            subject_id: r.entitlement_id,
            partner_id: r.partner_id,
            order_id: r.order_id,
            name: r.benefit,
            on: r.last_usable_on,
        },
        since: r.since,
    });
    Ok(waiting.collect())
}

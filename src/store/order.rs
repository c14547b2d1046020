//! Orders: memberships and their entitlements, and how they end (D5–D7).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};

use super::{Result, credit::spans, run::Span, units};
use crate::domain::{
    cancellation::Use,
    id::{EntitlementNo, OrderId, OrderNo, PartnerNo, RunNo},
    reason::Reason,
};

/// A membership as it stands.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Its number in the store.
    pub membership_id: OrderNo,
    /// Whose it is.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// `None` while a renewal waits for its entitlements file.
    pub offer: Option<String>,
    /// When it was bought.
    pub purchased_on: Option<NaiveDate>,
    /// Its start.
    pub starts_on: NaiveDate,
    /// AD.
    pub anniversary_on: NaiveDate,
    /// The stored status.
    pub status: String,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It ran out.
    Expired,
    /// It was cancelled with refund.
    Cancelled,
    /// Another order renewed it.
    Renewed,
    /// Nobody was assigned to it in time (D11).
    NotActivated,
    /// A full snapshot of its partner lacks it (D16).
    Missing,
}

impl How {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Renewed => "renewed",
            Self::NotActivated => "not_activated",
            Self::Missing => "missing",
        }
    }
}

/// An entitlement that ends.
#[derive(Clone, Copy, Debug)]
pub struct EndingEntitlement {
    /// Which.
    pub entitlement_id: EntitlementNo,
    /// Its last usable day.
    pub ended_on: NaiveDate,
    /// How.
    pub how: How,
}

/// Cuts the memberships with a change of status or a benefit that is over by `today` into spans; where a credit is to be
/// assigned within `activate_by_days` (more than none), those with one that was not as well.
pub async fn ending_spans(
    conn: &mut PgConnection,
    today: NaiveDate,
    grace_days: i32,
    activate_by_days: i32,
    rows: i64,
) -> Result<Vec<Span>> {
    let starts = sqlx::query_scalar!(
        r#"select membership_id as "id!"
           from (select membership_id, row_number() over (order by membership_id) as nth
                 from due_memberships($1, $2, $4)) due
           where (nth - 1) % $3 = 0 order by 1"#,
        today,
        grace_days,
        rows,
        activate_by_days
    )
    .fetch_all(conn)
    .await?;
    Ok(spans(starts.into_iter().map(|id| (today, id)).collect(), (today, i64::MAX)))
}

/// The memberships of a span whose status changes by `today`, locked. Orders that are still to be decided are left alone
/// (D5, D7), here and below.
pub async fn changing(
    conn: &mut PgConnection,
    span: Span,
    today: NaiveDate,
    grace_days: i32,
) -> Result<Vec<Membership>> {
    Ok(sqlx::query_as!(
        Membership,
        "select membership_id, partner_id, order_id, offer, purchased_on, starts_on, anniversary_on, status, ended_on
         from membership m
         where membership_id >= $1 and membership_id < $2
           and (membership_starts(m, $3) or membership_passes_anniversary(m, $3, $4))
           and membership_id not in (select o.membership_id from undecided_orders($3) o)
         order by membership_id for no key update",
        span.from.1,
        span.until.1,
        today,
        grace_days
    )
    .fetch_all(conn)
    .await?)
}

/// An entitlement whose last usable day is over.
#[derive(Clone, Debug)]
pub struct Over {
    /// Which.
    pub entitlement_id: EntitlementNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// The last usable day.
    pub last_usable_on: NaiveDate,
    /// The day its file arrived.
    pub known_on: NaiveDate,
    /// It ends because its membership does.
    pub with_membership: bool,
}

/// The entitlements of a span of memberships that are over by `today` and not ended.
pub async fn over(conn: &mut PgConnection, span: Span, today: NaiveDate) -> Result<Vec<Over>> {
    Ok(sqlx::query_as!(
        Over,
        r#"select e.entitlement_id, e.partner_id, m.order_id, e.benefit, e.last_usable_on, e.known_on,
                  (e.last_usable_on >= m.anniversary_on) as "with_membership!"
           from entitlement e join membership m using (membership_id)
           where e.membership_id >= $1 and e.membership_id < $2 and entitlement_is_over(e, $3)
             and e.membership_id not in (select o.membership_id from undecided_orders($3) o)
           order by e.entitlement_id"#,
        span.from.1,
        span.until.1,
        today
    )
    .fetch_all(conn)
    .await?)
}

/// An entitlement that ends before its time.
#[derive(Clone, Debug)]
pub struct EndsEarly {
    /// Which.
    pub entitlement_id: EntitlementNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// Its order's number.
    pub membership_id: OrderNo,
    /// The benefit code.
    pub benefit: String,
    /// Its last usable day: for a credit that nobody is assigned to, the last on which somebody could be.
    pub ended_on: NaiveDate,
    /// The date of the full snapshot that lacks it, if it ends for that.
    pub missing_as_of: Option<NaiveDate>,
}

/// The entitlements of a span of memberships that snapshots lack and that end for it by `today`.
pub async fn missing(conn: &mut PgConnection, span: Span, today: NaiveDate) -> Result<Vec<EndsEarly>> {
    Ok(sqlx::query_as!(
        EndsEarly,
        r#"select e.entitlement_id, e.partner_id, m.order_id, e.membership_id, e.benefit, e.missing_until as "ended_on!",
                  (select s.as_of from file_snapshot s where s.file_id = e.missing_by) as missing_as_of
           from entitlement e join membership m using (membership_id)
           where e.membership_id >= $1 and e.membership_id < $2 and entitlement_is_missing(e, $3)
             and e.membership_id not in (select o.membership_id from undecided_orders($3) o)
           order by e.entitlement_id"#,
        span.from.1,
        span.until.1,
        today
    )
    .fetch_all(conn)
    .await?)
}

/// The running credits of a span of memberships that nobody was assigned to within so many days of their start, or of
/// the day they became known (D11).
pub async fn unassigned(
    conn: &mut PgConnection,
    span: Span,
    today: NaiveDate,
    activate_by_days: i32,
) -> Result<Vec<EndsEarly>> {
    Ok(sqlx::query_as!(
        EndsEarly,
        r#"select e.entitlement_id, e.partner_id, m.order_id, e.benefit, e.membership_id,
                  u.latest_on as "ended_on!", null::date as missing_as_of
           from unassigned_credits($3, $4) u
           join entitlement e using (entitlement_id) join membership m on m.membership_id = u.membership_id
           where u.membership_id >= $1 and u.membership_id < $2
             and u.membership_id not in (select o.membership_id from undecided_orders($3) o)
           order by e.entitlement_id"#,
        span.from.1,
        span.until.1,
        today,
        activate_by_days
    )
    .fetch_all(conn)
    .await?)
}

/// Records that credits were closed by policy (D11).
pub async fn decide_closed(
    conn: &mut PgConnection,
    run_id: RunNo,
    today: NaiveDate,
    closed: &[EndsEarly],
) -> Result<()> {
    let partners: Vec<PartnerNo> = closed.iter().map(|c| c.partner_id).collect();
    let subjects: Vec<String> = closed.iter().map(|c| format!("{}/{}", c.order_id, c.benefit)).collect();
    let reasons: Vec<Json<[Reason; 1]>> =
        closed.iter().map(|c| Json([Reason::ActivateByPassed { latest_on: c.ended_on }])).collect();
    sqlx::query!(
        "insert into decision (partner_id, subject_kind, subject, action, requested_by, outcome, reasons, decided_on, run_id)
         select n.partner_id, 'entitlement', n.subject, 'close', 'policy', 'accepted', n.reasons, $4, $5
         from unnest($1::bigint[], $2::text[], $3::jsonb[]) with ordinality as n (partner_id, subject, reasons, nth)
         order by n.nth",
        &partners as &[PartnerNo],
        &subjects,
        reasons as _,
        today,
        run_id.get()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The day the first file of a membership arrived; `None`: none has.
pub async fn known_on(
    conn: &mut PgConnection,
    membership_ids: &[OrderNo],
) -> Result<Vec<(OrderNo, NaiveDate)>> {
    let rows = sqlx::query!(
        r#"select membership_id, min(known_on) as "known_on!" from entitlement where membership_id = any($1) group by 1"#,
        membership_ids as &[OrderNo]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.membership_id.into(), r.known_on)).collect())
}

/// Locks memberships, in the order of their numbers, and reads them.
pub async fn lock_all(
    conn: &mut PgConnection,
    membership_ids: &[OrderNo],
) -> Result<HashMap<OrderNo, Membership>> {
    let found = sqlx::query_as!(
        Membership,
        "select membership_id, partner_id, order_id, offer, purchased_on, starts_on, anniversary_on, status, ended_on
         from membership where membership_id = any($1) order by membership_id for update",
        membership_ids as &[OrderNo]
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(|membership| (membership.membership_id, membership)).collect())
}

/// Writes statuses of memberships that go on.
pub async fn put_statuses(conn: &mut PgConnection, ids: &[OrderNo], statuses: &[String]) -> Result<()> {
    sqlx::query!(
        "update membership m set status = n.status
         from unnest($1::bigint[], $2::text[]) as n (id, status) where m.membership_id = n.id and m.ended_on is null",
        ids as &[OrderNo],
        statuses
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends memberships; their entitlements are ended with [`end_entitlements`].
pub async fn end_memberships(
    conn: &mut PgConnection,
    ids: &[OrderNo],
    ended_on: &[NaiveDate],
    how: How,
) -> Result<()> {
    sqlx::query!(
        "update membership m set status = $3, ended_on = n.ended_on
         from unnest($1::bigint[], $2::date[]) as n (id, ended_on) where m.membership_id = n.id and m.ended_on is null",
        ids as &[OrderNo],
        ended_on,
        how.name()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends entitlements and their assignments, lapses what is left of hours and incidents, and records the version (D6).
/// Those that ended by then are left alone.
pub async fn end_entitlements(
    conn: &mut PgConnection,
    run_id: RunNo,
    endings: &[EndingEntitlement],
) -> Result<()> {
    let ids: Vec<EntitlementNo> = endings.iter().map(|e| e.entitlement_id).collect();
    let ended_on: Vec<NaiveDate> = endings.iter().map(|e| e.ended_on).collect();
    let how: Vec<String> = endings.iter().map(|e| e.how.name().to_owned()).collect();
    sqlx::query!(
        "with ended as (
             update entitlement e set ended_on = n.ended_on, ended_as = n.how
             from unnest($1::bigint[], $2::date[], $3::text[]) as n (id, ended_on, how)
             where e.entitlement_id = n.id and (e.ended_on is null or e.ended_on > n.ended_on)
             returning e.*
         ), removed as (
             update assignment a set removed_on = greatest(a.assigned_on, e.ended_on + 1)
             from ended e where a.entitlement_id = e.entitlement_id
                and (a.removed_on is null or a.removed_on > greatest(a.assigned_on, e.ended_on + 1))
         )
         insert into entitlement_version (entitlement_id, version_no, partner_id, run_id, quantity, starts_on, expires_on,
             amount_minor, currency, competency, subscription_id, benefit_type, ended_on, ended_as)
         select e.entitlement_id, v.version_no + 1, e.partner_id, $4, quantity_left(e::entitlement), e.starts_on, e.expires_on,
             e.amount_minor, e.currency, e.competency, e.subscription_id, e.benefit_type, e.ended_on, e.ended_as
         from ended e, lateral (select max(version_no) as version_no from entitlement_version v
                                where v.entitlement_id = e.entitlement_id) v",
        &ids as &[EntitlementNo],
        &ended_on,
        &how,
        run_id.get()
    )
    .execute(&mut *conn)
    .await?;
    let last = ended_on.iter().max().copied().unwrap_or_default();
    units::settle(conn, run_id, &ids, last).await?;
    Ok(())
}

/// An entitlement that has not ended by a day.
#[derive(Clone, Debug)]
pub struct Usable {
    /// Which.
    pub entitlement_id: EntitlementNo,
    /// Its order.
    pub membership_id: OrderNo,
    /// The benefit code.
    pub benefit: String,
    /// The day.
    pub until: NaiveDate,
}

/// The entitlements of memberships that have not ended by the day beside each, those included that have run out since: with
/// membership, benefit and day. Whatever the database knows of its tables, they are found along their orders.
pub async fn usable_after(
    conn: &mut PgConnection,
    membership_ids: &[OrderNo],
    days: &[NaiveDate],
) -> Result<Vec<Usable>> {
    Ok(sqlx::query_as!(
        Usable,
        r#"select e.entitlement_id, e.membership_id, e.benefit, n.ended_on as "until!"
           from unnest($1::bigint[], $2::date[]) as n (membership_id, ended_on)
           cross join lateral (select * from entitlement of where of.membership_id = n.membership_id offset 0) e
           where e.ended_on is null or e.ended_on > n.ended_on
           order by e.entitlement_id"#,
        membership_ids as &[OrderNo],
        days
    )
    .fetch_all(conn)
    .await?)
}

/// What was done with the benefits of orders that a refund policy may name (D7), for each membership and day in turn:
/// assigned and spent by that day; revealed, redeemed and activated on whatever date, since it is on record and cannot be
/// taken back (promise 10).
///
/// Whatever the database knows of its tables, each order's benefits and each benefit's uses are looked up by their keys.
pub async fn uses(
    conn: &mut PgConnection,
    membership_ids: &[OrderNo],
    days: &[NaiveDate],
) -> Result<Vec<Vec<Use>>> {
    let rows = sqlx::query!(
        r#"select asked.nth - 1 as "nth!", u.event as "event!", u.benefit as "benefit!", u.used_on as "on!"
           from unnest($1::bigint[], $2::date[]) with ordinality as asked (membership_id, on_day, nth)
           cross join lateral (
               select done.event, e.benefit, done.used_on
               from (select entitlement_id, benefit from entitlement
                     where membership_id = asked.membership_id offset 0) e
               cross join lateral (
                   (select event, used_on from benefit_use where entitlement_id = e.entitlement_id offset 0)
                   union all
                   (select 'benefit_assigned', min(assigned_on) from assignment
                    where entitlement_id = e.entitlement_id and assigned_on <= asked.on_day)
                   union all
                   (select 'credit_used', min(used_on) from credit_usage
                    where entitlement_id = e.entitlement_id and used_on <= asked.on_day and withdrawn_at is null)) done
               where done.used_on is not null
               union all
               select r.kind, coalesce((select benefit from entitlement where entitlement_id = r.entitlement_id), r.kind),
                      min(r.requested_on)
               from (select kind, entitlement_id, requested_on from request
                     where membership_id = asked.membership_id and status = 'accepted' and requested_on <= asked.on_day
                       and kind in ('product_support', 'cloud_support', 'advisory_hours') offset 0) r
               group by 1, 2) u
           order by asked.nth, u.used_on, u.benefit, u.event"#,
        membership_ids as &[OrderNo],
        days
    )
    .fetch_all(conn)
    .await?;
    let mut uses = vec![Vec::new(); membership_ids.len()];
    for r in rows {
        if let Some(of) = usize::try_from(r.nth).ok().and_then(|nth| uses.get_mut(nth)) {
            of.push(Use { event: r.event, benefit: r.benefit, on: r.on });
        }
    }
    Ok(uses)
}

/// Recomputes the last usable day of a membership's entitlements after its year changed (D5).
pub async fn refit(conn: &mut PgConnection, membership_ids: &[OrderNo], grace_days: i32) -> Result<()> {
    sqlx::query!(
        "update entitlement e set last_usable_on = n.last_usable_on
         from (select e.entitlement_id, case when e.expires_on >= m.anniversary_on - 1 then m.anniversary_on + $2::int
                                             else e.expires_on end as last_usable_on
               from entitlement e join membership m using (membership_id)
               where m.membership_id = any($1) and e.ended_on is null) n
         where e.entitlement_id = n.entitlement_id and e.last_usable_on <> n.last_usable_on",
        membership_ids as &[OrderNo],
        grace_days
    )
    .execute(conn)
    .await?;
    Ok(())
}

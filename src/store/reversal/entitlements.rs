//! Entitlements that a file brought or changed, and the orders that it made by them. A file may have hundreds of thousands of
//! rows, and the database may know nothing of its tables: so the versions of a file are found at once, and what belongs to each
//! is looked up along an index (`offset 0` keeps such a look-up from being made a join of whole tables).

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{FileGroup, FoundHindrance, Result, TakenBack, hindrances};
use crate::domain::{
    benefit::Offer,
    credit::Schedule,
    entitlement_change::Stated,
    id::{EntitlementNo, FileNo, OrderId, OrderNo, PartnerNo, SubscriptionId},
    money::{Amount, Currency},
    reversal::Hindrance,
};

/// An entitlement that stands again as it stood before a file changed it.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Its number in the store.
    pub entitlement_id: EntitlementNo,
    /// Its order.
    pub membership_id: OrderNo,
    /// The benefit code.
    pub benefit: String,
    /// What it says again.
    pub stated: Stated,
    /// When its first file came.
    pub known_on: NaiveDate,
    /// What its partner accounts in.
    pub local: Currency,
    /// Something was booked of it before the file came: it has its schedule.
    pub booked: bool,
}

/// An order of which a file brought or changed something.
#[derive(Clone, Debug)]
pub struct TouchedOrder {
    /// Its number in the store.
    pub membership_id: OrderNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// What it is called.
    pub order_id: OrderId,
    /// What it bought.
    pub offer: Option<Offer>,
    /// When.
    pub purchased_on: Option<NaiveDate>,
    /// Its start.
    pub starts_on: NaiveDate,
    /// AD.
    pub anniversary_on: NaiveDate,
    /// A renewal fixed its year.
    pub fixed: bool,
    /// The earliest start of what is left of it; `None`: nothing is.
    pub earliest: Option<NaiveDate>,
}

/// What was built on them.
pub async fn against(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<Hindrance>> {
    let mut found = sqlx::query_as!(
        FoundHindrance,
        r#"with own as materialized (
               select entitlement_id, min(version_no) as first_no
               from entitlement_version where file_id = any($1) and not restores group by 1
           ), touched as materialized (
               select o.entitlement_id, o.first_no, o.first_no = 1 as made, e.partner_id, e.membership_id,
                      m.order_id || '/' || e.benefit as subject, p.number
               from own o cross join lateral (select * from entitlement where entitlement_id = o.entitlement_id offset 0) e
               cross join lateral (select order_id from membership where membership_id = e.membership_id offset 0) m
               cross join lateral (select number from partner where partner_id = e.partner_id offset 0) p
           )
           select number as "partner!", subject as "subject!", built as "built!", what as "what!", "on" from (
               select distinct on (t.entitlement_id) t.number, t.subject,
                      case when v.file_id is null then 'by_night' else 'later_file' end as built,
                      coalesce(f.name, v.ended_as, 'what silver holds back') as what, coalesce(f.received_on, r.due_on) as "on"
               from touched t join entitlement_version v using (entitlement_id)
               left join file f using (file_id) left join run r using (run_id)
               where v.version_no > t.first_no and (v.file_id is null or v.file_id <> all($1))
               union all
               select distinct on (t.entitlement_id) t.number, t.subject, 'booked', x.kind::text, x.effective_on
               from touched t cross join lateral (
                   select kind, effective_on from transfer b
                   where b.entitlement_id = t.entitlement_id and (t.made or b.recorded_at >= $2)
                   order by b.transfer_id limit 1) x
               union all
               select t.number, t.subject, 'asked', r.kind, r.requested_on
               from touched t cross join lateral (
                   select q.kind, q.requested_on from request q join file rf on rf.file_id = q.file_id
                   where q.membership_id = t.membership_id and (q.entitlement_id = t.entitlement_id or q.entitlement_id is null)
                     and q.status <> 'refused'
                     and (t.made and q.entitlement_id is not null or rf.received_at >= $2 or exists (
                          select from decision d where d.request_no = q.request_no and d.decided_at >= $2))
                   order by q.request_no limit 1) r
               union all
               select t.number, t.subject, 'keys', x.name, x.known_on
               from touched t cross join lateral (
                   select kf.name, k.known_on from license_key k join file kf on kf.file_id = k.file_id
                   where k.entitlement_id = t.entitlement_id and (t.made or kf.received_at >= $2) limit 1) x
               union all
               select t.number, t.subject, 'usage', x.name, x.used_on
               from touched t cross join lateral (
                   select uf.name, u.used_on from credit_usage u join file uf on uf.file_id = u.file_id
                   where u.entitlement_id = t.entitlement_id and (t.made or uf.received_at >= $2) limit 1) x
               union all
               select t.number, t.subject, 'mail', x.kind, x.day
               from touched t cross join lateral (
                   select n.kind, coalesce(l.day, n.anchor_on) as day
                   from notice_told n left join mail l using (mail_id) left join run r on r.run_id = n.run_id
                   where n.status <> 'superseded' and (n.subject_kind = 'entitlement' and n.subject_id = t.entitlement_id
                                                       or n.subject_kind = 'membership' and n.subject_id = t.membership_id)
                     and (t.made and n.subject_kind = 'entitlement' or coalesce(r.started_at, l.queued_at) >= $2)
                   order by n.notice_id limit 1) x
               union all
               select t.number, t.subject, 'by_night', x.action, x.decided_on
               from touched t cross join lateral (
                   select action, decided_on from decision d
                   where d.partner_id = t.partner_id and d.subject = t.subject and d.run_id is not null
                     and (t.made or d.decided_at >= $2) order by d.decision_id limit 1) x
           ) built order by 1, 2, 3"#,
        &group.files as &[FileNo],
        group.received_at
    )
    .fetch_all(&mut *conn)
    .await?;
    found.extend(beside(conn, group).await?);
    found.extend(of_moved_years(conn, group).await?);
    hindrances(found)
}

/// What was booked since of the benefits that are decided beside these: core benefits of silver and gold (D12), bulk credit
/// beside an Action Pack (D14).
async fn beside(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<FoundHindrance>> {
    Ok(sqlx::query_as!(
        FoundHindrance,
        r#"with own as materialized (
               select distinct entitlement_id from entitlement_version where file_id = any($1) and not restores
           ), touched as materialized (
               select e.entitlement_id, e.partner_id, e.membership_id, e.benefit, e.benefit_type, m.offer,
                      m.order_id || '/' || e.benefit as subject, p.number
               from own cross join lateral (select * from entitlement where entitlement_id = own.entitlement_id offset 0) e
               cross join lateral (select offer, order_id from membership
                                   where membership_id = e.membership_id offset 0) m
               cross join lateral (select number from partner where partner_id = e.partner_id offset 0) p
               where (e.benefit_type = 'core' and m.offer in ('silver', 'gold') or m.offer = 'action_pack')
           )
           select t.number as "partner!", t.subject as "subject!", 'beside' as "built!", x.subject as "what!", x."on"
           from touched t cross join lateral (
               select m.order_id || '/' || o.benefit as subject, b."on"
               from membership m join entitlement o using (membership_id)
               cross join lateral (
                   select effective_on as "on" from transfer x where x.entitlement_id = o.entitlement_id and x.recorded_at >= $2
                   union all
                   select r.due_on from entitlement_version v join run r using (run_id)
                   where v.entitlement_id = o.entitlement_id and v.recorded_at >= $2) b
               where m.partner_id = t.partner_id and m.membership_id <> t.membership_id
                 and (t.offer = 'action_pack' and o.benefit like 'azure_bulk_credit%'
                      or t.offer <> 'action_pack' and m.offer in ('silver', 'gold') and m.offer <> t.offer
                         and o.benefit_type = 'core' and o.benefit = t.benefit)
               limit 1) x
           order by 1, 2"#,
        &group.files as &[FileNo],
        group.received_at
    )
    .fetch_all(conn)
    .await?)
}

/// What was booked since of other benefits of orders whose year moves back.
async fn of_moved_years(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<FoundHindrance>> {
    Ok(sqlx::query_as!(
        FoundHindrance,
        r#"with own as materialized (
               select distinct entitlement_id from entitlement_version where file_id = any($1) and not restores
           ), touched as materialized (
               select distinct e.membership_id
               from own cross join lateral (select membership_id from entitlement
                                            where entitlement_id = own.entitlement_id offset 0) e
           ), moved as materialized (
               select m.membership_id, m.order_id, p.number
               from touched
               cross join lateral (select * from membership where membership_id = touched.membership_id offset 0) m
               cross join lateral (select number from partner where partner_id = m.partner_id offset 0) p
               cross join lateral (
                   select min(coalesce(before.starts_on, e.starts_on)) as starts_on
                   from (select * from entitlement where membership_id = touched.membership_id offset 0) e
                   cross join lateral (select min(version_no) as first_no from entitlement_version v
                                       where v.entitlement_id = e.entitlement_id and v.file_id = any($1)
                                         and not v.restores) first
                   left join lateral (select starts_on from entitlement_version v
                                      where v.entitlement_id = e.entitlement_id and v.version_no < first.first_no
                                      order by v.version_no desc limit 1) before on true
                   where first.first_no is distinct from 1) remaining
               where m.renews is null and m.starts_on <> remaining.starts_on
           )
           select m.number as "partner!", m.order_id || '/' || e.benefit as "subject!", 'booked' as "built!",
                  x.kind::text as "what!", x.effective_on as "on"
           from moved m
           cross join lateral (select * from entitlement where membership_id = m.membership_id offset 0) e
           cross join lateral (select kind, effective_on from transfer b
                               where b.entitlement_id = e.entitlement_id and b.recorded_at >= $2
                               order by b.transfer_id limit 1) x
           left join lateral (select v.version_no from entitlement_version v
                              where v.entitlement_id = e.entitlement_id and v.file_id = any($1) and not v.restores
                              limit 1) by_file on true
           where by_file.version_no is null"#,
        &group.files as &[FileNo],
        group.received_at
    )
    .fetch_all(conn)
    .await?)
}

/// The orders of which they brought or changed something, as it stands now.
pub async fn orders(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<TouchedOrder>> {
    touched_orders(conn, &group.files, None).await
}

/// The same orders, with what is left of them.
pub async fn orders_again(conn: &mut PgConnection, orders: &[TouchedOrder]) -> Result<Vec<TouchedOrder>> {
    let ids: Vec<OrderNo> = orders.iter().map(|order| order.membership_id).collect();
    touched_orders(conn, &[], Some(&ids)).await
}

async fn touched_orders(
    conn: &mut PgConnection,
    files: &[FileNo],
    ids: Option<&[OrderNo]>,
) -> Result<Vec<TouchedOrder>> {
    let rows = sqlx::query!(
        r#"with own as materialized (
               select distinct entitlement_id from entitlement_version where file_id = any($1) and not restores
           ), touched as materialized (
               select e.membership_id
               from own cross join lateral (select membership_id from entitlement
                                            where entitlement_id = own.entitlement_id offset 0) e
               union
               select unnest($2::bigint[])
           )
           select m.membership_id as "membership_id!: OrderNo", partner_id as "partner_id!: PartnerNo",
                  order_id as "order_id!: OrderId", offer, purchased_on, starts_on as "starts_on!",
                  anniversary_on as "anniversary_on!", renews is not null as "fixed!",
                  (select min(e.starts_on) from entitlement e where e.membership_id = m.membership_id) as earliest
           from touched
           cross join lateral (select * from membership where membership_id = touched.membership_id offset 0) m
           order by m.membership_id"#,
        files as &[FileNo],
        ids.unwrap_or_default() as &[OrderNo]
    )
    .fetch_all(conn)
    .await?;
    let orders = rows.into_iter().map(|r| TouchedOrder {
        membership_id: r.membership_id,
        partner_id: r.partner_id,
        order_id: r.order_id,
        offer: r.offer.as_deref().and_then(Offer::parse),
        purchased_on: r.purchased_on,
        starts_on: r.starts_on,
        anniversary_on: r.anniversary_on,
        fixed: r.fixed,
        earliest: r.earliest,
    });
    Ok(orders.collect())
}

/// Takes them back: what they brought goes, what they changed stands again as its version before says. Hands back the latter.
pub async fn take_back(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<Vec<Restored>> {
    let restored = restore(conn, group, on).await?;
    taken.restored = restored.len();
    taken.removed = remove(conn, group, on).await?;
    Ok(restored)
}

/// What they changed.
async fn restore(conn: &mut PgConnection, group: &FileGroup, on: NaiveDate) -> Result<Vec<Restored>> {
    let rows = sqlx::query!(
        r#"with own as materialized (
               select entitlement_id, min(version_no) as first_no, max(version_no) as last_no, min(line) as line
               from entitlement_version where file_id = any($1) and not restores group by 1
           ), before as materialized (
               select o.entitlement_id, o.last_no, o.line, b.*
               from own o cross join lateral (
                   select partner_id, quantity, starts_on, expires_on, amount_minor, currency, competency, subscription_id,
                          benefit_type
                   from entitlement_version v where v.entitlement_id = o.entitlement_id and v.version_no < o.first_no
                   order by v.version_no desc limit 1) b
           ), kept as (
               insert into taken_back (file_id, partner_id, partner, subject_kind, subject, line, said, stands, business_on)
               select $2, e.partner_id, p.number, 'entitlement', m.order_id || '/' || e.benefit, b.line, to_jsonb(e),
                      to_jsonb(b) - 'last_no' - 'line', $3
               from before b cross join lateral (select * from entitlement
                                                 where entitlement_id = b.entitlement_id offset 0) e
               cross join lateral (select order_id from membership where membership_id = e.membership_id offset 0) m
               cross join lateral (select number from partner where partner_id = e.partner_id offset 0) p
           ), version as (
               insert into entitlement_version (entitlement_id, version_no, partner_id, file_id, line, quantity, starts_on,
                   expires_on, amount_minor, currency, competency, subscription_id, benefit_type, restores)
               select entitlement_id, last_no + 1, partner_id, $2, line, quantity, starts_on, expires_on, amount_minor, currency,
                   competency, subscription_id, benefit_type, true from before
           )
           update entitlement e set benefit_type = b.benefit_type, quantity = b.quantity, starts_on = b.starts_on,
               expires_on = b.expires_on, amount_minor = b.amount_minor, currency = b.currency, competency = b.competency,
               subscription_id = b.subscription_id
           from before b where e.entitlement_id = b.entitlement_id
           returning e.entitlement_id as "entitlement_id: EntitlementNo", e.membership_id as "membership_id: OrderNo", e.benefit,
               e.benefit_type, e.quantity, e.starts_on, e.expires_on, e.amount_minor, e.currency, e.competency,
               e.subscription_id as "subscription_id: SubscriptionId", e.known_on,
               (select currency from partner p where p.partner_id = e.partner_id) as "local!",
               exists (select from transfer t where t.entitlement_id = e.entitlement_id) as "booked!""#,
        &group.files as &[FileNo],
        group.number.get(),
        on
    )
    .fetch_all(conn)
    .await?;
    let restored = rows.into_iter().map(|r| {
        let currency = r.currency.as_deref().and_then(Currency::stored);
        Restored {
            entitlement_id: r.entitlement_id,
            membership_id: r.membership_id,
            benefit: r.benefit,
            stated: Stated {
                quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()),
                benefit_type: r.benefit_type,
                starts_on: r.starts_on,
                expires_on: r.expires_on,
                amount: r.amount_minor.zip(currency).map(|(minor, currency)| Amount::new(minor, currency)),
                competency: r.competency,
                subscription_id: r.subscription_id,
            },
            known_on: r.known_on,
            local: Currency::stored(&r.local).unwrap_or(Currency::USD),
            booked: r.booked,
        }
    });
    Ok(restored.collect())
}

/// What they brought.
async fn remove(conn: &mut PgConnection, group: &FileGroup, on: NaiveDate) -> Result<usize> {
    let ids = sqlx::query_scalar!(
        r#"select v.entitlement_id as "id!: EntitlementNo" from entitlement_version v
           cross join lateral (select from entitlement where entitlement_id = v.entitlement_id offset 0) e
           where v.file_id = any($1) and not v.restores and v.version_no = 1"#,
        &group.files as &[FileNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids = &ids[..];
    sqlx::query!(
        "insert into taken_back (file_id, partner_id, partner, subject_kind, subject, line, said, business_on)
         select $2, e.partner_id, p.number, 'entitlement', m.order_id || '/' || e.benefit, v.line, to_jsonb(e), $3
         from unnest($1::bigint[]) as of (id)
         cross join lateral (select * from entitlement where entitlement_id = of.id offset 0) e
         cross join lateral (select order_id from membership where membership_id = e.membership_id offset 0) m
         cross join lateral (select number from partner where partner_id = e.partner_id offset 0) p
         cross join lateral (select line from entitlement_version
                             where entitlement_id = of.id and version_no = 1 offset 0) v",
        ids as &[EntitlementNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from credit_schedule where entitlement_id = any($1)", ids as &[EntitlementNo])
        .execute(&mut *conn)
        .await?;
    sqlx::query!("delete from credit_unsettled where entitlement_id = any($1)", ids as &[EntitlementNo])
        .execute(&mut *conn)
        .await?;
    sqlx::query!("delete from entitlement where entitlement_id = any($1)", ids as &[EntitlementNo])
        .execute(conn)
        .await?;
    Ok(ids.len())
}

/// Gives schedules to entitlements of which nothing was booked, in place of those that they have. What they wait for is seen
/// again by the next night.
pub async fn reschedule(
    conn: &mut PgConnection,
    schedules: &[(EntitlementNo, Option<Schedule>)],
) -> Result<()> {
    let none = schedules.iter().filter(|(_, schedule)| schedule.is_none());
    sqlx::query!(
        "delete from credit_schedule where entitlement_id = any($1)",
        &none.map(|(id, _)| *id).collect::<Vec<_>>() as &[EntitlementNo]
    )
    .execute(&mut *conn)
    .await?;
    let (mut ids, mut numbers, mut days) = (Vec::new(), Vec::new(), Vec::new());
    for (id, schedule) in schedules {
        let Some(schedule) = schedule else { continue };
        ids.push(*id);
        numbers.push(i32::try_from(schedule.next_period).unwrap_or(i32::MAX));
        days.push(schedule.next_on);
    }
    sqlx::query!(
        "insert into credit_schedule (entitlement_id, partner_id, next_period_no, next_on)
         select n.id, e.partner_id, n.number::smallint, n.next_on
         from unnest($1::bigint[], $2::int[], $3::date[]) as n (id, number, next_on)
         join entitlement e on e.entitlement_id = n.id
         on conflict (entitlement_id) do update set next_period_no = excluded.next_period_no, next_on = excluded.next_on,
             open_minor = 0",
        &ids as &[EntitlementNo],
        &numbers,
        days as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes orders back of which nothing is left: one that a renewal made waits for its benefits again. Says how many are gone.
pub async fn remove_orders(
    conn: &mut PgConnection,
    group: &FileGroup,
    ids: &[OrderNo],
    on: NaiveDate,
) -> Result<usize> {
    sqlx::query!(
        "update membership set offer = null, purchased_on = null where membership_id = any($1) and renews is not null",
        ids as &[OrderNo]
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into taken_back (file_id, partner_id, partner, subject_kind, subject, said, business_on)
         select $2, m.partner_id, p.number, 'order', m.order_id, to_jsonb(m), $3
         from membership m join partner p using (partner_id) where membership_id = any($1) and renews is null",
        ids as &[OrderNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    let gone = sqlx::query!(
        "delete from membership where membership_id = any($1) and renews is null",
        ids as &[OrderNo]
    )
    .execute(conn)
    .await?;
    Ok(usize::try_from(gone.rows_affected()).unwrap_or(usize::MAX))
}

//! Entitlements, usage, rates and requests on their way in: what is known of a span's rows, and what they change.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::PgConnection;

use super::{Error, Result, bulk::CopyRows};
use crate::domain::{
    benefit::Offer,
    credit::Schedule,
    entitlement_change::{Known, Stated},
    id::{EntitlementNo, FileNo, OrderId, OrderNo, PartnerId, PartnerNo, RequestNo, SubscriptionId},
    money::{Amount, Currency},
};

/// Partners by their Partner ID: number in the store, and currency.
pub async fn partners(
    conn: &mut PgConnection,
    numbers: &[PartnerId],
) -> Result<HashMap<PartnerId, (PartnerNo, Currency)>> {
    let rows = sqlx::query!(
        "select number, partner_id, currency from partner where number = any($1)",
        numbers as &[PartnerId]
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|r| {
            let currency = Currency::stored(&r.currency).ok_or_else(|| Error::Unknown {
                what: format!("currency {} of partner {}", r.currency, r.number),
            })?;
            Ok((r.number.into(), (r.partner_id.into(), currency)))
        })
        .collect()
}

/// An order as it is stored.
#[derive(Clone, Debug)]
pub struct StoredOrder {
    /// Its number in the store.
    pub membership_id: OrderNo,
    /// Whose.
    pub partner_id: PartnerNo,
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
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
}

/// Orders by their number.
pub async fn orders(conn: &mut PgConnection, order_ids: &[OrderId]) -> Result<HashMap<OrderId, StoredOrder>> {
    let rows = sqlx::query_as!(
        OrderRecord,
        r#"select order_id, membership_id, partner_id, offer, purchased_on, starts_on, anniversary_on,
                  (renews is not null) as "fixed!", ended_on
           from membership where order_id = any($1)"#,
        order_ids as &[OrderId]
    )
    .fetch_all(conn)
    .await?;
    Ok(by_number(rows))
}

/// Orders by their number, locked in the order of their numbers in the store.
pub async fn lock_orders(
    conn: &mut PgConnection,
    order_ids: &[OrderId],
) -> Result<HashMap<OrderId, StoredOrder>> {
    let rows = sqlx::query_as!(
        OrderRecord,
        r#"select order_id, membership_id, partner_id, offer, purchased_on, starts_on, anniversary_on,
                  (renews is not null) as "fixed!", ended_on
           from membership where order_id = any($1) order by membership_id for update"#,
        order_ids as &[OrderId]
    )
    .fetch_all(conn)
    .await?;
    Ok(by_number(rows))
}

/// An order as the store has it.
struct OrderRecord {
    order_id: OrderId,
    membership_id: OrderNo,
    partner_id: PartnerNo,
    offer: Option<String>,
    purchased_on: Option<NaiveDate>,
    starts_on: NaiveDate,
    anniversary_on: NaiveDate,
    fixed: bool,
    ended_on: Option<NaiveDate>,
}

fn by_number(rows: Vec<OrderRecord>) -> HashMap<OrderId, StoredOrder> {
    rows.into_iter()
        .map(|r| {
            let order = StoredOrder {
                membership_id: r.membership_id,
                partner_id: r.partner_id,
                offer: r.offer.as_deref().and_then(Offer::parse),
                purchased_on: r.purchased_on,
                starts_on: r.starts_on,
                anniversary_on: r.anniversary_on,
                fixed: r.fixed,
                ended_on: r.ended_on,
            };
            (r.order_id, order)
        })
        .collect()
}

/// A credit that has a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// Whose.
    pub partner_id: PartnerNo,
    /// The subscription, in lower case.
    pub subscription_id: SubscriptionId,
    /// The order that brought it.
    pub order_id: OrderId,
    /// The benefit.
    pub benefit: String,
    /// Its first usable day.
    pub starts_on: NaiveDate,
    /// Its last usable day.
    pub last_on: NaiveDate,
}

/// The credits of partners that have a subscription.
pub async fn subscribed(conn: &mut PgConnection, partner_ids: &[PartnerNo]) -> Result<Vec<Subscribed>> {
    Ok(sqlx::query_as!(
        Subscribed,
        r#"select m.partner_id as "partner_id!: PartnerNo", lower(e.subscription_id) as "subscription_id!",
               m.order_id as "order_id!", e.benefit as "benefit!", e.starts_on as "starts_on!",
               coalesce(e.ended_on, e.expires_on) as "last_on!"
           from unnest($1::bigint[]) as n (partner_id)
           cross join lateral (select * from membership where partner_id = n.partner_id offset 0) m
           cross join lateral (select * from entitlement where membership_id = m.membership_id
                                 and subscription_id is not null and benefit ~ '^azure_(monthly|bulk)_credit' offset 0) e
           order by m.membership_id, e.entitlement_id"#,
        partner_ids as &[PartnerNo]
    )
    .fetch_all(conn)
    .await?)
}

/// An entitlement as it is stored.
#[derive(Clone, Debug)]
pub struct StoredEntitlement {
    /// Its number in the store.
    pub entitlement_id: EntitlementNo,
    /// The number of its latest version.
    pub version_no: i32,
    /// What is known of it.
    pub known: Known,
}

/// The entitlements of orders, by order and benefit.
pub async fn entitlements(
    conn: &mut PgConnection,
    membership_ids: &[OrderNo],
) -> Result<HashMap<(OrderNo, String), StoredEntitlement>> {
    let rows = sqlx::query!(
        r#"select e.entitlement_id, e.membership_id, e.benefit, e.benefit_type, e.quantity, e.starts_on, e.expires_on,
                  e.amount_minor, e.currency, e.competency, e.subscription_id, e.ended_on, e.missing_until,
                  exists (select from transfer t where t.entitlement_id = e.entitlement_id) as "granted!",
                  (select max(version_no) from entitlement_version v where v.entitlement_id = e.entitlement_id)
                      as "version_no!"
           from entitlement e where e.membership_id = any($1)"#,
        membership_ids as &[OrderNo]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let currency = r.currency.as_deref().and_then(Currency::stored);
            let stated = Stated {
                quantity: r.quantity.and_then(|q| u32::try_from(q).ok()),
                benefit_type: r.benefit_type,
                starts_on: r.starts_on,
                expires_on: r.expires_on,
                amount: r.amount_minor.zip(currency).map(|(minor, currency)| Amount::new(minor, currency)),
                competency: r.competency,
                subscription_id: r.subscription_id.map(SubscriptionId::from),
            };
            let known =
                Known { stated, granted: r.granted, ended_on: r.ended_on, missing_until: r.missing_until };
            let stored = StoredEntitlement {
                entitlement_id: r.entitlement_id.into(),
                version_no: r.version_no,
                known,
            };
            ((r.membership_id.into(), r.benefit), stored)
        })
        .collect())
}

/// So many fresh numbers for memberships.
pub async fn new_memberships(conn: &mut PgConnection, count: i32) -> Result<Vec<OrderNo>> {
    Ok(sqlx::query_scalar!(
        r#"select nextval('membership_membership_id_seq') as "id!: OrderNo" from generate_series(1, $1)"#,
        count
    )
    .fetch_all(conn)
    .await?)
}

/// So many fresh numbers for entitlements.
pub async fn new_entitlements(conn: &mut PgConnection, count: i32) -> Result<Vec<EntitlementNo>> {
    Ok(sqlx::query_scalar!(
        r#"select nextval('entitlement_entitlement_id_seq') as "id!: EntitlementNo" from generate_series(1, $1)"#,
        count
    )
    .fetch_all(conn)
    .await?)
}

/// An order that a file makes, or the year and purchase that it gives one.
#[derive(Clone, Debug)]
pub struct PutOrder {
    /// Its number in the store.
    pub membership_id: OrderNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// What it bought.
    pub offer: Offer,
    /// When.
    pub purchased_on: NaiveDate,
    /// Its start.
    pub starts_on: NaiveDate,
    /// AD.
    pub anniversary_on: NaiveDate,
    /// Where it stands on the day the file arrived.
    pub status: &'static str,
}

/// Makes orders.
pub async fn append_orders(conn: &mut PgConnection, orders: &[PutOrder]) -> Result<()> {
    let mut rows = CopyRows::into("membership");
    for o in orders {
        rows.cell(o.membership_id).cell(o.partner_id).text(o.order_id.as_str()).cell(o.offer.name());
        rows.date(o.purchased_on).date(o.starts_on).date(o.anniversary_on).cell(o.status).end();
    }
    rows.copy(conn).await?;
    Ok(())
}

/// Gives orders what their files say: offer, purchase and year, and with it where one stands that a night moved on before.
pub async fn put_orders(conn: &mut PgConnection, orders: &[PutOrder]) -> Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let ids: Vec<OrderNo> = orders.iter().map(|o| o.membership_id).collect();
    let offers: Vec<String> = orders.iter().map(|o| o.offer.name().to_owned()).collect();
    let purchased_on: Vec<NaiveDate> = orders.iter().map(|o| o.purchased_on).collect();
    let starts_on: Vec<NaiveDate> = orders.iter().map(|o| o.starts_on).collect();
    let anniversary_on: Vec<NaiveDate> = orders.iter().map(|o| o.anniversary_on).collect();
    let statuses: Vec<String> = orders.iter().map(|o| o.status.to_owned()).collect();
    sqlx::query!(
        "update membership m set offer = n.offer, purchased_on = n.purchased_on, starts_on = n.starts_on,
             anniversary_on = n.anniversary_on,
             status = case when m.ended_on is null and m.status <> 'pending' then n.status else m.status end
         from unnest($1::bigint[], $2::text[], $3::date[], $4::date[], $5::date[], $6::text[])
             as n (id, offer, purchased_on, starts_on, anniversary_on, status)
         where m.membership_id = n.id",
        &ids as &[OrderNo],
        &offers,
        &purchased_on,
        &starts_on,
        &anniversary_on,
        &statuses
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An entitlement that a row makes or changes.
#[derive(Clone, Debug)]
pub struct PutEntitlement {
    /// Its number in the store.
    pub entitlement_id: EntitlementNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// Its order.
    pub membership_id: OrderNo,
    /// The benefit code.
    pub benefit: String,
    /// What it says.
    pub stated: Stated,
    /// Last usable day, grace included.
    pub last_usable_on: NaiveDate,
    /// The version this makes, from 1.
    pub version_no: i32,
    /// The line it came from.
    pub line: i32,
    /// Where its credit starts; `None`: it has none.
    pub schedule: Option<Schedule>,
}

/// Writes the entitlements of a span, their versions and schedules.
pub async fn put_entitlements(
    conn: &mut PgConnection,
    file_id: FileNo,
    known_on: NaiveDate,
    puts: &[PutEntitlement],
) -> Result<()> {
    let (mut fresh, mut versions, mut schedules) = (
        CopyRows::into("entitlement"),
        CopyRows::into("entitlement_version"),
        CopyRows::into("credit_schedule"),
    );
    let mut changed = Vec::new();
    for put in puts {
        let s = &put.stated;
        if put.version_no == 1 {
            fresh.cell(put.entitlement_id).cell(put.partner_id).cell(put.membership_id).text(&put.benefit);
            fresh.cell(&s.benefit_type).maybe(s.quantity).date(s.starts_on).date(s.expires_on);
            fresh
                .date(put.last_usable_on)
                .maybe(s.amount.map(|a| a.minor))
                .maybe(s.amount.map(|a| a.currency));
            fresh
                .maybe_text(s.competency.as_deref())
                .maybe_text(s.subscription_id.as_ref().map(SubscriptionId::as_str))
                .date(known_on)
                .end();
        } else {
            changed.push(put);
        }
        versions
            .cell(put.entitlement_id)
            .cell(put.version_no)
            .cell(put.partner_id)
            .cell(file_id)
            .cell(put.line);
        versions.maybe(None::<i64>).maybe(s.quantity).date(s.starts_on).date(s.expires_on);
        versions.maybe(s.amount.map(|a| a.minor)).maybe(s.amount.map(|a| a.currency));
        versions
            .maybe_text(s.competency.as_deref())
            .maybe_text(s.subscription_id.as_ref().map(SubscriptionId::as_str));
        versions.cell(&s.benefit_type).maybe(None::<NaiveDate>).maybe(None::<&str>).end();
        if let Some(schedule) = &put.schedule {
            schedules.cell(put.entitlement_id).cell(put.partner_id).cell(schedule.next_period);
            let waits = schedule.waits.as_ref().and_then(|reason| serde_json::to_string(reason).ok());
            schedules.maybe(schedule.next_on).cell(schedule.open_minor).maybe_text(waits.as_deref()).end();
        }
    }
    change(conn, &changed).await?;
    fresh.copy(&mut *conn).await?;
    versions.copy(&mut *conn).await?;
    schedules.copy(conn).await?;
    Ok(())
}

/// Changes entitlements; a schedule that comes with one takes the place of the one that nothing was granted from.
async fn change(conn: &mut PgConnection, puts: &[&PutEntitlement]) -> Result<()> {
    if puts.is_empty() {
        return Ok(());
    }
    let ids: Vec<EntitlementNo> = puts.iter().map(|put| put.entitlement_id).collect();
    sqlx::query!(
        "delete from credit_schedule s
         where entitlement_id = any($1) and not exists (select from transfer t where t.entitlement_id = s.entitlement_id)",
        &ids as &[EntitlementNo]
    )
    .execute(&mut *conn)
    .await?;
    let stated = || puts.iter().map(|put| &put.stated);
    let types: Vec<String> = stated().map(|s| s.benefit_type.clone()).collect();
    let quantities: Vec<Option<i32>> =
        stated().map(|s| s.quantity.and_then(|quantity| i32::try_from(quantity).ok())).collect();
    let starts_on: Vec<NaiveDate> = stated().map(|s| s.starts_on).collect();
    let expires_on: Vec<NaiveDate> = stated().map(|s| s.expires_on).collect();
    let last_usable_on: Vec<NaiveDate> = puts.iter().map(|put| put.last_usable_on).collect();
    let amounts: Vec<Option<i64>> = stated().map(|s| s.amount.map(|amount| amount.minor)).collect();
    let currencies: Vec<Option<String>> =
        stated().map(|s| s.amount.map(|amount| amount.currency.to_string())).collect();
    let competencies: Vec<Option<String>> = stated().map(|s| s.competency.clone()).collect();
    let subscriptions: Vec<Option<SubscriptionId>> = stated().map(|s| s.subscription_id.clone()).collect();
    sqlx::query!(
        "update entitlement e set benefit_type = n.benefit_type, quantity = n.quantity, starts_on = n.starts_on,
             expires_on = n.expires_on, last_usable_on = n.last_usable_on, amount_minor = n.amount_minor,
             currency = n.currency, competency = n.competency, subscription_id = n.subscription_id,
             missing_until = null, missing_by = null
         from unnest($1::bigint[], $2::text[], $3::int[], $4::date[], $5::date[], $6::date[], $7::bigint[], $8::text[],
                     $9::text[], $10::text[])
             as n (id, benefit_type, quantity, starts_on, expires_on, last_usable_on, amount_minor, currency,
                   competency, subscription_id)
         where e.entitlement_id = n.id",
        &ids as &[EntitlementNo],
        &types,
        quantities as _,
        &starts_on,
        &expires_on,
        &last_usable_on,
        amounts as _,
        currencies as _,
        competencies as _,
        subscriptions as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The earliest start of each order's entitlements.
pub async fn earliest_starts(
    conn: &mut PgConnection,
    membership_ids: &[OrderNo],
) -> Result<Vec<(OrderNo, NaiveDate)>> {
    let rows = sqlx::query!(
        r#"select membership_id, min(starts_on) as "starts_on!" from entitlement
           where membership_id = any($1) group by membership_id"#,
        membership_ids as &[OrderNo]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.membership_id.into(), r.starts_on)).collect())
}

/// A usage that a row states.
#[derive(Clone, Debug)]
pub struct NewUsage {
    /// Whose.
    pub partner_id: PartnerNo,
    /// The credit.
    pub entitlement_id: EntitlementNo,
    /// The key within the partner.
    pub reference: String,
    /// The day.
    pub used_on: NaiveDate,
    /// How much.
    pub amount: Amount,
    /// The line it came from.
    pub line: i32,
}

/// Usage recorded under these references, by partner and reference: credit, day, minor units.
pub async fn usage(
    conn: &mut PgConnection,
    partner_ids: &[PartnerNo],
    references: &[String],
) -> Result<HashMap<(PartnerNo, String), (EntitlementNo, NaiveDate, i64)>> {
    let rows = sqlx::query!(
        "select u.partner_id, u.reference, u.entitlement_id, u.used_on, u.amount_minor
         from unnest($1::bigint[], $2::text[]) as k (partner_id, reference)
         join credit_usage u on u.partner_id = k.partner_id and u.reference = k.reference and u.withdrawn_at is null",
        partner_ids as &[PartnerNo],
        references
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| ((r.partner_id.into(), r.reference), (r.entitlement_id.into(), r.used_on, r.amount_minor)))
        .collect())
}

/// Usage of days that is recorded of any credit of a partner: whose, reference, minor units.
pub async fn usage_on(
    conn: &mut PgConnection,
    partner_ids: &[PartnerNo],
    days: &[NaiveDate],
) -> Result<Vec<(PartnerNo, String, i64)>> {
    let rows = sqlx::query!(
        r#"select k.partner_id as "partner_id!", u.reference as "reference!", u.amount_minor as "amount_minor!"
           from unnest($1::bigint[], $2::date[]) as k (partner_id, used_on)
           cross join lateral (select * from membership where partner_id = k.partner_id offset 0) m
           cross join lateral (select * from entitlement where membership_id = m.membership_id
                                 and benefit ~ '^azure_(monthly|bulk)_credit' offset 0) e
           cross join lateral (select * from credit_usage where entitlement_id = e.entitlement_id
                                 and used_on = k.used_on and withdrawn_at is null offset 0) u"#,
        partner_ids as &[PartnerNo],
        days
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.partner_id.into(), r.reference, r.amount_minor)).collect())
}

/// Records usage.
pub async fn append_usage(conn: &mut PgConnection, file_id: FileNo, usage: &[NewUsage]) -> Result<()> {
    let mut rows = CopyRows::into("credit_usage");
    for u in usage {
        rows.cell(u.partner_id).cell(u.entitlement_id).text(&u.reference).date(u.used_on);
        rows.cell(u.amount.minor).cell(u.amount.currency).cell(file_id).cell(u.line).end();
    }
    rows.copy(conn).await?;
    Ok(())
}

/// So many fresh numbers for requests, in their order.
pub async fn new_requests(conn: &mut PgConnection, count: i32) -> Result<Vec<RequestNo>> {
    Ok(sqlx::query_scalar!(
        r#"select nextval('request_request_no_seq') as "id!: RequestNo" from generate_series(1, $1)"#,
        count
    )
    .fetch_all(conn)
    .await?)
}

/// A renewal that a row asks for.
#[derive(Clone, Debug)]
pub struct NewRenewal<'a> {
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order that is renewed, which is the key of the request.
    pub order_id: &'a OrderId,
    /// Its number in the store.
    pub membership_id: OrderNo,
    /// The row as it was understood.
    pub content: Value,
    /// Who asks.
    pub requested_by: &'a str,
    /// The date that counts.
    pub renewed_on: NaiveDate,
    /// Its line.
    pub line: i32,
}

/// A renewal that is on record.
#[derive(Clone, Debug)]
pub struct RecordedRenewal {
    /// What it said.
    pub content: Value,
    /// Who asked, as it was written.
    pub requested_by: String,
}

/// Renewals of partners' orders on record, each found along the key: the same on a table of which nothing is known.
pub async fn renewals(
    conn: &mut PgConnection,
    renewed: &[(PartnerNo, &OrderId)],
) -> Result<HashMap<(PartnerNo, OrderId), RecordedRenewal>> {
    let partner_ids: Vec<PartnerNo> = renewed.iter().map(|(partner_id, _)| *partner_id).collect();
    let order_ids: Vec<OrderId> = renewed.iter().map(|(_, order_id)| (*order_id).clone()).collect();
    let rows = sqlx::query!(
        r#"select r.partner_id as "partner_id!", r.request_key as "request_key!", r.content as "content!: Value",
                  r.requested_by as "requested_by!"
           from (select distinct * from unnest($1::bigint[], $2::text[]) as n (partner_id, order_id)) k
           cross join lateral (select * from request of where of.partner_id = k.partner_id and of.family = 'renew'
                                 and of.request_key = k.order_id offset 0) r"#,
        &partner_ids as &[PartnerNo],
        &order_ids as &[OrderId]
    )
    .fetch_all(conn)
    .await?;
    let recorded = rows.into_iter().map(|r| {
        (
            (r.partner_id.into(), r.request_key.into()),
            RecordedRenewal { content: r.content, requested_by: r.requested_by },
        )
    });
    Ok(recorded.collect())
}

/// Records renewals, which the night of their date decides.
pub async fn append_renewals(conn: &mut PgConnection, file_id: FileNo, new: &[NewRenewal<'_>]) -> Result<()> {
    let numbers = new_requests(&mut *conn, i32::try_from(new.len()).unwrap_or(i32::MAX)).await?;
    let mut rows = CopyRows::into("request");
    for (number, renewal) in numbers.iter().zip(new) {
        rows.cell(number).cell(renewal.partner_id).cell("renew").text(renewal.order_id.as_str());
        rows.text(&renewal.content.to_string()).cell(renewal.membership_id).null();
        rows.text(renewal.requested_by).date(renewal.renewed_on);
        rows.cell(file_id).cell(renewal.line).cell("pending").end();
    }
    rows.copy(conn).await?;
    Ok(())
}

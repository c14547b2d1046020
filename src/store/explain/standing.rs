//! How things stand now: the partner, its orders, their benefits; a user, a key.

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::{PgConnection, types::Json};

use super::{super::Result, subject::Subject};
use crate::domain::{
    id::{AccessId, ContractId, EntitlementNo, KeyNo, ObjectId, OrderId, OrderNo, PartnerId},
    reason::Reason,
};

/// A partner as it stands.
#[derive(Clone, Debug)]
pub struct PartnerStanding {
    /// Its name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    /// Where mail goes that has no contact.
    pub account_email: String,
    /// The marketing contact.
    pub contact: Option<String>,
    /// The contact's language.
    pub contact_language: Option<String>,
}

/// An order as it stands.
#[derive(Clone, Debug, Serialize)]
pub struct OrderStanding {
    /// The order.
    pub order_id: OrderId,
    /// `None` while a renewal waits for its entitlements file.
    pub offer: Option<String>,
    /// When it was bought.
    pub purchased_on: Option<NaiveDate>,
    /// Its start.
    pub starts_on: NaiveDate,
    /// AD (D5).
    pub anniversary_on: NaiveDate,
    /// Its status.
    pub status: String,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// The order that it renews.
    pub renews: Option<OrderId>,
    /// The Access ID of its support, once activated (R6).
    pub access_id: Option<AccessId>,
    /// The Contract ID of its support, once activated (R6).
    pub contract_id: Option<ContractId>,
}

/// A benefit as it stands (R10).
#[derive(Clone, Debug)]
pub struct BenefitStanding {
    /// The order.
    pub order_id: OrderId,
    /// What the order bought.
    pub offer: Option<String>,
    /// The benefit code.
    pub benefit: String,
    /// `core` or `incremental`.
    pub benefit_type: String,
    /// What silver leaves of it now (D12); `None`: unlimited.
    pub quantity: Option<i32>,
    /// Its start.
    pub starts_on: NaiveDate,
    /// Its last usable day as the file says it, or because a snapshot lacks it.
    pub expires_on: NaiveDate,
    /// The last usable day, grace included.
    pub last_usable_on: NaiveDate,
    /// Its last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// How it ended; `blocked`; of a Go-To-Market offer `not_activated`, `activating`, `live`; else its order's status.
    pub status: String,
    /// When it was activated.
    pub activated_on: Option<NaiveDate>,
    /// The day from which an offer is live.
    pub live_on: Option<NaiveDate>,
    /// Who is assigned to it, joined by `, `.
    pub assigned_to: Option<String>,
    /// How many of its seats are taken.
    pub seats_taken: i64,
    /// How many keys it has.
    pub keys: i64,
    /// How many of them were neither revealed nor redeemed.
    pub keys_left: i64,
    /// The seats of the subscription that its keys were redeemed onto.
    pub subscription_seats: Option<i32>,
    /// The end of that subscription (D8).
    pub subscription_ends_on: Option<NaiveDate>,
    /// What is unspent, in minor units, minutes or incidents; `None`: nothing is in the ledger.
    pub balance: Option<i64>,
    /// In which currency.
    pub balance_currency: Option<String>,
    /// What silver holds back: of the period that runs, or of seats, incidents or hours (D12).
    pub held_back: Option<Json<Reason>>,
}

impl BenefitStanding {
    /// Through which day it can be used, as people are told it: an offer that was activated through its last usable day, as
    /// its mail says (R8); else what its file says (R10).
    #[must_use]
    pub fn told_until(&self) -> NaiveDate {
        if self.live_on.is_some() { self.ended_on.unwrap_or(self.last_usable_on) } else { self.expires_on }
    }
}

/// A directory user as it stands.
#[derive(Clone, Debug, Serialize)]
pub struct UserStanding {
    /// The object id.
    pub object_id: ObjectId,
    /// The sign-in name.
    pub user_principal_name: String,
    /// What they are called.
    pub display_name: Option<String>,
    /// `member` or `guest`.
    pub user_type: String,
    /// Can sign in.
    pub enabled: bool,
    /// What they hold.
    pub roles: Vec<String>,
}

/// A key as it stands; never the key itself.
#[derive(Clone, Debug)]
pub struct KeyStanding {
    /// Its order and benefit.
    pub about: String,
    /// Its last characters.
    pub tail: String,
    /// For how many seats.
    pub seats: Option<i32>,
    /// For how many months.
    pub months: i16,
    /// The product.
    pub product: Option<String>,
    /// Its languages.
    pub language: Option<String>,
    /// The operating systems.
    pub os: Option<String>,
    /// Where to fetch it.
    pub download_url: Option<String>,
    /// What to do with it.
    pub instructions: Option<String>,
    /// When it was first revealed.
    pub revealed_on: Option<NaiveDate>,
    /// When it was redeemed.
    pub redeemed_on: Option<NaiveDate>,
}

/// A directory user of a partner, by object id or user principal name in any case.
pub async fn user(conn: &mut PgConnection, partner: &PartnerId, named: &str) -> Result<Option<UserStanding>> {
    Ok(sqlx::query_as!(
        UserStanding,
        "select u.object_id, u.user_principal_name, u.display_name, u.user_type, u.enabled, u.roles
         from directory_user u join partner p using (partner_id)
         where p.number = $1 and (lower(u.object_id) = lower($2) or lower(u.user_principal_name) = lower($2))
         order by lower(u.object_id) = lower($2) desc limit 1",
        partner.as_str(),
        named
    )
    .fetch_optional(conn)
    .await?)
}

impl Subject {
    /// The partner.
    pub async fn partner(&self, conn: &mut PgConnection) -> Result<PartnerStanding> {
        Ok(sqlx::query_as!(
            PartnerStanding,
            r#"select p.name, p.country, p.currency, p.account_email, c.email as "contact?",
                      c.language as "contact_language?"
               from partner p left join contact c using (partner_id) where p.partner_id = $1"#,
            self.partner_id.get()
        )
        .fetch_one(conn)
        .await?)
    }

    /// The orders, by start.
    pub async fn orders(&self, conn: &mut PgConnection) -> Result<Vec<OrderStanding>> {
        Ok(sqlx::query_as!(
            OrderStanding,
            r#"select m.order_id, m.offer, m.purchased_on, m.starts_on, m.anniversary_on, m.status, m.ended_on,
                      o.order_id as "renews?: OrderId", s.access_id as "access_id?: AccessId", s.contract_id as "contract_id?: ContractId"
               from membership m left join membership o on o.membership_id = m.renews
               left join support_contract s on s.membership_id = m.membership_id
               where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
               order by m.starts_on, m.order_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// The benefits, by order.
    pub async fn benefits(&self, conn: &mut PgConnection) -> Result<Vec<BenefitStanding>> {
        Ok(sqlx::query_as!(
            BenefitStanding,
            r#"select m.order_id, m.offer, e.benefit, e.benefit_type, quantity_left(e) as quantity, e.starts_on,
                      least(e.expires_on, e.missing_until) as "expires_on!",
                      least(e.last_usable_on, e.missing_until) as "last_usable_on!", e.ended_on, v.activated_on as "activated_on?", v.live_on as "live_on?",
                      coalesce(e.ended_as, case when s.waits ->> 'code' = 'bulk_blocked' then 'blocked'
                                                when v.live then 'live'
                                                when v.live_on is not null then 'activating'
                                                when split_part(e.benefit, '/', 1) = 'go_to_market'
                                                then 'not_activated' end, m.status) as "status!",
                      t.assigned_to as "assigned_to?", t.taken as "seats_taken!", k.keys as "keys!", k.unused as "keys_left!",
                      r.seats as "subscription_seats?", r.ends_on as "subscription_ends_on?",
                      b.minor as "balance?", b.currency as "balance_currency?",
                      coalesce(s.held_back, e.held_back) as "held_back?: Json<Reason>"
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               left join credit_schedule s on s.entitlement_id = e.entitlement_id
               left join activation v on v.entitlement_id = e.entitlement_id
               left join lateral (
                   select string_agg(u.user_principal_name, ', ' order by a.assigned_on, a.assignment_id) as assigned_to,
                          count(a.seat_no) as taken
                     from assignment a join directory_user u using (user_id)
                    where a.entitlement_id = e.entitlement_id and a.removed_on is null) t on true
               left join lateral (
                   select count(*) as keys, count(*) filter (
                          where not exists (select from key_reveal y where y.key_id = x.key_id)
                            and not exists (select from redemption z where z.key_id = x.key_id)) as unused
                     from license_key x where x.entitlement_id = e.entitlement_id) k on true
               left join lateral (
                   select d.seats, d.ends_on from redemption d
                    where d.partner_id = e.partner_id and d.benefit = e.benefit
                      and exists (select from redemption own where own.entitlement_id = e.entitlement_id)
                    order by d.redemption_id desc limit 1) r on true
               left join lateral (
                   select currency, sum(case when to_account = 'available' then amount_minor
                                             else -amount_minor end)::bigint as minor
                     from (select * from transfer o where o.entitlement_id = e.entitlement_id and o.request_no is null
                           union all
                           select * from transfer o where o.entitlement_id = e.entitlement_id and o.request_no is not null
                          ) t
                    where 'available' in (from_account, to_account)
                    group by currency limit 1) b on true
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by m.starts_on, m.order_id, e.benefit"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// The user, if it is one.
    pub async fn user(&self, conn: &mut PgConnection) -> Result<Option<UserStanding>> {
        if self.user_id.is_none() {
            return Ok(None);
        }
        user(conn, &self.partner, &self.name).await
    }

    /// The key, if it is one.
    pub async fn key(&self, conn: &mut PgConnection) -> Result<Option<KeyStanding>> {
        Ok(sqlx::query_as!(
            KeyStanding,
            r#"select m.order_id || '/' || e.benefit as "about!", k.tail, k.seats, k.months, k.product, k.language, k.os,
                      k.download_url, k.instructions,
                      (select min(v.revealed_on) from key_reveal v where v.key_id = k.key_id) as revealed_on,
                      (select d.redeemed_on from redemption d where d.key_id = k.key_id) as redeemed_on
               from license_key k join entitlement e using (entitlement_id) join membership m using (membership_id)
               where k.key_id = $1"#,
            self.key_id.map(KeyNo::get)
        )
        .fetch_optional(conn)
        .await?)
    }
}

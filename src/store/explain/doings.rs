//! What was done: assignments, keys, activations; and what partners are bound by and reached at.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::{super::Result, subject::Subject};

use crate::domain::id::{AccessId, ContractId, DecisionNo, EntitlementNo, KeyNo, OrderId, OrderNo, TenantId};

/// Somebody's use of a benefit.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// Who.
    pub user: String,
    /// Which seat, where there are seats.
    pub seat_no: Option<i32>,
    /// From this day.
    pub assigned_on: NaiveDate,
    /// `assign`, `transfer` or `reassign`.
    pub began_as: String,
    /// From whom it was transferred or reassigned.
    pub from_user: Option<String>,
    /// Who asked for it.
    pub assigned_by: Option<String>,
    /// The number of the decision, where there is one: decisions are numbered in their order.
    pub assigned_no: Option<DecisionNo>,
    /// The first day on which it no longer was, unless it ended with the benefit.
    pub removed_on: Option<NaiveDate>,
    /// `remove`, `transfer` or `reassign`.
    pub removed_as: String,
    /// Who asked for that.
    pub removed_by: Option<String>,
    /// The number of that decision.
    pub removed_no: Option<DecisionNo>,
}

/// Keys that came with one file.
#[derive(Clone, Debug)]
pub struct KeysKnown {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// The first one's number.
    pub first: i64,
    /// The last one's number.
    pub last: i64,
    /// How many.
    pub count: i64,
    /// When they came.
    pub known_on: NaiveDate,
    /// When that was, by the database's clock.
    pub received_at: DateTime<Utc>,
    /// With which file.
    pub file: String,
}

/// A key that was shown, or counted as shown (R5).
#[derive(Clone, Debug)]
pub struct KeyShown {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// The key's number.
    pub key_id: KeyNo,
    /// Its last characters.
    pub tail: String,
    /// When.
    pub revealed_on: NaiveDate,
    /// To whom.
    pub revealed_by: String,
    /// The number of its decision.
    pub decision_no: Option<DecisionNo>,
}

/// A key that was redeemed (R3, D8).
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// The key's number.
    pub key_id: KeyNo,
    /// Its last characters.
    pub tail: String,
    /// `new`, `add_seats` or `extend`.
    pub mode: String,
    /// When.
    pub redeemed_on: NaiveDate,
    /// Onto which tenant.
    pub tenant_id: TenantId,
    /// The seats before.
    pub seats_before: Option<i32>,
    /// The end before.
    pub ends_before: Option<NaiveDate>,
    /// The seats after.
    pub seats: i32,
    /// The end after.
    pub ends_on: NaiveDate,
    /// Who asked.
    pub requested_by: String,
    /// The number of its decision.
    pub decision_no: Option<DecisionNo>,
}

/// A benefit that was activated (R5, R6, R8).
#[derive(Clone, Debug)]
pub struct Activated {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// When.
    pub activated_on: NaiveDate,
    /// The day from which an offer is live.
    pub live_on: Option<NaiveDate>,
    /// It went live.
    pub live: bool,
    /// Its last usable day.
    pub until: NaiveDate,
    /// Who asked.
    pub requested_by: String,
    /// The number of its decision.
    pub decision_no: Option<DecisionNo>,
}

/// Support whose IDs were made (R6).
#[derive(Clone, Debug)]
pub struct Opened {
    /// The order.
    pub order_id: OrderId,
    /// The partner's Access ID.
    pub access_id: AccessId,
    /// The order's Contract ID.
    pub contract_id: ContractId,
    /// When.
    pub activated_on: NaiveDate,
    /// The number of its decision.
    pub decision_no: Option<DecisionNo>,
}

/// Another agreement of the partner (D14).
#[derive(Clone, Debug)]
pub struct Agreed {
    /// Its name.
    pub name: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// Last day; `None`: until further notice.
    pub valid_until: Option<NaiveDate>,
    /// When its file arrived.
    pub known_on: NaiveDate,
    /// When that was, by the database's clock.
    pub received_at: DateTime<Utc>,
    /// The file.
    pub file: String,
    /// Its line.
    pub line: i32,
}

/// The marketing contact, as it became (R8).
#[derive(Clone, Debug)]
pub struct Contacted {
    /// From 1: the first contact.
    pub version_no: i32,
    /// The directory user.
    pub user: String,
    /// Where offer mail goes.
    pub email: String,
    /// Telephone.
    pub phone: String,
    /// BCP 47.
    pub language: String,
    /// When.
    pub known_on: NaiveDate,
    /// When that was, by the database's clock.
    pub received_at: DateTime<Utc>,
    /// Who set it.
    pub requested_by: String,
    /// The file.
    pub file: String,
    /// Its line.
    pub line: i32,
}

impl Subject {
    /// Who was assigned, from when to when. What was asked for before requests were noted on assignments is found by its
    /// key, in a query of its own for each: as a join, all requests would be read.
    pub async fn assigned(&self, conn: &mut PgConnection) -> Result<Vec<Assigned>> {
        Ok(sqlx::query_as!(
            Assigned,
            r#"select m.order_id, e.benefit, u.user_principal_name as user, a.seat_no, a.assigned_on,
                      coalesce(i.kind, 'assign') as "began_as!",
                      (select w.user_principal_name from assignment f join directory_user w using (user_id)
                        where f.entitlement_id = a.entitlement_id and f.removed_by_no = a.request_no
                        order by f.assignment_id desc limit 1) as from_user,
                      directory_name(m.partner_id, coalesce(i.requested_by, case when a.request_no is null then (
                          select k.requested_by from request k where k.partner_id = m.partner_id and k.family = 'assign'
                             and k.request_key = concat_ws('|', m.order_id, e.benefit, 'assign', a.user_id, a.assigned_on))
                          end)) as "assigned_by?",
                      decision_of(a.request_no) as "assigned_no: DecisionNo",
                      case when a.removed_by_no is not null or a.removed_on is distinct from e.ended_on + 1
                           then a.removed_on end as removed_on,
                      coalesce(o.kind, 'remove') as "removed_as!",
                      directory_name(m.partner_id, coalesce(o.requested_by, case when a.removed_by_no is null then (
                          select l.requested_by from request l where l.partner_id = m.partner_id and l.family = 'remove'
                             and l.request_key = concat_ws('|', m.order_id, e.benefit, 'remove', a.user_id, a.removed_on))
                          end)) as "removed_by?",
                      decision_of(a.removed_by_no) as "removed_no: DecisionNo"
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               cross join lateral (select * from assignment of where of.entitlement_id = e.entitlement_id offset 0) a
               join directory_user u using (user_id)
               left join request i on i.request_no = a.request_no
               left join request o on o.request_no = a.removed_by_no
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by a.assignment_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// The keys that came, a row a file; of a key only itself.
    pub async fn keys_known(&self, conn: &mut PgConnection) -> Result<Vec<KeysKnown>> {
        Ok(sqlx::query_as!(
            KeysKnown,
            r#"select m.order_id, e.benefit, min(k.key_id) as "first!", max(k.key_id) as "last!", count(*) as "count!",
                      k.known_on, f.received_at, f.name as file
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               cross join lateral (select * from license_key of where of.entitlement_id = e.entitlement_id offset 0) k
               join file f on f.file_id = k.file_id
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
                 and ($4::bigint is null or k.key_id = $4)
               group by m.order_id, e.entitlement_id, e.benefit, k.known_on, k.file_id, f.received_at, f.name order by 3"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get),
            self.key_id.map(KeyNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// The keys that were shown.
    pub async fn revealed(&self, conn: &mut PgConnection) -> Result<Vec<KeyShown>> {
        Ok(sqlx::query_as!(
            KeyShown,
            r#"select m.order_id, e.benefit, k.key_id, k.tail, v.revealed_on,
                      directory_name(m.partner_id, v.revealed_by) as "revealed_by!", decision_of(v.request_no) as "decision_no: DecisionNo"
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               cross join lateral (select * from license_key of where of.entitlement_id = e.entitlement_id offset 0) k
               cross join lateral (select * from key_reveal of where of.key_id = k.key_id offset 0) v
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by v.key_reveal_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// The keys that were redeemed.
    pub async fn redeemed(&self, conn: &mut PgConnection) -> Result<Vec<Redeemed>> {
        Ok(sqlx::query_as!(
            Redeemed,
            r#"select m.order_id, e.benefit, k.key_id, k.tail, d.mode, d.redeemed_on, d.tenant_id, d.seats_before,
                      d.ends_before, d.seats, d.ends_on,
                      directory_name(m.partner_id, r.requested_by) as "requested_by!", decision_of(r.request_no) as "decision_no: DecisionNo"
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               cross join lateral (select * from redemption of where of.entitlement_id = e.entitlement_id offset 0) d
               join license_key k on k.key_id = d.key_id join request r on r.request_no = d.request_no
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by d.redemption_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// What was activated.
    pub async fn activated(&self, conn: &mut PgConnection) -> Result<Vec<Activated>> {
        Ok(sqlx::query_as!(
            Activated,
            r#"select m.order_id, e.benefit, a.activated_on, a.live_on, a.live,
                      coalesce(e.ended_on, least(e.last_usable_on, e.missing_until)) as "until!",
                      directory_name(m.partner_id, r.requested_by) as "requested_by!", decision_of(r.request_no) as "decision_no: DecisionNo"
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               cross join lateral (select * from activation of where of.entitlement_id = e.entitlement_id offset 0) a
               join request r on r.request_no = a.request_no
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by a.request_no"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// The support that was opened; of an entitlement, if it is support.
    pub async fn opened(&self, conn: &mut PgConnection) -> Result<Vec<Opened>> {
        Ok(sqlx::query_as!(
            Opened,
            r#"select m.order_id, s.access_id, s.contract_id, s.activated_on, decision_of(s.request_no) as "decision_no: DecisionNo"
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from support_contract of where of.membership_id = m.membership_id offset 0) s
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or exists (
                      select from entitlement e where e.entitlement_id = $3 and e.benefit like any ('{product_support%,signature_cloud_support%}')))
               order by s.request_no"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// Other agreements of the partner; of an order or entitlement, if it has bulk credit.
    pub async fn agreed(&self, conn: &mut PgConnection) -> Result<Vec<Agreed>> {
        Ok(sqlx::query_as!(
            Agreed,
            r#"select a.name, a.valid_from, a.valid_until, a.known_on, f.received_at, f.name as file, a.line
               from agreement a join file f using (file_id)
               where a.partner_id = $1 and ($2::bigint is null or exists (
                     select from entitlement e where e.membership_id = $2
                        and ($3::bigint is null or e.entitlement_id = $3) and e.benefit like 'azure_bulk_credit%'))
               order by a.agreement_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// The marketing contacts; of an order or entitlement, if it has an offer.
    pub async fn contacted(&self, conn: &mut PgConnection) -> Result<Vec<Contacted>> {
        Ok(sqlx::query_as!(
            Contacted,
            r#"select c.version_no, u.user_principal_name as user, c.email, c.phone, c.language, c.known_on, f.received_at,
                      directory_name(c.partner_id, c.requested_by) as "requested_by!",
                      f.name as file, c.line
               from contact_version c join directory_user u using (user_id) join file f on f.file_id = c.file_id
               where c.partner_id = $1 and ($2::bigint is null or exists (
                     select from entitlement e where e.membership_id = $2
                        and ($3::bigint is null or e.entitlement_id = $3) and e.benefit like 'go_to_market%'))
               order by c.version_no"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }
}

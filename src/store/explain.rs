//! The history of one thing: what arrived, what it became, what was granted, used, lost, decided and told.
//!
//! Everything is reached from the partner's memberships along indexes, so that one story stays quick in a large store.

mod asked;
mod doings;
mod rows;
mod standing;
mod subject;
mod taken_back;

use sqlx::{PgConnection, types::Json};

use super::{Result, notice::StoredNotice};
use crate::domain::{
    id::{EntitlementNo, KeyNo, OrderNo, RequestId, RequestNo, SubscriptionId, UserNo},
    license_key::parse_key_ref,
    reason::Reason,
};
pub use asked::{Decided, RequestOnRecord};
pub use doings::{Activated, Agreed, Assigned, Contacted, KeyShown, KeysKnown, Opened, Redeemed};
pub use rows::{EntitlementVersion, LedgerEntry, NoticeTold, WaitingGrant};
pub use standing::{BenefitStanding, KeyStanding, OrderStanding, PartnerStanding, UserStanding, user};
pub use subject::Subject;
pub use taken_back::{ThingTakenBack, taken_back};

/// Everything that goes by a name, or may if it is to be of a `kind`; a Partner ID may be somebody's request as well.
/// Users are looked for by what looks like the name of one, since nothing but their partner leads to them quickly.
pub async fn find(conn: &mut PgConnection, name: &str, kind: Option<&str>) -> Result<Vec<Subject>> {
    let of_user = kind.map_or(name.contains('@') || name.len() == 36, |kind| kind == "user");
    // Where an order ends and its benefit begins is not to be seen: both may hold a slash.
    let (orders, benefits): (Vec<String>, Vec<String>) = name
        .match_indices('/')
        .filter_map(|(at, _)| Some((name.get(..at)?.to_owned(), name.get(at + 1..)?.to_owned())))
        .unzip();
    let found = sqlx::query_as!(
        Subject,
        r#"select 'partner' as "kind!", number as "name!", number as "partner!", partner_id as "partner_id!",
                  null::bigint as "membership_id: OrderNo", null::bigint as "entitlement_id: EntitlementNo", null::bigint as "user_id: UserNo",
                  null::bigint as "key_id: KeyNo", null::bigint as "request_no: RequestNo"
           from partner where number = $1
           union all
           select 'order', m.order_id, p.number, m.partner_id, m.membership_id, null, null, null, null
           from membership m join partner p using (partner_id) where m.order_id = $1
           union all
           select 'entitlement', m.order_id || '/' || e.benefit, p.number, e.partner_id, m.membership_id,
                  e.entitlement_id, null, null, null
           from unnest($2::text[], $3::text[]) as cut (order_id, benefit)
           join membership m on m.order_id = cut.order_id
           join entitlement e on e.membership_id = m.membership_id and e.benefit = cut.benefit
           join partner p on p.partner_id = e.partner_id
           union all
           select 'key', 'K' || k.key_id, p.number, k.partner_id, e.membership_id, k.entitlement_id, null, k.key_id,
                  null
           from license_key k join entitlement e using (entitlement_id)
           join partner p on p.partner_id = k.partner_id where k.key_id = $4
           union all
           select 'user', u.user_principal_name, p.number, u.partner_id, null, null, u.user_id, null, null
           from directory_user u join partner p using (partner_id)
           where $5 and (lower(u.object_id) = lower($1) or lower(u.user_principal_name) = lower($1))
           union all
           select 'request', r.request_key, p.number, r.partner_id, r.membership_id, null, null, null, r.request_no
           from request r join partner p using (partner_id) where r.family = 'service' and r.request_key = $1
           order by 3, 1, 2"#,
        name,
        &orders,
        &benefits,
        parse_key_ref(name).map(KeyNo::get),
        of_user
    )
    .fetch_all(&mut *conn)
    .await?;
    if found.is_empty() { refused(conn, name).await } else { Ok(found) }
}

/// Service requests that were refused are on record as decisions only.
async fn refused(conn: &mut PgConnection, name: &str) -> Result<Vec<Subject>> {
    Ok(sqlx::query_as!(
        Subject,
        r#"select distinct 'request' as "kind!", $1 as "name!", p.number as "partner!", d.partner_id,
                  null::bigint as "membership_id: OrderNo", null::bigint as "entitlement_id: EntitlementNo", null::bigint as "user_id: UserNo",
                  null::bigint as "key_id: KeyNo", null::bigint as "request_no: RequestNo"
           from decision d join partner p using (partner_id)
           where d.content ->> 'request_id' = $1 order by 3"#,
        name
    )
    .fetch_all(conn)
    .await?)
}

/// Names that come near to one that nothing goes by, with what they are of, at most a dozen. A part of a name
/// is not to be found along an index.
pub async fn near(conn: &mut PgConnection, name: &str) -> Result<Vec<(String, String)>> {
    read_whole(conn, true).await?;
    let order = name.split('/').next().unwrap_or(name);
    let rows = sqlx::query!(
        r#"select kind as "kind!", name as "name!" from (
               (select 1 as part, 'entitlement' as kind, m.order_id || '/' || e.benefit as name
                from membership m join entitlement e using (membership_id) where m.order_id = $2 order by 3 limit 12)
               union all
               (select 2, 'order', order_id from membership
                where position(lower($2) in lower(order_id)) > 0 order by order_id limit 5)
               union all
               (select 3, 'partner', number || ' (' || name || ')' from partner
                where position(lower($1) in lower(name)) > 0 or position($1 in number) > 0 order by number limit 5)
               union all
               (select 4, 'request', request_key from request
                where family = 'service' and position(lower($1) in lower(request_key)) > 0 order by request_key limit 5)
               union all
               (select 5, 'user', user_principal_name from directory_user
                where position(lower($1) in lower(user_principal_name)) > 0 order by 3 limit 5)
           ) near order by part, name limit 12"#,
        name,
        order
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.name)).collect())
}

/// Lets the statements of this transaction find their rows along indexes, whatever the planner believes of the tables:
/// with the statistics of a large store, or with none, it would rather read some of them whole. It would also begin at the
/// wrong end; so these statements go from the partner to its orders, from there to their benefits, and on, each step a
/// lateral query that `offset 0` keeps where it is.
pub async fn along_indexes(conn: &mut PgConnection) -> Result<()> {
    read_whole(conn, false).await
}

/// Whether the statements of this transaction may read tables whole.
async fn read_whole(conn: &mut PgConnection, may: bool) -> Result<()> {
    let on = if may { "on" } else { "off" };
    sqlx::query!(
        "select set_config('enable_seqscan', $1, true) as seqscan, set_config('enable_hashjoin', $1, true) as hashjoin,
                set_config('enable_mergejoin', $1, true) as mergejoin, set_config('jit', 'off', true) as jit,
                set_config('max_parallel_workers_per_gather', '0', true) as workers",
        on
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

impl Subject {
    /// Whether it is a request, of which only itself, its decision and its mail are told.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.kind == "request"
    }

    /// What the benefits were and became.
    pub async fn versions(&self, conn: &mut PgConnection) -> Result<Vec<EntitlementVersion>> {
        Ok(sqlx::query_as!(
            EntitlementVersion,
            r#"select m.order_id, e.benefit, v.version_no, f.name || case when v.restores then ', taken back,' else '' end as "file?",
                      v.line,
                      coalesce((select b.business_on from taken_back b
                                where v.restores and b.partner_id = v.partner_id and b.file_id = v.file_id
                                  and b.recorded_at = v.recorded_at limit 1),
                               f.received_on, r.due_on, v.recorded_at::date) as "on!", v.recorded_at, v.benefit_type, v.quantity,
                      v.starts_on, v.expires_on, v.amount_minor, v.currency, v.competency, v.subscription_id as "subscription_id: SubscriptionId",
                      v.ended_on, v.ended_as
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               cross join lateral (select * from entitlement_version of where of.entitlement_id = e.entitlement_id offset 0) v
               left join file f on f.file_id = v.file_id left join run r on r.run_id = v.run_id
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by e.entitlement_id, v.version_no"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// What the ledger says, in the order in which it was booked.
    pub async fn entries(&self, conn: &mut PgConnection) -> Result<Vec<LedgerEntry>> {
        Ok(sqlx::query_as!(
            LedgerEntry,
            r#"select m.order_id, e.benefit, t.kind::text as "kind!", t.period_from as "period_from!",
                      t.period_until as "period_until!", t.effective_on as "effective_on!",
                      coalesce(r.due_on, t.effective_on) as "booked_on!", t.amount_minor as "amount_minor!", t.currency, t.usd_minor,
                      t.rate_nano, t.rate_on, u.reference as "reference?", q.request_key as "request_id?: RequestId",
                      q.requested_by as "asked_by?", o.effective_on as "corrects_of?",
                      coalesce(o.from_account = t.to_account, false) as "takes_away!",
                      (t.kind = 'credit_lapsed' and t.corrects is null and not exists (
                          select from assignment a
                           where a.entitlement_id = t.entitlement_id and a.assigned_on < t.period_until
                             and (a.removed_on is null or a.removed_on > t.period_from
                                  or a.assigned_on >= t.period_from))) as "unassigned!"
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               join lateral (select * from transfer b where b.entitlement_id = e.entitlement_id and b.request_no is null
                             union all
                             select * from transfer b where b.entitlement_id = e.entitlement_id and b.request_no is not null
                            ) t on true
               left join run r on r.run_id = t.run_id
               left join credit_usage u on u.usage_id = t.usage_id
               left join request q on q.request_no = t.request_no
               left join transfer o on o.transfer_id = t.corrects
               where ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by t.transfer_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// Grants that wait.
    pub async fn waiting(&self, conn: &mut PgConnection) -> Result<Vec<WaitingGrant>> {
        Ok(sqlx::query_as!(
            WaitingGrant,
            r#"select m.order_id, e.benefit,
                      coalesce((why.reason ->> 'on')::date, s.next_on, e.starts_on) as "since!",
                      why.reason as "reason!: Json<Reason>"
               from (select * from membership of where of.partner_id = $1 offset 0) m
               cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
               cross join lateral (select * from credit_schedule of where of.entitlement_id = e.entitlement_id offset 0) s
               cross join lateral (values (s.waits), (s.held_back)) as why (reason)
               where why.reason is not null and ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by e.entitlement_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get)
        )
        .fetch_all(conn)
        .await?)
    }

    /// What contacts were told or are owed.
    pub async fn told(&self, conn: &mut PgConnection) -> Result<Vec<NoticeTold>> {
        Ok(sqlx::query_as!(
            NoticeTold,
            r#"with about as (
                   select 'membership' as kind, m.membership_id as id from membership m
                    where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2) and $4::bigint is null
                   union all
                   select 'entitlement', e.entitlement_id from membership m
                    cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
                    where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                      and ($3::bigint is null or e.entitlement_id = $3) and $4::bigint is null
                   union all
                   select 'request', r.request_no from request r
                    where r.partner_id = $1 and ($2::bigint is null or r.membership_id = $2)
                      and ($4::bigint is null or r.request_no = $4)
               )
               select n.anchor_on, case when n.superseded then 'superseded' when b.mail_id is null then 'owed' else 'mailed' end as "status!",
                      n.content as "notice: Json<StoredNotice>", l.recipient as "recipient?",
                      l.day as "day?", l.status as "mail_status?", l.sent_at as "sent_at?",
                      l.last_reply as "last_reply?"
               from about a
               cross join lateral (select * from notice of where of.subject_kind = a.kind and of.subject_id = a.id offset 0) n
               left join lateral (select mail_id from notice_batch where batch_id = n.batch_id and not n.superseded offset 0) b on true
               left join mail l using (mail_id)
               order by n.notice_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get),
            self.request_no.map(RequestNo::get)
        )
        .fetch_all(conn)
        .await?)
    }
}

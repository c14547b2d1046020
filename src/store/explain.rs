//! The history of one thing: what arrived, what it became, what was granted, used, lost, decided and told.
//!
//! Everything is reached from the partner's memberships along indexes, so that one story stays quick in a large store.

mod rows;

use sqlx::{PgConnection, types::Json};

use super::Result;
use crate::domain::{
    notice::Notice,
    reason::{Problem, Reason},
};
pub use rows::{Asked, Assigned, Benefit, Decided, Entry, Order, Partner, Told, Version, Waiting};

/// What a history is of: a partner, or one of its orders, or one benefit of that.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `partner`, `order`, `entitlement` or `request`.
    pub kind: String,
    /// What it is called outside.
    pub name: String,
    /// The Partner ID.
    pub partner: String,
    partner_id: i64,
    membership_id: Option<i64>,
    entitlement_id: Option<i64>,
    request_no: Option<i64>,
}

/// Everything that goes by a name; a Partner ID may be somebody's request as well.
pub async fn find(conn: &mut PgConnection, name: &str) -> Result<Vec<Subject>> {
    // Where an order ends and its benefit begins is not to be seen: both may hold a slash.
    let (orders, benefits): (Vec<String>, Vec<String>) = name
        .match_indices('/')
        .filter_map(|(at, _)| Some((name.get(..at)?.to_owned(), name.get(at + 1..)?.to_owned())))
        .unzip();
    Ok(sqlx::query_as!(
        Subject,
        r#"select 'partner' as "kind!", number as "name!", number as "partner!", partner_id as "partner_id!",
                  null::bigint as membership_id, null::bigint as entitlement_id, null::bigint as request_no
           from partner where number = $1
           union all
           select 'order', m.order_id, p.number, m.partner_id, m.membership_id, null, null
           from membership m join partner p using (partner_id) where m.order_id = $1
           union all
           select 'entitlement', m.order_id || '/' || e.benefit, p.number, e.partner_id, m.membership_id,
                  e.entitlement_id, null
           from unnest($2::text[], $3::text[]) as cut (order_id, benefit)
           join membership m on m.order_id = cut.order_id
           join entitlement e on e.membership_id = m.membership_id and e.benefit = cut.benefit
           join partner p on p.partner_id = e.partner_id
           union all
           select 'request', r.request_key, p.number, r.partner_id, r.membership_id, null, r.request_no
           from request r join partner p using (partner_id) where r.kind = 'cancel' and r.request_key = $1"#,
        name,
        &orders,
        &benefits
    )
    .fetch_all(conn)
    .await?)
}

/// Names that come near to one that nothing goes by, with what they are of, at most a dozen.
pub async fn near(conn: &mut PgConnection, name: &str) -> Result<Vec<(String, String)>> {
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
                where kind = 'cancel' and position(lower($1) in lower(request_key)) > 0 order by request_key limit 5)
           ) near order by part, name limit 12"#,
        name,
        order
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.name)).collect())
}

impl Subject {
    /// The partner.
    pub async fn partner(&self, conn: &mut PgConnection) -> Result<Partner> {
        Ok(sqlx::query_as!(
            Partner,
            r#"select p.name, p.country, p.currency, p.account_email, c.email as "contact?",
                      c.language as "contact_language?"
               from partner p left join contact c using (partner_id) where p.partner_id = $1"#,
            self.partner_id
        )
        .fetch_one(conn)
        .await?)
    }

    /// The orders, by start.
    pub async fn orders(&self, conn: &mut PgConnection) -> Result<Vec<Order>> {
        Ok(sqlx::query_as!(
            Order,
            r#"select m.order_id, m.offer, m.purchased_on, m.starts_on, m.anniversary_on, m.status, m.ended_on,
                      o.order_id as "renews?"
               from membership m left join membership o on o.membership_id = m.renews
               where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
               order by m.starts_on, m.order_id"#,
            self.partner_id,
            self.membership_id
        )
        .fetch_all(conn)
        .await?)
    }

    /// The benefits.
    pub async fn benefits(&self, conn: &mut PgConnection) -> Result<Vec<Benefit>> {
        Ok(sqlx::query_as!(
            Benefit,
            r#"select m.order_id, e.benefit, e.quantity, e.starts_on, e.last_usable_on, e.ended_on, e.ended_as,
                      (select string_agg(u.user_principal_name, ', ' order by a.assigned_on, a.assignment_id)
                         from assignment a join directory_user u using (user_id)
                        where a.entitlement_id = e.entitlement_id and a.removed_on is null) as assigned_to,
                      b.minor as "balance_minor?", b.currency as "balance_currency?"
               from membership m join entitlement e using (membership_id)
               left join lateral (
                   select currency, sum(case when to_account = 'available' then amount_minor
                                             else -amount_minor end)::bigint as minor
                     from transfer t
                    where t.entitlement_id = e.entitlement_id and 'available' in (from_account, to_account)
                    group by currency limit 1) b on true
               where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by m.starts_on, m.order_id, e.benefit"#,
            self.partner_id,
            self.membership_id,
            self.entitlement_id
        )
        .fetch_all(conn)
        .await?)
    }

    /// What the benefits were and became.
    pub async fn versions(&self, conn: &mut PgConnection) -> Result<Vec<Version>> {
        Ok(sqlx::query_as!(
            Version,
            r#"select m.order_id, e.benefit, v.version_no, f.name as "file?", v.line,
                      coalesce(f.received_on, r.due_on, v.recorded_at::date) as "on!", v.benefit_type, v.quantity,
                      v.starts_on, v.expires_on, v.amount_minor, v.currency, v.competency, v.subscription_id,
                      v.ended_on, v.ended_as
               from membership m join entitlement e using (membership_id)
               join entitlement_version v using (entitlement_id)
               left join file f on f.file_id = v.file_id left join run r on r.run_id = v.run_id
               where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by e.entitlement_id, v.version_no"#,
            self.partner_id,
            self.membership_id,
            self.entitlement_id
        )
        .fetch_all(conn)
        .await?)
    }

    /// What the ledger says, in the order in which it was booked.
    pub async fn entries(&self, conn: &mut PgConnection) -> Result<Vec<Entry>> {
        Ok(sqlx::query_as!(
            Entry,
            r#"select m.order_id, e.benefit, t.kind::text as "kind!", t.period_from, t.period_until, t.effective_on,
                      coalesce(r.due_on, t.recorded_at::date) as "booked_on!", t.amount_minor, t.currency, t.usd_minor,
                      t.rate_nano, t.rate_on, u.reference as "reference?", o.effective_on as "corrects_of?",
                      coalesce(o.from_account = t.to_account, false) as "takes_away!",
                      (t.kind = 'credit_lapsed' and t.corrects is null and not exists (
                          select from assignment a
                           where a.entitlement_id = t.entitlement_id and a.assigned_on < t.period_until
                             and (a.removed_on is null or a.removed_on > t.period_from
                                  or a.assigned_on >= t.period_from))) as "unassigned!"
               from membership m join entitlement e using (membership_id)
               join transfer t using (entitlement_id)
               left join run r on r.run_id = t.run_id
               left join credit_usage u on u.usage_id = t.usage_id
               left join transfer o on o.transfer_id = t.corrects
               where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by t.transfer_id"#,
            self.partner_id,
            self.membership_id,
            self.entitlement_id
        )
        .fetch_all(conn)
        .await?)
    }

    /// Who was assigned, from when to when.
    pub async fn assigned(&self, conn: &mut PgConnection) -> Result<Vec<Assigned>> {
        Ok(sqlx::query_as!(
            Assigned,
            r#"select m.order_id, e.benefit, u.user_principal_name as user, a.assigned_on,
                      coalesce((select w.user_principal_name from directory_user w
                                 where w.partner_id = m.partner_id and lower(w.object_id) = lower(i.requested_by)), i.requested_by) as "assigned_by?",
                      case when a.removed_on is distinct from e.ended_on + 1 then a.removed_on end as removed_on,
                      coalesce((select w.user_principal_name from directory_user w
                                 where w.partner_id = m.partner_id and lower(w.object_id) = lower(o.requested_by)), o.requested_by) as "removed_by?"
               from membership m join entitlement e using (membership_id)
               join assignment a using (entitlement_id) join directory_user u using (user_id)
               left join request i on i.partner_id = m.partner_id and i.kind = 'assign' and i.request_key
                   = concat_ws('|', m.order_id, e.benefit, 'assign', a.user_id, a.assigned_on)
               left join request o on o.partner_id = m.partner_id and o.kind = 'remove' and o.request_key
                   = concat_ws('|', m.order_id, e.benefit, 'remove', a.user_id, a.removed_on)
               where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by a.assignment_id"#,
            self.partner_id,
            self.membership_id,
            self.entitlement_id
        )
        .fetch_all(conn)
        .await?)
    }

    /// What was decided about it: of an entitlement also what was decided about its order.
    pub async fn decided(&self, conn: &mut PgConnection) -> Result<Vec<Decided>> {
        Ok(sqlx::query_as!(
            Decided,
            r#"select d.subject, d.action,
                      coalesce((select w.user_principal_name from directory_user w
                                 where w.partner_id = d.partner_id and lower(w.object_id) = lower(d.requested_by)), d.requested_by) as "requested_by!",
                      r.requested_on as "requested_on?",
                      case when r.kind = 'cancel' then r.request_key end as request_id, d.outcome,
                      d.reasons as "reasons: Json<Vec<Reason>>", d.earliest_on, d.decided_on
               from decision d left join request r using (request_no)
               where d.partner_id = $1 and ($4::bigint is null or d.request_no = $4)
                 and ($2::bigint is null or exists (
                     select from membership m where m.membership_id = $2
                        and (d.subject = m.order_id
                             or $3::bigint is null and starts_with(d.subject, m.order_id || '/')
                             or exists (select from entitlement e where e.entitlement_id = $3
                                           and d.subject = m.order_id || '/' || e.benefit))))
               order by d.decision_id"#,
            self.partner_id,
            self.membership_id,
            self.entitlement_id,
            self.request_no
        )
        .fetch_all(conn)
        .await?)
    }

    /// What was asked for.
    pub async fn asked(&self, conn: &mut PgConnection) -> Result<Vec<Asked>> {
        Ok(sqlx::query_as!(
            Asked,
            r#"select concat_ws('/', m.order_id, e.benefit) as "subject!", r.kind,
                      case r.kind when 'cancel' then r.request_key
                                  when 'renew' then r.content ->> 'new_order_id'
                                  else (select w.user_principal_name from directory_user w
                                         where w.user_id = split_part(r.request_key, '|', -2)::bigint) end
                          as "of?",
                      coalesce((select w.user_principal_name from directory_user w
                                 where w.partner_id = m.partner_id and lower(w.object_id) = lower(r.requested_by)), r.requested_by) as "requested_by!",
                      r.requested_on, f.name as file, r.line, f.received_on, r.status,
                      (select w.problems from row_answer w
                        where w.file_id = r.file_id and w.line = r.line and w.status = 'applied' limit 1)
                          as "remarks: Json<Vec<Problem>>"
               from membership m join request r using (membership_id) join file f on f.file_id = r.file_id
               left join entitlement e on e.entitlement_id = r.entitlement_id
               where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or coalesce(r.entitlement_id, $3) = $3)
                 and ($4::bigint is null or r.request_no = $4)
               order by r.request_no"#,
            self.partner_id,
            self.membership_id,
            self.entitlement_id,
            self.request_no
        )
        .fetch_all(conn)
        .await?)
    }

    /// Grants that wait.
    pub async fn waiting(&self, conn: &mut PgConnection) -> Result<Vec<Waiting>> {
        Ok(sqlx::query_as!(
            Waiting,
            r#"select m.order_id, e.benefit, s.next_on as since, s.waits as "reason!: Json<Reason>"
               from membership m join entitlement e using (membership_id)
               join credit_schedule s using (entitlement_id)
               where s.waits is not null and m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                 and ($3::bigint is null or e.entitlement_id = $3)
               order by e.entitlement_id"#,
            self.partner_id,
            self.membership_id,
            self.entitlement_id
        )
        .fetch_all(conn)
        .await?)
    }

    /// What contacts were told or are owed.
    pub async fn told(&self, conn: &mut PgConnection) -> Result<Vec<Told>> {
        Ok(sqlx::query_as!(
            Told,
            r#"with about as (
                   select 'membership' as kind, m.membership_id as id from membership m
                    where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2) and $4::bigint is null
                   union all
                   select 'entitlement', e.entitlement_id from membership m join entitlement e using (membership_id)
                    where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                      and ($3::bigint is null or e.entitlement_id = $3) and $4::bigint is null
                   union all
                   select 'request', r.request_no from membership m join request r using (membership_id)
                    where m.partner_id = $1 and ($2::bigint is null or m.membership_id = $2)
                      and ($4::bigint is null or r.request_no = $4)
               )
               select n.anchor_on, n.status, n.content as "notice: Json<Notice>", l.recipient as "recipient?",
                      l.day as "day?", l.status as "mail_status?", l.sent_at as "sent_at?"
               from about a join notice n on n.subject_kind = a.kind and n.subject_id = a.id
               left join mail l using (mail_id)
               order by n.notice_id"#,
            self.partner_id,
            self.membership_id,
            self.entitlement_id,
            self.request_no
        )
        .fetch_all(conn)
        .await?)
    }

    /// Whether it is a request, of which only itself, its decision and its mail are told.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        self.request_no.is_some()
    }
}

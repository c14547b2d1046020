//! What was asked for, and what was decided.

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::{super::Result, subject::Subject};
use crate::domain::{
    cancellation::Refund,
    id::{DecisionNo, EntitlementNo, OrderNo, RequestNo},
    reason::{Problem, Reason},
};

/// A yes or a no.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Its number: decisions are numbered in their order.
    pub decision_no: DecisionNo,
    /// The order, or the order and the benefit, or the request.
    pub subject: String,
    /// What was asked for.
    pub action: String,
    /// With what: `user`, `to_user`, `key_ref` …, as the request said it, users by their sign-in names.
    pub content: Json<Value>,
    /// Who asked.
    pub requested_by: String,
    /// On which date, where it is known.
    pub requested_on: Option<NaiveDate>,
    /// `accepted` or `refused`.
    pub outcome: String,
    /// Every reason.
    pub reasons: Json<Vec<Reason>>,
    /// When the no becomes a yes.
    pub earliest_on: Option<NaiveDate>,
    /// The business date.
    pub decided_on: NaiveDate,
    /// When it was received, where it is known.
    pub received_on: Option<NaiveDate>,
    /// What an accepted cancellation did with the order's credit (D7).
    pub refund: Option<Json<Refund>>,
}

/// A request on record.
#[derive(Clone, Debug)]
pub struct RequestOnRecord {
    /// The order, or the order and the benefit; of a service request that names none, itself.
    pub subject: String,
    /// `assign`, `cancel` …
    pub kind: String,
    /// With what: as [`Decided::content`].
    pub content: Json<Value>,
    /// Who asked.
    pub requested_by: String,
    /// The date that counts (D1).
    pub requested_on: NaiveDate,
    /// The file.
    pub file: String,
    /// Its line.
    pub line: i32,
    /// When that arrived.
    pub received_on: NaiveDate,
    /// `waiting`, `pending`, `accepted` or `refused`.
    pub status: String,
    /// What its row was answered with.
    pub remarks: Option<Json<Vec<Problem>>>,
    /// The operator who let it in, if it waited (D1).
    pub admitted_by: Option<String>,
    /// Why; empty: they did not say.
    pub admitted_why: Option<String>,
    /// On which business date.
    pub admitted_on: Option<NaiveDate>,
}

impl Subject {
    /// What was decided about it: of an entitlement also what was decided about its order.
    pub async fn decided(&self, conn: &mut PgConnection) -> Result<Vec<Decided>> {
        Ok(sqlx::query_as!(
            Decided,
            r#"select d.decision_id as decision_no, d.subject, d.action,
                      d.content || jsonb_strip_nulls(jsonb_build_object(
                          'user', (select w.user_principal_name from directory_user w
                                    where w.partner_id = d.partner_id and lower(w.object_id) = lower(d.content ->> 'user')),
                          'to_user', (select w.user_principal_name from directory_user w
                                       where w.partner_id = d.partner_id
                                         and lower(w.object_id) = lower(d.content ->> 'to_user')),
                          'request_id', case when r.family = 'service' then r.request_key end,
                          'note', case when r.family = 'service' then r.content ->> 'note' end))
                          as "content!: Json<Value>",
                      directory_name(d.partner_id, d.requested_by) as "requested_by!",
                      coalesce(r.requested_on, (d.content ->> 'requested_on')::date) as requested_on, d.outcome,
                      d.reasons as "reasons: Json<Vec<Reason>>", d.earliest_on, d.decided_on,
                      (select f.received_on from file f where f.file_id = coalesce(r.file_id, d.file_id)) as received_on,
                      d.refund as "refund: Json<Refund>"
               from decision d left join request r using (request_no)
               where d.partner_id = $1
                 and ($5::text is null or d.request_no = $4 or d.content ->> 'request_id' = $5)
                 and ($2::bigint is null or $5 is not null or r.membership_id = $2 and $3::bigint is null
                      or r.entitlement_id = $3
                      or exists (
                     select from membership m where m.membership_id = $2
                        and (d.subject = m.order_id
                             or $3::bigint is null and starts_with(d.subject, m.order_id || '/')
                             or exists (select from entitlement e where e.entitlement_id = $3
                                           and d.subject = m.order_id || '/' || e.benefit))))
               order by d.decision_id"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get),
            self.request_no.map(RequestNo::get),
            self.is_request().then_some(self.name.as_str())
        )
        .fetch_all(conn)
        .await?)
    }

    /// What was asked for.
    pub async fn asked(&self, conn: &mut PgConnection) -> Result<Vec<RequestOnRecord>> {
        Ok(sqlx::query_as!(
            RequestOnRecord,
            r#"select coalesce(nullif(concat_ws('/', m.order_id, e.benefit), ''), r.request_key) as "subject!", r.kind,
                      r.content || jsonb_strip_nulls(jsonb_build_object(
                          'request_id', case when r.family = 'service' then r.request_key end,
                          'key_ref', case when r.kind in ('reveal', 'redeem')
                                          then nullif(split_part(r.request_key, '|', -2), '') end,
                          'user', case when r.kind in ('assign', 'remove', 'transfer', 'reassign')
                                       then (select w.user_principal_name from directory_user w
                                              where w.user_id = split_part(r.request_key, '|', -2)::bigint) end,
                          'to_user', (select w.user_principal_name from directory_user w
                                       where w.user_id = (r.content ->> 'to_user')::bigint)))
                          as "content!: Json<Value>",
                      directory_name(r.partner_id, r.requested_by) as "requested_by!",
                      r.requested_on, f.name as file, r.line, f.received_on, r.status,
                      (select w.problems from row_answer w
                        where w.file_id = r.file_id and w.line = r.line and w.status in ('applied', 'waiting') limit 1)
                          as "remarks: Json<Vec<Problem>>",
                      o.by as "admitted_by?", o.why as "admitted_why?", o.business_on as admitted_on
               from (select * from request of where of.partner_id = $1 offset 0) r join file f on f.file_id = r.file_id
               left join membership m on m.membership_id = r.membership_id
               left join entitlement e on e.entitlement_id = r.entitlement_id
               left join lateral (select a.by, a.why, a.business_on from operator_action a
                                   where a.subject = 'request ' || r.request_no and a.action = 'admit_request'
                                   order by a.action_id desc limit 1) o on true
               where case when $5::text is null
                          then ($2::bigint is null or r.membership_id = $2)
                               and ($3::bigint is null or coalesce(r.entitlement_id, $3) = $3)
                          else r.request_no = $4 end
               order by r.request_no"#,
            self.partner_id.get(),
            self.membership_id.map(OrderNo::get),
            self.entitlement_id.map(EntitlementNo::get),
            self.request_no.map(RequestNo::get),
            self.is_request().then_some(self.name.as_str())
        )
        .fetch_all(conn)
        .await?)
    }
}

//! What waits for an operator: requests that are dated long before they came (D1).

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::{Result, operator_action, work::By};
use crate::domain::{
    id::{EntitlementNo, FileNo, OrderId, OrderNo, PartnerId, PartnerNo, RequestId, RequestNo},
    reason::Problem,
};

/// A request that waits, or that an operator refused: what its row says, people by the names they sign in with now, and how
/// it came.
#[derive(Clone, Debug)]
pub struct HeldRequest {
    /// Its number.
    pub request_no: RequestNo,
    /// Among which requests its key is unique.
    pub family: String,
    /// `assign`, `cancel` …
    pub kind: String,
    /// `waiting`, `pending`, `accepted` or `refused`.
    pub status: String,
    /// The operator who refused it by name.
    pub refused_by: Option<String>,
    /// Why.
    pub refused_why: Option<String>,
    /// What must be the same when it comes again.
    pub content: Json<Value>,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The Partner ID.
    pub partner: PartnerId,
    /// Its order's number in the store.
    pub membership_id: Option<OrderNo>,
    /// Its benefit's number in the store.
    pub entitlement_id: Option<EntitlementNo>,
    /// The order that it names.
    pub order_id: Option<OrderId>,
    /// The benefit that it names.
    pub benefit: Option<String>,
    /// Who asks.
    pub requested_by: String,
    /// The date that counts (D1).
    pub requested_on: NaiveDate,
    /// Whom an assignment names.
    pub user: Option<String>,
    /// Whom it goes to.
    pub to_user: Option<String>,
    /// The key that it names.
    pub key_ref: Option<String>,
    /// What the partner calls a service request.
    pub request_id: Option<RequestId>,
    /// The hours that it asks for.
    pub hours: Option<String>,
    /// The number of the file it came in first.
    pub file_id: FileNo,
    /// That file's name.
    pub file: String,
    /// Its line there.
    pub line: i32,
    /// The business date on which that arrived.
    pub received_on: NaiveDate,
    /// The file's rows may name the operator as who asks.
    pub by_operator: bool,
    /// The one partner whose rows the file may hold: number in the store.
    pub file_partner_id: Option<PartnerNo>,
    /// And its Partner ID.
    pub file_partner: Option<PartnerId>,
    /// What its row was answered with.
    pub remarks: Option<Json<Vec<Problem>>>,
}

/// The numbers of the requests that wait, of all partners or of one, by date, then arrival, then line.
pub async fn requests(conn: &mut PgConnection, partner: Option<&PartnerId>) -> Result<Vec<RequestNo>> {
    Ok(sqlx::query_scalar!(
        r#"select r.request_no as "request_no: RequestNo" from request r join partner p using (partner_id)
         where r.status = 'waiting' and ($1::text is null or p.number = $1)
         order by r.requested_on, r.file_id, r.line, r.request_no"#,
        partner as _
    )
    .fetch_all(conn)
    .await?)
}

/// The numbers of a partner's requests that wait, or that an operator refused and whose order has not ended.
pub async fn told_to_partner(conn: &mut PgConnection, partner: &PartnerId) -> Result<Vec<RequestNo>> {
    Ok(sqlx::query_scalar!(
        r#"select r.request_no as "request_no: RequestNo"
         from (select partner_id from partner where number = $1) p
         cross join lateral (select * from request of where of.partner_id = p.partner_id offset 0) r
         left join membership m using (membership_id)
         where (r.status = 'waiting' or r.status = 'refused' and r.refused_by is not null) and m.ended_on is null
         order by r.requested_on, r.file_id, r.line, r.request_no"#,
        partner as _
    )
    .fetch_all(conn)
    .await?)
}

/// Requests by their numbers, by date, then arrival, then line; what is not known is left out.
pub async fn load(conn: &mut PgConnection, numbers: &[RequestNo]) -> Result<Vec<HeldRequest>> {
    Ok(sqlx::query_as!(
        HeldRequest,
        r#"select r.request_no, r.family as "family!", r.kind, r.status, r.refused_by, r.refused_why, r.content as "content: Json<Value>",
                  r.partner_id as "partner_id: PartnerNo", p.number as "partner: PartnerId",
                  r.membership_id as "membership_id: OrderNo", r.entitlement_id as "entitlement_id: EntitlementNo",
                  coalesce(m.order_id, r.content ->> 'order_id') as "order_id: OrderId", e.benefit as "benefit?",
                  coalesce(b.user_principal_name, r.requested_by) as "requested_by!", r.requested_on,
                  u.user_principal_name as "user?", w.user_principal_name as "to_user?",
                  case when r.kind in ('reveal', 'redeem') then nullif(split_part(r.request_key, '|', -2), '') end
                      as key_ref,
                  case when r.family = 'service' then r.request_key end as "request_id: RequestId",
                  trim_scale((r.content ->> 'minutes')::numeric / 60)::text as hours,
                  f.file_id, f.name as file, r.line, f.received_on, f.by_operator,
                  f.partner_id as "file_partner_id: PartnerNo", o.number as "file_partner?: PartnerId",
                  (select a.problems from row_answer a
                    where a.file_id = r.file_id and a.line = r.line and a.status in ('applied', 'waiting') limit 1)
                      as "remarks: Json<Vec<Problem>>"
           from request r join partner p on p.partner_id = r.partner_id join file f on f.file_id = r.file_id
           left join partner o on o.partner_id = f.partner_id
           left join membership m on m.membership_id = r.membership_id
           left join entitlement e on e.entitlement_id = r.entitlement_id
           left join directory_user b on b.user_id = case when jsonb_typeof(r.content -> 'requested_by') = 'number'
                                                          then (r.content ->> 'requested_by')::bigint end
           left join directory_user u on u.user_id = case when r.kind in ('assign', 'remove', 'transfer', 'reassign')
                                                          then split_part(r.request_key, '|', -2)::bigint end
           left join directory_user w on w.user_id = (r.content ->> 'to_user')::bigint
           where r.request_no = any($1)
           order by r.requested_on, r.file_id, r.line, r.request_no"#,
        numbers as &[RequestNo]
    )
    .fetch_all(conn)
    .await?)
}

/// A file that a guard held back, and that has not been let in since.
#[derive(Clone, Debug)]
pub struct GuardedFile {
    /// What it is called.
    pub name: String,
    /// When it arrived.
    pub received_on: NaiveDate,
    /// Why it is held, and what to do.
    pub refusal: String,
}

/// The files that guards held back since a business date.
pub async fn guarded_files(conn: &mut PgConnection, since: NaiveDate) -> Result<Vec<GuardedFile>> {
    Ok(sqlx::query_as!(
        GuardedFile,
        r#"select distinct on (f.sha256) f.name, f.received_on, coalesce(f.refusal, w.said, '') as "refusal!"
           from file f left join file_snapshot w using (file_id)
           where f.guarded and f.received_on >= $1
             and not exists (select from file later where later.sha256 = f.sha256 and later.file_id > f.file_id
                                                      and later.status in ('staged', 'done'))
           order by f.sha256, f.file_id desc"#,
        since
    )
    .fetch_all(conn)
    .await?)
}

/// An identifier that was not taken in, because it is like a known one.
#[derive(Clone, Debug)]
pub struct AlikeRow {
    /// The file.
    pub file: String,
    /// The line.
    pub line: i32,
    /// When that arrived.
    pub received_on: NaiveDate,
    /// The identifier.
    pub identifier: String,
    /// The known one.
    pub known: String,
}

/// The identifiers that were not taken in since a business date because they are like known ones, and are not known yet; each
/// once, at most so many.
pub async fn alike_rows(conn: &mut PgConnection, since: NaiveDate, at_most: i64) -> Result<Vec<AlikeRow>> {
    Ok(sqlx::query_as!(
        AlikeRow,
        r#"select distinct on (p ->> 'value') f.name as file, a.line, f.received_on, p ->> 'value' as "identifier!",
                  p -> 'reason' ->> 'known' as "known!"
           from file f join row_answer a using (file_id) cross join lateral jsonb_array_elements(a.problems) p
           where f.received_on >= $1 and f.rejected > 0 and a.status = 'rejected'
             and p -> 'reason' ->> 'code' = 'alike_known'
             and not exists (select from membership m where m.order_id = p ->> 'value')
             and not exists (select from partner n where n.number = p ->> 'value')
           order by p ->> 'value', f.file_id desc limit $2"#,
        since,
        at_most
    )
    .fetch_all(conn)
    .await?)
}

/// What an operator did about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestAction {
    /// Let it in.
    Admit,
    /// Refused it.
    Refuse,
}

impl RequestAction {
    const fn name(self) -> &'static str {
        match self {
            Self::Admit => "admit_request",
            Self::Refuse => "refuse_request",
        }
    }
}

/// Records what an operator did about requests on a business date, and how each stood before.
pub async fn record(
    conn: &mut PgConnection,
    action: RequestAction,
    requests: &[HeldRequest],
    on: NaiveDate,
    by: By<'_>,
) -> Result<()> {
    let before = |request: &HeldRequest| match (&request.refused_by, &request.refused_why) {
        (Some(by), Some(why)) => format!("refused by {by}: {why}"),
        _ => request.status.clone(),
    };
    let subjects: Vec<String> = requests.iter().map(|r| format!("request {}", r.request_no)).collect();
    let before: Vec<String> = requests.iter().map(before).collect();
    operator_action::record(conn, action.name(), &subjects, &before, Some(on), by).await
}

/// Marks requests that wait as refused by an operator.
pub async fn mark_refused(conn: &mut PgConnection, numbers: &[RequestNo], by: By<'_>) -> Result<()> {
    sqlx::query!(
        "update request set status = 'refused', refused_by = $2, refused_why = $3
         where request_no = any($1) and status = 'waiting'",
        numbers as &[RequestNo],
        by.by,
        by.why
    )
    .execute(conn)
    .await?;
    Ok(())
}

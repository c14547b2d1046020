//! What a store came to, in numbers and in a few lines: for a page at the end of something.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::{Result, mail::Leased, night_report::StoredReport, notice::StoredNotice};
use crate::domain::{
    benefit::{Move, Unit},
    id::{OrderId, PartnerId},
    notice::Stream,
    reason::{Problem, Reason},
};

/// Entries of one kind: how many, and their sum in minor units; corrections netted into what they correct.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub entries: i64,
    /// Their sum.
    pub minor: i64,
}

/// What was booked in one currency.
#[derive(Clone, Debug, Serialize)]
pub struct BookedInCurrency {
    /// ISO 4217 code.
    pub currency: String,
    /// Credit granted.
    pub granted: Sum,
    /// Of it spent.
    pub used: Sum,
    /// Spent beyond it.
    pub overage: Sum,
    /// Lapsed unspent.
    pub lapsed: Sum,
    /// Lapsed because nobody was assigned in the whole period (D3).
    pub unassigned: Sum,
    /// Taken back by cancellations (D7).
    pub reversed: Sum,
    /// Still there.
    pub left_minor: i64,
}

/// Hours or incidents: what was granted, drawn, and lost. Hours in minutes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Drawn {
    /// What is counted.
    pub unit: Unit,
    /// Granted.
    pub granted: i64,
    /// Drawn by requests.
    pub used: i64,
    /// Lapsed with their benefit.
    pub lapsed: i64,
}

/// A request about a benefit, and what was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Answered {
    /// Partner ID.
    pub partner_id: PartnerId,
    /// The partner's name.
    pub partner: String,
    /// The order and benefit; of a ticket or request for hours the order, or its own name.
    pub subject: String,
    /// What was asked for.
    pub action: String,
    /// By whom.
    pub requested_by: String,
    /// What was asked for beyond that.
    pub content: Value,
    /// The business date.
    pub decided_on: NaiveDate,
    /// Whether the answer was yes.
    pub accepted: bool,
    /// Why it was no, or what there was to say with the yes.
    pub said: Vec<Reason>,
}

/// A yes or no that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionSummary {
    /// The partner's name.
    pub partner: String,
    /// The order, or order and benefit.
    pub subject: String,
    /// What was asked for.
    pub action: String,
    /// The business date.
    pub decided_on: NaiveDate,
    /// Empty: accepted.
    pub reasons: Vec<Reason>,
}

/// A cancelled order's money.
#[derive(Clone, Debug, Serialize)]
pub struct CancelledOrder {
    /// The partner's name.
    pub partner: String,
    /// The order.
    pub order_id: OrderId,
    /// Its last day.
    pub ended_on: NaiveDate,
    /// ISO 4217 code.
    pub currency: String,
    /// What was unspent and is taken back.
    pub reversed_minor: i64,
    /// What was spent and stays spent.
    pub spent_minor: i64,
}

/// A partner with its latest order.
#[derive(Clone, Debug, Serialize)]
pub struct PartnerSummary {
    /// Partner ID.
    pub partner_id: PartnerId,
    /// Name.
    pub partner: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// ISO 4217 code.
    pub currency: String,
    /// The order, or nothing.
    pub order_id: Option<OrderId>,
    /// Its status.
    pub status: Option<String>,
    /// Its last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// What it may still spend, over all its orders.
    pub left_minor: i64,
}

/// What files brought.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Files {
    /// Files taken in.
    pub files: i64,
    /// Files refused whole.
    pub refused_whole: i64,
    /// Rows of files taken in.
    pub rows: i64,
    /// Rows applied.
    pub applied: i64,
    /// Rows that changed nothing.
    pub unchanged: i64,
    /// Rows rejected.
    pub rejected: i64,
    /// Requests that wait for the operator.
    pub waiting: i64,
}

/// Rejected rows of one reason, and the first of them.
#[derive(Clone, Debug, Serialize)]
pub struct Rejection {
    /// The reason's code.
    pub code: String,
    /// How many rows.
    pub rows: i64,
    /// The file of the first.
    pub file: String,
    /// Its line.
    pub line: i32,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What mail went out.
#[derive(Clone, Debug, Serialize)]
pub struct Mails {
    /// Mails sent.
    pub sent: i64,
    /// Distinct recipients.
    pub recipients: i64,
    /// Notices in them, by kind.
    pub notices: Vec<(String, i64)>,
    /// Languages the recipients ask for, with the number of mails.
    pub languages: Vec<(String, i64)>,
}

/// Whether the books are in order: every number but the first two is zero.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Proof {
    /// Rows of the ledger, corrections included.
    pub entries: i64,
    /// Periods of entitlements with entries.
    pub periods: i64,
    /// Periods whose accounts do not sum to zero.
    pub unbalanced: i64,
    /// Periods with less than nothing available.
    pub overdrawn: i64,
    /// Entitlements whose unspent amount differs between ledger and schedule.
    pub astray: i64,
    /// Periods of ended entitlements with something still available.
    pub unclosed: i64,
}

/// What was booked, by currency.
pub async fn booked(conn: &mut PgConnection) -> Result<Vec<BookedInCurrency>> {
    let rows = sqlx::query!(
        r#"with net as (
               select t.currency, t.kind, t.amount_minor + coalesce(c.minor, 0) as minor,
                      t.kind = 'credit_lapsed' and not exists (
                          select from assignment a
                          where a.entitlement_id = t.entitlement_id and a.assigned_on < t.period_until
                            and (a.removed_on is null or a.removed_on > t.period_from
                                 or a.assigned_on >= t.period_from)) as unassigned
               from transfer t
               left join (select c.corrects, sum(case when c.from_account = o.from_account then c.amount_minor
                                                      else -c.amount_minor end)::bigint as minor
                          from transfer c join transfer o on o.transfer_id = c.corrects group by c.corrects) c
                 on c.corrects = t.transfer_id
               where t.corrects is null and t.currency is not null and t.amount_minor + coalesce(c.minor, 0) <> 0
           )
           select currency as "currency!",
                  count(*) filter (where kind = 'credit_granted') as "granted!",
                  coalesce(sum(minor) filter (where kind = 'credit_granted'), 0)::bigint as "granted_minor!",
                  count(*) filter (where kind = 'credit_used') as "used!",
                  coalesce(sum(minor) filter (where kind = 'credit_used'), 0)::bigint as "used_minor!",
                  count(*) filter (where kind = 'credit_overage') as "overage!",
                  coalesce(sum(minor) filter (where kind = 'credit_overage'), 0)::bigint as "overage_minor!",
                  count(*) filter (where kind = 'credit_lapsed') as "lapsed!",
                  coalesce(sum(minor) filter (where kind = 'credit_lapsed'), 0)::bigint as "lapsed_minor!",
                  count(*) filter (where unassigned) as "unassigned!",
                  coalesce(sum(minor) filter (where unassigned), 0)::bigint as "unassigned_minor!",
                  count(*) filter (where kind = 'credit_reversed') as "reversed!",
                  coalesce(sum(minor) filter (where kind = 'credit_reversed'), 0)::bigint as "reversed_minor!"
           from net group by currency order by currency"#
    )
    .fetch_all(conn)
    .await?;
    let sum = |entries, minor| Sum { entries, minor };
    Ok(rows
        .into_iter()
        .map(|r| BookedInCurrency {
            currency: r.currency,
            granted: sum(r.granted, r.granted_minor),
            used: sum(r.used, r.used_minor),
            overage: sum(r.overage, r.overage_minor),
            lapsed: sum(r.lapsed, r.lapsed_minor),
            unassigned: sum(r.unassigned, r.unassigned_minor),
            reversed: sum(r.reversed, r.reversed_minor),
            left_minor: r.granted_minor - r.used_minor - r.lapsed_minor - r.reversed_minor,
        })
        .collect())
}

/// Credit of a currency that lapsed though there was time to tell of it, and nobody was told of its value (promise 14).
#[derive(Clone, Debug, Serialize)]
pub struct Unwarned {
    /// ISO 4217 code.
    pub currency: String,
    /// How many lapses.
    pub lapses: i64,
    /// Their sum in minor units.
    pub minor: i64,
}

/// What lapsed unwarned, by currency; what became known or was granted too late for any word is apart.
pub async fn unwarned(conn: &mut PgConnection) -> Result<Vec<Unwarned>> {
    Ok(sqlx::query_as!(
        Unwarned,
        r#"select currency as "currency!", count(*) as "lapses!", sum(lapsed_minor)::bigint as "minor!"
           from report.credit_lapse
           where not_told_because is not null and not_told_because not in ('known_late', 'granted_late')
           group by 1 order by 1"#
    )
    .fetch_all(conn)
    .await?)
}

/// What orders were asked to be, cancelled or renewed, and what came of it; requests about their benefits are apart:
/// [`answered`].
pub async fn asked(conn: &mut PgConnection) -> Result<Vec<DecisionSummary>> {
    let rows = sqlx::query!(
        r#"select p.name as partner, d.subject, d.action, d.decided_on, d.reasons as "reasons: Json<Vec<Reason>>"
           from decision d join partner p using (partner_id)
           where d.action in ('cancel', 'renew') order by d.decision_id"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| DecisionSummary {
            partner: r.partner,
            subject: r.subject,
            action: r.action,
            decided_on: r.decided_on,
            reasons: r.reasons.0,
        })
        .collect())
}

/// Requests about benefits and their answers, in the order of the decisions.
pub async fn answered(conn: &mut PgConnection) -> Result<Vec<Answered>> {
    let rows = sqlx::query!(
        r#"select p.number as partner_id, p.name as partner, d.subject, d.action, d.requested_by, d.content,
                  d.decided_on, d.outcome = 'accepted' as "accepted!", d.reasons as "reasons: Json<Vec<Reason>>",
                  a.problems as "remarks?: Json<Vec<Problem>>"
           from decision d
           join partner p using (partner_id)
           left join request r using (request_no)
           left join row_answer a on d.outcome = 'accepted' and a.file_id = r.file_id and a.line = r.line
           where d.action not in ('cancel', 'renew', 'set_contact') order by d.decision_id"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let remarks = r.remarks.map(|Json(remarks)| remarks).unwrap_or_default();
            Answered {
                partner_id: r.partner_id.into(),
                partner: r.partner,
                subject: r.subject,
                action: r.action,
                requested_by: r.requested_by,
                content: r.content,
                decided_on: r.decided_on,
                accepted: r.accepted,
                said: r
                    .reasons
                    .0
                    .into_iter()
                    .chain(remarks.into_iter().map(|remark| remark.reason))
                    .collect(),
            }
        })
        .collect())
}

/// Hours and incidents, corrections netted in.
pub async fn drawn(conn: &mut PgConnection) -> Result<Vec<Drawn>> {
    let mut sums = Vec::new();
    for unit in [Unit::Hours, Unit::Incidents] {
        let [granted, used, lapsed] = [Move::Granted, Move::Used, Move::Lapsed].map(|moved| unit.kind(moved));
        let sum = sqlx::query!(
            r#"select coalesce(sum(n.count) filter (where n.kind = $1), 0)::bigint as "granted!",
                      coalesce(sum(n.count) filter (where n.kind = $2), 0)::bigint as "used!",
                      coalesce(sum(n.count) filter (where n.kind = $3), 0)::bigint as "lapsed!"
               from (select kind::text as kind,
                            case when from_account = case when kind::text = $1 then 'programme' else 'available' end::ledger_account
                                 then amount_minor else -amount_minor end as count
                     from transfer where currency is null) n"#,
            granted,
            used,
            lapsed
        )
        .fetch_one(&mut *conn)
        .await?;
        sums.push(Drawn { unit, granted: sum.granted, used: sum.used, lapsed: sum.lapsed });
    }
    Ok(sums)
}

/// Cancelled orders and their money, by order and currency.
pub async fn refunds(conn: &mut PgConnection) -> Result<Vec<CancelledOrder>> {
    Ok(sqlx::query_as!(
        CancelledOrder,
        r#"select p.name as partner, m.order_id, m.ended_on as "ended_on!", t.currency as "currency!",
                  coalesce(sum(t.amount_minor) filter (where t.kind = 'credit_reversed'), 0)::bigint as "reversed_minor!",
                  coalesce(sum(case when t.to_account = 'used' then t.amount_minor else -t.amount_minor end)
                           filter (where t.kind = 'credit_used'), 0)::bigint as "spent_minor!"
           from membership m
           join partner p using (partner_id)
           join entitlement e using (membership_id)
           join transfer t using (entitlement_id)
           where m.status = 'cancelled' and t.currency is not null
           group by 1, 2, 3, 4 order by m.ended_on, m.order_id, t.currency"#
    )
    .fetch_all(conn)
    .await?)
}

/// Every partner with its latest order.
pub async fn standings(conn: &mut PgConnection) -> Result<Vec<PartnerSummary>> {
    Ok(sqlx::query_as!(
        PartnerSummary,
        r#"select p.number as partner_id, p.name as partner, p.country, p.currency, m.order_id as "order_id?: OrderId",
                  m.status as "status?", m.ended_on,
                  (select coalesce(sum(case when t.to_account = 'available' then t.amount_minor
                                            else -t.amount_minor end), 0)::bigint
                   from transfer t
                   where t.partner_id = p.partner_id and t.currency is not null
                     and 'available' in (t.from_account, t.to_account))
                      as "left_minor!"
           from partner p
           left join lateral (select order_id, status, ended_on from membership m
                              where m.partner_id = p.partner_id
                              order by starts_on desc, membership_id desc limit 1) m on true
           order by p.number"#
    )
    .fetch_all(conn)
    .await?)
}

/// Orders by status.
pub async fn orders(conn: &mut PgConnection) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"select status, count(*) as "orders!" from membership group by status
           order by array_position(array['pending', 'active', 'in_grace', 'renewed', 'cancelled', 'expired'], status)"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.status, r.orders)).collect())
}

/// What files brought.
pub async fn files(conn: &mut PgConnection) -> Result<Files> {
    Ok(sqlx::query_as!(
        Files,
        r#"select count(*) filter (where status = 'done') as "files!",
                  count(*) filter (where status = 'refused') as "refused_whole!",
                  coalesce(sum(row_count) filter (where status = 'done'), 0)::bigint as "rows!",
                  coalesce(sum(applied), 0)::bigint as "applied!",
                  coalesce(sum(unchanged), 0)::bigint as "unchanged!",
                  coalesce(sum(rejected), 0)::bigint as "rejected!",
                  (select count(*) from request where status = 'waiting') as "waiting!"
           from file"#
    )
    .fetch_one(conn)
    .await?)
}

/// Rejected rows by the code of their first reason: most rows first.
pub async fn rejections(conn: &mut PgConnection) -> Result<Vec<Rejection>> {
    let rows = sqlx::query!(
        r#"select code as "code!", rows as "rows!", name as "file!", line as "line!",
                  problem as "problem!: Json<Problem>"
           from (select a.problems #>> '{0,reason,code}' as code, a.problems -> 0 as problem, f.name, a.line,
                        count(*) over of_code as rows, row_number() over (of_code order by a.file_id, a.row_no) as nth
                 from row_answer a join file f using (file_id)
                 where a.status = 'rejected'
                 window of_code as (partition by a.problems #>> '{0,reason,code}')) first
           where nth = 1 order by rows desc, code"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Rejection { code: r.code, rows: r.rows, file: r.file, line: r.line, problem: r.problem.0 })
        .collect())
}

/// What mail went out.
pub async fn mails(conn: &mut PgConnection) -> Result<Mails> {
    let total = sqlx::query!(
        r#"select count(*) as "sent!", count(distinct recipient) as "recipients!" from mail where status = 'sent'"#
    )
    .fetch_one(&mut *conn)
    .await?;
    let notices = sqlx::query!(
        r#"select kind as "kind!", count(*) as "notices!" from notice_told where status = 'mailed' group by kind order by 2 desc, kind"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let languages = sqlx::query!(
        r#"select language, count(*) as "mails!" from mail where status = 'sent' group by language
           order by 2 desc, language"#
    )
    .fetch_all(conn)
    .await?;
    Ok(Mails {
        sent: total.sent,
        recipients: total.recipients,
        notices: notices.into_iter().map(|r| (r.kind, r.notices)).collect(),
        languages: languages.into_iter().map(|r| (r.language, r.mails)).collect(),
    })
}

/// The last mail with a notice of that kind to somebody who asked for that language (its primary subtag).
pub async fn mail_saying(conn: &mut PgConnection, kind: &str, language: &str) -> Result<Option<Leased>> {
    Ok(sqlx::query_as!(
        Leased,
        r#"select l.mail_id, l.message_id, l.recipient, l.recipient_name, l.language, l.stream as "stream!: Stream", l.day, l.epoch,
                  l.composed_at as "composed_at!", p.name as partner_name, p.number as partner_numbers, n.notices as "notices!: Json<Vec<StoredNotice>>",
                  null::jsonb as "report?: Json<StoredReport>"
           from mail l
           join partner p using (partner_id)
           join (select mail_id, jsonb_agg(content order by notice_id) as notices, array_agg(kind) as kinds
                 from notice_told where mail_id is not null group by mail_id) n using (mail_id)
           where l.status = 'sent' and $1 = any(n.kinds) and split_part(l.language, '-', 1) = $2
           order by l.day desc, l.mail_id desc limit 1"#,
        kind,
        language
    )
    .fetch_optional(conn)
    .await?)
}

/// Reckons the ledger's accounts from its transfers and compares.
pub async fn proof(conn: &mut PgConnection) -> Result<Proof> {
    Ok(sqlx::query_as!(
        Proof,
        r#"with leg as (
               select entitlement_id, period_no, to_account as account, amount_minor as minor from transfer
               union all
               select entitlement_id, period_no, from_account, -amount_minor from transfer
           ), period as (
               select entitlement_id, period_no, sum(minor) as total,
                      coalesce(sum(minor) filter (where account = 'available'), 0) as available
               from leg group by entitlement_id, period_no
           ), open as (
               select p.entitlement_id, sum(available) as available from period p group by p.entitlement_id
           )
           select (select count(*) from transfer) as "entries!",
                  (select count(*) from period) as "periods!",
                  (select count(*) from period where total <> 0) as "unbalanced!",
                  (select count(*) from period where available < 0) as "overdrawn!",
                  (select count(*) from open o left join credit_schedule s using (entitlement_id)
                    where o.available <> coalesce(s.open_minor, 0)) as "astray!",
                  (select count(*) from period p join entitlement e using (entitlement_id)
                    where e.ended_on is not null and p.available <> 0) as "unclosed!""#
    )
    .fetch_one(conn)
    .await?)
}

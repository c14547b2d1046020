//! What nights came to, gathered for their report along indexes: what other nights did does not weigh on it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};

use crate::{
    domain::{
        id::PartnerId,
        money::{Amount, Currency},
        night_report::{
            BookedSum, Capped, JobDone, MailsCame, PartnerNamed, PartnerStake, RefusedRequests, RejectedRows,
            RowPlace, StakeSum, Within,
        },
        reason::Reason,
    },
    store::Result,
};

/// What each job but `except` did.
pub async fn jobs_done(conn: &mut PgConnection, within: Within, except: &str) -> Result<Vec<JobDone>> {
    Ok(sqlx::query_as!(
        JobDone,
        r#"select job, sum(done)::bigint as "done!", sum(refused)::bigint as "refused!", sum(failed)::bigint as "failed!"
           from run where due_on between $1 and $2 and job <> $3 group by job"#,
        within.from,
        within.until,
        except
    )
    .fetch_all(conn)
    .await?)
}

/// What was booked, by kind and currency; corrections are netted into their kind.
pub async fn booked(conn: &mut PgConnection, within: Within) -> Result<Vec<BookedSum>> {
    let rows = sqlx::query!(
        r#"select t.kind::text as "kind!", t.currency as "currency!",
                  count(*) filter (where t.corrects is null) as "entries!",
                  sum(case when o.from_account is null or o.from_account = t.from_account then t.amount_minor
                           else -t.amount_minor end)::bigint as "minor!"
           from run r
           cross join lateral (select * from transfer where run_id = r.run_id offset 0) t
           left join lateral (select from_account from transfer where transfer_id = t.corrects offset 0) o on true
           where r.due_on between $1 and $2 and t.currency is not null
           group by t.kind, t.currency order by t.kind, t.currency"#,
        within.from,
        within.until
    )
    .fetch_all(conn)
    .await?;
    let sum = |kind, entries, minor, code: &str| {
        let currency = Currency::stored(code)?;
        Some(BookedSum { kind, entries, sum: Amount::new(minor, currency) })
    };
    Ok(rows.into_iter().filter_map(|r| sum(r.kind, r.entries, r.minor, &r.currency)).collect())
}

/// Rows that were rejected in files of these nights, by the code of their first reason, most rows first; of each the first
/// `named`. And how many in all.
pub async fn rejected(
    conn: &mut PgConnection,
    within: Within,
    (reasons, named): (usize, i64),
) -> Result<(Capped<RejectedRows>, i64)> {
    let rows = sqlx::query!(
        r#"select code as "code!", rows as "rows!", file as "file!", line as "line!", reason as "reason!: Json<Reason>"
           from (select problem #>> '{reason,code}' as code, problem -> 'reason' as reason, file, line,
                        count(*) over (partition by problem #>> '{reason,code}') as rows,
                        row_number() over (partition by problem #>> '{reason,code}' order by file_id, row_no) as nth
                 from (select f.file_id, f.name as file, a.row_no, a.line, a.problems -> 0 as problem
                       from file f
                       cross join lateral (
                           select * from row_answer where file_id = f.file_id and status = 'rejected' offset 0) a
                       where f.rejected > 0 and f.finished_at is not null and f.received_on <= $2
                         and (f.received_on >= $1 or f.finished_at > $3)) told) each
           where nth <= $4 order by rows desc, code, nth"#,
        within.from,
        within.until,
        within.after,
        named
    )
    .fetch_all(conn)
    .await?;
    let mut by_code: Vec<RejectedRows> = Vec::new();
    for row in rows {
        let place = RowPlace { file: row.file, line: row.line };
        match by_code.last_mut().filter(|told| told.code == row.code) {
            Some(told) => told.first.push(place),
            None => by_code.push(RejectedRows {
                code: row.code,
                rows: row.rows,
                reason: row.reason.0,
                first: vec![place],
            }),
        }
    }
    let all = by_code.iter().fold(0_i64, |all, told| all.saturating_add(told.rows));
    Ok((Capped::of(by_code, reasons), all))
}

/// Requests that these nights refused, by the code of their first reason, most first; of each the first `named`. What is
/// refused while a file is taken in is answered there, as a rejected row.
pub async fn refused(
    conn: &mut PgConnection,
    within: Within,
    (reasons, named): (usize, i64),
) -> Result<Capped<RefusedRequests>> {
    let rows = sqlx::query!(
        r#"select code as "code!", requests as "requests!", subject as "subject!", reason as "reason!: Json<Reason>"
           from (select reasons #>> '{0,code}' as code, reasons -> 0 as reason, subject,
                        count(*) over (partition by reasons #>> '{0,code}') as requests,
                        row_number() over (partition by reasons #>> '{0,code}' order by decision_id) as nth
                 from decision
                 where decided_on between $1 and $2 and outcome = 'refused' and run_id is not null
                   and requested_by <> 'policy' and jsonb_array_length(reasons) > 0) each
           where nth <= $3 order by requests desc, code, nth"#,
        within.from,
        within.until,
        named
    )
    .fetch_all(conn)
    .await?;
    let mut by_code: Vec<RefusedRequests> = Vec::new();
    for row in rows {
        match by_code.last_mut().filter(|told| told.code == row.code) {
            Some(told) => told.first.push(row.subject),
            None => by_code.push(RefusedRequests {
                code: row.code,
                requests: row.requests,
                reason: row.reason.0,
                first: vec![row.subject],
            }),
        }
    }
    Ok(Capped::of(by_code, reasons))
}

/// Unspent credit whose last usable day is after `day`, within each of these numbers of days: by currency, and in each the
/// partners that lose most, the first `named`.
pub async fn stakes(
    conn: &mut PgConnection,
    day: NaiveDate,
    days: &[i32],
    named: i64,
) -> Result<BTreeMap<i32, Vec<StakeSum>>> {
    let longest = days.iter().copied().max().unwrap_or_default();
    let rows = sqlx::query!(
        r#"with lapsing as materialized (
               select o.partner_id, o.currency, o.last_usable_on, o.unspent_minor from open_credit o
               where o.last_usable_on > $1::date and o.last_usable_on <= $1::date + $3::int
           ), of_partner as (
               select d.days, l.currency, l.partner_id, sum(l.unspent_minor) as minor, count(*) as credits,
                      min(l.last_usable_on) as first_on
               from unnest($2::int[]) as d (days) join lapsing l on l.last_usable_on <= $1::date + d.days
               group by d.days, l.currency, l.partner_id
           ), ranked as (
               select *, sum(minor) over of_all as all_minor, sum(credits) over of_all as all_credits,
                      count(*) over of_all as partners,
                      row_number() over (partition by days, currency order by minor desc, partner_id) as nth
               from of_partner window of_all as (partition by days, currency)
           )
           select r.days as "days!", r.currency as "currency!", r.all_minor::bigint as "all_minor!",
                  r.all_credits::bigint as "all_credits!", r.partners as "partners!", r.minor::bigint as "minor!",
                  r.first_on as "first_on!", p.number as "partner_id!: PartnerId", p.name as "name!"
           from ranked r join partner p using (partner_id)
           where r.nth <= $4 order by r.days, r.currency, r.nth"#,
        day,
        days,
        longest,
        named
    )
    .fetch_all(conn)
    .await?;
    let mut told: BTreeMap<i32, Vec<StakeSum>> = BTreeMap::new();
    for row in rows {
        let Some(currency) = Currency::stored(&row.currency) else { continue };
        let sums = told.entry(row.days).or_default();
        if sums.last().is_none_or(|last| last.sum.currency != currency) {
            sums.push(StakeSum {
                sum: Amount::new(row.all_minor, currency),
                credits: row.all_credits,
                partners: Capped { total: row.partners, first: Vec::new() },
            });
        }
        if let Some(last) = sums.last_mut() {
            last.partners.first.push(PartnerStake {
                partner: PartnerNamed { partner_id: row.partner_id, name: row.name },
                sum: Amount::new(row.minor, currency),
                first_on: row.first_on,
            });
        }
    }
    Ok(told)
}

/// Partners with something to be told that goes to a marketing contact and nobody else, and without one.
pub async fn without_contact(conn: &mut PgConnection, named: usize) -> Result<Capped<PartnerNamed>> {
    let rows = sqlx::query!(
        r#"select distinct o.number as "partner_id!: PartnerId", p.name as "name!"
           from owed_batch o join partner p using (partner_id) where o.address is null order by 1"#
    )
    .fetch_all(conn)
    .await?;
    let each = rows.into_iter().map(|r| PartnerNamed { partner_id: r.partner_id, name: r.name });
    Ok(Capped::of(each, named))
}

/// Mails that are not sent yet, and those of the days after `since` that did not get there. Which domains are paused is told
/// elsewhere.
pub async fn mails(conn: &mut PgConnection, since: NaiveDate) -> Result<MailsCame> {
    let row = sqlx::query!(
        r#"select count(*) filter (where status in ('queued', 'claimed')) as "waiting!",
                  count(*) filter (where status = 'refused' and day > $1) as "refused!",
                  count(*) filter (where status = 'bounced' and day > $1) as "bounced!",
                  count(*) filter (where status = 'failed' and day > $1) as "failed!",
                  count(*) filter (where status = 'unknown' and day > $1) as "unknown!"
           from mail where status <> 'sent'"#,
        since
    )
    .fetch_one(conn)
    .await?;
    Ok(MailsCame {
        waiting: row.waiting,
        refused: row.refused,
        bounced: row.bounced,
        failed: row.failed,
        unknown: row.unknown,
        paused: Vec::new(),
    })
}

//! What ran, what is open, what waits.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, types::Json};

use super::Result;
use crate::domain::reason::Reason;

/// The last run of a job.
#[derive(Clone, Debug)]
pub struct JobRun {
    /// The job.
    pub job: String,
    /// Its business date.
    pub due_on: NaiveDate,
    /// `running`, `done`, `failed` or `incomplete`.
    pub status: String,
    /// How often it was begun.
    pub attempts: i32,
    /// When it last ended, by the database's clock.
    pub finished_at: Option<DateTime<Utc>>,
    /// Time spent on its chunks, in milliseconds, all attempts together.
    pub worked_ms: i64,
    /// Effects.
    pub done: i64,
    /// Refused, or waiting.
    pub refused: i64,
    /// Could not be decided.
    pub failed: i64,
}

/// Grants that wait for the same reason.
#[derive(Clone, Debug)]
pub struct WaitingGrants {
    /// Why; of several the oldest.
    pub reason: Json<Reason>,
    /// How many entitlements.
    pub count: i64,
    /// Since when the oldest is due.
    pub since: Option<NaiveDate>,
}

/// Requests in one status.
#[derive(Clone, Copy, Debug)]
pub struct Requests {
    /// How many.
    pub count: i64,
    /// The date of the oldest.
    pub oldest_on: Option<NaiveDate>,
}

/// A file that was refused as a whole.
#[derive(Clone, Debug)]
pub struct RefusedFile {
    /// Its name.
    pub name: String,
    /// The business date it arrived on.
    pub received_on: NaiveDate,
    /// Why.
    pub refusal: String,
}

/// The last complete night, and when it was completed by the database's clock.
pub async fn last_night(conn: &mut PgConnection) -> Result<Option<(NaiveDate, DateTime<Utc>)>> {
    let row = sqlx::query!("select due_on, completed_at from night order by due_on desc limit 1")
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| (row.due_on, row.completed_at)))
}

/// The business date on which the first file arrived that was not refused.
pub async fn first_file_on(conn: &mut PgConnection) -> Result<Option<NaiveDate>> {
    Ok(sqlx::query_scalar!("select min(received_on) from file where status <> 'refused'")
        .fetch_one(conn)
        .await?)
}

/// The last run of every job that ever ran.
pub async fn last_runs(conn: &mut PgConnection) -> Result<Vec<JobRun>> {
    Ok(sqlx::query_as!(
        JobRun,
        r#"select r.job, r.due_on, r.status, r.attempts, r.finished_at, r.done, r.refused, r.failed,
                  coalesce((select sum(extract(epoch from a.finished_at - a.started_at)) * 1000
                              from attempt a where a.run_id = r.run_id), 0)::bigint as "worked_ms!"
           from (select distinct on (job) * from run order by job, due_on desc) r"#
    )
    .fetch_all(conn)
    .await?)
}

/// Chunks that are still to be done, and chunks that failed for good, in runs that are not done.
pub async fn chunks(conn: &mut PgConnection) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"select count(*) filter (where c.status in ('ready', 'claimed')) as "open!",
                  count(*) filter (where c.status = 'failed') as "failed!"
           from run r join run_chunk c using (run_id) where r.status <> 'done' and c.status <> 'done'"#
    )
    .fetch_one(conn)
    .await?;
    Ok((row.open, row.failed))
}

/// Grants that are due and wait, by reason and currency.
pub async fn waiting_grants(conn: &mut PgConnection) -> Result<Vec<WaitingGrants>> {
    Ok(sqlx::query_as!(
        WaitingGrants,
        r#"select (array_agg(waits order by next_on, entitlement_id))[1] as "reason!: Json<Reason>", count(*) as "count!",
                  min(next_on) as since
           from credit_schedule where waits is not null
           group by waits ->> 'code', waits ->> 'currency' order by count(*) desc, 1"#
    )
    .fetch_all(conn)
    .await?)
}

/// Requests that wait for the operator, and requests that wait for their night.
pub async fn open_requests(conn: &mut PgConnection) -> Result<(Requests, Requests)> {
    let rows = sqlx::query!(
        r#"select status, count(*) as "count!", min(requested_on) as oldest_on from request
           where status in ('waiting', 'pending') group by status"#
    )
    .fetch_all(conn)
    .await?;
    let of = |status: &str| {
        let row = rows.iter().find(|row| row.status == status);
        row.map_or(Requests { count: 0, oldest_on: None }, |row| Requests {
            count: row.count,
            oldest_on: row.oldest_on,
        })
    };
    Ok((of("waiting"), of("pending")))
}

/// Names of files whose rows are not all answered, oldest first, at most so many.
pub async fn unanswered_files(conn: &mut PgConnection, at_most: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select name from file where status in ('staging', 'staged') order by file_id limit $1",
        at_most
    )
    .fetch_all(conn)
    .await?)
}

/// Orders that a renewal made and no entitlements file has named yet (D5), oldest first, at most so many.
pub async fn awaiting_entitlements(conn: &mut PgConnection, at_most: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select order_id from membership where offer is null and ended_on is null order by membership_id limit $1",
        at_most
    )
    .fetch_all(conn)
    .await?)
}

/// How many mails are in each state but `sent`, and how many notices are owed that no mail carries yet.
pub async fn unsent(conn: &mut PgConnection) -> Result<(Vec<(String, i64)>, i64)> {
    let rows = sqlx::query!(
        r#"select status, count(*) as "count!" from mail where status <> 'sent' group by status order by status"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let owed = sqlx::query_scalar!(r#"select count(*) as "owed!" from notice where status = 'owed'"#)
        .fetch_one(conn)
        .await?;
    Ok((rows.into_iter().map(|row| (row.status, row.count)).collect(), owed))
}

/// Files refused as a whole since a business date, the latest first, at most so many.
pub async fn refused_files(
    conn: &mut PgConnection,
    since: NaiveDate,
    at_most: i64,
) -> Result<Vec<RefusedFile>> {
    Ok(sqlx::query_as!(
        RefusedFile,
        r#"select name, received_on, coalesce(refusal, '') as "refusal!" from file
           where status = 'refused' and received_on >= $1 order by file_id desc limit $2"#,
        since,
        at_most
    )
    .fetch_all(conn)
    .await?)
}

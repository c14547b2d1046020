//! What ran, what is open, what waits, and the figures that whoever watches asks for every few seconds.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};

use super::{
    Result,
    process::{self, Seen},
    tick,
};
use crate::domain::{
    lateness::{self, Lateness},
    reason::Reason,
    timetable::Timetable,
};

/// How long it is told that due times were dropped.
const DROPPED_DAYS: i32 = 7;

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
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Requests {
    /// How many.
    pub count: i64,
    /// The date of the oldest.
    pub oldest_on: Option<NaiveDate>,
}

/// Files that were refused as a whole, for the same reason.
#[derive(Clone, Debug, Serialize)]
pub struct RefusedFile {
    /// The name of the latest.
    pub name: String,
    /// The business date it arrived on.
    pub received_on: NaiveDate,
    /// Why.
    pub refusal: String,
    /// How many.
    pub count: i64,
    /// The business date on which the first of them arrived.
    pub since: NaiveDate,
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

/// The business date of the first night owed to a store where none is complete: the first that was begun, else that on
/// which the first file arrived.
pub async fn first_owed(conn: &mut PgConnection) -> Result<Option<NaiveDate>> {
    match tick::first(&mut *conn).await? {
        None => first_file_on(conn).await,
        begun => Ok(begun),
    }
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
           from run r join run_chunk c using (run_id)
           where r.status <> 'done' and c.status in ('ready', 'claimed', 'failed')"#
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

/// How many reference rates wait for the operator.
pub async fn held_rates(conn: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from rate_open where per_euro_micro is not null"#)
        .fetch_one(conn)
        .await?)
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
        r#"select status as "status!", count(*) as "count!" from mail
           where status <> 'sent' group by status order by 1"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let owed = sqlx::query_scalar!(r#"select count(*) as "owed!" from mail_notice where mail_id is null"#)
        .fetch_one(conn)
        .await?;
    Ok((rows.into_iter().map(|row| (row.status, row.count)).collect(), owed))
}

/// Why files were refused as a whole since a business date, the latest first, at most so many.
pub async fn refused_files(
    conn: &mut PgConnection,
    since: NaiveDate,
    at_most: i64,
) -> Result<Vec<RefusedFile>> {
    Ok(sqlx::query_as!(
        RefusedFile,
        r#"select (array_agg(name order by file_id desc))[1] as "name!", max(received_on) as "received_on!",
                  coalesce(refusal, '') as "refusal!", count(*) as "count!", min(received_on) as "since!"
           from file where status = 'refused' and received_on >= $1
           group by refusal order by max(file_id) desc limit $2"#,
        since,
        at_most
    )
    .fetch_all(conn)
    .await?)
}

/// A time that half of what was measured stayed within, and one that 95 of 100 did; in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half.
    pub p50: f64,
    /// 95 of 100.
    pub p95: f64,
}

/// The chunks of a job, of all its runs that are kept, and how they fared in the last 24 hours.
#[derive(Clone, Debug, Serialize)]
pub struct QueueFigures {
    /// The job.
    pub job: String,
    /// To be claimed now.
    pub ready: i64,
    /// Not before a later time: a pause after a failure, or an operator's.
    pub waiting: i64,
    /// Under a lease.
    pub running: i64,
    /// Claimed by a worker of whom no word came until its lease was over.
    pub lapsed: i64,
    /// Failed for good: dead letters, for an operator to retry or to discard.
    pub dead: i64,
    /// Discarded by an operator.
    pub discarded: i64,
    /// Failed and cut: their parts stand for them.
    pub split: i64,
    /// For how many seconds the oldest of those to be claimed has been.
    pub oldest_ready_seconds: Option<f64>,
    /// From when it could be claimed to when it was.
    pub wait_seconds: Option<Quantiles>,
    /// From the claim to the end of those that were done.
    pub run_seconds: Option<Quantiles>,
}

/// Where everything stands at one moment. `status`, the health endpoints and the metrics all tell this.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The business clock's time.
    pub now: DateTime<Utc>,
    /// The last complete night, and when it was completed by the database's clock.
    pub last_night: Option<(NaiveDate, DateTime<Utc>)>,
    /// How late the nights are.
    pub lateness: Lateness,
    /// Processes that live, and those that fell silent.
    pub processes: Vec<Seen>,
    /// Jobs that have chunks which are not done, or that did any in the last 24 hours.
    pub queues: Vec<QueueFigures>,
    /// How many mails are in each state but `sent`.
    pub mails: Vec<(String, i64)>,
    /// Notices that no mail carries yet.
    pub notices_owed: i64,
    /// Due times that the cap on catching up dropped in the last 7 days.
    pub dropped: Vec<tick::DroppedTicks>,
}

impl Figures {
    /// The process that fell silent last, if no other keeps the timetable now. A store where none ever was, or all
    /// left in order, is somebody else's to run, by hand or by cron.
    #[must_use]
    pub fn missed(&self) -> Option<&Seen> {
        let nobody = !self.processes.iter().any(|process| process.lives);
        self.processes.first().filter(|_| nobody)
    }

    /// Whether nobody need be told: no night is overdue, and no process is missed.
    #[must_use]
    pub fn is_well(&self) -> bool {
        !self.lateness.overdue && self.missed().is_none()
    }

    /// How late the first missing night is, in seconds; zero while none is due.
    #[must_use]
    pub fn late_seconds(&self) -> i64 {
        self.lateness.due_at.map_or(0, |due| self.now.signed_duration_since(due).num_seconds().max(0))
    }

    /// Chunks that failed for good and that no operator has dealt with.
    #[must_use]
    pub fn dead_letters(&self) -> i64 {
        self.queues.iter().map(|queue| queue.dead).sum()
    }
}

/// Whether the store answers at all.
pub async fn answers(conn: &mut PgConnection) -> Result<()> {
    sqlx::query_scalar!("select 1").fetch_one(conn).await?;
    Ok(())
}

/// Where everything stands at `now` on the business clock. Reads what is open and what is recent, through indexes:
/// what a night costs does not weigh on it.
pub async fn figures(
    conn: &mut PgConnection,
    timetables: &[(&'static str, &Timetable)],
    now: DateTime<Utc>,
) -> Result<Figures> {
    let last_night = last_night(conn).await?;
    let first_on = if last_night.is_none() { first_owed(conn).await? } else { None };
    let last_on = last_night.map(|(day, _)| day);
    let known = match lateness::first_missing(now, last_on, first_on) {
        Some(first) => tick::known(conn, first).await?,
        None => vec![],
    };
    let (mails, notices_owed) = unsent(conn).await?;
    Ok(Figures {
        now,
        last_night,
        lateness: lateness::of(timetables, now, last_on, first_on, &known),
        processes: process::seen(conn).await?,
        queues: queues(conn).await?,
        mails,
        notices_owed,
        dropped: tick::dropped(conn, DROPPED_DAYS).await?,
    })
}

/// What each job has to do, and how its chunks fared in the last 24 hours, by the database's clock.
pub async fn queues(conn: &mut PgConnection) -> Result<Vec<QueueFigures>> {
    let rows = sqlx::query!(
        r#"with chunk as (
               select run_id, status, ready_at, lease_until from run_chunk where status in ('ready', 'claimed')
               union all
               select run_id, status, ready_at, lease_until from run_chunk where status in ('failed', 'discarded')
               union all
               select run_id, status, ready_at, lease_until from run_chunk where status = 'split'
           ), stands as (
               select r.job, count(*) filter (where c.status = 'ready' and ready_at <= now()) as ready,
                      count(*) filter (where c.status = 'ready' and ready_at > now()) as waiting,
                      count(*) filter (where c.status = 'claimed' and lease_until >= now()) as running,
                      count(*) filter (where c.status = 'claimed' and lease_until < now()) as lapsed,
                      count(*) filter (where c.status = 'failed') as dead,
                      count(*) filter (where c.status = 'discarded') as discarded,
                      count(*) filter (where c.status = 'split') as split,
                      extract(epoch from now() - min(ready_at) filter (where c.status = 'ready' and ready_at <= now()))
                          as oldest
               from chunk c join run r using (run_id) group by r.job
           ), fared as (
               select r.job,
                      percentile_cont(array[0.5, 0.95]) within group (order by case when a.ready_at > a.started_at then 0 else
                          extract(epoch from a.started_at - a.ready_at)::float8 end) as wait,
                      percentile_cont(array[0.5, 0.95]) within group (order by case when a.outcome = 'done' then
                          extract(epoch from a.finished_at - a.started_at)::float8 end) as run
               from attempt a join run r using (run_id)
               where a.started_at > now() - interval '24 hours' group by r.job
           )
           select job as "job!", coalesce(s.ready, 0) as "ready!", coalesce(s.waiting, 0) as "waiting!",
                  coalesce(s.running, 0) as "running!", coalesce(s.lapsed, 0) as "lapsed!",
                  coalesce(s.dead, 0) as "dead!", coalesce(s.discarded, 0) as "discarded!",
                  coalesce(s.split, 0) as "split!", s.oldest::float8 as oldest,
                  f.wait[1] as wait_p50, f.wait[2] as wait_p95, f.run[1] as run_p50, f.run[2] as run_p95
           from stands s full join fared f using (job) order by job"#
    )
    .fetch_all(conn)
    .await?;
    let both = |p50: Option<f64>, p95: Option<f64>| Some(Quantiles { p50: p50?, p95: p95? });
    Ok(rows
        .into_iter()
        .map(|row| QueueFigures {
            job: row.job,
            ready: row.ready,
            waiting: row.waiting,
            running: row.running,
            lapsed: row.lapsed,
            dead: row.dead,
            discarded: row.discarded,
            split: row.split,
            oldest_ready_seconds: row.oldest,
            wait_seconds: both(row.wait_p50, row.wait_p95),
            run_seconds: both(row.run_p50, row.run_p95),
        })
        .collect())
}

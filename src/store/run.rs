//! Runs, chunks and attempts: what is to be done for a business date, who does it, and what came of it.
//!
//! A chunk is claimed under a lease with an epoch, in a transaction of its own, so that crashes count as
//! attempts; its effects and its outcome commit together, and only while the epoch still holds.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::Result;
use crate::domain::id::RunNo;

mod claim;
mod leader;
mod span;
mod split;

pub use claim::{
    Chunk, Claimant, Pause, Word, claim, end_paused, finish, give_back, hand_back, hold, name_try, release,
    renew,
};
pub use leader::{
    FACT_LANES, become_leader, change_facts, change_facts_in, end_without_heartbeat, ensure_leader,
    heartbeat, lock_night, night_runs, share_facts,
};
pub use span::{Counts, Span, SpanKey};
pub use split::{Single, left_out, narrow, singles, split};

/// What a run is made with; recorded with it.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// Version of the binary.
    pub binary_version: String,
    /// SHA-256 of the job's policy file.
    pub policy_sha256: String,
    /// SHA-256 of the catalogue.
    pub catalogue_sha256: String,
    /// Host and data directory of the process that coordinates.
    pub place: String,
}

/// A job's run for a business date.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Its number, on every effect.
    pub run_id: RunNo,
    /// The last stage whose chunks are planned; −1: none.
    pub stage: i16,
    /// Whether chunks of it are open, or failed for good.
    pub has_chunks: bool,
}

/// What a run's chunks that are not done come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenChunks {
    /// Ready, or claimed.
    pub open: i64,
    /// Failed for good.
    pub failed: i64,
    /// Of these, those whose span is the one key at fault.
    pub single: i64,
}

/// Which of these jobs have a run for a business date.
pub async fn begun(conn: &mut PgConnection, jobs: &[String], due_on: NaiveDate) -> Result<Vec<String>> {
    let found = sqlx::query_scalar!("select job from run where job = any($1) and due_on = $2", jobs, due_on);
    Ok(found.fetch_all(conn).await?)
}

/// Begins the run of `job` for `due_on`, or takes up the one there is: one with work left, or with work that its night is to
/// go on past, where it stopped, or after the stage of what was made ready again; another from its first stage, to look again.
/// Recorded with it is the SHA-256 over the files that were applied before, in order of arrival.
pub async fn begin(conn: &mut PgConnection, job: &str, due_on: NaiveDate, with: &Provenance) -> Result<Run> {
    let run = sqlx::query_as!(
        Run,
        r#"insert into run (job, due_on, binary_version, policy_sha256, catalogue_sha256, place, input_sha256)
         select $1, $2, $3, $4, $5, $6,
                encode(sha256(convert_to(coalesce(string_agg(sha256, ',' order by file_id), ''), 'utf8')), 'hex')
         from file where status = 'done'
         on conflict (job, due_on) do update set
             attempts = run.attempts + 1,
             stage = case when run.status = 'running' or exists (
                         select from run_chunk c
                         where c.run_id = run.run_id
                           and (c.status in ('ready', 'claimed') or c.status = 'failed' and c.only_key is null)
                     ) or run.status = 'incomplete' and not exists (select from night n where n.due_on = run.due_on)
                     -- what follows from a stage is planned again after it
                     then least(run.stage, (select min(c.stage) from run_chunk c
                                            where c.run_id = run.run_id and c.status in ('ready', 'claimed')))
                     else -1 end,
             status = 'running',
             binary_version = excluded.binary_version, policy_sha256 = excluded.policy_sha256,
             catalogue_sha256 = excluded.catalogue_sha256, input_sha256 = excluded.input_sha256,
             place = excluded.place
         returning run_id, stage, exists (
             select from run_chunk c where c.run_id = run.run_id and c.status in ('ready', 'claimed', 'failed')
         ) as "has_chunks!""#,
        job,
        due_on,
        with.binary_version,
        with.policy_sha256,
        with.catalogue_sha256,
        with.place,
    )
    .fetch_one(conn)
    .await?;
    Ok(run)
}

/// Records runs of jobs that had nothing to do for `due_on`, begun and done at once, each with its last stage.
pub async fn record_idle(
    conn: &mut PgConnection,
    due_on: NaiveDate,
    idle: &[(&str, i16, Provenance)],
) -> Result<()> {
    let Some((.., with)) = idle.first() else { return Ok(()) };
    let jobs: Vec<String> = idle.iter().map(|(job, ..)| (*job).to_owned()).collect();
    let stages: Vec<i16> = idle.iter().map(|(_, stage, _)| *stage).collect();
    let policies: Vec<String> = idle.iter().map(|(.., with)| with.policy_sha256.clone()).collect();
    sqlx::query!(
        "insert into run (job, due_on, status, stage, finished_at, binary_version, policy_sha256, catalogue_sha256,
                          input_sha256, place)
         select i.job, $1, 'done', i.stage, now(), $5, i.policy_sha256, $6,
                (select encode(sha256(convert_to(coalesce(string_agg(sha256, ',' order by file_id), ''), 'utf8')), 'hex')
                 from file where status = 'done'), $7
         from unnest($2::text[], $3::smallint[], $4::text[]) with ordinality as i (job, stage, policy_sha256, nth)
         order by i.nth",
        due_on,
        &jobs,
        &stages,
        &policies,
        with.binary_version,
        with.catalogue_sha256,
        with.place,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records the chunks of `stage`, if there are any; a span that is open already is not doubled.
pub async fn plan(
    conn: &mut PgConnection,
    run_id: RunNo,
    stage: i16,
    priority: i16,
    spans: &[Span],
) -> Result<()> {
    if spans.is_empty() {
        return Ok(());
    }
    sqlx::query!("update run set stage = $2 where run_id = $1", run_id.get(), stage)
        .execute(&mut *conn)
        .await?;
    let from_on: Vec<NaiveDate> = spans.iter().map(|s| s.from.0).collect();
    let from_id: Vec<i64> = spans.iter().map(|s| s.from.1).collect();
    let until_on: Vec<NaiveDate> = spans.iter().map(|s| s.until.0).collect();
    let until_id: Vec<i64> = spans.iter().map(|s| s.until.1).collect();
    sqlx::query!(
        "insert into run_chunk (run_id, chunk_no, stage, priority, from_on, from_id, until_on, until_id)
         select $1, (select coalesce(max(chunk_no), 0) from run_chunk where run_id = $1) + nth, $2, $3,
                f_on, f_id, u_on, u_id
         from unnest($4::date[], $5::bigint[], $6::date[], $7::bigint[]) with ordinality
              as span (f_on, f_id, u_on, u_id, nth)
         on conflict do nothing",
        run_id.get(),
        stage,
        priority,
        &from_on,
        &from_id,
        &until_on,
        &until_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A run under way that has chunks to claim.
#[derive(Clone, Debug)]
pub struct Claimable {
    /// The run.
    pub run_id: RunNo,
    /// Its job.
    pub job: String,
    /// Its business date.
    pub due_on: NaiveDate,
    /// What it was begun with; whoever works by other policies leaves it alone.
    pub binary_version: String,
    /// SHA-256 of the job's policy file.
    pub policy_sha256: String,
    /// SHA-256 of the catalogue.
    pub catalogue_sha256: String,
    /// Host and data directory of the process that coordinates it.
    pub place: Option<String>,
    /// The highest priority of these chunks.
    pub priority: i16,
    /// How many of its chunks are ready, or were let go of by a worker whose lease lapsed.
    pub chunks: i64,
}

/// The runs under way that have chunks to claim, the most urgent first, then the oldest.
pub async fn claimable(conn: &mut PgConnection) -> Result<Vec<Claimable>> {
    Ok(sqlx::query_as!(
        Claimable,
        r#"select r.run_id, r.job, r.due_on, r.binary_version, r.policy_sha256, r.catalogue_sha256, r.place,
                  max(c.priority) as "priority!", count(*) as "chunks!"
           from run r join run_chunk c using (run_id)
           where r.status = 'running' and c.status in ('ready', 'claimed')
             and (c.status = 'ready' and c.ready_at <= now() or c.lease_until < now())
           group by r.run_id order by max(c.priority) desc, r.run_id"#
    )
    .fetch_all(conn)
    .await?)
}

/// Runs that their nights went on past, or of nights that are over, and that have work to go on with: chunks that an operator
/// made ready again, or a process that ended while it was at that.
pub async fn retried(conn: &mut PgConnection) -> Result<Vec<(String, NaiveDate)>> {
    let rows = sqlx::query!(
        r#"with open as materialized (
               select run_id, job, due_on, status from run r
               where status in ('incomplete', 'running') and due_on <= (select max(due_on) from night)
                  or status = 'incomplete' and exists (select from tick t where t.name = r.job and t.due_on = r.due_on
                                                         and t.answered_at is not null)
           )
           select o.job as "job!", o.due_on as "due_on!" from open o
           where case o.status
               when 'incomplete' then exists (select from run_chunk c where c.run_id = o.run_id
                                                and c.status = 'ready' and c.ready_at <= now())
               else not exists (select from run_chunk c where c.run_id = o.run_id
                                  and c.status = 'ready' and c.ready_at > now()) end
           order by o.due_on, o.run_id"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.job, row.due_on)).collect())
}

/// Chunks of a run that are not done.
pub async fn open_chunks(conn: &mut PgConnection, run_id: RunNo) -> Result<OpenChunks> {
    Ok(sqlx::query_as!(
        OpenChunks,
        r#"select count(*) filter (where status in ('ready', 'claimed')) as "open!",
                  count(*) filter (where status = 'failed') as "failed!",
                  count(*) filter (where status = 'failed' and only_key is not null) as "single!"
           from run_chunk where run_id = $1 and status in ('ready', 'claimed', 'failed')"#,
        run_id.get()
    )
    .fetch_one(conn)
    .await?)
}

/// How many chunks of a run failed for good, asked by who is about to claim one. Unless it is a rehearsal's, Postgres ends its
/// transaction after 20 s without a statement: who is paused in it keeps no chunk from others.
pub async fn failed_chunks(conn: &mut PgConnection, run_id: RunNo, rehearsed: bool) -> Result<i64> {
    let row = sqlx::query!(
        r#"select count(*) as "failed!",
                  case when not $2 then set_config('idle_in_transaction_session_timeout', '20s', true) end as ends
           from run_chunk where run_id = $1 and status = 'failed'"#,
        run_id.get(),
        rehearsed
    )
    .fetch_one(conn)
    .await?;
    Ok(row.failed)
}

/// The chunks of a run that failed for good, by number, and what the first of them said last.
pub async fn failures(conn: &mut PgConnection, run_id: RunNo) -> Result<(Vec<i32>, String)> {
    let row = sqlx::query!(
        r#"select array_agg(chunk_no order by chunk_no) as "numbers!",
                  coalesce((select error from attempt a
                            where a.run_id = $1 and a.chunk_no = (select min(chunk_no) from run_chunk
                                                                  where run_id = $1 and status = 'failed')
                              and error is not null
                            order by attempt_id desc limit 1), 'nothing') as "said!"
           from run_chunk where run_id = $1 and status = 'failed' having count(*) > 0"#,
        run_id.get()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map_or_else(|| (vec![], String::new()), |row| (row.numbers, row.said)))
}

/// Closes a run: `done` only when no chunk is missing, else `incomplete`. Says what it came to. `stage`: the last that was
/// planned, if stages without chunks were since the last with some.
pub async fn close(conn: &mut PgConnection, run_id: RunNo, stage: Option<i16>) -> Result<Counts> {
    Ok(sqlx::query_as!(
        Counts,
        r#"update run set finished_at = now(), stage = coalesce($2, run.stage),
               status = case when t.missing = 0 then 'done' else 'incomplete' end,
               -- what was counted stays counted when its chunks are forgotten
               done = greatest(run.done, t.done), refused = greatest(run.refused, t.refused),
               failed = greatest(run.failed, t.failed)
           from (select count(*) filter (where status not in ('done', 'split')) as missing, coalesce(sum(done), 0)::bigint as done,
                        coalesce(sum(refused), 0)::bigint as refused, coalesce(sum(failed), 0)::bigint as failed
                 from run_chunk where run_id = $1) t
           where run.run_id = $1
           returning t.done as "done!", t.refused as "refused!", t.failed as "failed!""#,
        run_id.get(),
        stage
    )
    .fetch_one(conn)
    .await?)
}

/// The last business date whose night is complete.
pub async fn last_night(conn: &mut PgConnection) -> Result<Option<NaiveDate>> {
    Ok(sqlx::query_scalar!("select max(due_on) from night").fetch_one(conn).await?)
}

/// A night that is complete.
#[derive(Clone, Debug)]
pub struct Complete {
    /// Since when, by the database's clock.
    pub at: DateTime<Utc>,
    /// Each job that ran: what it came to in all, and what its chunks say that are kept.
    pub jobs: Vec<(String, Counts, Counts)>,
}

/// What the night of a business date came to, if it is complete.
pub async fn complete(conn: &mut PgConnection, due_on: NaiveDate) -> Result<Option<Complete>> {
    let at = sqlx::query_scalar!("select completed_at from night where due_on = $1", due_on)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(at) = at else { return Ok(None) };
    let rows = sqlx::query!(
        r#"select r.job, r.done, r.refused, r.failed, coalesce(c.done, 0) as "kept_done!",
                  coalesce(c.refused, 0) as "kept_refused!", coalesce(c.failed, 0) as "kept_failed!"
           from run r
           cross join lateral (select sum(done)::bigint as done, sum(refused)::bigint as refused,
                                      sum(failed)::bigint as failed
                               from run_chunk where run_id = r.run_id) c
           where r.due_on = $1"#,
        due_on
    )
    .fetch_all(conn)
    .await?;
    let jobs = rows.into_iter().map(|r| {
        let kept = Counts { done: r.kept_done, refused: r.kept_refused, failed: r.kept_failed };
        (r.job, Counts { done: r.done, refused: r.refused, failed: r.failed }, kept)
    });
    Ok(Some(Complete { at, jobs: jobs.collect() }))
}

/// Marks a business date complete; again changes nothing.
pub async fn complete_night(conn: &mut PgConnection, due_on: NaiveDate) -> Result<()> {
    sqlx::query!("insert into night (due_on) values ($1) on conflict do nothing", due_on)
        .execute(conn)
        .await?;
    Ok(())
}

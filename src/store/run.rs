//! Runs, chunks and attempts: what is to be done for a business date, who does it, and what came of it.
//!
//! A chunk is claimed under a lease with an epoch, in a transaction of its own, so that crashes count as
//! attempts; its effects and its outcome commit together, and only while the epoch still holds.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Error, Result};

/// A place in the order of (date, id) that a job's work is cut along.
pub type Key = (NaiveDate, i64);

/// A half-open span of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First key.
    pub from: Key,
    /// The key after the last.
    pub until: Key,
}

/// What a chunk, or a run, came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Effects booked.
    pub done: i64,
    /// Refused, with reasons on record.
    pub refused: i64,
    /// Could not be decided; stays due.
    pub failed: i64,
}

impl Counts {
    /// So many effects.
    #[must_use]
    pub fn done(effects: usize) -> Self {
        Self { done: i64::try_from(effects).unwrap_or(i64::MAX), ..Self::default() }
    }
}

/// What a run is made with; recorded with it.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Version of the binary.
    pub binary_version: String,
    /// SHA-256 of the job's policy file.
    pub policy_sha256: String,
    /// SHA-256 of the catalogue.
    pub catalogue_sha256: String,
    /// SHA-256 over the files applied before it ([`input_sha256`]).
    pub input_sha256: String,
}

/// A job's run for a business date.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Its number, on every effect.
    pub run_id: i64,
    /// The last stage whose chunks are planned; −1: none.
    pub stage: i16,
}

/// A chunk under a lease.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The run.
    pub run_id: i64,
    /// Its number in the run.
    pub chunk_no: i32,
    /// Which part of the job it is of.
    pub stage: i16,
    /// What it covers.
    pub span: Span,
    /// The fence: a later claim has a higher one.
    pub epoch: i32,
    /// The row of `attempt` that this claim is.
    pub attempt_id: i64,
}

/// SHA-256 over the files that have been applied, in order of arrival.
pub async fn input_sha256(conn: &mut PgConnection) -> Result<String> {
    let hash = sqlx::query_scalar!(
        r#"select encode(sha256(convert_to(coalesce(string_agg(sha256, ',' order by file_id), ''), 'utf8')), 'hex')
               as "hash!" from file where status = 'done'"#
    )
    .fetch_one(conn)
    .await?;
    Ok(hash)
}

/// Begins the run of `job` for `due_on`, or takes up the one there is: an unfinished one where it stopped, a
/// finished one from its first stage, to look again.
pub async fn begin(conn: &mut PgConnection, job: &str, due_on: NaiveDate, with: &Provenance) -> Result<Run> {
    let run = sqlx::query_as!(
        Run,
        "insert into run (job, due_on, binary_version, policy_sha256, catalogue_sha256, input_sha256)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (job, due_on) do update set
             attempts = run.attempts + 1,
             stage = case when run.status in ('running', 'incomplete') then run.stage else -1 end,
             status = 'running',
             binary_version = excluded.binary_version, policy_sha256 = excluded.policy_sha256,
             catalogue_sha256 = excluded.catalogue_sha256, input_sha256 = excluded.input_sha256
         returning run_id, stage",
        job,
        due_on,
        with.binary_version,
        with.policy_sha256,
        with.catalogue_sha256,
        with.input_sha256,
    )
    .fetch_one(conn)
    .await?;
    Ok(run)
}

/// Records the chunks of `stage`.
pub async fn plan(conn: &mut PgConnection, run_id: i64, stage: i16, spans: &[Span]) -> Result<()> {
    sqlx::query!("update run set stage = $2 where run_id = $1", run_id, stage).execute(&mut *conn).await?;
    if spans.is_empty() {
        return Ok(());
    }
    let from_on: Vec<NaiveDate> = spans.iter().map(|s| s.from.0).collect();
    let from_id: Vec<i64> = spans.iter().map(|s| s.from.1).collect();
    let until_on: Vec<NaiveDate> = spans.iter().map(|s| s.until.0).collect();
    let until_id: Vec<i64> = spans.iter().map(|s| s.until.1).collect();
    sqlx::query!(
        "insert into run_chunk (run_id, chunk_no, stage, from_on, from_id, until_on, until_id)
         select $1, (select coalesce(max(chunk_no), 0) from run_chunk where run_id = $1) + nth, $2, f_on, f_id, u_on, u_id
         from unnest($3::date[], $4::bigint[], $5::date[], $6::bigint[]) with ordinality
              as span (f_on, f_id, u_on, u_id, nth)",
        run_id,
        stage,
        &from_on,
        &from_id,
        &until_on,
        &until_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Claims the next chunk of a run that is ready, or whose worker let its lease lapse.
///
/// The caller commits before it works, so that a crash counts. A chunk that used up `max_attempts` is failed.
pub async fn claim(
    conn: &mut PgConnection,
    run_id: i64,
    worker: &str,
    lease_seconds: f64,
    max_attempts: i32,
) -> Result<Option<Chunk>> {
    let row = sqlx::query!(
        r#"with spent as (
               update run_chunk set status = 'failed'
               where run_id = $1 and status = 'claimed' and lease_until < now() and attempts >= $4
           ), next as (
               select chunk_no from run_chunk
               where run_id = $1 and attempts < $4
                 and (status = 'ready' or status = 'claimed' and lease_until < now())
               order by chunk_no limit 1 for update skip locked
           ), claimed as (
               update run_chunk c set status = 'claimed', attempts = attempts + 1, epoch = epoch + 1, worker = $2,
                   lease_until = now() + make_interval(secs => $3)
               from next where c.run_id = $1 and c.chunk_no = next.chunk_no
               returning c.*
           ), started as (
               insert into attempt (run_id, chunk_no, epoch, worker)
               select run_id, chunk_no, epoch, $2 from claimed
               returning attempt_id
           )
           select c.run_id as "run_id!", c.chunk_no as "chunk_no!", c.stage as "stage!", c.from_on as "from_on!",
                  c.from_id as "from_id!", c.until_on as "until_on!", c.until_id as "until_id!",
                  c.epoch as "epoch!", s.attempt_id as "attempt_id!"
           from claimed c, started s"#,
        run_id,
        worker,
        lease_seconds,
        max_attempts,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| Chunk {
        run_id: r.run_id,
        chunk_no: r.chunk_no,
        stage: r.stage,
        span: Span { from: (r.from_on, r.from_id), until: (r.until_on, r.until_id) },
        epoch: r.epoch,
        attempt_id: r.attempt_id,
    }))
}

/// Prolongs a claim for its worker; `false` when it is no longer this worker's.
pub async fn renew(conn: &mut PgConnection, chunk: &Chunk, lease_seconds: f64) -> Result<bool> {
    let renewed = sqlx::query!(
        "update run_chunk set lease_until = now() + make_interval(secs => $4)
         where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed'",
        chunk.run_id,
        chunk.chunk_no,
        chunk.epoch,
        lease_seconds,
    )
    .execute(conn)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// A run under way that has chunks to claim.
#[derive(Clone, Debug)]
pub struct Claimable {
    /// The run.
    pub run_id: i64,
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
    /// How many of its chunks are ready, or were let go of by a worker whose lease lapsed.
    pub chunks: i64,
}

/// The runs under way that have chunks to claim, the oldest first.
pub async fn claimable(conn: &mut PgConnection) -> Result<Vec<Claimable>> {
    Ok(sqlx::query_as!(
        Claimable,
        r#"select r.run_id, r.job, r.due_on, r.binary_version, r.policy_sha256, r.catalogue_sha256,
                  count(*) as "chunks!"
           from run r join run_chunk c using (run_id)
           where r.status = 'running' and c.status in ('ready', 'claimed')
             and (c.status = 'ready' or c.lease_until < now())
           group by r.run_id order by r.run_id"#
    )
    .fetch_all(conn)
    .await?)
}

/// Records the outcome of a chunk, in the transaction of its effects.
///
/// # Errors
/// [`Error::LeaseLost`] when the chunk was claimed again meanwhile: the caller rolls back.
pub async fn finish(conn: &mut PgConnection, chunk: &Chunk, counts: Counts) -> Result<()> {
    let updated = sqlx::query!(
        "with closed as (update attempt set finished_at = now() where attempt_id = $7)
         update run_chunk set status = 'done', lease_until = null, done = $4, refused = $5, failed = $6
         where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed'",
        chunk.run_id,
        chunk.chunk_no,
        chunk.epoch,
        counts.done,
        counts.refused,
        counts.failed,
        chunk.attempt_id,
    )
    .execute(conn)
    .await?;
    if updated.rows_affected() == 1 { Ok(()) } else { Err(Error::LeaseLost) }
}

/// Gives a chunk back after an error; it is failed for good once its attempts are used up.
pub async fn give_back(conn: &mut PgConnection, chunk: &Chunk, error: &str, max_attempts: i32) -> Result<()> {
    sqlx::query!(
        "with closed as (update attempt set finished_at = now(), error = $5 where attempt_id = $6)
         update run_chunk set lease_until = null, status = case when attempts >= $4 then 'failed' else 'ready' end
         where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed'",
        chunk.run_id,
        chunk.chunk_no,
        chunk.epoch,
        max_attempts,
        error,
        chunk.attempt_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets go of what processes of this role held that cannot be alive any more: the caller holds their lock.
pub async fn release(conn: &mut PgConnection, role: &str) -> Result<()> {
    sqlx::query!(
        "update run_chunk set lease_until = now() - interval '1 second'
         where status = 'claimed' and worker like $1 || ':%'",
        role
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Chunks of a run that are not done, and of these the ones that failed for good.
pub async fn open_chunks(conn: &mut PgConnection, run_id: i64) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"select count(*) filter (where status in ('ready', 'claimed')) as "open!",
                  count(*) filter (where status = 'failed') as "failed!"
           from run_chunk where run_id = $1 and status <> 'done'"#,
        run_id
    )
    .fetch_one(conn)
    .await?;
    Ok((row.open, row.failed))
}

/// Gives chunks that failed for good another set of attempts: the operator started the run again.
pub async fn revive(conn: &mut PgConnection, run_id: i64) -> Result<()> {
    sqlx::query!(
        "update run_chunk set status = 'ready', attempts = 0 where run_id = $1 and status = 'failed'",
        run_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes a run: `done` only when no chunk is missing, else `incomplete`. Says what it came to.
pub async fn close(conn: &mut PgConnection, run_id: i64) -> Result<(bool, Counts)> {
    let row = sqlx::query!(
        r#"update run set finished_at = now(),
               status = case when t.missing = 0 then 'done' else 'incomplete' end,
               done = t.done, refused = t.refused, failed = t.failed
           from (select count(*) filter (where status <> 'done') as missing, coalesce(sum(done), 0)::bigint as done,
                        coalesce(sum(refused), 0)::bigint as refused, coalesce(sum(failed), 0)::bigint as failed
                 from run_chunk where run_id = $1) t
           where run.run_id = $1
           returning (t.missing = 0) as "complete!", t.done as "done!", t.refused as "refused!", t.failed as "failed!""#,
        run_id
    )
    .fetch_one(conn)
    .await?;
    Ok((row.complete, Counts { done: row.done, refused: row.refused, failed: row.failed }))
}

/// The last business date whose night is complete.
pub async fn last_night(conn: &mut PgConnection) -> Result<Option<NaiveDate>> {
    Ok(sqlx::query_scalar!("select max(due_on) from night").fetch_one(conn).await?)
}

/// Marks a business date complete; again changes nothing.
pub async fn complete_night(conn: &mut PgConnection, due_on: NaiveDate) -> Result<()> {
    sqlx::query!("insert into night (due_on) values ($1) on conflict do nothing", due_on)
        .execute(conn)
        .await?;
    Ok(())
}

/// The lock of the one process that runs nights; held while `conn`'s transaction is open. `false`: another has it.
pub async fn lock_night(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtext('benefactor.night')) as "held!""#)
        .fetch_one(conn)
        .await?)
}

/// Whether some process runs nights now; asks without taking their lock, so that nobody finds it held by a question.
pub async fn night_runs(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from pg_locks
               where locktype = 'advisory' and objsubid = 1 and granted
                 and database = (select oid from pg_database where datname = current_database())
                 and (classid::bigint << 32 | objid::bigint) = hashtext('benefactor.night')::bigint
           ) as "runs!""#
    )
    .fetch_one(conn)
    .await?)
}

/// Keeps files from changing facts while a chunk reads and writes by them, until the transaction ends.
pub async fn share_facts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock_shared(hashtext('benefactor.facts'))").fetch_one(conn).await?;
    Ok(())
}

/// Keeps chunks of jobs away while facts change, until the transaction ends.
pub async fn change_facts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('benefactor.facts'))").fetch_one(conn).await?;
    Ok(())
}

//! Claims: a chunk is taken under a lease, and its try ends done, failed, cancelled, released or lost.
//!
//! The transaction of a try is named after it while it is open. Whoever takes its chunk over ends the session of that
//! name: a worker that is paused loses its locks with it, and writes nothing when it wakes. The name is the
//! transaction's, so that a session shared through a pooler is never ended for another's.

use sqlx::PgConnection;

use super::span::{Counts, Span};
use crate::{
    domain::id::RunNo,
    store::{Error, Result},
};

/// Tries of a chunk that are handed back without counting; one that brings an outage on itself ends there.
const SPARED: i64 = 50;

/// A chunk under a lease.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The run.
    pub run_id: RunNo,
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
    /// Which try it is, from 1.
    pub attempts: i32,
    /// The chunk that was cut, if this is a part of one.
    pub split_of: Option<i32>,
}

/// Who claims, and how hard a job may be tried.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// A role and a name that no other process ever has.
    pub worker: &'a str,
    /// Seconds without word after which others take over.
    pub lease_seconds: f64,
    /// Tries of a chunk, crashes included.
    pub max_attempts: i32,
    /// Chunks of the job under way in all processes together.
    pub in_all: Option<i64>,
}

/// What a worker hears when it gives word for its chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Go on.
    GoOn,
    /// An operator called it off: end it.
    CalledOff,
    /// It is another worker's by now, or done: end it.
    Lost,
}

/// The pause after a failed try: doubled with every further one, up to the longest; seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// After the first.
    pub first: u32,
    /// The longest.
    pub at_most: u32,
}

/// Claims the next chunk of a run: one whose worker let its lease lapse, else the most urgent that is ready.
///
/// The caller commits before it works, so that a crash counts. A chunk that used up its tries is failed, one that was
/// called off is discarded.
pub async fn claim(conn: &mut PgConnection, run_id: RunNo, by: Claimant<'_>) -> Result<Option<Chunk>> {
    if let Some(limit) = by.in_all
        && !is_room(&mut *conn, run_id, limit).await?
    {
        return Ok(None);
    }
    let row = sqlx::query!(
        r#"with lapsed as (
               select chunk_no, lease_until, attempts >= $4 as spent, cancel_asked_at is not null as called_off
               from run_chunk where run_id = $1 and status = 'claimed' and lease_until < now()
               for update skip locked
           ), given_up as (
               update run_chunk c set status = case when l.called_off then 'discarded' else 'failed' end,
                   finished_at = now(), lease_until = null
               from lapsed l where c.run_id = $1 and c.chunk_no = l.chunk_no and (l.spent or l.called_off)
           ), fresh as (
               select chunk_no, ready_at from run_chunk
               where run_id = $1 and status = 'ready' and ready_at <= now() and attempts < $4
               order by priority desc, chunk_no limit 1 for update skip locked
           ), next as (
               select chunk_no, ready_at from (
                   select chunk_no, lease_until as ready_at, 0 as place from lapsed where not spent and not called_off
                   union all
                   select chunk_no, ready_at, 1 from fresh
               ) either order by place, chunk_no limit 1
           ), lost as (
               update attempt a set finished_at = now(), outcome = 'lost',
                   error = 'no word from its worker until its lease lapsed'
               from lapsed l
               where a.run_id = $1 and a.chunk_no = l.chunk_no and a.finished_at is null
                 and (l.spent or l.called_off or l.chunk_no in (select chunk_no from next))
               -- told by each row that is written, whether or not there is anything to claim
               returning (select pg_terminate_backend(s.pid) from pg_stat_activity s
                          where s.application_name = 'benefactor try ' || a.attempt_id
                            and s.usename = current_user and s.datname = current_database())
           ), claimed as (
               update run_chunk c set status = 'claimed', attempts = attempts + 1, epoch = epoch + 1, worker = $2,
                   lease_until = now() + make_interval(secs => $3)
               from next where c.run_id = $1 and c.chunk_no = next.chunk_no
               returning c.*, next.ready_at as was_ready_at
           ), started as (
               insert into attempt (run_id, chunk_no, epoch, worker, ready_at)
               select run_id, chunk_no, epoch, $2, was_ready_at from claimed
               returning attempt_id
           )
           select c.run_id as "run_id!", c.chunk_no as "chunk_no!", c.stage as "stage!", c.from_on as "from_on!",
                  c.from_id as "from_id!", c.until_on as "until_on!", c.until_id as "until_id!",
                  c.epoch as "epoch!", c.attempts as "attempts!", c.split_of,
                  s.attempt_id as "attempt_id!"
           from claimed c, started s"#,
        run_id.get(),
        by.worker,
        by.lease_seconds,
        by.max_attempts,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| Chunk {
        run_id: r.run_id.into(),
        chunk_no: r.chunk_no,
        stage: r.stage,
        span: Span { from: (r.from_on, r.from_id), until: (r.until_on, r.until_id) },
        epoch: r.epoch,
        attempt_id: r.attempt_id,
        attempts: r.attempts,
        split_of: r.split_of,
    }))
}

/// Ends the sessions of a run's lapsed tries that nobody can take over yet, because a worker that was paused in the
/// middle of its outcome has the chunk's own row locked. The next look finds it free.
pub async fn end_paused(conn: &mut PgConnection, run_id: RunNo) -> Result<()> {
    sqlx::query!(
        "select pg_terminate_backend(s.pid)
         from run_chunk c join attempt a using (run_id, chunk_no, epoch)
              join pg_stat_activity s on s.application_name = 'benefactor try ' || a.attempt_id
         where c.run_id = $1 and c.status = 'claimed' and c.lease_until < now() and a.finished_at is null
           and s.usename = current_user and s.datname = current_database()",
        run_id.get()
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Names this transaction after a try, until it ends.
pub async fn name_try(conn: &mut PgConnection, chunk: &Chunk) -> Result<()> {
    let name = format!("benefactor try {}", chunk.attempt_id);
    sqlx::query!("select set_config('application_name', $1, true)", name).fetch_one(conn).await?;
    Ok(())
}

/// Whether fewer chunks of a run's job are under way than `limit`, in all processes together. Until the transaction
/// ends no other process can ask.
async fn is_room(conn: &mut PgConnection, run_id: RunNo, limit: i64) -> Result<bool> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtext('benefactor.room.' || job)) from run where run_id = $1",
        run_id.get()
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar!(
        r#"select count(*) < $2 as "room!" from run mine join run r using (job) join run_chunk c on c.run_id = r.run_id
           where mine.run_id = $1 and c.status = 'claimed' and c.lease_until >= now()"#,
        run_id.get(),
        limit
    )
    .fetch_one(conn)
    .await?)
}

/// Keeps a claim its worker's until the transaction ends, for what a courier writes before it talks to the outside.
/// Postgres ends one that is silent for 30 s.
///
/// # Errors
/// [`Error::LeaseLost`] when the chunk was claimed again meanwhile: the caller rolls back.
pub async fn hold(conn: &mut PgConnection, chunk: &Chunk) -> Result<()> {
    let held = sqlx::query!(
        "select set_config('idle_in_transaction_session_timeout', '30s', true) from run_chunk
         where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed' for share",
        chunk.run_id.get(),
        chunk.chunk_no,
        chunk.epoch,
    )
    .fetch_optional(conn)
    .await?;
    if held.is_some() { Ok(()) } else { Err(Error::LeaseLost) }
}

/// Prolongs a claim for its worker, and says whether it is still its own.
pub async fn renew(conn: &mut PgConnection, chunk: &Chunk, lease_seconds: f64) -> Result<Word> {
    let called_off = sqlx::query_scalar!(
        r#"update run_chunk set lease_until = now() + make_interval(secs => $4)
           where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed'
           returning cancel_asked_at is not null as "called_off!""#,
        chunk.run_id.get(),
        chunk.chunk_no,
        chunk.epoch,
        lease_seconds,
    )
    .fetch_optional(conn)
    .await?;
    Ok(match called_off {
        None => Word::Lost,
        Some(false) => Word::GoOn,
        Some(true) => Word::CalledOff,
    })
}

/// Records the outcome of a chunk, in the transaction of its effects.
///
/// # Errors
/// [`Error::LeaseLost`] when the chunk was claimed again meanwhile: the caller rolls back.
pub async fn finish(conn: &mut PgConnection, chunk: &Chunk, counts: Counts) -> Result<()> {
    let updated = sqlx::query!(
        "with done as (
             update run_chunk set status = 'done', lease_until = null, cancel_asked_at = null,
                 finished_at = clock_timestamp(), -- its transaction began with the work
                 done = $4, refused = $5, failed = $6
             where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed'
             returning chunk_no
         )
         update attempt set finished_at = clock_timestamp(), outcome = 'done'
         where attempt_id = $7 and exists (select from done)",
        chunk.run_id.get(),
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

/// Gives a chunk back after a try that failed: ready again after a pause, failed for good once its tries are used up,
/// discarded if it was called off. Says whether it was given up.
pub async fn give_back(
    conn: &mut PgConnection,
    chunk: &Chunk,
    error: &str,
    max_attempts: i32,
    pause: Pause,
) -> Result<bool> {
    let status = sqlx::query_scalar!(
        r#"with given as (
               update run_chunk set lease_until = null,
                   status = case when cancel_asked_at is not null then 'discarded'
                                 when attempts >= $4 then 'failed' else 'ready' end,
                   finished_at = case when cancel_asked_at is not null or attempts >= $4 then now() end,
                   ready_at = now() + make_interval(
                       secs => least($7::int * power(2, least(attempts, 30) - 1), $8::int) * (0.75 + random() / 2))
               where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed'
               returning status, cancel_asked_at
           ), closed as (
               update attempt set finished_at = now(), error = $5,
                   outcome = case when given.cancel_asked_at is null then 'failed' else 'cancelled' end
               from given where attempt_id = $6 and finished_at is null
           )
           select status from given"#,
        chunk.run_id.get(),
        chunk.chunk_no,
        chunk.epoch,
        max_attempts,
        error,
        chunk.attempt_id,
        i32::try_from(pause.first).unwrap_or(i32::MAX),
        i32::try_from(pause.at_most).unwrap_or(i32::MAX),
    )
    .fetch_optional(conn)
    .await?;
    Ok(status.as_deref() == Some("failed"))
}

/// Hands a chunk back that was not to blame, because its worker stops or the database went away: the try does not
/// count, also when another worker has taken the chunk over since. After fifty such tries of a chunk they count.
pub async fn hand_back(conn: &mut PgConnection, chunk: &Chunk, max_attempts: i32, why: &str) -> Result<()> {
    sqlx::query!(
        "with chunk as (
             -- before its try, as whoever claims it does, so that neither waits for the other
             select chunk_no from run_chunk where run_id = $1 and chunk_no = $2 for update
         ), closed as (
             update attempt a set finished_at = now(), outcome = 'handed_back', error = $6
             from chunk where a.attempt_id = $5 and (a.outcome is null or a.outcome = 'lost')
             returning a.attempt_id
         ), spared as (
             select count(*) < $7 as yes from attempt
             where run_id = $1 and chunk_no = $2 and outcome = 'handed_back'
         )
         update run_chunk c set attempts = c.attempts - case when yes then 1 else 0 end,
             ready_at = case when epoch = $3 then now() else ready_at end,
             lease_until = case when epoch = $3 then null else lease_until end,
             finished_at = case when status = 'claimed' and epoch = $3
                                     and (cancel_asked_at is not null or not yes and attempts >= $4) then now()
                                when status = 'failed' and yes and attempts <= $4 then null
                                else finished_at end,
             status = case when status = 'claimed' and epoch = $3 and cancel_asked_at is not null then 'discarded'
                           when status = 'claimed' and epoch = $3 and not yes and attempts >= $4 then 'failed'
                           when status = 'claimed' and epoch = $3 then 'ready'
                           when status = 'failed' and yes and attempts <= $4 then 'ready'
                           else status end
         from spared
         where run_id = $1 and chunk_no = $2 and attempts > 0 and exists (select from closed)",
        chunk.run_id.get(),
        chunk.chunk_no,
        chunk.epoch,
        max_attempts,
        chunk.attempt_id,
        why,
        SPARED,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets go of what processes of this role held that cannot be alive any more: the caller holds their lock. What one
/// that is paused keeps locked waits for its lease to lapse ([`end_paused`]).
pub async fn release(conn: &mut PgConnection, role: &str) -> Result<()> {
    sqlx::query!(
        "update run_chunk set lease_until = now() - interval '1 second'
         where (run_id, chunk_no) in (select run_id, chunk_no from run_chunk
                                      where status = 'claimed' and worker like $1 || ':%' for update skip locked)",
        role
    )
    .execute(conn)
    .await?;
    Ok(())
}

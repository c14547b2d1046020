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
    /// Host and data directory of the process that coordinates.
    pub place: String,
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
    /// Which try it is, from 1.
    pub attempts: i32,
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

/// What a run's chunks that are not done come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Ready, or claimed.
    pub open: i64,
    /// Failed for good.
    pub failed: i64,
    /// Discarded by an operator.
    pub discarded: i64,
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

/// Begins the run of `job` for `due_on`, or takes up the one there is: one with work left, or with discarded work that its
/// night is to go on past, where it stopped; another from its first stage, to look again.
pub async fn begin(conn: &mut PgConnection, job: &str, due_on: NaiveDate, with: &Provenance) -> Result<Run> {
    let run = sqlx::query_as!(
        Run,
        "insert into run (job, due_on, binary_version, policy_sha256, catalogue_sha256, input_sha256, place)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (job, due_on) do update set
             attempts = run.attempts + 1,
             stage = case when run.status = 'running' or exists (
                         select from run_chunk c
                         where c.run_id = run.run_id and c.status in ('ready', 'claimed', 'failed')
                     ) or run.status = 'incomplete' and not exists (select from night n where n.due_on = run.due_on)
                     then run.stage else -1 end,
             status = 'running',
             binary_version = excluded.binary_version, policy_sha256 = excluded.policy_sha256,
             catalogue_sha256 = excluded.catalogue_sha256, input_sha256 = excluded.input_sha256,
             place = excluded.place
         returning run_id, stage",
        job,
        due_on,
        with.binary_version,
        with.policy_sha256,
        with.catalogue_sha256,
        with.input_sha256,
        with.place,
    )
    .fetch_one(conn)
    .await?;
    Ok(run)
}

/// Records the chunks of `stage`; a span that is open already is not doubled.
pub async fn plan(
    conn: &mut PgConnection,
    run_id: i64,
    stage: i16,
    priority: i16,
    spans: &[Span],
) -> Result<()> {
    sqlx::query!("update run set stage = $2 where run_id = $1", run_id, stage).execute(&mut *conn).await?;
    if spans.is_empty() {
        return Ok(());
    }
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
        run_id,
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

/// Claims the next chunk of a run: one whose worker let its lease lapse, else the most urgent that is ready.
///
/// The caller commits before it works, so that a crash counts. A chunk that used up its tries is failed, one that was
/// called off is discarded. The server process that a lapsed claim was made through is ended: a worker that is paused
/// loses its locks with it, and writes nothing when it wakes ([`end_paused`] as well).
pub async fn claim(conn: &mut PgConnection, run_id: i64, by: Claimant<'_>) -> Result<Option<Chunk>> {
    if let Some(limit) = by.in_all
        && !is_room(&mut *conn, run_id, limit).await?
    {
        return Ok(None);
    }
    let row = sqlx::query!(
        r#"with lapsed as (
               select chunk_no, backend, lease_until, attempts >= $4 as spent, cancel_asked_at is not null as called_off
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
                          where s.pid = l.backend and s.backend_start <= a.started_at and s.usename = current_user
                            and s.pid <> pg_backend_pid() and s.datname = current_database())
           ), claimed as (
               update run_chunk c set status = 'claimed', attempts = attempts + 1, epoch = epoch + 1, worker = $2,
                   lease_until = now() + make_interval(secs => $3), backend = pg_backend_pid()
               from next where c.run_id = $1 and c.chunk_no = next.chunk_no
               returning c.*, next.ready_at as was_ready_at
           ), started as (
               insert into attempt (run_id, chunk_no, epoch, worker, ready_at)
               select run_id, chunk_no, epoch, $2, was_ready_at from claimed
               returning attempt_id
           )
           select c.run_id as "run_id!", c.chunk_no as "chunk_no!", c.stage as "stage!", c.from_on as "from_on!",
                  c.from_id as "from_id!", c.until_on as "until_on!", c.until_id as "until_id!",
                  c.epoch as "epoch!", c.attempts as "attempts!", s.attempt_id as "attempt_id!"
           from claimed c, started s"#,
        run_id,
        by.worker,
        by.lease_seconds,
        by.max_attempts,
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
        attempts: r.attempts,
    }))
}

/// Ends the server processes of a run's lapsed claims that nobody can take over yet, because a worker that was paused in
/// the middle of its outcome has the chunk's own row locked. The next look finds it free.
pub async fn end_paused(conn: &mut PgConnection, run_id: i64) -> Result<()> {
    sqlx::query!(
        "select pg_terminate_backend(s.pid)
         from run_chunk c join attempt a using (run_id, chunk_no, epoch) join pg_stat_activity s on s.pid = c.backend
         where c.run_id = $1 and c.status = 'claimed' and c.lease_until < now() and a.finished_at is null
           and s.backend_start <= a.started_at and s.usename = current_user and s.pid <> pg_backend_pid()
           and s.datname = current_database()",
        run_id
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Whether fewer chunks of a run's job are under way than `limit`, in all processes together. Until the transaction
/// ends no other process can ask.
async fn is_room(conn: &mut PgConnection, run_id: i64, limit: i64) -> Result<bool> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtext('benefactor.room.' || job)) from run where run_id = $1",
        run_id
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar!(
        r#"select count(*) < $2 as "room!" from run mine join run r using (job) join run_chunk c on c.run_id = r.run_id
           where mine.run_id = $1 and c.status = 'claimed' and c.lease_until >= now()"#,
        run_id,
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
        chunk.run_id,
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
        chunk.run_id,
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

/// Runs of nights that are over and have work to go on with: discarded chunks that an operator made ready again, or a
/// process that ended while it was at that.
pub async fn retried(conn: &mut PgConnection) -> Result<Vec<(String, NaiveDate)>> {
    let rows = sqlx::query!(
        r#"with open as materialized (
               select run_id, job, due_on, status from run
               where status in ('incomplete', 'running') and due_on <= (select max(due_on) from night)
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

/// Records the outcome of a chunk, in the transaction of its effects.
///
/// # Errors
/// [`Error::LeaseLost`] when the chunk was claimed again meanwhile: the caller rolls back.
pub async fn finish(conn: &mut PgConnection, chunk: &Chunk, counts: Counts) -> Result<()> {
    let updated = sqlx::query!(
        "with done as (
             update run_chunk set status = 'done', lease_until = null, cancel_asked_at = null, finished_at = now(),
                 done = $4, refused = $5, failed = $6
             where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed'
             returning chunk_no
         )
         update attempt set finished_at = clock_timestamp(), outcome = 'done'
         where attempt_id = $7 and exists (select from done)",
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
        chunk.run_id,
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
/// count, also when another worker has taken the chunk over since.
pub async fn hand_back(conn: &mut PgConnection, chunk: &Chunk, max_attempts: i32, why: &str) -> Result<()> {
    sqlx::query!(
        "with chunk as (
             -- before its try, as whoever claims it does, so that neither waits for the other
             select chunk_no from run_chunk where run_id = $1 and chunk_no = $2 for update
         ), closed as (
             update attempt a set finished_at = now(), outcome = 'handed_back', error = $6
             from chunk where a.attempt_id = $5 and (a.outcome is null or a.outcome = 'lost')
             returning a.attempt_id
         )
         update run_chunk set attempts = attempts - 1,
             ready_at = case when epoch = $3 then now() else ready_at end,
             lease_until = case when epoch = $3 then null else lease_until end,
             status = case when status = 'claimed' and epoch = $3 and cancel_asked_at is not null then 'discarded'
                           when status = 'claimed' and epoch = $3 then 'ready'
                           when status = 'failed' and attempts <= $4 then 'ready'
                           else status end
         where run_id = $1 and chunk_no = $2 and attempts > 0 and exists (select from closed)",
        chunk.run_id,
        chunk.chunk_no,
        chunk.epoch,
        max_attempts,
        chunk.attempt_id,
        why,
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

/// Chunks of a run that are not done.
pub async fn open_chunks(conn: &mut PgConnection, run_id: i64) -> Result<Open> {
    Ok(sqlx::query_as!(
        Open,
        r#"select count(*) filter (where status in ('ready', 'claimed')) as "open!",
                  count(*) filter (where status = 'failed') as "failed!",
                  count(*) filter (where status = 'discarded') as "discarded!"
           from run_chunk where run_id = $1 and status <> 'done'"#,
        run_id
    )
    .fetch_one(conn)
    .await?)
}

/// How many chunks of a run failed for good, asked before one is claimed. `ends`: Postgres ends this transaction when it
/// is silent for 10 s; the chunk of a process that is paused in the middle of its claim is free again.
pub async fn failed_chunks(conn: &mut PgConnection, run_id: i64, ends: bool) -> Result<i64> {
    let row = sqlx::query!(
        r#"select count(*) as "failed!",
                  case when $2 then set_config('idle_in_transaction_session_timeout', '10s', true) end as ends
           from run_chunk where run_id = $1 and status = 'failed'"#,
        run_id,
        ends
    )
    .fetch_one(conn)
    .await?;
    Ok(row.failed)
}

/// The chunks of a run that failed for good, by number, and what the first of them said last.
pub async fn failures(conn: &mut PgConnection, run_id: i64) -> Result<(Vec<i32>, String)> {
    let row = sqlx::query!(
        r#"select array_agg(chunk_no order by chunk_no) as "numbers!",
                  coalesce((select error from attempt a
                            where a.run_id = $1 and a.chunk_no = (select min(chunk_no) from run_chunk
                                                                  where run_id = $1 and status = 'failed')
                              and error is not null
                            order by attempt_id desc limit 1), 'nothing') as "said!"
           from run_chunk where run_id = $1 and status = 'failed' having count(*) > 0"#,
        run_id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map_or_else(|| (vec![], String::new()), |row| (row.numbers, row.said)))
}

/// Closes a run: `done` only when no chunk is missing, else `incomplete`. Says what it came to.
pub async fn close(conn: &mut PgConnection, run_id: i64) -> Result<(bool, Counts)> {
    let row = sqlx::query!(
        r#"update run set finished_at = now(),
               status = case when t.missing = 0 then 'done' else 'incomplete' end,
               -- what was counted stays counted when its chunks are forgotten
               done = greatest(run.done, t.done), refused = greatest(run.refused, t.refused),
               failed = greatest(run.failed, t.failed)
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

/// Lets Postgres end this transaction when it gives no word ([`give_word`]) for 20 s, so that a paused process does not
/// keep its lock.
pub async fn end_when_silent(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select set_config('idle_in_transaction_session_timeout', '20s', true)")
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Gives word for a transaction that holds a lock.
pub async fn give_word(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select 1 as one").fetch_one(conn).await?;
    Ok(())
}

/// Makes `worker` the coordinator, now that it holds the night's lock: whoever was it before writes nothing more.
/// Gives its epoch.
pub async fn take_charge(conn: &mut PgConnection, worker: &str) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        "update coordinator set epoch = epoch + 1, worker = $1, began_at = now() returning epoch",
        worker
    )
    .fetch_one(conn)
    .await?)
}

/// Holds the coordinator's place until the transaction ends. Postgres ends one that is silent for 20 s, as it does the
/// one with the night's lock: a paused process keeps nobody out.
///
/// # Errors
/// [`Error::LeaseLost`] when another process took charge meanwhile: the caller rolls back.
pub async fn in_charge(conn: &mut PgConnection, epoch: i64) -> Result<()> {
    let held = sqlx::query!(
        "select epoch, set_config('idle_in_transaction_session_timeout', '20s', true)
         from coordinator where epoch = $1 for share",
        epoch
    )
    .fetch_optional(conn)
    .await?;
    if held.is_some() { Ok(()) } else { Err(Error::LeaseLost) }
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

/// Keeps files from changing facts while a chunk reads and writes by them, until the transaction ends. Postgres ends
/// one that is silent for 30 s: a paused process does not keep others out.
pub async fn share_facts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "select set_config('idle_in_transaction_session_timeout', '30s', true),
                pg_advisory_xact_lock_shared(hashtext('benefactor.facts'))"
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Keeps chunks of jobs away while facts change, until the transaction ends; a silent one as above.
pub async fn change_facts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "select set_config('idle_in_transaction_session_timeout', '30s', true),
                pg_advisory_xact_lock(hashtext('benefactor.facts'))"
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

//! What operators do to chunks: each in the transaction of its record, which says who, why, and what it was before.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::chunk::{ListedChunk, State, WorkId, find};
use crate::{domain::id::RunNo, store::Result};

/// Who does it, and why.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// Who; not empty.
    pub by: &'a str,
    /// Why; not empty.
    pub why: &'a str,
}

/// What was done to a chunk.
#[derive(Clone, Debug)]
pub struct ChunkChange {
    /// The chunk as it was.
    pub before: ListedChunk,
    /// Where it stands now; a running one that is to be cancelled still runs.
    pub now: State,
}

/// Why nothing was done to a chunk.
#[derive(Clone, Debug)]
pub enum Refused {
    /// There is none of that id.
    Unknown(WorkId),
    /// It does not stand where this can be done.
    State(Box<ListedChunk>),
    /// Its rows are in another chunk of the run that is open.
    Covered(Box<ListedChunk>, i32),
}

/// A chunk, or why nothing was done to it.
pub type ActionResult = std::result::Result<ChunkChange, Refused>;

/// Locks a chunk and reads it.
async fn lock(conn: &mut PgConnection, id: WorkId) -> Result<std::result::Result<ListedChunk, Refused>> {
    sqlx::query_scalar!(
        "select chunk_no from run_chunk where run_id = $1 and chunk_no = $2 for update",
        id.run_id.get(),
        id.chunk_no
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(find(conn, id).await?.ok_or(Refused::Unknown(id)))
}

/// A chunk that failed for good or was discarded becomes ready with a new set of tries.
pub async fn retry(
    conn: &mut PgConnection,
    id: WorkId,
    by: By<'_>,
    priority: Option<i16>,
) -> Result<ActionResult> {
    let before = match lock(conn, id).await? {
        Ok(work) if matches!(work.state, State::Dead | State::Discarded) => work,
        Ok(work) => return Ok(Err(Refused::State(Box::new(work)))),
        Err(refused) => return Ok(Err(refused)),
    };
    let other = sqlx::query_scalar!(
        "select o.chunk_no from run_chunk c join run_chunk o using (run_id, stage, from_on, from_id)
         where c.run_id = $1 and c.chunk_no = $2 and o.chunk_no <> $2 and o.status in ('ready', 'claimed') limit 1",
        id.run_id.get(),
        id.chunk_no
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(other) = other {
        return Ok(Err(Refused::Covered(Box::new(before), other)));
    }
    sqlx::query!(
        "update run_chunk set status = 'ready', attempts = 0, ready_at = now(), priority = coalesce($3, priority),
             only_key = null, worker = null, lease_until = null, cancel_asked_at = null, finished_at = null
         where run_id = $1 and chunk_no = $2",
        id.run_id.get(),
        id.chunk_no,
        priority
    )
    .execute(&mut *conn)
    .await?;
    record(conn, &before, "retry", by).await?;
    Ok(Ok(ChunkChange { before, now: State::Ready }))
}

/// A chunk that failed for good is never to be done in this run.
pub async fn discard(conn: &mut PgConnection, id: WorkId, by: By<'_>) -> Result<ActionResult> {
    let before = match lock(conn, id).await? {
        Ok(work) if work.state == State::Dead => work,
        Ok(work) => return Ok(Err(Refused::State(Box::new(work)))),
        Err(refused) => return Ok(Err(refused)),
    };
    give_up(conn, id).await?;
    record(conn, &before, "discard", by).await?;
    Ok(Ok(ChunkChange { before, now: State::Discarded }))
}

/// A chunk that nobody has is discarded; of one that a worker has it is noted that it be ended.
pub async fn cancel(conn: &mut PgConnection, id: WorkId, by: By<'_>) -> Result<ActionResult> {
    let before = match lock(conn, id).await? {
        Ok(work) if matches!(work.state, State::Ready | State::Waiting | State::Running) => work,
        Ok(work) => return Ok(Err(Refused::State(Box::new(work)))),
        Err(refused) => return Ok(Err(refused)),
    };
    let now = if before.state == State::Running {
        sqlx::query!(
            "update run_chunk set cancel_asked_at = coalesce(cancel_asked_at, now())
             where run_id = $1 and chunk_no = $2",
            id.run_id.get(),
            id.chunk_no
        )
        .execute(&mut *conn)
        .await?;
        State::Running
    } else {
        lose(conn, id).await?;
        give_up(conn, id).await?;
        State::Discarded
    };
    record(conn, &before, "cancel", by).await?;
    Ok(Ok(ChunkChange { before, now }))
}

/// A chunk that nobody has is not to be claimed before `until`. Costs no try.
pub async fn snooze(
    conn: &mut PgConnection,
    id: WorkId,
    by: By<'_>,
    until: DateTime<Utc>,
) -> Result<ActionResult> {
    let before = match lock(conn, id).await? {
        Ok(work) if matches!(work.state, State::Ready | State::Waiting) => work,
        Ok(work) => return Ok(Err(Refused::State(Box::new(work)))),
        Err(refused) => return Ok(Err(refused)),
    };
    lose(conn, id).await?;
    sqlx::query!(
        "update run_chunk set status = 'ready', lease_until = null, ready_at = $3
         where run_id = $1 and chunk_no = $2",
        id.run_id.get(),
        id.chunk_no,
        until
    )
    .execute(&mut *conn)
    .await?;
    record(conn, &before, "snooze", by).await?;
    Ok(Ok(ChunkChange { before, now: State::Waiting }))
}

/// The instant so many seconds from now on the database's clock, or `at` if that is still to come there.
pub async fn hold_until(
    conn: &mut PgConnection,
    seconds: f64,
    at: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>> {
    Ok(sqlx::query_scalar!(
        r#"select u.until from (select coalesce($2, now() + make_interval(secs => $1)) as until) u
           where u.until > now()"#,
        seconds,
        at
    )
    .fetch_optional(conn)
    .await?
    .flatten())
}

/// The open chunks of a run; `None`: there is no such run.
pub async fn open_of_run(conn: &mut PgConnection, run_id: RunNo) -> Result<Option<Vec<WorkId>>> {
    let known =
        sqlx::query_scalar!(r#"select exists (select from run where run_id = $1) as "known!""#, run_id.get())
            .fetch_one(&mut *conn)
            .await?;
    let open = sqlx::query_scalar!(
        "select chunk_no from run_chunk where run_id = $1 and status in ('ready', 'claimed') order by chunk_no",
        run_id.get()
    )
    .fetch_all(conn)
    .await?;
    Ok(known.then(|| open.into_iter().map(|chunk_no| WorkId { run_id, chunk_no }).collect()))
}

async fn give_up(conn: &mut PgConnection, id: WorkId) -> Result<()> {
    sqlx::query!(
        "update run_chunk set status = 'discarded', lease_until = null, finished_at = now()
         where run_id = $1 and chunk_no = $2",
        id.run_id.get(),
        id.chunk_no
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends on record the try of a worker that let its lease lapse.
async fn lose(conn: &mut PgConnection, id: WorkId) -> Result<()> {
    sqlx::query!(
        "update attempt set outcome = 'lost', finished_at = now(), error = 'no word from its worker until its lease lapsed'
         where run_id = $1 and chunk_no = $2 and outcome is null and finished_at is null",
        id.run_id.get(),
        id.chunk_no
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn record(conn: &mut PgConnection, before: &ListedChunk, action: &str, by: By<'_>) -> Result<()> {
    let was = was(before);
    sqlx::query!(
        "insert into operator_action (run_id, chunk_no, action, by, why, before) values ($1, $2, $3, $4, $5, $6)",
        before.id.run_id.get(),
        before.id.chunk_no,
        action,
        by.by,
        by.why,
        was
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What it was, as a person reads it: state, tries, what the last one said.
fn was(work: &ListedChunk) -> String {
    let tries = match work.tries {
        0 => "no try yet".to_owned(),
        1 => "1 try".to_owned(),
        tries => format!("{tries} tries"),
    };
    let error = work.error.as_ref().map_or_else(String::new, |error| format!("; the last error: {error}"));
    format!("{} after {tries}{error}", work.state.name())
}

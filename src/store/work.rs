//! Work as an operator sees it: chunks by their ids, every try of them, and what operators did about it.

mod action;
mod chunk;
mod keys;
mod rows;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::Result;

pub use action::{By, ChunkChange, Refused, cancel, discard, hold_until, open_of_run, retry, snooze};
pub use chunk::{ListedChunk, State, WorkId, find};
pub use keys::{DueKeys, keys};
pub use rows::{DueRow, DueTerms, Rows, due};

/// A chunk in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Which.
    pub id: WorkId,
    /// Of which job.
    pub job: String,
    /// For which business date.
    pub due_on: NaiveDate,
    /// Where it stands.
    pub state: State,
    /// Tries since it was planned, or retried by an operator.
    pub tries: i32,
    /// Since when it stands so; of one that waits, until when.
    pub at: DateTime<Utc>,
    /// Who has it, or had it last.
    pub worker: Option<String>,
    /// What its last failed try said.
    pub error: Option<String>,
}

/// Chunks in these states, dead ones first, done ones from the newest; at most `limit`, and how many there are.
pub async fn list(
    conn: &mut PgConnection,
    states: &[State],
    job: Option<&str>,
    limit: i64,
) -> Result<(Vec<Listed>, i64)> {
    let states: Vec<String> = states.iter().map(|state| state.name().to_owned()).collect();
    let rows = sqlx::query!(
        r#"with seen as (
               select c.*, r.job, r.due_on, r.finished_at as run_finished_at,
                      chunk_state(c.status, c.ready_at, c.lease_until) as state
               from run_chunk c join run r using (run_id)
               where $2::text is null or r.job = $2
           ), wanted as (
               select *, count(*) over () as total,
                      row_number() over (
                          order by array_position(array['dead', 'running', 'ready', 'waiting', 'discarded', 'split',
                                                                'done'], state),
                                   case when state = 'done' then -run_id else run_id end,
                                   case when state = 'done' then -chunk_no else chunk_no end
                      ) as place
               from seen where state = any($1) order by place limit $3
           )
           select w.run_id as "run_id!", w.chunk_no as "chunk_no!", w.job as "job!", w.due_on as "due_on!",
                  w.state as "state!", w.attempts as "attempts!", w.worker as "worker?", w.total as "total!",
                  case w.state when 'running' then coalesce(last.started_at, w.ready_at)
                               when 'ready' then w.ready_at when 'waiting' then w.ready_at
                               else coalesce(w.finished_at, last.finished_at, w.ready_at) end as "at!",
                  (select a.error from attempt a
                   where a.run_id = w.run_id and a.chunk_no = w.chunk_no and a.error is not null
                   order by a.attempt_id desc limit 1) as "error?"
           from wanted w left join lateral (
               select a.started_at, a.finished_at from attempt a
               where a.run_id = w.run_id and a.chunk_no = w.chunk_no order by a.attempt_id desc limit 1
           ) last on true
           order by w.place"#,
        &states,
        job,
        limit
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let listed = rows.into_iter().map(|r| Listed {
        id: WorkId { run_id: r.run_id.into(), chunk_no: r.chunk_no },
        job: r.job,
        due_on: r.due_on,
        state: State::named(&r.state).unwrap_or(State::Done),
        tries: r.attempts,
        at: r.at,
        worker: r.worker,
        error: r.error,
    });
    Ok((listed.collect(), total))
}

/// One try of a chunk.
#[derive(Clone, Debug)]
pub struct Try {
    /// Who.
    pub worker: String,
    /// From when.
    pub started_at: DateTime<Utc>,
    /// Until when; `None`: nobody has said so.
    pub finished_at: Option<DateTime<Utc>>,
    /// How long the chunk could have been claimed before, in milliseconds.
    pub waited_ms: Option<i64>,
    /// How long it took, in milliseconds.
    pub took_ms: Option<i64>,
    /// `under way`, `done`, `failed`, `lost`, `handed back`, `cancelled`.
    pub outcome: String,
    /// What went wrong, in full.
    pub error: Option<String>,
}

/// Every try of a chunk, from the first.
pub async fn tries(conn: &mut PgConnection, id: WorkId) -> Result<Vec<Try>> {
    Ok(sqlx::query_as!(
        Try,
        r#"select a.worker, a.started_at, a.finished_at, a.error,
                  (extract(epoch from a.started_at - a.ready_at) * 1000)::bigint as waited_ms,
                  (extract(epoch from a.finished_at - a.started_at) * 1000)::bigint as took_ms,
                  case when a.outcome is not null then replace(a.outcome, '_', ' ')
                       when a.finished_at is not null and a.error is null then 'done'
                       when a.finished_at is not null then 'failed'
                       when c.status = 'claimed' and c.epoch = a.epoch and c.lease_until >= now() then 'under way'
                       else 'lost' end as "outcome!"
           from attempt a join run_chunk c using (run_id, chunk_no)
           where a.run_id = $1 and a.chunk_no = $2 order by a.attempt_id"#,
        id.run_id.get(),
        id.chunk_no
    )
    .fetch_all(conn)
    .await?)
}

/// What an operator did.
#[derive(Clone, Debug)]
pub struct OperatorAction {
    /// When.
    pub at: DateTime<Utc>,
    /// `retry`, `discard`, `cancel`, `snooze`.
    pub action: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// What it was before.
    pub before: String,
}

/// What operators did to a chunk, from the first.
pub async fn actions(conn: &mut PgConnection, id: WorkId) -> Result<Vec<OperatorAction>> {
    Ok(sqlx::query_as!(
        OperatorAction,
        "select at, action, by, why, before from operator_action where run_id = $1 and chunk_no = $2
         order by action_id",
        id.run_id.get(),
        id.chunk_no
    )
    .fetch_all(conn)
    .await?)
}

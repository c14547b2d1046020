//! Work as an operator sees it: chunks by their ids, every try of them, and what operators did about it.

mod action;
mod rows;

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::{
    Result,
    run::{Span, SpanKey},
};

pub use action::{By, ChunkChange, Refused, cancel, discard, hold_until, open_of_run, retry, snooze};
pub use rows::{DueRow, Rows, due};

/// A chunk by its run and its number in it, written `412.7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkId {
    /// The run.
    pub run_id: i64,
    /// The chunk in it.
    pub chunk_no: i32,
}

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.run_id, self.chunk_no)
    }
}

impl FromStr for WorkId {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parts = text.split_once('.').filter(|(run, chunk)| is_number(run) && is_number(chunk));
        let id = parts
            .and_then(|(run, chunk)| Some(Self { run_id: run.parse().ok()?, chunk_no: chunk.parse().ok()? }));
        id.ok_or_else(|| format!("'{text}' is no id; one is RUN.CHUNK, as `jobs list` shows them: 412.7"))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where a chunk stands. What a worker let go of, and what it held when its lease lapsed, is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Failed for good; kept until an operator retries or discards it.
    Dead,
    /// A worker has it.
    Running,
    /// The next worker takes it.
    Ready,
    /// Not to be taken before its time: the pause after a failure, or an operator's.
    Waiting,
    /// Never to be done in this run, as an operator said.
    Discarded,
    /// Done.
    Done,
}

impl State {
    /// Every state; in the order in which work is listed.
    pub const ALL: [Self; 6] =
        [Self::Dead, Self::Running, Self::Ready, Self::Waiting, Self::Discarded, Self::Done];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Discarded => "discarded",
            Self::Done => "done",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

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
                          order by array_position(array['dead', 'running', 'ready', 'waiting', 'discarded', 'done'], state),
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
        id: WorkId { run_id: r.run_id, chunk_no: r.chunk_no },
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

/// A chunk and the run it is of.
#[derive(Clone, Debug)]
pub struct ListedChunk {
    /// Which.
    pub id: WorkId,
    /// Of which job.
    pub job: String,
    /// For which business date.
    pub due_on: NaiveDate,
    /// Which part of the job.
    pub stage: i16,
    /// What it covers.
    pub span: Span,
    /// Where it stands.
    pub state: State,
    /// Tries since it was planned, or retried by an operator.
    pub tries: i32,
    /// The higher goes first.
    pub priority: i16,
    /// Not to be claimed before.
    pub ready_at: DateTime<Utc>,
    /// Who has it, or had it last.
    pub worker: Option<String>,
    /// Until when its worker has it without giving word.
    pub lease_until: Option<DateTime<Utc>>,
    /// When an operator called it off while a worker had it.
    pub cancel_asked_at: Option<DateTime<Utc>>,
    /// When it was done, given up or discarded.
    pub finished_at: Option<DateTime<Utc>>,
    /// Effects booked, refused, failed.
    pub counts: super::run::Counts,
    /// Where the run stands: `running`, `done`, `failed`, `incomplete`.
    pub run_status: String,
    /// When the run began.
    pub run_started_at: DateTime<Utc>,
    /// The version of the program that began it.
    pub binary_version: String,
    /// SHA-256 of its job's policy file.
    pub policy_sha256: String,
    /// SHA-256 of the catalogue.
    pub catalogue_sha256: String,
    /// SHA-256 over the files applied before it.
    pub input_sha256: String,
    /// Whether the night of its business date is complete.
    pub night_complete: bool,
    /// What its last failed try said.
    pub error: Option<String>,
}

/// The chunk of that id, if there is one.
pub async fn find(conn: &mut PgConnection, id: WorkId) -> Result<Option<ListedChunk>> {
    let row = sqlx::query!(
        r#"select r.job, r.due_on, c.stage, c.from_on, c.from_id, c.until_on, c.until_id, c.attempts, c.priority,
                  c.ready_at, c.worker, c.lease_until, c.cancel_asked_at, c.finished_at, c.done, c.refused, c.failed,
                  r.status as run_status, r.started_at, r.binary_version, r.policy_sha256, r.catalogue_sha256,
                  r.input_sha256,
                  exists (select from night n where n.due_on = r.due_on) as "night_complete!",
                  chunk_state(c.status, c.ready_at, c.lease_until) as "state!",
                  (select a.error from attempt a
                   where a.run_id = c.run_id and a.chunk_no = c.chunk_no and a.error is not null
                   order by a.attempt_id desc limit 1) as "error?"
           from run_chunk c join run r using (run_id)
           where c.run_id = $1 and c.chunk_no = $2"#,
        id.run_id,
        id.chunk_no
    )
    .fetch_optional(conn)
    .await?;
    let key = |on, id| -> SpanKey { (on, id) };
    Ok(row.map(|r| ListedChunk {
        id,
        job: r.job,
        due_on: r.due_on,
        stage: r.stage,
        span: Span { from: key(r.from_on, r.from_id), until: key(r.until_on, r.until_id) },
        state: State::named(&r.state).unwrap_or(State::Done),
        tries: r.attempts,
        priority: r.priority,
        ready_at: r.ready_at,
        worker: r.worker,
        lease_until: r.lease_until,
        cancel_asked_at: r.cancel_asked_at,
        finished_at: r.finished_at,
        counts: super::run::Counts { done: r.done, refused: r.refused, failed: r.failed },
        run_status: r.run_status,
        run_started_at: r.started_at,
        binary_version: r.binary_version,
        policy_sha256: r.policy_sha256,
        catalogue_sha256: r.catalogue_sha256,
        input_sha256: r.input_sha256,
        night_complete: r.night_complete,
        error: r.error,
    }))
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
        id.run_id,
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
        id.run_id,
        id.chunk_no
    )
    .fetch_all(conn)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_run_and_a_chunk_and_nothing_else_is_one() {
        let id: WorkId = "412.7".parse().unwrap();
        assert_eq!((id.run_id, id.chunk_no, id.to_string().as_str()), (412, 7, "412.7"));
        for bad in ["", "412", "412.", ".7", "412.7.1", "-1.7", "4 12.7", "412.+7", "99999999999999999999.1"]
        {
            assert!(bad.parse::<WorkId>().is_err(), "{bad}");
        }
    }
}

//! A chunk by its id, and where it stands.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::{
    domain::id::RunNo,
    store::{
        Result,
        run::{Counts, Span, SpanKey},
    },
};

/// A chunk by its run and its number in it, written `412.7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkId {
    /// The run.
    pub run_id: RunNo,
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
    /// It failed and was cut: its parts stand for it.
    Split,
    /// Done.
    Done,
}

impl State {
    /// Every state; in the order in which work is listed.
    pub const ALL: [Self; 7] =
        [Self::Dead, Self::Running, Self::Ready, Self::Waiting, Self::Discarded, Self::Split, Self::Done];

    /// Whether nothing more is to be done about it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Split)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Discarded => "discarded",
            Self::Split => "split",
            Self::Done => "done",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
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
    /// The chunk that was cut, if it is a part of one.
    pub split_of: Option<i32>,
    /// If it was cut, its parts.
    pub parts: Vec<i32>,
    /// Of a dead letter: its span is one key, which is at fault.
    pub single: bool,
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
    pub counts: Counts,
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
                  c.split_of, c.only_key is not null as "single!",
                  array(select p.chunk_no from run_chunk p where p.run_id = c.run_id and p.split_of = c.chunk_no
                        order by 1) as "parts!",
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
        id.run_id.get(),
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
        split_of: r.split_of,
        parts: r.parts,
        single: r.single,
        tries: r.attempts,
        priority: r.priority,
        ready_at: r.ready_at,
        worker: r.worker,
        lease_until: r.lease_until,
        cancel_asked_at: r.cancel_asked_at,
        finished_at: r.finished_at,
        counts: Counts { done: r.done, refused: r.refused, failed: r.failed },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_run_and_a_chunk_and_nothing_else_is_one() {
        let id: WorkId = "412.7".parse().unwrap();
        assert_eq!((id.run_id, id.chunk_no, id.to_string().as_str()), (412.into(), 7, "412.7"));
        for bad in ["", "412", "412.", ".7", "412.7.1", "-1.7", "4 12.7", "412.+7", "99999999999999999999.1"]
        {
            assert!(bad.parse::<WorkId>().is_err(), "{bad}");
        }
    }
}

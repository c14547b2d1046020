//! Whether all is well, and what waits: the nights, the jobs, who works, and what needs somebody.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::{instant, mails::WaitView};
use crate::{
    domain::{calendar::sub_days, language::Language, timetable::Timetable},
    store::{
        self,
        mail::pace::{self, PaceWait},
        process,
        status::{self, QueueFigures, RefusedFile, Requests},
        tick::DroppedTicks,
    },
};

/// Files and orders that are named one by one at most.
const NAMED: i64 = 10;
/// For how many days a refused file is told of.
pub const LATELY_DAYS: u32 = 7;

/// How the store stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The business clock's time.
    #[serde(serialize_with = "instant::utc")]
    pub now: DateTime<Utc>,
    /// The business date of the last complete night.
    pub last_complete_night: Option<NaiveDate>,
    /// When that was completed, by the database's clock.
    #[serde(serialize_with = "instant::utc_if")]
    pub completed_at: Option<DateTime<Utc>>,
    /// A night is not done, and its deadline has passed.
    pub overdue: bool,
    /// How many nights are over and not complete.
    pub missing_nights: i64,
    /// The first of them.
    pub first_missing_night: Option<NaiveDate>,
    /// When the first of its jobs that is not done was, or is, due.
    #[serde(serialize_with = "instant::utc_if")]
    pub due_at: Option<DateTime<Utc>>,
    /// How late that is, in seconds; zero while none is due.
    pub late_seconds: i64,
    /// Nobody need be told: no night is overdue, and no process is missed.
    pub well: bool,
    /// The process that kept the timetable last, if it ended without signing off and no other keeps it now.
    pub missed_process: Option<String>,
    /// Processes that work, and those that ended without signing off.
    pub processes: Vec<ProcessView>,
    /// The last run of every job.
    pub jobs: Vec<JobRunView>,
    /// Jobs that have chunks which are not done, or that did any in the last 24 hours.
    pub queues: Vec<QueueFigures>,
    /// Chunks that failed for good and that no operator has dealt with.
    pub dead_letters: i64,
    /// Chunks that are not done.
    pub chunks: Chunks,
    /// What waits, and for whom.
    pub waiting: WaitingView,
    /// Files that were refused as a whole in the last days, by reason.
    pub files_refused: Vec<RefusedFile>,
    /// Due times that the cap on catching up dropped in the last days.
    pub ticks_dropped: Vec<DroppedTicks>,
}

/// A process that works, or did.
#[derive(Clone, Debug, Serialize)]
pub struct ProcessView {
    /// What no other process, before or after, is called.
    pub name: String,
    /// `up` or `worker`.
    pub command: String,
    /// The machine it runs on.
    pub host: String,
    /// Its number there.
    pub pid: i32,
    /// Of the binary.
    pub version: String,
    /// Where its figures and health can be asked.
    pub listens_on: Option<String>,
    /// When it began.
    #[serde(serialize_with = "instant::utc")]
    pub started_at: DateTime<Utc>,
    /// Its last heartbeat.
    #[serde(serialize_with = "instant::utc")]
    pub seen_at: DateTime<Utc>,
    /// How long ago that was, in seconds.
    pub seen_seconds: f64,
    /// Its last heartbeat is recent.
    pub lives: bool,
}

/// The last run of a job.
#[derive(Clone, Debug, Serialize)]
pub struct JobRunView {
    /// The job.
    pub job: String,
    /// Its business date.
    pub due_on: NaiveDate,
    /// `running`, `done`, `failed` or `incomplete`.
    pub status: String,
    /// How often it was begun.
    pub attempts: i32,
    /// When it last ended, by the database's clock.
    #[serde(serialize_with = "instant::utc_if")]
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

/// Chunks of work.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Chunks {
    /// Not done.
    pub open: i64,
    /// Failed for good.
    pub failed: i64,
}

/// What waits.
#[derive(Clone, Debug, Serialize)]
pub struct WaitingView {
    /// Grants that are due and cannot be made, by reason.
    pub grants: Vec<GrantsView>,
    /// Requests that wait for the operator.
    pub requests_for_operator: Requests,
    /// Reference rates that wait for the operator.
    pub rates_for_operator: i64,
    /// Requests that wait for the next night.
    pub requests_for_night: Requests,
    /// Files that are not answered in full.
    pub files_unanswered: Vec<String>,
    /// Renewed orders whose entitlements have not come.
    pub awaiting_entitlements: Vec<String>,
    /// How many mails are in each state but `sent`.
    pub mails: BTreeMap<String, i64>,
    /// What mails wait for beside their own pauses, the longest first.
    pub mails_paced: Vec<PacedView>,
    /// Notices that no mail carries yet.
    pub notices_owed: i64,
}

/// Mails that wait for a pace, or for a domain.
#[derive(Clone, Debug, Serialize)]
pub struct PacedView {
    /// For what.
    #[serde(flatten)]
    pub wait: WaitView,
    /// How many.
    pub count: i64,
}

/// Grants that wait for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct GrantsView {
    /// The reason's code.
    pub reason_code: &'static str,
    /// The reason of the oldest, in a sentence.
    pub reason: String,
    /// How many.
    pub count: i64,
    /// Since when the oldest is due.
    pub since: Option<NaiveDate>,
}

/// How the store stands now, told in a language; jobs in the order of the night, which is that of their timetables.
///
/// # Errors
/// Those of the store.
pub async fn read(
    conn: &mut PgConnection,
    timetables: &[(&'static str, &Timetable)],
    now: DateTime<Utc>,
    language: Language,
) -> store::Result<Status> {
    let figures = status::figures(conn, timetables, now).await?;
    let place = |name: &str| timetables.iter().position(|(job, _)| *job == name);
    let (well, late_seconds, dead_letters) =
        (figures.is_well(), figures.late_seconds(), figures.dead_letters());
    let missed_process = figures.missed().map(|process| process.name.clone());
    let mut queues = figures.queues;
    queues.sort_by_key(|queue| place(&queue.job));
    let mut jobs: Vec<JobRunView> =
        status::last_runs(conn).await?.into_iter().map(JobRunView::from).collect();
    jobs.sort_by_key(|run| place(&run.job));
    let (open, failed) = status::chunks(conn).await?;
    let grants = status::waiting_grants(conn).await?;
    let (requests_for_operator, requests_for_night) = status::open_requests(conn).await?;
    let lateness = figures.lateness;
    Ok(Status {
        now: figures.now,
        last_complete_night: figures.last_night.map(|(day, _)| day),
        completed_at: figures.last_night.map(|(_, at)| at),
        overdue: lateness.overdue,
        missing_nights: lateness.missing,
        first_missing_night: lateness.first_missing,
        due_at: lateness.due_at,
        late_seconds,
        well,
        missed_process,
        processes: figures.processes.into_iter().map(ProcessView::from).collect(),
        jobs,
        queues,
        dead_letters,
        chunks: Chunks { open, failed },
        waiting: WaitingView {
            grants: grants.into_iter().map(|grants| GrantsView::of(&grants, language)).collect(),
            requests_for_operator,
            rates_for_operator: status::held_rates(conn).await?,
            requests_for_night,
            files_unanswered: status::unanswered_files(conn, NAMED).await?,
            awaiting_entitlements: status::awaiting_entitlements(conn, NAMED).await?,
            mails: figures.mails.into_iter().collect(),
            mails_paced: pace::waits(conn, NAMED).await?.into_iter().map(PacedView::from).collect(),
            notices_owed: figures.notices_owed,
        },
        files_refused: status::refused_files(conn, sub_days(now.date_naive(), LATELY_DAYS), NAMED).await?,
        ticks_dropped: figures.dropped,
    })
}

impl From<(PaceWait, i64)> for PacedView {
    fn from((wait, count): (PaceWait, i64)) -> Self {
        Self { wait: wait.into(), count }
    }
}

impl From<process::Seen> for ProcessView {
    fn from(seen: process::Seen) -> Self {
        let process::Seen { name, command, host, pid, version, listens_on, started_at, seen_at, .. } = seen;
        let (seen_seconds, lives) = (seen.seen_seconds, seen.lives);
        Self { name, command, host, pid, version, listens_on, started_at, seen_at, seen_seconds, lives }
    }
}

impl From<status::JobRun> for JobRunView {
    fn from(run: status::JobRun) -> Self {
        let status::JobRun { job, due_on, status, attempts, finished_at, worked_ms, done, refused, failed } =
            run;
        Self { job, due_on, status, attempts, finished_at, worked_ms, done, refused, failed }
    }
}

impl GrantsView {
    fn of(grants: &status::WaitingGrants, language: Language) -> Self {
        Self {
            reason_code: grants.reason.code(),
            reason: grants.reason.sentence(language),
            count: grants.count,
            since: grants.since,
        }
    }
}

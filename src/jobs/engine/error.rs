//! Why work did not complete, and what that means for who runs it.

use chrono::NaiveDate;

use crate::{
    domain::id::RunNo,
    store::{self, work::WorkId},
};

/// Why a job did not complete, and so what happens next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store: retried, then given up.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Another process runs nights: try again when it is done.
    #[error("another process is running the night")]
    Held,
    /// It was asked to stop and did so between two chunks; the next start goes on there.
    #[error("stopped as asked; what is left is done on the next start")]
    Stopped,
    /// Chunks failed for good; the others are done.
    #[error("{}", incomplete(job, *due_on, *run_id, chunks, said))]
    Incomplete {
        /// The job.
        job: &'static str,
        /// The business date.
        due_on: NaiveDate,
        /// Its run.
        run_id: RunNo,
        /// Their numbers.
        chunks: Vec<i32>,
        /// What the first of them said last.
        said: String,
    },
    /// Single rows failed for good; everything else is done, and the nights went on past them.
    #[error("{}", left_out(.0))]
    LeftOut(Vec<LeftOut>),
    /// A chunk's work panicked: a fault of this program.
    #[error("panicked: {0}")]
    Panicked(String),
    /// A chunk's work took longer than it may.
    #[error("did not end within {seconds} s and was cut off (limit_seconds)")]
    Hung {
        /// How long it may take.
        seconds: u32,
    },
    /// An operator called a chunk off while it was worked on.
    #[error("called off by an operator")]
    CalledOff,
    /// Work that was cut off computes on and cannot be interrupted: the process must end, and nothing is lost.
    #[error("work that was cut off cannot be interrupted; this process ends, and the next start goes on")]
    Stuck,
    /// A mail cannot be written: its notice needs a person.
    #[error("mail: {0}")]
    Mail(#[from] crate::mail::Error),
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

/// One row of a night that failed for good, and that the night went on past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The job that failed.
    pub job: &'static str,
    /// For which business date.
    pub due_on: NaiveDate,
    /// Its chunk; `None` in a dry run, of which none stays.
    pub id: Option<WorkId>,
    /// Whose it is and what, as people know it.
    pub what: String,
    /// What its last try said.
    pub said: String,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Error {
    /// Whether the same may work once something else is back or has room: no fault of what was worked on.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Store(store) => store.is_down(),
            Self::File { error, .. } => is_full(error),
            _ => false,
        }
    }

    /// Whether it may be the fault of the one file that was worked on, so that others go on (promise 5): the store is
    /// there, nothing is full, and nobody asked for an end.
    #[must_use]
    pub fn is_of_one_file(&self) -> bool {
        match self {
            Self::Store(store::Error::LeaseLost) => false,
            Self::Store(store) => !store.is_down() && !store.is_configuration(),
            Self::File { error, .. } => !is_full(error),
            _ => false,
        }
    }

    /// Whether it may be the fault of one row of what was worked on: the store is there, the work was the worker's own to
    /// do, and it came to an end.
    #[must_use]
    pub fn may_be_of_one_row(&self) -> bool {
        match self {
            Self::Store(store::Error::LeaseLost) => false,
            Self::Store(store) => !store.is_down() && !store.is_configuration(),
            Self::Panicked(_) => true,
            _ => false,
        }
    }

    /// Whether the store refused values, as it will again.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Store(store) if store.refused_values().is_some())
    }

    /// For an error with a file.
    pub fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = crate::files::shown::shown_path(path);
        move |error| Self::File { path, error }
    }
}

/// What to do about chunks that failed for good.
fn incomplete(job: &str, due_on: NaiveDate, run_id: RunNo, chunks: &[i32], said: &str) -> String {
    let first = chunks.first().copied().unwrap_or_default();
    let more = match chunks.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{job} for {due_on} is incomplete: chunk {run_id}.{first}{more} failed after all tries; it said: {said}. \
         `benefactor jobs show {run_id}.{first}` tells which rows; then `jobs retry` or `jobs discard` it"
    )
}

/// How many of what was left out are told one by one.
const NAMED: usize = 10;

/// What to do about single rows that failed for good.
fn left_out(all: &[LeftOut]) -> String {
    let mut told: Vec<String> = all.iter().take(NAMED).map(LeftOut::sentence).collect();
    if let Some(more) = all.len().checked_sub(NAMED).filter(|more| *more > 0) {
        told.push(format!("and {more} more: `benefactor jobs list --state dead`"));
    }
    told.join("\n")
}

impl LeftOut {
    fn sentence(&self) -> String {
        let Self { job, due_on, what, said, .. } = self;
        let next = self.id.map_or_else(String::new, |id| {
            format!(". `benefactor jobs show {id}` tells more; then `jobs retry` or `jobs discard` it")
        });
        format!("{job} for {due_on} failed for {what}, and the rest is done; it said: {said}{next}")
    }
}

/// Result of a job.
pub type Result<T> = std::result::Result<T, Error>;

/// What the store said, if it refused the values it was given; any other error stays one.
///
/// # Errors
/// The one that it is given.
pub fn refused_values(error: Error) -> Result<String> {
    match &error {
        Error::Store(store) => store.refused_values().ok_or(error),
        _ => Err(error),
    }
}

/// Whether a disk has no room, or is one that nobody may write to.
#[must_use]
pub fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

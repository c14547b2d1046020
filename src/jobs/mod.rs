//! The jobs, and the one way they are run: decide row by row, commit chunk by chunk, run again and change nothing.
//!
//! A reconciler's chunk is one transaction: what it read, decided, wrote, and that it is done. A courier talks to
//! the outside with no transaction open and records what came of it. Both take the business date and nothing else.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::NaiveDate;
use futures::future::BoxFuture;
use sqlx::PgConnection;
use tokio::sync::OnceCell;

pub use engine::stop::{Asker, Stop};

use crate::{
    domain::{catalogue::Catalogue, policy::Policies, rate::Rates},
    store::{
        self,
        run::{self, Chunk, Counts, Span},
        vault,
        work::Rows,
    },
};

pub mod apply_cancellations;
pub mod email_contacts;
pub mod engine;
pub mod expire_benefits;
pub mod export_entitlements;
pub mod import_entitlements;
pub mod provision_credits;
pub mod remind_contacts;

/// Every job, in the order of a night.
pub const REGISTRY: [&Job; 7] = [
    &import_entitlements::JOB,
    &apply_cancellations::JOB,
    &expire_benefits::JOB,
    &provision_credits::JOB,
    &remind_contacts::JOB,
    &email_contacts::JOB,
    &export_entitlements::JOB,
];

/// What planning a stage is given and gives.
pub type Plan = for<'a> fn(&'a Context, &'a mut PgConnection, i16) -> BoxFuture<'a, Result<Vec<Span>>>;
/// What a chunk's work is given and gives.
pub type Work = for<'a> fn(&'a Context, &'a mut PgConnection, &'a Chunk) -> BoxFuture<'a, Result<Counts>>;

/// One part of a job, as it is told to operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What its chunks are about: "cancellations asked for".
    pub covers: &'static str,
    /// What their spans are cut along.
    pub rows: Rows,
}

/// One job: its twin `jobs/<name>.toml` says when and how hard.
pub struct Job {
    /// The stem: its file, its queue (with hyphens), its fixtures, its tests.
    pub name: &'static str,
    /// Its parts: the next is planned when the one before is done.
    pub stages: &'static [Stage],
    /// Cuts what is due into spans.
    pub plan: Plan,
    /// Does one span.
    pub work: Work,
    /// A courier works outside a transaction; everything else inside one that commits with its outcome.
    pub courier: bool,
}

/// Where files go.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The data directory.
    pub data: PathBuf,
    /// Where a dry run puts copies of dropped files instead; gone with the last that uses it.
    pub scratch: Option<Arc<tempfile::TempDir>>,
}

impl Folders {
    /// Files that people drop.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.data.join("inbox")
    }

    /// Copies of what was dropped, named by hash.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.scratch.as_ref().map_or_else(|| self.data.join("spool"), |scratch| scratch.path().to_owned())
    }

    /// Dropped files, handed back with an answer on every row.
    #[must_use]
    pub fn answers(&self) -> PathBuf {
        self.data.join("answers")
    }

    /// Mails as `.eml`.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.data.join("outbox")
    }
}

/// Tells files that are whole from files that are still written to.
#[derive(Clone)]
pub struct Whole(Arc<dyn Fn(&Path) -> bool + Send + Sync>);

impl Whole {
    /// By having watched them.
    pub fn if_seen(tells: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(tells))
    }

    /// As the one who starts a command says.
    #[must_use]
    pub fn all() -> Self {
        Self(Arc::new(|_| true))
    }

    /// Whether this one is.
    #[must_use]
    pub fn is(&self, path: &Path) -> bool {
        (self.0)(path)
    }
}

/// What every job of one business date works with.
pub struct Context {
    /// The numbers of the rules.
    pub policies: Arc<Policies>,
    /// What offers bring.
    pub catalogue: Arc<Catalogue>,
    /// SHA-256 of the catalogue's text.
    pub catalogue_sha256: String,
    /// Where files go.
    pub folders: Folders,
    /// The business date.
    pub today: NaiveDate,
    /// The business date on which files arrive now (D1): the clock's, not the night's.
    pub arrived_on: NaiveDate,
    /// No later night is complete: mail and exports, which show the present, are made.
    pub latest: bool,
    /// Print, do not send or write files; the caller rolls back.
    pub dry_run: bool,
    /// Who works: a role and a name that no other process ever has, `night:…`.
    pub worker: String,
    /// Host and data directory: a courier's files and mails belong there.
    pub place: String,
    /// What the coordinator's writes are fenced with; `None` for a helper and in a rehearsal.
    pub epoch: Option<i64>,
    /// Whether to begin nothing more.
    pub stop: Stop,
    /// Which files of the inbox are whole; the others are still written to and wait.
    pub whole: Whole,
    /// Where the secret is that product keys are sealed with.
    pub vault: Arc<vault::Place>,
    /// Loaded when first needed.
    pub rates: OnceCell<Rates>,
}

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
        run_id: i64,
        /// Their numbers.
        chunks: Vec<i32>,
        /// What the first of them said last.
        said: String,
    },
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

    /// For an error with a file.
    pub fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| Self::File { path, error }
    }
}

/// What to do about chunks that failed for good.
fn incomplete(job: &str, due_on: NaiveDate, run_id: i64, chunks: &[i32], said: &str) -> String {
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

/// Result of a job.
pub type Result<T> = std::result::Result<T, Error>;

/// Whether a disk has no room, or is one that nobody may write to.
#[must_use]
pub fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

impl Job {
    /// The job of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        REGISTRY.into_iter().find(|job| job.name == name)
    }

    /// The last of its stages, counted from 0.
    fn last_stage(&self) -> i16 {
        i16::try_from(self.stages.len()).unwrap_or(i16::MAX) - 1
    }

    /// The queue in which calls for its chunks are: its name with hyphens.
    #[must_use]
    pub fn queue(&self) -> String {
        self.name.replace('_', "-")
    }
}

impl Context {
    /// The same for another business date; `latest`: no later night is complete.
    #[must_use]
    pub fn on(&self, today: NaiveDate, latest: bool) -> Self {
        Self {
            policies: Arc::clone(&self.policies),
            catalogue: Arc::clone(&self.catalogue),
            catalogue_sha256: self.catalogue_sha256.clone(),
            folders: self.folders.clone(),
            today,
            arrived_on: self.arrived_on,
            latest,
            dry_run: self.dry_run,
            worker: self.worker.clone(),
            place: self.place.clone(),
            epoch: self.epoch,
            stop: self.stop.clone(),
            whole: self.whole.clone(),
            vault: Arc::clone(&self.vault),
            rates: OnceCell::new(),
        }
    }

    /// The same for a worker of this name on the day that files arrive.
    #[must_use]
    pub fn by(&self, worker: String, arrived_on: NaiveDate) -> Self {
        Self { arrived_on, worker, ..self.on(self.today, self.latest) }
    }

    /// Holds the coordinator's place until the transaction ends.
    ///
    /// # Errors
    /// [`store::Error::LeaseLost`] when another process became leader meanwhile: nothing more may be written.
    async fn ensure_leader(&self, conn: &mut PgConnection) -> Result<()> {
        match self.epoch {
            Some(epoch) => Ok(run::ensure_leader(conn, epoch).await?),
            None => Ok(()),
        }
    }

    /// How hard a job works.
    #[must_use]
    pub fn work(&self, job: &str) -> crate::domain::policy::Work {
        let jobs = self.policies.jobs();
        jobs.iter().find(|(name, ..)| *name == job).map_or(jobs[0].2, |(_, _, work)| *work)
    }

    /// Rows of a job's chunk.
    #[must_use]
    pub fn chunk_rows(&self, job: &str) -> i64 {
        i64::from(self.work(job).chunk_rows)
    }

    /// The published rates.
    pub async fn rates(&self, conn: &mut PgConnection) -> Result<&Rates> {
        Ok(self.rates.get_or_try_init(|| store::credit::rates(conn)).await?)
    }

    /// The numbers that credit is decided with.
    #[must_use]
    pub fn credit_policy(&self) -> store::credit::Policy {
        let policy = self.policies.provision_credits.policy;
        store::credit::Policy {
            scheme: policy.period_scheme,
            periods_in_a_year: policy.periods_in_a_year,
            max_rate_age_days: policy.max_rate_age_days,
        }
    }

    /// Whether a run was begun by this program with these policies and this catalogue, so that its chunks come to the
    /// same here; what a courier writes must come to the same place as well.
    #[must_use]
    pub fn agrees_with(&self, run: &run::Claimable) -> bool {
        let is_here = run.place.as_ref() == Some(&self.place);
        let goes_anywhere = Job::named(&run.job).is_some_and(|job| !job.courier);
        (goes_anywhere || is_here)
            && run.binary_version == env!("CARGO_PKG_VERSION")
            && run.policy_sha256 == self.policy_sha256(&run.job)
            && run.catalogue_sha256 == self.catalogue_sha256
    }

    fn policy_sha256(&self, job: &str) -> String {
        let text =
            self.policies.texts.iter().find(|(stem, _)| *stem == job).map_or("", |(_, text)| text.as_str());
        sha256(text.as_bytes())
    }

    async fn provenance(&self, job: &str, conn: &mut PgConnection) -> Result<run::Provenance> {
        Ok(run::Provenance {
            binary_version: env!("CARGO_PKG_VERSION").to_owned(),
            policy_sha256: self.policy_sha256(job),
            catalogue_sha256: self.catalogue_sha256.clone(),
            input_sha256: run::input_sha256(conn).await?,
            place: self.place.clone(),
        })
    }
}

/// Hexadecimal SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

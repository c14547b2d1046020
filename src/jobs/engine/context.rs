//! What every job of one business date works with.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, Utc};
use futures::future::BoxFuture;
use sqlx::{PgConnection, PgPool};
use tokio::sync::OnceCell;

use super::{error::Result, stop::Stop};
use crate::{
    domain::{
        catalogue::Catalogue,
        night_report::{NightAsked, NightReport},
        rate::Rates,
    },
    jobs::policy::{Policies, file::Work},
    mail::{dkim::DkimKeys, smtp::MailServer},
    store::{self, run, vault, work::DueTerms},
};

/// Where files go.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The data directory.
    pub data: PathBuf,
    /// Where a dry run puts copies of dropped files instead; gone with the last that uses it.
    pub scratch: Option<Arc<tempfile::TempDir>>,
}

impl Folders {
    /// Files that people drop; those that were answered are in `done` and `refused` there, with their answers.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.data.join("inbox")
    }

    /// Copies of what was dropped, named by hash.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.scratch.as_ref().map_or_else(|| self.data.join("spool"), |scratch| scratch.path().to_owned())
    }

    /// Mails as `.eml`.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.data.join("outbox")
    }
}

/// Files of the inbox that nights waited for, since when. A wait that is cut off, as by an outage, goes on where it was; one
/// for a file that is written to on and on ends, and only begins anew after a while.
#[derive(Clone, Debug, Default)]
pub struct Waited(Arc<Mutex<HashMap<PathBuf, Instant>>>);

/// How long after the begin of a wait for a file the next one may begin.
const NOT_AGAIN: Duration = Duration::from_mins(10);

impl Waited {
    /// Whether to wait for this file: nobody has waited for it for so long already.
    #[must_use]
    pub fn may_wait(&self, path: &Path, at_most: Duration) -> bool {
        let mut waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waited.retain(|_, since| since.elapsed() < NOT_AGAIN);
        waited.entry(path.to_owned()).or_insert_with(Instant::now).elapsed() < at_most
    }
}

/// The business clock, as far as jobs may look at it: mails are dated by it.
#[derive(Clone)]
pub struct Now(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Now {
    /// Told by a clock.
    pub fn told(by: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(by))
    }

    /// The instant.
    #[must_use]
    pub fn get(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

/// What a night came to, as whoever asks is told it: gathered from the store by what answers people, which jobs do not know.
#[derive(Clone, Copy)]
pub struct Gather(GatherReport);

type GatherReport =
    for<'a> fn(&'a mut PgConnection, &'a NightAsked<'a>) -> BoxFuture<'a, store::Result<NightReport>>;

impl Gather {
    /// Gathered by this.
    #[must_use]
    pub const fn told(by: GatherReport) -> Self {
        Self(by)
    }

    /// What the nights came to that are asked of.
    ///
    /// # Errors
    /// The store's.
    pub async fn gather(self, conn: &mut PgConnection, asked: &NightAsked<'_>) -> Result<NightReport> {
        Ok((self.0)(conn, asked).await?)
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
    /// The business clock.
    pub now: Now,
    /// What operators are told of a night.
    pub gather: Gather,
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
    /// Which files of the inbox were waited for.
    pub waited: Waited,
    /// Where mails are handed to; without one they go to the outbox.
    pub server: Option<Arc<MailServer>>,
    /// What mails are signed with.
    pub dkim: Arc<DkimKeys>,
    /// Where the page that unsubscribes is reached from outside.
    pub public_url: Option<String>,
    /// Where the secret is that product keys are sealed with.
    pub vault: Arc<vault::SecretPlace>,
    /// Connections for the lanes of a big file; without them it has one lane.
    pub lanes: Option<PgPool>,
    /// Loaded when first needed.
    pub rates: OnceCell<Rates>,
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
            now: self.now.clone(),
            gather: self.gather,
            latest,
            dry_run: self.dry_run,
            worker: self.worker.clone(),
            place: self.place.clone(),
            epoch: self.epoch,
            stop: self.stop.clone(),
            waited: self.waited.clone(),
            server: self.server.clone(),
            dkim: Arc::clone(&self.dkim),
            public_url: self.public_url.clone(),
            vault: Arc::clone(&self.vault),
            lanes: self.lanes.clone(),
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
    pub(super) async fn ensure_leader(&self, conn: &mut PgConnection) -> Result<()> {
        match self.epoch {
            Some(epoch) => Ok(run::ensure_leader(conn, epoch).await?),
            None => Ok(()),
        }
    }

    /// How hard a job works.
    #[must_use]
    pub fn work(&self, job: &str) -> Work {
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
        Ok(self.rates.get_or_try_init(|| store::rate::load(conn)).await?)
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

    /// What decides which rows are due.
    #[must_use]
    pub fn due_terms(&self) -> DueTerms {
        let expiry = self.policies.expire_benefits.policy;
        DueTerms::new(self.today, expiry.grace_days, expiry.activate_by_days)
    }

    /// SHA-256 of a job's policy text.
    pub(super) fn policy_sha256(&self, job: &str) -> String {
        let text =
            self.policies.texts.iter().find(|(stem, _)| *stem == job).map_or("", |(_, text)| text.as_str());
        sha256(text.as_bytes())
    }

    pub(super) fn provenance(&self, job: &str) -> run::Provenance {
        run::Provenance {
            binary_version: env!("CARGO_PKG_VERSION").to_owned(),
            policy_sha256: self.policy_sha256(job),
            catalogue_sha256: self.catalogue_sha256.clone(),
            place: self.place.clone(),
        }
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

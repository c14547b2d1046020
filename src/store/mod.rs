//! The only module with SQL: where the database is, its schema, and functions over its tables, one file a family.
//!
//! The queue's own tables come from elsewhere ([`Location::transport`]); they are migrated here, under one lock
//! with ours, because schema and grants belong together.

pub mod agreement;
pub mod alike;
pub mod book;
pub mod bounce;
pub mod bulk;
pub mod contact;
pub mod credit;
pub mod digest;
pub mod directory;
pub mod dropped;
pub mod embedded;
pub mod erasure;
mod error;
pub mod explain;
pub mod export;
pub mod file;
pub mod file_chunk;
pub mod held_back;
pub mod holding;
pub mod intake;
pub mod keys;
pub mod ledger;
pub mod mail;
pub mod mail_token;
pub mod night_report;
pub mod notice;
pub mod notifier;
mod number;
pub mod open_rates;
mod operator_action;
pub mod order;
pub mod own_currency;
pub mod partner_snapshot;
pub mod people;
pub mod process;
pub mod quarantine;
pub mod rate;
pub mod rehearsal;
pub mod reminder;
pub mod renewal;
pub mod request;
pub mod retention;
pub mod reversal;
pub mod run;
pub mod schema;
pub mod settlement;
pub mod status;
pub mod summary;
pub mod suppression;
pub mod tick;
pub mod units;
pub mod vault;
pub mod waiting;
pub mod work;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use embedded::{Hold, Login};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use error::{Error, Result};
use schema::{Grants, SchemaState};

/// Connections a process may have open.
const CONNECTIONS: u32 = 24;
/// Statements a connection keeps prepared: all that a night and its files have. Were it fewer, each would be gone by the time
/// that the next night needs it.
const STATEMENTS: usize = 400;
/// How long a caller waits for one of them, and for an outside database to answer at all.
const ACQUIRE: Duration = Duration::from_secs(30);
/// How long connections may take to come back when a command ends.
const CLOSED_WITHIN: Duration = Duration::from_secs(10);
/// How long the private store may take to come back after a crash while a command waits for it.
const RECOVERY: Duration = Duration::from_mins(2);

/// Where the database is.
#[derive(Clone, Debug)]
pub struct Location {
    /// The outside database, which wins.
    pub database_url: Option<SecretString>,
    /// The private one otherwise.
    pub embedded: embedded::Options,
    /// The migrations of the queue's tables.
    pub transport: fn() -> Migrator,
}

/// An open store: connections, and the use of the private cluster if that is what it is.
#[derive(Debug)]
pub struct Store {
    /// Connections as the worker; outside, as whoever `DATABASE_URL` names.
    pub pool: PgPool,
    hold: Option<Arc<Hold>>,
}

/// The use of a database without connections to it yet.
#[derive(Debug)]
pub enum Access {
    /// An outside database, by its URL.
    Outside(SecretString),
    /// The private one, which runs while this exists.
    Private(Arc<Hold>),
}

impl Location {
    /// Takes part in the private store, starting it if need be; for an outside database, names it.
    ///
    /// # Errors
    /// See [`embedded::hold`].
    pub async fn access(&self) -> Result<Access> {
        if let Some(url) = &self.database_url {
            return Ok(Access::Outside(url.clone()));
        }
        let options = self.embedded.clone();
        Ok(Access::Private(Arc::new(blocking(move || embedded::hold(&options)).await?)))
    }

    /// The URL of a database that answers now; starts nothing.
    ///
    /// # Errors
    /// [`Error::Down`] if nothing listens there.
    pub async fn listening(&self, login: Login) -> Result<SecretString> {
        let url = if let Some(url) = &self.database_url {
            url.clone()
        } else {
            let options = self.embedded.clone();
            let dir = options.data_dir.display().to_string();
            let running = blocking(move || embedded::running(&options, login)).await?;
            let nothing = || Error::Down(format!("no store is running for {dir}; `db hold` keeps one"));
            SecretString::from(running.ok_or_else(nothing)?)
        };
        connect(&url).await?.close().await?;
        Ok(url)
    }
}

impl Access {
    /// The URL for one of the logins; an outside database has one for all.
    ///
    /// # Errors
    /// If the private store has no socket on record.
    pub fn url(&self, login: Login) -> Result<SecretString> {
        match self {
            Self::Outside(url) => Ok(url.clone()),
            Self::Private(hold) => Ok(SecretString::from(hold.url(login)?)),
        }
    }

    /// One connection, for a private store waiting until it is back from a crash.
    async fn connect(&self, login: Login) -> Result<PgConnection> {
        let deadline = Instant::now() + RECOVERY;
        loop {
            match (connect(&self.url(login)?).await, self) {
                (Err(Error::Down(_)), Self::Private(hold)) if Instant::now() < deadline => {
                    let hold = Arc::clone(hold);
                    blocking(move || hold.ensure()).await?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                (result, _) => return result,
            }
        }
    }

    /// Waits until the database answers, migrates a private one whose schema is older than this binary, and says
    /// how the schema stands then. On a warm store this costs two short queries.
    ///
    /// # Errors
    /// [`Error::Down`]; what a migration said.
    pub async fn settle(&self, transport: fn() -> Migrator) -> Result<SchemaState> {
        let mut first = self.connect(Login::Worker).await?;
        let standing = schema::standing(&mut first, &transport()).await?;
        first.close().await?;
        if standing == SchemaState::Older && matches!(self, Self::Private(_)) {
            self.migrate(transport, &Grants::default()).await?;
            return Ok(SchemaState::Current);
        }
        Ok(standing)
    }

    /// Brings the schema up to this binary's, and grants to the private store's roles, or to those named.
    ///
    /// # Errors
    /// [`Error::SchemaNewer`]; [`Error::Down`]; what the migration said.
    pub async fn migrate(&self, transport: fn() -> Migrator, named: &Grants) -> Result<()> {
        let mut owner = self.connect(Login::Owner).await?;
        let mut lock = self.connect(Login::Owner).await?;
        let private;
        let grants = match self {
            Self::Outside(_) => named,
            Self::Private(_) => {
                private = named.clone().and(Login::Worker.role(), Login::Reader.role());
                &private
            }
        };
        schema::migrate(&mut owner, &mut lock, &transport(), grants).await?;
        owner.close().await?;
        lock.close().await?;
        Ok(())
    }
}

impl Store {
    /// Opens the store for a command. The private one is migrated first if its schema is older than this binary.
    ///
    /// # Errors
    /// [`Error::Down`] if Postgres does not answer, [`Error::SchemaNewer`] if a newer binary was here,
    /// [`Error::SchemaOlder`] if an outside database wants `migrate`.
    pub async fn open(location: &Location) -> Result<Self> {
        let access = location.access().await?;
        match access.settle(location.transport).await? {
            SchemaState::Current => {}
            SchemaState::Newer => return Err(Error::SchemaNewer),
            SchemaState::Older => return Err(Error::SchemaOlder),
        }
        let options = options(&access.url(Login::Worker)?)?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .connect_with(options)
            .await?;
        let hold = match access {
            Access::Outside(_) => None,
            Access::Private(hold) => Some(hold),
        };
        Ok(Self { pool, hold })
    }

    /// Opens the store for a command that only reads: it makes none.
    ///
    /// # Errors
    /// [`Error::Down`] if the data directory has no store; else as [`Store::open`].
    pub async fn open_existing(location: &Location) -> Result<Self> {
        if location.database_url.is_none() {
            let data_dir = location.embedded.data_dir.clone();
            if blocking(move || embedded::directory(&data_dir)).await?.is_none() {
                return Err(Error::Down(format!(
                    "there is no store in {}; `import`, `night` and `up` make one, `--data-dir` says where one is",
                    location.embedded.data_dir.display()
                )));
            }
        }
        Self::open(location).await
    }

    /// A few connections beside those of work, so that whoever must be quick never waits for it; made when needed.
    #[must_use]
    pub fn aside(&self, connections: u32, patience: Duration) -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(patience)
            .connect_lazy_with((*self.pool.connect_options()).clone())
    }

    /// Closes the connections in order, then leaves the private store, which stops if nobody else uses it. Work that
    /// cannot be interrupted never gives its connection back: nobody waits for that longer than 10 s.
    pub async fn close(self) {
        if tokio::time::timeout(CLOSED_WITHIN, self.pool.close()).await.is_err() {
            tracing::warn!("a connection is still in use; it goes with this process");
        }
        drop(self.hold);
    }
}

async fn connect(url: &SecretString) -> Result<PgConnection> {
    let options = options(url)?;
    match tokio::time::timeout(ACQUIRE, options.connect()).await {
        Ok(connection) => Ok(connection?),
        Err(_) => Err(Error::Down(format!("Postgres does not answer within {} s", ACQUIRE.as_secs()))),
    }
}

/// The URL's own text is never part of an error: it holds a password.
fn options(url: &SecretString) -> Result<PgConnectOptions> {
    let scheme = url.expose_secret().split("://").next();
    if !matches!(scheme, Some("postgres" | "postgresql")) {
        return Err(Error::Configuration("the database URL does not begin with postgres://".to_owned()));
    }
    let options: PgConnectOptions = url
        .expose_secret()
        .parse()
        .map_err(|error| Error::Configuration(format!("the database URL cannot be read: {error}")))?;
    Ok(options.application_name("benefactor").statement_cache_capacity(STATEMENTS))
}

async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> std::result::Result<T, embedded::Error> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(Error::Down(format!("the private Postgres could not be looked after: {error}"))),
    }
}

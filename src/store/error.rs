//! What can go wrong with the database, told apart by what happens next.

use sqlx::migrate::MigrateError;

use super::embedded;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Postgres does not answer, or went away: try again later.
    #[error("the database is down: {0}")]
    Down(String),
    /// A newer binary has migrated this database.
    #[error("this database was migrated by a newer benefactor; use that one")]
    SchemaNewer,
    /// An outside database whose schema is older than this binary.
    #[error("this database's schema is older than this benefactor; run `benefactor migrate` as its owner")]
    SchemaOlder,
    /// The database refuses us, or what was configured makes no sense.
    #[error("{0}")]
    Configuration(String),
    /// The private cluster cannot be had.
    #[error(transparent)]
    Embedded(#[from] embedded::Error),
    /// A migration failed.
    #[error("migration: {0}")]
    Migration(MigrateError),
    /// The chunk was claimed again by another worker.
    #[error("the lease of this chunk passed to another worker")]
    LeaseLost,
    /// A stored value is not one of ours.
    #[error("the store holds {what} that this program does not know")]
    Unknown {
        /// What, and its value.
        what: String,
    },
    /// What was to be written could not be: the disk, or whoever was reading it.
    #[error("writing: {0}")]
    Output(std::io::Error),
    /// Any other answer of the database.
    #[error("database: {}", said(.0))]
    Database(sqlx::Error),
}

/// What Postgres said, with its code, and not where in its own source.
fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(answer) => {
            format!("{} ({})", answer.message(), answer.code().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

/// Result of a store function.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether the same may work once the database is back.
    #[must_use]
    pub fn is_down(&self) -> bool {
        use embedded::Error::{Absent, Down};
        let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
        match self {
            Self::Down(_) | Self::Embedded(Absent(_) | Down(_)) => true,
            Self::Output(error) => full(error),
            _ => false,
        }
    }

    /// What the database said, if it refuses the values that it was given: one that is out of range, too long or not of
    /// its type, or that breaks a rule of a table (SQLSTATE classes 21, 22, 23, 54), or that cannot even be sent. The
    /// same without the row that brought it may work.
    #[must_use]
    pub fn refused_values(&self) -> Option<String> {
        let Self::Database(error) = self else { return None };
        match error {
            sqlx::Error::Database(answer) => {
                let code = answer.code().unwrap_or_default();
                let refused = ["21", "22", "23", "54"].iter().any(|class| code.starts_with(class));
                refused.then(|| answer.message().to_owned())
            }
            sqlx::Error::Encode(error) => Some(error.to_string()),
            _ => None,
        }
    }

    /// Whether somebody has to change what is configured first.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        let ours = matches!(self, Self::SchemaNewer | Self::SchemaOlder | Self::Configuration(_));
        ours || matches!(self, Self::Embedded(embedded::Error::Unfit(_) | embedded::Error::OtherVersion(_)))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Tls(_) => Self::Down(error.to_string()),
            sqlx::Error::Configuration(_) => Self::Configuration(error.to_string()),
            sqlx::Error::Database(answer) => {
                let code = answer.code().unwrap_or_default().into_owned();
                match code.as_str() {
                    // Shut down by an administrator, crashed, starting up, database dropped under us; a session ended
                    // for its silence, as that of a process that was paused is.
                    "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" => {
                        Self::Down(answer.message().to_owned())
                    }
                    // No such role, wrong password, no such database.
                    "28000" | "28P01" | "3D000" => Self::Configuration(answer.message().to_owned()),
                    // Connections that break; disk, memory or connections that have run out; a disk that fails.
                    lost if lost.starts_with("08") || lost.starts_with("53") || lost == "58030" => {
                        Self::Down(answer.message().to_owned())
                    }
                    _ => Self::Database(error),
                }
            }
            _ => Self::Database(error),
        }
    }
}

impl From<MigrateError> for Error {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) => Self::SchemaNewer,
            MigrateError::Execute(error) => Self::from(error),
            other => Self::Migration(other),
        }
    }
}

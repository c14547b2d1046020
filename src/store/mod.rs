//! The store.

pub mod bulk;
pub mod credit;
pub mod export;
pub mod notice;
pub mod order;
pub mod reminder;
pub mod request;
pub mod run;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Postgres said no.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The chunk was claimed again by another worker.
    #[error("the lease of this chunk passed to another worker")]
    LeaseLost,
    /// A stored value is not one of ours.
    #[error("the store holds {what} that this program does not know")]
    Unknown {
        /// What, and its value.
        what: String,
    },
}

impl Error {
    /// Whether the database cannot be reached: nothing more can be done until it can (exit 6).
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed))
    }
}

/// Result of a store function.
pub type Result<T> = std::result::Result<T, Error>;

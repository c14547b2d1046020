//! The store.

pub mod bulk;
pub mod credit;
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

/// Result of a store function.
pub type Result<T> = std::result::Result<T, Error>;

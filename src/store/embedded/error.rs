//! Why the private store cannot be had.

use std::path::{Path, PathBuf};

/// Why the private store cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no usable PostgreSQL on this machine; says how to get one.
    #[error("{0}")]
    Absent(String),
    /// The store was made by another major version than those on this machine; names both.
    #[error("{0}")]
    OtherVersion(String),
    /// What is there does not fit: a directory of another user, a setting that says nothing.
    #[error("{0}")]
    Unfit(String),
    /// Postgres does not start or does not answer.
    #[error("{0}")]
    Down(String),
    /// A file or directory of the store refuses.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

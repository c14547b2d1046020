//! Names of processes and places, so that a line in a log or a row in the store says who and where it was.

use std::path::Path;

use uuid::Uuid;

/// A role and a name that no other process, before or after, has: `night:host:4711:…`.
#[must_use]
pub fn of_process(role: &str) -> String {
    format!("{role}:{}:{}:{}", host(), std::process::id(), Uuid::now_v7())
}

/// What no other dropped file is called, and what sorts by when it came.
#[must_use]
pub fn of_drop() -> String {
    Uuid::now_v7().to_string()
}

/// This machine, as the network knows it.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A data directory on this machine: files and mails are written there by every process that says the same.
#[must_use]
pub fn of_place(data_dir: &Path) -> String {
    let path = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    format!("{}:{}", host(), path.display())
}

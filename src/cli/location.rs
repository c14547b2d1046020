//! Which store a command works on.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::{settings::Settings, store, worker};

/// Where the settings say the store is.
pub(super) fn location(settings: &Settings) -> anyhow::Result<store::Location> {
    let keeper: PathBuf = std::env::current_exe().context("this program's own path")?;
    Ok(store::Location {
        database_url: settings.database_url().cloned(),
        embedded: store::embedded::Options {
            data_dir: settings.data_dir.clone(),
            pg_bin_dir: settings.pg_bin_dir().map(PathBuf::from),
            archive: store::embedded::Archive::parse(settings.postgres_archive())?,
            keeper,
            durable: true,
        },
        transport: worker::transport_migrations,
    })
}

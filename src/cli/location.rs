//! Which store a command works on.

use std::path::PathBuf;

use anyhow::Context as _;
use sqlx::PgConnection;

use crate::{
    settings::Settings,
    store::{self, Store},
    worker,
};

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

/// Works over one connection on the store that there is, and leaves it in order whatever comes of that.
pub(super) async fn in_store<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&mut PgConnection) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let store = Store::open_existing(&location(settings)?).await?;
    let done = match store.pool.acquire().await {
        Ok(mut conn) => work(&mut conn).await,
        Err(error) => Err(store::Error::from(error).into()),
    };
    store.close().await;
    done
}

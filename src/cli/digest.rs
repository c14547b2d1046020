//! `digest`: one number for what the ledger says.

use chrono::NaiveDate;
use clap::Args;
use serde_json::json;

use super::{exit::Exit, location::location, output::print};
use crate::{
    settings::Settings,
    store::{Store, digest},
};

pub(super) const EXAMPLE: &str = "Example:\n  benefactor digest --on 2024-12-31";

/// What `digest` takes.
#[derive(Args, Debug)]
pub(super) struct DigestArgs {
    /// Only what has effect by this date
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
}

pub(super) async fn run_digest(settings: &Settings, args: DigestArgs) -> anyhow::Result<Exit> {
    let store = Store::open_existing(&location(settings)?).await?;
    let digest = digest::digest(&mut *store.pool.acquire().await?, args.on).await;
    store.close().await;
    let digest = digest?;
    print(&if settings.json { json!({ "sha256": digest }).to_string() } else { digest })?;
    Ok(Exit::Done)
}

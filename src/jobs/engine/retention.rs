//! Forgetting work that is long done, each job's after the `keep_days` of its file, and old nightly exports.

use std::path::Path;

use sqlx::{Connection, PgConnection};
use tracing::{info, warn};

use super::error::Result;
use crate::{
    files::dated,
    jobs::{export_entitlements::policy::FILE, policy::Policies},
    store::retention::{self, Pruned},
};

/// Chunks, or ticks, of a job removed in one transaction at most.
const AT_ONCE: i64 = 10_000;
/// Folders of exports removed at one time at most.
const FOLDERS_AT_ONCE: usize = 100;
/// The job that makes them.
const EXPORTS: &str = "export_entitlements";

/// Removes a bounded part of what is no longer kept. `true`: there may be more; `false`: there is none, or another
/// process is at it. `data`: the data directory, whose old nightly exports go as well.
///
/// # Errors
/// The store is down.
pub async fn prune(policies: &Policies, data: &Path, conn: &mut PgConnection) -> Result<bool> {
    let mut more = prune_exports(policies, data, conn).await?;
    for (stem, _, work) in policies.jobs() {
        let keep_days = i32::try_from(work.keep_days).unwrap_or(i32::MAX);
        let mut tx = conn.begin().await?;
        if !retention::lock(&mut tx).await? {
            return Ok(false);
        }
        let chunks = retention::prune_chunks(&mut tx, stem, keep_days, AT_ONCE).await?;
        let ticks = retention::prune_ticks(&mut tx, stem, keep_days, AT_ONCE).await?;
        tx.commit().await?;
        let pruned = Pruned { ticks: ticks.ticks, ..chunks };
        if pruned != Pruned::default() {
            let Pruned { chunks, attempts, ticks } = pruned;
            info!(job = stem, chunks, attempts, ticks, keep_days, "no longer kept");
        }
        more |= pruned.chunks.max(pruned.ticks) >= AT_ONCE;
    }
    Ok(more)
}

/// Removes exports of nights that lie longer back than they are kept. Only what the job itself wrote: its file in folders named
/// by a date for which it ran, and those folders once they are empty. Trouble with one of them is told, and the rest go on.
async fn prune_exports(policies: &Policies, data: &Path, conn: &mut PgConnection) -> Result<bool> {
    let policy = &policies.export_entitlements.policy;
    let Ok(keep_days @ 1..) = i32::try_from(policy.keep_exports_days) else { return Ok(false) };
    let folder = data.join(&policy.folder);
    let dates = match dated::dates(&folder) {
        Ok(dates) => dates,
        Err(error) => {
            warn!(folder = %folder.display(), %error, "old exports cannot be looked for");
            return Ok(false);
        }
    };
    if dates.is_empty() {
        return Ok(false);
    }
    let (mut removed, mut more) = (0, false);
    for date in retention::no_longer_kept(conn, EXPORTS, &dates, keep_days).await? {
        if removed == FOLDERS_AT_ONCE {
            more = true;
            break;
        }
        match dated::remove(&folder, date, FILE) {
            Ok(true) => removed += 1,
            Ok(false) => {}
            Err(error) => warn!(folder = %folder.display(), %date, %error, "an old export cannot be removed"),
        }
    }
    if removed > 0 {
        info!(folder = %folder.display(), removed, keep_days, "exports no longer kept");
    }
    Ok(more)
}

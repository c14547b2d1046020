//! Forgetting work that is long done, each job's after the `keep_days` of its file.

use sqlx::{Connection, PgConnection};
use tracing::info;

use super::error::Result;
use crate::{
    jobs::policy::Policies,
    store::retention::{self, Pruned},
};

/// Chunks, or ticks, of a job removed in one transaction at most.
const AT_ONCE: i64 = 10_000;

/// Removes a bounded part of what is no longer kept. `true`: there may be more; `false`: there is none, or another
/// process is at it.
///
/// # Errors
/// The store is down.
pub async fn prune(policies: &Policies, conn: &mut PgConnection) -> Result<bool> {
    let mut more = false;
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

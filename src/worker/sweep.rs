//! Every second: what is due and unclaimed is rung for. One process does so at a time, whichever comes first.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::Connection;
use tracing::{debug, info, warn};

use super::{desk::Desk, queue::Queue};
use crate::{
    jobs::{
        Job,
        engine::{fault, night, retention, ticks},
        import_entitlements as import,
    },
    store::{self, bell, file, run},
};

/// How often.
const TICK: Duration = Duration::from_secs(1);
/// Looks between two clearings of answered calls.
const CLEARED_EVERY: u32 = 60;
/// A file that was staged so long ago and is not finished was left by its process; seconds.
const LEFT_BEHIND: f64 = 60.0;
/// The pause between two looks for what is no longer kept.
const PRUNED_EVERY: Duration = Duration::from_hours(1);

/// Looks until a stop is asked for.
pub(super) async fn sweep(desk: Arc<Desk>) {
    let mut nth = 0_u32;
    let mut prune_at = Instant::now();
    let mut failed = false;
    loop {
        desk.turns.mark();
        let looked = look(&desk, nth.is_multiple_of(CLEARED_EVERY)).await;
        match &looked {
            Ok(()) if failed => info!("what is due is looked for again"),
            Ok(()) => {}
            Err(error) if failed => debug!(%error, "what is due still cannot be looked for"),
            Err(error) => warn!(%error, "what is due cannot be looked for; tried every second until it can"),
        }
        failed = looked.is_err();
        nth = nth.wrapping_add(1);
        if Instant::now() >= prune_at && !prune(&desk).await {
            prune_at = Instant::now() + PRUNED_EVERY;
        }
        tokio::select! {
            () = desk.base.stop.asked() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Forgets a bounded part of what is long done; whether there may be more.
async fn prune(desk: &Desk) -> bool {
    let pruned = async {
        let mut conn = desk.pool.acquire().await?;
        retention::prune(&desk.base.policies, &mut conn).await
    };
    pruned.await.unwrap_or_else(|error| {
        warn!(%error, "what is no longer kept could not be removed");
        false
    })
}

/// Looks once; a tick and its call commit together.
async fn look(desk: &Desk, clears: bool) -> store::Result<()> {
    let mut conn = desk.pool.acquire().await?;
    let mut tx = conn.begin().await?;
    if !bell::lock_sweep(&mut tx).await? {
        return Ok(()); // another process looks
    }
    ring_for_nights(desk, &mut tx).await?;
    for open in run::claimable(&mut tx).await? {
        if let Some(job) = Job::named(&open.job) {
            bell::ring(&mut tx, &job.queue(), open.chunks, open.priority).await?;
        }
    }
    if desk.takes_in() && desk.is_open(&Queue::Intake) && file::left_behind(&mut tx, LEFT_BEHIND).await? > 0 {
        let priority = desk.base.work(import::NAME).priority;
        bell::ring(&mut tx, &Queue::Intake.name(), 1, priority).await?;
    }
    if clears {
        let names: Vec<String> = desk.queues().iter().map(Queue::name).collect();
        bell::clear(&mut tx, &names).await?;
    }
    Ok(tx.commit().await?)
}

/// Puts the ticks that are due on record and rings for the night in the same transaction; rings again for one that can
/// go on while nobody runs it. The night itself works off what is on record, however much that is.
async fn ring_for_nights(desk: &Desk, conn: &mut sqlx::PgConnection) -> store::Result<()> {
    let now = desk.clock.now();
    let to = Desk::over(now);
    let (last, dates) = night::open(&mut *conn, None, to, true).await?;
    // What operators gave back to nights that are over waits for no hour.
    let mut owed = !run::retried(&mut *conn).await?.is_empty();
    let mut new = 0;
    if let Some(first) = dates.first().filter(|first| last.is_none_or(|last| last < **first)) {
        let policies = &desk.base.policies;
        let (plan, due) = ticks::settle(policies, &mut *conn, (*first, to), Some(now), false).await?;
        fault::at("tick.recorded", "night").await?;
        owed |= plan.can_go_on(*first);
        new = due;
    }
    if new > 0 {
        info!(ticks = new, up_to = %to, "due");
    }
    let call = new > 0 || owed && desk.is_open(&Queue::Night) && !run::night_runs(&mut *conn).await?;
    if call && bell::ring(conn, &Queue::Night.name(), 1, 0).await? > 0 {
        debug!(up_to = %to, "called for the night");
    }
    Ok(())
}

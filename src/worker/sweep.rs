//! Every second, one process looks for what is due and unclaimed and sends a wake-up call for it. Which process does so
//! may change from one second to the next.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::Connection;
use tracing::{debug, info, warn};

use super::{dispatcher::Dispatcher, queue::Queue};
use crate::{
    jobs::{
        Job,
        engine::{fault, night, retention, ticks},
        intake,
    },
    store::{self, file, notifier, run},
};

/// How often.
const TICK: Duration = Duration::from_secs(1);
/// Looks between two clearings of answered calls.
const CLEARED_EVERY: u32 = 60;
/// After so many seconds a file that is staged and not finished counts as left behind by a process that is gone.
const LEFT_BEHIND: f64 = 60.0;
/// The pause between two looks for what is no longer kept.
const PRUNED_EVERY: Duration = Duration::from_hours(1);

/// Looks every second until a stop is asked for.
pub(super) async fn sweep(dispatcher: Arc<Dispatcher>) {
    let mut nth = 0_u32;
    let mut prune_at = Instant::now();
    let mut failed = false;
    loop {
        dispatcher.liveness.mark();
        let looked = look(&dispatcher, nth.is_multiple_of(CLEARED_EVERY)).await;
        match &looked {
            Ok(()) if failed => info!("what is due is looked for again"),
            Ok(()) => {}
            Err(error) if failed => debug!(%error, "what is due still cannot be looked for"),
            Err(error) => warn!(%error, "what is due cannot be looked for; tried every second until it can"),
        }
        failed = looked.is_err();
        nth = nth.wrapping_add(1);
        if Instant::now() >= prune_at && !prune(&dispatcher).await {
            prune_at = Instant::now() + PRUNED_EVERY;
        }
        tokio::select! {
            () = dispatcher.base.stop.asked() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Deletes a bounded part of what is no longer kept; says whether there may be more.
async fn prune(dispatcher: &Dispatcher) -> bool {
    let pruned = async {
        let mut conn = dispatcher.pool.acquire().await?;
        let base = &dispatcher.base;
        retention::prune(&base.policies, &base.folders.data, &mut conn).await
    };
    pruned.await.unwrap_or_else(|error| {
        warn!(%error, "what is no longer kept could not be removed");
        false
    })
}

/// Looks once; a tick and its call commit together.
async fn look(dispatcher: &Dispatcher, clears: bool) -> store::Result<()> {
    let mut conn = dispatcher.pool.acquire().await?;
    let mut tx = conn.begin().await?;
    if !notifier::lock_sweep(&mut tx).await? {
        return Ok(()); // another process looks
    }
    notify_nights(dispatcher, &mut tx).await?;
    for open in run::claimable(&mut tx).await? {
        if let Some(job) = Job::named(&open.job) {
            notifier::notify(&mut tx, &job.queue(), open.chunks, open.priority).await?;
        }
    }
    if dispatcher.takes_in()
        && dispatcher.is_open(&Queue::Intake)
        && file::left_behind(&mut tx, LEFT_BEHIND).await? > 0
    {
        let priority = dispatcher.base.work(intake::NAME).priority;
        notifier::notify(&mut tx, &Queue::Intake.name(), 1, priority).await?;
    }
    if clears {
        let names: Vec<String> = dispatcher.queues().iter().map(Queue::name).collect();
        notifier::clear(&mut tx, &names).await?;
    }
    Ok(tx.commit().await?)
}

/// Records the ticks that are due and calls for the night in the same transaction; calls again while a night can go on
/// and no process runs it. The night itself does all that is recorded, however much that is.
async fn notify_nights(dispatcher: &Dispatcher, conn: &mut sqlx::PgConnection) -> store::Result<()> {
    let now = dispatcher.clock.now();
    let to = Dispatcher::over(now);
    let (last, dates) = night::open(&mut *conn, None, to, true).await?;
    // What an operator retries or discards in a night that is over is done at once.
    let mut owed = !run::retried(&mut *conn).await?.is_empty();
    let mut new = 0;
    if let Some(first) = dates.first().filter(|first| last.is_none_or(|last| last < **first)) {
        let policies = &dispatcher.base.policies;
        let (plan, due) = ticks::settle(policies, &mut *conn, (*first, to), Some(now), false).await?;
        fault::at("tick.recorded", "night").await?;
        owed |= plan.can_go_on(*first);
        new = due;
    }
    if new > 0 {
        info!(ticks = new, up_to = %to, "due");
    }
    let call = new > 0 || owed && dispatcher.is_open(&Queue::Night) && !run::night_runs(&mut *conn).await?;
    if call && notifier::notify(conn, &Queue::Night.name(), 1, 0).await? > 0 {
        debug!(up_to = %to, "called for the night");
    }
    Ok(())
}

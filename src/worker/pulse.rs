//! A process gives word while it lives and signs off when it leaves: whoever fell silent without that is missed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio::{sync::oneshot, task::JoinHandle};
use tracing::warn;

use crate::store::{
    self,
    process::{self, Process},
};

/// How often word is given; six may be lost before a process counts as silent.
const EVERY: Duration = Duration::from_secs(5);
/// How long one word may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// Words between two clearings of processes long gone: an hour.
const PRUNED_EVERY: u32 = 720;

/// A sweep that has not turned for so long does not turn any more: in an outage it waits 30 s for a connection.
const STALLED_AFTER: Duration = Duration::from_secs(45);

/// Whether this process still looks for work.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Mutex<Instant>>);

impl Turns {
    /// A process that just began.
    pub(super) fn begin() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// It looks.
    pub(super) fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// It looked lately, or just began. A database that is down does not count against it: starting the process again
    /// would not bring that back.
    #[must_use]
    pub fn turns(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < STALLED_AFTER
    }
}

/// A process that gives word, until it is told to end. Dropped without that, it falls silent and is missed.
#[derive(Debug)]
pub struct Pulse {
    leave: Option<oneshot::Sender<()>>,
    beating: JoinHandle<()>,
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

impl Pulse {
    /// Gives the first word, and then more in a task of its own, on connections that no work waits for. A store that
    /// is down is told again when it is back.
    pub async fn begin(pool: PgPool, me: Process) -> Self {
        beat(&pool, &me, true).await;
        let (leave, left) = oneshot::channel();
        Self { leave: Some(leave), beating: tokio::spawn(keep(pool, me, left)) }
    }

    /// Signs off, unless the store is down, and gives the connections back.
    pub async fn end(mut self) {
        let _ = self.leave.take().map(|leave| leave.send(()));
        let _ = (&mut self.beating).await;
    }
}

async fn keep(pool: PgPool, me: Process, mut left: oneshot::Receiver<()>) {
    let mut nth = 0_u32;
    loop {
        nth = nth.wrapping_add(1);
        tokio::select! {
            _ = &mut left => break,
            () = tokio::time::sleep(EVERY) => beat(&pool, &me, nth.is_multiple_of(PRUNED_EVERY)).await,
        }
    }
    let sign_off = async { process::end(&mut *pool.acquire().await?, &me.name).await };
    let _ = in_time(sign_off).await; // without it, its silence is told of: nothing else depends on it
    let _ = tokio::time::timeout(PATIENCE, pool.close()).await;
}

async fn beat(pool: &PgPool, me: &Process, prunes: bool) {
    let word = async {
        let mut conn = pool.acquire().await?;
        process::beat(&mut conn, me).await?;
        if prunes {
            process::prune(&mut conn).await?;
        }
        Ok(())
    };
    if let Err(error) = in_time(word).await {
        warn!(%error, "word that this process lives could not be given");
    }
}

async fn in_time(word: impl Future<Output = store::Result<()>>) -> store::Result<()> {
    let late = || store::Error::Down(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, word).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_that_stopped_turning_is_told_from_one_that_waits_for_the_store() {
        let turns = Turns::begin();
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        *turns.0.lock().unwrap() = ago(32); // a connection was waited for, in vain
        assert!(turns.turns());
        *turns.0.lock().unwrap() = ago(46);
        assert!(!turns.turns());
        turns.mark();
        assert!(turns.turns());
    }
}

//! Heartbeats of this process. It writes one every five seconds and signs off when it ends; a process that stops without
//! signing off raises the alarm in `status` and in the health page.

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

/// How often a heartbeat is written; a process counts as silent after six missed ones.
const EVERY: Duration = Duration::from_secs(5);
/// How long writing one may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// Heartbeats between two deletions of processes long gone: an hour.
const PRUNED_EVERY: u32 = 720;

/// A sweep that has not looked for so long hangs. During an outage of the database it waits 30 s for a connection.
const STALLED_AFTER: Duration = Duration::from_secs(45);

/// Whether this process still looks for work: when its sweep last did.
#[derive(Clone, Debug)]
pub struct Liveness(Arc<Mutex<Instant>>);

impl Liveness {
    /// Of a process that just began.
    pub(super) fn begin() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// The sweep looks for work now.
    pub(super) fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// It looked lately, or just began. An outage of the database does not count against it: restarting the process would
    /// not end the outage.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < STALLED_AFTER
    }
}

/// The heartbeats of a process, until [`Self::end`]. Dropped without that, it raises the alarm as a killed process does.
#[derive(Debug)]
pub struct Heartbeat {
    leave: Option<oneshot::Sender<()>>,
    beating: JoinHandle<()>,
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

impl Heartbeat {
    /// Writes the first heartbeat, and then more in a task of its own, on connections that no work waits for. While the
    /// store is down they fail; once it is back they go on.
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
    let _ = in_time(sign_off).await; // if it fails, the alarm is false: nothing else depends on it
    let _ = tokio::time::timeout(PATIENCE, pool.close()).await;
}

async fn beat(pool: &PgPool, me: &Process, prunes: bool) {
    let written = async {
        let mut conn = pool.acquire().await?;
        process::beat(&mut conn, me).await?;
        if prunes {
            process::prune(&mut conn).await?;
        }
        Ok(())
    };
    if let Err(error) = in_time(written).await {
        warn!(%error, "the heartbeat of this process could not be written");
    }
}

async fn in_time(work: impl Future<Output = store::Result<()>>) -> store::Result<()> {
    let late = || store::Error::Down(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_that_hangs_is_told_from_one_that_waits_for_the_store() {
        let liveness = Liveness::begin();
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        *liveness.0.lock().unwrap() = ago(32); // a connection was waited for, in vain
        assert!(liveness.is_alive());
        *liveness.0.lock().unwrap() = ago(46);
        assert!(!liveness.is_alive());
        liveness.mark();
        assert!(liveness.is_alive());
    }
}

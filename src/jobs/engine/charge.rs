//! Being in charge: one process runs nights at a time. It holds a lock, which goes with its session, and an epoch,
//! which fences what it writes: a process that was paused while another took charge writes nothing when it wakes.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};
use tracing::warn;

use crate::{
    jobs::{Error, Result},
    store::run,
};

/// How often the session that holds the lock gives word; Postgres ends one that is silent for longer.
const WORD_EVERY: Duration = Duration::from_secs(5);

/// The charge of the nights, until it is laid down or dropped.
pub(super) struct Charge {
    /// What the coordinator's writes are fenced with.
    pub(super) epoch: i64,
    kept: JoinHandle<()>,
    lay_down: oneshot::Sender<()>,
}

impl Charge {
    /// Takes it.
    ///
    /// # Errors
    /// [`Error::Held`] while another process has it; the store is down.
    pub(super) async fn take(pool: &PgPool, worker: &str) -> Result<Self> {
        let mut lock = pool.begin().await?;
        if !run::lock_night(&mut lock).await? {
            return Err(Error::Held);
        }
        run::end_when_silent(&mut lock).await?;
        let epoch = run::take_charge(&mut *pool.acquire().await?, worker).await?;
        let (lay_down, mut laid_down) = oneshot::channel::<()>();
        let kept = tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = &mut laid_down => break,
                    () = sleep(WORD_EVERY) => {}
                }
                if let Err(error) = run::give_word(&mut lock).await {
                    warn!(%error, "the night's lock is lost; another process may take charge");
                    return;
                }
            }
            if let Err(error) = lock.rollback().await {
                warn!(%error, "the night's lock went with its session");
            }
        });
        Ok(Self { epoch, kept, lay_down })
    }

    /// Lays it down: when this returns, another may take it.
    pub(super) async fn lay_down(self) {
        drop(self.lay_down);
        let _ = self.kept.await; // a panic in it has been told, and the lock is gone with it
    }
}

//! The leader: the one process that runs nights. It holds a lock, which Postgres releases with its session, and an
//! epoch, which fences its writes: a process that was paused while another became leader writes nothing when it wakes.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};
use tracing::warn;

use super::error::{Error, Result};
use crate::store::run;

/// How often the session that holds the lock sends a heartbeat; Postgres ends it after 20 s without one.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);

/// The right to run nights, until it is resigned or dropped.
pub(super) struct Leadership {
    /// What the leader's writes are fenced with.
    pub(super) epoch: i64,
    kept: JoinHandle<()>,
    resign: oneshot::Sender<()>,
}

impl Leadership {
    /// Becomes leader.
    ///
    /// # Errors
    /// [`Error::Held`] while another process has it; the store is down.
    pub(super) async fn take(pool: &PgPool, worker: &str) -> Result<Self> {
        let mut lock = pool.begin().await?;
        if !run::lock_night(&mut lock).await? {
            return Err(Error::Held);
        }
        run::end_without_heartbeat(&mut lock).await?;
        let epoch = run::become_leader(&mut *pool.acquire().await?, worker).await?;
        let (resign, mut resigned) = oneshot::channel::<()>();
        let kept = tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = &mut resigned => break,
                    () = sleep(HEARTBEAT_EVERY) => {}
                }
                if let Err(error) = run::heartbeat(&mut lock).await {
                    warn!(%error, "the night's lock is lost; another process may become leader");
                    return;
                }
            }
            if let Err(error) = lock.rollback().await {
                warn!(%error, "the night's lock went with its session");
            }
        });
        Ok(Self { epoch, kept, resign })
    }

    /// Resigns: when this returns, another process may become leader.
    pub(super) async fn resign(self) {
        drop(self.resign);
        let _ = self.kept.await; // a panic in it has been told, and the lock is gone with it
    }
}

//! What the pages are made from: the store, asked each time, within a time limit.

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;

use crate::{
    clock::Clock,
    jobs::policy::Policies,
    store::{
        self,
        status::{self, Figures},
    },
};

/// How long the store may take to answer that it is there.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// How long it may take for all figures.
const FIGURES_WITHIN: Duration = Duration::from_secs(5);

/// What the pages are made from.
pub struct AppState {
    /// Connections that no work uses.
    pub pool: PgPool,
    /// The business clock.
    pub clock: Clock,
    /// When nights are due, and when they are late.
    pub policies: Arc<Policies>,
    /// Whether this process still looks for work.
    pub works: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl AppState {
    /// The figures of `status`.
    pub(super) async fn figures(&self) -> store::Result<Figures> {
        let asked = async {
            let mut conn = self.pool.acquire().await?;
            status::figures(&mut conn, &self.policies.timetables(), self.clock.now()).await
        };
        let late = || store::Error::Down(format!("no figures within {} s", FIGURES_WITHIN.as_secs()));
        tokio::time::timeout(FIGURES_WITHIN, asked).await.unwrap_or_else(|_| Err(late()))
    }

    /// Whether the store answers.
    pub(super) async fn answers(&self) -> store::Result<()> {
        let asked = async { status::answers(&mut *self.pool.acquire().await?).await };
        let late =
            || store::Error::Down(format!("Postgres does not answer within {} s", READY_WITHIN.as_secs()));
        tokio::time::timeout(READY_WITHIN, asked).await.unwrap_or_else(|_| Err(late()))
    }
}

//! A lane: claim a chunk, do it, claim the next. One process works a run on as many as the policy says; other
//! processes may work the same run beside it.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, PgConnection, PgPool};
use tokio::task::JoinSet;
use tracing::{Instrument, debug, error_span, warn};

use crate::{
    jobs::{Context, Error, Job, Result},
    store::{
        self,
        run::{self, Chunk},
    },
};

/// How long a chunk stays claimed without word from its worker; then another worker takes it over.
const LEASE_SECONDS: f64 = 10.0;
/// How often a worker gives word while it works.
const RENEWED_EVERY: Duration = Duration::from_millis(2_500);
/// How often one looks for what others let go of.
const GLANCE: Duration = Duration::from_millis(100);

impl Job {
    /// Works until no chunk of the run is open, on as many lanes as the policy says, and waits for what other
    /// processes claimed; ends early when too many failed or a stop is asked for. Says what the first failed chunk
    /// said.
    pub(super) async fn work_off(
        &'static self,
        cx: &Arc<Context>,
        conn: &mut PgConnection,
        pool: Option<&PgPool>,
        run_id: i64,
    ) -> Result<()> {
        let mut first = self.lanes(cx, conn, pool, run_id).await?;
        let limit = i64::from(cx.work(self.name).failures_before_stop);
        loop {
            let (open, failed) = run::open_chunks(&mut *conn, run_id).await?;
            if open > 0 && failed < limit {
                if cx.stop.is_asked() {
                    return Err(Error::Stopped);
                }
                if pool.is_none() {
                    return Err(Error::Held); // a rehearsal, beside a worker that is not done yet
                }
                tokio::time::sleep(GLANCE).await;
                let said = self.lane(cx, &mut *conn, pool, run_id).await?;
                first = first.or(said);
                continue;
            }
            if failed == 0 {
                return Ok(());
            }
            run::close(conn, run_id).await?;
            return Err(Error::Incomplete {
                job: self.name,
                due_on: cx.today,
                failed,
                first: first.unwrap_or_else(|| "what a worker said is on record".to_owned()),
            });
        }
    }

    /// Works chunks of a run that another process coordinates, until none is left to claim.
    ///
    /// # Errors
    /// The store is down; a chunk's own failure is on record with it.
    pub async fn help(&'static self, cx: &Arc<Context>, pool: &PgPool, run_id: i64) -> Result<()> {
        let span = error_span!("job", job = self.name, due_on = %cx.today, run = run_id, worker = %cx.worker);
        async {
            let mut conn = pool.acquire().await?;
            self.lanes(cx, &mut conn, Some(pool), run_id).await.map(|_| ())
        }
        .instrument(span)
        .await
    }

    /// Claims and works on all lanes until nothing is left to claim.
    async fn lanes(
        &'static self,
        cx: &Arc<Context>,
        conn: &mut PgConnection,
        pool: Option<&PgPool>,
        run_id: i64,
    ) -> Result<Option<String>> {
        let mut lanes = JoinSet::new();
        if let Some(pool) = pool {
            for _ in 1..cx.work(self.name).lanes {
                let (cx, pool) = (Arc::clone(cx), pool.clone());
                let lane = async move {
                    let mut conn = pool.acquire().await?;
                    self.lane(&cx, &mut conn, Some(&pool), run_id).await
                };
                lanes.spawn(lane.in_current_span());
            }
        }
        let mut result = self.lane(cx, conn, pool, run_id).await;
        while let Some(joined) = lanes.join_next().await {
            let lane = joined.unwrap_or_else(|error| {
                Err(store::Error::Unknown { what: format!("a lane that {error}") }.into())
            });
            result = match (result, lane) {
                (Ok(first), Ok(said)) => Ok(first.or(said)),
                (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            };
        }
        result
    }

    /// Claims and works chunk by chunk; says what the first failed chunk said.
    async fn lane(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        pool: Option<&PgPool>,
        run_id: i64,
    ) -> Result<Option<String>> {
        let work = cx.work(self.name);
        let attempts = i32::try_from(work.attempts).unwrap_or(i32::MAX);
        let mut first = None;
        loop {
            if cx.stop.is_asked() {
                return Ok(first);
            }
            let mut tx = conn.begin().await?;
            let (_, failed) = run::open_chunks(&mut tx, run_id).await?;
            if failed >= i64::from(work.failures_before_stop) {
                return Ok(first);
            }
            let chunk = run::claim(&mut tx, run_id, &cx.worker, LEASE_SECONDS, attempts).await?;
            tx.commit().await?;
            let Some(chunk) = chunk else { return Ok(first) };
            let span = error_span!("chunk", chunk = chunk.chunk_no, attempt = chunk.attempt_id);
            let failure = self.attempt(cx, conn, pool, &chunk, attempts).instrument(span).await?;
            first = first.or(failure);
        }
    }

    /// One try of a claimed chunk; says why it failed. An error only when the store is down.
    async fn attempt(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        pool: Option<&PgPool>,
        chunk: &Chunk,
        attempts: i32,
    ) -> Result<Option<String>> {
        let kept = pool.map(|pool| keep(pool.clone(), chunk.clone()));
        let outcome = self.chunk(cx, conn, chunk).await;
        drop(kept);
        let error = match outcome {
            Ok(()) => {
                debug!("done");
                return Ok(None);
            }
            Err(error) => error,
        };
        match &error {
            Error::Store(store::Error::LeaseLost) => {
                warn!("another worker took this chunk over; nothing of it was written here");
                return Ok(None);
            }
            Error::Store(store) if store.is_down() => return Err(error),
            Error::Stopped => {}
            _ => warn!(%error, "a chunk failed"),
        }
        run::give_back(conn, chunk, &error.to_string(), attempts).await?;
        Ok((!matches!(error, Error::Stopped)).then(|| error.to_string()))
    }
}

/// Gives word for a chunk from a task of its own, until dropped: work that takes long keeps its claim, a process
/// that is gone loses it.
fn keep(pool: PgPool, chunk: Chunk) -> JoinSet<()> {
    let mut keeping = JoinSet::new();
    keeping.spawn(
        async move {
            loop {
                tokio::time::sleep(RENEWED_EVERY).await;
                let renewed = async {
                    let mut conn = pool.acquire().await?;
                    run::renew(&mut conn, &chunk, LEASE_SECONDS).await
                };
                match renewed.await {
                    Ok(true) => {}
                    Ok(false) => return, // done, or taken over: its own commit finds out
                    Err(error) => warn!(%error, "a lease was not renewed"),
                }
            }
        }
        .in_current_span(),
    );
    keeping
}

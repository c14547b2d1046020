//! How a job is run: planned by stage, claimed chunk by chunk on its lanes, closed when none is missing.

pub mod night;

use std::sync::Arc;

use sqlx::{Connection, PgConnection, PgPool};
use tracing::{Instrument, info_span, warn};

use super::{Context, Error, Job, Result};
use crate::store::{
    self,
    run::{self, Chunk, Counts},
};

/// How long a chunk may take before another worker may take it over.
const LEASE_SECONDS: f64 = 300.0;

impl Job {
    /// Runs it for the context's date to its end, on `conn` and, where the policy says so, more lanes of `pool`.
    pub async fn run(
        &'static self,
        cx: &Arc<Context>,
        conn: &mut PgConnection,
        pool: Option<&PgPool>,
    ) -> Result<Counts> {
        let span = info_span!("job", job = self.name, due_on = %cx.today);
        async {
            let mut tx = conn.begin().await?;
            let with = cx.provenance(self.name, &mut tx).await?;
            let run = run::begin(&mut tx, self.name, cx.today, &with).await?;
            run::revive(&mut tx, run.run_id).await?;
            let mut stage = run.stage;
            let mut planned = stage >= 0 && run::open_chunks(&mut tx, run.run_id).await? != (0, 0);
            while !planned && stage + 1 < self.stages {
                stage += 1;
                planned = self.plan_stage(cx, &mut tx, run.run_id, stage).await?;
            }
            if !planned {
                let (_, counts) = run::close(&mut tx, run.run_id).await?;
                tx.commit().await?;
                return Ok(counts);
            }
            tx.commit().await?;
            loop {
                self.work_off(cx, conn, pool, run.run_id).await?;
                let mut tx = conn.begin().await?;
                let mut more = false;
                while !more && stage + 1 < self.stages {
                    stage += 1;
                    more = self.plan_stage(cx, &mut tx, run.run_id, stage).await?;
                }
                let counts = if more { Counts::default() } else { run::close(&mut tx, run.run_id).await?.1 };
                tx.commit().await?;
                if !more {
                    return Ok(counts);
                }
            }
        }
        .instrument(span)
        .await
    }

    async fn plan_stage(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        run_id: i64,
        stage: i16,
    ) -> Result<bool> {
        let spans = (self.plan)(cx, &mut *conn, stage).await?;
        run::plan(conn, run_id, stage, &spans).await?;
        Ok(!spans.is_empty())
    }

    /// Works until no chunk is open, on as many lanes as the policy says; ends early when too many failed.
    async fn work_off(
        &'static self,
        cx: &Arc<Context>,
        conn: &mut PgConnection,
        pool: Option<&PgPool>,
        run_id: i64,
    ) -> Result<()> {
        let mut lanes = tokio::task::JoinSet::new();
        if let Some(pool) = pool {
            for _ in 1..cx.work(self.name).lanes {
                let (cx, pool) = (Arc::clone(cx), pool.clone());
                lanes.spawn(
                    async move {
                        let mut conn = pool.acquire().await?;
                        self.lane(&cx, &mut conn, run_id).await
                    }
                    .in_current_span(),
                );
            }
        }
        let mut result = self.lane(cx, &mut *conn, run_id).await;
        while let Some(joined) = lanes.join_next().await {
            let lane = joined.unwrap_or_else(|error| {
                Err(store::Error::Unknown { what: format!("a lane that {error}") }.into())
            });
            result = result.and(lane);
        }
        let first = result?;
        let (_, failed) = run::open_chunks(&mut *conn, run_id).await?;
        if failed > 0 {
            run::close(conn, run_id).await?;
            return Err(Error::Incomplete {
                job: self.name,
                due_on: cx.today,
                failed,
                first: first.unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// Claims and works chunk by chunk; says what the first failed chunk said.
    async fn lane(&self, cx: &Context, conn: &mut PgConnection, run_id: i64) -> Result<Option<String>> {
        let work = cx.work(self.name);
        let attempts = i32::try_from(work.attempts).unwrap_or(i32::MAX);
        let mut first = None;
        loop {
            let mut tx = conn.begin().await?;
            let (_, failed) = run::open_chunks(&mut tx, run_id).await?;
            if failed >= i64::from(work.failures_before_stop) {
                return Ok(first);
            }
            let chunk = run::claim(&mut tx, run_id, &cx.worker, LEASE_SECONDS, attempts).await?;
            tx.commit().await?;
            let Some(chunk) = chunk else { return Ok(first) };
            if let Err(error) = self.chunk(cx, conn, &chunk).await {
                if let Error::Store(store) = &error
                    && store.is_down()
                {
                    return Err(error);
                }
                warn!(chunk = chunk.chunk_no, %error, "a chunk failed");
                run::give_back(conn, &chunk, &error.to_string(), attempts).await?;
                first.get_or_insert(error.to_string());
            }
        }
    }

    /// Does one claimed chunk: effects and outcome commit together, or not at all.
    pub async fn chunk(&self, cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<()> {
        if self.courier {
            let counts = (self.work)(cx, &mut *conn, chunk).await?;
            return Ok(run::finish(conn, chunk, counts).await?);
        }
        let mut tx = conn.begin().await?;
        if !cx.dry_run {
            run::share_facts(&mut tx).await?;
        }
        let counts = (self.work)(cx, &mut tx, chunk).await?;
        run::finish(&mut tx, chunk, counts).await?;
        Ok(tx.commit().await?)
    }
}

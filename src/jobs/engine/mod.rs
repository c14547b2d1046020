//! How a job is run: planned by stage, claimed chunk by chunk on its lanes, closed when none is missing.

mod lane;
pub mod night;
pub mod stop;
pub mod ticks;

use std::sync::Arc;

use sqlx::{Connection, PgConnection, PgPool};
use tracing::{Instrument, Span, field::Empty, info_span};

use super::{Context, Job, Result};
use crate::store::run::{self, Chunk, Counts};

impl Job {
    /// Runs it for the context's date to its end, on `conn` and, where the policy says so, more lanes of `pool`.
    pub async fn run(
        &'static self,
        cx: &Arc<Context>,
        conn: &mut PgConnection,
        pool: Option<&PgPool>,
    ) -> Result<Counts> {
        let span = info_span!("job", job = self.name, due_on = %cx.today, run = Empty);
        async {
            let mut tx = conn.begin().await?;
            let with = cx.provenance(self.name, &mut tx).await?;
            let run = run::begin(&mut tx, self.name, cx.today, &with).await?;
            Span::current().record("run", run.run_id);
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

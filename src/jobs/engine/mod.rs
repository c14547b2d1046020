//! How a job is run: planned by stage, claimed chunk by chunk on its lanes, closed when none is missing.

pub mod booking;
mod context;
mod error;
pub mod facts;
pub mod fault;
mod job;
mod lane;
mod leader;
pub mod name;
pub mod night;
pub mod provisioning;
pub mod retention;
pub mod stop;
pub mod ticks;

use std::sync::Arc;

use sqlx::{Connection, PgConnection};
use tracing::{Instrument, Span, error_span, field::Empty};

use self::lane::Room;
pub use self::{
    context::{Context, Folders, Whole, sha256},
    error::{Error, Result, is_full, refused_values},
    job::{Job, PlanStage, Stage, WorkChunk},
    stop::{Stop, Stopper},
};
use crate::store::{
    notifier,
    run::{self, Chunk, Counts},
    tick,
};

impl Job {
    /// Runs it for the context's date to its end, planning on `conn`. `answers`: that is what its tick was due for.
    async fn run(
        &'static self,
        cx: &Arc<Context>,
        conn: &mut PgConnection,
        room: Room<'_>,
        answers: bool,
    ) -> Result<Counts> {
        let span = error_span!("job", job = self.name, due_on = %cx.today, run = Empty, worker = %cx.worker);
        async {
            let mut tx = conn.begin().await?;
            cx.ensure_leader(&mut tx).await?;
            let run = run::begin(&mut tx, self.name, cx.today, &cx.provenance(self.name)).await?;
            Span::current().record("run", run.run_id);
            let mut stage = run.stage;
            if run.has_chunks {
                tx.commit().await?;
                self.work_off(cx, conn, room, run.run_id).await?;
                tx = conn.begin().await?;
                cx.ensure_leader(&mut tx).await?;
            }
            // What is planned is worked off before the next stage is planned; a run with nothing left is closed.
            loop {
                let mut planned = false;
                while !planned && stage < self.last_stage() {
                    stage += 1;
                    planned = self.plan_stage(cx, &mut tx, room, run.run_id, stage).await?;
                }
                if !planned {
                    let counts = run::close(&mut tx, run.run_id, Some(stage)).await?;
                    if answers {
                        tick::answer(&mut tx, self.name, cx.today).await?;
                    }
                    fault::at("run.closed", self.name).await?;
                    tx.commit().await?;
                    return Ok(counts);
                }
                fault::at("stage.planned", self.name).await?;
                tx.commit().await?;
                self.work_off(cx, conn, room, run.run_id).await?;
                tx = conn.begin().await?;
                cx.ensure_leader(&mut tx).await?;
            }
        }
        .instrument(span)
        .await
    }

    /// Records a stage's chunks, and rings for them in the same transaction if other processes could have some.
    async fn plan_stage(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        room: Room<'_>,
        run_id: i64,
        stage: i16,
    ) -> Result<bool> {
        let spans = (self.plan)(cx, &mut *conn, stage).await?;
        let priority = cx.work(self.name).priority;
        run::plan(conn, run_id, stage, priority, &spans).await?;
        if matches!(room, Room::Pool(_)) && spans.len() > 1 {
            let chunks = i64::try_from(spans.len()).unwrap_or(i64::MAX);
            notifier::notify(conn, &self.queue(), chunks, priority).await?;
        }
        Ok(!spans.is_empty())
    }

    /// Does one claimed chunk: effects and outcome commit together, or not at all.
    pub async fn chunk(&self, cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<()> {
        fault::at("chunk.claimed", self.name).await?;
        if self.courier {
            let counts = (self.work)(cx, &mut *conn, chunk).await?;
            fault::at("chunk.worked", self.name).await?;
            run::finish(conn, chunk, counts).await?;
            fault::at("chunk.committed", self.name).await?;
            return Ok(());
        }
        let mut tx = conn.begin().await?;
        if !cx.dry_run {
            run::name_try(&mut tx, chunk).await?;
            run::share_facts(&mut tx).await?;
        }
        let counts = (self.work)(cx, &mut tx, chunk).await?;
        fault::at("chunk.worked", self.name).await?;
        run::finish(&mut tx, chunk, counts).await?;
        fault::at("chunk.finished", self.name).await?;
        tx.commit().await?;
        fault::at("chunk.committed", self.name).await?;
        Ok(())
    }
}

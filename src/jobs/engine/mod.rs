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
mod split;
pub mod stop;
pub mod ticks;

use std::sync::Arc;

use sqlx::{Connection, PgConnection};
use tracing::{Instrument, Span, error_span, field::Empty};

use self::lane::Room;
pub use self::{
    context::{Context, Folders, Gather, Now, Waited, sha256},
    error::{Error, LeftOut, Result, is_full, refused_values},
    job::{Job, PlanStage, Stage, WorkChunk},
    stop::{Stop, Stopper},
};
use crate::store::{
    notifier,
    run::{self, Chunk, Counts, Run},
};

/// What a job came to for a business date.
#[derive(Clone, Debug, Default)]
struct Ended {
    counts: Counts,
    /// What of it failed for good, each by itself; the night goes on past that.
    left_out: Vec<LeftOut>,
}

/// What comes next of a job's run.
enum Next {
    /// So many chunks of it are to be worked off.
    Work(Run, usize),
    /// Nothing is left of it: it is closed, and came to this.
    Closed(Ended),
}

impl Job {
    /// Runs it for the context's date to its end, planning on `conn`.
    async fn run(&'static self, cx: &Arc<Context>, conn: &mut PgConnection, room: Room<'_>) -> Result<Ended> {
        let span = self.span(cx);
        async {
            let mut tx = conn.begin().await?;
            cx.ensure_leader(&mut tx).await?;
            let mut next = self.take_up(cx, &mut tx, room).await?;
            loop {
                tx.commit().await?;
                let (run, chunks) = match next {
                    Next::Work(run, chunks) => (run, chunks),
                    Next::Closed(ended) => return Ok(ended),
                };
                self.work_off(cx, conn, room, run.run_id, chunks).await?;
                tx = conn.begin().await?;
                cx.ensure_leader(&mut tx).await?;
                next = self.next(cx, &mut tx, room, run).await?;
            }
        }
        .instrument(span)
        .await
    }

    /// What its log lines are told under; its run's number is recorded when there is one.
    fn span(&self, cx: &Context) -> Span {
        error_span!("job", job = self.name, due_on = %cx.today, run = Empty, worker = %cx.worker)
    }

    /// Begins its run, or takes up the one there is, first what is open of it.
    async fn take_up(&self, cx: &Context, conn: &mut PgConnection, room: Room<'_>) -> Result<Next> {
        let run = self.begin(cx, &mut *conn).await?;
        if run.has_chunks {
            return Ok(Next::Work(run, usize::MAX));
        }
        self.next(cx, conn, room, run).await
    }

    async fn begin(&self, cx: &Context, conn: &mut PgConnection) -> Result<Run> {
        let run = run::begin(conn, self.name, cx.today, &cx.provenance(self.name)).await?;
        Span::current().record("run", run.run_id.get());
        Ok(run)
    }

    /// Plans the next stage of a run that has something due, when all before it is worked off; closes a run with nothing
    /// left.
    async fn next(&self, cx: &Context, conn: &mut PgConnection, room: Room<'_>, run: Run) -> Result<Next> {
        Span::current().record("run", run.run_id.get());
        if let Some((stage, spans)) = self.due_after(cx, &mut *conn, run.stage).await? {
            return self.plan_stage(cx, conn, room, Run { stage, ..run }, &spans).await;
        }
        let counts = run::close(&mut *conn, run.run_id, Some(self.last_stage())).await?;
        let left_out =
            if run.has_chunks { self.left_out(cx, &mut *conn, run.run_id).await? } else { Vec::new() };
        fault::at("run.closed", self.name).await?;
        Ok(Next::Closed(Ended { counts, left_out }))
    }

    /// The first stage after `stage` that has something due, cut into spans.
    async fn due_after(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        stage: i16,
    ) -> Result<Option<(i16, Vec<run::Span>)>> {
        for stage in stage.saturating_add(1)..=self.last_stage() {
            let spans = (self.plan)(cx, &mut *conn, stage).await?;
            let spans = self.around_dead(&mut *conn, stage, spans).await?;
            if !spans.is_empty() {
                return Ok(Some((stage, spans)));
            }
        }
        Ok(None)
    }

    /// Records a stage's chunks, and rings for them in the same transaction if other processes could have some.
    async fn plan_stage(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        room: Room<'_>,
        run: Run,
        spans: &[run::Span],
    ) -> Result<Next> {
        let priority = cx.work(self.name).priority;
        run::plan(conn, run.run_id, run.stage, priority, spans).await?;
        if matches!(room, Room::Pool(_)) && spans.len() > 1 {
            let chunks = i64::try_from(spans.len()).unwrap_or(i64::MAX);
            notifier::notify(conn, &self.queue(), chunks, priority).await?;
        }
        fault::at("stage.planned", self.name).await?;
        Ok(Next::Work(Run { has_chunks: true, ..run }, spans.len()))
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

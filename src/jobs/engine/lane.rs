//! A lane: claim a chunk, do it, claim the next. One process works a run on as many as the policy says; other
//! processes may work the same run beside it.
//!
//! A try of a chunk ends in one of these ways, and each is on record: done; failed (an error, a panic, its time limit),
//! and then retried after a pause, cut in halves, or a dead letter; cancelled by an operator; released, because its worker
//! stops or the database went away, which does not count as a try; lost, because its lease expired: the next worker
//! records that.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use sqlx::{Connection, PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};
use tracing::{Instrument, debug, error_span, info, warn};

use super::{
    context::Context,
    error::{Error, Result},
    job::Job,
    split::{Fate, tries},
};
use crate::{
    domain::id::RunNo,
    jobs::policy::file::Work,
    store::{
        self,
        run::{self, Chunk, Claimant, OpenChunks, Word},
    },
};

/// How long a chunk stays claimed without word from its worker; then another worker takes it over.
const LEASE_SECONDS: f64 = 10.0;
/// How often a worker gives word while it works.
const RENEWED_EVERY: Duration = Duration::from_millis(2_500);
/// How long a try that failed may take to let go of what it holds in the store; then its connection is cut.
const LETS_GO_WITHIN: Duration = Duration::from_secs(5);
/// How often one looks for what others let go of: at first, and after a while without any.
const GLANCE: Duration = Duration::from_millis(100);
const LONGEST_GLANCE: Duration = Duration::from_secs(1);
/// How long a task that was ended may take to be gone: one that computes without a pause cannot be interrupted.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
/// The same for one that is to be handed back because its process ends, whatever becomes of the task.
const ENDS_WITH_US: Duration = Duration::from_secs(1);
/// How long one tries to hand a chunk back after the database went away.
const HANDED_BACK_WITHIN: Duration = Duration::from_secs(20);

/// Where a lane gets its connections.
#[derive(Clone, Copy)]
pub(super) enum Room<'a> {
    /// As many as it has lanes.
    Pool(&'a PgPool),
    /// The one of a rehearsal, whose transaction is rolled back: one lane, no pauses, no limit.
    Rehearsal,
}

/// Why a try was ended from outside.
enum End {
    Limit,
    CalledOff,
    Lost,
    Pressed,
}

impl Job {
    /// Works until no chunk of the run is open, on as many lanes as the policy says, and waits for what other
    /// processes claimed or what pauses; ends early when too many failed or a stop is asked for. Single rows that failed are
    /// left behind, as long as they are not too many. `chunks`: how many are open.
    pub(super) async fn work_off(
        &'static self,
        cx: &Arc<Context>,
        conn: &mut PgConnection,
        room: Room<'_>,
        run_id: RunNo,
        mut chunks: usize,
    ) -> Result<()> {
        let limit = i64::from(cx.work(self.name).failures_before_stop);
        let mut glance = GLANCE;
        loop {
            let worked = self.lanes(cx, &mut *conn, room, run_id, chunks).await?;
            let OpenChunks { open, failed, single } = run::open_chunks(&mut *conn, run_id).await?;
            if open > 0 && failed < limit {
                if cx.stop.is_asked() {
                    return Err(Error::Stopped);
                }
                if matches!(room, Room::Rehearsal) {
                    return Err(Error::Held); // beside a worker that is not done yet
                }
                run::end_paused(&mut *conn, run_id).await?;
                chunks = usize::try_from(open).unwrap_or(usize::MAX);
                glance = if worked { GLANCE } else { (glance * 2).min(LONGEST_GLANCE) };
                tokio::select! {
                    () = sleep(glance) => {}
                    () = cx.stop.asked() => {}
                }
                continue;
            }
            if failed == single && failed < limit {
                return Ok(());
            }
            let mut tx = conn.begin().await?;
            cx.ensure_leader(&mut tx).await?;
            run::close(&mut tx, run_id, None).await?;
            let (chunks, said) = run::failures(&mut tx, run_id).await?;
            tx.commit().await?;
            return Err(Error::Incomplete { job: self.name, due_on: cx.today, run_id, chunks, said });
        }
    }

    /// Works chunks of a run that another process coordinates, until none is left to claim.
    ///
    /// # Errors
    /// The store is down; a chunk's own failure is on record with it.
    pub async fn help(&'static self, cx: &Arc<Context>, pool: &PgPool, run_id: RunNo) -> Result<()> {
        let span =
            error_span!("job", job = self.name, due_on = %cx.today, run = run_id.get(), worker = %cx.worker);
        async {
            let mut conn = pool.acquire().await?;
            let OpenChunks { open, .. } = run::open_chunks(&mut conn, run_id).await?;
            let chunks = usize::try_from(open).unwrap_or(usize::MAX);
            self.lanes(cx, &mut conn, Room::Pool(pool), run_id, chunks).await?;
            Ok(run::end_paused(&mut conn, run_id).await?)
        }
        .instrument(span)
        .await
    }

    /// Claims and works until nothing is left to claim, on all lanes or on as many as there are chunks; says whether there
    /// was anything.
    async fn lanes(
        &'static self,
        cx: &Arc<Context>,
        conn: &mut PgConnection,
        room: Room<'_>,
        run_id: RunNo,
        chunks: usize,
    ) -> Result<bool> {
        let Room::Pool(pool) = room else { return self.rehearsed_lane(cx, conn, run_id).await };
        let most = cx.work(self.name).lanes;
        let each_one = usize::try_from(most).is_ok_and(|most| chunks <= most);
        let mut lanes = JoinSet::new();
        for _ in (0..most).take(chunks) {
            let (cx, pool) = (Arc::clone(cx), pool.clone());
            lanes.spawn(async move { self.lane(&cx, &pool, run_id, each_one).await }.in_current_span());
        }
        let mut result = Ok(false);
        while let Some(joined) = lanes.join_next().await {
            let lane = joined.unwrap_or_else(|error| {
                Err(store::Error::Unknown { what: format!("a lane that {error}") }.into())
            });
            result = match (result, lane) {
                (Ok(any), Ok(some)) => Ok(any || some),
                (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            };
        }
        result
    }

    /// Claims and works chunk by chunk, or one; says whether there was any.
    async fn lane(&'static self, cx: &Arc<Context>, pool: &PgPool, run_id: RunNo, one: bool) -> Result<bool> {
        let mut lent: Option<PoolConnection<Postgres>> = None;
        let mut any = false;
        loop {
            if cx.stop.is_asked() {
                return Ok(any);
            }
            let mut conn = match lent.take() {
                Some(conn) => conn,
                None => pool.acquire().await?,
            };
            let Some(chunk) = self.claim(cx, &mut conn, run_id).await? else { return Ok(any) };
            any = true;
            let span = error_span!("chunk", chunk = chunk.chunk_no, attempt = chunk.attempts);
            lent = self.attempt(cx, conn, pool, &chunk).instrument(span).await?;
            if one {
                return Ok(any);
            }
        }
    }

    /// As a lane, in the transaction of a rehearsal, without pauses: what is at fault is found as in a night, any other
    /// failure is told as it is.
    async fn rehearsed_lane(&self, cx: &Context, conn: &mut PgConnection, run_id: RunNo) -> Result<bool> {
        let mut any = false;
        while let Some(chunk) = self.claim(cx, conn, run_id).await? {
            any = true;
            let done = AssertUnwindSafe(self.chunk(cx, conn, &chunk)).catch_unwind().await;
            let Err(error) = done.unwrap_or_else(|panic| Err(Error::Panicked(said(panic.as_ref())))) else {
                continue;
            };
            let goes_on = error.may_be_of_one_row()
                && matches!(self.give_back(cx, conn, &chunk, &error).await?, Fate::Split | Fate::Single);
            if !goes_on {
                return Err(error);
            }
        }
        Ok(any)
    }

    /// Claims a chunk, unless too many have failed.
    async fn claim(&self, cx: &Context, conn: &mut PgConnection, run_id: RunNo) -> Result<Option<Chunk>> {
        let work = cx.work(self.name);
        let mut tx = conn.begin().await?;
        if run::failed_chunks(&mut tx, run_id, cx.dry_run).await? >= i64::from(work.failures_before_stop) {
            return Ok(None);
        }
        let by = Claimant {
            worker: &cx.worker,
            lease_seconds: LEASE_SECONDS,
            max_attempts: tries(work),
            in_all: work.lanes_in_all.map(i64::from),
        };
        let chunk = run::claim(&mut tx, run_id, by).await?;
        tx.commit().await?;
        Ok(chunk)
    }

    /// One try of a claimed chunk, in a task of its own, so that neither its panic nor its hanging is ours. Gives the
    /// connection back if it is still good; an error only when the store is down or the task cannot be ended.
    async fn attempt(
        &'static self,
        cx: &Arc<Context>,
        conn: PoolConnection<Postgres>,
        pool: &PgPool,
        chunk: &Chunk,
    ) -> Result<Option<PoolConnection<Postgres>>> {
        let work = cx.work(self.name);
        let mut lent = Lent(Some(conn));
        let (task_cx, task_chunk) = (Arc::clone(cx), chunk.clone());
        let mut task = JoinSet::new(); // of one, which ends with the lane
        task.spawn(
            async move {
                let outcome = match lent.0.as_mut() {
                    Some(conn) => self.chunk(&task_cx, conn, &task_chunk).await,
                    None => Ok(()),
                };
                (lent.0.take(), outcome)
            }
            .in_current_span(),
        );
        let begun = Instant::now();
        let ended = watch(cx, pool, chunk, work, &mut task).await;
        let (conn, outcome) = match ended {
            Ok(Some(Ok((conn, outcome)))) => (conn, outcome),
            Ok(Some(Err(join))) => (None, Err(Error::Panicked(panic_message(join)))),
            Ok(None) => (None, Err(Error::Panicked("its task is gone".to_owned()))),
            Err(end) => return self.end(cx, pool, chunk, task, end).await.map(|()| None),
        };
        let error = match outcome {
            Ok(()) => {
                debug!(ms = begun.elapsed().as_millis(), "done");
                return Ok(conn);
            }
            Err(error) => error,
        };
        if let Error::Store(store::Error::LeaseLost) = error {
            warn!("another worker took this chunk over; nothing of it was written here");
            return Ok(conn);
        }
        let conn = settled(conn).await;
        if matches!(error, Error::Stopped | Error::Held) || error.is_outage() {
            hand_back(pool, chunk, work, &error.to_string()).await;
            return Err(error);
        }
        self.give_back(cx, &mut *pool.acquire().await?, chunk, &error).await?;
        Ok(conn)
    }

    /// Ends a try from outside, and records why.
    async fn end(
        &self,
        cx: &Context,
        pool: &PgPool,
        chunk: &Chunk,
        mut task: JoinSet<(Option<PoolConnection<Postgres>>, Result<()>)>,
        end: End,
    ) -> Result<()> {
        let work = cx.work(self.name);
        task.abort_all();
        let within = if matches!(end, End::Pressed) { ENDS_WITH_US } else { ENDS_WITHIN };
        let is_gone = timeout(within, task.join_next()).await.is_ok();
        match end {
            End::Lost => warn!("another worker took this chunk over; nothing of it was written here"),
            End::Pressed => {
                hand_back(pool, chunk, work, "its worker stopped").await;
                return Err(Error::Stopped);
            }
            End::CalledOff => {
                info!("called off by an operator");
                self.give_back(cx, &mut *pool.acquire().await?, chunk, &Error::CalledOff).await?;
            }
            End::Limit => {
                let hung = Error::Hung { seconds: work.limit_seconds };
                self.give_back(cx, &mut *pool.acquire().await?, chunk, &hung).await?;
            }
        }
        if is_gone { Ok(()) } else { Err(Error::Stuck) }
    }
}

/// A connection lent to a task. One that is not given back is cut, so that what ran on it does not go on.
struct Lent(Option<PoolConnection<Postgres>>);

impl Drop for Lent {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

/// Waits for a try to end, giving word for its chunk meanwhile; says if it is to be ended from outside.
async fn watch<T: 'static>(
    cx: &Context,
    pool: &PgPool,
    chunk: &Chunk,
    work: Work,
    task: &mut JoinSet<T>,
) -> std::result::Result<Option<std::result::Result<T, JoinError>>, End> {
    let limit = sleep_until(Instant::now() + Duration::from_secs(u64::from(work.limit_seconds)));
    let mut ticks = interval(RENEWED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    tokio::pin!(limit);
    loop {
        tokio::select! {
            biased;
            ended = task.join_next() => return Ok(ended),
            () = &mut limit => return Err(End::Limit),
            () = cx.stop.pressed() => return Err(End::Pressed),
            _ = ticks.tick() => {}
        }
        let renewed = async {
            let mut conn = pool.acquire().await?;
            run::renew(&mut conn, chunk, LEASE_SECONDS).await
        };
        match timeout(RENEWED_EVERY, renewed).await {
            Ok(Ok(Word::GoOn)) => {}
            Ok(Ok(Word::CalledOff)) => return Err(End::CalledOff),
            // Done at this very moment, or taken over: a task that is done says so.
            Ok(Ok(Word::Lost)) => match timeout(GLANCE, task.join_next()).await {
                Ok(ended) => return Ok(ended),
                Err(_) => return Err(End::Lost),
            },
            Ok(Err(error)) => warn!(%error, "a lease was not renewed"),
            Err(_) => warn!("a lease was not renewed: the database does not answer"),
        }
    }
}

/// Hands a chunk back without losing a try, as soon as the database answers; else its lease lapses, and the try counts.
async fn hand_back(pool: &PgPool, chunk: &Chunk, work: Work, why: &str) {
    let deadline = Instant::now() + HANDED_BACK_WITHIN;
    while Instant::now() < deadline {
        let handed = async {
            let mut conn = pool.acquire().await?;
            run::hand_back(&mut conn, chunk, tries(work), why).await
        };
        if matches!(timeout(LONGEST_GLANCE * 3, handed).await, Ok(Ok(()))) {
            debug!("handed back");
            return;
        }
        sleep(GLANCE * 2).await;
    }
    warn!("the chunk could not be handed back; its lease lapses");
}

/// What a panic said.
fn panic_message(join: JoinError) -> String {
    let Ok(payload) = join.try_into_panic() else { return "its task was ended".to_owned() };
    said(payload.as_ref())
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// The connection of a try that failed, with nothing left of its transaction: a rollback is sent with the next word only, and
/// what a transaction locks until then, whoever records the failure would wait for.
async fn settled(conn: Option<PoolConnection<Postgres>>) -> Option<PoolConnection<Postgres>> {
    let mut conn = conn?;
    if let Ok(Ok(())) = timeout(LETS_GO_WITHIN, conn.ping()).await {
        return Some(conn);
    }
    drop(conn.detach());
    None
}

//! The dispatcher: a wake-up call makes it look for what is due in the call's queue and do that, through the same
//! functions as the commands `night`, `run` and `import`.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, Utc};
use futures::FutureExt;
use sqlx::PgPool;
use tracing::{Instrument, debug, error, error_span, info, warn};

use super::{heartbeat::Liveness, inbox::Inbox, queue::Queue};
use crate::{
    clock::Clock,
    domain::calendar::sub_days,
    jobs::{
        self, Context, Error, Job, Stopper,
        engine::{
            name,
            night::{self, Night},
        },
        intake::inbox,
    },
    store::run::{self, Counts},
};

/// The first pause after work failed; it doubles with every further failure.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
/// How long what runs may take to hand back what it claimed.
const HANDED_BACK_WITHIN: Duration = Duration::from_secs(5);
/// The pause while the store is down.
const OUTAGE_PAUSE: Duration = Duration::from_secs(2);

/// Answers wake-up calls.
pub struct Dispatcher {
    /// The store.
    pub(super) pool: PgPool,
    /// A name that no other process has, or had before.
    pub(super) name: String,
    /// What every job works with; its dates are set for each.
    pub(super) base: Context,
    /// The business clock; it ticks.
    pub(super) clock: Clock,
    /// What is known of the files in the inbox.
    inbox: Mutex<Inbox>,
    /// When the sweep last looked for work.
    pub(super) liveness: Liveness,
    /// Whether files are taken in as they appear, or only by the nights.
    takes_in: bool,
    /// Queues whose call is being answered.
    busy: Mutex<HashSet<String>>,
    /// Queues whose work failed.
    rests: Mutex<HashMap<String, Rest>>,
    /// Stops this process.
    asker: Stopper,
    /// Something in this process can only be ended by ending the process.
    stuck: AtomicBool,
}

/// A pause of one queue's work after a failure.
struct Rest {
    /// How often it failed in a row.
    failures: u32,
    until: Instant,
    /// It waits for an operator, whose command sends a call: that call is answered at once.
    until_called: bool,
}

/// The right to answer calls of one queue, in this process.
struct Turn<'a> {
    dispatcher: &'a Dispatcher,
    queue: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.dispatcher.busy).remove(&self.queue);
    }
}

impl Dispatcher {
    /// Sets one up that ends when `asker` asks. `takes_in`: files that appear in the inbox of this data directory are
    /// taken in at once.
    #[must_use]
    pub fn new(pool: PgPool, base: Context, clock: Clock, takes_in: bool, asker: Stopper) -> Self {
        Self {
            pool,
            name: name::of_process("worker"),
            base,
            clock,
            inbox: Mutex::default(),
            liveness: Liveness::begin(),
            takes_in,
            busy: Mutex::default(),
            rests: Mutex::default(),
            asker,
            stuck: AtomicBool::new(false),
        }
    }

    /// What it is called among processes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether this process still looks for work.
    #[must_use]
    pub fn liveness(&self) -> Liveness {
        self.liveness.clone()
    }

    /// Whether something in this process can only be ended by ending the process.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    /// Asks that what runs is handed back at once.
    pub(super) fn press(&self) {
        self.asker.press();
    }

    /// The queues it answers.
    pub(super) fn queues(&self) -> Vec<Queue> {
        let mut queues = Queue::shared();
        queues.extend(self.takes_in.then_some(Queue::Intake));
        queues
    }

    /// Whether it takes in files as they appear.
    #[must_use]
    pub fn takes_in(&self) -> bool {
        self.takes_in
    }

    /// What is known of the files in the inbox.
    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        lock(&self.inbox)
    }

    /// Whether it answers this queue's calls now. It does not while it answers one already, nor during the pause after a
    /// failure; nor, for nights and for the inbox, while the inbox cannot be looked at, since its files are taken in
    /// first.
    pub(super) fn is_open(&self, queue: &Queue) -> bool {
        if matches!(queue, Queue::Night | Queue::Intake) && !self.inbox().is_known() {
            return false;
        }
        let rests = lock(&self.rests).get(&queue.name()).is_some_and(|rest| Instant::now() < rest.until);
        !rests && !lock(&self.busy).contains(&queue.name())
    }

    /// Whether it answers a call: while the queue is open, and during a pause that only an operator ends.
    fn accepts(&self, queue: &Queue) -> bool {
        let waits = lock(&self.rests).get(&queue.name()).is_some_and(|rest| rest.until_called);
        waits || self.is_open(queue)
    }

    /// The last business date that is over at `now`.
    pub(super) fn over(now: DateTime<Utc>) -> NaiveDate {
        sub_days(now.date_naive(), 1)
    }

    /// Answers a call. A failure is logged, and the work is tried again after a pause. Work runs in a task of its own, so
    /// that neither a panic nor a long computation stops the queue's heartbeat.
    pub(super) async fn answer(self: Arc<Self>, queue: Queue) {
        if self.base.stop.is_asked() || !self.accepts(&queue) {
            return;
        }
        if !lock(&self.busy).insert(queue.name()) {
            return;
        }
        let _turn = Turn { dispatcher: &self, queue: queue.name() };
        let span = error_span!("call", queue = %queue.name(), worker = %self.name);
        let dispatcher = Arc::clone(&self);
        let work = async move { dispatcher.work(queue).await }.instrument(span.clone());
        let mut working = tokio::spawn(work);
        let outcome = tokio::select! {
            outcome = &mut working => Some(outcome),
            () = tokio::time::sleep(queue.limit()) => None,
            () = self.base.stop.pressed() => {
                // What is claimed is handed back before this comes to its end; the rest is cut off.
                let _ = tokio::time::timeout(HANDED_BACK_WITHIN, &mut working).await;
                working.abort();
                return;
            }
        };
        let _entered = span.entered();
        match outcome {
            Some(Ok(Ok(()))) => {
                lock(&self.rests).remove(&queue.name());
            }
            Some(Ok(Err(Error::Stopped))) => debug!("stopped between two chunks"),
            Some(Ok(Err(error @ Error::Stuck))) => {
                error!(%error);
                self.stuck.store(true, Ordering::Relaxed);
                self.asker.press();
            }
            Some(Ok(Err(error @ Error::LeftOut(_)))) => {
                lock(&self.rests).remove(&queue.name());
                error!(%error, "the night went on past what an operator is to look at");
            }
            Some(Ok(Err(error))) => {
                self.rest(&queue, &error);
                if let Error::Incomplete { .. } = error {
                    error!(%error, "the night waits for an operator");
                } else {
                    error!(%error, "failed; it is tried again after a pause");
                }
            }
            Some(Err(panic)) => {
                self.pause(&queue, PAUSE, true, false);
                error!(%panic, "panicked; it is tried again after a pause");
            }
            None => {
                working.abort();
                self.pause(&queue, PAUSE, true, false);
                error!(
                    seconds = queue.limit().as_secs(),
                    "took too long and was cut off; it goes on after a pause"
                );
            }
        }
    }

    fn rest(&self, queue: &Queue, error: &Error) {
        match error {
            outage if outage.is_outage() => self.pause(queue, OUTAGE_PAUSE, false, false),
            // Once they have acted, operators call: then it goes on at once.
            Error::Incomplete { .. } => self.pause(queue, PAUSE, true, true),
            _ => self.pause(queue, PAUSE, true, false),
        }
    }

    /// `grows`: with every further failure; `until_called`: a call ends it.
    fn pause(&self, queue: &Queue, first: Duration, grows: bool, until_called: bool) {
        let mut rests = lock(&self.rests);
        let failures = rests.get(&queue.name()).map_or(0, |rest| rest.failures);
        let (failures, until) = paused(failures, first, grows);
        rests.insert(queue.name(), Rest { failures, until, until_called });
    }

    async fn work(&self, queue: Queue) -> jobs::Result<()> {
        match queue {
            Queue::Night => self.nights().await,
            Queue::Intake => self.intake().await,
            Queue::Chunks(job) => self.chunks(job).await,
        }
    }

    /// Runs every night that is due and not complete, as the command `night` does; nothing if another process is leader.
    async fn nights(&self) -> jobs::Result<()> {
        let now = self.clock.now();
        let to = Self::over(now);
        let mut conn = self.pool.acquire().await?;
        let last = run::last_night(&mut conn).await?;
        let nothing_is_due = last.is_some_and(|last| last >= to) && run::retried(&mut conn).await?.is_empty();
        drop(conn);
        if nothing_is_due {
            return Ok(());
        }
        let cx = self.base.by(name::of_process(night::ROLE), self.clock.today()).on(to, true);
        inbox::rest(&cx).await?; // before anything is under a lease: an outage meanwhile costs no try
        match night::run_due(&cx, &self.pool, to, now, tell).await {
            Err(Error::Held) => {
                debug!("another process is running the night");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Takes in the files of the inbox that are whole, and those that another process left half done.
    async fn intake(&self) -> jobs::Result<()> {
        let today = self.clock.today();
        let cx = self.base.by(self.name.clone(), today).on(today, true);
        let mut conn = self.pool.acquire().await?;
        inbox::take_in_waiting(&cx, &mut conn, true).boxed().await?;
        Ok(())
    }

    /// Works chunks of a job's runs that another process leads. The leader works on lanes of its own, so it leaves these
    /// calls to others.
    async fn chunks(&self, job: &'static Job) -> jobs::Result<()> {
        if lock(&self.busy).contains(&Queue::Night.name()) {
            return Ok(());
        }
        let mut conn = self.pool.acquire().await?;
        let runs = run::claimable(&mut conn).await?;
        drop(conn);
        for run in runs.into_iter().filter(|run| job.fits(&self.base, run)) {
            let cx = self.base.by(self.name.clone(), self.clock.today()).on(run.due_on, false);
            job.help(&Arc::new(cx), &self.pool, run.run_id).boxed().await?;
        }
        Ok(())
    }
}

/// How often work failed by now, and until when it rests; what says nothing of the work makes no later pause longer.
fn paused(failures: u32, first: Duration, grows: bool) -> (u32, Instant) {
    let pause = if grows { first.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE) } else { first };
    (failures.saturating_add(u32::from(grows)), Instant::now() + pause)
}

/// One line a night, and one a job of it that did anything.
fn tell(night: &Night) {
    for (job, counts) in night.jobs.iter().filter(|(_, counts)| *counts != Counts::default()) {
        let Counts { done, refused, failed } = counts;
        info!(%job, due_on = %night.due_on, done, refused, failed, "did");
    }
    info!(due_on = %night.due_on, "the night is complete");
}

/// A lock whose holder panicked guards nothing that could be half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| {
        warn!("a task panicked while it held a lock");
        PoisonError::into_inner(poisoned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_pauses_longer_each_time_and_an_outage_lengthens_nothing() {
        let mut failures = 0;
        for _ in 0..30 {
            let (failed, until) = paused(failures, OUTAGE_PAUSE, false);
            assert!(until <= Instant::now() + OUTAGE_PAUSE);
            failures = failed;
        }
        for seconds in [30, 60, 120, 240, 480, 900, 900] {
            let (pause, before) = (Duration::from_secs(seconds), Instant::now());
            let (failed, until) = paused(failures, PAUSE, true);
            assert!((before + pause..=Instant::now() + pause).contains(&until), "{seconds}");
            failures = failed;
        }
    }
}

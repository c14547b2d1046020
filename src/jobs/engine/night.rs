//! The night: every business date that is not complete, in order, each job in its place. Dates are the outer loop,
//! jobs the inner one, so that a machine that was down ends where one ends that was not.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Connection, PgConnection, PgPool};
use tracing::{Instrument, info};

use super::{
    Ended, Next,
    context::Context,
    error::{Error, LeftOut, Result},
    fault,
    job::Job,
    lane::Room,
    leader::Leadership,
    ticks,
};
use crate::{
    domain::{
        calendar::add_days,
        tick::{Plan, Tick, TickVerdict},
    },
    jobs::{REGISTRY, email_operators, intake},
    store::{
        self, mail,
        run::{self, Complete, Counts, Run},
        status, tick as record,
    },
};

/// What the night of one business date came to, job by job.
#[derive(Clone, Debug)]
pub struct Night {
    /// The business date.
    pub due_on: NaiveDate,
    /// Each job that took part, with what it did.
    pub jobs: Vec<(&'static str, Counts)>,
    /// If it was complete already: what there was, and what is new.
    pub again: Option<Again>,
    /// What failed for good, each by itself, and was left behind.
    pub left_out: Vec<LeftOut>,
}

/// A night that was complete already when it was looked at.
#[derive(Clone, Debug)]
pub struct Again {
    /// Since when it was complete.
    pub complete_since: DateTime<Utc>,
    /// What each job had come to.
    pub then: Vec<(&'static str, Counts)>,
    /// What each job did beyond that.
    pub now: Vec<(&'static str, Counts)>,
}

impl Again {
    fn of(before: &Complete, jobs: &[(&'static str, Counts)]) -> Self {
        let stood = |name: &str| before.jobs.iter().find(|(job, ..)| job == name);
        let then = REGISTRY.iter().filter_map(|job| stood(job.name).map(|(_, all, _)| (job.name, *all)));
        let now = jobs.iter().map(|(name, counts)| {
            let kept = stood(name).map(|(.., kept)| *kept).unwrap_or_default();
            let new = |now: i64, kept: i64| now.saturating_sub(kept).max(0);
            let (done, refused) = (new(counts.done, kept.done), new(counts.refused, kept.refused));
            (*name, Counts { done, refused, failed: new(counts.failed, kept.failed) })
        });
        Self { complete_since: before.at, then: then.collect(), now: now.collect() }
    }
}

/// The role that nights work under: whatever an earlier holder of the lock left claimed is free.
pub const ROLE: &str = "night";

/// The business dates to run, given the last complete one: up to `to`, from the day after the last, or on a fresh
/// store from `from`. A date already complete is looked at again.
#[must_use]
pub fn dates(last: Option<NaiveDate>, from: Option<NaiveDate>, to: NaiveDate) -> Vec<NaiveDate> {
    let first = last.map_or_else(|| from.unwrap_or(to), |last| add_days(last, 1)).min(to);
    first.iter_days().take_while(|day| *day <= to).collect()
}

/// The last complete date, and the [`dates`] to run. On a store where nights were begun and none is complete, they
/// start with the first of those, whatever was asked for since: one that is not complete holds up the later ones. The
/// timetable (`by_timetable`) owes a store where none was begun those from its first file on.
///
/// # Errors
/// The store is down.
pub async fn open(
    conn: &mut PgConnection,
    from: Option<NaiveDate>,
    to: NaiveDate,
    by_timetable: bool,
) -> store::Result<(Option<NaiveDate>, Vec<NaiveDate>)> {
    let last = run::last_night(&mut *conn).await?;
    let owed = match last {
        Some(_) => None,
        None if by_timetable => status::first_owed(conn).await?,
        None => record::first(conn).await?,
    };
    Ok((last, dates(last, owed.into_iter().chain(from).min(), to)))
}

/// Whether no later night is complete: an earlier one that is looked at again shows the present to nobody.
fn is_latest(due_on: NaiveDate, last: Option<NaiveDate>) -> bool {
    last.is_none_or(|last| last <= due_on)
}

/// Runs nights on the store that somebody asks for, whatever the hour, one process at a time; tells `told` of each that
/// is complete. What operators gave back to nights that are over is done first.
///
/// # Errors
/// [`Error::Held`] while another process runs them, or when one became leader meanwhile; whatever stops a job: what was
/// done stays done, and the next start goes on there. [`Error::LeftOut`] when all nights are done, but for what it names.
pub async fn run(
    cx: &Context,
    pool: &PgPool,
    from: Option<NaiveDate>,
    to: NaiveDate,
    told: impl FnMut(&Night),
) -> Result<()> {
    through(cx, pool, (from, to), None, told).await
}

/// Runs what of the nights up to `to` is due at `now` by the jobs' timetables; a night whose later jobs are still to
/// come stays open, and the nights after it wait.
///
/// # Errors
/// As [`run()`].
pub async fn run_due(
    cx: &Context,
    pool: &PgPool,
    to: NaiveDate,
    now: DateTime<Utc>,
    told: impl FnMut(&Night),
) -> Result<()> {
    through(cx, pool, (None, to), Some(now), told).await
}

async fn through(
    cx: &Context,
    pool: &PgPool,
    (from, to): (Option<NaiveDate>, NaiveDate),
    now: Option<DateTime<Utc>>,
    mut told: impl FnMut(&Night),
) -> Result<()> {
    as_leader(cx, pool, async |cx, conn| {
        // What fails again of a night that is over holds up no later one: that one had gone on past it.
        let (mut failed_again, mut left_out) = (Ok(()), Vec::new());
        for (job, due_on) in run::retried(&mut *conn).await? {
            let Some(job) = Job::named(&job) else { continue };
            match job.run(&Arc::new(cx.on(due_on, false)), &mut *conn, Room::Pool(pool)).await {
                Err(error @ Error::Incomplete { .. }) => failed_again = Err(error),
                outcome => left_out.extend(outcome?.left_out),
            }
        }
        let (last, dates) = open(&mut *conn, from, to, now.is_some()).await?;
        if now.is_some() && last.is_some_and(|last| to <= last) {
            return failed_again.and(told_of(left_out)); // nothing else was due
        }
        let plan = planned(cx, &mut *conn, &dates, last, now).await?;
        for due_on in dates {
            let cx = Arc::new(cx.on(due_on, is_latest(due_on, last)));
            match one(&cx, &mut *conn, Room::Pool(pool), &plan).await {
                Ok(Some(night)) => {
                    told(&night);
                    left_out.extend(night.left_out);
                }
                Ok(None) => break,
                Err(error) => {
                    email_operators::tell_of_stop(&cx, &mut *conn, &error).await;
                    return Err(error);
                }
            }
        }
        failed_again.and(told_of(left_out))
    })
    .await
}

/// What nights went on past is told when they are done.
fn told_of(left_out: Vec<LeftOut>) -> Result<()> {
    if left_out.is_empty() { Ok(()) } else { Err(Error::LeftOut(left_out)) }
}

/// Runs nights in a transaction that the caller rolls back: the same code, nothing stays.
///
/// # Errors
/// As [`run()`].
pub async fn rehearse(
    cx: &Context,
    conn: &mut PgConnection,
    from: Option<NaiveDate>,
    to: NaiveDate,
) -> Result<Vec<Night>> {
    if !run::lock_night(&mut *conn).await? {
        return Err(Error::Held);
    }
    run::release(&mut *conn, ROLE).await?;
    mail::release_mails(&mut *conn).await?;
    let mut nights = Vec::new();
    let (last, dates) = open(&mut *conn, from, to, false).await?;
    let plan = planned(cx, &mut *conn, &dates, last, None).await?;
    for due_on in dates {
        let cx = Arc::new(cx.on(due_on, is_latest(due_on, last)));
        nights.extend(one(&cx, conn, Room::Rehearsal, &plan).await?);
    }
    Ok(nights)
}

/// What the timetables say of these dates, put on record.
async fn planned(
    cx: &Context,
    conn: &mut PgConnection,
    dates: &[NaiveDate],
    last: Option<NaiveDate>,
    now: Option<DateTime<Utc>>,
) -> Result<Plan> {
    let (Some(first), Some(to)) = (dates.first(), dates.last()) else { return Ok(Plan::default()) };
    let again = last.is_some_and(|last| *to <= last);
    Ok(ticks::settle(&cx.policies, conn, (*first, *to), now, again).await?.0)
}

/// One business date, from its first job to the mark that it is complete; `None` when a job of it is still to come.
async fn one(
    cx: &Arc<Context>,
    conn: &mut PgConnection,
    room: Room<'_>,
    plan: &Plan,
) -> Result<Option<Night>> {
    let before = run::complete(&mut *conn, cx.today).await?;
    let begun = run::begun(&mut *conn, &REGISTRY.map(|job| job.name.to_owned()), cx.today).await?;
    let mut walk = Walk {
        cx,
        room,
        ticks: plan.of(cx.today),
        begun,
        at: 0,
        run: None,
        jobs: Vec::new(),
        left_out: Vec::new(),
    };
    loop {
        let mut tx = conn.begin().await?;
        cx.ensure_leader(&mut tx).await?;
        let halt = walk.on(&mut tx).await?;
        tx.commit().await?;
        match halt {
            Halt::Work(job, run, chunks) => {
                let span = job.span(cx);
                span.record("run", run.run_id.get());
                job.work_off(cx, conn, room, run.run_id, chunks).instrument(span).await?;
                walk.run = Some(run);
            }
            Halt::NotYet => return Ok(None),
            Halt::Stopped => return Err(Error::Stopped),
            Halt::Complete => break,
        }
    }
    fault::at("night.complete", "night").await?;
    let again = before.map(|before| Again::of(&before, &walk.jobs));
    Ok(Some(Night { due_on: cx.today, jobs: walk.jobs, again, left_out: walk.left_out }))
}

/// Where a night pauses, because what it did so far must be committed.
enum Halt {
    /// A job has so many chunks to work off.
    Work(&'static Job, Run, usize),
    /// The next job's hour has not come.
    NotYet,
    /// A stop is asked for.
    Stopped,
    /// Every job has run.
    Complete,
}

/// The way of a night through its jobs. Those that have nothing to do share a transaction, up to the first that has.
struct Walk<'a> {
    cx: &'a Arc<Context>,
    room: Room<'a>,
    ticks: &'a [Tick],
    /// The jobs that have a run for the date already.
    begun: Vec<String>,
    /// The place in the order of jobs.
    at: usize,
    /// The run of the job at that place, if it is begun.
    run: Option<Run>,
    jobs: Vec<(&'static str, Counts)>,
    left_out: Vec<LeftOut>,
}

impl Walk<'_> {
    /// Goes on to the next halt.
    async fn on(&mut self, conn: &mut PgConnection) -> Result<Halt> {
        let (mut idle, mut answered) = (Vec::new(), Vec::new());
        let halt = loop {
            let Some(job) = REGISTRY.get(self.at).copied() else { break Halt::Complete };
            if self.run.is_none() {
                if self.cx.stop.is_asked() {
                    break Halt::Stopped;
                }
                match self.ticks.iter().find(|tick| tick.job == job.name) {
                    None => {
                        self.at += 1;
                        continue;
                    }
                    Some(tick) if tick.verdict == TickVerdict::NotYet => {
                        info!(due_on = %self.cx.today, job = job.name, ready_at = %tick.ready_at, "the night waits for its next job");
                        break Halt::NotYet;
                    }
                    Some(tick) if tick.verdict != TickVerdict::Due || tick.answered => {
                        if tick.verdict != TickVerdict::Due {
                            record::pass_over(&mut *conn, job.name, self.cx.today).await?;
                        }
                        self.at += 1;
                        continue;
                    }
                    Some(_) => {}
                }
            }
            let span = job.span(self.cx);
            match self.job(job, &mut *conn, &mut idle).instrument(span).await? {
                Next::Work(run, chunks) => break Halt::Work(job, run, chunks),
                Next::Closed(ended) => {
                    self.jobs.push((job.name, ended.counts));
                    self.left_out.extend(ended.left_out);
                    answered.push(job.name.to_owned());
                    self.at += 1;
                }
            }
        };
        self.record(&mut *conn, &mut idle).await?;
        record::answer(&mut *conn, &answered, self.cx.today).await?;
        if matches!(halt, Halt::Complete) {
            run::complete_night(conn, self.cx.today).await?;
        }
        Ok(halt)
    }

    /// What comes next of a job. A run of one that has nothing to do is put on record later, with others. A courier's is
    /// begun first, because what it plans names its run.
    async fn job(
        &mut self,
        job: &'static Job,
        conn: &mut PgConnection,
        idle: &mut Vec<&'static Job>,
    ) -> Result<Next> {
        let (cx, room) = (self.cx, self.room);
        if let Some(run) = self.run.take() {
            return job.next(cx, conn, room, run).await;
        }
        if job.courier || self.begun.iter().any(|begun| begun == job.name) {
            self.record(&mut *conn, idle).await?;
            return job.take_up(cx, conn, room).await;
        }
        let Some((stage, spans)) = job.due_after(cx, &mut *conn, -1).await? else {
            idle.push(job);
            return Ok(Next::Closed(Ended::default()));
        };
        self.record(&mut *conn, idle).await?;
        let run = job.begin(cx, &mut *conn).await?;
        job.plan_stage(cx, conn, room, Run { stage, ..run }, &spans).await
    }

    /// Puts the runs of jobs that had nothing to do on record, in the order of jobs.
    async fn record(&self, conn: &mut PgConnection, idle: &mut Vec<&'static Job>) -> Result<()> {
        let with = idle.iter().map(|job| (job.name, job.last_stage(), self.cx.provenance(job.name)));
        run::record_idle(conn, self.cx.today, &with.collect::<Vec<_>>()).await?;
        for job in idle.drain(..) {
            fault::at("run.closed", job.name).await?;
        }
        Ok(())
    }
}

/// One job for one business date, alone.
///
/// # Errors
/// As [`run()`].
pub async fn run_job(cx: &Context, job: &'static Job, pool: &PgPool) -> Result<Night> {
    as_leader(cx, pool, async |cx, conn| {
        let ended = job.run(&Arc::new(cx.on(cx.today, true)), conn, Room::Pool(pool)).await?;
        Ok(alone(cx.today, job, ended))
    })
    .await
}

/// A night of one job.
fn alone(due_on: NaiveDate, job: &'static Job, ended: Ended) -> Night {
    Night { due_on, jobs: vec![(job.name, ended.counts)], again: None, left_out: ended.left_out }
}

/// One job in a transaction that the caller rolls back.
///
/// # Errors
/// As [`run()`].
pub async fn rehearse_job(cx: &Context, job: &'static Job, conn: &mut PgConnection) -> Result<Night> {
    let mut tx = conn.begin().await?;
    let ended = job.run(&Arc::new(cx.on(cx.today, true)), &mut tx, Room::Rehearsal).await?;
    tx.commit().await?;
    Ok(alone(cx.today, job, ended))
}

/// Does something as the leader, on one connection.
async fn as_leader<T>(
    cx: &Context,
    pool: &PgPool,
    does: impl AsyncFnOnce(&Context, &mut PgConnection) -> Result<T>,
) -> Result<T> {
    let leadership = Leadership::take(pool, &cx.worker).await?;
    let cx = Context { epoch: Some(leadership.epoch), ..cx.on(cx.today, cx.latest) };
    let outcome = async {
        let mut conn = pool.acquire().await?;
        let mut tx = conn.begin().await?;
        cx.ensure_leader(&mut tx).await?;
        run::release(&mut tx, ROLE).await?;
        mail::release_mails(&mut tx).await?;
        tx.commit().await?;
        does(&cx, &mut conn).await
    }
    .await;
    leadership.resign().await;
    if outcome.is_err() {
        intake::come_clean(pool).await;
    }
    match outcome {
        Err(Error::Store(store::Error::LeaseLost)) => Err(Error::Held),
        Err(error) if error.is_outage() && is_overtaken(&cx, pool).await => Err(Error::Held),
        outcome => outcome,
    }
}

/// Whether it is another process's turn by now, which is why the sessions of this one were ended.
async fn is_overtaken(cx: &Context, pool: &PgPool) -> bool {
    let Ok(mut conn) = pool.acquire().await else { return false };
    matches!(cx.ensure_leader(&mut conn).await, Err(Error::Store(store::Error::LeaseLost)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_night_catches_up_from_the_last_complete_date_and_from_leaves_no_hole() {
        let of = |last: Option<&str>, from: Option<&str>, to: &str| -> Vec<String> {
            dates(last.map(day), from.map(day), day(to)).iter().map(NaiveDate::to_string).collect()
        };
        assert_eq!(of(None, None, "2024-02-03"), ["2024-02-03"]);
        assert_eq!(of(None, Some("2024-02-02"), "2024-02-03"), ["2024-02-02", "2024-02-03"]);
        assert_eq!(of(Some("2024-02-01"), None, "2024-02-03"), ["2024-02-02", "2024-02-03"]);
        assert_eq!(of(Some("2024-02-01"), Some("2024-02-03"), "2024-02-03"), ["2024-02-02", "2024-02-03"]);
        assert_eq!(of(Some("2024-02-03"), None, "2024-02-03"), ["2024-02-03"], "looked at again");
    }
}

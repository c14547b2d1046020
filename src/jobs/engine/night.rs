//! The night: every business date that is not complete, in order, each job in its place. Dates are the outer loop,
//! jobs the inner one, so that a machine that was down ends where one ends that was not.

use std::sync::Arc;

use chrono::NaiveDate;
use sqlx::{Connection, PgConnection, PgPool};

use super::{charge::Charge, fault, lane::Room};
use crate::{
    domain::calendar::add_days,
    jobs::{Context, Error, Job, REGISTRY, Result},
    store::{
        self, notice,
        run::{self, Counts},
    },
};

/// What the night of one business date came to, job by job.
#[derive(Clone, Debug)]
pub struct Night {
    /// The business date.
    pub due_on: NaiveDate,
    /// Each job with what it did.
    pub jobs: Vec<(&'static str, Counts)>,
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

/// Whether no later night is due or complete: an earlier one that is looked at again shows the present to nobody.
fn is_latest(due_on: NaiveDate, last: Option<NaiveDate>, to: NaiveDate) -> bool {
    due_on == to && last.is_none_or(|last| last <= to)
}

/// Runs nights on the store, one process at a time; tells `told` of each that is complete. What operators gave back to
/// nights that are over is done first.
///
/// # Errors
/// [`Error::Held`] while another process runs them, or when one took charge meanwhile; whatever stops a job. What was
/// done stays done, and the next start goes on there.
pub async fn run(
    cx: &Context,
    pool: &PgPool,
    from: Option<NaiveDate>,
    to: NaiveDate,
    mut told: impl FnMut(&Night),
) -> Result<()> {
    in_charge(cx, pool, async |cx, conn| {
        for (job, due_on) in run::retried(&mut *conn).await? {
            if let Some(job) = Job::named(&job) {
                job.run(&Arc::new(cx.on(due_on, false)), &mut *conn, Room::Pool(pool)).await?;
            }
        }
        let last = run::last_night(&mut *conn).await?;
        for due_on in dates(last, from, to) {
            let cx = Arc::new(cx.on(due_on, is_latest(due_on, last, to)));
            told(&one(&cx, &mut *conn, Room::Pool(pool)).await?);
        }
        Ok(())
    })
    .await
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
    notice::release_mails(&mut *conn).await?;
    let mut nights = Vec::new();
    let last = run::last_night(&mut *conn).await?;
    for due_on in dates(last, from, to) {
        let cx = Arc::new(cx.on(due_on, is_latest(due_on, last, to)));
        nights.push(one(&cx, conn, Room::Rehearsal).await?);
    }
    Ok(nights)
}

/// One business date, from its first job to the mark that it is complete.
async fn one(cx: &Arc<Context>, conn: &mut PgConnection, room: Room<'_>) -> Result<Night> {
    let mut jobs = Vec::with_capacity(REGISTRY.len());
    for job in REGISTRY {
        if cx.stop.is_asked() {
            return Err(Error::Stopped);
        }
        jobs.push((job.name, job.run(cx, conn, room).await?));
    }
    let mut tx = conn.begin().await?;
    cx.in_charge(&mut tx).await?;
    run::complete_night(&mut tx, cx.today).await?;
    tx.commit().await?;
    fault::at("night.complete", "night").await?;
    Ok(Night { due_on: cx.today, jobs })
}

/// One job for one business date, alone.
///
/// # Errors
/// As [`run()`].
pub async fn run_job(cx: &Context, job: &'static Job, pool: &PgPool) -> Result<Counts> {
    in_charge(cx, pool, async |cx, conn| {
        job.run(&Arc::new(cx.on(cx.today, true)), conn, Room::Pool(pool)).await
    })
    .await
}

/// One job in a transaction that the caller rolls back.
///
/// # Errors
/// As [`run()`].
pub async fn rehearse_job(cx: &Context, job: &'static Job, conn: &mut PgConnection) -> Result<Counts> {
    let mut tx = conn.begin().await?;
    let counts = job.run(&Arc::new(cx.on(cx.today, true)), &mut tx, Room::Rehearsal).await?;
    tx.commit().await?;
    Ok(counts)
}

/// Does something as the one process in charge, on one connection.
async fn in_charge<T>(
    cx: &Context,
    pool: &PgPool,
    does: impl AsyncFnOnce(&Context, &mut PgConnection) -> Result<T>,
) -> Result<T> {
    let charge = Charge::take(pool, &cx.worker).await?;
    let cx = Context { epoch: Some(charge.epoch), ..cx.on(cx.today, cx.latest) };
    let outcome = async {
        let mut conn = pool.acquire().await?;
        run::release(&mut conn, ROLE).await?;
        notice::release_mails(&mut conn).await?;
        does(&cx, &mut conn).await
    }
    .await;
    charge.lay_down().await;
    match outcome {
        Err(Error::Store(store::Error::LeaseLost)) => Err(Error::Held),
        outcome => outcome,
    }
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

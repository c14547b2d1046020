//! Whoever operates the store would have to ask it every morning whether anybody is needed, and one day does not. So a
//! night, when all else of it is done, tells them: once for a business date, however often it is looked at again, and once
//! for all nights that were made up for together. What it tells is kept as it was gathered, and goes the way of all mail
//! (promise 9).
//!
//! A night owes nobody more than the attempt: what cannot be gathered is told of with the next one, and makes none late.

use futures::future::FutureExt;
use sqlx::{Connection, PgConnection};
use tracing::error;

use self::gathered::{NAME, gather, mails};
use super::{
    email_contacts,
    engine::{Context, Error, Job, Result, Stage},
};
use crate::{
    domain::{calendar::add_days, night_report::NightReport},
    store::{
        night_report,
        run::{self, Chunk, Counts, Span},
        work::Rows,
    },
};

mod gathered;
pub mod policy;
mod stopped;

pub use gathered::report;
pub use stopped::tell_of_stop;

/// The stage that hands mails over.
const MAILS: i16 = 1;

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[
        Stage { covers: "the report of the night, made whole", rows: Rows::None },
        Stage { covers: "mails to hand over", rows: Rows::Mails },
    ],
    plan: |cx, conn, stage| plan(cx, conn, stage).boxed(),
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: true,
};

/// One span for a report that is not made yet; then its mails, unless lanes send them to a server. A night that is looked
/// at again after a later one tells nothing.
async fn plan(cx: &Context, conn: &mut PgConnection, stage: i16) -> Result<Vec<Span>> {
    if !cx.latest || cx.policies.email_operators.policy.recipients.is_empty() {
        return Ok(vec![]);
    }
    if stage < MAILS {
        let is_made = night_report::find(conn, cx.today).await?.is_some();
        let whole = Span { from: (cx.today, 0), until: (add_days(cx.today, 1), 0) };
        return Ok(if is_made { vec![] } else { vec![whole] });
    }
    if cx.server.is_some() {
        return Ok(vec![]);
    }
    Ok(night_report::unsent(conn, cx.today).await?.into_iter().collect())
}

async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    if chunk.stage == MAILS {
        return email_contacts::hand_over_span(cx, conn, chunk, NAME).await;
    }
    match gather(cx, conn).await {
        Ok(report) => make(cx, conn, chunk, &report).await,
        Err(Error::Store(error)) if !error.is_down() => {
            error!(%error, "what the night came to cannot be gathered: the next night's mail tells of it");
            Ok(Counts { failed: 1, ..Counts::default() })
        }
        Err(error) => Err(error),
    }
}

/// Puts the report on record with its mails.
async fn make(cx: &Context, conn: &mut PgConnection, chunk: &Chunk, report: &NightReport) -> Result<Counts> {
    let mut tx = conn.begin().await?;
    if !cx.dry_run {
        run::hold(&mut tx, chunk).await?;
    }
    night_report::put(&mut tx, chunk.run_id, report, &mails(cx, report)).await?;
    tx.commit().await?;
    Ok(Counts::default())
}

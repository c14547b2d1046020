//! Admins live in spreadsheets, and a spreadsheet that is half taken in is worse than none. So a file is checked
//! whole before any row counts, its good rows go in by the chunk, and it is handed back with an answer on every row.
//! A night takes in what waits in the inbox first, so that it sees every fact that there is (D1, D16).

use futures::future::FutureExt;
use sqlx::PgConnection;

use super::{
    engine::{Context, Job, Result, Stage},
    intake::{self, FileOutcome, inbox},
};
use crate::store::{
    file,
    run::{Chunk, Counts, Span},
    work::Rows,
};

pub mod policy;

/// The stem.
pub const NAME: &str = intake::NAME;

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[Stage { covers: "files in the inbox, and files that were left half done", rows: Rows::Files }],
    plan: |cx, conn, _| plan(cx, conn).boxed(),
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: true,
};

/// One span if anything waits: files in the inbox, or files that a crash left half done.
async fn plan(cx: &Context, conn: &mut PgConnection) -> Result<Vec<Span>> {
    let until = cx.today.succ_opt().unwrap_or(cx.today);
    let waits = !file::unfinished(conn).await?.is_empty() || inbox::anything_waits(cx, conn).await?;
    Ok(if waits { vec![Span { from: (cx.today, 0), until: (until, 0) }] } else { vec![] })
}

async fn work(cx: &Context, conn: &mut PgConnection, _: &Chunk) -> Result<Counts> {
    let mut counts = Counts::default();
    for (_, outcome) in inbox::take_in_waiting(cx, conn, false).await? {
        match outcome {
            FileOutcome::Done(taken) => {
                counts.done += i64::from(taken.tally.applied) + i64::from(taken.tally.waiting);
                counts.refused += i64::from(taken.tally.rejected);
            }
            FileOutcome::Known => {}
            FileOutcome::Refused(_)
            | FileOutcome::Guarded(_)
            | FileOutcome::Failed(_)
            | FileOutcome::GivenUp(_) => {
                counts.refused += 1;
            }
        }
    }
    Ok(counts)
}

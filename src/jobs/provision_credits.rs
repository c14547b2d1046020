//! Credit lapses unseen when a month's grant is late, doubled or lost in a spreadsheet. So every night each
//! entitlement is brought up to date: usage is drawn from the period of its date, the period that is over lapses,
//! the one that starts is granted, each once and under its own date (R1, R2, D2–D4, D15); bulk credit only from the day
//! on which no agreement excludes it (D14). Hours and incidents are granted when they begin (R6, R7).

use futures::future::{BoxFuture, FutureExt};
use sqlx::PgConnection;

use super::engine::{Context, Job, Result, Stage, booking::settle, provisioning::advance};
use crate::store::{
    credit,
    run::{Chunk, Counts, Span},
    settlement, units,
    work::Rows,
};

pub mod policy;

/// Usage first, so that what was spent does not lapse; then periods; then usage of what was just granted.
const PERIODS: i16 = 1;

const NAME: &str = "provision_credits";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[
        Stage { covers: "usage to draw from credit", rows: Rows::Usage },
        Stage {
            covers: "credit: periods that lapse, periods that are granted; hours and incidents",
            rows: Rows::Credits,
        },
        Stage { covers: "usage to draw from credit", rows: Rows::Usage },
    ],
    plan: |cx, conn, stage| plan(cx, conn, stage).boxed(),
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: false,
};

async fn plan(cx: &Context, conn: &mut PgConnection, stage: i16) -> Result<Vec<Span>> {
    let rows = cx.chunk_rows(NAME);
    Ok(match stage {
        PERIODS => credit::due_spans(conn, cx.today, rows).await?,
        _ => settlement::usage_spans(conn, cx.today, rows).await?,
    })
}

fn work<'a>(cx: &'a Context, conn: &'a mut PgConnection, chunk: &'a Chunk) -> BoxFuture<'a, Result<Counts>> {
    if chunk.stage == PERIODS { periods(cx, conn, chunk).boxed() } else { usage(cx, conn, chunk).boxed() }
}

/// Closes and grants what is due.
async fn periods(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let due = credit::due(conn, chunk.span, cx.today, &cx.credit_policy()).await?;
    let granted =
        i64::try_from(units::settle(conn, chunk.run_id, &due.units, cx.today).await?).unwrap_or(i64::MAX);
    let counts = advance(cx, conn, chunk.run_id, &due.credits, |_| cx.today).await?;
    Ok(Counts { done: counts.done.saturating_add(granted), ..counts })
}

/// Draws usage from the periods of its dates, correcting what was closed too early.
async fn usage(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let ids = settlement::with_usage(conn, chunk.span, cx.today).await?;
    let credits = credit::of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    let (booking, _) = settle(cx, conn, &credits).await?;
    let units = units::settle_beside(conn, chunk.run_id, &ids, cx.today).await?;
    let counts = Counts::done(booking.entries.len() + units);
    booking.write(conn, chunk.run_id, &credits).await?;
    Ok(counts)
}

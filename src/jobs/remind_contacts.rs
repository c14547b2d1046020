//! Credit lapses unseen and memberships run out because nobody was told in time. So what is owed is decided apart
//! from sending it, once for ever by subject, kind and date (D10). A night's mail is read on the morning after, so
//! the days are counted from that morning: "last day today" is true when it is read.

use futures::future::FutureExt;
use sqlx::PgConnection;

use super::engine::{Context, Job, Result, Stage};
use crate::store::{
    notice, reminder,
    run::{Chunk, Counts},
    work::Rows,
};

mod ends;
mod offers;
pub mod policy;
mod to_come;

const NAME: &str = "remind_contacts";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[Stage {
        covers: "partners, their offers that go live, and the notices they are owed",
        rows: Rows::Partners,
    }],
    plan: |cx, conn, _| {
        async move {
            Ok(reminder::partner_spans(conn, &ends::days(cx), cx.today, cx.chunk_rows(NAME)).await?)
        }
        .boxed()
    },
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: false,
};

async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let mut owed = Vec::new();
    ends::work(cx, conn, chunk, &mut owed).await?;
    let live = offers::work(cx, conn, chunk, &mut owed).await?;
    Ok(Counts::done(live + notice::owe(conn, chunk.run_id, &owed).await?))
}

//! The truth must not sit in spreadsheets that nobody can make again. So each night the entitlements as they stand
//! are written in the canonical columns, which is also what an import reads; written aside and renamed, so that a
//! reader never sees half a file. A night that is looked at again after a later one writes nothing: an earlier state is
//! not today's truth.

use futures::future::FutureExt;
use sqlx::{Connection, PgConnection};

use self::{
    policy::FILE,
    written::{fill, place},
};
use super::engine::{Context, Error, Job, Result, Stage, fault};
use crate::store::{
    export::{Export, Form},
    run::{self, Chunk, Counts, Span},
    work::Rows,
};

pub mod policy;
pub mod written;

const NAME: &str = "export_entitlements";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[Stage { covers: "one file, written whole", rows: Rows::None }],
    plan: |cx, _, _| {
        async move {
            let until = cx.today.succ_opt().unwrap_or(cx.today);
            Ok(if cx.latest { vec![Span { from: (cx.today, 0), until: (until, 0) }] } else { vec![] })
        }
        .boxed()
    },
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: true,
};

async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    if cx.dry_run {
        return Ok(Counts::default());
    }
    let folder =
        cx.folders.data.join(&cx.policies.export_entitlements.policy.folder).join(cx.today.to_string());
    tokio::fs::create_dir_all(&folder).await.map_err(Error::file(&folder))?;
    let Some(export) = Export::named("entitlements") else { return Ok(Counts::default()) };
    let path = folder.join(FILE);
    let (part, _) = fill(conn, export, None, Form::Machine, &path).await?;
    // One who was paused and lost its chunk puts nothing in the place of what its successor wrote.
    let mut tx = conn.begin().await?;
    run::hold(&mut tx, chunk).await?;
    place(part, &path)?;
    tx.commit().await?;
    fault::at("export.written", NAME).await?;
    Ok(Counts::done(1))
}

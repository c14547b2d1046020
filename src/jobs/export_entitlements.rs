//! The truth must not sit in spreadsheets that nobody can make again. So each night the entitlements as they stand
//! are written in the canonical columns, which is also what an import reads; written aside and renamed, so that a
//! reader never sees half a file. In a catch-up only the last night writes: earlier states are not today's truth.

use futures::future::FutureExt;
use sqlx::PgConnection;

use super::{Context, Error, Job, Result};
use crate::store::{
    export,
    run::{Chunk, Counts, Span},
};

const NAME: &str = "export_entitlements";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: 1,
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

async fn work(cx: &Context, conn: &mut PgConnection, _: &Chunk) -> Result<Counts> {
    if cx.dry_run {
        return Ok(Counts::default());
    }
    let folder =
        cx.folders.data.join(&cx.policies.export_entitlements.policy.folder).join(cx.today.to_string());
    tokio::fs::create_dir_all(&folder).await.map_err(Error::file(&folder))?;
    let path = folder.join("entitlements.csv");
    let part = folder.join(".entitlements.csv.part");
    let file = tokio::fs::File::create(&part).await.map_err(Error::file(&part))?;
    let mut out = tokio::io::BufWriter::with_capacity(1 << 20, file);
    export::write(conn, "entitlements", &mut out).await?;
    out.into_inner().sync_all().await.map_err(Error::file(&part))?;
    tokio::fs::rename(&part, &path).await.map_err(Error::file(&path))?;
    Ok(Counts::done(1))
}

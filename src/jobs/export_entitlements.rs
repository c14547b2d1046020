//! The truth must not sit in spreadsheets that nobody can make again. So each night the entitlements as they stand
//! are written in the canonical columns, which is also what an import reads; written aside and renamed, so that a
//! reader never sees half a file. A night that is looked at again after a later one writes nothing: an earlier state is
//! not today's truth.

use std::path::Path;

use chrono::NaiveDate;
use futures::future::FutureExt;
use sqlx::PgConnection;
use tokio::io::BufWriter;

use super::{Context, Error, Job, Result, engine::fault};
use crate::store::{
    export::{Export, Form},
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
    let Some(export) = Export::named("entitlements") else { return Ok(Counts::default()) };
    write(conn, export, None, Form::Machine, &folder.join("entitlements.csv")).await?;
    fault::at("export.written", NAME).await?;
    Ok(Counts::done(1))
}

/// Writes an export to `path`: aside, to the disk, then renamed. Says how many bytes.
///
/// # Errors
/// [`Error::File`] with the path, [`Error::Store`].
pub async fn write(
    conn: &mut PgConnection,
    export: &Export,
    on: Option<NaiveDate>,
    form: Form,
    path: &Path,
) -> Result<u64> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.part"));
    let written = fill(conn, export, on, form, &part).await;
    let renamed = match written {
        Ok(bytes) => tokio::fs::rename(&part, path).await.map_err(Error::file(path)).map(|()| bytes),
        Err(error) => Err(error),
    };
    if renamed.is_err() {
        let _ = tokio::fs::remove_file(&part).await; // the first error is the one to tell
    }
    renamed
}

async fn fill(
    conn: &mut PgConnection,
    export: &Export,
    on: Option<NaiveDate>,
    form: Form,
    part: &Path,
) -> Result<u64> {
    let file = tokio::fs::File::create(part).await.map_err(Error::file(part))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let bytes = export.write(conn, on, form, &mut out).await?;
    out.into_inner().sync_all().await.map_err(Error::file(part))?;
    Ok(bytes)
}

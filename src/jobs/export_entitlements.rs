//! The truth must not sit in spreadsheets that nobody can make again. So each night the entitlements as they stand
//! are written in the canonical columns, which is also what an import reads; written aside and renamed, so that a
//! reader never sees half a file. A night that is looked at again after a later one writes nothing: an earlier state is
//! not today's truth.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path};

use chrono::NaiveDate;
use futures::future::FutureExt;
use sqlx::{Connection, PgConnection};
use tempfile::NamedTempFile;
use tokio::io::BufWriter;

use super::engine::{Context, Error, Job, Result, Stage, fault};
use crate::store::{
    export::{Export, Form},
    run::{self, Chunk, Counts, Span},
    work::Rows,
};

pub mod policy;

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
    let path = folder.join("entitlements.csv");
    let (part, _) = fill(conn, export, None, Form::Machine, &path).await?;
    // One who was paused and lost its chunk puts nothing in the place of what its successor wrote.
    let mut tx = conn.begin().await?;
    run::hold(&mut tx, chunk).await?;
    place(part, &path)?;
    tx.commit().await?;
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
    let (part, bytes) = fill(conn, export, on, form, path).await?;
    place(part, path)?;
    Ok(bytes)
}

/// An export in a file of its own beside `path`, on the disk; gone when it is dropped. And how many bytes it has.
async fn fill(
    conn: &mut PgConnection,
    export: &Export,
    on: Option<NaiveDate>,
    form: Form,
    path: &Path,
) -> Result<(NamedTempFile, u64)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let part = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".part")
        .permissions(Permissions::from_mode(0o666)) // the umask says what of it
        .tempfile_in(folder)
        .map_err(Error::file(path))?;
    let file = part.reopen().map_err(Error::file(path))?;
    let mut out = BufWriter::with_capacity(1 << 20, tokio::fs::File::from_std(file));
    let bytes = export.write(conn, on, form, &mut out).await?;
    out.into_inner().sync_all().await.map_err(Error::file(path))?;
    Ok((part, bytes))
}

fn place(part: NamedTempFile, path: &Path) -> Result<()> {
    part.persist(path).map_err(|error| Error::file(path)(error.error))?;
    Ok(())
}

//! Exports as files: written aside, to the disk, then renamed, so that a reader never sees half a file.

use std::{
    fs::Permissions,
    io::{self, BufWriter as Buffered, IntoInnerError, Write as _},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tempfile::NamedTempFile;
use tokio::io::BufWriter;

use crate::{
    files::workbook,
    jobs::engine::{Error, Result},
    store::export::{Export, Form},
};

/// Writes an export to `path`, replacing what is there. Says how many bytes.
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

/// Writes an export to `path` as a workbook, replacing what is there. Says how many bytes.
///
/// # Errors
/// [`Error::File`] with the path, [`Error::Store`].
pub async fn write_workbook(
    conn: &mut PgConnection,
    export: &'static Export,
    on: Option<NaiveDate>,
    path: &Path,
) -> Result<u64> {
    let (canonical, _) = fill(conn, export, on, Form::Machine, path).await?;
    let target = path.to_owned();
    let made = tokio::task::spawn_blocking(move || book(&canonical, export, &target)).await;
    let (part, bytes) = made.map_err(io::Error::other).flatten().map_err(Error::file(path))?;
    place(part, path)?;
    Ok(bytes)
}

/// The workbook that says what a canonical file does.
fn book(canonical: &NamedTempFile, export: &Export, path: &Path) -> io::Result<(NamedTempFile, u64)> {
    let mut out = Buffered::new(aside(path)?);
    workbook::export::write(
        canonical.reopen()?,
        export.kind,
        |name| export.type_of(name),
        folder(path),
        &mut out,
    )?;
    out.flush()?;
    let part = out.into_inner().map_err(IntoInnerError::into_error)?;
    part.as_file().sync_all()?;
    let bytes = part.as_file().metadata()?.len();
    Ok((part, bytes))
}

/// An export in a file of its own beside `path`, on the disk; gone when it is dropped. And how many bytes it has.
///
/// # Errors
/// [`Error::File`] with the path, [`Error::Store`].
pub async fn fill(
    conn: &mut PgConnection,
    export: &Export,
    on: Option<NaiveDate>,
    form: Form,
    path: &Path,
) -> Result<(NamedTempFile, u64)> {
    let part = aside(path).map_err(Error::file(path))?;
    let file = part.reopen().map_err(Error::file(path))?;
    let mut out = BufWriter::with_capacity(1 << 20, tokio::fs::File::from_std(file));
    let bytes = export.write(conn, on, form, &mut out).await?;
    out.into_inner().sync_all().await.map_err(Error::file(path))?;
    Ok((part, bytes))
}

/// A new file beside `path`, with a name that says whose it is.
fn aside(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".part")
        .permissions(Permissions::from_mode(0o666)) // the umask says what of it
        .tempfile_in(folder(path))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts what was written aside in its place.
///
/// # Errors
/// [`Error::File`] with the path.
pub fn place(part: NamedTempFile, path: &Path) -> Result<()> {
    part.persist(path).map_err(|error| Error::file(path)(error.error))?;
    Ok(())
}

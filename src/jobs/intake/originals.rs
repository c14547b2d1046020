//! What is left of the files that were dropped. A copy stays in the spool, but not of product keys (promise 11): once their
//! file is answered, original and copy are deleted. Where rows were rejected, the original is kept, because the answer
//! has its keys masked: an imported file stays where it is, one from the inbox is beside its answer.

use std::{fs, io::ErrorKind, path::Path};

use sqlx::PgConnection;

use super::{
    dropped::{Dropped, Taken, leave},
    kept::{self, Keeping},
    staged::Staging,
};
use crate::{
    domain::{id::FileNo, kinds::Kind},
    files::spool::Spooled,
    jobs::engine::{Context, Error, Result},
    store::file,
};

/// What is not needed of a file that was refused, or of keys that were known before, is deleted from the spool: of whatever
/// kind it was meant to be, a header that is not understood may stand above keys.
pub(super) async fn settle(
    cx: &Context,
    conn: &mut PgConnection,
    spooled: &Spooled,
    staging: &Staging,
) -> Result<()> {
    match staging {
        Staging::Staged(..) => Ok(()),
        _ => delete_copy(cx, conn, &spooled.sha256).await,
    }
}

/// The original of a file of keys is deleted once it is answered, if it still is what was read; one that was taken in before
/// is deleted now.
pub(super) fn mark(cx: &Context, dropped: &mut Dropped, spooled: &Spooled, staging: &Staging) -> Result<()> {
    match staging {
        Staging::Staged(_, profile) if profile.kind.is_secret() => {
            dropped.leaves = Some(spooled.look);
            Ok(())
        }
        Staging::Known { kind } if kind.is_secret() => {
            dropped.leaves = Some(spooled.look);
            leave(cx, dropped)
        }
        _ => Ok(()),
    }
}

/// A file is answered: one from the inbox is put where it is kept, and of product keys nothing is left but what was
/// rejected.
pub(super) async fn close(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    file_id: FileNo,
    keeping: Option<&Keeping>,
    taken: &mut Taken,
) -> Result<()> {
    if cx.dry_run {
        return Ok(());
    }
    match (&dropped.claim, keeping) {
        (Some(claim), Some(keeping)) => kept::keep(conn, dropped, claim, keeping, taken).await?,
        _ if !taken.kind.is_secret() => {}
        _ if taken.tally.rejected > 0 => taken.kept = Some(dropped.path.clone()),
        _ => leave(cx, dropped)?,
    }
    if taken.kind.is_secret() {
        let sha256 = file::get(conn, file_id).await?.sha256;
        delete_copy(cx, conn, &sha256).await?;
    }
    Ok(())
}

/// Nobody asks for a file any more, or it was given up: no copy of its keys is left.
pub(super) async fn forget(cx: &Context, conn: &mut PgConnection, file_id: FileNo) -> Result<()> {
    let kind = Kind::parse(&file::kind(conn, file_id).await?);
    if cx.dry_run || !kind.is_some_and(Kind::is_secret) {
        return Ok(());
    }
    let sha256 = file::get(conn, file_id).await?.sha256;
    delete_copy(cx, conn, &sha256).await
}

/// Deletes a copy that nothing needs.
async fn delete_copy(cx: &Context, conn: &mut PgConnection, sha256: &str) -> Result<()> {
    let secret = Kind::ALL.iter().filter(|kind| kind.is_secret()).map(|kind| kind.name().to_owned());
    if file::wants_copy(conn, sha256, &secret.collect::<Vec<_>>()).await? {
        return Ok(());
    }
    let path: &Path = &cx.folders.spool().join(sha256);
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    }
}

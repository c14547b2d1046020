//! What is left of the files that were dropped. A copy stays in the spool, but not of product keys (promise 11): once their
//! file is answered, original and copy are deleted. Where rows were rejected, the original is kept, because the answer
//! has its keys masked: an imported file stays where it is, one from the inbox is laid beside its answer.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use sqlx::PgConnection;

use super::{
    dropped::{Dropped, Stamp, Taken, leave},
    staged::Staging,
};
use crate::{
    domain::kinds::Kind,
    files::{answer, spool::Spooled},
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

/// By what the original of a file of keys is known when it is deleted, wherever it is; one that was taken in before is
/// deleted now.
pub(super) fn mark(
    cx: &Context,
    dropped: &mut Dropped,
    looked_like: Option<Stamp>,
    staging: &Staging,
) -> Result<()> {
    match staging {
        Staging::Staged(_, profile) if profile.kind.is_secret() => {
            dropped.leaves = dropped.leaves.or(looked_like);
            Ok(())
        }
        Staging::Known { kind } if kind.is_secret() => {
            dropped.leaves = dropped.leaves.or(looked_like);
            leave(cx, dropped)
        }
        _ => Ok(()),
    }
}

/// A file is answered: it leaves the inbox, and of product keys nothing is left but what was rejected.
pub(super) async fn close(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    file_id: i64,
    taken: &mut Taken,
) -> Result<()> {
    if !taken.kind.is_secret() || cx.dry_run {
        return leave(cx, dropped);
    }
    let sha256 = file::get(conn, file_id).await?.sha256;
    let in_inbox = dropped.path.starts_with(cx.folders.inbox());
    if taken.tally.rejected == 0 {
        leave(cx, dropped)?;
    } else if in_inbox {
        taken.kept = Some(lay_beside(cx, dropped, &sha256)?);
        leave(cx, dropped)?;
    } else {
        taken.kept = Some(dropped.path.clone());
    }
    delete_copy(cx, conn, &sha256).await
}

/// Nobody asks for a file any more, or it was given up: no copy of its keys is left.
pub(super) async fn forget(cx: &Context, conn: &mut PgConnection, file_id: i64) -> Result<()> {
    let kind = Kind::parse(&file::kind(conn, file_id).await?);
    if cx.dry_run || !kind.is_some_and(Kind::is_secret) {
        return Ok(());
    }
    let sha256 = file::get(conn, file_id).await?.sha256;
    delete_copy(cx, conn, &sha256).await
}

/// Lays the bytes that were looked at beside their answer, readable by their owner alone, under a name that is free.
fn lay_beside(cx: &Context, dropped: &Dropped, sha256: &str) -> Result<PathBuf> {
    let spooled = cx.folders.spool().join(sha256);
    let name = dropped.path.file_name().map_or_else(|| "keys.csv".into(), |name| name.to_string_lossy());
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, "csv"));
    let named = |nth: u32| match nth {
        1 => dropped.results.join(&*name),
        nth => {
            let end = format!(".{nth}.{ending}");
            let room = answer::NAME_BYTES.saturating_sub(end.len());
            dropped.results.join(format!("{}{end}", answer::short(stem, room)))
        }
    };
    let bytes = fs::read(&spooled).map_err(Error::file(&spooled))?;
    for nth in 1..=u32::MAX {
        let target = named(nth);
        if fs::read(&target).is_ok_and(|there| there == bytes) {
            return Ok(target); // laid there before a crash
        }
        let laid = tempfile::NamedTempFile::new_in(&dropped.results).and_then(|mut file| {
            std::io::Write::write_all(&mut file, &bytes)?;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
            file.as_file().sync_all()?;
            match file.persist_noclobber(&target) {
                Ok(_) => Ok(true),
                Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(failed) => Err(failed.error),
            }
        });
        if laid.map_err(Error::file(&target))? {
            return Ok(target);
        }
    }
    Err(Error::file(&spooled)(ErrorKind::AlreadyExists.into()))
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

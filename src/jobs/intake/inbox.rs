//! The inbox: the files that people drop, of any partner at its top, of one partner in the folder named by its
//! Partner ID.

use std::{
    fs::{File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::PgConnection;
use tracing::{info, warn};

use super::{
    dropped::{Dropped, FileOutcome, leave, stamp},
    take_in,
};
use crate::jobs::engine::{Context, Error, Folders, Result};

/// How often one looks whether the inbox is free.
const GLANCE: Duration = Duration::from_millis(100);
/// How long one waits for it: whoever has it may be at a big file, or paused.
const PATIENCE: Duration = Duration::from_mins(1);

/// Takes in what waits in the inbox and is whole, and what a process that is gone left half done. One process at a
/// time does so, and the others wait: what it answered must not be answered again, as if nothing were new.
///
/// # Errors
/// See [`take_in`]; the inbox cannot be read.
pub async fn take_in_waiting(cx: &Context, conn: &mut PgConnection) -> Result<Vec<(Dropped, FileOutcome)>> {
    let _turn = if cx.dry_run { None } else { turn(cx).await? };
    let dropped = whole(cx)?;
    let outcomes = take_in(cx, conn, dropped).await?;
    for (dropped, outcome) in &outcomes {
        match outcome {
            FileOutcome::Done(taken) => {
                let (tally, answer) = (taken.tally, taken.answer.as_deref().map(Path::display));
                info!(
                    file = %taken.name, applied = tally.applied, unchanged = tally.unchanged,
                    rejected = tally.rejected, answer = answer.map(tracing::field::display), "taken in"
                );
                if let Some(kept) = &taken.kept {
                    warn!(original = %kept.display(), "rejected product keys are in the original alone: correct it there");
                }
            }
            FileOutcome::Known => {
                info!(file = %dropped.path.display(), "taken in before; nothing to do");
                leave(cx, dropped)?;
            }
            FileOutcome::Failed(why) => {
                warn!(file = %dropped.path.display(), %why, "not taken in whole; it goes on there the next time");
            }
            FileOutcome::Refused(refusal) | FileOutcome::Guarded(refusal) | FileOutcome::GivenUp(refusal) => {
                warn!(file = %dropped.path.display(), %refusal, "refused; it stays where it is");
            }
        }
    }
    Ok(outcomes)
}

/// Waits for the inbox's lock, which the kernel takes back from a process that dies. No inbox: nothing to lock.
///
/// # Errors
/// [`Error::Held`] after a minute.
async fn turn(cx: &Context) -> Result<Option<File>> {
    if !cx.folders.inbox().is_dir() {
        return Ok(None);
    }
    let path = cx.folders.data.join("inbox.lock"); // not in it: there people look
    let lock = File::create(&path).map_err(Error::file(&path))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::Error(error)) => return Err(Error::file(&path)(error)),
            Err(TryLockError::WouldBlock) if cx.stop.is_asked() => return Err(Error::Stopped),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Err(Error::Held),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(GLANCE).await,
        }
    }
}

/// Those that nobody writes to any more.
pub fn whole(cx: &Context) -> Result<Vec<Dropped>> {
    let InboxFiles { mut files, unreadable } = waiting(cx)?;
    for error in unreadable {
        warn!(%error, "a folder in the inbox cannot be looked at; its files wait until it can");
    }
    files.retain(|one| cx.whole.is(&one.path));
    Ok(files)
}

/// What lies in the inbox.
#[derive(Debug, Default)]
pub struct InboxFiles {
    /// Files.
    pub files: Vec<Dropped>,
    /// Partners' folders that cannot be looked at: nobody else's files wait for them.
    pub unreadable: Vec<Error>,
}

/// Files in the inbox: of any partner at its top, of one partner in the folder named by its Partner ID.
///
/// # Errors
/// The inbox cannot be read; one that is not there holds nothing.
pub fn waiting(cx: &Context) -> Result<InboxFiles> {
    Ok(among(&cx.folders, entries(&cx.folders.inbox())?, entries))
}

/// Files among what lies at the inbox's top, and in partners' folders, each as `look` finds it.
fn among(
    folders: &Folders,
    top: Vec<InboxEntry>,
    look: impl Fn(&Path) -> Result<Vec<InboxEntry>>,
) -> InboxFiles {
    let mut waiting = InboxFiles::default();
    for (path, is_folder) in top {
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if !is_folder {
            waiting.files.extend(in_folder(folders, path, None));
        } else if name.bytes().all(|b| b.is_ascii_digit()) {
            match look(&path) {
                Ok(entries) => {
                    let files = entries.into_iter().filter(|(_, is_folder)| !is_folder);
                    let files = files.filter_map(|(path, _)| in_folder(folders, path, Some(name.clone())));
                    waiting.files.extend(files);
                }
                Err(error) => waiting.unreadable.push(error),
            }
        }
    }
    waiting
}

fn in_folder(folders: &Folders, path: PathBuf, partner: Option<String>) -> Option<Dropped> {
    let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let results = partner.iter().fold(folders.answers(), |folder, number| folder.join(number));
    (is_csv && !hidden).then(|| Dropped {
        leaves: stamp(&path),
        path,
        kind: None,
        partner,
        accept_backdated: false,
        by_operator: false,
        accept_ends: false,
        results,
    })
}

/// What lies in a folder, and whether that is a folder itself.
type InboxEntry = (PathBuf, bool);

/// What a folder holds, by name; one that is not there holds nothing.
fn entries(folder: &Path) -> Result<Vec<InboxEntry>> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        listed => listed.map_err(Error::file(folder))?,
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry.map_err(Error::file(folder))?;
        entries.push((entry.path(), entry.file_type().map_err(Error::file(folder))?.is_dir()));
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partners_folder_that_cannot_be_read_keeps_nobody_elses_files_waiting() {
        let folders = Folders { data: "data".into(), scratch: None };
        let inbox = folders.inbox();
        let top = vec![
            (inbox.join("4711"), true),
            (inbox.join("4712"), true),
            (inbox.join("old"), true),
            (inbox.join("partners.csv"), false),
        ];
        let found = among(&folders, top, |folder| match folder.file_name() {
            Some(name) if name == "4711" => Err(Error::file(folder)(ErrorKind::PermissionDenied.into())),
            _ => Ok(vec![(folder.join("users.csv"), false)]),
        });
        let paths: Vec<_> = found.files.into_iter().map(|one| one.path).collect();
        assert_eq!(paths, [inbox.join("4712/users.csv"), inbox.join("partners.csv")]);
        let unreadable: Vec<_> = found.unreadable.iter().map(ToString::to_string).collect();
        assert_eq!(unreadable, ["data/inbox/4711: permission denied"]);
    }
}

//! The files of a data directory without somebody who was erased: what was dropped and what was answered, the spool, what was
//! written out, and mails. Each file's trouble is its own.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::PgConnection;

use crate::{
    domain::{erasure::KnownNames, id::PartnerId},
    files::{
        inbox::{DONE, REFUSED},
        redact::{self, RowsRedacted},
    },
    jobs::engine::{Error, Folders, Result},
    mail::redact::{self as mails, MailRedacted},
    store::erasure,
};

/// What became of the files.
#[derive(Clone, Debug, Default)]
pub struct FilesErased {
    /// Files that were changed, by their paths in the data directory, each with how many rows.
    pub changed: BTreeMap<PathBuf, u64>,
    /// Files that are gone.
    pub removed: Vec<PathBuf>,
    /// Files that could not be gone through, each with why.
    pub left: BTreeMap<PathBuf, String>,
}

/// How it is done.
#[derive(Clone, Copy, Debug)]
pub struct EraseHow {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Remove what cannot be read, since it may name them.
    pub remove_unreadable: bool,
}

/// Goes through all files of a data directory. What was done stays done; done again, it goes on with what is left.
///
/// # Errors
/// The database's. What is wrong with a file is told with it.
pub async fn erase_files(
    conn: &mut PgConnection,
    folders: &Folders,
    known: KnownNames,
    how: EraseHow,
) -> Result<FilesErased> {
    let (known, mut erased) = (Arc::new(known), FilesErased::default());
    let open: HashSet<String> = erasure::open_files(conn).await?.into_iter().collect();
    let data = folders.data.clone();
    let imported = erasure::answer_places(conn).await?;
    let listed = blocking(move || kept_files(&data, &imported)).await?;
    erased.left.extend(listed.left);
    for KeptFile { path, partner, place } in listed.files {
        let name = path.strip_prefix(&folders.data).unwrap_or(&path).to_owned();
        let sha256 = (place == KeptPlace::Spool)
            .then(|| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        if sha256.as_ref().is_some_and(|sha256| open.contains(sha256)) {
            erased.left.insert(name, "it is being taken in: do this again once it is answered".to_owned());
            continue;
        }
        if place == KeptPlace::Outbox {
            let (mail, known) = (path.clone(), Arc::clone(&known));
            match blocking(move || mails::redact(&mail, &known, how.dry_run)).await? {
                Ok(MailRedacted::Untouched) => {}
                Ok(MailRedacted::Emptied) => drop(erased.changed.insert(name, 1)),
                Ok(MailRedacted::Removed) => erased.removed.push(name),
                Err(why) => troubled(&mut erased, &path, name, &why.to_string(), how),
            }
            continue;
        }
        let look = |dry_run| {
            let (path, partner, known) = (path.clone(), partner.clone(), Arc::clone(&known));
            blocking(move || redact::redact(&path, partner.as_ref(), &known, dry_run))
        };
        let found = match look(true).await? {
            Ok(RowsRedacted { rows: 0, .. }) => continue,
            Ok(found) => found,
            Err(why) => {
                troubled(&mut erased, &path, name, &why.to_string(), how);
                continue;
            }
        };
        if !how.dry_run {
            if let Some(sha256) = sha256 {
                let lines: Vec<i32> =
                    found.about.iter().filter_map(|line| i32::try_from(*line).ok()).collect();
                erasure::clear_answers(conn, &sha256, &lines, &known.pseudonym).await?;
            }
            if let Err(why) = look(false).await? {
                erased.left.insert(name, why.to_string());
                continue;
            }
        }
        erased.changed.insert(name, found.rows);
    }
    Ok(erased)
}

/// A file that cannot be gone through stays and is told, or is removed if that is what was asked for.
fn troubled(erased: &mut FilesErased, path: &Path, name: PathBuf, why: &str, how: EraseHow) {
    if !how.remove_unreadable {
        erased.left.insert(name, why.to_owned());
    } else if how.dry_run {
        erased.removed.push(name);
    } else {
        match fs::remove_file(path) {
            Ok(()) => erased.removed.push(name),
            Err(error) => drop(erased.left.insert(name, error.to_string())),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Panicked(error.to_string()))
}

/// Where a file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeptPlace {
    Spool,
    Outbox,
    Other,
}

/// A file that is kept.
struct KeptFile {
    path: PathBuf,
    /// Whose folder it is in.
    partner: Option<PartnerId>,
    place: KeptPlace,
}

/// The files that are kept, and the folders that could not be listed.
#[derive(Default)]
struct KeptFiles {
    files: Vec<KeptFile>,
    left: BTreeMap<PathBuf, String>,
}

/// Everything that was taken in or written, never what still lies in an inbox; of imported files the answers, and not the files
/// themselves, which are whose they were.
fn kept_files(data: &Path, imported: &[String]) -> KeptFiles {
    let mut kept = KeptFiles::default();
    for answer in imported.iter().map(PathBuf::from) {
        if fs::symlink_metadata(&answer).is_ok_and(|found| found.is_file()) {
            kept.files.push(KeptFile { path: answer, partner: None, place: KeptPlace::Other });
        }
    }
    kept.list(&data.join("spool"), None, KeptPlace::Spool);
    kept.list(&data.join("outbox"), None, KeptPlace::Outbox);
    for written in ["exports", "answers"] {
        kept.list(&data.join(written), None, KeptPlace::Other);
    }
    let inbox = data.join("inbox");
    for answered in [DONE, REFUSED] {
        kept.list(&inbox.join(answered), None, KeptPlace::Other);
    }
    let own = fs::read_dir(&inbox).into_iter().flatten().flatten();
    for folder in own.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let partner = PartnerId::from(&*folder.file_name().to_string_lossy());
        for answered in [DONE, REFUSED] {
            kept.list(&folder.path().join(answered), Some(&partner), KeptPlace::Other);
        }
    }
    kept.files.sort_by(|one, other| one.path.cmp(&other.path));
    kept
}

impl KeptFiles {
    /// Files of a folder and of those in it; no link is followed, and what begins with a dot is on its way somewhere.
    fn list(&mut self, folder: &Path, partner: Option<&PartnerId>, place: KeptPlace) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return drop(self.left.insert(folder.to_owned(), error.to_string())),
        };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                self.list(&entry.path(), partner, place);
            } else if kind.is_file() {
                self.files.push(KeptFile { path: entry.path(), partner: partner.cloned(), place });
            }
        }
    }
}

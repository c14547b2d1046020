//! Tries of a file. Without a limit, a file that crashes its process (a panic, a kill, no memory left) would do so for
//! ever. So each try is recorded before the work and removed when it ends, well or with an error; what stays are the
//! tries that crashed. Several processes may read one file: a try does not count as crashed while its process lives.
//!
//! A file that fails for a reason of its own (an answer that cannot be written, a spool that is gone) rests before it is
//! tried again, each time longer, and has as many tries.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{Duration, Instant, sleep, timeout};
use tracing::warn;

use super::staged::NAME;
use crate::{
    domain::{id::FileNo, language::Bilingual},
    files::file_reason::FileReason,
    jobs::engine::{Context, Result},
    store::{
        self,
        quarantine::{self, FileTry},
    },
};

/// How long a process that is to end waits for the store.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(200);

/// Tries of this process that could not be given back, because the store was down.
static OWED: Mutex<Vec<FileTry>> = Mutex::new(Vec::new());

fn owed() -> std::sync::MutexGuard<'static, Vec<FileTry>> {
    OWED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many tries a file has: one less than the chunk of a night, whose last try then finds the file given up and
/// lets the night go on.
pub(super) fn limit(cx: &Context) -> i32 {
    let attempts = i32::try_from(cx.work(NAME).attempts).unwrap_or(i32::MAX);
    attempts.saturating_sub(1).max(1)
}

/// Tries that were begun.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// To be ended.
    pub(super) tries: Vec<FileTry>,
    /// Files that were given up instead, and why.
    pub(super) given_up: HashMap<FileNo, FileReason>,
}

/// Records a try of each of these files, in a commit of its own.
pub(super) async fn begin(cx: &Context, conn: &mut PgConnection, files: &[FileNo]) -> Result<Begun> {
    let mut tx = conn.begin().await?;
    let mut begun = Begun::default();
    for (one, lost) in quarantine::begin(&mut tx, files).await? {
        if lost < limit(cx) {
            begun.tries.push(one);
            continue;
        }
        quarantine::end(&mut tx, &[one]).await?;
        let why = Bilingual::new(
            format!("taking it in ended its process {}", times(lost).english),
            format!("inläsningen har avslutat sin process {}", times(lost).swedish),
        );
        if let Some(sentence) = give_up(&mut tx, one.file_id, &why).await? {
            begun.given_up.insert(one.file_id, sentence);
        }
    }
    tx.commit().await?;
    Ok(begun)
}

/// Notes that these files failed for reasons of their own, each with what it said, but for those that were `imported`: an
/// operator sees what becomes of them. Says which were given up for that.
pub(super) async fn failed(
    cx: &Context,
    conn: &mut PgConnection,
    files: &HashMap<FileNo, String>,
    imported: &[FileNo],
) -> Result<HashMap<FileNo, FileReason>> {
    let mut given_up = HashMap::new();
    for (file_id, said) in files.iter().filter(|(file_id, _)| !imported.contains(file_id)) {
        let mut tx = conn.begin().await?;
        let failures = quarantine::failed(&mut tx, *file_id).await?;
        if failures >= limit(cx) {
            let why = Bilingual::new(
                format!("it failed {}, the last time because of this: {said}", times(failures).english),
                format!(
                    "den har misslyckats {}, senast av detta skäl (på engelska): {said}",
                    times(failures).swedish
                ),
            );
            if let Some(sentence) = give_up(&mut tx, *file_id, &why).await? {
                given_up.insert(*file_id, sentence);
            }
        }
        tx.commit().await?;
    }
    Ok(given_up)
}

/// Refuses a staged file as it is. Says why and what to do about it; `None`: it was not staged any more.
async fn give_up(conn: &mut PgConnection, file_id: FileNo, why: &Bilingual) -> Result<Option<FileReason>> {
    let Some((applied, rows)) = quarantine::refuse(conn, file_id).await? else { return Ok(None) };
    let sentence = sentence(why, applied, rows);
    quarantine::note(conn, file_id, &sentence).await?;
    warn!(file = file_id.get(), "given up: {}", sentence.english);
    Ok(Some(given_up(sentence)))
}

/// Why a file was given up, as it is told.
pub(super) fn given_up(told: Bilingual) -> FileReason {
    FileReason { code: "file_given_up", told }
}

fn times(count: i32) -> Bilingual {
    if count == 1 {
        Bilingual::new("once".to_owned(), "en gång".to_owned())
    } else {
        Bilingual::new(format!("{count} times"), format!("{count} gånger"))
    }
}

fn sentence(why: &Bilingual, applied: i32, rows: i32) -> Bilingual {
    Bilingual::new(
        format!(
            "{}; {applied} of its {rows} rows were applied before that and stay, of the others nothing is in; find out why, and \
             import it again",
            why.english
        ),
        format!(
            "{}; {applied} av dess {rows} rader infördes dessförinnan och består, av de övriga är inget infört; ta reda på \
             varför, och läs in filen igen",
            why.swedish
        ),
    )
}

/// Gives tries back; what the store cannot be told now, it is told later by this process.
pub(super) async fn end(conn: &mut PgConnection, tries: &[FileTry]) {
    if let Err(error) = quarantine::end(conn, tries).await {
        warn!(%error, "a try of a file was not given back yet");
        owed().extend_from_slice(tries);
    }
}

/// Gives back what could not be before, and counts what others never will.
pub(super) async fn settle(conn: &mut PgConnection) -> store::Result<()> {
    let tries = std::mem::take(&mut *owed());
    for one in &tries {
        if let Err(error) = quarantine::end(conn, &[*one]).await {
            owed().extend_from_slice(&tries);
            return Err(error);
        }
    }
    quarantine::count_lost(conn).await
}

/// Gives back what could not be before, as soon as the store answers again: for a process that may end now, and whose
/// tries would then look like crashes.
pub async fn come_clean(pool: &PgPool) {
    let deadline = Instant::now() + PATIENCE;
    while !owed().is_empty() && Instant::now() < deadline {
        let settled = async { settle(&mut *pool.acquire().await?).await };
        if !matches!(timeout(PATIENCE, settled).await, Ok(Ok(()))) {
            sleep(GLANCE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_applied_is_said_in_rows() {
        let why = Bilingual::new("it failed".to_owned(), "den har misslyckats".to_owned());
        let told = sentence(&why, 12, 20);
        assert!(told.english.starts_with("it failed; 12 of its 20 rows"), "{told:?}");
        assert!(told.swedish.starts_with("den har misslyckats; 12 av dess 20 rader"), "{told:?}");
        assert_eq!([1, 4].map(|count| times(count).english), ["once", "4 times"]);
        assert_eq!([1, 4].map(|count| times(count).swedish), ["en gång", "4 gånger"]);
    }
}

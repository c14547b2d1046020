//! How any file is taken in: dropped, staged, applied by the chunk (requests by their dates over all files), answered.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use sqlx::{Connection, PgConnection};
use tracing::warn;

use crate::{
    domain::id::FileNo,
    files::{dialect::Dialect, profile::Profile, shown::shown_path},
    jobs::engine::{Context, Result, fault},
    store::{dropped as dropped_file, file, quarantine},
};
pub use admission::{Admitted, NotHeld, admit, refuse};
pub use dropped::{Dropped, FileOutcome, RowTold, Taken};
pub use erase::{EraseHow, FilesErased, erase_files};
pub use reveal::{Preview, Revealed, preview, reveal};
pub use revert::{Reverted, revert};
pub use staged::NAME;
use staged::{StagedFile, Staging};
pub use tries::come_clean;

mod admission;
mod all_or_nothing;
mod answering;
mod buckets;
mod chunks;
mod claims;
mod dropped;
mod erase;
mod guard;
mod halves;
pub mod inbox;
mod kept;
mod kinds;
mod lacking;
mod late;
mod left;
mod originals;
mod refusals;
mod rehearsed;
mod request_files;
mod requests;
mod reveal;
mod revert;
mod said;
mod schedules;
mod snapshots;
mod spooled;
mod stage;
mod staged;
mod subscriptions;
mod tries;
mod usage_parts;

/// Takes files in: all are checked and staged first, then facts are applied in a night's order, then requests by their dates.
pub async fn take_in(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: Vec<Dropped>,
) -> Result<Vec<(Dropped, FileOutcome)>> {
    tries::settle(conn).await?;
    let mut outcomes = Vec::new();
    let mut staged = Vec::new();
    for mut one in dropped {
        let mine: Vec<FileNo> = staged.iter().map(|(_, file_id, _)| *file_id).collect();
        let staging = stage::stage(cx, conn, &mut one, &mine).await;
        match of_one_file(staging)? {
            Err(why) => outcomes.push((one, FileOutcome::Failed(why))),
            Ok(staging) => match staging {
                Staging::Staged(file_id, profile) => staged.push((one, file_id, profile)),
                Staging::Known { .. } => outcomes.push((one, FileOutcome::Known)),
                Staging::Refused(refusal) => outcomes.push((one, FileOutcome::Refused(refusal))),
                Staging::Guarded(sentence) => outcomes.push((one, FileOutcome::Guarded(sentence))),
                Staging::GivenUp(sentence) => outcomes.push((one, FileOutcome::GivenUp(sentence))),
            },
        }
    }
    let inbox = cx.folders.inbox();
    let imported = staged.iter().filter(|(one, ..)| !one.path.starts_with(&inbox));
    let imported: Vec<FileNo> = imported.map(|(_, file_id, _)| *file_id).collect();
    let Applied { answered: mut applied, mut failed, resting } = apply_all(cx, conn, &imported).await?;
    let mut given_up = tries::failed(cx, conn, &failed, &imported).await?;
    for (one, file_id, profile) in staged {
        applied.retain(|id| *id != file_id);
        let outcome = if resting.contains(&file_id) {
            FileOutcome::Failed(
                "it failed before and rests; `benefactor import` from elsewhere tries it at once".to_owned(),
            )
        } else if let Some(why) = failed.remove(&file_id) {
            given_up.remove(&file_id).map_or(FileOutcome::Failed(why), FileOutcome::GivenUp)
        } else {
            try_to_close(cx, conn, (&one, file_id, profile), &imported).await?
        };
        if matches!(outcome, FileOutcome::GivenUp(_)) {
            originals::forget(cx, conn, file_id).await?;
        }
        outcomes.push((one, outcome));
    }
    for file_id in given_up.into_keys() {
        originals::forget(cx, conn, file_id).await?;
    }
    for file_id in applied {
        let mut tx = conn.begin().await?;
        if dropped_file::is_open(&mut tx, &cx.place, file_id).await? {
            continue; // it is still in its private place, and is answered from there
        }
        if quarantine::refusal(&mut tx, file_id).await?.is_none() {
            file::finish(&mut tx, file_id).await?;
            originals::forget(cx, &mut tx, file_id).await?;
        }
        tx.commit().await?;
    }
    Ok(outcomes)
}

/// Closes an applied file, unless its tries are used up.
async fn try_to_close(
    cx: &Context,
    conn: &mut PgConnection,
    (one, file_id, profile): (&Dropped, FileNo, Profile),
    imported: &[FileNo],
) -> Result<FileOutcome> {
    let mut begun = tries::begin(cx, conn, &[file_id]).await?;
    if let Some(sentence) = begun.given_up.remove(&file_id) {
        return Ok(FileOutcome::GivenUp(sentence));
    }
    let closed = close(cx, conn, one, file_id, profile).await;
    tries::end(conn, &begun.tries).await;
    match of_one_file(closed)? {
        Ok(outcome) => Ok(outcome),
        Err(why) => {
            let failed = HashMap::from([(file_id, why.clone())]);
            let mut given_up = tries::failed(cx, conn, &failed, imported).await?;
            Ok(given_up.remove(&file_id).map_or(FileOutcome::Failed(why), FileOutcome::GivenUp))
        }
    }
}

/// Closes an applied file: it is answered, leaves the inbox, and is done. After a crash in between it is answered
/// again if it is still there; once it has left, nothing of it is asked for again.
async fn close(
    cx: &Context,
    conn: &mut PgConnection,
    one: &Dropped,
    file_id: FileNo,
    profile: Profile,
) -> Result<FileOutcome> {
    let dialect = Dialect::remembered(&file::get(conn, file_id).await?.dialect);
    let keeping = kept::for_answer(cx, conn, one, answering::form_of(&dialect)).await?;
    let mut tx = conn.begin().await?;
    if let Some(sentence) = quarantine::refusal(&mut tx, file_id).await? {
        return Ok(FileOutcome::GivenUp(tries::given_up(sentence)));
    }
    file::finish(&mut tx, file_id).await?;
    let mut taken = answering::answer(cx, &mut tx, one, file_id, profile).await?;
    fault::at("file.answered", NAME).await?;
    originals::close(cx, &mut tx, one, file_id, keeping.as_ref(), &mut taken).await?;
    note_places(cx, &mut tx, one, file_id, taken.answer.as_deref()).await?;
    fault::at("file.left", NAME).await?;
    tx.commit().await?;
    if let Some(claim) = &one.claim {
        claim.clear();
    }
    Ok(FileOutcome::Done(Box::new(taken)))
}

/// Notes where an imported file was and its answer is; what was asked for by a command was in no file.
async fn note_places(
    cx: &Context,
    conn: &mut PgConnection,
    one: &Dropped,
    file_id: FileNo,
    answer: Option<&Path>,
) -> Result<()> {
    if cx.dry_run || one.claim.is_some() || one.by_operator {
        return Ok(());
    }
    let shown = |path: &Path| shown_path(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let answer = answer.map(shown);
    Ok(file::note_places(conn, file_id, &shown(&one.path), answer.as_deref()).await?)
}

/// What came of applying all staged files.
struct Applied {
    /// Files whose rows are all answered.
    answered: Vec<FileNo>,
    /// Files that failed for a reason of their own, with that.
    failed: HashMap<FileNo, String>,
    /// Files that failed before and are not tried again yet.
    resting: HashSet<FileNo>,
}

/// What failed for a reason of one file is told with that file, and the others go on (promise 5); anything else ends the
/// whole.
fn of_one_file<T>(result: Result<T>) -> Result<std::result::Result<T, String>> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(error) if error.is_of_one_file() => {
            warn!(%error, "a file failed; the others go on");
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// Applies every staged file, those included that a crash left behind. One that failed before rests, unless it is among the
/// `imported`, which an operator has looked at.
async fn apply_all(cx: &Context, conn: &mut PgConnection, imported: &[FileNo]) -> Result<Applied> {
    let (mut files, mut failed, mut resting) = (Vec::new(), HashMap::new(), HashSet::new());
    for unfinished in file::unfinished(conn).await? {
        let file_id = unfinished.file_id;
        if unfinished.rests && !imported.contains(&file_id) {
            resting.insert(file_id);
            continue;
        }
        match of_one_file(stage::restage(cx, conn, unfinished).await)? {
            Ok(staged) => files.push(staged),
            Err(why) => drop(failed.insert(file_id, why)),
        }
    }
    files.sort_by_key(|file| (file.profile.kind, file.file_id));
    let mut given_up = Vec::new();
    let alone = |file: &&StagedFile| file.all_or_nothing || !file.profile.kind.is_request();
    for file in files.iter().filter(alone) {
        let begun = tries::begin(cx, conn, &[file.file_id]).await?;
        if !begun.given_up.is_empty() {
            given_up.push(file.file_id);
            continue;
        }
        let applied = if file.all_or_nothing {
            all_or_nothing::file(cx, conn, file).await
        } else {
            chunks::file(cx, conn, file).await
        };
        let applied = match applied {
            Ok(()) => snapshots::settle(cx, conn, file).await,
            failed => failed,
        };
        tries::end(conn, &begun.tries).await;
        if let Err(why) = of_one_file(applied)? {
            failed.insert(file.file_id, why);
        }
    }
    let waiting: Vec<_> = files.iter().filter(|file| !alone(file)).collect();
    given_up.extend(request_files::apply(cx, conn, &waiting, &mut failed).await?);
    let answered = |file_id: &FileNo| !given_up.contains(file_id) && !failed.contains_key(file_id);
    let answered = files.iter().map(|file| file.file_id).filter(answered).collect();
    Ok(Applied { answered, failed, resting })
}

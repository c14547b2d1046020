//! Admins live in spreadsheets, and a spreadsheet that is half taken in is worse than none. So a file is checked
//! whole before any row counts, its good rows go in by the chunk, and it is handed back with an answer on every row.
//! A night takes in what waits in the inbox first, so that it sees every fact that there is (D1, D16).

use std::path::{Path, PathBuf};

use futures::future::FutureExt;
use sqlx::PgConnection;
use tracing::{info, warn};

use super::{Context, Error, Job, Result};
use crate::store::{
    file,
    run::{Chunk, Counts, Span},
};
pub use intake::{Dropped, Outcome, Taken, take_in};

mod apply;
mod assignments;
mod cancellations;
mod entitlements;
mod events;
mod intake;
mod people;
mod requests;

const NAME: &str = "import_entitlements";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: 1,
    plan: |cx, conn, _| plan(cx, conn).boxed(),
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: true,
};

/// One span if anything waits: files in the inbox, or files that a crash left half done.
async fn plan(cx: &Context, conn: &mut PgConnection) -> Result<Vec<Span>> {
    let until = cx.today.succ_opt().unwrap_or(cx.today);
    let waits = !file::unfinished(conn).await?.is_empty() || !waiting(cx)?.is_empty();
    Ok(if waits { vec![Span { from: (cx.today, 0), until: (until, 0) }] } else { vec![] })
}

async fn work(cx: &Context, conn: &mut PgConnection, _: &Chunk) -> Result<Counts> {
    let mut counts = Counts::default();
    for (dropped, outcome) in take_in(cx, conn, waiting(cx)?).await? {
        match outcome {
            Outcome::Done(taken) => {
                counts.done += i64::from(taken.tally.applied);
                counts.refused += i64::from(taken.tally.rejected);
                let tally = taken.tally;
                info!(file = %taken.name, applied = tally.applied, unchanged = tally.unchanged, rejected = tally.rejected, "taken in");
                remove(cx, &dropped.path)?;
            }
            Outcome::Known => remove(cx, &dropped.path)?,
            Outcome::Refused(refusal) | Outcome::Guarded(refusal) => {
                counts.refused += 1;
                warn!(file = %dropped.path.display(), %refusal, "refused; it stays where it is");
            }
        }
    }
    Ok(counts)
}

/// What was taken in leaves the inbox; the spool keeps its bytes.
fn remove(cx: &Context, path: &Path) -> Result<()> {
    if cx.dry_run { Ok(()) } else { std::fs::remove_file(path).map_err(Error::file(path)) }
}

/// Files in the inbox: of any partner at its top, of one partner in the folder named by its Partner ID.
fn waiting(cx: &Context) -> Result<Vec<Dropped>> {
    let inbox = cx.folders.inbox();
    let mut dropped = Vec::new();
    for (path, is_folder) in entries(&inbox)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if !is_folder {
            dropped.extend(in_folder(cx, path, None));
        } else if name.bytes().all(|b| b.is_ascii_digit()) {
            let files = entries(&path)?.into_iter().filter(|(_, is_folder)| !is_folder);
            dropped.extend(files.filter_map(|(path, _)| in_folder(cx, path, Some(name.clone()))));
        }
    }
    Ok(dropped)
}

fn in_folder(cx: &Context, path: PathBuf, partner: Option<String>) -> Option<Dropped> {
    let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let results = partner.iter().fold(cx.folders.answers(), |folder, number| folder.join(number));
    (is_csv && !hidden).then_some(Dropped {
        path,
        kind: None,
        partner,
        accept_backdated: false,
        accept_ends: false,
        results,
    })
}

/// What a folder holds, by name; one that is not there holds nothing.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, bool)>> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
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

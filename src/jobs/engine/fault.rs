//! Named places where a test lets a process die, hang or fail; nothing of them is left in a release build.
//!
//! `BENEFACTOR_FAULTS` says where and how, read once at the start: `point[@n][/job]=action`, several separated by
//! commas, as in `chunk.claimed@3/provision_credits=kill`. `n` counts how often this process passes the point (of that
//! job, if one is named), from 1; without it the first passing is meant. What it does not know ends the process with
//! exit code 2.
//!
//! | point | when |
//! |---|---|
//! | `file.moved` | a dropped file is moved out of the inbox, nothing of it is read |
//! | `file.spooled` | a dropped file's bytes are in the spool, nothing of it is in the store |
//! | `file.staged` | its rows are staged and committed, none is applied |
//! | `file.applied` | a chunk of its rows is applied and not committed |
//! | `file.ended` | what a full snapshot lacks is marked to end and not committed |
//! | `file.answered` | its answer is written, that it is done is not committed |
//! | `file.left` | it is where answered files are kept, that it is done is not committed |
//! | `stage.planned` | a stage's chunks are recorded and not committed |
//! | `chunk.claimed` | a claim is committed, nothing is done |
//! | `chunk.worked` | a chunk's effects are written and not committed |
//! | `chunk.finished` | its outcome is written too and not committed |
//! | `chunk.committed` | effects and outcome are committed |
//! | `run.closed` | a run is closed and not committed |
//! | `night.complete` | a business date is marked complete |
//! | `mail.leased` | mails are leased, none is handed over |
//! | `mail.delivered` | mails are handed over, that is not on record |
//! | `mail.recorded` | that is on record, their chunk is not done |
//! | `export.written` | an export is in its place, its chunk is not done |
//! | `tick.recorded` | the timetable's tick is recorded and not committed |
//!
//! | action | what the process does there |
//! |---|---|
//! | `kill` | ends as by `kill -9` |
//! | `exit` | ends by itself with code 7 |
//! | `panic` | panics |
//! | `hang` | waits for ever, and lets others of its tasks work |
//! | `spin` | keeps its thread for ever |
//! | `stop` | stops as by `kill -STOP`, until it is continued |
//! | `fail` | answers with an error of the store |
//! | `slow` | waits 200 ms, this time and every later one |

#[cfg(debug_assertions)]
mod armed;
mod points;

#[cfg(debug_assertions)]
pub use armed::{at, read};
pub use points::POINTS;

/// Nothing.
///
/// # Errors
/// None.
#[cfg(not(debug_assertions))]
pub const fn read() -> Result<(), String> {
    Ok(())
}

/// Nothing.
///
/// # Errors
/// None.
#[cfg(not(debug_assertions))]
#[inline]
pub fn at(_: &'static str, _: &str) -> std::future::Ready<crate::store::Result<()>> {
    std::future::ready(Ok(()))
}

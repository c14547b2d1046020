//! A file that somebody dropped: what is known of it before it is looked at, and what became of it.

use std::{io::ErrorKind, path::PathBuf};

use crate::{
    domain::{
        full_snapshot::{FullSnapshot, SnapshotOutcome},
        id::PartnerId,
        kinds::Kind,
        reason::Problem,
    },
    files::{
        answer::RowStatus,
        dialect::{Dialect, StatedDialect},
        file_reason::FileReason,
        inbox::Claim,
        look::Look,
        shown::{shown_path, shown_text},
    },
    jobs::engine::{Context, Error, Result},
    store::file::Tally,
};

/// A file that somebody dropped.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what an operator says of a file, each read by its name")]
pub struct Dropped {
    /// Where it is.
    pub path: PathBuf,
    /// What the operator says it is; `None`: its header says.
    pub kind: Option<Kind>,
    /// What the operator says of how it is written.
    pub dialect: StatedDialect,
    /// It is whole, also if its last line has no end.
    pub complete: bool,
    /// The Partner ID whose rows it may hold; `None`: anybody's.
    pub partner: Option<PartnerId>,
    /// The operator lets requests in that are dated long before (D1).
    pub accept_backdated: bool,
    /// The operator asks: rows may say so in `requested_by`.
    pub by_operator: bool,
    /// The operator lets it end more entitlements than the guard does (promise 6).
    pub accept_ends: bool,
    /// Who the operator is that does.
    pub accepted_by: String,
    /// And why.
    pub accepted_why: String,
    /// It is all that partners hold as of a date (D16).
    pub snapshot: Option<FullSnapshot>,
    /// The operator lets new identifiers in that are like known ones.
    pub accept_alike: bool,
    /// If a row is rejected, nothing of it is to be applied.
    pub all_or_nothing: bool,
    /// What the operator says which sheet of a workbook is meant.
    pub sheet: Option<String>,
    /// How many rows of each outcome a dry run tells one by one.
    pub told_rows: usize,
    /// Where its answer goes.
    pub results: PathBuf,
    /// What it looked like when its bytes were read, if it leaves once it is answered: a file from the inbox, or of product
    /// keys.
    pub leaves: Option<Look>,
    /// A file from the inbox, in its private place.
    pub claim: Option<Claim>,
    /// Where it may be said how many rows it has, and what its SHA-256 is.
    pub marker: Option<PathBuf>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum FileOutcome {
    /// Its rows are answered.
    Done(Box<Taken>),
    /// The same bytes were taken in before; nothing to do (exit 0).
    Known,
    /// Refused whole; nothing of it is in (exit 1).
    Refused(FileReason),
    /// It would end too much for a file that nobody looked at; nothing of it is in (exit 5).
    Guarded(FileReason),
    /// It cannot be taken in, or answered, for a reason of its own; what of it is in stays, and the next time goes on
    /// there (exit 1).
    Failed(String),
    /// It ended its process, or failed, too often; what was applied of it stays (exit 1).
    GivenUp(FileReason),
}

/// A file whose rows are answered.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The name it was dropped under.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Whose file it is, if it is a portal's.
    pub portal: Option<&'static str>,
    /// How it is written.
    pub dialect: Dialect,
    /// The name of its sheet, if it is a workbook.
    pub sheet: Option<String>,
    /// Which of its columns became which of its kind.
    pub mapping: Vec<(String, String)>,
    /// Rows that nothing was done with, such as examples.
    pub passed_over: u64,
    /// Rows that were booked with others as one.
    pub summed: u64,
    /// Of a dry run, rows one by one.
    pub rows: Vec<RowTold>,
    /// What its rows came to.
    pub tally: Tally,
    /// Rows were rejected, and so nothing of it was applied, because it was to be applied as a whole.
    pub not_applied: bool,
    /// What came of its being a full snapshot, if it is said to be one.
    pub snapshot: Option<SnapshotOutcome>,
    /// Where its answer is; `None` in a dry run.
    pub answer: Option<PathBuf>,
    /// Columns that mean nothing here.
    pub unknown: Vec<String>,
    /// Where rejected product keys are still in the clear, to be corrected: the answer has them masked.
    pub kept: Option<PathBuf>,
    /// What is said of its first row, which is all there is of what somebody asked for by a command.
    pub problems: Vec<Problem>,
}

/// A row of a dry run.
#[derive(Clone, Debug)]
pub struct RowTold {
    /// Its line.
    pub line: u64,
    /// What would become of it.
    pub status: RowStatus,
    /// What it says, by column of its kind.
    pub cells: Vec<(String, String)>,
    /// Why, or what is remarkable.
    pub problems: Vec<Problem>,
}

/// A file of product keys that was imported, and is not needed any more, is deleted where it is, unless something else is
/// there by now. Somebody may have moved it meanwhile.
pub fn leave(cx: &Context, dropped: &Dropped) -> Result<()> {
    let now = Look::at(&dropped.path).ok();
    let is_it = dropped.leaves.zip(now).is_some_and(|(then, now)| then.has_same_bytes(&now));
    if cx.dry_run || !is_it {
        return Ok(());
    }
    match std::fs::remove_file(&dropped.path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::file(&dropped.path)),
    }
}

impl Dropped {
    /// What the operator says of how it is written, in words.
    #[must_use]
    pub fn stated(&self) -> String {
        let stated = self.dialect.to_string();
        let Some(sheet) = &self.sheet else { return stated };
        let between = if stated.is_empty() { "" } else { "," };
        format!("{stated}{between}sheet={}", shown_text(sheet))
    }

    /// What it is called in front of people: of a file from the inbox, where it was dropped.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.claim {
            Some(claim) => shown_path(&claim.folder.join(&claim.name)),
            None => shown_path(&self.path),
        }
    }
}

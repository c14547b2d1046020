//! A file that is applied as a whole or, where a row of it is rejected, not at all.
//!
//! All of it is one transaction, however big it is, and not a rehearsal that chunks follow: after a crash between two chunks a part
//! of the file would be in, and by the time the rest is tried again another file may have made one of its rows one that is
//! rejected. Facts are kept from changing for as long as it takes, so what its rows are decided by is the same from the first to
//! the last. A crash leaves nothing of it; it is tried again from its first row.
//!
//! The rows are applied under a savepoint. If one is rejected, all of them are taken back, and what was decided of each, which is
//! kept outside the database meanwhile, is written as the answer. Memory does not grow with the file, but for eight bytes a row.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _},
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};

use super::{
    chunks, refusals, requests,
    staged::{NAME, StagedFile, Verdict, chunk_rows, record},
};
use crate::{
    domain::{
        kinds::repeats::hash,
        reason::{Problem, Reason},
    },
    jobs::engine::{Context, Error, Result, fault},
    store::{
        file::{self, StagedRow},
        file_chunk, run,
    },
};

/// Applies a file of whatever kind, or answers its rows without applying any.
pub(super) async fn file(cx: &Context, conn: &mut PgConnection, staged: &StagedFile) -> Result<()> {
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    if file_chunk::next_chunk(&mut tx, staged.file_id).await?.is_none() {
        return Ok(()); // another process was faster
    }
    let mut trial = tx.begin().await?;
    let mut decided = TrialVerdicts::new(cx)?;
    let mut parts = FileParts::of(staged);
    while let Some(part) = parts.next(cx, &mut trial).await? {
        if cx.stop.is_asked() {
            return Err(Error::Stopped);
        }
        let verdicts = part.apply(cx, &mut trial, staged).await?;
        decided.keep(staged, &part.rows, verdicts)?;
        fault::at("file.applied", NAME).await?;
    }
    if decided.rejected == 0 {
        parts.finish(&mut trial).await?;
        trial.commit().await?;
    } else {
        trial.rollback().await?;
        refuse(cx, &mut tx, staged, decided).await?;
    }
    Ok(tx.commit().await?)
}

/// Answers the rows of a file of which nothing is applied.
async fn refuse(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    decided: TrialVerdicts,
) -> Result<()> {
    let good = Reason::FileNotApplied { rejected: decided.rejected };
    let mut parts = FileParts::of(staged);
    let mut said = decided.again()?;
    while let Some(part) = parts.next(cx, conn).await? {
        let of = said.next(part.rows.len())?;
        refusals::record(conn, staged, &part.rows, &of).await?;
        let answers = of.into_iter().map(|verdict| match verdict {
            Verdict::Applied(_) | Verdict::Changed(_) => {
                Verdict::Rejected(vec![Problem::of_row(good.clone())])
            }
            verdict => verdict,
        });
        part.answer(conn, staged, answers.collect()).await?;
    }
    parts.finish(conn).await
}

/// The rows of a file, a bounded number at a time, in the order in which they are decided.
struct FileParts<'a> {
    staged: &'a StagedFile,
    /// Of requests: the date and the number of the last row.
    after: (NaiveDate, i32),
}

/// Some of them.
struct FilePart {
    /// Their chunk; requests, whatever their number, are one.
    chunk_no: Option<i32>,
    rows: Vec<StagedRow>,
}

impl<'a> FileParts<'a> {
    fn of(staged: &'a StagedFile) -> Self {
        Self { staged, after: (NaiveDate::default(), 0) }
    }

    async fn next(&mut self, cx: &Context, conn: &mut PgConnection) -> Result<Option<FilePart>> {
        let file_id = self.staged.file_id;
        if self.staged.profile.kind.is_request() {
            let after = (self.after.0, file_id, self.after.1);
            let rows = file::request_rows(conn, &[file_id], after, chunk_rows(cx).into()).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            self.after = (last.order_on.unwrap_or_default(), last.row_no);
            return Ok(Some(FilePart { chunk_no: None, rows }));
        }
        let Some(chunk) = file_chunk::next_chunk(conn, file_id).await? else { return Ok(None) };
        let rows = file_chunk::rows(conn, file_id, chunk.span).await?;
        Ok(Some(FilePart { chunk_no: Some(chunk.chunk_no), rows }))
    }

    /// All of them have their answers.
    async fn finish(&self, conn: &mut PgConnection) -> Result<()> {
        if self.staged.profile.kind.is_request() {
            file_chunk::finish_requests(conn, self.staged.file_id).await?;
        }
        Ok(())
    }
}

impl FilePart {
    /// Decides, writes and answers its rows, as those of any file: what became of each.
    async fn apply(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        staged: &StagedFile,
    ) -> Result<Vec<Verdict>> {
        if self.chunk_no.is_some() {
            let verdicts = chunks::apply(cx, conn, staged, &self.rows).await?;
            self.answer(conn, staged, verdicts.clone()).await?;
            return Ok(verdicts);
        }
        let rows = requests::numbered(conn, &self.rows).await?;
        let mut decided = requests::together(cx, conn, &[staged], &rows, &[staged.file_id]).await?;
        Ok(self.rows.iter().filter_map(|row| decided.remove(&(row.file_id, row.row_no))).collect())
    }

    /// Keeps what is to be said of its rows.
    async fn answer(
        &self,
        conn: &mut PgConnection,
        staged: &StagedFile,
        verdicts: Vec<Verdict>,
    ) -> Result<()> {
        let Some(chunk_no) = self.chunk_no else {
            let answers = self.rows.iter().zip(verdicts).map(|(row, verdict)| verdict.answer(row));
            return Ok(file::answer(conn, staged.file_id, &answers.collect::<Vec<_>>()).await?);
        };
        let (tally, numbered, answers) = chunks::tally(&self.rows, verdicts);
        file::answer(conn, staged.file_id, &answers).await?;
        Ok(file_chunk::finish_chunk(conn, staged.file_id, chunk_no, tally, &numbered).await?)
    }
}

/// What was decided of rows, in their order, outside the database: a savepoint that is rolled back takes with it what was written
/// after it.
struct TrialVerdicts {
    kept: BufWriter<File>,
    rejected: u32,
    /// Hashes of the keys of rows that were applied: what such a row made is not there after all.
    applied: HashSet<u64>,
}

/// What was decided of a row, as it is kept.
#[derive(Serialize, Deserialize)]
enum KeptVerdict {
    Good,
    Unchanged(Vec<Problem>),
    Rejected(Vec<Problem>),
}

impl TrialVerdicts {
    /// In a file that has no name, and goes with the process.
    fn new(cx: &Context) -> Result<Self> {
        let spool = cx.folders.spool();
        let kept = tempfile::tempfile_in(&spool).map_err(Error::file(&spool))?;
        Ok(Self { kept: BufWriter::new(kept), rejected: 0, applied: HashSet::new() })
    }

    fn keep(&mut self, staged: &StagedFile, rows: &[StagedRow], verdicts: Vec<Verdict>) -> Result<()> {
        for (row, verdict) in rows.iter().zip(verdicts) {
            let kept = match verdict {
                Verdict::Applied(_) | Verdict::Changed(_) => {
                    self.applied.insert(key_of(staged, row));
                    KeptVerdict::Good
                }
                Verdict::Unchanged(problems) if self.is_of_another_row(staged, row, &problems) => {
                    KeptVerdict::Good
                }
                Verdict::Unchanged(problems) => KeptVerdict::Unchanged(problems),
                Verdict::Rejected(problems) => {
                    self.rejected = self.rejected.saturating_add(1);
                    KeptVerdict::Rejected(problems)
                }
            };
            let line = serde_json::to_string(&kept).map_err(std::io::Error::from);
            line.and_then(|line| writeln!(self.kept, "{line}")).map_err(unreadable)?;
        }
        Ok(())
    }

    /// Whether a row that changes nothing says what another row of its file brings.
    fn is_of_another_row(&self, staged: &StagedFile, row: &StagedRow, problems: &[Problem]) -> bool {
        self.applied.contains(&key_of(staged, row))
            || problems.iter().any(|problem| matches!(problem.reason, Reason::Summed { .. }))
                && !problems.iter().any(|problem| matches!(problem.reason, Reason::CountedAlready { .. }))
    }

    /// To be read from the first row.
    fn again(self) -> Result<KeptVerdicts> {
        let mut kept = self.kept.into_inner().map_err(|error| unreadable(error.into_error()))?;
        kept.rewind().map_err(unreadable)?;
        Ok(KeptVerdicts { kept: BufReader::new(kept) })
    }
}

/// The same, as it is read.
struct KeptVerdicts {
    kept: BufReader<File>,
}

impl KeptVerdicts {
    /// What was decided of so many rows.
    fn next(&mut self, rows: usize) -> Result<Vec<Verdict>> {
        let mut verdicts = Vec::with_capacity(rows);
        let mut line = String::new();
        for _ in 0..rows {
            line.clear();
            self.kept.read_line(&mut line).map_err(unreadable)?;
            verdicts.push(match serde_json::from_str(&line).map_err(|error| unreadable(error.into()))? {
                KeptVerdict::Good => Verdict::Applied(vec![]),
                KeptVerdict::Unchanged(problems) => Verdict::Unchanged(problems),
                KeptVerdict::Rejected(problems) => Verdict::Rejected(problems),
            });
        }
        Ok(verdicts)
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::file(std::path::Path::new("what was decided of a file"))(error)
}

/// A hash of the key of a row; of one whose key is not all there, of all its cells.
fn key_of(staged: &StagedFile, row: &StagedRow) -> u64 {
    let key = record(staged, row).ok().and_then(|(record, _)| {
        let (key, _) = staged.profile.cells(&record).key_and_content()?;
        Some(key)
    });
    hash(key.as_deref().unwrap_or(&row.cells))
}

//! A staged file's rows, applied by the chunk: each chunk is one transaction with its answers.

use sqlx::{Connection, PgConnection};

use super::{agreements, entitlements, events, intake::StagedFile, keys, people};
use crate::{
    domain::{
        cell::Cells,
        reason::{Problem, Reason},
    },
    files::{profile::Kind, reader::Record},
    jobs::{Context, Error, Result, engine::fault},
    store::{
        file::{self, CELL_END, RowAnswer, StagedRow, Tally},
        run,
    },
};

/// Applies a file that is not of requests.
pub async fn file(cx: &Context, conn: &mut PgConnection, staged: &StagedFile) -> Result<()> {
    loop {
        if cx.stop.is_asked() {
            return Err(Error::Stopped);
        }
        let mut tx = conn.begin().await?;
        run::change_facts(&mut tx).await?;
        let Some((chunk_no, first_row, until_row)) = file::next_chunk(&mut tx, staged.file_id).await? else {
            return Ok(());
        };
        let rows = file::rows(&mut tx, staged.file_id, first_row, until_row).await?;
        let verdicts = match staged.profile.kind {
            Kind::Rates => events::rates(&mut tx, staged, &rows).await?,
            Kind::Partners => people::partners(&mut tx, staged, &rows).await?,
            Kind::Users => people::users(&mut tx, staged, &rows).await?,
            Kind::Contacts => people::contacts(&mut tx, staged, &rows).await?,
            Kind::Entitlements => entitlements::apply(cx, &mut tx, staged, &rows).await?,
            Kind::Renewals => events::renewals(cx, &mut tx, staged, &rows).await?,
            Kind::CreditUsage => events::usage(&mut tx, staged, &rows).await?,
            Kind::Agreements => agreements::apply(cx, &mut tx, staged, &rows).await?,
            Kind::Keys => keys::apply(cx, &mut tx, staged, &rows).await?,
            Kind::Assignments | Kind::KeyRequests | Kind::Activations | Kind::ServiceRequests => vec![],
        };
        let (tally, unchanged, answers) = tally(&rows, verdicts);
        file::answer(&mut tx, staged.file_id, &answers).await?;
        file::finish_chunk(&mut tx, staged.file_id, chunk_no, tally, &unchanged).await?;
        fault::at("file.applied", super::NAME).await?;
        tx.commit().await?;
    }
}

/// What becomes of one row.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// In, with remarks or without.
    Applied(Vec<Problem>),
    /// In already, with remarks or without.
    Unchanged(Vec<Problem>),
    /// Not in, and why.
    Rejected(Vec<Problem>),
}

impl Verdict {
    /// Not in, for one reason with one cell.
    pub fn no(column: &str, value: &str, reason: Reason) -> Self {
        Self::Rejected(vec![Problem::at(column, value, reason)])
    }

    /// What is to be kept of it, if anything.
    pub fn answer(self, row: &StagedRow) -> RowAnswer {
        let (status, problems) = match self {
            Self::Applied(problems) => ("applied", problems),
            Self::Unchanged(problems) => ("unchanged", problems),
            Self::Rejected(problems) => ("rejected", problems),
        };
        RowAnswer { row_no: row.row_no, line: row.line, status, problems }
    }
}

impl From<crate::store::people::Put> for Verdict {
    fn from(put: crate::store::people::Put) -> Self {
        match put {
            crate::store::people::Put::Applied => Self::Applied(vec![]),
            crate::store::people::Put::Unchanged => Self::Unchanged(vec![]),
        }
    }
}

/// Counts verdicts; of the rows only those are kept singly that there is more to say of.
fn tally(rows: &[StagedRow], verdicts: Vec<Verdict>) -> (Tally, Vec<i32>, Vec<RowAnswer>) {
    let (mut tally, mut unchanged, mut answers) = (Tally::default(), Vec::new(), Vec::new());
    for (row, verdict) in rows.iter().zip(verdicts) {
        match &verdict {
            Verdict::Applied(_) => tally.applied += 1,
            Verdict::Unchanged(_) => tally.unchanged += 1,
            Verdict::Rejected(_) => tally.rejected += 1,
        }
        match verdict {
            Verdict::Applied(remarks) if remarks.is_empty() => {}
            Verdict::Unchanged(remarks) if remarks.is_empty() => unchanged.push(row.row_no),
            verdict => answers.push(verdict.answer(row)),
        }
    }
    (tally, unchanged, answers)
}

/// The cells of a staged row, as they were written.
pub fn record(row: &StagedRow) -> Record {
    Record::of(u64::try_from(row.line).unwrap_or(0), row.cells.split(CELL_END))
}

/// Reads a staged row as what its file's kind says, or tells everything that is wrong with it.
pub fn parse<T>(
    staged: &StagedFile,
    row: &StagedRow,
    parse: impl FnOnce(&Cells<'_>) -> std::result::Result<T, Vec<Problem>>,
) -> std::result::Result<T, Vec<Problem>> {
    let record = record(row);
    let (expected, found) = (staged.header.len(), record.len());
    if expected != found {
        return Err(vec![Problem::of_row(Reason::WrongFieldCount { expected, found })]);
    }
    parse(&staged.profile.cells(&record))
}

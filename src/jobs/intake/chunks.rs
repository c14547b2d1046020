//! A staged file's rows, applied by the chunk: each chunk is one transaction with its answers.

use sqlx::{Connection, PgConnection};

use super::{
    halves::Halves,
    kinds, refusals,
    staged::{NAME, StagedFile, Verdict, note},
};
use crate::{
    files::row_note::RowNote,
    jobs::engine::{Context, Error, Result, fault, refused_values},
    store::{
        file::{self, RowAnswer, StagedRow, Tally},
        file_chunk::{self, FileChunk},
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
        let Some(FileChunk { chunk_no, span }) = file_chunk::next_chunk(&mut tx, staged.file_id).await?
        else {
            return Ok(());
        };
        let rows = file_chunk::rows(&mut tx, staged.file_id, span).await?;
        let verdicts = apply(cx, &mut tx, staged, &rows).await?;
        refusals::record(&mut tx, staged, &rows, &verdicts).await?;
        let (tally, unchanged, answers) = tally(&rows, verdicts);
        file::answer(&mut tx, staged.file_id, &answers).await?;
        file_chunk::finish_chunk(&mut tx, staged.file_id, chunk_no, tally, &unchanged).await?;
        fault::at("file.applied", NAME).await?;
        tx.commit().await?;
    }
}

/// Decides and writes rows; examples, and some of a portal's, are decided already, and of others there is more to say.
pub(super) async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let notes: Vec<Option<RowNote>> = rows.iter().map(|row| note(staged, row)).collect();
    if notes.iter().all(Option::is_none) {
        return decide(cx, conn, staged, rows).await;
    }
    let is_open =
        |note: &Option<RowNote>| !matches!(note, Some(RowNote::PassedOver(_) | RowNote::Refused(_)));
    let open = rows.iter().zip(&notes).filter(|(_, note)| is_open(note)).map(|(row, _)| row.clone());
    let mut decided = decide(cx, conn, staged, &open.collect::<Vec<_>>()).await?.into_iter();
    let verdicts = notes.into_iter().filter_map(|note| match note {
        Some(RowNote::PassedOver(problems)) => Some(Verdict::Unchanged(problems)),
        Some(RowNote::Refused(problems)) => Some(Verdict::Rejected(problems)),
        Some(RowNote::Remarks(remarks)) => decided.next().map(|verdict| match verdict {
            Verdict::Rejected(_) => verdict,
            verdict => verdict.with(remarks),
        }),
        None => decided.next(),
    });
    Ok(verdicts.collect())
}

/// Decides and writes rows; one that the store refuses costs that row (promise 5).
async fn decide(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    let mut halves = Halves::of(rows.len());
    while let Some(part) = halves.next() {
        let mut savepoint = conn.begin().await?;
        match kinds::apply(cx, &mut savepoint, staged, &rows[part.clone()]).await {
            Ok(decided) => {
                savepoint.commit().await?;
                verdicts.extend(decided);
            }
            Err(error) => {
                let said = refused_values(error)?;
                savepoint.rollback().await?;
                verdicts.extend(halves.refused(part).map(|_| Verdict::refused_by_store(&said)));
            }
        }
    }
    Ok(verdicts)
}

/// Counts verdicts; of the rows only those are kept singly that there is more to say of.
pub(super) fn tally(rows: &[StagedRow], verdicts: Vec<Verdict>) -> (Tally, Vec<i32>, Vec<RowAnswer>) {
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

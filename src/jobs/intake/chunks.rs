//! A staged file's rows, applied by the chunk: each chunk is one transaction with its answers. Those of a big file of
//! entitlements are applied in lanes beside each other, those of one partner in one lane.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use sqlx::{Connection, PgConnection, PgPool};

use super::{
    halves::Halves,
    kinds, refusals,
    staged::{NAME, StagedFile, Verdict, note},
};
use crate::{
    files::{answer::RowStatus, row_note::RowNote},
    jobs::engine::{Context, Error, Result, fault, refused_values},
    store::{
        file::{self, RowAnswer, StagedRow, Tally},
        file_chunk::{self, FileChunk, NumberedRows},
        run::{self, FACT_LANES},
    },
};

/// Applies a file that is not of requests: first the chunks that lanes can do, then what is left by itself.
pub async fn file(cx: &Context, conn: &mut PgConnection, staged: &StagedFile) -> Result<()> {
    let most = i32::try_from(cx.work(NAME).lanes).unwrap_or(FACT_LANES).min(FACT_LANES);
    if let Some(pool) = cx.lanes.as_ref().filter(|_| most > 1)
        && file_chunk::has_lanes(conn, staged.file_id).await?
    {
        let failed = AtomicBool::new(false);
        let lanes = (0..most).map(|nth| {
            let of: Vec<i32> = (0..FACT_LANES).filter(|lane| lane % most == nth).collect();
            lane(cx, pool, staged, of, &failed)
        });
        join_all(lanes).await.into_iter().collect::<Result<()>>()?;
    }
    while chunk(cx, conn, staged, None).await? {}
    Ok(())
}

/// Applies chunks whose partners are in these lanes, until there is none or another lane failed.
async fn lane(
    cx: &Context,
    pool: &PgPool,
    staged: &StagedFile,
    lanes: Vec<i32>,
    failed: &AtomicBool,
) -> Result<()> {
    let applied = async {
        let mut conn = pool.acquire().await?;
        while !failed.load(Ordering::Relaxed) && chunk(cx, &mut conn, staged, Some(&lanes)).await? {}
        Ok(())
    };
    let applied = applied.await;
    failed.fetch_or(applied.is_err(), Ordering::Relaxed);
    applied
}

/// Applies a chunk, of these lanes or of any; says whether there was one.
async fn chunk(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    lanes: Option<&[i32]>,
) -> Result<bool> {
    if cx.stop.is_asked() {
        return Err(Error::Stopped);
    }
    let mut tx = conn.begin().await?;
    let next = if let Some(lanes) = lanes {
        run::change_facts_in(&mut tx, lanes).await?;
        file_chunk::next_chunk_in(&mut tx, staged.file_id, lanes).await?
    } else {
        run::change_facts(&mut tx).await?;
        file_chunk::next_chunk(&mut tx, staged.file_id).await?
    };
    let Some(FileChunk { chunk_no, span }) = next else { return Ok(false) };
    let rows = file_chunk::rows(&mut tx, staged.file_id, span).await?;
    let verdicts = apply(cx, &mut tx, staged, &rows).await?;
    refusals::record(&mut tx, staged, &rows, &verdicts).await?;
    let (tally, numbered, answers) = tally(&rows, verdicts);
    file::answer(&mut tx, staged.file_id, &answers).await?;
    file_chunk::finish_chunk(&mut tx, staged.file_id, chunk_no, tally, &numbered).await?;
    fault::at("file.applied", NAME).await?;
    tx.commit().await?;
    Ok(true)
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
pub(super) fn tally(rows: &[StagedRow], verdicts: Vec<Verdict>) -> (Tally, NumberedRows, Vec<RowAnswer>) {
    let (mut tally, mut numbered, mut answers) = (Tally::default(), NumberedRows::default(), Vec::new());
    for (row, verdict) in rows.iter().zip(verdicts) {
        match verdict.status() {
            RowStatus::Applied => tally.applied += 1,
            RowStatus::Changed => {
                tally.applied += 1;
                tally.changed += 1;
                numbered.changed.push(row.row_no);
            }
            RowStatus::Waiting => tally.waiting += 1,
            RowStatus::Unchanged => tally.unchanged += 1,
            RowStatus::Rejected => tally.rejected += 1,
        }
        match verdict {
            Verdict::Applied(remarks) | Verdict::Changed(remarks) if remarks.is_empty() => {}
            Verdict::Unchanged(remarks) if remarks.is_empty() => numbered.unchanged.push(row.row_no),
            verdict => answers.push(verdict.answer(row)),
        }
    }
    (tally, numbered, answers)
}

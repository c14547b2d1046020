//! Requests, over all waiting files by date, then arrival, then line (D1): what every kind of them has in common.

use std::collections::{HashMap, VecDeque};

use chrono::NaiveDate;
use sqlx::{Connection, PgConnection};
use tracing::warn;

use super::{
    halves::Halves,
    staged::{NAME, StagedFile, Verdict, note, parse},
    tries,
};
use crate::{
    domain::{
        book::Book,
        id::{FileNo, RequestNo},
        kinds::{Kind, activations, assignments, key_requests, service_requests},
        reason::Problem,
        request::{self, Arrival, Asked, Outcome, Ruled},
    },
    files::row_note::RowNote,
    jobs::engine::{Context, Result, fault, refused_values},
    store::{
        book::{self, RuledRequest},
        file::{self, StagedRow},
        file_chunk, intake, run,
    },
};

/// Rows of one file that are applied together while it must be told which file ends its process.
const FEW: usize = 20;

/// Applies the rows of request files, a bounded number at a time. Says which files were given up.
///
/// A part that fails for a reason of one file is applied file by file, and the file that fails then is noted in `failed`.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    files: &[&StagedFile],
    failed: &mut HashMap<FileNo, String>,
) -> Result<Vec<FileNo>> {
    let mut ids: Vec<FileNo> = files.iter().map(|file| file.file_id).collect();
    let mut given_up = Vec::new();
    // Rows of several files go in together, and a crash tells nothing of which it was; after one, and where there is
    // but one try, they go in file by file.
    let apart = tries::limit(cx) == 1 || files.iter().any(|file| file.attempts > 0);
    let mut after = (NaiveDate::default(), FileNo::default(), 0); // 1970: no request is older than its store
    loop {
        let rows = file::request_rows(conn, &ids, after, cx.chunk_rows(NAME)).await?;
        let Some(last) = rows.last() else { break };
        after = (last.order_on.unwrap_or_default(), last.file_id, last.row_no);
        let mut open: VecDeque<&[StagedRow]> = parts(&rows, apart).into();
        while let Some(part) = open.pop_front() {
            let mut of: Vec<FileNo> = part.iter().map(|row| row.file_id).collect();
            of.sort_unstable();
            of.dedup();
            of.retain(|file_id| ids.contains(file_id));
            let begun = tries::begin(cx, conn, &of).await?;
            let ended: Vec<FileNo> = begun.given_up.into_keys().collect();
            of.retain(|file_id| !ended.contains(file_id));
            ids.retain(|file_id| !ended.contains(file_id));
            given_up.extend(ended);
            if of.is_empty() {
                tries::end(conn, &begun.tries).await;
                continue;
            }
            let applied = together(cx, conn, files, part, &of).await;
            tries::end(conn, &begun.tries).await;
            match applied {
                Err(error) if error.is_of_one_file() => {
                    if let [file_id] = of.as_slice() {
                        warn!(%error, "a file of requests failed; the others go on");
                        failed.insert(*file_id, error.to_string());
                        ids.retain(|id| id != file_id);
                    } else {
                        let apart = part.chunk_by(|a, b| a.file_id == b.file_id).rev();
                        apart.for_each(|of_one| open.push_front(of_one));
                    }
                }
                applied => drop(applied?),
            }
        }
    }
    for file_id in ids {
        let mut tx = conn.begin().await?;
        file_chunk::finish_requests(&mut tx, file_id).await?;
        tx.commit().await?;
    }
    Ok(given_up)
}

/// What is applied together: all, or a few rows of one file.
fn parts(rows: &[StagedRow], apart: bool) -> Vec<&[StagedRow]> {
    if !apart {
        return vec![rows];
    }
    rows.chunk_by(|a, b| a.file_id == b.file_id).flat_map(|of_one| of_one.chunks(FEW)).collect()
}

/// Applies those of the rows that are of these files, in one transaction. Says what became of each, by file and row.
pub(super) async fn together(
    cx: &Context,
    conn: &mut PgConnection,
    files: &[&StagedFile],
    rows: &[StagedRow],
    of: &[FileNo],
) -> Result<HashMap<(FileNo, i32), Verdict>> {
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let answered = file::answered(&mut tx, of, rows).await?; // before a crash
    let mut asked: Vec<(&StagedFile, &StagedRow, Asked)> = Vec::with_capacity(rows.len());
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows.iter().filter(|row| of.contains(&row.file_id)) {
        let Some(staged) = files.iter().find(|file| file.file_id == row.file_id) else { continue };
        if answered.contains(&(row.file_id, row.row_no)) {
            continue;
        }
        if let Some(RowNote::PassedOver(problems)) = note(staged, row) {
            verdicts.push((row, Verdict::Unchanged(problems)));
            continue;
        }
        match understood(staged, row) {
            Ok(one) => asked.push((staged, row, one)),
            Err(problems) => verdicts.push((row, Verdict::Rejected(problems))),
        }
    }
    let mut halves = Halves::of(asked.len());
    while let Some(part) = halves.next() {
        let mut savepoint = tx.begin().await?;
        match decide(cx, &mut savepoint, &asked[part.clone()]).await {
            Ok(decided) => {
                savepoint.commit().await?;
                verdicts.extend(decided);
            }
            Err(error) => {
                let said = refused_values(error)?;
                savepoint.rollback().await?;
                let refused = |row: usize| (asked[row].1, Verdict::refused_by_store(&said));
                verdicts.extend(halves.refused(part).map(refused));
            }
        }
    }
    for file_id in of {
        let answers: Vec<_> = verdicts
            .iter()
            .filter(|(row, _)| row.file_id == *file_id)
            .map(|(row, verdict)| verdict.clone().answer(row))
            .collect();
        file::answer(&mut tx, *file_id, &answers).await?;
    }
    fault::at("file.applied", NAME).await?;
    tx.commit().await?;
    Ok(verdicts.into_iter().map(|(row, verdict)| ((row.file_id, row.row_no), verdict)).collect())
}

/// A row as what its file's kind says.
pub(super) fn understood(staged: &StagedFile, row: &StagedRow) -> std::result::Result<Asked, Vec<Problem>> {
    match staged.profile.kind {
        Kind::Assignments => parse(staged, row, assignments::parse).map(Asked::Assignment),
        Kind::KeyRequests => parse(staged, row, key_requests::parse).map(Asked::Key),
        Kind::Activations => parse(staged, row, activations::parse).map(Asked::Activation),
        Kind::ServiceRequests => parse(staged, row, service_requests::parse).map(Asked::Service),
        // No requests, of which no row comes here.
        Kind::Rates
        | Kind::Partners
        | Kind::Users
        | Kind::Contacts
        | Kind::Agreements
        | Kind::Entitlements
        | Kind::Keys
        | Kind::Renewals
        | Kind::CreditUsage => Err(vec![]),
    }
}

/// The book that these requests are ruled on.
pub(super) async fn open(cx: &Context, conn: &mut PgConnection, asked: &[&Asked]) -> Result<Book> {
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    Ok(book::open(conn, &cx.catalogue, asked, grace_days).await?)
}

/// A request, how it came, and where it stands in its file.
pub(super) struct Arrived<'a> {
    pub(super) asked: &'a Asked,
    pub(super) arrival: Arrival<'a>,
    pub(super) file_id: FileNo,
    pub(super) line: i32,
}

/// Decides requests of files in their order.
async fn decide<'a>(
    cx: &Context,
    conn: &mut PgConnection,
    asked: &'a [(&StagedFile, &'a StagedRow, Asked)],
) -> Result<Vec<(&'a StagedRow, Verdict)>> {
    let of: Vec<&Asked> = asked.iter().map(|(_, _, one)| one).collect();
    let mut book = open(cx, conn, &of).await?;
    let numbers = intake::new_requests(conn, i32::try_from(asked.len()).unwrap_or(i32::MAX)).await?;
    let arrived = asked.iter().map(|(staged, row, asked)| Arrived {
        asked,
        arrival: Arrival {
            received_on: staged.received_on,
            accept_backdated: staged.accept_backdated,
            by_operator: staged.by_operator,
            partner: staged.partner_id.map(|id| (id, &staged.partner_number)),
        },
        file_id: row.file_id,
        line: row.line,
    });
    let arrived: Vec<Arrived<'_>> = arrived.collect();
    let ruled = rule(cx, &mut book, &arrived, &numbers);
    write(conn, &book, &arrived, &ruled).await?;
    Ok(asked.iter().zip(ruled).map(|((_, row, _), ruled)| (*row, verdict(ruled.outcome))).collect())
}

/// Rules on requests in their order, each after what the one before it did; `numbers` are theirs, unless they are on record.
pub(super) fn rule(
    cx: &Context,
    book: &mut Book,
    arrived: &[Arrived<'_>],
    numbers: &[RequestNo],
) -> Vec<Ruled> {
    let terms = cx.policies.import_entitlements.policy.requests();
    let mut ruled = Vec::with_capacity(arrived.len());
    for (one, number) in arrived.iter().zip(numbers) {
        let ruling = request::rule(book, one.asked, &one.arrival, &terms, &cx.catalogue, *number);
        request::enter(book, one.asked, &ruling);
        ruled.push(ruling);
    }
    ruled
}

/// Writes what was ruled on requests, and what came of them.
pub(super) async fn write(
    conn: &mut PgConnection,
    book: &Book,
    arrived: &[Arrived<'_>],
    ruled: &[Ruled],
) -> Result<()> {
    let entries = arrived.iter().zip(ruled).map(|(one, ruled)| RuledRequest {
        asked: one.asked,
        ruled,
        file_id: one.file_id,
        line: one.line,
        received_on: one.arrival.received_on,
    });
    Ok(book::write(conn, book, &entries.collect::<Vec<_>>()).await?)
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Refused(problems) | Outcome::Conflicts(problems) => Verdict::Rejected(problems),
        Outcome::RefusedBefore(problem) => Verdict::Rejected(vec![problem]),
        Outcome::Unchanged(remarks) => Verdict::Unchanged(remarks),
        Outcome::Waits(remark) | Outcome::Pending(remark) => Verdict::Applied(vec![remark]),
        Outcome::Accepted { remarks, .. } => Verdict::Applied(remarks),
    }
}

//! Requests: what every kind of them has in common.

use std::collections::HashMap;

use sqlx::{Connection, PgConnection};

use super::{
    halves::Halves,
    staged::{NAME, StagedFile, Verdict, note, parse},
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
        intake, run,
    },
};

/// A staged row, and the number that its request has in the store unless it is on record already.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestRow<'a> {
    pub(super) row: &'a StagedRow,
    pub(super) request_no: RequestNo,
}

/// Gives rows their numbers, in their order.
pub(super) async fn numbered<'a>(
    conn: &mut PgConnection,
    rows: &'a [StagedRow],
) -> Result<Vec<RequestRow<'a>>> {
    let numbers = intake::new_requests(conn, i32::try_from(rows.len()).unwrap_or(i32::MAX)).await?;
    Ok(rows.iter().zip(numbers).map(|(row, request_no)| RequestRow { row, request_no }).collect())
}

/// Applies those of the rows that are of these files, in one transaction, while nobody else changes facts. Says what became of
/// each, by file and row.
pub(super) async fn together(
    cx: &Context,
    conn: &mut PgConnection,
    files: &[&StagedFile],
    rows: &[RequestRow<'_>],
    of: &[FileNo],
) -> Result<HashMap<(FileNo, i32), Verdict>> {
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let verdicts = apply(cx, &mut tx, files, rows, of).await?;
    fault::at("file.applied", NAME).await?;
    tx.commit().await?;
    Ok(verdicts.into_iter().map(|(row, verdict)| ((row.file_id, row.row_no), verdict)).collect())
}

/// Decides, writes and answers those of the rows that are of these files and not answered yet.
pub(super) async fn apply<'a>(
    cx: &Context,
    conn: &mut PgConnection,
    files: &[&StagedFile],
    rows: &[RequestRow<'a>],
    of: &[FileNo],
) -> Result<Vec<(&'a StagedRow, Verdict)>> {
    let row_nos = rows.iter().map(|one| one.row.row_no).collect();
    let answered = file::answered(conn, of, row_nos).await?; // before a crash
    let mut asked: Vec<(&StagedFile, RequestRow<'_>, Asked)> = Vec::with_capacity(rows.len());
    let mut verdicts = Vec::with_capacity(rows.len());
    for one in rows.iter().filter(|one| of.contains(&one.row.file_id)) {
        let row = one.row;
        let Some(staged) = files.iter().find(|file| file.file_id == row.file_id) else { continue };
        if answered.contains(&(row.file_id, row.row_no)) {
            continue;
        }
        if let Some(RowNote::PassedOver(problems)) = note(staged, row) {
            verdicts.push((row, Verdict::Unchanged(problems)));
            continue;
        }
        match understood(staged, row) {
            Ok(request) => asked.push((staged, *one, request)),
            Err(problems) => verdicts.push((row, Verdict::Rejected(problems))),
        }
    }
    let mut halves = Halves::of(asked.len());
    while let Some(part) = halves.next() {
        let mut savepoint = conn.begin().await?;
        match decide(cx, &mut savepoint, &asked[part.clone()]).await {
            Ok(decided) => {
                savepoint.commit().await?;
                verdicts.extend(decided);
            }
            Err(error) => {
                let said = refused_values(error)?;
                savepoint.rollback().await?;
                let refused = |row: usize| (asked[row].1.row, Verdict::refused_by_store(&said));
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
        file::answer(conn, *file_id, &answers).await?;
    }
    Ok(verdicts)
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
    asked: &[(&StagedFile, RequestRow<'a>, Asked)],
) -> Result<Vec<(&'a StagedRow, Verdict)>> {
    let of: Vec<&Asked> = asked.iter().map(|(_, _, one)| one).collect();
    let mut book = open(cx, conn, &of).await?;
    let numbers: Vec<RequestNo> = asked.iter().map(|(_, one, _)| one.request_no).collect();
    let arrived = asked.iter().map(|(staged, RequestRow { row, .. }, asked)| Arrived {
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
    Ok(asked.iter().zip(ruled).map(|((_, one, _), ruled)| (one.row, verdict(ruled.outcome))).collect())
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

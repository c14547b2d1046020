//! What was said of a file's rows, as it is read again for the answer.

use std::ops::Range;

use sqlx::PgConnection;

use super::dropped::Taken;
use crate::{
    domain::reason::{Problem, Reason},
    files::answer::RowStatus,
    jobs::engine::Result,
    store::file,
};

/// Counts a row that nothing is done with, or that is booked with others.
pub fn count(taken: &mut Taken, problems: &[Problem]) {
    let has = |is: fn(&Reason) -> bool| u64::from(problems.iter().any(|problem| is(&problem.reason)));
    taken.passed_over += has(|reason| matches!(reason, Reason::ExampleRow | Reason::NothingUsed));
    taken.summed += has(|reason| matches!(reason, Reason::Summed { .. }));
}

/// What is said of some rows of a span; `unchanged`: those of the span that changed nothing.
pub async fn said(
    conn: &mut PgConnection,
    file_id: i64,
    rows: Range<i32>,
    unchanged: &[i32],
) -> Result<Vec<(RowStatus, Vec<Problem>)>> {
    let mut said = file::answers(conn, file_id, rows.start, rows.end).await?.into_iter().peekable();
    let of = |row_no: i32| match said.next_if(|(no, ..)| *no == row_no) {
        Some((_, status, problems)) => (RowStatus::parse(&status).unwrap_or(RowStatus::Rejected), problems),
        None if unchanged.binary_search(&row_no).is_ok() => (RowStatus::Unchanged, vec![]),
        None => (RowStatus::Applied, vec![]),
    };
    Ok(rows.map(of).collect())
}

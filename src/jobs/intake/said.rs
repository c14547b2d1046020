//! What was said of a file's rows, as it is read again for the answer.

use sqlx::PgConnection;

use super::{dropped::Taken, staged::chunk_rows};
use crate::{
    domain::{
        id::FileNo,
        reason::{Problem, Reason},
    },
    files::answer::RowStatus,
    jobs::engine::{Context, Result},
    store::{file, file_chunk},
};

/// Counts a row that nothing is done with, or that is booked with others.
pub fn count(taken: &mut Taken, problems: &[Problem]) {
    let has = |is: fn(&Reason) -> bool| u64::from(problems.iter().any(|problem| is(&problem.reason)));
    taken.passed_over += has(|reason| matches!(reason, Reason::ExampleRow | Reason::NothingUsed));
    taken.summed += has(|reason| matches!(reason, Reason::Summed { .. }));
}

/// What is said of a file's rows, read a part at a time.
pub struct SaidOfRows {
    file_id: FileNo,
    row_count: i32,
    /// Rows of a part.
    part: i32,
    /// The next row.
    next: i32,
    /// Rows that changed nothing.
    unchanged: Vec<i32>,
    /// Rows that changed what was known.
    changed: Vec<i32>,
}

impl SaidOfRows {
    /// Of a file of so many rows.
    pub async fn of(cx: &Context, conn: &mut PgConnection, file_id: FileNo, row_count: i32) -> Result<Self> {
        let unchanged = file_chunk::unchanged_rows(conn, file_id).await?;
        let changed = file_chunk::changed_rows(conn, file_id).await?;
        Ok(Self { file_id, row_count, part: chunk_rows(cx), next: 1, unchanged, changed })
    }

    /// What is said of the next rows, with their numbers; nothing after the last.
    pub async fn next(&mut self, conn: &mut PgConnection) -> Result<Vec<(i32, RowStatus, Vec<Problem>)>> {
        let until = self.next.saturating_add(self.part).min(self.row_count.saturating_add(1));
        let rows = self.next..until;
        self.next = until;
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let mut said = file::answers(conn, self.file_id, rows.start, rows.end).await?.into_iter().peekable();
        let applied = |row_no: &i32| match self.changed.binary_search(row_no) {
            Ok(_) => RowStatus::Changed,
            Err(_) => RowStatus::Applied,
        };
        let of = |row_no: i32| match said.next_if(|(no, ..)| *no == row_no) {
            Some((_, status, problems)) => {
                let status = RowStatus::parse(&status).unwrap_or(RowStatus::Rejected);
                (row_no, if status == RowStatus::Applied { applied(&row_no) } else { status }, problems)
            }
            None if self.unchanged.binary_search(&row_no).is_ok() => (row_no, RowStatus::Unchanged, vec![]),
            None => (row_no, applied(&row_no), vec![]),
        };
        Ok(rows.map(of).collect())
    }
}

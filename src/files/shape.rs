//! The shape of a file's rows: as many cells as the header has, with or without the empty ones with which spreadsheets pad.

use super::reader::Record;
use crate::domain::reason::{Problem, Reason};

/// The columns that an answer adds; ignored when the answer is dropped again.
pub const ANSWER_COLUMNS: [&str; 5] = ["row_status", "reason_code", "reason", "line", "column"];

/// How many columns a header has, and which of them have no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowShape {
    columns: usize,
    /// Columns up to the last that has a name.
    named: usize,
    unnamed: Vec<usize>,
}

impl RowShape {
    /// The shape of a header's rows.
    #[must_use]
    pub fn of(header: &Record) -> Self {
        let has_name =
            |name: &str| !name.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}').is_empty();
        let named = header.iter().enumerate().filter(|(_, name)| has_name(name)).last();
        let unnamed = header.iter().enumerate().filter(|(_, name)| !has_name(name)).map(|(at, _)| at);
        Self { columns: header.len(), named: named.map_or(0, |(at, _)| at + 1), unnamed: unnamed.collect() }
    }

    /// What is wrong with the shape of a row: it has neither as many cells as the header, nor as many as the header up to its
    /// last name; or text where a column has no name. A row with more cells is never taken, though they be empty: with a
    /// delimiter too many in it, all its cells stand under other columns.
    #[must_use]
    pub fn problem(&self, record: &Record) -> Option<Problem> {
        let (expected, found) = (self.columns, record.len());
        if found != expected && found != self.named {
            return Some(Problem::of_row(Reason::WrongFieldCount { expected, found }));
        }
        let is_blank = |at: usize| record.get(at).is_none_or(|cell| cell.trim().is_empty());
        let filled = self.unnamed.iter().copied().find(|at| !is_blank(*at))?;
        Some(Problem::of_row(Reason::TextWithoutColumn { cell: filled + 1 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f15_padding_costs_nothing_and_text_outside_the_columns_its_row() {
        let record = |cells: &str| Record::of(1, cells.split(','));
        let problem = |header: &str, row: &str| {
            RowShape::of(&record(header)).problem(&record(row)).map(|problem| problem.reason)
        };
        let count = |expected, found| Some(Reason::WrongFieldCount { expected, found });
        for (header, row, expected) in [
            ("a,b", "1,2", None),
            ("a,b, ,", "1,2", None),
            ("a,b,,", "1,2,, ", None),
            ("a,b", "1,2,", count(2, 3)),
            ("a,b,,", "1,2,", count(4, 3)),
            ("a,,b", "1,,2", None),
            ("a,b", "1", count(2, 1)),
            ("a,b", "1,2,3", count(2, 3)),
            ("a,,b", "1,2", count(3, 2)),
            ("a,b,,", "1", count(4, 1)),
            ("a,b,,", "1,2,,x", Some(Reason::TextWithoutColumn { cell: 4 })),
            (",a,b", "0,1,2", Some(Reason::TextWithoutColumn { cell: 1 })),
        ] {
            assert_eq!(problem(header, row), expected, "{header} {row}");
        }
    }
}

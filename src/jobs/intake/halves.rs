//! Finds the rows that the store refuses (promise 5). Rows are applied together. If the store refuses their values,
//! each half is applied under a savepoint, first half first, and so on down to the single row. So only a failure costs
//! more, and a later row still sees what earlier rows did.

use std::ops::Range;

/// The parts of some rows that are still to be applied, in order.
#[derive(Debug)]
pub struct Halves {
    open: Vec<Range<usize>>,
}

impl Halves {
    /// All of so many rows, together.
    pub fn of(rows: usize) -> Self {
        Self { open: std::iter::once(0..rows).filter(|rows| !rows.is_empty()).collect() }
    }

    /// The rows to apply next.
    pub fn next(&mut self) -> Option<Range<usize>> {
        self.open.pop()
    }

    /// What these rows hold was refused: their halves are next. The row, if it is but one.
    pub fn refused(&mut self, rows: Range<usize>) -> Option<usize> {
        if rows.len() <= 1 {
            return Some(rows.start);
        }
        let middle = rows.start + rows.len() / 2;
        self.open.push(middle..rows.end);
        self.open.push(rows.start..middle);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_applied_in_order_but_those_that_are_refused_alone() {
        for rows in 0..40_usize {
            for bad in [vec![], vec![0], vec![rows / 2, rows / 3], (0..rows).collect::<Vec<_>>()] {
                let (mut halves, mut applied, mut refused, mut tries) = (Halves::of(rows), vec![], vec![], 0);
                while let Some(part) = halves.next() {
                    tries += 1;
                    if bad.iter().any(|row| part.contains(row)) {
                        refused.extend(halves.refused(part));
                    } else {
                        applied.extend(part);
                    }
                }
                let of =
                    |is_bad: bool| (0..rows).filter(|row| bad.contains(row) == is_bad).collect::<Vec<_>>();
                assert_eq!((applied, refused), (of(false), of(true)));
                assert!(tries <= 1 || tries < 2 * rows, "{tries} tries of {rows} rows");
            }
        }
    }
}

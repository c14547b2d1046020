//! A part of a job's work, and what it came to.

use chrono::NaiveDate;

/// A place in the order of (date, id) that a job's work is cut along.
pub type SpanKey = (NaiveDate, i64);

/// A half-open span of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First key.
    pub from: SpanKey,
    /// The key after the last.
    pub until: SpanKey,
}

/// What a chunk, or a run, came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Effects booked.
    pub done: i64,
    /// Refused, with reasons on record.
    pub refused: i64,
    /// Could not be decided; stays due.
    pub failed: i64,
}

impl Counts {
    /// So many effects.
    #[must_use]
    pub fn done(effects: usize) -> Self {
        Self { done: i64::try_from(effects).unwrap_or(i64::MAX), ..Self::default() }
    }
}

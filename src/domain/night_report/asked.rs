//! What is asked when it is asked what a night came to.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::timetable::Timetable;

/// Which nights are told of.
#[derive(Clone, Copy, Debug)]
pub struct Within {
    /// The business date of the first.
    pub from: NaiveDate,
    /// That of the last.
    pub until: NaiveDate,
    /// When the report before was made: what came to an end since then and is dated earlier was not told.
    pub after: Option<DateTime<Utc>>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct NightAsked<'a> {
    /// Which nights.
    pub within: Within,
    /// The job that asks, which is not told of.
    pub except: &'a str,
    /// The business clock's time.
    pub now: DateTime<Utc>,
    /// The jobs' timetables, in the order of a night.
    pub timetables: &'a [(&'static str, &'a Timetable)],
    /// Where files are dropped.
    pub inbox: &'a Path,
    /// The host and data directory that this is.
    pub place: &'a str,
}

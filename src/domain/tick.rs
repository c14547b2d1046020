//! Ticks: a job's due time for a business date, and what becomes of those that were missed.
//!
//! They follow from the timetables and from the ticks on record, and from nothing else. So every process gets the same
//! result, whether it ran all the time or starts after a month.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::timetable::{CatchUp, Timetable};

/// What is done about a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TickVerdict {
    /// The job runs for that date.
    Due,
    /// It does not: a later tick stands for this one, or its deadline has passed.
    Skipped,
    /// It does not: more were missed than are made up for.
    Dropped,
    /// Its time has not come.
    NotYet,
}

impl TickVerdict {
    /// The name on record; a tick whose time has not come is never on record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Skipped => "skipped",
            Self::Dropped => "dropped",
            Self::NotYet => "not_yet",
        }
    }

    /// The one of that name, if it can be on record.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Due, Self::Skipped, Self::Dropped].into_iter().find(|verdict| verdict.name() == name)
    }
}

/// A tick on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownTick {
    /// The job.
    pub job: String,
    /// Its business date.
    pub due_on: NaiveDate,
    /// What was to be done about it.
    pub verdict: TickVerdict,
    /// The job has run.
    pub answered: bool,
}

/// A tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The job.
    pub job: &'static str,
    /// Its business date.
    pub due_on: NaiveDate,
    /// Its due time.
    pub due_at: DateTime<Utc>,
    /// From when on it can run: not before the jobs in front of it in its night, nor before the nights before.
    pub ready_at: DateTime<Utc>,
    /// What is to be done about it.
    pub verdict: TickVerdict,
    /// It is on record.
    pub known: bool,
    /// The job has run; whoever asks for a night by hand has it looked at again, so then it counts as not.
    pub answered: bool,
}

impl Tick {
    /// Whether its job is to be run.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.verdict == TickVerdict::Due && !self.answered
    }
}

/// The ticks of some business dates: date by date, in the order of a night.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    ticks: Vec<Tick>,
}

impl Plan {
    /// The ticks of a business date, in the order of its night; none where no job takes part in it.
    #[must_use]
    pub fn of(&self, due_on: NaiveDate) -> &[Tick] {
        let from = self.ticks.partition_point(|tick| tick.due_on < due_on);
        let until = self.ticks.partition_point(|tick| tick.due_on <= due_on);
        self.ticks.get(from..until).unwrap_or_default()
    }

    /// Those that have a verdict and are not on record.
    pub fn fresh(&self) -> impl Iterator<Item = &Tick> {
        self.ticks.iter().filter(|tick| !tick.known && tick.verdict != TickVerdict::NotYet)
    }

    /// Whether something of a business date can be done now: a job run, or the night called complete.
    #[must_use]
    pub fn can_go_on(&self, due_on: NaiveDate) -> bool {
        let ticks = self.of(due_on);
        ticks.iter().any(Tick::is_open) || ticks.iter().all(|tick| tick.verdict != TickVerdict::NotYet)
    }
}

/// The ticks of the jobs, in the order of a night, for the business dates from `first` to `last`.
///
/// `now`: what is due by then; `None`, when somebody asks for the nights by hand: everything is.
///
/// What is on record as due stays due, however late it is answered, and what was dropped stays dropped; where the newest
/// tick stands for those before it, that is the newest of now.
#[must_use]
pub fn plan(
    jobs: &[(&'static str, &Timetable)],
    first: NaiveDate,
    last: NaiveDate,
    now: Option<DateTime<Utc>>,
    known: &[KnownTick],
) -> Plan {
    let known: BTreeMap<(NaiveDate, &str), &KnownTick> =
        known.iter().map(|known| ((known.due_on, known.job.as_str()), known)).collect();
    let mut ticks = Vec::new();
    let mut ready_at = DateTime::<Utc>::MIN_UTC;
    for due_on in first.iter_days().take_while(|day| *day <= last) {
        for (job, timetable) in jobs {
            let Some(due_at) = timetable.due_of(due_on) else { continue };
            ready_at = ready_at.max(due_at);
            let on_record = known.get(&(due_on, *job));
            ticks.push(Tick {
                job,
                due_on,
                due_at,
                ready_at,
                verdict: if now.is_some_and(|now| ready_at > now) {
                    TickVerdict::NotYet
                } else {
                    TickVerdict::Due
                },
                known: on_record.is_some(),
                answered: now.is_some() && on_record.is_some_and(|known| known.answered),
            });
        }
    }
    for (job, timetable) in jobs {
        let mut caught_up = 0_u32;
        let mut is_newest = true;
        for tick in ticks.iter_mut().rev().filter(|tick| tick.job == *job && tick.verdict == TickVerdict::Due)
        {
            let on_record = known.get(&(tick.due_on, *job)).map(|known| known.verdict);
            tick.verdict = match timetable.catch_up {
                _ if tick.answered => TickVerdict::Due,
                CatchUp::All => match on_record {
                    Some(verdict @ (TickVerdict::Due | TickVerdict::Dropped)) => verdict,
                    _ if caught_up < timetable.catch_up_cap => TickVerdict::Due,
                    _ => TickVerdict::Dropped,
                },
                CatchUp::Latest if is_newest => TickVerdict::Due,
                CatchUp::None
                    if is_newest && now.is_none_or(|now| now <= deadline(timetable, tick.ready_at)) =>
                {
                    TickVerdict::Due
                }
                CatchUp::Latest | CatchUp::None => TickVerdict::Skipped,
            };
            is_newest = false;
            if tick.verdict == TickVerdict::Due {
                caught_up = caught_up.saturating_add(1);
            }
        }
    }
    Plan { ticks }
}

/// By when a job must be done that could run from `ready_at` on.
#[must_use]
pub fn deadline(timetable: &Timetable, ready_at: DateTime<Utc>) -> DateTime<Utc> {
    let hours = TimeDelta::hours(i64::from(timetable.deadline_hours));
    ready_at.checked_add_signed(hours).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
#[path = "tick_tests.rs"]
mod tests;

//! When a job is due: a cron expression in a zone, checked so that it means what it seems to say, and what becomes of
//! the times that were missed.
//!
//! Business dates are UTC days (D1), and a night cannot run before its day is over. A job is due once a business date,
//! also when the clocks change. The expression is read in the zone's local time. An hour that comes twice counts the
//! first time; one that is skipped counts at the moment at which it would be over. The business date follows the zone's
//! standard time, so that a time of day belongs to the same business date all year.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, OffsetComponents, TZ_VARIANTS, Tz};
use cron::{Schedule, TimeUnitSpec};
use serde::{Deserialize, Serialize};

use super::calendar::{add_days, sub_days};

/// When a job is due, and what becomes of the times that were missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timetable {
    /// The times, in the zone's own time.
    pub cron: Cron,
    /// The zone; UTC unless the file names one.
    #[serde(default)]
    pub zone: Zone,
    /// Which missed times are made up for.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// How many missed times are made up for at most, 1 to 36,600; older ones are dropped, with a warning.
    #[serde(default = "Timetable::catch_up_cap")]
    pub catch_up_cap: u32,
    /// Hours after its due time by which the job must be done, 1 to 720; later it is overdue.
    #[serde(default = "Timetable::deadline_hours")]
    pub deadline_hours: u32,
}

/// Which of the times that passed without any process are made up for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Every one, each for its own business date.
    #[default]
    All,
    /// Only the newest, which stands for those before it.
    Latest,
    /// Only the newest, and only before its deadline.
    None,
}

impl CatchUp {
    /// As policy files write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Latest => "latest",
            Self::None => "none",
        }
    }
}

impl Timetable {
    const fn catch_up_cap() -> u32 {
        3_660
    }

    const fn deadline_hours() -> u32 {
        6
    }

    /// When the job is due for a business date; `None` where it takes no part in that night.
    #[must_use]
    pub fn due_of(&self, due_on: NaiveDate) -> Option<DateTime<Utc>> {
        let from = midnight(add_days(due_on, 1)).checked_add_signed(self.zone.standard())?;
        let until = from.checked_add_signed(TimeDelta::days(1))?;
        let local = self.cron.after(from.checked_sub_signed(TimeDelta::seconds(1))?).next()?;
        if local < until { Some(self.tick(local)?.1) } else { None }
    }

    /// Business dates and due times from an instant on, itself included, in order; they end with the year 2100.
    pub fn upcoming(&self, from: DateTime<Utc>) -> impl Iterator<Item = (NaiveDate, DateTime<Utc>)> {
        let early = self.zone.local_near(from, -NEAR_DAYS);
        let times = early.map(|early| self.cron.after(early)).into_iter().flatten();
        times.map_while(|local| self.tick(local)).skip_while(move |(_, due_at)| *due_at < from)
    }

    /// A business date for which the job would be due more than once, with the first two times of day.
    #[must_use]
    pub fn twice(&self) -> Option<(NaiveDate, NaiveTime, NaiveTime)> {
        if self.cron.times_a_day() == 1 {
            return None;
        }
        let first = NaiveDate::from_ymd_opt(2024, 1, 1)?;
        let last = add_days(first, TRIED_DAYS);
        let mut before: Option<(NaiveDate, NaiveDateTime)> = None;
        for local in self.cron.after(midnight(first)) {
            let due_on = self.zone.due_on(local)?;
            if let Some((_, one)) = before.filter(|(on, _)| *on == due_on) {
                return Some((due_on, one.time(), local.time()));
            }
            if due_on > last {
                break;
            }
            before = Some((due_on, local));
        }
        None
    }

    /// The business date and the due time of a local time on the timetable; due times never fall as local times rise.
    fn tick(&self, local: NaiveDateTime) -> Option<(NaiveDate, DateTime<Utc>)> {
        let due_on = self.zone.due_on(local)?;
        let over = midnight(add_days(due_on, 1)).and_utc();
        Some((due_on, self.zone.instant(local)?.max(over)))
    }
}

/// The most days by which a local time, read in the zone's standard time, differs from its instant.
const NEAR_DAYS: i64 = 2;
/// The number of days for which an expression is checked for two times on one business date.
const TRIED_DAYS: u32 = 400;

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

/// A zone of the IANA database, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Zone {
    /// Reads a name; the error is a sentence that says what to write instead.
    pub fn parse(name: &str) -> Result<Self, String> {
        name.parse().map(Self).map_err(|_| {
            let meant =
                TZ_VARIANTS.iter().map(|zone| zone.name()).find(|known| known.eq_ignore_ascii_case(name));
            let example = meant.map_or_else(
                || "\"UTC\", or a name of the IANA database, for example \"Europe/Stockholm\"".to_owned(),
                |meant| format!("\"{meant}\""),
            );
            format!("there is no zone '{name}': write {example}")
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// An instant as people in the zone write it, with their offset: `Sun 2024-03-31 03:00:00 CEST (+02:00)`.
    #[must_use]
    pub fn written(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%a %F %H:%M:%S %Z (%:z)").to_string()
    }

    /// An instant in the zone's own time, as RFC 3339.
    #[must_use]
    pub fn rfc3339(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).to_rfc3339()
    }

    /// How far standard time is ahead of UTC, by the latest law that is known; the same for all times, so
    /// that no business date comes twice or never, not even where a country changes its zone.
    fn standard(self) -> TimeDelta {
        let far = NaiveDate::from_ymd_opt(2050, 1, 1).unwrap_or_default();
        self.0.offset_from_utc_datetime(&midnight(far)).base_utc_offset()
    }

    /// The business date whose night a local time belongs to.
    fn due_on(self, local: NaiveDateTime) -> Option<NaiveDate> {
        Some(sub_days(local.checked_sub_signed(self.standard())?.date(), 1))
    }

    /// The local time by standard time, some days off.
    fn local_near(self, instant: DateTime<Utc>, days: i64) -> Option<NaiveDateTime> {
        let local = instant.naive_utc().checked_add_signed(self.standard())?;
        local.checked_add_signed(TimeDelta::try_days(days)?)
    }

    /// The instant of a local time: the first of two, the end of the gap for one that is left out.
    fn instant(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let found = self.0.from_local_datetime(&local).earliest();
        let found = found.or_else(|| GapInfo::new(&local, &self.0).and_then(|gap| gap.end));
        found.map(|found| found.to_utc())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

/// A cron expression that holds at least one time.
///
/// Five fields (minute, hour, day of month, month, day of week), or six with seconds first. Weekdays are
/// names (`MON-FRI`): their digits mean different days to different programs. For the same reason a day of
/// the month and a day of the week are not restricted together.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    schedule: Schedule,
}

impl Cron {
    /// Reads an expression; the error is a sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let six = match fields.len() {
            5 => format!("0 {}", fields.join(" ")),
            6 => fields.join(" "),
            found => {
                let fields = if found == 1 { "field" } else { "fields" };
                return Err(format!(
                    "'{text}' has {found} {fields}: write five (minute hour day month weekday) \
                     or six (seconds first), for example \"30 2 * * *\""
                ));
            }
        };
        let from_end = |at: usize| fields.iter().rev().nth(at).copied().unwrap_or_default();
        let (weekday, day) = (from_end(0), from_end(2));
        if weekday.bytes().any(|b| b.is_ascii_digit()) {
            return Err(format!(
                "the weekday '{weekday}' of '{text}' holds digits, and programs disagree about which day they \
                 mean: write names, for example MON-FRI"
            ));
        }
        let is_any = |field: &str| matches!(field, "*" | "?");
        if !is_any(day) && !is_any(weekday) {
            return Err(format!(
                "'{text}' restricts both the day of the month and the weekday, and programs disagree whether \
                 one or both must hold: write * for one of them"
            ));
        }
        let schedule = Schedule::from_str(&six).map_err(|error| {
            format!(
                "'{text}' is not a cron expression{}: write for example \"30 2 * * *\"",
                why(&error.to_string())
            )
        })?;
        if schedule.after(&DateTime::UNIX_EPOCH).next().is_none() {
            return Err(format!("'{text}' is never due: no month it names has that day"));
        }
        Ok(Self { text: text.to_owned(), schedule })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.text
    }

    /// The times after one, in order. Local times are read as if they were UTC, which has no gaps.
    fn after(&self, local: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        self.schedule.after(&local.and_utc()).map(|found| found.naive_utc())
    }

    /// On a day that it names.
    fn times_a_day(&self) -> u32 {
        let (hours, minutes) = (self.schedule.hours().count(), self.schedule.minutes().count());
        hours.saturating_mul(minutes).saturating_mul(self.schedule.seconds().count())
    }
}

/// What is wrong with an expression, out of all the parser says: it marks the place below the text, calls a largest
/// value one that is not reached, and says nothing in words where it does not know.
fn why(said: &str) -> String {
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let said = last.trim_end_matches('.').replace("must be less than", "must be at most");
    if said.contains(' ') && !said.contains('^') { format!(" ({said})") } else { String::new() }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.schedule.timeunitspec_eq(&other.schedule)
    }
}

impl Eq for Cron {}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Cron {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.text
    }
}

#[cfg(test)]
#[path = "timetable_tests.rs"]
mod tests;

//! How late the nights are (promise 13).

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    calendar::{add_days, days_between, sub_days},
    tick::{KnownTick, TickVerdict, deadline},
    timetable::Timetable,
};

/// Where the nights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// The first business date that is over and not complete.
    pub first_missing: Option<NaiveDate>,
    /// How many are.
    pub missing: i64,
    /// When the first of their jobs that is not done was, or is, due.
    pub due_at: Option<DateTime<Utc>>,
    /// One is not done, and its deadline has passed.
    pub overdue: bool,
}

/// The first business date that is over and not complete.
///
/// On a store without a complete night the first one owed is `first_on`: the first that was begun, else that of the day
/// its first file arrived; without either none is.
#[must_use]
pub fn first_missing(
    now: DateTime<Utc>,
    last_complete: Option<NaiveDate>,
    first_on: Option<NaiveDate>,
) -> Option<NaiveDate> {
    let owed = last_complete.map(|last| add_days(last, 1)).or(first_on);
    owed.filter(|first| *first < now.date_naive())
}

/// Where the nights are at `now`, by the timetables of the jobs in the order of a night and the ticks on record from the
/// first missing date on.
#[must_use]
pub fn of(
    jobs: &[(&'static str, &Timetable)],
    now: DateTime<Utc>,
    last_complete: Option<NaiveDate>,
    first_on: Option<NaiveDate>,
    known: &[KnownTick],
) -> Lateness {
    let Some(first) = first_missing(now, last_complete, first_on) else {
        return Lateness { first_missing: None, missing: 0, due_at: None, overdue: false };
    };
    let today = now.date_naive();
    let missing = days_between(first, today);
    let mut late = Lateness { first_missing: Some(first), missing, due_at: None, overdue: false };
    let mut ready_at = DateTime::<Utc>::MIN_UTC;
    // The first date at which something is late says it all; only dates that no job takes part in are walked past.
    for due_on in first.iter_days().take_while(|day| *day <= sub_days(today, 1)) {
        for (job, timetable) in jobs {
            let Some(due_at) = timetable.due_of(due_on) else { continue };
            ready_at = ready_at.max(due_at);
            let settled = |known: &KnownTick| known.answered || known.verdict != TickVerdict::Due;
            if known.iter().any(|known| known.due_on == due_on && known.job == *job && settled(known)) {
                continue;
            }
            late.due_at = late.due_at.or(Some(ready_at));
            late.overdue |= now > deadline(timetable, ready_at);
        }
        if late.overdue {
            break;
        }
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timetable::Cron;

    fn timetable(cron: &str, deadline_hours: u32) -> Timetable {
        Timetable {
            cron: Cron::parse(cron).unwrap(),
            zone: crate::domain::timetable::Zone::default(),
            catch_up: crate::domain::timetable::CatchUp::All,
            catch_up_cap: 3_660,
            deadline_hours,
        }
    }

    fn at(now: &str, last: Option<&str>, file: Option<&str>) -> Lateness {
        let day = |text: &str| text.parse().unwrap();
        let night = timetable("30 2 * * *", 6);
        of(&[("import_entitlements", &night)], now.parse().unwrap(), last.map(day), file.map(day), &[])
    }

    #[test]
    fn a_night_is_overdue_when_its_deadline_has_passed_and_not_before() {
        let due = at("2024-03-01T08:30:00Z", Some("2024-02-28"), None);
        assert_eq!(due.first_missing.unwrap().to_string(), "2024-02-29");
        assert_eq!(due.due_at.unwrap().to_rfc3339(), "2024-03-01T02:30:00+00:00");
        assert!(!due.overdue);
        assert!(at("2024-03-01T08:30:01Z", Some("2024-02-28"), None).overdue);
        assert!(
            !at("2024-03-01T23:59:59Z", Some("2024-02-29"), None).overdue,
            "the last full day is complete"
        );
    }

    #[test]
    fn an_older_night_that_is_missing_is_overdue_whatever_the_hour() {
        let late = at("2024-03-01T00:10:00Z", Some("2024-02-25"), Some("2024-01-01"));
        assert_eq!((late.missing, late.overdue), (4, true));
    }

    #[test]
    fn a_store_where_nothing_ever_ran_is_late_once_files_are_in() {
        assert!(!at("2024-03-01T12:00:00Z", None, None).overdue);
        assert!(!at("2024-03-01T12:00:00Z", None, Some("2024-03-01")).overdue);
        assert!(at("2024-03-01T12:00:00Z", None, Some("2024-02-29")).overdue);
    }

    #[test]
    fn what_is_done_or_passed_over_is_not_late_and_each_job_has_its_own_deadline() {
        let (night, morning) = (timetable("30 2 * * *", 1), timetable("0 6 * * *", 12));
        let late = |now: &str, known: &[KnownTick]| {
            let jobs = [("import_entitlements", &night), ("email_contacts", &morning)];
            of(&jobs, now.parse().unwrap(), "2024-02-28".parse().ok(), None, known)
        };
        assert!(late("2024-03-01T03:31:00Z", &[]).overdue);
        let mut imported = KnownTick {
            job: "import_entitlements".to_owned(),
            due_on: "2024-02-29".parse().unwrap(),
            verdict: TickVerdict::Due,
            answered: true,
        };
        let waits = late("2024-03-01T17:59:00Z", std::slice::from_ref(&imported));
        assert_eq!(
            (waits.due_at.unwrap().to_rfc3339().as_str(), waits.overdue),
            ("2024-03-01T06:00:00+00:00", false)
        );
        assert!(late("2024-03-01T18:01:00Z", std::slice::from_ref(&imported)).overdue);
        imported.answered = false;
        assert!(late("2024-03-01T03:31:00Z", std::slice::from_ref(&imported)).overdue);
        imported.verdict = TickVerdict::Dropped;
        assert!(!late("2024-03-01T03:31:00Z", &[imported]).overdue);
    }

    #[test]
    fn silence_is_found_though_no_job_takes_part_in_the_first_missing_night() {
        // 2024-02-03 is a Saturday.
        let weekly = timetable("30 2 * * SAT", 6);
        let late = |now: &str| {
            let jobs = [("import_entitlements", &weekly)];
            of(&jobs, now.parse().unwrap(), "2024-01-27".parse().ok(), None, &[])
        };
        assert!(!late("2024-02-03T02:00:00Z").overdue);
        assert!(late("2024-02-03T08:31:00Z").overdue);
    }

    #[test]
    fn midnight_itself_is_a_due_time_of_the_day_before() {
        let midnight = timetable("0 0 * * *", 6);
        let due = midnight.due_of("2024-02-29".parse().unwrap()).unwrap();
        assert_eq!(due.to_rfc3339(), "2024-03-01T00:00:00+00:00");
    }

    #[test]
    fn d1_a_date_is_missing_once_it_is_over_and_not_while_it_runs() {
        let missing = |now: &str| {
            let late = at(now, None, Some("2024-02-29"));
            (late.first_missing.map(|day| day.to_string()), late.missing)
        };
        assert_eq!(missing("2024-02-29T23:59:59Z"), (None, 0));
        assert_eq!(missing("2024-03-01T00:00:00Z"), (Some("2024-02-29".to_owned()), 1));
        let after_a_night = at("2024-03-01T12:00:00Z", Some("2024-02-29"), None);
        assert_eq!(after_a_night.first_missing, None, "the first of March is not over");
    }
}

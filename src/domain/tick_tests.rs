//! Ticks over years, in zones that change their clocks and in such as do not, however often everything was down.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::{
    calendar::{add_days, sub_days},
    timetable::{Cron, Zone},
};

const ZONES: [&str; 5] = ["UTC", "Europe/Stockholm", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn timetable(cron: &str, zone: &str, catch_up: CatchUp, catch_up_cap: u32) -> Timetable {
    let (cron, zone) = (Cron::parse(cron).unwrap(), Zone::parse(zone).unwrap());
    Timetable { cron, zone, catch_up, catch_up_cap, deadline_hours: 6 }
}

/// What becomes of a job's ticks, date by date: due, skipped, `x` for dropped, `.` for not yet, `-` for none.
fn verdicts(
    timetable: &Timetable,
    first: &str,
    last: &str,
    now: Option<&str>,
    known: &[KnownTick],
) -> String {
    let plan = plan(&[("job", timetable)], day(first), day(last), now.map(instant), known);
    let letter = |date| match plan.of(date) {
        [] => '-',
        [tick] => match tick.verdict {
            TickVerdict::Due => 'd',
            TickVerdict::Skipped => 's',
            TickVerdict::Dropped => 'x',
            TickVerdict::NotYet => '.',
        },
        _ => '?',
    };
    day(first).iter_days().take_while(|date| *date <= day(last)).map(letter).collect()
}

fn known(due_on: &str, verdict: TickVerdict) -> KnownTick {
    KnownTick { job: "job".to_owned(), due_on: day(due_on), verdict, answered: false }
}

#[test]
fn after_five_nights_down_the_policy_says_which_of_them_run() {
    let of = |catch_up, cap, now| {
        verdicts(&timetable("30 2 * * *", "UTC", catch_up, cap), "2024-02-01", "2024-02-06", Some(now), &[])
    };
    // The night of the 5th was due at half past two on the 6th; that of the 6th is to come.
    let now = "2024-02-06T04:00:00Z";
    assert_eq!(of(CatchUp::All, 3_660, now), "ddddd.");
    assert_eq!(of(CatchUp::All, 3, now), "xxddd.");
    assert_eq!(of(CatchUp::Latest, 3_660, now), "ssssd.");
    assert_eq!(of(CatchUp::None, 3_660, now), "ssssd.");
    assert_eq!(of(CatchUp::None, 3_660, "2024-02-06T08:30:00Z"), "ssssd.");
    assert_eq!(of(CatchUp::None, 3_660, "2024-02-06T08:30:01Z"), "sssss.");
}

#[test]
fn a_night_asked_for_by_hand_waits_for_no_hour_and_keeps_the_policy() {
    let of = |catch_up, cap| {
        verdicts(&timetable("30 2 * * *", "UTC", catch_up, cap), "2024-02-01", "2024-02-05", None, &[])
    };
    assert_eq!(of(CatchUp::All, 3_660), "ddddd");
    assert_eq!(of(CatchUp::All, 2), "xxxdd");
    assert_eq!(of(CatchUp::Latest, 3_660), "ssssd");
    assert_eq!(of(CatchUp::None, 3_660), "ssssd");
}

#[test]
fn what_is_on_record_stays_though_time_goes_on_while_it_is_caught_up_with() {
    let three = timetable("30 2 * * *", "UTC", CatchUp::All, 3);
    let record = [
        known("2024-02-01", TickVerdict::Dropped),
        known("2024-02-02", TickVerdict::Due),
        known("2024-02-03", TickVerdict::Due),
        known("2024-02-04", TickVerdict::Due),
    ];
    let now = Some("2024-02-06T03:00:00Z");
    // Two more than the cap by now, had they not been on record; the newest is the first to be made up for.
    assert_eq!(verdicts(&three, "2024-02-01", "2024-02-05", now, &record), "xdddd");
    let latest = timetable("30 2 * * *", "UTC", CatchUp::Latest, 3);
    assert_eq!(verdicts(&latest, "2024-02-01", "2024-02-05", now, &record), "ssssd");
}

#[test]
fn a_job_waits_for_those_in_front_of_it_and_a_night_for_the_nights_before() {
    let (late, early) =
        (timetable("0 6 * * *", "UTC", CatchUp::All, 9), timetable("30 2 * * *", "UTC", CatchUp::All, 9));
    let at = |now: &str| {
        let first = day("2024-02-01");
        let plan = plan(&[("a", &late), ("b", &early)], first, first, Some(instant(now)), &[]);
        assert_eq!(plan.of(first)[1].due_at, instant("2024-02-02T02:30:00Z"));
        assert_eq!(plan.of(first)[1].ready_at, instant("2024-02-02T06:00:00Z"));
        plan.of(first).iter().map(|tick| tick.verdict).collect::<Vec<_>>()
    };
    assert_eq!(at("2024-02-02T05:59:59Z"), [TickVerdict::NotYet, TickVerdict::NotYet]);
    assert_eq!(at("2024-02-02T06:00:00Z"), [TickVerdict::Due, TickVerdict::Due]);
}

#[test]
fn a_night_can_go_on_while_a_job_is_open_or_when_none_is_to_come() {
    let (early, late) =
        (timetable("30 2 * * *", "UTC", CatchUp::All, 9), timetable("0 6 * * SAT", "UTC", CatchUp::All, 9));
    let on = day("2024-02-02"); // a Friday
    let can = |now: &str, answered: bool| {
        let known = [KnownTick { job: "a".to_owned(), answered, ..known("2024-02-02", TickVerdict::Due) }];
        plan(&[("a", &early), ("b", &late)], on, on, Some(instant(now)), &known).can_go_on(on)
    };
    assert!(!can("2024-02-03T02:00:00Z", false));
    assert!(can("2024-02-03T02:30:00Z", false));
    assert!(!can("2024-02-03T02:30:00Z", true), "the other waits for its hour");
    assert!(can("2024-02-03T06:00:00Z", true));
    let nobody = plan(
        &[("b", &late)],
        day("2024-02-01"),
        day("2024-02-01"),
        Some(instant("2024-02-02T00:00:00Z")),
        &[],
    );
    assert!(nobody.can_go_on(day("2024-02-01")), "no job takes part in it");
}

/// Nights as processes run them: what ran, how often.
struct Nights<'a> {
    jobs: &'a [(&'static str, &'a Timetable)],
    first: NaiveDate,
    known: BTreeMap<(NaiveDate, &'static str), KnownTick>,
    ran: BTreeMap<(NaiveDate, &'static str), u32>,
}

impl<'a> Nights<'a> {
    fn new(jobs: &'a [(&'static str, &'a Timetable)], first: NaiveDate) -> Self {
        Self { jobs, first, known: BTreeMap::new(), ran: BTreeMap::new() }
    }

    /// A process looks, and runs at most so many jobs before it dies.
    fn look(&mut self, now: DateTime<Utc>, mut jobs: u32) {
        let last = sub_days(now.date_naive(), 1);
        let record: Vec<KnownTick> = self.known.values().cloned().collect();
        let plan = plan(self.jobs, self.first, last, Some(now), &record);
        for tick in plan.fresh() {
            let known = KnownTick {
                job: tick.job.to_owned(),
                due_on: tick.due_on,
                verdict: tick.verdict,
                answered: false,
            };
            self.known.insert((tick.due_on, tick.job), known);
        }
        for due_on in self.first.iter_days().take_while(|day| *day <= last) {
            for tick in plan.of(due_on) {
                if tick.verdict == TickVerdict::NotYet || jobs == 0 {
                    return;
                }
                if tick.is_open() {
                    jobs -= 1;
                    *self.ran.entry((due_on, tick.job)).or_default() += 1;
                    self.known.get_mut(&(due_on, tick.job)).unwrap().answered = true;
                }
            }
            self.first = add_days(due_on, 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_time_of_day_belongs_to_every_business_date_once_over_years(
        zone in prop::sample::select(&ZONES[..]), hour in 0_u32..24, minute in 0_u32..60, year in 1980_i32..2036,
    ) {
        let night = timetable(&format!("{minute} {hour} * * *"), zone, CatchUp::All, 1);
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let mut before = night.due_of(sub_days(first, 1)).unwrap();
        for due_on in first.iter_days().take(800) {
            let due_at = night.due_of(due_on).unwrap();
            let over = add_days(due_on, 1).and_time(chrono::NaiveTime::MIN).and_utc();
            prop_assert!(over <= due_at && due_at <= over + TimeDelta::hours(25), "{} {}", due_on, due_at);
            prop_assert!(before < due_at, "{}", due_on);
            prop_assert_eq!(night.upcoming(before + TimeDelta::seconds(1)).next(), Some((due_on, due_at)));
            before = due_at;
        }
    }

    #[test]
    fn however_often_everything_was_down_every_tick_of_every_job_runs_once_and_in_order(
        zones in prop::collection::vec((prop::sample::select(&ZONES[..]), 0_u32..24), 3),
        from in 0_u32..1_500, days in 20_u32..60,
        looks in prop::collection::vec((0_i64..60 * 24 * 12, 0_u32..9), 1..40),
    ) {
        let first = add_days(day("2022-01-01"), from);
        let end = add_days(first, days);
        let tables: Vec<Timetable> = zones.iter().zip(["* * *", "* * *", "* * SUN"]).map(|((zone, hour), days)| {
            timetable(&format!("15 {hour} {days}"), zone, CatchUp::All, 36_600)
        }).collect();
        let jobs = [("a", &tables[0]), ("b", &tables[1]), ("c", &tables[2])];
        let mut never_down = Nights::new(&jobs, first);
        let mut often_down = Nights::new(&jobs, first);
        let mut now = add_days(first, 1).and_time(chrono::NaiveTime::MIN).and_utc();
        let over = add_days(end, 3).and_time(chrono::NaiveTime::MIN).and_utc();
        while now < over {
            never_down.look(now, u32::MAX);
            now += TimeDelta::minutes(45);
        }
        let mut now = add_days(first, 1).and_time(chrono::NaiveTime::MIN).and_utc();
        for (minutes, jobs) in looks {
            now = (now + TimeDelta::minutes(minutes)).min(over);
            often_down.look(now, jobs);
        }
        often_down.look(over, u32::MAX);
        never_down.look(over, u32::MAX);
        prop_assert_eq!(&never_down.ran, &often_down.ran);
        prop_assert!(never_down.ran.values().all(|times| *times == 1));
        let owed: BTreeSet<(NaiveDate, &str)> = first
            .iter_days()
            .take_while(|date| *date <= end)
            .flat_map(|date| jobs.iter().filter(move |(_, table)| table.due_of(date).is_some()).map(move |(job, _)| (date, *job)))
            .collect();
        let ran: BTreeSet<_> = never_down.ran.keys().copied().filter(|(date, _)| *date <= end).collect();
        prop_assert_eq!(owed, ran);
    }

    #[test]
    fn what_stands_for_the_missed_ones_runs_once_a_time_up_and_nothing_runs_twice(
        looks in prop::collection::vec(1_i64..60 * 24 * 9, 1..30),
    ) {
        let first = day("2024-03-01");
        let (all, latest) = (
            timetable("30 2 * * *", "Europe/Stockholm", CatchUp::All, 3),
            timetable("45 2 * * *", "Europe/Stockholm", CatchUp::Latest, 3),
        );
        let jobs = [("all", &all), ("latest", &latest)];
        let mut nights = Nights::new(&jobs, first);
        let mut now = add_days(first, 1).and_time(chrono::NaiveTime::MIN).and_utc();
        for minutes in looks {
            now += TimeDelta::minutes(minutes);
            let before = nights.ran.len();
            nights.look(now, u32::MAX);
            let ran: Vec<_> = nights.ran.keys().skip(before).map(|(_, job)| *job).collect();
            prop_assert!(ran.iter().filter(|job| **job == "all").count() <= 3);
            prop_assert!(ran.iter().filter(|job| **job == "latest").count() <= 1);
        }
        prop_assert!(nights.ran.values().all(|times| *times == 1));
        let answered = nights.known.values().filter(|known| known.answered).count();
        prop_assert_eq!(answered, nights.ran.len());
    }
}

#[test]
fn a_verdict_on_record_is_read_back_by_its_name_and_what_is_to_come_is_never_on_record() {
    let names = [TickVerdict::Due, TickVerdict::Skipped, TickVerdict::Dropped, TickVerdict::NotYet]
        .map(TickVerdict::name);
    assert_eq!(names, ["due", "skipped", "dropped", "not_yet"]);
    let read = names.map(TickVerdict::named);
    assert_eq!(read, [Some(TickVerdict::Due), Some(TickVerdict::Skipped), Some(TickVerdict::Dropped), None]);
}

#[test]
fn what_has_run_is_not_skipped_afterwards_though_a_newer_one_stands_for_those_before_it() {
    let latest = timetable("30 2 * * *", "UTC", CatchUp::Latest, 3_660);
    let now = Some("2024-02-04T03:00:00Z");
    let ran = KnownTick { answered: true, ..known("2024-02-01", TickVerdict::Due) };
    assert_eq!(verdicts(&latest, "2024-02-01", "2024-02-03", now, &[ran]), "dsd");
    let open = known("2024-02-01", TickVerdict::Due);
    assert_eq!(verdicts(&latest, "2024-02-01", "2024-02-03", now, &[open]), "ssd");
}

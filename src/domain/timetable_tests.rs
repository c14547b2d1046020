//! What an expression and a zone mean, on ordinary days and on those on which clocks are changed.

use super::*;

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn timetable(cron: &str, zone: &str) -> Timetable {
    Timetable {
        cron: Cron::parse(cron).unwrap(),
        zone: Zone::parse(zone).unwrap(),
        catch_up: CatchUp::All,
        catch_up_cap: 3_660,
        deadline_hours: 6,
    }
}

fn next(expression: &str, after: &str) -> String {
    let after = instant(after) + TimeDelta::seconds(1);
    timetable(expression, "UTC").upcoming(after).next().unwrap().1.to_rfc3339()
}

/// Due times of some business dates, one after the other.
fn due(cron: &str, zone: &str, from: &str, days: u32) -> Vec<String> {
    let timetable = timetable(cron, zone);
    let of = |n| timetable.due_of(add_days(day(from), n)).map(|due| due.format("%m-%d %H:%M").to_string());
    (0..days).map(|n| of(n).unwrap_or_else(|| "–".to_owned())).collect()
}

#[test]
fn five_fields_mean_the_same_as_six_with_second_zero() {
    assert_eq!(Cron::parse("30 2 * * *"), Cron::parse("0 30 2 * * *"));
    assert_eq!(next("30 2 * * *", "2024-01-31T02:30:00Z"), "2024-02-01T02:30:00+00:00");
    assert_eq!(next("15 30 2 * * *", "2024-01-31T02:30:00Z"), "2024-01-31T02:30:15+00:00");
}

#[test]
fn weekdays_are_names_and_a_name_is_that_day() {
    // 2024-02-02 is a Friday.
    assert_eq!(next("0 6 * * MON-FRI", "2024-02-02T07:00:00Z"), "2024-02-05T06:00:00+00:00");
    assert_eq!(next("0 6 ? * sun", "2024-02-02T07:00:00Z"), "2024-02-04T06:00:00+00:00");
    for digits in ["0 6 * * 1", "0 6 * * 1-5", "0 0 6 * * */2", "0 6 * * MON,3"] {
        assert!(Cron::parse(digits).unwrap_err().contains("write names"), "{digits}");
    }
}

#[test]
fn an_expression_that_is_never_due_is_refused() {
    for never in ["0 0 30 2 *", "0 0 0 31 FEB,APR,JUN,SEP,NOV *"] {
        assert!(Cron::parse(never).unwrap_err().contains("never due"), "{never}");
    }
    assert_eq!(next("0 0 29 2 *", "2024-03-01T00:00:00Z"), "2028-02-29T00:00:00+00:00");
}

#[test]
fn what_programs_read_differently_is_refused_with_what_to_write() {
    assert!(Cron::parse("0 6 13 * FRI").unwrap_err().contains("write * for one of them"));
    for (bad, says) in [
        ("", "0 fields"),
        ("nonsense", "has 1 field:"),
        ("* * * *", "4 fields"),
        ("0 30 2 * * * 2024", "7 fields"),
        ("61 2 * * *", "expression (Minutes must be at most 59. ('61' specified.)): write"),
        ("a b * * *", "not a cron expression"),
        ("5-1-2 2 * * *", "expression (Invalid range for Minutes: 5-1): write"),
    ] {
        assert!(Cron::parse(bad).unwrap_err().contains(says), "{bad}");
    }
}

#[test]
fn a_zone_is_named_as_the_iana_database_names_it() {
    assert!(Zone::parse("europe/stockholm").unwrap_err().ends_with("write \"Europe/Stockholm\""));
    for bad in ["", "CEST", "Europe/Stokholm", "+02:00"] {
        assert!(Zone::parse(bad).unwrap_err().contains("for example \"Europe/Stockholm\""), "{bad}");
    }
    assert_eq!(Zone::default(), Zone::parse("UTC").unwrap());
}

#[test]
fn d1_a_night_is_due_when_its_day_is_over_in_utc_whatever_the_zone() {
    assert_eq!(due("0 0 * * *", "UTC", "2024-02-28", 2), ["02-29 00:00", "03-01 00:00"]);
    assert_eq!(due("30 2 * * *", "Asia/Kolkata", "2024-02-28", 2), ["02-29 21:00", "03-01 21:00"]);
    assert_eq!(due("30 23 * * *", "America/New_York", "2024-01-14", 2), ["01-15 04:30", "01-16 04:30"]);
    // In summer 01:30 in Stockholm comes half an hour before midnight in UTC: the day is waited for.
    assert_eq!(due("30 1 * * *", "Europe/Stockholm", "2024-01-14", 1), ["01-15 00:30"]);
    assert_eq!(due("30 1 * * *", "Europe/Stockholm", "2024-07-14", 1), ["07-15 00:00"]);
}

#[test]
fn an_hour_that_is_left_out_is_due_when_it_would_be_over_and_one_that_comes_twice_is_due_once() {
    // Clocks go from 02:00 to 03:00 on 31 March, and from 03:00 back to 02:00 on 27 October.
    let stockholm = |from| due("30 2 * * *", "Europe/Stockholm", from, 3);
    assert_eq!(stockholm("2024-03-29"), ["03-30 01:30", "03-31 01:00", "04-01 00:30"]);
    assert_eq!(stockholm("2024-10-25"), ["10-26 00:30", "10-27 00:30", "10-28 01:30"]);
    let auckland = |from| due("30 2 * * *", "Pacific/Auckland", from, 3);
    assert_eq!(auckland("2024-09-26"), ["09-27 14:30", "09-28 14:00", "09-29 13:30"]);
    assert_eq!(auckland("2024-04-04"), ["04-05 13:30", "04-06 13:30", "04-07 14:30"]);
}

#[test]
fn a_search_goes_on_over_both_changes_of_the_clock_and_never_stands_still() {
    let night = timetable("30 2 * * *", "Europe/Stockholm");
    for (from, until) in
        [("2024-03-29T00:00:00Z", "2024-04-02T00:00:00Z"), ("2024-10-25T00:00:00Z", "2024-10-29T00:00:00Z")]
    {
        let (mut at, until) = (instant(from), instant(until));
        let mut due_on = None;
        while at < until {
            let (on, next) = night.upcoming(at + TimeDelta::seconds(1)).next().unwrap();
            assert!(next > at, "{at}");
            assert_eq!(night.due_of(on), Some(next));
            assert!(due_on.is_none_or(|before: NaiveDate| before.succ_opt() == Some(on)), "{on}");
            (at, due_on) = (next, Some(on));
        }
    }
    let next = night.upcoming(instant("2024-03-31T00:59:59Z")).next().unwrap();
    assert_eq!(Some(next.1), night.due_of(day("2024-03-30")));
}

#[test]
fn a_country_that_changes_its_mind_still_has_every_business_date_once() {
    // Samoa left out 30 December 2011; Turkey kept its summer time for good in 2016.
    for (zone, from) in [
        ("Pacific/Apia", "2011-12-20"),
        ("Europe/Istanbul", "2016-08-20"),
        ("Africa/Casablanca", "2024-02-20"),
    ] {
        let night = timetable("30 2 * * *", zone);
        let mut before = None;
        for n in 0..60 {
            let due = night.due_of(add_days(day(from), n)).unwrap();
            assert!(before.is_none_or(|before| before <= due), "{zone} {due}");
            before = Some(due);
        }
    }
}

#[test]
fn a_job_of_certain_days_takes_part_in_their_nights_alone() {
    // 2024-02-02 is a Friday, and Saturday's small hours do its night.
    let weekly = due("30 2 * * SAT", "Europe/Stockholm", "2024-02-01", 9);
    assert_eq!(weekly, ["–", "02-03 01:30", "–", "–", "–", "–", "–", "–", "02-10 01:30"]);
    assert_eq!(due("0 6 1 * *", "UTC", "2024-02-28", 3), ["–", "03-01 06:00", "–"]);
}

#[test]
fn an_expression_that_is_due_twice_on_a_business_date_is_found() {
    let twice = |cron, zone| timetable(cron, zone).twice().map(|(on, one, two)| format!("{on} {one} {two}"));
    assert_eq!(twice("30 2 * * *", "UTC"), None);
    assert_eq!(twice("30 2,14 * * *", "UTC").unwrap(), "2023-12-31 02:30:00 14:30:00");
    assert_eq!(twice("* * * * *", "Asia/Kolkata").unwrap(), "2023-12-30 00:01:00 00:02:00");
    assert!(twice("0 0,12 29 2 *", "UTC").unwrap().starts_with("2024-02-28"));
    // Two nights: Monday's small hours, and what is Tuesday in Stockholm and still Monday in UTC.
    assert_eq!(twice("30 0,2 * * MON", "Europe/Stockholm"), None);
}

#[test]
fn midnight_belongs_to_the_night_that_begins_with_it_and_to_no_other() {
    // Saturday the 3rd, at midnight, is the end of Friday the 2nd.
    assert_eq!(due("0 0 * * SAT", "UTC", "2024-02-01", 3), ["–", "02-03 00:00", "–"]);
}

#[test]
fn what_is_due_at_an_instant_is_upcoming_at_it_and_no_more_a_second_later() {
    let night = timetable("30 2 * * *", "Europe/Stockholm");
    let next = |from: &str| night.upcoming(instant(from)).next().unwrap().0;
    assert_eq!(next("2024-02-01T01:30:00Z"), day("2024-01-31"));
    assert_eq!(next("2024-02-01T01:30:01Z"), day("2024-02-01"));
}

#[test]
fn a_zone_is_said_by_its_name_and_writes_an_instant_in_its_own_time() {
    let stockholm = Zone::parse("Europe/Stockholm").unwrap();
    assert_eq!((stockholm.name(), stockholm.to_string().as_str()), ("Europe/Stockholm", "Europe/Stockholm"));
    let summer = instant("2024-03-31T01:00:00Z");
    assert_eq!(stockholm.written(summer), "Sun 2024-03-31 03:00:00 CEST (+02:00)");
    assert_eq!(stockholm.rfc3339(summer), "2024-03-31T03:00:00+02:00");
    assert_eq!(serde_json::to_value(stockholm).unwrap(), "Europe/Stockholm");
    assert_eq!(serde_json::from_str::<Zone>("\"Europe/Stockholm\"").unwrap(), stockholm);
    assert!(serde_json::from_str::<Zone>("\"Europe/Stokholm\"").is_err());
}

#[test]
fn an_expression_is_said_as_it_was_written_and_is_equal_to_what_is_due_at_the_same_times() {
    let cron = Cron::parse("30 2 * * *").unwrap();
    assert_eq!((cron.expression(), cron.to_string().as_str()), ("30 2 * * *", "30 2 * * *"));
    assert_eq!(serde_json::to_value(&cron).unwrap(), "30 2 * * *");
    assert_ne!(cron, Cron::parse("31 2 * * *").unwrap());
    let names = [CatchUp::All, CatchUp::Latest, CatchUp::None].map(CatchUp::name);
    assert_eq!(names, ["all", "latest", "none"]);
    for (catch_up, name) in [CatchUp::All, CatchUp::Latest, CatchUp::None].into_iter().zip(names) {
        assert_eq!(serde_json::to_value(catch_up).unwrap(), name);
    }
}

#[test]
fn what_the_parser_only_points_at_is_not_repeated() {
    assert_eq!(why("a b *\n  ^ here"), "");
    assert_eq!(why("nothing\n\n"), "");
    assert_eq!(why("Minutes must be less than 59.\n"), " (Minutes must be at most 59)");
}

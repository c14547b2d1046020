use super::*;
use crate::files::{
    dialect::Dialect,
    profile::Profile,
    reader::{Limits, Reader},
};

fn days(text: &str) -> Vec<(u64, Result<PublishedDay, Vec<Problem>>)> {
    let mut reader = Reader::open(text.as_bytes(), Limits::default()).unwrap();
    assert_eq!(Profile::recognise(reader.header(), None).unwrap().kind, Kind::Rates);
    let profile = Profile::recognise(reader.header(), None).unwrap();
    let rates = RateColumns::of_header(reader.header()).unwrap();
    let (mut record, mut days, mut taken) = (Record::default(), Vec::new(), Record::default());
    while reader.read(&mut record).unwrap() {
        assert_eq!(profile.shape_problem(&record), None);
        let canonical = Dialect::default().take(&profile, &record, &mut taken, true).unwrap();
        days.push((record.line(), rates.day(canonical)));
    }
    days
}

fn rate(day: &PublishedDay, code: &str) -> Option<i64> {
    let currency = Currency::parse(code).unwrap();
    day.rates.iter().find(|(c, _)| *c == currency).map(|(_, rate)| rate.micro())
}

#[test]
fn d4_the_daily_file_is_read_as_published() {
    let days = days(include_str!("../../fixtures/ecb/eurofxref.csv"));
    let [(2, Ok(day))] = days.as_slice() else { panic!("{days:?}") };
    assert_eq!(day.on.to_string(), "2026-10-30");
    assert_eq!(rate(day, "USD"), Some(1_117_200));
    assert_eq!(rate(day, "SEK"), Some(10_978_000));
    assert_eq!(day.rates.len(), 29);
}

#[test]
fn d4_the_history_is_read_as_published_without_what_was_not_quoted() {
    let recent = days(include_str!("../../fixtures/ecb/eurofxref-hist.csv"));
    assert!(recent.len() == 400 && recent.iter().all(|(_, day)| day.is_ok()));
    let old = days(include_str!("../../fixtures/files/eurofxref-hist_1999_2005.csv"));
    let on = |date: &str| {
        let day = old.iter().filter_map(|(_, day)| day.as_ref().ok()).find(|day| day.on.to_string() == date);
        move |code| rate(day.unwrap(), code)
    };
    let (before, after, first) = (on("2004-12-31"), on("2005-01-03"), on("1999-01-04"));
    assert!(before("TRL") > Some(1_800_000_000_000) && before("TRY").is_none());
    assert!(after("TRL").is_none() && after("TRY").is_some());
    assert_eq!((first("CYP"), first("BGN"), first("USD")), (Some(582_310), None, Some(1_178_900)));
    assert!(old.iter().all(|(_, day)| day.is_ok()));
}

#[test]
fn a_malformed_cell_is_a_problem_with_its_line_and_column() {
    let days = days("Date,USD,SEK,\n2026-10-30,1.1172,10.978,\n2026-10-32,1.1172,ten,\n");
    assert!(days[0].1.is_ok());
    assert_eq!(
        days[1],
        (
            3,
            Err(vec![
                cell::invalid("Date", "2026-10-32", Expected::Date),
                cell::invalid("SEK", "ten", Expected::Rate),
            ])
        )
    );
}

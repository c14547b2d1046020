//! The European Central Bank's reference rates as published: the daily `eurofxref.csv` (spaces after commas, a
//! trailing comma; its date, `30 October 2026`, is brought to ISO before) and the history `eurofxref-hist.csv` (ISO dates,
//! newest first, `N/A`).

use chrono::NaiveDate;

use super::{Refusal, reader::Record};
use crate::domain::{
    kinds::Kind,
    kinds::{cell, forms},
    money::{Currency, PerEuro},
    reason::{Expected, Problem, Reason},
};

/// The currencies of a rates file's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateColumns {
    columns: Vec<(usize, Currency)>,
}

/// One published day: its date, and the rate of every currency that had one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedDay {
    /// The day of publication.
    pub on: NaiveDate,
    /// Units of each currency for one euro.
    pub rates: Vec<(Currency, PerEuro)>,
}

impl RateColumns {
    /// Reads a header already recognised as [`Kind::Rates`].
    ///
    /// Refuses one that names anything but three letters after the date. A code that ISO 4217 does not list is left out:
    /// the Bank may quote what is not known here yet, and that refuses no file.
    pub fn of_header(header: &Record) -> Result<Self, Refusal> {
        let mut columns = Vec::new();
        for (at, name) in header.iter().enumerate().skip(1) {
            match Currency::parse(name.trim()) {
                Some(currency) => columns.push((at, currency)),
                None if name.trim().is_empty() || Currency::stored(name.trim()).is_some() => {}
                None => {
                    return Err(Refusal::MissingColumns {
                        kind: Kind::Rates,
                        columns: vec!["USD and one column a currency"],
                        near: Vec::new(),
                    });
                }
            }
        }
        Ok(Self { columns })
    }

    /// Reads one published day. `N/A` and empty cells are currencies that were not quoted that day.
    ///
    /// Errors: every cell that is neither, by the column's name (`Date` or the currency); the line is the record's.
    pub fn day(&self, record: &Record) -> Result<PublishedDay, Vec<Problem>> {
        let mut problems = Vec::new();
        let written = record.get(0).unwrap_or_default();
        let on = forms::date(written.trim());
        if on.is_none() {
            problems.push(cell::invalid("Date", written, Expected::Date));
        }
        let mut rates = Vec::with_capacity(self.columns.len());
        for (at, currency) in &self.columns {
            let written = record.get(*at).unwrap_or_default();
            match written.trim() {
                "" | "N/A" => {}
                text => match PerEuro::parse(text) {
                    Some(rate) => rates.push((*currency, rate)),
                    None => problems.push(cell::invalid(currency.code(), written, Expected::Rate)),
                },
            }
        }
        match on {
            Some(on) if problems.is_empty() => Ok(PublishedDay { on, rates }),
            _ if problems.is_empty() => Err(vec![Problem::at("Date", written, Reason::Missing)]),
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
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
            let day =
                old.iter().filter_map(|(_, day)| day.as_ref().ok()).find(|day| day.on.to_string() == date);
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
}

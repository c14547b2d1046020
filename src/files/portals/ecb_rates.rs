//! The European Central Bank's reference rates as published: the daily `eurofxref.csv` (spaces after commas, a
//! trailing comma; its date, `30 October 2026`, is brought to ISO before) and the history `eurofxref-hist.csv` (ISO dates,
//! newest first, `N/A`). The kind `rates` is that file, so nothing is converted; another bank's file, which has the same look, is refused.

use chrono::NaiveDate;

use crate::{
    domain::{
        kinds::{Kind, cell, forms},
        language::Bilingual,
        money::{Currency, PerEuro},
        reason::{Expected, Problem, Reason},
    },
    files::{
        Refusal,
        portal::{Portal, needed, portal},
        reader::{Record, normalised},
        shape::ANSWER_COLUMNS,
    },
};

/// The portal.
pub const PORTAL: Portal = portal(
    "ecb_rates",
    Bilingual::new(
        "the reference rates of the European Central Bank",
        "Europeiska centralbankens referenskurser",
    ),
    Kind::Rates,
)
.reads(&[needed(&["Date"]), needed(&["USD"])]);

/// Every currency that the Bank has published a rate of since 1999, also those that are no more.
const PUBLISHED: [&str; 41] = [
    "AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "CYP", "CZK", "DKK", "EEK", "GBP", "HKD", "HRK", "HUF", "IDR",
    "ILS", "INR", "ISK", "JPY", "KRW", "LTL", "LVL", "MTL", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "ROL",
    "RON", "RUB", "SEK", "SGD", "SIT", "SKK", "THB", "TRL", "TRY", "USD", "ZAR",
];

/// The columns of a rates file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateColumns {
    date: usize,
    columns: Vec<(usize, Currency)>,
}

/// One published day: its date, and the rate of every currency that had one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedDay {
    /// The day of publication.
    pub on: NaiveDate,
    /// Units of each currency for one euro.
    pub rates: Vec<(Currency, PerEuro)>,
    /// Currencies that it says had none.
    pub without: Vec<Currency>,
}

/// Whether a column is of a rates file: the date, a currency that the Bank published, or one of an answer.
fn is_published(name: &str) -> bool {
    name.is_empty()
        || name == "date"
        || ANSWER_COLUMNS.contains(&name)
        || PUBLISHED.iter().any(|code| code.eq_ignore_ascii_case(name))
}

/// Refuses a file that looks like reference rates and has a column that the Bank never published: another bank's rates are
/// not for one euro.
///
/// # Errors
/// [`Refusal::OtherBank`]
pub fn refuse_other_banks(header: &Record) -> Result<(), Refusal> {
    let names: Vec<String> = header.iter().map(normalised).collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    match header.iter().zip(&names).find(|(_, name)| !is_published(name)) {
        Some((written, _)) if has("date") && has("usd") => {
            Err(Refusal::OtherBank { column: written.trim().to_owned() })
        }
        _ => Ok(()),
    }
}

/// What a header lacks to be one of rates.
#[must_use]
pub fn lacking(names: &[String]) -> Vec<&'static str> {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let lacks = [("Date", has("date")), ("USD", has("usd"))];
    lacks.into_iter().filter(|(_, has)| !has).map(|(name, _)| name).collect()
}

impl RateColumns {
    /// Reads a header already recognised as [`Kind::Rates`].
    ///
    /// # Errors
    /// It has no column of dates.
    pub fn of_header(header: &Record) -> Result<Self, Refusal> {
        let missing = || Refusal::MissingColumns { kind: Kind::Rates, columns: vec!["Date"], near: vec![] };
        let mut date = None;
        let mut columns = Vec::new();
        for (at, name) in header.iter().enumerate() {
            match normalised(name).as_str() {
                "date" => date = Some(at),
                name => columns.extend(Currency::stored(&name.to_uppercase()).map(|currency| (at, currency))),
            }
        }
        Ok(Self { date: date.ok_or_else(missing)?, columns })
    }

    /// Reads one published day. `N/A` and empty cells are currencies that were not quoted that day.
    ///
    /// Errors: every cell that is neither, by the column's name (`Date` or the currency); the line is the record's.
    pub fn day(&self, record: &Record) -> Result<PublishedDay, Vec<Problem>> {
        let mut problems = Vec::new();
        let written = record.get(self.date).unwrap_or_default();
        let on = forms::date(written.trim());
        if on.is_none() {
            problems.push(cell::invalid("Date", written, Expected::Date));
        }
        let (mut rates, mut without) = (Vec::with_capacity(self.columns.len()), Vec::new());
        for (at, currency) in &self.columns {
            let written = record.get(*at).unwrap_or_default();
            match written.trim() {
                "" | "N/A" => without.push(*currency),
                text => match PerEuro::parse(text) {
                    Some(rate) => rates.push((*currency, rate)),
                    None => problems.push(cell::invalid(currency.code(), written, Expected::Rate)),
                },
            }
        }
        match on {
            Some(on) if problems.is_empty() => Ok(PublishedDay { on, rates, without }),
            _ if problems.is_empty() => Err(vec![Problem::at("Date", written, Reason::Missing)]),
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
#[path = "../ecb_rates_tests.rs"]
mod tests;

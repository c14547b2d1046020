//! What figures and states are called.

use chrono::NaiveDate;

use crate::domain::{
    benefit::Unit,
    calendar::sub_days,
    language::Language,
    money::{Amount, Currency, plain},
    naming,
};

/// `SEK 1,038.34`; a count as it is.
#[must_use]
pub fn money(minor: i64, currency: Option<&str>) -> String {
    let currency = currency.and_then(Currency::stored);
    currency.map_or_else(|| minor.to_string(), |currency| Amount::new(minor, currency).to_string())
}

/// What a movement of the ledger moves: money, or hours or incidents, which have no currency.
pub(super) fn figure(kind: &str, count: i64, currency: Option<&str>) -> String {
    let unit = match kind.split('_').next() {
        Some("hours") => Unit::Hours,
        Some("incidents") => Unit::Incidents,
        _ => return money(count, currency),
    };
    naming::units(unit, count, Language::English).replace('\u{a0}', " ")
}

/// `10.3979`: a rate in billionths without the zeros at its end.
pub(super) fn rate(nano: i64) -> String {
    plain(nano, 9).trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2024-01-31 to 2024-02-28`, both included.
pub(super) fn span(from: NaiveDate, until: NaiveDate) -> String {
    format!("{from} to {}", sub_days(until, 1))
}

/// A status in words.
#[must_use]
pub fn standing(status: &str) -> String {
    status.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        assert_eq!(money(103_979, Some("SEK")), "SEK 1,039.79");
        assert_eq!(money(15_119, Some("JPY")), "JPY 15,119");
        assert_eq!(money(90, None), "90");
        assert_eq!(figure("hours_used", 90, None), "1.5 hours");
        assert_eq!(figure("incidents_granted", 1, None), "1 incident");
        assert_eq!(
            (rate(913_659_205), rate(10_397_940_000), rate(1_000_000_000)),
            ("0.913659205".into(), "10.39794".into(), "1".into())
        );
        assert_eq!(
            span("2024-02-29".parse().unwrap(), "2024-03-31".parse().unwrap()),
            "2024-02-29 to 2024-03-30"
        );
    }
}

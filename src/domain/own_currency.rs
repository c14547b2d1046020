//! The currency that a partner accounts in, which may change: its country joins the euro (D4).

use chrono::NaiveDate;

use super::{money::Currency, rate::Rates};

/// What local amounts are found by (D4).
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// Published rates.
    pub rates: &'a Rates,
    /// From which day on the partner has accounted in which currency since, in the order of the days.
    pub changes: &'a [(NaiveDate, Currency)],
}

impl<'a> Exchange<'a> {
    /// The currencies that a period which starts on `from` may be granted in, as far as the night of `today` sees: the
    /// partner's of that day, then those it changed to since, for a period that the first can never be granted in (D4).
    pub(super) fn currencies(
        self,
        first: Currency,
        from: NaiveDate,
        today: NaiveDate,
    ) -> impl Iterator<Item = Currency> + 'a {
        let later = self.changes.iter().filter(move |(on, _)| from < *on && *on <= today).map(|(_, to)| *to);
        std::iter::once(currency_on(first, self.changes, from)).chain(later)
    }
}

/// The currency of `day`, of a partner that had `first` before all its `changes`, which are in the order of their days.
#[must_use]
pub fn currency_on(first: Currency, changes: &[(NaiveDate, Currency)], day: NaiveDate) -> Currency {
    changes.iter().rev().find(|(on, _)| *on <= day).map_or(first, |(_, currency)| *currency)
}

/// A currency that a row states, with the day it holds from; without one it holds from the row's arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedCurrency {
    /// The currency.
    pub currency: Currency,
    /// From that day on.
    pub from_on: Option<NaiveDate>,
}

impl StatedCurrency {
    /// The change that it makes to what is known, which is in the order of the days and begins with the first day there
    /// is; `None`: it says what is known.
    #[must_use]
    pub fn change(&self, known: &[(NaiveDate, Currency)], arrived_on: NaiveDate) -> Option<NaiveDate> {
        let from_on = self.from_on.unwrap_or(arrived_on);
        let said =
            |day: &NaiveDate| known.iter().any(|(on, currency)| on == day && *currency == self.currency);
        let holds = known.iter().rev().find(|(on, _)| *on <= from_on);
        let holds = holds.is_some_and(|(_, currency)| *currency == self.currency);
        // A day that is stated is kept even where nothing changes on it: a file that comes later may state an earlier one.
        let known = if self.from_on.is_some() { said(&from_on) } else { holds };
        (!known).then_some(from_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn code(text: &str) -> Currency {
        Currency::parse(text).unwrap()
    }

    #[test]
    fn d4_a_day_has_the_currency_of_the_last_change_on_or_before_it() {
        let changes = [(day("2023-01-01"), Currency::EUR), (day("2024-01-01"), Currency::USD)];
        let of = |on| currency_on(code("HRK"), &changes, day(on)).to_string();
        assert_eq!(
            ["2022-12-31", "2023-01-01", "2023-12-31", "2024-01-01"].map(of),
            ["HRK", "EUR", "EUR", "USD"]
        );
        let exchange = Exchange { rates: &Rates::default(), changes: &changes };
        let open = |from, today| -> Vec<String> {
            exchange.currencies(code("HRK"), day(from), day(today)).map(|c| c.to_string()).collect()
        };
        assert_eq!(open("2022-12-31", "2022-12-31"), ["HRK"]);
        assert_eq!(open("2022-12-31", "2023-01-01"), ["HRK", "EUR"]);
        assert_eq!(open("2022-12-31", "2024-05-01"), ["HRK", "EUR", "USD"]);
        assert_eq!(open("2023-01-01", "2023-05-01"), ["EUR"]);
    }

    #[test]
    fn d4_a_stated_currency_changes_what_is_known_from_its_day_or_its_arrival() {
        let known = [(day("0001-01-01"), code("HRK")), (day("2023-01-01"), Currency::EUR)];
        let change = |currency, from_on: Option<&str>, arrived_on| {
            let stated = StatedCurrency { currency, from_on: from_on.map(day) };
            stated.change(&known, day(arrived_on))
        };
        assert_eq!(change(Currency::EUR, None, "2023-01-05"), None);
        assert_eq!(change(code("HRK"), None, "2022-12-05"), None);
        assert_eq!(change(Currency::EUR, None, "2022-12-05"), Some(day("2022-12-05")));
        assert_eq!(change(Currency::EUR, Some("2023-01-01"), "2022-12-05"), None);
        assert_eq!(change(Currency::EUR, Some("2023-03-01"), "2022-12-05"), Some(day("2023-03-01")));
        assert_eq!(change(Currency::USD, Some("2023-01-01"), "2022-12-05"), Some(day("2023-01-01")));
    }
}

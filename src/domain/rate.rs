//! Which published reference rate a day is converted at, and when that is final (D4).

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::{
    calendar::days_between,
    ledger::FrozenRate,
    money::{Amount, Currency, PerEuro, convert_usd, local_per_usd_nano},
    reason::Reason,
};

/// Published rates by currency and day.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    days: HashMap<Currency, BTreeMap<NaiveDate, PerEuro>>,
}

impl Rates {
    /// Adds one published rate.
    pub fn insert(&mut self, currency: Currency, published_on: NaiveDate, rate: PerEuro) {
        self.days.entry(currency).or_default().insert(published_on, rate);
    }

    /// US cents in `local` on day `on`, with the frozen rate (D4).
    ///
    /// # Errors
    /// [`Reason::RateMissing`] until a day on or after `on` is published and one on or before it exists,
    /// [`Reason::RateTooOld`] when the latter is more than `max_age_days` older.
    pub fn convert(
        &self,
        usd_minor: i64,
        local: Currency,
        on: NaiveDate,
        max_age_days: u32,
    ) -> Result<(Amount, FrozenRate), Reason> {
        let missing = || Reason::RateMissing { currency: local, on };
        let dollars = self.days.get(&Currency::USD).ok_or_else(missing)?;
        // The euro is quoted on every day that the dollar is.
        let locals =
            if local == Currency::EUR { dollars } else { self.days.get(&local).ok_or_else(missing)? };
        let is_final =
            |days: &BTreeMap<NaiveDate, PerEuro>| days.last_key_value().is_some_and(|(day, _)| *day >= on);
        if !is_final(dollars) || !is_final(locals) {
            return Err(missing());
        }
        let (published_on, usd, quote) = locals
            .range(..=on)
            .rev()
            .find_map(|(day, quote)| dollars.get(day).map(|usd| (*day, *usd, *quote)))
            .ok_or_else(missing)?;
        if days_between(published_on, on) > i64::from(max_age_days) {
            return Err(Reason::RateTooOld { currency: local, on, published_on });
        }
        let quote = if local == Currency::EUR { PerEuro::ONE } else { quote };
        let minor = convert_usd(usd_minor, usd, quote, local).ok_or_else(missing)?;
        let nano = local_per_usd_nano(usd, quote).ok_or_else(missing)?;
        Ok((Amount::new(minor, local), FrozenRate { nano, published_on }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn published(days: &[(&str, &str, &str)]) -> Rates {
        let mut rates = Rates::default();
        for (on, usd, sek) in days {
            rates.insert(Currency::USD, day(on), PerEuro::parse(usd).unwrap());
            rates.insert(Currency::parse("SEK").unwrap(), day(on), PerEuro::parse(sek).unwrap());
        }
        rates
    }

    #[test]
    fn d4_a_saturday_takes_fridays_rate_once_monday_is_published() {
        let sek = Currency::parse("SEK").unwrap();
        let saturday = day("2024-02-03");
        let before = published(&[("2024-02-02", "1.0883", "11.2525")]);
        assert_eq!(
            before.convert(10_000, sek, saturday, 7),
            Err(Reason::RateMissing { currency: sek, on: saturday })
        );
        let after = published(&[("2024-02-02", "1.0883", "11.2525"), ("2024-02-05", "1.0746", "11.3475")]);
        let (amount, rate) = after.convert(10_000, sek, saturday, 7).unwrap();
        assert_eq!(rate.published_on, day("2024-02-02"));
        assert_eq!(amount, Amount::new(103_395, sek));
        let (euro, _) = after.convert(10_000, Currency::EUR, saturday, 7).unwrap();
        assert_eq!(euro.minor, 9_189);
    }

    #[test]
    fn d4_a_rate_more_than_seven_days_old_waits() {
        let sek = Currency::parse("SEK").unwrap();
        let rates = published(&[("2024-02-01", "1.08", "11.2"), ("2024-02-20", "1.07", "11.3")]);
        assert!(rates.convert(10_000, sek, day("2024-02-08"), 7).is_ok());
        assert_eq!(
            rates.convert(10_000, sek, day("2024-02-09"), 7),
            Err(Reason::RateTooOld { currency: sek, on: day("2024-02-09"), published_on: day("2024-02-01") })
        );
        assert_eq!(
            rates.convert(10_000, sek, day("2024-01-31"), 7),
            Err(Reason::RateMissing { currency: sek, on: day("2024-01-31") })
        );
    }

    #[test]
    fn d4_a_rate_is_final_once_both_the_dollar_and_the_local_currency_are_published() {
        let sek = Currency::parse("SEK").unwrap();
        let friday = [("2024-02-02", "1.0883", "11.2525")];
        let monday = |currency, quote| {
            let mut rates = published(&friday);
            rates.insert(currency, day("2024-02-05"), PerEuro::parse(quote).unwrap());
            rates.convert(10_000, sek, day("2024-02-03"), 7)
        };
        let missing = Err(Reason::RateMissing { currency: sek, on: day("2024-02-03") });
        assert_eq!(monday(Currency::USD, "1.0746"), missing);
        assert_eq!(monday(sek, "11.3475"), missing);
    }
}

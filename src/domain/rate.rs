//! Which published reference rate a day is converted at, and when that is final (D4).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use super::{
    calendar::{add_days, sub_days},
    ledger::FrozenRate,
    money::{Amount, Currency, PerEuro, convert_usd, local_per_usd_nano},
    reason::Reason,
    target,
};

/// Published rates by currency and day.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    days: HashMap<Currency, BTreeMap<NaiveDate, PerEuro>>,
    /// Days of which a rate is stored, of whatever currency.
    published: BTreeSet<NaiveDate>,
    /// Days on which an operator said that nothing was published.
    unpublished: BTreeSet<NaiveDate>,
    /// Rates that wait for the operator, or were taken back: nothing is granted at an older one.
    open: HashMap<Currency, BTreeMap<NaiveDate, NoRate>>,
}

/// Why a day has no rate that anything is granted at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoRate {
    /// It waits for the operator (D16).
    Waits,
    /// It was taken back.
    TakenBack,
}

impl Rates {
    /// Adds one published rate.
    pub fn insert(&mut self, currency: Currency, published_on: NaiveDate, rate: PerEuro) {
        self.days.entry(currency).or_default().insert(published_on, rate);
        self.publish(published_on);
    }

    /// Adds a day on which rates were published, whether of a currency that is asked for here or not.
    pub fn publish(&mut self, on: NaiveDate) {
        self.published.insert(on);
    }

    /// Adds a day on which nothing was published, as an operator said.
    pub fn leave_out(&mut self, on: NaiveDate) {
        self.unpublished.insert(on);
    }

    /// Adds a day on which the rate of a currency waits for the operator.
    pub fn hold(&mut self, currency: Currency, on: NaiveDate) {
        self.open.entry(currency).or_default().insert(on, NoRate::Waits);
    }

    /// Adds a day of which the rate of a currency was taken back, and no other has come.
    pub fn take_back(&mut self, currency: Currency, on: NaiveDate) {
        self.open.entry(currency).or_default().insert(on, NoRate::TakenBack);
    }

    /// US cents in `local` on day `on`, at the currency's last rate on or before it, with that rate (D4).
    ///
    /// # Errors
    /// Why it is not final: [`Reason::RateMissing`] until a day on or after `on` is published,
    /// [`Reason::NoEarlierRate`] if days are, and none of them has a rate on or before `on`, [`Reason::RatesIncomplete`] while a business day up to `on` is
    /// missing on which a newer one may have been published, [`Reason::RateHeld`] and [`Reason::RateTakenBack`] while the
    /// rate that it would be waits for the operator or was taken back, [`Reason::RateTooOld`] if the rate is more than
    /// `max_age_days` older than `on`, [`Reason::AmountTooLarge`] if it comes to more than can be kept.
    pub fn convert(
        &self,
        usd_minor: i64,
        local: Currency,
        on: NaiveDate,
        max_age_days: u32,
    ) -> Result<(Amount, FrozenRate), Reason> {
        let not_final = Reason::RateMissing { currency: local, on };
        if self.published.is_empty() {
            return Err(not_final);
        }
        let oldest = sub_days(on, max_age_days);
        let last = self.last(local, on);
        let newer = last.map_or(oldest, |(published_on, ..)| add_days(published_on, 1).max(oldest));
        if let Some(reason) = self.open(local, newer, on) {
            return Err(reason);
        }
        let no_earlier = Reason::NoEarlierRate { currency: local, on };
        let (published_on, usd, quote) = last.ok_or(no_earlier)?;
        if !self.is_over(on) {
            return Err(not_final);
        }
        if let Some((missing_on, days)) = self.missing(add_days(published_on, 1).max(oldest), on) {
            return Err(Reason::RatesIncomplete { currency: local, on, missing_on, days });
        }
        if published_on < oldest {
            return Err(Reason::RateTooOld { currency: local, on, published_on });
        }
        let converted = convert_usd(usd_minor, usd, quote, local).map(|minor| Amount::new(minor, local));
        let (amount, nano) = converted
            .filter(Amount::can_be_kept)
            .zip(local_per_usd_nano(usd, quote))
            .ok_or(Reason::AmountTooLarge { currency: local })?;
        Ok((amount, FrozenRate { nano, published_on }))
    }

    /// Whether no file that may still come brings a rate of `local` for day `on`: the Bank published on every business
    /// day that would do, and this currency on none of them, because it has left the list (D4).
    #[must_use]
    pub fn never_of(&self, local: Currency, on: NaiveDate, max_age_days: u32) -> bool {
        let oldest = sub_days(on, max_age_days);
        let recent = self.last(local, on).is_some_and(|(day, ..)| day >= oldest);
        let open = self.open(local, oldest, on).is_some();
        !recent && !open && self.is_over(on) && self.missing(oldest, on).is_none()
    }

    /// The first and the last day of which rates are stored.
    #[must_use]
    pub fn reach(&self) -> Option<(NaiveDate, NaiveDate)> {
        self.published.first().copied().zip(self.published.last().copied())
    }

    /// The business days in between of which nothing is stored or said, in their order.
    #[must_use]
    pub fn holes(&self) -> Vec<NaiveDate> {
        self.reach().map_or_else(Vec::new, |(first, last)| self.unknown(first, last).collect())
    }

    /// The last day on or before `on` of which both the dollar and `local` are known, and their rates.
    fn last(&self, local: Currency, on: NaiveDate) -> Option<(NaiveDate, PerEuro, PerEuro)> {
        let dollars = self.days.get(&Currency::USD)?;
        if local == Currency::EUR {
            // The euro is quoted on every day that the dollar is.
            return dollars.range(..=on).next_back().map(|(day, usd)| (*day, *usd, PerEuro::ONE));
        }
        let mut earlier = self.days.get(&local)?.range(..=on).rev();
        earlier.find_map(|(day, quote)| dollars.get(day).map(|usd| (*day, *usd, *quote)))
    }

    /// Why a rate from `from` through `on` that `local` would have, with the dollar's, is none to grant at; of the latest.
    fn open(&self, local: Currency, from: NaiveDate, on: NaiveDate) -> Option<Reason> {
        let of = |currency: Currency| {
            let (day, open) = self.open.get(&currency)?.range(from..=on).next_back()?;
            Some((*day, currency, *open))
        };
        if from > on {
            return None;
        }
        let open = [of(local), of(Currency::USD)].into_iter().flatten().max_by_key(|(day, ..)| *day);
        open.map(|(day, currency, open)| match open {
            NoRate::Waits => Reason::RateHeld { currency, on, held_on: day },
            NoRate::TakenBack => Reason::RateTakenBack { currency, on, taken_on: day },
        })
    }

    /// Whether the Bank published on `on` or later, so that what it published before is out.
    fn is_over(&self, on: NaiveDate) -> bool {
        self.published.last().is_some_and(|last| *last >= on)
    }

    /// The first business day from `from` through `on` of which nothing is stored or said, and how many there are.
    fn missing(&self, from: NaiveDate, on: NaiveDate) -> Option<(NaiveDate, usize)> {
        let mut missing = self.unknown(from, on);
        let first = missing.next()?;
        Some((first, missing.count().saturating_add(1)))
    }

    fn unknown(&self, from: NaiveDate, through: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let known = |day: &NaiveDate| self.published.contains(day) || self.unpublished.contains(day);
        from.iter_days()
            .take_while(move |day| *day <= through)
            .filter(move |day| target::is_business_day(*day) && !known(day))
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

    fn waits(rates: &Rates, local: Currency, on: &str) -> &'static str {
        rates.convert(10_000, local, day(on), 7).map_or_else(|reason| reason.code(), |_| "granted")
    }

    #[test]
    fn f2_a_rate_that_waits_or_was_taken_back_holds_grants_at_it_and_no_others() {
        let sek = code("SEK");
        let days = [("2024-01-30", "1.0846", "11.297"), ("2024-02-01", "1.0814", "11.264")];
        let mut rates = published(&days);
        rates.publish(day("2024-01-31"));
        rates.insert(Currency::USD, day("2024-01-31"), PerEuro::parse("1.0837").unwrap());
        rates.hold(sek, day("2024-01-31"));
        let held =
            |on: &str, currency| Err(Reason::RateHeld { currency, on: day(on), held_on: day("2024-01-31") });
        assert_eq!(rates.convert(10_000, sek, day("2024-01-31"), 7), held("2024-01-31", sek));
        for (currency, on) in [(sek, "2024-01-30"), (sek, "2024-02-01"), (Currency::EUR, "2024-01-31")] {
            assert_eq!(waits(&rates, currency, on), "granted", "{currency} {on}");
        }
        assert!(!rates.never_of(sek, day("2024-01-31"), 0), "it may be admitted");
        rates.hold(Currency::USD, day("2024-02-01"));
        rates.days.get_mut(&Currency::USD).unwrap().remove(&day("2024-02-01"));
        assert_eq!(waits(&rates, Currency::EUR, "2024-02-01"), "rate_held");
        let mut taken = published(&days);
        taken.publish(day("2024-01-31"));
        taken.take_back(sek, day("2024-01-31"));
        assert_eq!(waits(&taken, sek, "2024-01-31"), "rate_taken_back");
        assert_eq!(waits(&taken, sek, "2024-02-01"), "granted");
        let mut alone = Rates::default();
        alone.publish(day("2024-02-02"));
        alone.hold(sek, day("2024-01-31"));
        assert_eq!(waits(&alone, sek, "2024-02-01"), "rate_held", "there is no older one");
        assert_eq!(waits(&alone, sek, "2024-02-08"), "no_earlier_rate", "it would be too old");
    }

    fn code(text: &str) -> Currency {
        Currency::parse(text).unwrap()
    }

    /// Rates of `currency` (units for a dollar's worth of euro) on these days, beside the dollar's.
    fn of(currency: &str, days: &[&str], others: &[&str]) -> Rates {
        let mut rates = Rates::default();
        for on in days {
            rates.insert(Currency::USD, day(on), PerEuro::parse("1.08").unwrap());
            rates.insert(code(currency), day(on), PerEuro::parse("11.2").unwrap());
        }
        for on in others {
            rates.insert(Currency::USD, day(on), PerEuro::parse("1.07").unwrap());
        }
        rates
    }

    #[test]
    fn d4_each_cause_of_waiting_is_a_reason_of_its_own() {
        let sek = code("SEK");
        let reason = |rates: &Rates, on: &str| rates.convert(10_000, sek, day(on), 7).unwrap_err();
        let (start, tuesday) = (day("2024-01-31"), day("2024-01-30"));
        let not_final = Reason::RateMissing { currency: sek, on: start };
        assert_eq!(reason(&Rates::default(), "2024-01-31"), not_final);
        for rates in [of("SEK", &["2024-02-01"], &["2024-01-31"]), of("SEK", &[], &["2024-01-30"])] {
            assert_eq!(reason(&rates, "2024-01-31"), Reason::NoEarlierRate { currency: sek, on: start });
        }
        let before = of("SEK", &["2024-01-30"], &[]);
        assert_eq!(reason(&before, "2024-01-31"), not_final);
        let hole = of("SEK", &["2024-01-26", "2024-02-01"], &[]);
        let incomplete = |missing_on: &str, days| Reason::RatesIncomplete {
            currency: sek,
            on: start,
            missing_on: day(missing_on),
            days,
        };
        assert_eq!(reason(&hole, "2024-01-31"), incomplete("2024-01-29", 3));
        let list_left = of("SEK", &["2024-01-23"], &["2024-01-24", "2024-01-25", "2024-01-26", "2024-01-29"]);
        let mut list_left = list_left;
        list_left.leave_out(tuesday);
        list_left.publish(start);
        let old = Reason::RateTooOld { currency: sek, on: start, published_on: day("2024-01-23") };
        assert_eq!(reason(&list_left, "2024-01-31"), old);
        let idr = code("IDR");
        let mut rates = of("IDR", &["2024-01-31"], &[]);
        rates.insert(idr, start, PerEuro::parse("17114.66").unwrap());
        let too_large = Err(Reason::AmountTooLarge { currency: idr });
        assert_eq!(rates.convert(i64::MAX, idr, start, 7), too_large);
        assert_eq!(
            rates.convert(100_000_000_000_000, idr, start, 7),
            too_large,
            "it fits, and twelve do not"
        );
        assert!(rates.convert(10_000, idr, start, 7).is_ok());
    }

    #[test]
    fn d4_a_rate_seven_days_old_will_do_where_the_bank_left_the_currency_out_since() {
        let since = ["2024-01-25", "2024-01-26", "2024-01-29", "2024-01-30", "2024-01-31", "2024-02-01"];
        let rates = of("SEK", &["2024-01-24"], &since);
        assert_eq!(waits(&rates, code("SEK"), "2024-01-31"), "granted");
        assert_eq!(waits(&rates, code("SEK"), "2024-02-01"), "rate_too_old");
        assert!(!rates.never_of(code("SEK"), day("2024-01-31"), 7));
        assert!(rates.never_of(code("SEK"), day("2024-02-01"), 7));
        assert!(rates.never_of(code("KRW"), day("2024-02-01"), 7), "it never was on the list");
        assert!(!rates.never_of(code("SEK"), day("2024-02-02"), 7), "it may come back on that day");
    }

    #[test]
    fn d4_the_last_day_of_kuna_is_final_though_the_bank_publishes_kuna_no_more() {
        let mut rates = Rates::default();
        rates.insert(Currency::USD, day("2022-12-30"), PerEuro::parse("1.0666").unwrap());
        rates.insert(code("HRK"), day("2022-12-30"), PerEuro::parse("7.5365").unwrap());
        assert_eq!(waits(&rates, code("HRK"), "2022-12-31"), "rate_missing");
        rates.publish(day("2023-01-02"));
        let (amount, rate) = rates.convert(10_000, code("HRK"), day("2022-12-31"), 7).unwrap();
        assert_eq!((amount.plain().as_str(), rate.published_on), ("706.59", day("2022-12-30")));
    }

    #[test]
    fn d4_a_business_day_that_is_missing_makes_a_rate_wait_until_it_is_stored_or_stated_as_unpublished() {
        let sek = code("SEK");
        let mut rates = published(&[("2024-01-30", "1.0846", "11.297"), ("2024-02-01", "1.0814", "11.264")]);
        assert_eq!(waits(&rates, sek, "2024-01-31"), "rates_incomplete");
        assert_eq!(waits(&rates, Currency::EUR, "2024-01-31"), "rates_incomplete");
        let mut stated = rates.clone();
        stated.leave_out(day("2024-01-31"));
        assert_eq!(stated.convert(10_000, sek, day("2024-01-31"), 7).unwrap().0.minor, 104_158);
        rates.insert(Currency::USD, day("2024-01-31"), PerEuro::parse("1.0837").unwrap());
        rates.insert(sek, day("2024-01-31"), PerEuro::parse("11.2682").unwrap());
        assert_eq!(rates.convert(10_000, sek, day("2024-01-31"), 7).unwrap().0.minor, 103_979);
        // Over Easter nothing is published from Friday to Monday.
        let easter = published(&[("2024-03-28", "1.08", "11.5"), ("2024-04-02", "1.07", "11.6")]);
        for holiday in ["2024-03-29", "2024-03-30", "2024-03-31", "2024-04-01"] {
            assert_eq!(
                easter.convert(10_000, sek, day(holiday), 7).unwrap().1.published_on,
                day("2024-03-28")
            );
        }
    }

    #[test]
    fn d4_a_day_of_whatever_currencies_makes_the_rate_before_it_final() {
        let mut rates = published(&[("2024-02-02", "1.0883", "11.2525")]);
        assert_eq!(waits(&rates, code("SEK"), "2024-02-03"), "rate_missing");
        rates.insert(code("NOK"), day("2024-02-05"), PerEuro::parse("11.4").unwrap());
        assert_eq!(waits(&rates, code("SEK"), "2024-02-03"), "granted");
        assert_eq!(waits(&rates, Currency::EUR, "2024-02-03"), "granted");
    }
}

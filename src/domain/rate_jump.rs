//! Whether a reference rate is plausible beside the one before it (D4, D16).

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::money::{Currency, PerEuro};

/// A rate of a day.
pub type DatedRate = (NaiveDate, PerEuro);

/// Whether `now` differs from `before` by more than `percent` of it.
#[must_use]
pub fn jumps(before: PerEuro, now: PerEuro, percent: u32) -> bool {
    let (before, now) = (i128::from(before.micro()), i128::from(now.micro()));
    now.abs_diff(before).saturating_mul(100) > before.unsigned_abs().saturating_mul(u128::from(percent))
}

/// A rate that differs greatly from the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Its currency.
    pub currency: Currency,
    /// The rate.
    pub rate: DatedRate,
    /// The one before.
    pub before: DatedRate,
    /// It waits for the operator; else its day is older than the newest that is stored, and it is taken.
    pub waits: bool,
}

/// Those of a currency's `fresh` rates that differ from the one before by more than `percent`. `taken` are the currency's
/// rates that are taken, as far back as the last before the first fresh one; what waits is no measure of what comes after it.
/// `newest` is the newest day that is stored; where none is, nothing waits: there is nothing to measure by.
#[must_use]
pub fn find(
    currency: Currency,
    fresh: &BTreeMap<NaiveDate, PerEuro>,
    taken: &BTreeMap<NaiveDate, PerEuro>,
    newest: Option<NaiveDate>,
    percent: u32,
) -> Vec<Jump> {
    let (mut measure, mut found) = (taken.clone(), Vec::new());
    for (on, rate) in fresh {
        let before = measure.range(..on).next_back().map(|(on, rate)| (*on, *rate));
        let before = before.filter(|(_, before)| jumps(*before, *rate, percent));
        let waits = before.is_some() && newest.is_some_and(|newest| *on > newest);
        found.extend(before.map(|before| Jump { currency, rate: (*on, *rate), before, waits }));
        if !waits {
            measure.insert(*on, *rate);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn rate(text: &str) -> PerEuro {
        PerEuro::parse(text).unwrap()
    }

    fn of(days: &[(&str, &str)]) -> BTreeMap<NaiveDate, PerEuro> {
        days.iter().map(|(on, is)| (day(on), rate(is))).collect()
    }

    #[test]
    fn f2_more_than_the_percentage_is_a_jump_in_either_direction_and_the_percentage_itself_is_none() {
        for (before, now, is) in [
            ("10", "12", false),
            ("10", "12.000001", true),
            ("10", "8", false),
            ("10", "7.999999", true),
            ("10", "10", false),
        ] {
            assert_eq!(jumps(rate(before), rate(now), 20), is, "{before} {now}");
        }
        assert!(jumps(rate("10"), rate("10.1"), 0) && !jumps(rate("10"), rate("10"), 0));
        let largest = PerEuro::from_micro(i64::MAX).unwrap();
        assert!(jumps(rate("0.000001"), largest, 10_000) && jumps(largest, rate("0.000001"), 99));
    }

    #[test]
    fn f2_d16_what_is_newer_than_all_waits_and_what_is_older_is_taken() {
        let currency = Currency::parse("SEK").unwrap();
        let taken = of(&[("2024-01-29", "11"), ("2024-02-02", "11")]);
        let fresh =
            of(&[("2024-01-31", "14"), ("2024-02-05", "14"), ("2024-02-06", "14"), ("2024-02-07", "11.1")]);
        let found = find(currency, &fresh, &taken, Some(day("2024-02-02")), 20);
        let told: Vec<_> = found.iter().map(|jump| (jump.rate.0, jump.before.0, jump.waits)).collect();
        assert_eq!(
            told,
            [
                (day("2024-01-31"), day("2024-01-29"), false),
                (day("2024-02-05"), day("2024-02-02"), true),
                // What waits is no measure: the day after it waits as well, and one back at the old rate does not.
                (day("2024-02-06"), day("2024-02-02"), true),
            ]
        );
        let first = find(currency, &fresh, &BTreeMap::new(), None, 20);
        assert!(!first.is_empty() && first.iter().all(|jump| !jump.waits), "nothing is stored to measure by");
    }
}

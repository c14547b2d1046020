//! What a period brings: its amount, less what silver brings beside it, in the currency of its partner (D4, D12).

use chrono::NaiveDate;

use super::{
    super::{
        core_difference::difference,
        held_back::Part,
        ledger::{EntryKind, FrozenRate, Transfer},
        money::{Amount, Currency},
        own_currency::{Exchange, currency_on},
        rate::Rates,
        reason::Reason,
    },
    Opening, Shape, Terms, original,
};

impl Terms {
    /// What period `number` brings of a credit that opens on `opens_on`: of gold, the difference to silver, taken before it
    /// is converted (D12).
    #[must_use]
    pub fn brings(&self, number: u32, opens_on: NaiveDate) -> Amount {
        match self.shape {
            Shape::Monthly(_) => self.left_on(self.period(number).from).0,
            Shape::Bulk => {
                let (first, later) = self.parts(opens_on);
                let minor = if number == 0 { first } else { later.get(&number).copied().unwrap_or(0) };
                Amount::new(minor, self.per_period.currency)
            }
        }
    }

    /// What is to be said on a day of what silver holds back of period `number` (D12).
    #[must_use]
    pub fn held(&self, number: u32, opens_on: NaiveDate, today: NaiveDate) -> Option<Reason> {
        match self.shape {
            Shape::Monthly(_) => self.left_on(self.period(number).from).1,
            Shape::Bulk => {
                let (first, later) = self.parts(opens_on);
                let came = later.iter().filter(|(number, _)| self.period(**number).from <= today);
                let all =
                    came.fold(first, |sum, (_, part)| sum.saturating_add(*part)) >= self.per_period.minor;
                let said = self.left_on(self.starts_on).1;
                said.filter(|said| !all || !matches!(said, Reason::HeldBack { .. }))
            }
        }
    }

    /// What silver leaves of it on a day, and what is said of the rest.
    pub(super) fn left_on(&self, day: NaiveDate) -> (Amount, Option<Reason>) {
        let part = if self.shape == Shape::Bulk { Part::bulk } else { Part::Period };
        difference(self.per_period, &self.beside, day, part)
    }

    /// What a grant that was made should be of, and its dollars, where silver leaves `left` of its period: other than it is
    /// where silver came or went since (D12).
    pub(in crate::domain) fn brings_of(
        &self,
        grant: &Transfer,
        left: Amount,
        rates: &Rates,
    ) -> (i64, Option<i64>) {
        let as_granted = (grant.amount.minor, grant.usd_minor);
        let Some(usd) = grant.usd_minor.filter(|_| left.currency == Currency::USD) else {
            let same = left.currency == grant.amount.currency && grant.usd_minor.is_none();
            return if same { (left.minor, None) } else { as_granted };
        };
        if left.minor == usd {
            return as_granted;
        }
        if grant.amount.currency == Currency::USD {
            return (left.minor, Some(left.minor));
        }
        let from = grant.period.from;
        let converted = rates.convert(left.minor, grant.amount.currency, from, self.max_rate_age_days);
        let minor =
            converted.map_or_else(|_| share(grant.amount.minor, left.minor, usd), |(amount, _)| amount.minor);
        (minor, Some(left.minor))
    }

    /// What so much of a grant comes to in the currency in which the credit is stated.
    pub(in crate::domain) fn stated(&self, grant: &Transfer, minor: i64) -> i64 {
        match grant.usd_minor {
            Some(usd) if grant.amount.currency != self.per_period.currency => {
                share(usd, minor, grant.amount.minor)
            }
            _ => minor,
        }
    }

    /// The grant of a period as the night of `today` sees it, or why it waits (D4, D14).
    pub(in crate::domain) fn grant(
        &self,
        number: u32,
        exchange: Exchange<'_>,
        opening: &Opening,
        today: NaiveDate,
    ) -> Result<Transfer, Reason> {
        let effective_on = match opening {
            Opening::AtStart => self.period(number).from,
            Opening::On(day) => *day,
            Opening::Blocked(reason) => return Err(reason.clone()),
        };
        self.grant_of(self.brings(number, effective_on), number, effective_on, exchange, today)
    }

    /// The grant of a period that brings `stated`.
    pub(in crate::domain) fn grant_of(
        &self,
        stated: Amount,
        number: u32,
        effective_on: NaiveDate,
        exchange: Exchange<'_>,
        today: NaiveDate,
    ) -> Result<Transfer, Reason> {
        let period = self.period(number);
        if stated.minor == 0 && self.per_period.minor > 0 {
            // Nothing needs no rate.
            let nothing = Amount::new(0, self.currency_of(number, exchange, today));
            return Ok(original(EntryKind::CreditGranted, number, period, effective_on, nothing));
        }
        let mut first = None;
        for local in exchange.currencies(self.local, period.from, today) {
            match self.amount_in(stated, local, period.from, exchange.rates) {
                Ok((amount, usd_minor, rate)) => {
                    let granted = original(EntryKind::CreditGranted, number, period, effective_on, amount);
                    return Ok(Transfer { usd_minor, rate, ..granted });
                }
                Err(reason) if self.never_in(local, period.from, exchange.rates) => {
                    first.get_or_insert(reason);
                }
                Err(reason) => return Err(reason),
            }
        }
        Err(first.unwrap_or(Reason::CurrencyNotAccepted { expected: self.local }))
    }

    /// What a period that starts on `from` and brings `stated` comes to in `local`, with its dollars and the rate where it
    /// was converted.
    pub(in crate::domain) fn amount_in(
        &self,
        stated: Amount,
        local: Currency,
        from: NaiveDate,
        rates: &Rates,
    ) -> Result<(Amount, Option<i64>, Option<FrozenRate>), Reason> {
        if stated.currency == local {
            return Ok((stated, (local == Currency::USD).then_some(stated.minor), None));
        }
        if stated.currency != Currency::USD {
            return Err(Reason::CurrencyNotAccepted { expected: local });
        }
        let (amount, rate) = rates.convert(stated.minor, local, from, self.max_rate_age_days)?;
        Ok((amount, Some(stated.minor), Some(rate)))
    }

    /// Whether a period that starts on `from` can never be granted in `local`: the amount is in another currency that is
    /// not converted, or the Bank publishes no rate for it any more.
    pub(in crate::domain) fn never_in(&self, local: Currency, from: NaiveDate, rates: &Rates) -> bool {
        match self.per_period.currency {
            stated if stated == local => false,
            Currency::USD => rates.never_of(local, from, self.max_rate_age_days),
            _ => true,
        }
    }

    /// The currency that a period which is not granted yet will be in, as far as the night of `today` sees.
    #[must_use]
    pub fn currency_of(&self, number: u32, exchange: Exchange<'_>, today: NaiveDate) -> Currency {
        let from = self.period(number).from;
        let mut open = exchange.currencies(self.local, from, today);
        let first = currency_on(self.local, exchange.changes, from);
        open.find(|local| !self.never_in(*local, from, exchange.rates)).unwrap_or(first)
    }
}

/// `minor` × `part` ÷ `whole`, rounded down; 0 where that is no number.
fn share(minor: i64, part: i64, whole: i64) -> i64 {
    let product = i128::from(minor).saturating_mul(i128::from(part));
    product.checked_div(i128::from(whole)).and_then(|minor| i64::try_from(minor).ok()).unwrap_or(0)
}

//! Azure credit: what a period grants, draws, loses and gives back (R1, R2, D2, D3, D7, D15).
//!
//! [`advance`] is what every night does: close the period that is over, grant the one that starts. What late facts change
//! of what is booked is settled ([`super::settlement`]).

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{
    agreement::{self, KnownExclusion},
    calendar::{Period, PeriodScheme, add_days, days_between, period, sub_days},
    core_difference::{self, Beside},
    ledger::{Booked, EntryKind, Transfer},
    money::{Amount, Currency},
    own_currency::Exchange,
    reason::Reason,
};

/// How a credit is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every period, to be spent in it (R1).
    Monthly(PeriodScheme),
    /// Once, to be spent until the entitlement ends, grace included (R2).
    Bulk,
}

/// How an entitlement ended, as far as its credit is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditEnd {
    /// Last usable day.
    pub on: NaiveDate,
    /// Refunded: unspent credit goes back instead of lapsing (D7).
    pub refunded: bool,
}

/// Everything that decides one entitlement's credit, apart from rates, usage and the date.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Monthly or bulk.
    pub shape: Shape,
    /// The anchor of its periods (D2).
    pub starts_on: NaiveDate,
    /// Last usable day as the file says it.
    pub expires_on: NaiveDate,
    /// Last usable day, grace included (D5).
    pub last_usable_on: NaiveDate,
    /// AD of its membership: no period that starts on it or later is granted (D3).
    pub anniversary_on: NaiveDate,
    /// Set once it has ended.
    pub ended: Option<CreditEnd>,
    /// Amount × quantity, as the file or the catalogue states it (D12).
    pub per_period: Amount,
    /// Of gold's core credit: what silver brings beside it (D12).
    pub beside: Vec<Beside>,
    /// The partner's currency before any change of it.
    pub local: Currency,
    /// The most grants in a membership year (policy, 12).
    pub periods_in_a_year: u32,
    /// The most days by which a rate may be older than the period's start (policy, D4).
    pub max_rate_age_days: u32,
}

/// Where an entitlement stands: one row of `credit_schedule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The period to be granted next; the one before it is open.
    pub next_period: u32,
    /// The next day on which something is to be done; `None`: nothing before it ends.
    pub next_on: Option<NaiveDate>,
    /// Minor units unspent of the open period.
    pub open_minor: i64,
    /// The currency that the open period was granted in; `None`: none was.
    pub currency: Option<Currency>,
    /// Why a due grant waits.
    pub waits: Option<Reason>,
    /// What silver holds back of the open period, or that it cannot be compared (D12).
    pub held: Option<Reason>,
    /// How its time is cut into periods, frozen with the first that was granted or gone by (D2); `None`: none was.
    pub scheme: Option<PeriodScheme>,
}

/// From when a credit may be granted: bulk credit not while an agreement excludes it (R2, D14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// From its start: no agreement excludes it then, or it is monthly credit, which none excludes.
    AtStart,
    /// From that day, the first on which nothing excludes it.
    On(NaiveDate),
    /// Not by this night, and why.
    Blocked(Reason),
}

impl Terms {
    /// Credit period `number`: it ends at its own end or with the last usable day, whichever is earlier; grace prolongs
    /// bulk credit, never a month (D2). One that begins later still is none that is granted, and is told whole.
    #[must_use]
    pub fn period(&self, number: u32) -> Period {
        match self.shape {
            Shape::Monthly(scheme) => {
                let whole = period(scheme, self.starts_on, number);
                let over_on = add_days(self.last_day_before_grace(), 1);
                let until = if whole.from < over_on { whole.until.min(over_on) } else { whole.until };
                Period { until, ..whole }
            }
            // What silver held back of it is numbered by the days from its start (D12).
            Shape::Bulk => {
                Period { from: add_days(self.starts_on, number), until: add_days(self.last_usable_on, 1) }
            }
        }
    }

    /// How its time is cut into periods; bulk credit's is not.
    #[must_use]
    pub const fn scheme(&self) -> Option<PeriodScheme> {
        match self.shape {
            Shape::Monthly(scheme) => Some(scheme),
            Shape::Bulk => None,
        }
    }

    /// The last usable day, were there no grace and no other end.
    fn last_day_before_grace(&self) -> NaiveDate {
        self.expires_on.min(sub_days(self.anniversary_on, 1))
    }

    /// The terms under the scheme that what is booked was cut by, which no change of policy moves (D2). Where several fit,
    /// they are the same for every period there is.
    #[must_use]
    pub fn as_booked(&self, booked: &[Booked]) -> Self {
        let last = booked.iter().map(|b| &b.transfer).max_by_key(|t| t.period_no);
        let (Some(last), Shape::Monthly(_)) = (last, self.shape) else { return self.clone() };
        let fits = |scheme: &PeriodScheme| {
            let whole = period(*scheme, self.starts_on, last.period_no);
            let cut = Self { shape: Shape::Monthly(*scheme), ..self.clone() }.period(last.period_no);
            whole.from == last.period.from
                && (last.period_no > 0 || [whole.until, cut.until].contains(&last.period.until))
        };
        let scheme = [PeriodScheme::Anniversary, PeriodScheme::Calendar].into_iter().find(fits);
        scheme.map_or_else(|| self.clone(), |scheme| Self { shape: Shape::Monthly(scheme), ..self.clone() })
    }

    /// Whether period `number` is ever granted (D3): it starts by the last usable day, before AD and before
    /// any end, and is one of the year's.
    #[must_use]
    pub fn grants(&self, number: u32) -> bool {
        self.grants_on(number, self.period(number).from)
    }

    /// Whether period `number` is granted with effect from `day`.
    pub(super) fn grants_on(&self, number: u32, day: NaiveDate) -> bool {
        self.is_of_the_year(number) && day <= self.last_grant_on()
    }

    /// Whether period `number` is one of those that a membership year may have (D3).
    fn is_of_the_year(&self, number: u32) -> bool {
        match self.shape {
            Shape::Monthly(_) => number < self.periods_in_a_year,
            Shape::Bulk => number == 0,
        }
    }

    /// Whether it is bulk credit of which silver may hold a part back (D12).
    #[must_use]
    pub fn comes_in_parts(&self) -> bool {
        self.shape == Shape::Bulk && !self.beside.is_empty()
    }

    /// Of bulk credit that opens on a day: what it brings then, and what silver held back and brings later by the days from
    /// its start. Silver that runs on its first day takes its amount off, until it ends (D12).
    pub(super) fn parts(&self, opens_on: NaiveDate) -> (i64, BTreeMap<u32, i64>) {
        let left = |day| self.left_on(day).0.minor;
        let (mut first, mut later) = (left(self.starts_on), BTreeMap::new());
        let mut sum = first;
        for day in core_difference::changes(&self.beside, self.starts_on, self.last_grant_on()) {
            let more = left(day).saturating_sub(sum).max(0);
            sum = sum.saturating_add(more);
            let number = u32::try_from(days_between(self.starts_on, day)).unwrap_or(0);
            if day <= opens_on {
                first = sum;
            } else if more > 0 && i16::try_from(number).is_ok() {
                later.insert(number, more);
            }
        }
        (first, later)
    }

    /// The first day after `day` on which a part of bulk credit comes that opened on `opens_on`.
    #[must_use]
    pub fn next_part_on(&self, opens_on: NaiveDate, after: NaiveDate) -> Option<NaiveDate> {
        let parts = self.parts(opens_on).1;
        parts.keys().map(|number| self.period(*number).from).find(|day| after < *day)
    }

    /// The last day on which a grant takes effect: the last usable one, before AD, by any end.
    pub(super) fn last_grant_on(&self) -> NaiveDate {
        let last = self.last_day_before_grace();
        self.ended.map_or(last, |end| end.on.min(last))
    }

    /// From when the credit may be granted as far as the night of `today` sees, if it became known on `known_on` (D14).
    #[must_use]
    pub fn opening(&self, standing: &[KnownExclusion], known_on: NaiveDate, today: NaiveDate) -> Opening {
        if self.shape != Shape::Bulk {
            return Opening::AtStart;
        }
        let through = self.last_grant_on().min(today);
        match agreement::first_open(standing, self.starts_on, through, known_on) {
            Ok(day) if day == self.starts_on => Opening::AtStart,
            Ok(day) => Opening::On(day),
            Err(agreement) => {
                let seen: Vec<_> =
                    standing.iter().map(|s| &s.exclusion).filter(|e| e.from <= today).cloned().collect();
                let reason = agreement::blocks(&seen, through, self.last_grant_on());
                Opening::Blocked(reason.unwrap_or(Reason::BulkBlocked { agreement, earliest_on: None }))
            }
        }
    }

    /// The number of the period that a day lies in, granted or not; `None` before the start.
    #[must_use]
    pub fn period_of(&self, day: NaiveDate) -> Option<u32> {
        if day < self.starts_on {
            return None;
        }
        match self.shape {
            Shape::Bulk => Some(0),
            Shape::Monthly(scheme) => {
                (0..12_000).find(|number| period(scheme, self.starts_on, *number).contains(day))
            }
        }
    }

    /// The first day on which what is unspent of `period` cannot be spent any more; `None`: no such day is known.
    pub(super) fn closes_on(&self, period: Period) -> Option<NaiveDate> {
        // What is refunded goes back on the day itself (D7).
        let ended = self.ended.map(|end| if end.refunded { end.on } else { add_days(end.on, 1) });
        match self.shape {
            Shape::Bulk => ended,
            Shape::Monthly(_) => Some(ended.map_or(period.until, |day| day.min(period.until))),
        }
    }

    /// How the rest of `period` is closed: kind and date.
    pub(super) fn closing(&self, period: Period) -> Option<(EntryKind, NaiveDate)> {
        match self.ended {
            Some(end) if end.refunded && period.until > end.on => Some((EntryKind::CreditReversed, end.on)),
            _ => self.closes_on(period).map(|day| (EntryKind::CreditLapsed, day)),
        }
    }

    /// The last day on which credit is drawn, grace included.
    pub(super) fn last_day(&self) -> NaiveDate {
        self.ended.map_or(self.last_usable_on, |end| end.on)
    }
}

impl Schedule {
    /// Where a new entitlement starts; from `not_before` on when earlier periods are not granted (policy `backdate`).
    /// Whether that period is granted is seen when it is due: the year may have moved until then.
    #[must_use]
    pub fn new(terms: &Terms, not_before: Option<NaiveDate>) -> Self {
        let first = not_before.and_then(|day| terms.period_of(day)).unwrap_or(0);
        Self { next_period: first, ..Self::once(terms.period(first).from) }
    }

    /// The schedule of something that is granted once, at its start.
    #[must_use]
    pub const fn once(starts_on: NaiveDate) -> Self {
        Self {
            next_period: 0,
            next_on: Some(starts_on),
            open_minor: 0,
            currency: None,
            waits: None,
            held: None,
            scheme: None,
        }
    }
}

/// An original transfer of `kind`.
pub(super) fn original(
    kind: EntryKind,
    period_no: u32,
    period: Period,
    effective_on: NaiveDate,
    amount: Amount,
) -> Transfer {
    let (from, to) = kind.accounts();
    Transfer {
        kind,
        from,
        to,
        period_no,
        period,
        effective_on,
        amount,
        usd_minor: None,
        rate: None,
        usage_id: None,
        corrects: None,
    }
}

/// Brings an entitlement up to the night of `today`: whatever closes or starts by then, in order, under its own dates.
/// Bulk credit is granted from its `opening`, and not at all if it ends before (D14).
///
/// What silver held back of bulk credit is settled when it is due ([`super::settlement`], D12).
///
/// Pushes the transfers onto `out` and returns the schedule after them; `None`: nothing is to come.
/// A period of which nothing is left is granted nothing, and told in `held` (D12). Run again with the result it does nothing.
#[must_use]
pub fn advance(
    terms: &Terms,
    mut schedule: Schedule,
    exchange: Exchange<'_>,
    opening: &Opening,
    today: NaiveDate,
    out: &mut Vec<Transfer>,
    held: &mut Vec<Reason>,
) -> Option<Schedule> {
    while let Some(due_on) = schedule.next_on
        && due_on <= today
    {
        if let Some(open) = schedule.next_period.checked_sub(1) {
            close(terms, open, &mut schedule, out);
        }
        let lost = terms.ended.is_some() && matches!(opening, Opening::Blocked(_));
        if lost || !terms.grants(schedule.next_period) {
            return None;
        }
        let grant = match terms.grant(schedule.next_period, exchange, opening, today) {
            Ok(grant) => grant,
            Err(reason) => {
                schedule.waits = Some(reason);
                break;
            }
        };
        schedule.waits = None;
        schedule.scheme = terms.scheme();
        schedule.held = terms.held(schedule.next_period, grant.effective_on, grant.effective_on);
        schedule.open_minor = grant.amount.minor;
        schedule.currency = Some(grant.amount.currency);
        schedule.next_on = terms.closes_on(grant.period);
        schedule.next_period = schedule.next_period.saturating_add(1);
        if grant.amount.minor > 0 {
            out.push(grant);
        } else {
            held.extend(schedule.held.clone());
        }
    }
    Some(schedule)
}

/// Closes the open period of an entitlement that has ended (D6); the rest of its schedule, if any, stays.
#[must_use]
pub fn end(terms: &Terms, mut schedule: Schedule, out: &mut Vec<Transfer>) -> Option<Schedule> {
    if let Some(open) = schedule.next_period.checked_sub(1) {
        close(terms, open, &mut schedule, out);
    }
    // Periods that started before the end and are not granted yet still come, under their own dates.
    terms.grants(schedule.next_period).then_some(schedule)
}

fn close(terms: &Terms, number: u32, schedule: &mut Schedule, out: &mut Vec<Transfer>) {
    let period = terms.period(number);
    if schedule.open_minor > 0
        && let Some((kind, on)) = terms.closing(period)
    {
        let currency = schedule.currency.unwrap_or(terms.local);
        out.push(original(kind, number, period, on, Amount::new(schedule.open_minor, currency)));
        schedule.open_minor = 0;
    }
}

mod amount;
#[cfg(test)]
mod tests;
mod to_come;

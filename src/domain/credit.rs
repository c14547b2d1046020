//! Azure credit: what a period grants, draws, loses and gives back (R1, R2, D2, D3, D7, D15).
//!
//! [`advance`] is what every night does: close the period that is over, grant the one that starts.
//! [`settle`] works out what all known facts say an entitlement's periods should hold, and compares it with what
//! is booked. It books the difference, so the ledger ends the same in whatever order and
//! however late facts arrive. Both only read and add: a wrong entry is corrected by one that names it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    agreement::{self, KnownExclusion},
    calendar::{Period, PeriodScheme, add_days, period, sub_days},
    core_difference::Beside,
    ledger::{Account, Booked, EntryKind, Transfer, corrections, latest, net},
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
pub struct End {
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
    pub ended: Option<End>,
    /// Amount × quantity, as the file or the catalogue states it (D12).
    pub per_period: Amount,
    /// Of gold's monthly core credit: what silver brings beside it (D12).
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

/// Usage of credit on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Its number in the store.
    pub usage_id: i64,
    /// The partner's reference.
    pub reference: String,
    /// The day that decides the period (D15).
    pub used_on: NaiveDate,
    /// How much, in the currency of the period's grant, or it draws nothing.
    pub amount: Amount,
}

/// What [`settle`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Usage that is booked now; the rest waits for its grant.
    pub usage_ids: Vec<i64>,
    /// Unspent, by period, of periods that are still open.
    pub open: Vec<(u32, Amount)>,
    /// Taken back in all periods together, by currency.
    pub reversed: BTreeMap<Currency, i64>,
    /// Spent in all periods together, by currency.
    pub spent: BTreeMap<Currency, i64>,
    /// Why a grant that is missing waits: it is settled again.
    pub waits: Option<Reason>,
}

impl Settled {
    fn add(sums: &mut BTreeMap<Currency, i64>, minor: i64, currency: Currency) {
        let sum = sums.entry(currency).or_default();
        *sum = sum.saturating_add(minor);
    }
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
            Shape::Bulk => Period { from: self.starts_on, until: add_days(self.last_usable_on, 1) },
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
    fn grants_on(&self, number: u32, day: NaiveDate) -> bool {
        self.is_of_the_year(number) && day <= self.last_grant_on()
    }

    /// Whether period `number` is one of those that a membership year may have (D3).
    fn is_of_the_year(&self, number: u32) -> bool {
        match self.shape {
            Shape::Monthly(_) => number < self.periods_in_a_year,
            Shape::Bulk => number == 0,
        }
    }

    /// The last day on which a grant takes effect: the last usable one, before AD, by any end.
    fn last_grant_on(&self) -> NaiveDate {
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
    fn closes_on(&self, period: Period) -> Option<NaiveDate> {
        // What is refunded goes back on the day itself (D7).
        let ended = self.ended.map(|end| if end.refunded { end.on } else { add_days(end.on, 1) });
        match self.shape {
            Shape::Bulk => ended,
            Shape::Monthly(_) => Some(ended.map_or(period.until, |day| day.min(period.until))),
        }
    }

    /// How the rest of `period` is closed: kind and date.
    fn closing(&self, period: Period) -> Option<(EntryKind, NaiveDate)> {
        match self.ended {
            Some(end) if end.refunded && period.until > end.on => Some((EntryKind::CreditReversed, end.on)),
            _ => self.closes_on(period).map(|day| (EntryKind::CreditLapsed, day)),
        }
    }

    /// The last day on which credit is drawn, grace included.
    fn last_day(&self) -> NaiveDate {
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
fn original(
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
        schedule.held = terms.brings(schedule.next_period).1;
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

/// What [`settle`] settles one entitlement by, apart from its terms.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Where it stands; `None`: nothing is to come.
    pub schedule: Option<&'a Schedule>,
    /// What is booked of it.
    pub booked: &'a [Booked],
    /// All its usage by `today`.
    pub usage: &'a [Usage],
    /// Its order's year moved, or silver came or went beside gold: dates and grants are settled as well (D12, D16).
    pub moved: bool,
    /// The first period that may be granted (policy `backdate`).
    pub first: u32,
    /// What missing grants are converted by.
    pub exchange: Exchange<'a>,
    /// The night.
    pub today: NaiveDate,
}

/// What the facts known on `today` say all granted periods should hold, booked as the difference to what is.
///
/// Usage draws in the order of its dates, then references; what is beyond the grant, or dated before it took effect or
/// after the last usable day, becomes overage (D15). Usage in a closed period corrects the lapse. After a refund, later grants are reversed
/// whole (D7). Usage of a period that the schedule has still to come to waits for its grant. Where the order's year moved,
/// a grant that no longer has a place in it is reversed, but for what was spent, and comes back once it has one again (D16).
#[must_use]
pub fn settle(terms: &Terms, facts: &Facts<'_>, out: &mut Vec<Transfer>) -> Settled {
    let mut settled = Settled::default();
    let mut usage: Vec<_> =
        facts.usage.iter().filter_map(|u| terms.period_of(u.used_on).map(|number| (number, u))).collect();
    usage.sort_by(|(a, x), (b, y)| (a, x.used_on, &x.reference).cmp(&(b, y.used_on, &y.reference)));
    let gone_by = facts.schedule.map_or(terms.periods_in_a_year, |schedule| schedule.next_period);
    let held_back = if facts.moved && terms.scheme().is_some() { facts.first..gone_by } else { 0..0 };
    let numbers: BTreeSet<u32> = facts
        .booked
        .iter()
        .map(|b| b.transfer.period_no)
        .chain(usage.iter().map(|(number, _)| *number))
        .chain(held_back)
        .collect();
    for number in numbers {
        let of_period: Vec<&Usage> = usage.iter().filter(|(n, _)| *n == number).map(|(_, u)| *u).collect();
        Books { terms, facts, number }.settle(&of_period, &mut settled, out);
    }
    settled
}

/// Where an entitlement stands whose order's year moved, as far as is known of it: the open period may close on another
/// day, and periods may be to come again (D16). Where nothing was granted it is `first`, as it began.
#[must_use]
pub fn reschedule(
    terms: &Terms,
    schedule: Option<&Schedule>,
    booked: &[Booked],
    first: &Schedule,
) -> Schedule {
    let last_booked = booked.iter().map(|b| b.transfer.period_no.saturating_add(1)).max();
    let Some(next_period) = schedule.map(|schedule| schedule.next_period).or(last_booked) else {
        return first.clone();
    };
    let begun = !booked.is_empty() || schedule.is_some_and(|schedule| schedule.scheme.is_some());
    let Some(open) = next_period.checked_sub(1).filter(|_| begun) else {
        return schedule.unwrap_or(first).clone();
    };
    let waits = schedule.and_then(|schedule| schedule.waits.clone());
    let next_on = terms.closes_on(terms.period(open));
    let held = terms.brings(open).1;
    let granted = booked.iter().map(|b| &b.transfer).find(|t| t.period_no == open);
    let currency =
        granted.map(|t| t.amount.currency).or_else(|| schedule.and_then(|schedule| schedule.currency));
    Schedule { next_period, next_on, open_minor: 0, currency, waits, held, scheme: terms.scheme() }
}

/// Whether a period was closed before, whatever became of that since.
#[must_use]
pub fn was_closed(number: u32, booked: &[Booked]) -> bool {
    let closes = |kind| matches!(kind, EntryKind::CreditLapsed | EntryKind::CreditReversed);
    booked
        .iter()
        .map(|b| &b.transfer)
        .any(|t| t.period_no == number && t.corrects.is_none() && closes(t.kind))
}

/// One period of one entitlement, as booked.
struct Books<'a> {
    terms: &'a Terms,
    facts: &'a Facts<'a>,
    number: u32,
}

/// An entry that there should be.
struct Wanted {
    kind: EntryKind,
    usage_id: Option<i64>,
    on: NaiveDate,
    amount: Amount,
    /// The dollars of a grant.
    usd: Option<i64>,
}

impl Books<'_> {
    fn original(&self, kind: EntryKind, usage_id: Option<i64>) -> Option<&Booked> {
        self.facts.booked.iter().find(|b| {
            let t = &b.transfer;
            t.period_no == self.number && t.kind == kind && t.usage_id == usage_id && t.corrects.is_none()
        })
    }

    /// What was drawn of the period for a usage.
    fn drawn(&self, usage: &Usage) -> i64 {
        let original = self.original(EntryKind::CreditUsed, Some(usage.usage_id));
        original.map_or(0, |original| net(original, self.facts.booked))
    }

    fn settle(&self, usage: &[&Usage], settled: &mut Settled, out: &mut Vec<Transfer>) {
        let terms = self.terms;
        let grant = self.original(EntryKind::CreditGranted, None);
        let stands = grant.map(|grant| latest(grant, self.facts.booked));
        let period =
            stands.filter(|_| !self.facts.moved).map_or_else(|| terms.period(self.number), |t| t.period);
        let opened_on = stands.map_or(period.from, |t| t.effective_on);
        // What was granted stands whatever the policy says of the number of periods since.
        let stays = opened_on <= terms.last_grant_on();
        let to_come = self.facts.schedule.is_some_and(|schedule| self.number >= schedule.next_period);
        if grant.is_none() && to_come && terms.grants_on(self.number, opened_on) {
            return; // its usage waits for the grant
        }
        // An end takes a later grant back whole (D7); where the year moved, what was spent stays spent (D16).
        let undone = terms.ended.is_some_and(|end| opened_on > end.on);
        let spent = |u: &Usage| if undone { 0 } else { self.drawn(u) };
        let missing = if grant.is_none() { self.missing(settled) } else { None };
        let made = grant.map(|grant| &grant.transfer).or(missing.as_ref());
        let given = made.map_or(Amount::new(0, terms.local), |made| made.amount);
        let of = |minor| Amount::new(minor, given.currency);
        let kept = usage.iter().fold(0_i64, |sum, u| sum.saturating_add(spent(u)));
        let (granted, usd) = match grant {
            None => (given.minor, None),
            Some(_) if !stays => (kept.min(given.minor), None),
            Some(grant) => self.granted(&grant.transfer, kept),
        };
        let mut wanted = Vec::new();
        if grant.is_some() {
            let (kind, amount) = (EntryKind::CreditGranted, of(granted));
            wanted.push(Wanted { kind, usage_id: None, on: opened_on, amount, usd });
        }
        out.extend(missing);
        let mut left = granted;
        for u in usage {
            let drawn = if self.draws(u, opened_on, period, spent(u)) && u.amount.currency == given.currency {
                u.amount.minor.min(left)
            } else {
                0
            };
            left = left.saturating_sub(drawn);
            let over = Amount::new(u.amount.minor.saturating_sub(drawn), u.amount.currency);
            for (kind, amount) in [(EntryKind::CreditUsed, of(drawn)), (EntryKind::CreditOverage, over)] {
                wanted.push(Wanted { kind, usage_id: Some(u.usage_id), on: u.used_on, amount, usd: None });
            }
            settled.usage_ids.push(u.usage_id);
            Settled::add(&mut settled.spent, drawn, given.currency);
        }
        let closing = terms.closing(period).filter(|(_, on)| *on <= self.facts.today);
        for kind in [EntryKind::CreditLapsed, EntryKind::CreditReversed] {
            let (on, minor) =
                closing.map_or((period.from, 0), |(k, on)| (on, if k == kind { left } else { 0 }));
            wanted.push(Wanted { kind, usage_id: None, on, amount: of(minor), usd: None });
        }
        match closing {
            Some((EntryKind::CreditReversed, _)) => Settled::add(&mut settled.reversed, left, given.currency),
            Some(_) => {}
            None => settled.open.push((self.number, of(left))),
        }
        if !stays {
            let back = given.minor.saturating_sub(granted);
            Settled::add(&mut settled.reversed, back, given.currency);
        }
        self.book(period, &wanted, out);
    }

    /// Whether a usage draws from what was granted: it is in time, or was when `spent` was drawn, and is not since the year
    /// moved: no end came before it.
    fn draws(&self, usage: &Usage, opened_on: NaiveDate, period: Period, spent: i64) -> bool {
        let on = usage.used_on;
        let in_time = opened_on <= on && on < period.until && on <= self.terms.last_day();
        in_time || spent > 0 && self.terms.ended.is_none_or(|end| on <= end.on)
    }

    /// What a grant should be of, with its dollars, and never less than what was spent of it (D12, D16).
    fn granted(&self, grant: &Transfer, kept: i64) -> (i64, Option<i64>) {
        let (minor, usd) = self.terms.brings_of(grant, self.facts.exchange.rates);
        if minor < kept { (kept, None) } else { (minor, usd) }
    }

    /// The grant of a period that went by with nothing granted, and brings something now that silver does not hold it back
    /// any more (D12).
    fn missing(&self, settled: &mut Settled) -> Option<Transfer> {
        let facts = self.facts;
        let gone_by = facts.schedule.is_none_or(|schedule| self.number < schedule.next_period);
        if !facts.moved || !gone_by || self.number < facts.first || !self.terms.grants(self.number) {
            return None;
        }
        match self.terms.grant(self.number, facts.exchange, &Opening::AtStart, facts.today) {
            Ok(grant) => Some(grant).filter(|grant| grant.amount.minor > 0),
            Err(reason) => {
                settled.waits = Some(reason);
                None
            }
        }
    }

    /// What is given comes first, so that no account is ever overdrawn by the order of entries.
    fn book(&self, period: Period, wanted: &[Wanted], out: &mut Vec<Transfer>) {
        let mut entries = Vec::new();
        for Wanted { kind, usage_id, on, amount, usd } in wanted {
            match self.original(*kind, *usage_id) {
                Some(booked) => self.correct(booked, (period, *on, *usd), amount.minor, &mut entries),
                None if amount.minor > 0 => {
                    let transfer = original(*kind, self.number, period, *on, *amount);
                    entries.push(Transfer { usage_id: *usage_id, ..transfer });
                }
                None => {}
            }
        }
        entries.sort_by_key(|entry| entry.to != Account::Available);
        out.append(&mut entries);
    }

    /// Corrections that bring an entry to `minor`, and, where the year moved, to its dates: it is taken back whole and
    /// booked under the right ones.
    fn correct(
        &self,
        wrong: &Booked,
        (period, on, usd): (Period, NaiveDate, Option<i64>),
        minor: i64,
        out: &mut Vec<Transfer>,
    ) {
        let standing = net(wrong, self.facts.booked);
        let latest = latest(wrong, self.facts.booked);
        let usd_minor = usd.or(latest.usd_minor);
        let dated = Transfer { period, effective_on: on, usd_minor, ..latest.clone() };
        let same = (dated.period, dated.effective_on, dated.usd_minor)
            == (latest.period, latest.effective_on, latest.usd_minor);
        let redate = self.facts.moved && !same && minor > 0;
        let mut nth = u32::try_from(corrections(wrong, self.facts.booked).count()).unwrap_or(u32::MAX);
        let mut correct = |as_of: &Transfer, difference: i64| {
            if difference == 0 {
                return;
            }
            nth = nth.saturating_add(1);
            out.push(correction(wrong, as_of, difference, nth));
        };
        if redate {
            let (first, second) = ((&dated, minor), (latest, standing.saturating_neg()));
            let gives = wrong.transfer.to == Account::Available;
            let (first, second) = if gives { (first, second) } else { (second, first) };
            correct(first.0, first.1);
            correct(second.0, second.1);
        } else {
            correct(latest, minor.saturating_sub(standing));
        }
    }
}

/// A correction of `wrong` by a difference, under the dates of `as_of`.
fn correction(wrong: &Booked, as_of: &Transfer, difference: i64, nth: u32) -> Transfer {
    let t = &wrong.transfer;
    let (from, to) = if difference < 0 { (t.to, t.from) } else { (t.from, t.to) };
    let kind = if t.kind == EntryKind::CreditGranted { EntryKind::CreditReversed } else { t.kind };
    let amount = Amount::new(difference.saturating_abs(), t.amount.currency);
    Transfer { kind, from, to, amount, corrects: Some((wrong.transfer_id, nth)), ..as_of.clone() }
}

mod amount;
#[cfg(test)]
mod tests;

//! What late facts change of a credit (D7, D15, D16): [`settle`] works out what all known facts say an entitlement's periods
//! should hold, compares it with what is booked, and books the difference. So the ledger ends the same in whatever order
//! and however late facts arrive. It only reads and adds: a wrong entry is corrected by one that names it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    calendar::Period,
    credit::{Schedule, Shape, Terms, original},
    id::UsageNo,
    ledger::{Account, Booked, EntryKind, Transfer, corrections, latest, net},
    money::{Amount, Currency},
    own_currency::Exchange,
    reason::Reason,
};

/// Usage of credit on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Its number in the store.
    pub usage_id: UsageNo,
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
    pub usage_ids: Vec<UsageNo>,
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

/// What [`settle`] settles one entitlement by, apart from its terms.
#[derive(Clone, Copy, Debug)]
pub struct SettlementFacts<'a> {
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
pub fn settle(terms: &Terms, facts: &SettlementFacts<'_>, out: &mut Vec<Transfer>) -> Settled {
    let mut settled = Settled::default();
    let mut usage: Vec<_> =
        facts.usage.iter().filter_map(|u| terms.period_of(u.used_on).map(|number| (number, u))).collect();
    usage.sort_by(|(a, x), (b, y)| (a, x.used_on, &x.reference).cmp(&(b, y.used_on, &y.reference)));
    let gone_by = facts.schedule.map_or(terms.periods_in_a_year, |schedule| schedule.next_period);
    let held_back = if facts.moved && terms.scheme().is_some() { facts.first..gone_by } else { 0..0 };
    let opens_on = opens_on(terms, facts.booked);
    let numbers: BTreeSet<u32> = facts
        .booked
        .iter()
        .map(|b| b.transfer.period_no)
        .chain(usage.iter().map(|(number, _)| *number))
        .chain(held_back)
        .chain(parts_by(terms, facts, opens_on))
        .collect();
    if terms.shape == Shape::Bulk {
        parts(terms, facts, opens_on, &numbers, &usage, &mut settled, out);
        return settled;
    }
    for number in numbers {
        let of_period = usage.iter().filter(|(n, _)| *n == number);
        let of_period: Vec<Drawing<'_>> = of_period.map(|(_, u)| Drawing::all(u)).collect();
        PeriodBooked { terms, facts, opens_on, number, less: 0 }.settle(&of_period, &mut settled, out);
    }
    settled
}

/// The day with effect from which the first grant of a credit stands; where none was made, its start.
#[must_use]
pub fn opens_on(terms: &Terms, booked: &[Booked]) -> NaiveDate {
    let mut grants = booked.iter().filter(|b| b.transfer.kind == EntryKind::CreditGranted);
    let first = grants.find(|b| b.transfer.period_no == 0 && b.transfer.corrects.is_none());
    first.map_or(terms.starts_on, |grant| latest(grant, booked).effective_on)
}

/// The parts of bulk credit that silver held back and that came by today (D12).
fn parts_by(terms: &Terms, facts: &SettlementFacts<'_>, opens_on: NaiveDate) -> Vec<u32> {
    let began = facts.schedule.is_some_and(|schedule| schedule.next_period > 0) || !facts.booked.is_empty();
    if !facts.moved || !terms.comes_in_parts() || !began {
        return Vec::new();
    }
    let numbers = terms.parts(opens_on).1.into_keys();
    numbers.filter(|number| terms.period(*number).from <= facts.today).collect()
}

/// Bulk credit: usage draws from what was granted first, then from what came later, if it is not dated before that (D12,
/// D15). What is beyond all of it is told with the last that it could be drawn from. What was spent beyond a part stays, and is
/// taken off the next.
fn parts(
    terms: &Terms,
    facts: &SettlementFacts<'_>,
    opens_on: NaiveDate,
    numbers: &BTreeSet<u32>,
    usage: &[(u32, &Usage)],
    settled: &mut Settled,
    out: &mut Vec<Transfer>,
) {
    let mut left: Vec<i64> = usage.iter().map(|(_, u)| u.amount.minor).collect();
    let mut less = 0_i64;
    for number in numbers {
        let reaches = |number: &u32, u: &Usage| *number == 0 || terms.period(*number).from <= u.used_on;
        let drawings: Vec<Drawing<'_>> = usage
            .iter()
            .zip(&left)
            .map(|((_, usage), left)| Drawing {
                usage,
                minor: if reaches(number, usage) { *left } else { 0 },
                last: numbers.iter().rfind(|number| reaches(number, usage)) == Some(number),
            })
            .collect();
        let books = PeriodBooked { terms, facts, opens_on, number: *number, less };
        less = books.beyond(&drawings);
        let drawn = books.settle(&drawings, settled, out);
        for (left, drawn) in left.iter_mut().zip(drawn) {
            *left = left.saturating_sub(drawn);
        }
    }
}

/// What a usage may draw of a period.
struct Drawing<'a> {
    usage: &'a Usage,
    /// So much of it is not drawn from an earlier one.
    minor: i64,
    /// What is beyond this period is drawn from no other.
    last: bool,
}

impl<'a> Drawing<'a> {
    fn all(usage: &'a Usage) -> Self {
        Self { usage, minor: usage.amount.minor, last: true }
    }
}

/// Where an entitlement stands whose order's year moved, as far as is known of it: the open period may close on another
/// day, and periods may be to come again, as the night of `today` sees (D16). Where nothing was granted it is `first`, as it began.
#[must_use]
pub fn reschedule(
    terms: &Terms,
    schedule: Option<&Schedule>,
    booked: &[Booked],
    first: &Schedule,
    today: NaiveDate,
) -> Schedule {
    let last_booked = booked.iter().map(|b| b.transfer.period_no.saturating_add(1)).max();
    let Some(next_period) = schedule.map(|schedule| schedule.next_period).or(last_booked) else {
        return first.clone();
    };
    let passed =
        |schedule: &Schedule| schedule.scheme.is_some() || terms.shape == Shape::Bulk && next_period > 0;
    let begun = !booked.is_empty() || schedule.is_some_and(passed);
    let Some(open) = next_period.checked_sub(1).filter(|_| begun) else {
        return schedule.unwrap_or(first).clone();
    };
    let waits = schedule.and_then(|schedule| schedule.waits.clone());
    let opens_on = opens_on(terms, booked);
    let next_on = terms.closes_on(terms.period(open));
    let held = terms.held(open, opens_on, today);
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
struct PeriodBooked<'a> {
    terms: &'a Terms,
    facts: &'a SettlementFacts<'a>,
    /// See [`opens_on`].
    opens_on: NaiveDate,
    number: u32,
    /// Of bulk credit: so much was spent beyond the parts before this one.
    less: i64,
}

/// An entry that there should be.
struct Wanted {
    kind: EntryKind,
    usage_id: Option<UsageNo>,
    on: NaiveDate,
    amount: Amount,
    /// The dollars of a grant.
    usd: Option<i64>,
}

impl PeriodBooked<'_> {
    fn original(&self, kind: EntryKind, usage_id: Option<UsageNo>) -> Option<&Booked> {
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

    /// Says what each usage draws.
    fn settle(&self, usage: &[Drawing<'_>], settled: &mut Settled, out: &mut Vec<Transfer>) -> Vec<i64> {
        let terms = self.terms;
        let grant = self.original(EntryKind::CreditGranted, None);
        let stands = grant.map(|grant| latest(grant, self.facts.booked));
        let period =
            stands.filter(|_| !self.facts.moved).map_or_else(|| terms.period(self.number), |t| t.period);
        let opened_on = stands.map_or(period.from, |t| t.effective_on);
        // What was granted stands whatever the policy says of the number of periods since.
        let stays = opened_on <= terms.last_grant_on();
        let part = terms.shape == Shape::Bulk && self.number > 0;
        let to_come = self.facts.schedule.is_some_and(|schedule| self.number >= schedule.next_period);
        if grant.is_none() && to_come && !part && terms.grants_on(self.number, opened_on) {
            return vec![0; usage.len()]; // its usage waits for the grant
        }
        let missing = if grant.is_none() { self.missing(settled) } else { None };
        let made = grant.map(|grant| &grant.transfer).or(missing.as_ref());
        let given = made.map_or(Amount::new(0, terms.local), |made| made.amount);
        let of = |minor| Amount::new(minor, given.currency);
        let kept = self.kept(usage, opened_on);
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
        let (mut left, mut taken) = (granted, Vec::with_capacity(usage.len()));
        for Drawing { usage: u, minor, last } in usage {
            let drawn = if self.draws(u, opened_on, period) && u.amount.currency == given.currency {
                (*minor).min(left)
            } else {
                0
            };
            left = left.saturating_sub(drawn);
            taken.push(drawn);
            let over = if *last { minor.saturating_sub(drawn) } else { 0 };
            let over = Amount::new(over, u.amount.currency);
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
        taken
    }

    /// What stays spent of the period, where the year moved: an end takes a later grant back whole (D7, D16).
    fn spent(&self, usage: &Usage, opened_on: NaiveDate) -> i64 {
        let undone = self.terms.ended.is_some_and(|end| opened_on > end.on);
        if undone { 0 } else { self.drawn(usage) }
    }

    /// Whether a usage draws from what was granted: it is in time, or was when it was drawn, and is not since the year moved:
    /// no end came before it.
    fn draws(&self, usage: &Usage, opened_on: NaiveDate, period: Period) -> bool {
        let on = usage.used_on;
        let in_time = opened_on <= on && on < period.until && on <= self.terms.last_day();
        in_time || self.spent(usage, opened_on) > 0 && self.terms.ended.is_none_or(|end| on <= end.on)
    }

    /// What it brings.
    fn brings(&self) -> Amount {
        let Amount { minor, currency } = self.terms.brings(self.number, self.opens_on);
        Amount::new(minor.saturating_sub(self.less).max(0), currency)
    }

    /// What a grant should be of, with its dollars, and never less than what was spent of it (D12, D16).
    fn granted(&self, grant: &Transfer, kept: i64) -> (i64, Option<i64>) {
        let (minor, usd) = self.terms.brings_of(grant, self.brings(), self.facts.exchange.rates);
        if minor < kept { (kept, None) } else { (minor, usd) }
    }

    /// Of what each usage may draw, what stays spent.
    fn kept(&self, usage: &[Drawing<'_>], opened_on: NaiveDate) -> i64 {
        usage.iter().fold(0_i64, |sum, u| sum.saturating_add(self.spent(u.usage, opened_on).min(u.minor)))
    }

    /// How much more than what is theirs was spent of this part and those before it.
    fn beyond(&self, usage: &[Drawing<'_>]) -> i64 {
        let kept = self.original(EntryKind::CreditGranted, None).map_or(0, |grant| {
            let opened_on = latest(grant, self.facts.booked).effective_on;
            self.terms.stated(&grant.transfer, self.kept(usage, opened_on))
        });
        let theirs = self.terms.brings(self.number, self.opens_on).minor;
        kept.max(self.brings().minor).saturating_add(self.less).saturating_sub(theirs).max(0)
    }

    /// The grant of a period that went by with nothing granted, and brings something now that silver does not hold it back
    /// any more (D12).
    fn missing(&self, settled: &mut Settled) -> Option<Transfer> {
        let facts = self.facts;
        let bulk = self.terms.shape == Shape::Bulk;
        // Bulk credit that never opened brings nothing; one of which silver left nothing has passed its start.
        let gone_by = match facts.schedule {
            Some(schedule) => bulk && self.number > 0 || self.number < schedule.next_period,
            None => !bulk || self.number > 0,
        };
        let comes = bulk && self.number > 0 || self.terms.grants(self.number);
        if !facts.moved || !gone_by || self.number < facts.first || !comes {
            return None;
        }
        let on = self.terms.period(self.number).from;
        match self.terms.grant_of(self.brings(), self.number, on, facts.exchange, facts.today) {
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

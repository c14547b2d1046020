//! What late facts change of a credit (D7, D15, D16): [`settle`] works out what all known facts say an entitlement's periods
//! should hold, compares it with what is booked, and books the difference. So the ledger ends the same in whatever order
//! and however late facts arrive. It only reads and adds: a wrong entry is corrected by one that names it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    calendar::Period,
    credit::{Opening, Schedule, Terms, original},
    ledger::{Account, Booked, EntryKind, Transfer, corrections, latest, net},
    money::{Amount, Currency},
    own_currency::Exchange,
    reason::Reason,
};

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

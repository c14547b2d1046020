use super::*;
use crate::domain::{
    agreement::Exclusion,
    id::UsageNo,
    ledger::{Booked, net},
    money::PerEuro,
    rate::Rates,
    settlement::{Settled, SettlementFacts, Usage, settle},
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn monthly(starts_on: &str, expires_on: &str) -> Terms {
    let starts_on = day(starts_on);
    let year = crate::domain::membership::Year::starting(starts_on, 30);
    let expires_on = day(expires_on);
    Terms {
        shape: Shape::Monthly(PeriodScheme::Anniversary),
        starts_on,
        expires_on,
        last_usable_on: year.last_usable_on(expires_on),
        anniversary_on: year.anniversary_on,
        ended: None,
        per_period: Amount::new(10_000, Currency::USD),
        beside: vec![],
        local: Currency::USD,
        periods_in_a_year: 12,
        max_rate_age_days: 7,
    }
}

/// By a partner that never changed its currency.
fn fixed(rates: &Rates) -> Exchange<'_> {
    Exchange { rates, changes: &[] }
}

/// A ledger in memory: numbers what is booked, as the store does.
struct Ledger {
    booked: Vec<Booked>,
    schedule: Option<Schedule>,
    standing: Vec<KnownExclusion>,
}

impl Ledger {
    fn open(terms: &Terms) -> Self {
        Self { booked: vec![], schedule: Some(Schedule::new(terms, None)), standing: vec![] }
    }

    fn book(&mut self, transfers: Vec<Transfer>) {
        for transfer in transfers {
            let transfer_id = i64::try_from(self.booked.len()).unwrap() + 1;
            self.booked.push(Booked { transfer_id, transfer });
        }
    }

    fn advance(&mut self, terms: &Terms, today: NaiveDate) {
        let mut out = vec![];
        let opening = terms.opening(&self.standing, terms.starts_on, today);
        if let Some(schedule) = self.schedule.take() {
            let rates = Rates::default();
            let (out, held) = (&mut out, &mut vec![]);
            self.schedule = advance(terms, schedule, fixed(&rates), &opening, today, out, held);
        }
        self.book(out);
    }

    fn settle(&mut self, terms: &Terms, usage: &[Usage], today: NaiveDate) -> Settled {
        let mut out = vec![];
        let (schedule, booked) = (self.schedule.as_ref(), &self.booked);
        let rates = Rates::default();
        let settled = settle(
            terms,
            &SettlementFacts {
                schedule,
                booked,
                usage,
                moved: false,
                first: 0,
                exchange: fixed(&rates),
                today,
            },
            &mut out,
        );
        if let Some(schedule) = &mut self.schedule {
            let open = schedule.next_period.checked_sub(1);
            schedule.open_minor =
                settled.open.iter().find(|(n, _)| Some(*n) == open).map_or(0, |(_, open)| open.minor);
        }
        self.book(out);
        settled
    }

    /// Business content, corrections netted: (kind, period, date, amount, usage).
    fn content(&self) -> Vec<(EntryKind, u32, NaiveDate, i64, Option<i64>)> {
        let mut lines: Vec<_> = self
            .booked
            .iter()
            .filter(|b| b.transfer.corrects.is_none())
            .map(|b| {
                let t = &b.transfer;
                (t.kind, t.period_no, t.effective_on, net(b, &self.booked), t.usage_id.map(UsageNo::get))
            })
            .filter(|line| line.3 != 0)
            .collect();
        lines.sort();
        lines
    }

    fn available(&self) -> i64 {
        self.booked.iter().fold(0, |sum, b| {
            let t = &b.transfer;
            let into = i64::from(t.to == crate::domain::ledger::Account::Available);
            let out = i64::from(t.from == crate::domain::ledger::Account::Available);
            sum + (into - out) * t.amount.minor
        })
    }
}

fn used(usage_id: i64, on: &str, amount_minor: i64) -> Usage {
    let amount = Amount::new(amount_minor, Currency::USD);
    Usage { usage_id: usage_id.into(), reference: format!("U{usage_id}"), used_on: day(on), amount }
}

#[test]
fn d3_twelve_grants_a_year_none_in_grace_and_each_lapses_at_its_period_end() {
    let terms = monthly("2024-01-31", "2025-01-30");
    let mut ledger = Ledger::open(&terms);
    let mut date = day("2024-01-31");
    while date <= day("2025-03-10") {
        ledger.advance(&terms, date);
        let before = ledger.booked.len();
        ledger.advance(&terms, date);
        assert_eq!(ledger.booked.len(), before, "the same night twice, {date}");
        date = add_days(date, 1);
    }
    let content = ledger.content();
    let grants: Vec<_> = content.iter().filter(|l| l.0 == EntryKind::CreditGranted).collect();
    assert_eq!(grants.len(), 12);
    assert_eq!(grants[1].2, day("2024-02-29"));
    assert_eq!(grants[11].2, day("2024-12-31"));
    let lapses: Vec<_> = content.iter().filter(|l| l.0 == EntryKind::CreditLapsed).collect();
    assert_eq!(lapses.len(), 12);
    assert_eq!(lapses[11].2, day("2025-01-31"));
    assert!(ledger.schedule.is_none());
}

#[test]
fn d3_a_late_entitlement_gets_every_period_since_its_start_under_its_own_dates() {
    let terms = monthly("2024-01-15", "2025-01-14");
    let (mut late, mut steady) = (Ledger::open(&terms), Ledger::open(&terms));
    late.advance(&terms, day("2024-06-20"));
    let mut date = day("2024-01-15");
    while date <= day("2024-06-20") {
        steady.advance(&terms, date);
        date = add_days(date, 1);
    }
    assert_eq!(late.content(), steady.content());
    assert_eq!(late.available(), 10_000);
}

#[test]
fn d2_calendar_periods_are_granted_in_full_and_twelve_at_most() {
    let mut terms = monthly("2024-01-15", "2025-01-14");
    terms.shape = Shape::Monthly(PeriodScheme::Calendar);
    let mut ledger = Ledger::open(&terms);
    ledger.advance(&terms, day("2025-02-20"));
    let grants: Vec<_> = ledger.content().into_iter().filter(|l| l.0 == EntryKind::CreditGranted).collect();
    assert_eq!(grants.len(), 12);
    assert_eq!((grants[0].2, grants[0].3), (day("2024-01-15"), 10_000));
    assert_eq!(grants[11].2, day("2024-12-01"));
}

#[test]
fn r2_bulk_is_granted_once_and_lapses_only_when_its_entitlement_ends() {
    let mut terms = monthly("2024-01-31", "2025-01-30");
    terms.shape = Shape::Bulk;
    let mut ledger = Ledger::open(&terms);
    ledger.advance(&terms, day("2025-03-02"));
    assert_eq!(ledger.content(), [(EntryKind::CreditGranted, 0, day("2024-01-31"), 10_000, None)]);
    terms.ended = Some(CreditEnd { on: day("2025-03-02"), refunded: false });
    let mut out = vec![];
    assert!(end(&terms, ledger.schedule.take().unwrap(), &mut out).is_none());
    ledger.book(out);
    assert_eq!(ledger.content()[1], (EntryKind::CreditLapsed, 0, day("2025-03-03"), 10_000, None));
    assert_eq!(ledger.available(), 0);
}

fn bulk() -> Terms {
    Terms { shape: Shape::Bulk, ..monthly("2024-01-31", "2025-01-30") }
}

fn standing(from: &str, until: &str) -> KnownExclusion {
    let exclusion = Exclusion { name: "csp".into(), from: day(from), until: until.parse().ok() };
    KnownExclusion { exclusion, known_on: day(from) }
}

#[test]
fn d14_blocked_bulk_waits_and_is_granted_from_the_first_day_that_nothing_blocks_on_whatever_night() {
    let (terms, csp) = (bulk(), vec![standing("2024-01-01", "2024-03-31")]);
    let (mut up, mut down) = (Ledger::open(&terms), Ledger::open(&terms));
    (up.standing, down.standing) = (csp.clone(), csp);
    up.advance(&terms, day("2024-03-31"));
    assert_eq!(up.content(), []);
    let earliest_on = Some(day("2024-04-01"));
    let waits = up.schedule.as_ref().unwrap().waits.clone();
    assert_eq!(waits, Some(Reason::BulkBlocked { agreement: "csp".into(), earliest_on }));
    up.advance(&terms, day("2024-04-01"));
    assert_eq!(up.content(), [(EntryKind::CreditGranted, 0, day("2024-04-01"), 10_000, None)]);
    down.advance(&terms, day("2024-06-20"));
    assert_eq!((up.content(), &up.schedule), (down.content(), &down.schedule));
    assert_eq!(up.schedule.unwrap().waits, None);
}

#[test]
fn d14_bulk_that_is_blocked_for_good_is_never_granted_and_its_usage_is_overage() {
    let mut terms = bulk();
    let mut ledger = Ledger::open(&terms);
    // Until the last day of grace: nothing is granted in grace.
    ledger.standing = vec![standing("2024-01-01", "2025-01-30")];
    let usage = [used(1, "2024-02-05", 6_000)];
    ledger.advance(&terms, day("2025-02-10"));
    assert_eq!(ledger.settle(&terms, &usage, day("2025-02-10")).usage_ids, [], "it waits");
    let waits = ledger.schedule.as_ref().unwrap().waits.clone();
    assert_eq!(waits, Some(Reason::BulkBlocked { agreement: "csp".into(), earliest_on: None }));
    terms.ended = Some(CreditEnd { on: day("2025-03-02"), refunded: false });
    ledger.schedule = end(&terms, ledger.schedule.take().unwrap(), &mut vec![]);
    ledger.advance(&terms, day("2025-03-03"));
    assert_eq!(ledger.schedule, None);
    ledger.settle(&terms, &usage, day("2025-03-03"));
    assert_eq!(ledger.content(), [(EntryKind::CreditOverage, 0, day("2024-02-05"), 6_000, Some(1))]);
}

#[test]
fn d14_d15_usage_before_the_first_open_day_is_overage_and_a_refund_before_it_reverses_the_grant_whole() {
    let mut terms = bulk();
    let mut ledger = Ledger::open(&terms);
    ledger.standing = vec![standing("2024-01-01", "2024-02-05")];
    ledger.advance(&terms, day("2024-02-06"));
    let usage = [used(1, "2024-02-05", 100), used(2, "2024-02-06", 100)];
    ledger.settle(&terms, &usage, day("2024-02-06"));
    let content = ledger.content();
    assert_eq!(content[1], (EntryKind::CreditUsed, 0, day("2024-02-06"), 100, Some(2)));
    assert_eq!(content[2], (EntryKind::CreditOverage, 0, day("2024-02-05"), 100, Some(1)));
    terms.ended = Some(CreditEnd { on: day("2024-02-05"), refunded: true });
    ledger.settle(&terms, &usage, day("2024-02-07"));
    assert_eq!(ledger.available(), 0);
    assert!(ledger.content().iter().all(|line| line.0 == EntryKind::CreditOverage), "{:?}", ledger.content());
}

#[test]
fn d14_nothing_excludes_monthly_credit() {
    let terms = monthly("2024-01-31", "2025-01-30");
    let mut ledger = Ledger::open(&terms);
    ledger.standing = vec![standing("2024-01-01", "")];
    ledger.advance(&terms, day("2024-01-31"));
    assert_eq!(ledger.content().len(), 1);
}

#[test]
fn d15_usage_draws_from_the_period_of_its_date_and_the_rest_is_overage() {
    let terms = monthly("2024-01-31", "2025-01-30");
    let mut ledger = Ledger::open(&terms);
    ledger.advance(&terms, day("2024-02-10"));
    let usage = [used(1, "2024-02-05", 6_000), used(2, "2024-02-07", 6_000), used(3, "2024-02-29", 100)];
    let settled = ledger.settle(&terms, &usage, day("2024-02-10"));
    assert_eq!(settled.usage_ids, [1.into(), 2.into()], "the third waits for its grant");
    assert_eq!(ledger.schedule.as_ref().unwrap().open_minor, 0);
    let content = ledger.content();
    assert_eq!(content[1], (EntryKind::CreditUsed, 0, day("2024-02-05"), 6_000, Some(1)));
    assert_eq!(content[2], (EntryKind::CreditUsed, 0, day("2024-02-07"), 4_000, Some(2)));
    assert_eq!(content[3], (EntryKind::CreditOverage, 0, day("2024-02-07"), 2_000, Some(2)));
}

#[test]
fn d15_usage_in_a_lapsed_period_corrects_the_lapse_first_and_names_it() {
    let terms = monthly("2024-01-31", "2025-01-30");
    let mut ledger = Ledger::open(&terms);
    ledger.advance(&terms, day("2024-02-29"));
    let lapse =
        ledger.booked.iter().find(|b| b.transfer.kind == EntryKind::CreditLapsed).unwrap().transfer_id;
    let before = ledger.booked.len();
    ledger.settle(&terms, &[used(1, "2024-02-28", 2_500)], day("2024-03-05"));
    let first = &ledger.booked[before].transfer;
    assert_eq!(
        (first.kind, first.amount.minor, first.corrects),
        (EntryKind::CreditLapsed, 2_500, Some((lapse, 1)))
    );
    assert_eq!(ledger.available(), 10_000, "the running period is untouched");
    assert!(ledger.content().contains(&(EntryKind::CreditLapsed, 0, day("2024-02-29"), 7_500, None)));
}

#[test]
fn d7_a_refund_reverses_later_grants_whole_and_what_is_unspent_of_the_running_one() {
    let mut terms = monthly("2024-01-31", "2025-01-30");
    let mut ledger = Ledger::open(&terms);
    ledger.advance(&terms, day("2024-03-02"));
    let usage = [used(1, "2024-02-10", 3_000)];
    ledger.settle(&terms, &usage, day("2024-03-02"));
    // Asked for on 28 February, decided on 3 March: the grant of 29 February goes back whole.
    terms.ended = Some(CreditEnd { on: day("2024-02-28"), refunded: true });
    let settled = ledger.settle(&terms, &usage, day("2024-03-03"));
    assert_eq!(
        ledger.content(),
        [
            (EntryKind::CreditGranted, 0, day("2024-01-31"), 10_000, None),
            (EntryKind::CreditUsed, 0, day("2024-02-10"), 3_000, Some(1)),
            (EntryKind::CreditReversed, 0, day("2024-02-28"), 7_000, None),
        ]
    );
    assert_eq!((settled.spent[&Currency::USD], settled.reversed[&Currency::USD]), (3_000, 17_000));
    assert_eq!(ledger.available(), 0);
    let again = ledger.booked.len();
    ledger.settle(&terms, &usage, day("2024-03-03"));
    assert_eq!(ledger.booked.len(), again);
}

#[test]
fn d4_a_grant_waits_visibly_and_comes_under_its_own_date() {
    let sek = Currency::parse("SEK").unwrap();
    let terms = Terms { local: sek, ..monthly("2024-02-03", "2025-02-02") };
    let schedule = Schedule::new(&terms, None);
    let mut out = vec![];
    let none = Rates::default();
    let (on, opening) = (day("2024-02-05"), Opening::AtStart);
    let waiting = advance(&terms, schedule, fixed(&none), &opening, on, &mut out, &mut vec![]).unwrap();
    assert_eq!(waiting.waits, Some(Reason::RateMissing { currency: sek, on: day("2024-02-03") }));
    let mut rates = Rates::default();
    for (on, usd, local) in [("2024-02-02", "1.0883", "11.2525"), ("2024-02-05", "1.0746", "11.3475")] {
        rates.insert(Currency::USD, day(on), PerEuro::parse(usd).unwrap());
        rates.insert(sek, day(on), PerEuro::parse(local).unwrap());
    }
    let granted =
        advance(&terms, waiting, fixed(&rates), &opening, day("2024-02-06"), &mut out, &mut vec![]).unwrap();
    assert_eq!(granted.waits, None);
    assert_eq!((out[0].effective_on, out[0].amount), (day("2024-02-03"), Amount::new(103_395, sek)));
}

#[test]
fn a_backdate_policy_of_from_import_starts_with_the_period_that_runs() {
    let terms = monthly("2024-01-31", "2025-01-30");
    let schedule = Schedule::new(&terms, Some(day("2024-05-05")));
    assert_eq!((schedule.next_period, schedule.next_on), (3, Some(day("2024-04-30"))));
    let over = Schedule::new(&terms, Some(day("2025-06-01")));
    let mut out = vec![];
    assert_eq!(
        advance(
            &terms,
            over,
            fixed(&Rates::default()),
            &Opening::AtStart,
            day("2025-06-01"),
            &mut out,
            &mut vec![]
        ),
        None
    );
    assert_eq!(out, []);
}

proptest::proptest! {
    /// The order and lateness in which usage and a refund become known do not change what the ledger says.
    #[test]
    fn d15_d16_the_ledger_ends_the_same_however_late_facts_arrive(
        uses in proptest::collection::vec((0u32..150, 1i64..9_000, 0u32..40), 0..12),
        refund in proptest::option::of((0u32..30, 0u32..7)),
    ) {
        let start = day("2024-01-31");
        let facts: Vec<(u32, Usage)> = uses.iter().zip(1i64..).map(|((on, amount, late), id)| {
            let used_on = add_days(start, *on);
            (on + late, Usage { usage_id: id.into(), reference: format!("U{id}"), used_on, amount: Amount::new(*amount, Currency::USD) })
        }).collect();
        let refund_on = refund.map(|(on, late)| (add_days(start, on), on + late));
        let run = |known_from_the_start: bool| {
            let mut terms = monthly("2024-01-31", "2025-01-30");
            let mut ledger = Ledger::open(&terms);
            for offset in 0..200 {
                let today = add_days(start, offset);
                if let Some((on, known)) = refund_on
                    && terms.ended.is_none()
                    && on <= today
                    && (known_from_the_start || known <= offset)
                {
                    terms.ended = Some(CreditEnd { on, refunded: true });
                }
                let usage: Vec<Usage> = facts.iter()
                    .filter(|(known, u)| u.used_on <= today && (known_from_the_start || *known <= offset))
                    .map(|(_, u)| u.clone()).collect();
                ledger.settle(&terms, &usage, today);
                ledger.advance(&terms, today);
                ledger.settle(&terms, &usage, today);
                let booked = ledger.booked.len();
                ledger.settle(&terms, &usage, today);
                assert_eq!(ledger.booked.len(), booked, "settling twice changes nothing");
                assert!(ledger.available() >= 0);
                assert_eq!(ledger.available(), ledger.schedule.as_ref().map_or(0, |s| s.open_minor));
            }
            ledger.content()
        };
        assert_eq!(run(true), run(false));
    }
}

#[test]
fn d2_a_day_belongs_to_a_period_from_the_first_day_on_and_to_none_before() {
    let terms = monthly("2024-01-31", "2025-01-30");
    let numbers = ["2024-01-30", "2024-01-31", "2024-02-28", "2024-02-29"].map(|on| terms.period_of(day(on)));
    assert_eq!(numbers, [None, Some(0), Some(0), Some(1)]);
    let numbers = ["2024-01-30", "2024-01-31", "2025-03-02"].map(|on| bulk().period_of(day(on)));
    assert_eq!(numbers, [None, Some(0), Some(0)]);
}

#[test]
fn d15_usage_on_the_first_day_draws_from_the_grant_of_that_day() {
    for terms in [monthly("2024-01-31", "2025-01-30"), bulk()] {
        let mut ledger = Ledger::open(&terms);
        ledger.advance(&terms, day("2024-01-31"));
        ledger.settle(&terms, &[used(1, "2024-01-31", 400)], day("2024-01-31"));
        assert_eq!(ledger.content()[1], (EntryKind::CreditUsed, 0, day("2024-01-31"), 400, Some(1)));
    }
}

#[test]
fn d14_what_nothing_blocks_on_its_first_day_opens_at_its_start() {
    let opens = |standing: &[KnownExclusion]| bulk().opening(standing, day("2024-01-31"), day("2024-06-01"));
    assert_eq!(opens(&[]), Opening::AtStart);
    assert_eq!(opens(&[standing("2024-01-01", "2024-01-30")]), Opening::AtStart);
    assert_eq!(opens(&[standing("2024-01-01", "2024-01-31")]), Opening::On(day("2024-02-01")));
}

#[test]
fn d7_a_refund_on_the_day_a_period_ended_reverses_the_next_grant_and_leaves_the_lapse() {
    let ends = |on: &str| {
        let terms = Terms {
            ended: Some(CreditEnd { on: day(on), refunded: true }),
            ..monthly("2024-01-31", "2025-01-30")
        };
        terms.closing(terms.period(0))
    };
    assert_eq!(ends("2024-02-28"), Some((EntryKind::CreditReversed, day("2024-02-28"))));
    assert_eq!(ends("2024-02-29"), Some((EntryKind::CreditLapsed, day("2024-02-29"))));
}

#[test]
fn d7_a_refund_takes_back_the_grants_that_no_longer_stand_and_counts_no_other() {
    let mut terms = monthly("2024-01-31", "2025-01-30");
    let mut ledger = Ledger::open(&terms);
    ledger.advance(&terms, day("2024-03-02"));
    assert_eq!(ledger.settle(&terms, &[], day("2024-03-02")).reversed.values().sum::<i64>(), 0);
    let later = ledger.booked.iter().find(|b| b.transfer.period_no == 1).unwrap().transfer_id;
    let before = ledger.booked.len();
    terms.ended = Some(CreditEnd { on: day("2024-02-28"), refunded: true });
    assert_eq!(ledger.settle(&terms, &[], day("2024-03-03")).reversed.values().sum::<i64>(), 20_000);
    let corrections: Vec<_> = ledger.booked[before..]
        .iter()
        .filter(|b| b.transfer.corrects.is_some_and(|(of, _)| of == later))
        .map(|b| (b.transfer.kind, b.transfer.amount.minor))
        .collect();
    assert_eq!(corrections, [(EntryKind::CreditReversed, 10_000)], "a grant is taken back by a reversal");
}

#[test]
fn d4_a_grant_keeps_the_dollars_and_the_rate_it_was_made_of() {
    let sek = Currency::parse("SEK").unwrap();
    let mut rates = Rates::default();
    rates.insert(Currency::USD, day("2024-01-31"), PerEuro::parse("1.0837").unwrap());
    rates.insert(sek, day("2024-01-31"), PerEuro::parse("11.2525").unwrap());
    let granted = |terms: &Terms| {
        let mut out = vec![];
        let schedule = Schedule::new(terms, None);
        let (on, opening) = (day("2024-01-31"), Opening::AtStart);
        let _ = advance(terms, schedule, fixed(&rates), &opening, on, &mut out, &mut vec![]);
        (out[0].amount, out[0].usd_minor, out[0].rate.map(|rate| (rate.nano, rate.published_on)))
    };
    let dollars = monthly("2024-01-31", "2025-01-30");
    assert_eq!(granted(&dollars), (Amount::new(10_000, Currency::USD), Some(10_000), None));
    let local = Terms { local: sek, ..dollars };
    let frozen = Some((10_383_408_692, day("2024-01-31")));
    assert_eq!(granted(&local), (Amount::new(103_834, sek), Some(10_000), frozen));
    let as_written = Terms { per_period: Amount::new(90_000, sek), ..local };
    assert_eq!(granted(&as_written), (Amount::new(90_000, sek), None, None));
}

#[test]
fn d3_of_a_credit_of_nothing_nothing_is_booked_and_its_periods_go_by() {
    let terms = Terms { per_period: Amount::new(0, Currency::USD), ..monthly("2024-01-31", "2025-01-30") };
    let mut ledger = Ledger::open(&terms);
    ledger.advance(&terms, day("2024-03-01"));
    assert_eq!(ledger.booked.len(), 0);
    assert_eq!(ledger.schedule.unwrap().next_period, 2);
}

//! Hours and incidents: what an order brings, what requests draw from it, and what is lost with it (R6, R7, D6).
//!
//! Granted with the benefit's start, and of gold what silver held back on the day after silver ends (D12); drawn by requests;
//! what is left lapses the day after its last usable day. [`settle`] compares what all facts say with what is booked, so that a
//! draw that arrives after the lapse corrects it, and an order whose year moved leaves nothing under its old dates (D16).

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::{
    benefit::{Move, Unit},
    calendar::{Period, add_days, days_between},
    core_difference::{self, Beside, units_on},
    id::RequestNo,
    ledger::Account,
};

/// A benefit that is drawn from, with what decides its balance.
#[derive(Clone, Debug)]
pub struct Drawable {
    /// What is drawn.
    pub unit: Unit,
    /// Hours or incidents; `None`: unlimited, of which nothing is booked.
    pub quantity: Option<u32>,
    /// First usable day.
    pub starts_on: NaiveDate,
    /// Last usable day, grace included.
    pub last_usable_on: NaiveDate,
    /// The last day on which more of it is granted: the last usable one before grace.
    pub last_grant_on: NaiveDate,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// Of gold's core benefit: what silver brings beside it (D12).
    pub beside: Vec<Beside>,
}

impl Drawable {
    /// What is granted by `today`, by the days from its start: nothing if it ended before it began. `used` is what was drawn on
    /// which day. Silver that starts later takes back what is unspent then; what was spent stays, and counts as granted first (D12).
    fn granted(&self, today: NaiveDate, used: &[(NaiveDate, i64)]) -> BTreeMap<u32, i64> {
        let (mut grants, mut sum) = (BTreeMap::<u32, i64>::new(), 0_i64);
        let last =
            self.ended_on.map_or(self.last_grant_on, |ended_on| ended_on.min(self.last_grant_on)).min(today);
        let quantity = self.quantity.unwrap_or(0);
        let began =
            self.ended_on.is_none_or(|ended_on| self.starts_on <= ended_on) && self.starts_on <= today;
        let changes = core_difference::changes(&self.beside, self.starts_on, last);
        let days = [self.starts_on].into_iter().chain(changes).filter(|_| began);
        for day in days.map(Some).chain([None]) {
            let before = used.iter().filter(|(on, _)| day.is_none_or(|day| *on < day));
            let drawn = before.fold(0_i64, |sum, (_, count)| sum.saturating_add(*count));
            let short = drawn.saturating_sub(sum).max(0);
            let first = grants.entry(0).or_default();
            (*first, sum) = (first.saturating_add(short), sum.saturating_add(short));
            let Some(day) = day else { break };
            let wanted = self.unit.granted(units_on(quantity, &self.beside, day).0);
            let more = wanted.saturating_sub(sum).max(0);
            let grant = grants.entry(self.number_of(day)).or_default();
            *grant = grant.saturating_add(more);
            let mut back = sum.saturating_sub(wanted.max(drawn)).max(0);
            sum = sum.saturating_add(more).saturating_sub(back);
            for grant in grants.values_mut().rev() {
                let taken = back.min(*grant);
                (*grant, back) = (grant.saturating_sub(taken), back.saturating_sub(taken));
            }
        }
        grants
    }

    fn number_of(&self, day: NaiveDate) -> u32 {
        u32::try_from(days_between(self.starts_on, day)).unwrap_or(0)
    }

    /// The span of its entries of a number.
    #[must_use]
    pub fn period(&self, number: u32) -> Period {
        let from = add_days(self.starts_on, number);
        Period { from, until: add_days(self.last_usable_on.max(from), 1) }
    }

    /// A movement of it.
    fn moves(&self, moved: Move, number: u32, on: NaiveDate, count: i64) -> UnitTransfer {
        let ((from, to), period) = (moved.accounts(), self.period(number));
        UnitTransfer {
            moved,
            number,
            from,
            to,
            on,
            count,
            request_no: None,
            corrects: None,
            period,
            rule: None,
        }
    }

    /// The day after `today` on which silver leaves more or less of it.
    #[must_use]
    pub fn changes_after(&self, today: NaiveDate) -> Option<NaiveDate> {
        let running = self.ended_on.is_none();
        let days = core_difference::changes(&self.beside, self.starts_on, self.last_grant_on);
        days.into_iter().find(|day| running && today < *day)
    }
}

/// What a request draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The request.
    pub request_no: RequestNo,
    /// Its date.
    pub on: NaiveDate,
    /// Minutes or incidents; more than zero.
    pub count: i64,
}

/// One movement of hours or incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitTransfer {
    /// What it is, or corrects.
    pub moved: Move,
    /// Of a grant the days from the benefit's start to its own; else 0.
    pub number: u32,
    /// The account it leaves.
    pub from: Account,
    /// The account it reaches.
    pub to: Account,
    /// The date the facts give it.
    pub on: NaiveDate,
    /// Minutes or incidents; more than zero.
    pub count: i64,
    /// The request that drew.
    pub request_no: Option<RequestNo>,
    /// The transfer it corrects, and which correction of it this is, counted from 1.
    pub corrects: Option<(i64, u32)>,
    /// The time in which it may be drawn.
    pub period: Period,
    /// The rule by which a new correction puts right what was booked (D12, D16).
    pub rule: Option<&'static str>,
}

/// A transfer that stands in the ledger.
#[derive(Clone, Copy, Debug)]
pub struct BookedUnits {
    /// Its number.
    pub transfer_id: i64,
    /// What it says.
    pub transfer: UnitTransfer,
}

/// What is booked of a benefit.
struct UnitsBooked<'a> {
    of: &'a Drawable,
    booked: &'a [BookedUnits],
    /// By the transfer that they correct.
    corrections: HashMap<i64, Vec<&'a UnitTransfer>>,
}

impl<'a> UnitsBooked<'a> {
    fn new(of: &'a Drawable, booked: &'a [BookedUnits]) -> Self {
        let mut corrections = HashMap::<i64, Vec<&UnitTransfer>>::new();
        for transfer in booked.iter().map(|b| &b.transfer) {
            if let Some((id, _)) = transfer.corrects {
                corrections.entry(id).or_default().push(transfer);
            }
        }
        Self { of, booked, corrections }
    }

    fn corrections(&self, original: &BookedUnits) -> &[&'a UnitTransfer] {
        self.corrections.get(&original.transfer_id).map_or(&[], Vec::as_slice)
    }

    fn original(&self, moved: Move, number: u32) -> Option<&BookedUnits> {
        let of = |t: &UnitTransfer| t.moved == moved && t.number == number && t.corrects.is_none();
        self.booked.iter().find(|b| of(&b.transfer))
    }

    /// What was drawn on which day, corrections taken off.
    fn used(&self) -> impl Iterator<Item = (NaiveDate, i64)> {
        let (from, _) = Move::Used.accounts();
        let used = self.booked.iter().map(|b| &b.transfer).filter(|t| t.moved == Move::Used);
        used.map(move |t| (t.on, if t.from == from { t.count } else { t.count.saturating_neg() }))
    }

    /// What an entry comes to, corrections taken off.
    fn net(&self, original: &BookedUnits) -> i64 {
        let BookedUnits { transfer: UnitTransfer { from, count, .. }, .. } = original;
        self.corrections(original).iter().fold(*count, |sum, t| {
            if t.from == *from { sum.saturating_add(t.count) } else { sum.saturating_sub(t.count) }
        })
    }

    /// What brings that which went the way of `moved` to `wanted`: an original, or corrections that name it.
    fn bring(&self, moved: Move, number: u32, wanted: i64, on: NaiveDate, out: &mut Vec<UnitTransfer>) {
        match self.original(moved, number) {
            Some(original) => self.correct(original, wanted, out),
            None if wanted > 0 => out.push(self.of.moves(moved, number, on, wanted)),
            None => {}
        }
    }

    /// Corrections that bring an entry to `wanted`, and, where the order's year moved, to its dates: it is taken back whole and
    /// booked under the right ones (D16).
    fn correct(&self, wrong: &BookedUnits, wanted: i64, out: &mut Vec<UnitTransfer>) {
        let (original, corrections) = (&wrong.transfer, self.corrections(wrong));
        let same_way = corrections.iter().filter(|t| t.from == original.from);
        let stands = same_way.max_by_key(|t| t.corrects).map_or(original.period, |t| t.period);
        let (standing, period) = (self.net(wrong), self.of.period(original.number));
        let redates = stands != period && wanted > 0 && standing > 0;
        let mut differences = if redates {
            [(period, wanted), (stands, standing.saturating_neg())]
        } else {
            [(if wanted > 0 { period } else { stands }, wanted.saturating_sub(standing)), (stands, 0)]
        };
        if original.to != Account::Available {
            differences.reverse();
        }
        let silver = original.moved == Move::Granted && self.of.ended_on.is_none();
        let rule = if redates { Some("D16") } else { silver.then_some("D12") };
        let mut nth = u32::try_from(corrections.len()).unwrap_or(u32::MAX);
        for (period, difference) in differences.into_iter().filter(|(_, difference)| *difference != 0) {
            nth = nth.saturating_add(1);
            let (from, to) = (original.from, original.to);
            let (from, to) = if difference < 0 { (to, from) } else { (from, to) };
            let (count, corrects) = (difference.saturating_abs(), Some((wrong.transfer_id, nth)));
            out.push(UnitTransfer { from, to, count, request_no: None, corrects, period, rule, ..*original });
        }
    }
}

/// Books what is missing of a benefit that has begun by `today` or ended: its grants, `draws` that are not booked yet, and,
/// once it has ended, the lapse of what is left. A draw stays whatever ended the benefit. Says what is left to be drawn.
#[must_use]
pub fn settle(
    of: &Drawable,
    booked: &[BookedUnits],
    draws: &[Draw],
    today: NaiveDate,
    out: &mut Vec<UnitTransfer>,
) -> i64 {
    if of.quantity.is_none() {
        return 0;
    }
    let books = UnitsBooked::new(of, booked);
    let is_new = |draw: &&Draw| booked.iter().all(|b| b.transfer.request_no != Some(draw.request_no));
    let fresh: Vec<&Draw> = draws.iter().filter(is_new).collect();
    let counts: Vec<(NaiveDate, i64)> =
        books.used().chain(fresh.iter().map(|draw| (draw.on, draw.count))).collect();
    let used = counts.iter().fold(0_i64, |sum, (_, count)| sum.saturating_add(*count));
    let granted = || booked.iter().map(|b| &b.transfer).filter(|t| t.moved == Move::Granted);
    // What was granted by a later night is looked at as that night did.
    let mut grants = of.granted(granted().map(|t| t.on).fold(today, NaiveDate::max), &counts);
    let left = grants.values().fold(0_i64, |sum, count| sum.saturating_add(*count)).saturating_sub(used);
    for number in granted().map(|t| t.number) {
        grants.entry(number).or_default();
    }
    let lapsed_on = of.ended_on.map(|ended_on| add_days(ended_on, 1));
    let mut moves = Vec::new();
    for (number, count) in grants {
        books.bring(Move::Granted, number, count, add_days(of.starts_on, number), &mut moves);
    }
    let lapses = lapsed_on.map_or(0, |_| left);
    books.bring(Move::Lapsed, 0, lapses, lapsed_on.unwrap_or(of.last_usable_on), &mut moves);
    for drawn in booked.iter().filter(|b| b.transfer.moved == Move::Used && b.transfer.corrects.is_none()) {
        books.correct(drawn, books.net(drawn), &mut moves);
    }
    // What is released goes first, so that no account is ever overdrawn by the order of entries.
    let (gives, takes): (Vec<_>, Vec<_>) = moves.into_iter().partition(|t| t.to == Account::Available);
    out.extend(gives);
    out.extend(fresh.iter().map(|draw| UnitTransfer {
        request_no: Some(draw.request_no),
        ..of.moves(Move::Used, 0, draw.on, draw.count)
    }));
    out.extend(takes);
    if of.ended_on.is_some() { 0 } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn hours(quantity: Option<u32>) -> Drawable {
        Drawable {
            unit: Unit::Hours,
            quantity,
            starts_on: day("2024-01-31"),
            last_usable_on: day("2025-03-02"),
            last_grant_on: day("2025-01-30"),
            ended_on: None,
            beside: vec![],
        }
    }

    fn draw(request_no: i64, on: &str, count: i64) -> Draw {
        Draw { request_no: request_no.into(), on: day(on), count }
    }

    /// Settles, books, and settles again, which must change nothing. Says what was booked, and what is left.
    fn book(of: &Drawable, booked: &mut Vec<BookedUnits>, draws: &[Draw]) -> (Vec<String>, i64) {
        book_by("2026-01-01", of, booked, draws)
    }

    fn book_by(
        today: &str,
        of: &Drawable,
        booked: &mut Vec<BookedUnits>,
        draws: &[Draw],
    ) -> (Vec<String>, i64) {
        let today = day(today);
        let mut out = vec![];
        let left = settle(of, booked, draws, today, &mut out);
        for transfer in &out {
            let transfer_id = i64::try_from(booked.len()).unwrap() + 1;
            booked.push(BookedUnits { transfer_id, transfer: *transfer });
            let available = booked.iter().fold(0, |sum, b| {
                let t = &b.transfer;
                sum + t.count
                    * (i64::from(t.to == Account::Available) - i64::from(t.from == Account::Available))
            });
            assert!(available >= 0, "overdrawn by {transfer:?}");
        }
        let mut again = vec![];
        assert_eq!(settle(of, booked, draws, today, &mut again), left);
        assert_eq!(again, []);
        let line = |t: &UnitTransfer| {
            let corrects = t.corrects.map_or(String::new(), |(id, nth)| format!(" corrects {id}.{nth}"));
            let sign = if t.to == Account::Available { "" } else { "-" };
            format!("{} {} {sign}{}{corrects}", t.on, of.unit.kind(t.moved), t.count)
        };
        (out.iter().map(line).collect(), left)
    }

    #[test]
    fn r7_hours_are_granted_once_drawn_by_requests_and_lapse_the_day_after_the_last_usable_one() {
        let (mut of, mut booked) = (hours(Some(20)), vec![]);
        assert_eq!(book(&of, &mut booked, &[]), (vec!["2024-01-31 hours_granted 1200".to_owned()], 1200));
        let drawn = book(&of, &mut booked, &[draw(7, "2024-05-01", 90)]);
        assert_eq!(drawn, (vec!["2024-05-01 hours_used -90".to_owned()], 1110));
        of.ended_on = Some(day("2025-03-02"));
        assert_eq!(book(&of, &mut booked, &[]), (vec!["2025-03-03 hours_lapsed -1110".to_owned()], 0));
    }

    #[test]
    fn r7_a_draw_that_comes_before_the_grant_is_booked_books_it_first() {
        let drawn = book(&hours(Some(5)), &mut vec![], &[draw(7, "2024-02-01", 300)]);
        let lines = ["2024-01-31 hours_granted 300", "2024-02-01 hours_used -300"].map(str::to_owned);
        assert_eq!(drawn, (lines.to_vec(), 0));
    }

    #[test]
    fn r7_a_draw_that_arrives_after_the_lapse_corrects_it() {
        let mut of = hours(Some(5));
        of.ended_on = Some(day("2024-06-30"));
        let mut booked = vec![];
        let (lines, _) = book(&of, &mut booked, &[]);
        assert_eq!(lines, ["2024-01-31 hours_granted 300", "2024-07-01 hours_lapsed -300"]);
        let (lines, left) = book(&of, &mut booked, &[draw(7, "2024-06-30", 60), draw(8, "2024-06-29", 30)]);
        assert_eq!(
            lines,
            [
                "2024-07-01 hours_lapsed 90 corrects 2.1",
                "2024-06-30 hours_used -60",
                "2024-06-29 hours_used -30"
            ]
        );
        assert_eq!(left, 0);
        let (lines, _) = book(&of, &mut booked, &[draw(9, "2024-06-30", 210)]);
        assert_eq!(lines, ["2024-07-01 hours_lapsed 210 corrects 2.2", "2024-06-30 hours_used -210"]);
    }

    #[test]
    fn d7_an_end_before_a_draw_leaves_the_draw_and_lapses_what_is_left() {
        let (mut of, mut booked) = (hours(Some(5)), vec![]);
        book(&of, &mut booked, &[draw(7, "2024-02-20", 60)]);
        of.ended_on = Some(day("2024-02-10"));
        assert_eq!(book(&of, &mut booked, &[]).0, ["2024-02-11 hours_lapsed -240"]);
    }

    #[test]
    fn d7_what_ended_before_it_began_is_not_granted_and_taken_back_if_it_was() {
        let (mut of, mut booked) = (hours(Some(5)), vec![]);
        of.ended_on = Some(day("2024-01-30"));
        assert_eq!(book(&of, &mut booked, &[]), (vec![], 0));
        of.ended_on = None;
        book(&of, &mut booked, &[]);
        of.ended_on = Some(day("2024-01-30"));
        assert_eq!(book(&of, &mut booked, &[]).0, ["2024-01-31 hours_granted -300 corrects 1.1"]);
    }

    #[test]
    fn d12_what_silver_holds_back_comes_on_the_day_after_it_ends_in_whatever_order_it_is_known() {
        let silver = Beside {
            order_id: "S".into(),
            starts_on: day("2024-01-01"),
            until: day("2024-06-30"),
            quantity: Some(15),
            amount: None,
        };
        let alone = Drawable { unit: Unit::Incidents, ..hours(Some(20)) };
        let beside = Drawable { beside: vec![silver.clone()], ..alone.clone() };
        let mut booked = vec![];
        assert_eq!(book_by("2024-02-01", &beside, &mut booked, &[]).0, ["2024-01-31 incidents_granted 5"]);
        assert_eq!(beside.changes_after(day("2024-02-01")), Some(day("2024-07-01")));
        assert_eq!(book_by("2024-07-01", &beside, &mut booked, &[]).0, ["2024-07-01 incidents_granted 15"]);
        // Known at once when it is over, the same is booked; known late, it is corrected but for what was spent.
        let lines = ["2024-01-31 incidents_granted 5", "2024-07-01 incidents_granted 15"].map(str::to_owned);
        assert_eq!(book(&beside, &mut vec![], &[]).0, lines);
        let mut late = vec![];
        book_by("2024-02-01", &alone, &mut late, &[draw(7, "2024-02-01", 8)]);
        let (lines, left) = book_by("2024-03-01", &beside, &mut late, &[]);
        assert_eq!((lines, left), (vec!["2024-01-31 incidents_granted -12 corrects 1.1".to_owned()], 0));
        let (lines, left) = book_by("2024-07-01", &beside, &mut late, &[]);
        assert_eq!((lines, left), (vec!["2024-07-01 incidents_granted 12".to_owned()], 12));
        // A refunded silver never ran.
        let lines = book_by("2024-07-02", &alone, &mut late, &[]).0;
        let corrected =
            ["2024-01-31 incidents_granted 12 corrects 1.2", "2024-07-01 incidents_granted -12 corrects 4.1"];
        assert_eq!(lines, corrected.map(str::to_owned));
    }

    #[test]
    fn d12_silver_that_starts_later_takes_back_what_is_unspent_then_until_it_ends() {
        let silver = Beside {
            order_id: "S".into(),
            starts_on: day("2024-03-01"),
            until: day("2024-06-30"),
            quantity: Some(15),
            amount: None,
        };
        let of = Drawable { unit: Unit::Incidents, beside: vec![silver], ..hours(Some(20)) };
        let draws = [draw(7, "2024-02-01", 3), draw(8, "2024-08-01", 10)];
        let mut booked = vec![];
        book_by("2024-02-28", &of, &mut booked, &draws[..1]);
        assert_eq!(
            book_by("2024-03-01", &of, &mut booked, &[]),
            (vec!["2024-01-31 incidents_granted -15 corrects 1.1".to_owned()], 2)
        );
        book_by("2024-07-01", &of, &mut booked, &[]);
        assert_eq!(
            book(&of, &mut booked, &draws[1..]),
            (vec!["2024-08-01 incidents_used -10".to_owned()], 7)
        );
        let mut at_once = vec![];
        let (lines, left) = book(&of, &mut at_once, &draws);
        let first = ["2024-01-31 incidents_granted 5", "2024-07-01 incidents_granted 15"];
        assert_eq!((&lines[..1], left), (&[first[0].to_owned()][..], 7));
        assert!(lines.contains(&first[1].to_owned()), "{lines:?}");
    }

    #[test]
    fn d16_what_is_booked_moves_with_its_order_s_year_and_back() {
        let (mut of, mut booked) = (hours(Some(5)), vec![]);
        book(&of, &mut booked, &[draw(7, "2024-05-01", 60), draw(8, "2024-05-02", 90)]);
        let stands = |booked: &[BookedUnits]| {
            let mut sums = BTreeMap::<(&str, NaiveDate), i64>::new();
            for t in booked.iter().map(|b| &b.transfer) {
                let gives = if t.to == Account::Available { t.count } else { -t.count };
                *sums.entry((Unit::Hours.kind(t.moved), t.period.until)).or_default() += gives;
            }
            sums.retain(|_, sum| *sum != 0);
            sums.into_iter().map(|((kind, until), sum)| format!("{kind} {until} {sum}")).collect::<Vec<_>>()
        };
        for last_usable_on in ["2025-01-30", "2025-04-30", "2025-03-02", "2023-12-31"] {
            of.last_usable_on = day(last_usable_on);
            let (lines, left) = book(&of, &mut booked, &[]);
            assert_eq!((lines.len(), left), (6, 150), "{lines:?}");
            let until = add_days(of.last_usable_on.max(of.starts_on), 1);
            assert_eq!(
                stands(&booked),
                [format!("hours_granted {until} 300"), format!("hours_used {until} -150")]
            );
        }
        let corrections = booked.iter().map(|b| &b.transfer).filter(|t| t.corrects.is_some());
        assert!(corrections.clone().all(|t| t.rule == Some("D16")));
        of.last_usable_on = day("2024-12-31");
        of.ended_on = Some(day("2024-12-31"));
        assert_eq!(book(&of, &mut booked, &[]).1, 0);
        assert_eq!(
            stands(&booked),
            ["hours_granted 2025-01-01 300", "hours_lapsed 2025-01-01 -150", "hours_used 2025-01-01 -150"]
        );
    }

    #[test]
    fn r6_of_what_is_unlimited_or_nothing_nothing_is_booked() {
        assert_eq!(book(&hours(None), &mut vec![], &[draw(7, "2024-02-01", 1)]), (vec![], 0));
        assert_eq!(book(&hours(Some(0)), &mut vec![], &[]), (vec![], 0));
        let of = Drawable { unit: Unit::Incidents, ..hours(Some(10)) };
        assert_eq!(book(&of, &mut vec![], &[]).0, ["2024-01-31 incidents_granted 10"]);
        assert_eq!(Move::of_kind("incidents_lapsed"), Some(Move::Lapsed));
        assert_eq!(Move::of_kind("credit_used"), None);
    }

    #[test]
    fn r6_r7_hours_of_advice_and_incidents_of_both_supports_are_drawn_and_nothing_else() {
        for kind in super::super::benefit::BenefitKind::ALL {
            let unit = match kind.name() {
                "advisory_hours" => Some(Unit::Hours),
                "product_support" | "signature_cloud_support" => Some(Unit::Incidents),
                _ => None,
            };
            assert_eq!(Unit::of(kind), unit, "{}", kind.name());
        }
    }
}

//! The programme's rules once more, small and plain, apart from the program's own: facts in memory, each request ruled
//! on as rules.md has it, each night worked out day by day, each balance from the facts alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Months, NaiveDate};

pub type Day = NaiveDate;

/// When a no becomes a yes (D13); the last of all reasons' decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    Corrected,
    On(Day),
    Never,
}

/// A reason against something.
pub type No = (&'static str, When);

pub fn plus(day: Day, days: u64) -> Day {
    day + Days::new(days)
}

pub fn minus(day: Day, days: u64) -> Day {
    day - Days::new(days)
}

pub fn months(anchor: Day, count: u32) -> Day {
    anchor + Months::new(count)
}

#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub enabled: bool,
    pub roles: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Company {
    pub number: &'static str,
    pub country: &'static str,
    pub currency: &'static str,
    pub group: &'static str,
    pub people: Vec<Person>,
    /// Name, first day, last day.
    pub agreements: Vec<(&'static str, Day, Option<Day>)>,
}

impl Company {
    pub fn person(&self, name: &str) -> Option<usize> {
        self.people.iter().position(|person| person.name.eq_ignore_ascii_case(name))
    }
}

/// An assignment: the seat is 0 where there are none.
#[derive(Clone, Debug)]
pub struct Given {
    pub user: usize,
    pub seat: u32,
    pub on: Day,
    pub off: Option<Day>,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub code: &'static str,
    pub quantity: u32,
    pub from: Day,
    pub expires: Day,
    pub minor: i64,
    pub ended: Option<(Day, &'static str)>,
    pub given: Vec<Given>,
    /// Day, reference, minor units.
    pub usage: BTreeSet<(Day, String, i64)>,
}

impl Item {
    pub fn is(&self, kind: &str) -> bool {
        self.code.split('/').next() == Some(kind)
    }

    pub fn live(&self) -> impl Iterator<Item = &Given> {
        self.given.iter().filter(|given| given.off.is_none())
    }
}

#[derive(Clone, Debug)]
pub struct Order {
    pub id: String,
    pub of: usize,
    pub offer: Option<&'static str>,
    pub bought: Option<Day>,
    pub from: Day,
    /// The anniversary date (D5).
    pub ad: Day,
    pub status: &'static str,
    pub ended: Option<Day>,
    pub items: Vec<Item>,
}

impl Order {
    pub fn grace_ends(&self) -> Day {
        plus(self.ad, 30)
    }

    /// The last usable day of a row, were nothing to end it before (D5).
    pub fn runs_out(&self, item: &Item) -> Day {
        if plus(item.expires, 1) < self.ad { item.expires } else { self.grace_ends() }
    }

    pub fn last_day(&self, item: &Item) -> Day {
        item.ended.map_or(self.runs_out(item), |(day, _)| day)
    }
}

/// What was asked and is kept under its key (D16).
#[derive(Clone, Debug)]
pub struct Kept {
    pub content: String,
    pub waits: bool,
}

/// A cancellation or renewal that a night decides.
#[derive(Clone, Debug)]
pub struct Pending {
    pub on: Day,
    pub order: usize,
    /// Of a renewal.
    pub next: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub companies: Vec<Company>,
    pub orders: Vec<Order>,
    pub kept: BTreeMap<(usize, &'static str, String), Kept>,
    pub cancels: Vec<Pending>,
    pub renewals: Vec<Pending>,
    /// Usage on record, by partner and reference.
    pub references: BTreeMap<(usize, String), String>,
    /// What was decided and is not compared yet.
    pub decisions: Vec<String>,
    /// Seats run on the clock of the latest assignment (D9).
    pub last_clock: bool,
}

impl Model {
    pub fn order(&self, id: &str) -> Option<usize> {
        self.orders.iter().position(|order| order.id == id)
    }

    /// Records a yes or a no (D13).
    pub fn decided(&mut self, action: &str, subject: &str, reasons: &[No]) {
        let outcome = if reasons.is_empty() { "accepted" } else { "refused" };
        let codes: BTreeSet<&str> = reasons.iter().map(|(code, _)| *code).collect();
        let codes: Vec<&str> = codes.into_iter().collect();
        let when = match reasons.iter().map(|(_, when)| *when).max() {
            Some(When::On(day)) => day.to_string(),
            _ => "-".to_owned(),
        };
        self.decisions.push(format!("{action} {subject} {outcome} {} {when}", codes.join("+")));
    }

    /// The first day from `on` on which no listed agreement and no Action Pack excludes bulk credit that runs through
    /// `until`; `None`: none (R2, D14).
    pub fn unblocked(&self, of: usize, on: Day, until: Day) -> Option<Day> {
        const LISTED: [&str; 4] = ["enterprise_agreement", "csp", "azure_in_open", "azure_pass"];
        let agreements = self.companies[of].agreements.iter();
        let mut spans: Vec<(Day, Day)> = agreements
            .filter(|(name, ..)| LISTED.contains(name))
            .map(|(_, from, until)| (*from, until.unwrap_or(Day::MAX)))
            .collect();
        let packs = self.orders.iter().filter(|o| o.of == of && o.offer == Some("action_pack"));
        spans.extend(packs.map(|o| (o.from, o.ended.unwrap_or(o.grace_ends()))));
        let free = |day: &Day| !spans.iter().any(|(from, until)| from <= day && day <= until);
        if free(&on) {
            return Some(on);
        }
        on.iter_days().take_while(|day| *day <= until).find(free)
    }

    /// How many caps of the partner's group one more Visual Studio seat would break (D12).
    pub fn breaks_cap(&self, of: usize, on: Day) -> bool {
        let group = self.companies[of].group;
        let ours = |order: &&Order| self.companies[order.of].group == group;
        let gold = self.orders.iter().filter(ours).any(|o| {
            let until = o.ended.or_else(|| o.items.iter().map(|item| o.last_day(item)).max());
            o.offer == Some("gold") && o.from <= on && until.is_some_and(|until| on <= until)
        });
        let (in_country, in_all) = if gold { (50, 150) } else { (25, 75) };
        let seats = |country: Option<&str>| -> usize {
            let orders = self.orders.iter().filter(ours);
            let orders = orders.filter(|o| country.is_none_or(|c| self.companies[o.of].country == c));
            let items = orders.flat_map(|o| &o.items).filter(|i| i.is("visual_studio") && i.ended.is_none());
            items.map(|item| item.live().count()).sum()
        };
        seats(Some(self.companies[of].country)) + 1 > in_country || seats(None) + 1 > in_all
    }

    /// Brings the store's world through one night (D5, D6, D7).
    pub fn night(&mut self, on: Day) {
        let due = |pending: &mut Vec<Pending>| {
            let (mut due, later): (Vec<_>, Vec<_>) = pending.drain(..).partition(|p| p.on <= on);
            *pending = later;
            due.sort_by_key(|p| p.on);
            due
        };
        for cancel in due(&mut self.cancels) {
            self.cancel(&cancel);
        }
        for renewal in due(&mut self.renewals) {
            self.renew(&renewal);
        }
        for order in &mut self.orders {
            if order.ended.is_none() {
                order.status = if on < order.from {
                    "pending"
                } else if on < order.ad {
                    "active"
                } else {
                    "in_grace"
                };
                if order.grace_ends() < on {
                    (order.status, order.ended) = ("expired", Some(order.grace_ends()));
                }
            }
            let over: Vec<(usize, Day)> = order
                .items
                .iter()
                .enumerate()
                .filter(|(_, item)| item.ended.is_none() && order.runs_out(item) < on)
                .map(|(at, item)| (at, order.runs_out(item)))
                .collect();
            for (at, day) in over {
                end(&mut order.items[at], day, "expired");
            }
        }
    }

    fn cancel(&mut self, asked: &Pending) {
        let order = &mut self.orders[asked.order];
        let bought = order.bought.unwrap_or(order.from);
        let mut no = Vec::new();
        if order.ended.is_some() {
            no.push(("already_ended", When::Never));
        }
        if asked.on < bought {
            no.push(("requested_before_purchase", When::On(bought)));
        }
        if asked.on > plus(bought, 30) {
            no.push(("refund_window_passed", When::Never));
        }
        if no.is_empty() {
            (order.status, order.ended) = ("cancelled", Some(asked.on));
            for item in &mut order.items {
                if item.ended.is_none_or(|(day, _)| day > asked.on) {
                    end(item, asked.on, "cancelled");
                }
            }
        }
        let subject = order.id.clone();
        self.decided("cancel", &subject, &no);
    }

    fn renew(&mut self, asked: &Pending) {
        let next = asked.next.as_deref().unwrap_or_default();
        let old = &self.orders[asked.order];
        let mut no = Vec::new();
        if old.ended.is_some() {
            no.push(("already_ended", When::Never));
        }
        if asked.on < old.ad {
            no.push(("renewed_too_early", When::On(old.ad)));
        }
        if asked.on > old.grace_ends() {
            no.push(("renewed_too_late", When::Never));
        }
        if self.order(next).is_some() {
            no.push(("new_order_taken", When::Corrected));
        }
        let subject = old.id.clone();
        if no.is_empty() {
            let old = &mut self.orders[asked.order];
            (old.status, old.ended) = ("renewed", Some(minus(asked.on, 1)));
            for at in 0..old.items.len() {
                let day = minus(asked.on, 1).min(old.runs_out(&old.items[at]));
                if old.items[at].ended.is_none() {
                    end(&mut old.items[at], day, "renewed");
                }
            }
            let (of, ad) = (old.of, plus(old.ad, 365));
            let (offer, bought, items) = (None, None, vec![]);
            let id = next.to_owned();
            let (from, status) = (asked.on, "pending");
            self.orders.push(Order { id, of, offer, bought, from, ad, status, ended: None, items });
        }
        self.decided("renew", &subject, &no);
    }

    /// Who has what: `ORD-1|azure_monthly_credit|ada@p4301.example+ben@p4301.example`.
    pub fn assigned(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for order in &self.orders {
            for item in &order.items {
                let mut live: Vec<&Given> = item.live().collect();
                live.sort_by_key(|given| given.on);
                let people = &self.companies[order.of].people;
                let names: Vec<&str> = live.iter().map(|given| people[given.user].name.as_str()).collect();
                lines.insert(format!("{}|{}|{}", order.id, item.code, names.join("+")));
            }
        }
        lines
    }

    /// How orders and benefits stand after a night.
    pub fn standing(&self) -> BTreeSet<String> {
        let told = |day: Option<Day>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        let mut lines = BTreeSet::new();
        for order in &self.orders {
            lines.insert(format!("{}||{}|{}|{}", order.id, order.status, told(order.ended), order.ad));
            for item in &order.items {
                let status = item.ended.map_or(order.status, |(_, how)| how);
                let ended = told(item.ended.map(|(day, _)| day));
                lines.insert(format!("{}|{}|{status}|{ended}|", order.id, item.code));
            }
        }
        lines
    }

    /// Every credit's periods after the night of a day: granted, used, lapsed, overage, corrections netted.
    pub fn books(&self, night: Day) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for order in &self.orders {
            for item in order.items.iter().filter(|item| item.code.contains("credit")) {
                for (number, sums) in credit(order, item, night) {
                    let [granted, used, lapsed, overage] = sums;
                    if sums != [0; 4] {
                        let key = format!("{}|{}", order.id, item.code);
                        lines.insert(format!("{key}|{number}|{granted}|{used}|{lapsed}|{overage}"));
                    }
                }
            }
        }
        lines
    }
}

/// The end of a benefit ends its assignments on the day after (D6).
pub fn end(item: &mut Item, day: Day, how: &'static str) {
    item.ended = Some((day, how));
    for given in &mut item.given {
        let off = plus(day, 1).max(given.on);
        if given.off.is_none_or(|removed| removed > off) {
            given.off = Some(off);
        }
    }
}

/// What each period of a credit comes to by the night of a day, from the facts alone (D2, D3, D7, D15).
fn credit(order: &Order, item: &Item, night: Day) -> BTreeMap<u32, [i64; 4]> {
    let bulk = item.is("azure_bulk_credit");
    let begins = |number: u32| months(item.from, number);
    let mut sums = BTreeMap::<u32, [i64; 4]>::new();
    let mut left = BTreeMap::<u32, i64>::new();
    let granted = |number: u32| {
        let day = begins(number);
        let most = if bulk { 1 } else { 12 };
        number < most
            && day <= night
            && day <= item.expires
            && day < order.ad
            && item.ended.is_none_or(|(end, _)| day <= end)
    };
    for number in (0..12).filter(|number| granted(*number)) {
        let amount = item.minor * i64::from(item.quantity);
        sums.entry(number).or_default()[0] = amount;
        left.insert(number, amount);
    }
    for (day, _, minor) in item.usage.iter().filter(|(day, ..)| *day <= night) {
        let later = |number: &u32| begins(*number) <= *day;
        let number = if bulk { 0 } else { (0..600).take_while(later).last().unwrap_or(0) };
        let unspent = left.entry(number).or_default();
        let drawn = if *day <= order.last_day(item) { (*minor).min(*unspent) } else { 0 };
        *unspent -= drawn;
        let of = sums.entry(number).or_default();
        of[1] += drawn;
        of[3] += minor - drawn;
    }
    for (number, unspent) in left {
        let of = sums.entry(number).or_default();
        let until = if bulk { plus(order.runs_out(item), 1) } else { begins(number + 1) };
        match item.ended {
            Some((end, "cancelled")) if until > end => of[0] -= unspent,
            Some((end, _)) if bulk || plus(end, 1) < until => {
                of[2] += if plus(end, 1) <= night { unspent } else { 0 };
            }
            _ => of[2] += if !bulk && until <= night { unspent } else { 0 },
        }
    }
    sums
}

//! The programme's rules once more, small and plain, apart from the program's own: facts in memory, each request ruled
//! on as RULES.md has it, each night worked out day by day, each balance from the facts alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Months, NaiveDate};

use super::keys::Key;

pub type Day = NaiveDate;

/// When a no becomes a yes (D13); the last of all reasons' decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    Corrected,
    On(Day),
    Never,
}

/// When a day outside a benefit's own is one of its days.
pub fn outside(from: Day, on: Day) -> When {
    if on < from { When::On(from) } else { When::Never }
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
    pub group: &'static str,
    pub people: Vec<Person>,
    /// Its own tenant; empty: not known.
    pub tenant: &'static str,
    /// The marketing contact.
    pub contact: Option<usize>,
    /// Name, first day, last day, when it became known.
    pub agreements: Vec<(&'static str, Day, Option<Day>, Day)>,
}

impl Company {
    pub fn person(&self, name: &str) -> Option<usize> {
        self.people.iter().position(|person| person.name.eq_ignore_ascii_case(name))
    }
}

/// Whether an offer may bring a benefit at all (R6).
pub fn brings(offer: &str, benefit: &str) -> bool {
    match benefit {
        "product_support" => ["action_pack", "silver", "gold"].contains(&offer),
        "signature_cloud_support" => ["silver", "gold"].contains(&offer),
        _ => true,
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

#[derive(Clone, Debug, Default)]
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
    /// By period: what was drawn of it by the last night, which stays spent (D16).
    pub spent: BTreeMap<u32, i64>,
    /// When it arrived, and as the how manieth of all.
    pub known: Day,
    pub number: u32,
    pub activated: Option<Day>,
    /// Minutes or incidents, by the day of their request.
    pub draws: Vec<(Day, i64)>,
    /// Of bulk credit: the day its grant took effect; or it ended before and never gets one.
    pub opened: Option<Day>,
    pub lost: bool,
    /// It should have one by now, and something excludes it.
    pub waits: bool,
    pub keys: Vec<Key>,
}

impl Item {
    pub fn is(&self, kind: &str) -> bool {
        self.code.split('/').next() == Some(kind)
    }

    /// What one of it is to draw from: an hour's minutes, or an incident.
    pub fn unit(&self) -> i64 {
        match self.code {
            "advisory_hours" => 60,
            "product_support" | "signature_cloud_support" => 1,
            _ => 0,
        }
    }

    pub fn drawn(&self) -> i64 {
        self.draws.iter().map(|(_, count)| count).sum()
    }

    /// What it brings a period, or once.
    pub fn credit(&self) -> i64 {
        self.minor * i64::from(self.quantity)
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
    /// An order that its first row makes (D5).
    pub fn new(id: &str, of: usize, from: Day) -> Self {
        let (id, ad) = (id.to_owned(), months(from, 12));
        let (offer, bought, status, ended, items) = (None, None, "pending", None, vec![]);
        Self { id, of, offer, bought, from, ad, status, ended, items }
    }

    pub fn grace_ends(&self) -> Day {
        plus(self.ad, 30)
    }

    /// The last usable day of a row, were nothing to end it before (D5).
    pub fn runs_out(&self, item: &Item) -> Day {
        if plus(item.expires, 1) < self.ad { item.expires } else { self.grace_ends() }
    }

    /// When its support was activated (R6).
    pub fn support(&self) -> Option<Day> {
        let support =
            self.items.iter().filter(|i| i.is("product_support") || i.is("signature_cloud_support"));
        support.filter_map(|item| item.activated).min()
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
    /// Seats and end, by partner and benefit.
    pub subscriptions: BTreeMap<(usize, &'static str), (u32, Day)>,
    /// Access ID and Contract ID of an order whose support is activated, as the store made them.
    pub contracts: BTreeMap<String, (String, String)>,
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
        let spans = self.exclusions(of);
        let free = |day: &Day| !spans.iter().any(|(from, until, _)| from <= day && day <= until);
        if free(&on) {
            return Some(on);
        }
        on.iter_days().take_while(|day| *day <= until).find(free)
    }

    /// What silver brings of a benefit on a day beside a gold order, as `what` counts it: what was refunded never ran, and
    /// grace is none of its days (D12).
    pub fn silver_beside(&self, gold: &Order, code: &str, on: Day, what: fn(&Item) -> i64) -> i64 {
        let silver = |o: &&Order| gold.offer == Some("gold") && o.offer == Some("silver") && o.of == gold.of;
        let mut sum = 0;
        for order in self.orders.iter().filter(silver) {
            for item in order.items.iter().filter(|item| item.code == code && item.from <= on) {
                let until = item.expires.min(minus(order.ad, 1));
                let runs = match item.ended {
                    Some((_, "cancelled")) => false,
                    Some((end, _)) => on <= until.min(end),
                    None => on <= until,
                };
                sum += if runs { what(item) } else { 0 };
            }
        }
        sum
    }

    /// How much of an item's quantity silver leaves on a day (D12).
    pub fn quantity(&self, order: &Order, item: &Item, on: Day) -> u32 {
        let silver = self.silver_beside(order, item.code, on, |item| i64::from(item.quantity));
        u32::try_from(i64::from(item.quantity) - silver).unwrap_or(0)
    }

    /// How much of what is drawn from there is on a day: minutes or incidents.
    pub fn units(&self, order: &Order, item: &Item, on: Day) -> i64 {
        item.unit() * i64::from(self.quantity(order, item, on))
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
        self.open_bulk(on);
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
        // Whatever is on record by now blocks, whatever its date (D7, promise 10).
        let given = |item: &Item| item.keys.iter().any(|key| key.revealed || key.redeemed);
        if order.items.iter().any(|i| given(i) || i.is("software") && i.activated.is_some()) {
            no.push(("refund_blocked", When::Never));
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
            let ad = plus(old.ad, 365);
            let new = Order { ad, ..Order::new(next, old.of, asked.on) };
            self.orders.push(new);
        }
        self.decided("renew", &subject, &no);
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

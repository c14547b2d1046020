//! What the rules say there is, in lines. Balances come from the facts alone: what each period of each benefit comes to by the night of a day (D2, D3, D6, D7, D15).

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{Day, Given, Item, Model, Order, minus, months, plus};

impl Model {
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

    /// When the subscriptions end that keys of a benefit were redeemed onto.
    pub fn subscribed(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for order in &self.orders {
            for item in order.items.iter().filter(|item| item.keys.iter().any(|key| key.redeemed)) {
                let (_, ends) = self.subscriptions[&(order.of, item.code)];
                lines.insert(format!("{}|{}|{ends}", order.id, item.code));
            }
        }
        lines
    }

    /// How orders and benefits stand after a night.
    pub fn standing(&self, night: Day) -> BTreeSet<String> {
        let told = |day: Option<Day>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        let mut lines = BTreeSet::new();
        for order in &self.orders {
            lines.insert(format!("{}||{}|{}|{}", order.id, order.status, told(order.ended), order.ad));
            for item in &order.items {
                let live = item.activated.filter(|_| item.is("go_to_market")).map(|day| plus(day, 3));
                let running = if item.waits {
                    "blocked"
                } else if live.is_some_and(|live| night < live) {
                    "activating"
                } else if live.is_none() && item.is("go_to_market") {
                    "not_activated"
                } else {
                    order.status
                };
                let status = item.ended.map_or(running, |(_, how)| how);
                let ended = told(item.ended.map(|(day, _)| day));
                lines.insert(format!("{}|{}|{status}|{ended}|", order.id, item.code));
            }
        }
        lines
    }

    /// Every period after the night of a day: granted, used, lapsed, overage, corrections netted.
    pub fn books(&mut self, night: Day) -> BTreeSet<String> {
        let (mut lines, mut spent) = (BTreeSet::new(), Vec::new());
        for (at, order) in self.orders.iter().enumerate() {
            for (nth, item) in order.items.iter().enumerate() {
                let silver = |day| self.silver_beside(order, item.code, day, Item::credit);
                let periods = match item.code.split('/').next() {
                    Some("azure_monthly_credit") => monthly(order, item, night, silver),
                    Some("azure_bulk_credit") => bulk(order, item, night, silver),
                    _ => units(order, item, night, |day| self.units(order, item, day)),
                };
                for (number, sums) in periods {
                    let [granted, used, lapsed, overage] = sums;
                    spent.push((at, nth, number, used));
                    if sums != [0; 4] {
                        let key = format!("{}|{}", order.id, item.code);
                        lines.insert(format!("{key}|{number}|{granted}|{used}|{lapsed}|{overage}"));
                    }
                }
            }
        }
        for (at, nth, number, used) in spent {
            self.orders[at].items[nth].spent.insert(number, used);
        }
        lines
    }
}

/// The last day on which a grant takes effect (D3).
fn last_grant(order: &Order, item: &Item) -> Day {
    let last = item.expires.min(minus(order.ad, 1));
    item.ended.map_or(last, |(end, _)| end.min(last))
}

/// A month each, at most twelve, what is left of one lost with it; of a refunded one it goes back. The last ends with the
/// last usable day before grace (D2). Of gold it is what `silver` leaves on its first day, and never less than was spent
/// of it (D12, D16).
fn monthly(order: &Order, item: &Item, night: Day, silver: impl Fn(Day) -> i64) -> BTreeMap<u32, [i64; 4]> {
    let begins = |number: u32| months(item.from, number);
    let over = plus(item.expires.min(minus(order.ad, 1)), 1);
    let ends = |number: u32| {
        let whole = begins(number + 1);
        if begins(number) < over { whole.min(over) } else { whole }
    };
    let (mut sums, mut left) = (BTreeMap::<u32, [i64; 4]>::new(), BTreeMap::<u32, i64>::new());
    let last = last_grant(order, item).min(night);
    for number in (0..12).take_while(|number| begins(*number) <= last) {
        let kept = item.spent.get(&number).copied().unwrap_or(0);
        let amount = (item.credit() - silver(begins(number))).max(0).max(kept);
        sums.entry(number).or_default()[0] = amount;
        left.insert(number, amount);
    }
    for (day, _, minor) in item.usage.iter().filter(|(day, ..)| *day <= night) {
        let number = (0..600).take_while(|number| begins(*number) <= *day).last().unwrap_or(0);
        let unspent = left.entry(number).or_default();
        let usable = *day <= order.last_day(item) && *day < ends(number);
        let drawn = if usable { (*minor).min(*unspent) } else { 0 };
        *unspent -= drawn;
        let of = sums.entry(number).or_default();
        of[1] += drawn;
        of[3] += minor - drawn;
    }
    for (number, unspent) in left {
        let of = sums.entry(number).or_default();
        let until = ends(number);
        match item.ended {
            Some((end, "cancelled")) if until > end => of[0] -= unspent,
            Some((end, _)) if plus(end, 1).min(until) <= night => of[2] += unspent,
            None if until <= night => of[2] += unspent,
            _ => {}
        }
    }
    sums
}

/// Once, from the day it opened, to be spent until it ends. Of gold what `silver` leaves on the first day comes then, and the
/// rest as silver ends, each under the number of its day; what was spent stays, and is taken off what comes later (D12).
fn bulk(order: &Order, item: &Item, night: Day, silver: impl Fn(Day) -> i64) -> BTreeMap<u32, [i64; 4]> {
    let last = last_grant(order, item);
    let open = item.opened.filter(|day| *day <= last);
    let may_come = item.opened.is_none() && !item.lost && item.from <= last;
    let mut parts: BTreeMap<u32, (Day, i64)> = [(0, (item.from, 0))].into();
    let (mut level, mut stands) = (0, 0);
    for day in item.from.iter_days().take_while(|day| *day <= last.min(night) && open.is_some()) {
        let number = if open.is_some_and(|open| day <= open) { 0 } else { days(item.from, day) };
        let now = (item.credit() - silver(day)).max(0);
        if now > level {
            parts.entry(number).or_insert((day, 0)).1 += now - level;
            level = now;
        }
    }
    for number in item.spent.keys() {
        parts.entry(*number).or_insert((plus(item.from, u64::from(*number)), 0));
    }
    let mut rest: Vec<(Day, i64)> = item.usage.iter().map(|(day, _, minor)| (*day, *minor)).collect();
    rest.retain(|(day, _)| *day <= night && !may_come);
    let reached = |on: Day| parts.iter().rev().find(|(number, (day, _))| **number == 0 || *day <= on);
    let overage: Vec<u32> = rest.iter().map(|(on, _)| *reached(*on).unwrap().0).collect();
    let (mut sums, mut theirs) = (BTreeMap::<u32, [i64; 4]>::new(), 0);
    for (number, (day, brings)) in &parts {
        theirs += brings;
        let reach = |on: Day| *number == 0 || *day <= on;
        let wanted: i64 = rest.iter().filter(|(on, _)| reach(*on)).map(|(_, minor)| minor).sum();
        let undone = item.ended.is_some_and(|(end, _)| open.is_none_or(|open| end < open.max(*day)));
        let kept = item.spent.get(number).copied().unwrap_or(0).min(if undone { 0 } else { wanted });
        let amount = (theirs - stands).max(0).max(kept);
        stands += amount;
        let mut left = amount;
        for (on, minor) in rest.iter_mut().filter(|(on, _)| reach(*on)) {
            let usable = open.is_some_and(|open| open <= *on) && *on <= order.last_day(item);
            let drawn = if usable { (*minor).min(left) } else { 0 };
            (*minor, left) = (*minor - drawn, left - drawn);
            sums.entry(*number).or_default()[1] += drawn;
        }
        let of = sums.entry(*number).or_default();
        of[0] += amount;
        match item.ended {
            Some((_, "cancelled")) => of[0] -= left,
            Some((end, _)) if plus(end, 1) <= night => of[2] += left,
            _ => {}
        }
    }
    for (number, (_, minor)) in overage.into_iter().zip(rest) {
        sums.entry(number).or_default()[3] += minor;
    }
    sums
}

/// Hours and incidents: with the benefit's start, and of gold what silver holds back when that ends; drawn by requests, lost with
/// its end. What silver takes back later was not spent by then (D12).
fn units(order: &Order, item: &Item, night: Day, there: impl Fn(Day) -> i64) -> BTreeMap<u32, [i64; 4]> {
    let began = item.ended.map_or(item.from <= night, |(end, _)| item.from <= end);
    let last = last_grant(order, item).min(night);
    let (mut granted, mut have) = (BTreeMap::<u32, i64>::new(), 0);
    let spent_before =
        |day: Day| -> i64 { item.draws.iter().filter(|(on, _)| *on < day).map(|(_, count)| count).sum() };
    for day in item.from.iter_days().take_while(|day| began && *day <= last) {
        let spent = spent_before(day);
        if spent > have {
            *granted.entry(0).or_default() += spent - have;
            have = spent;
        }
        let now = there(day);
        if now > have {
            *granted.entry(days(item.from, day)).or_default() += now - have;
            have = now;
        }
        while have > now.max(spent) {
            let (_, latest) = granted.iter_mut().rev().find(|(_, count)| **count > 0).unwrap();
            (*latest, have) = (*latest - 1, have - 1);
        }
    }
    let drawn = item.drawn();
    *granted.entry(0).or_default() += (drawn - have).max(0);
    let lapsed = if item.ended.is_some() { have.max(drawn) - drawn } else { 0 };
    let mut sums: BTreeMap<u32, [i64; 4]> =
        granted.into_iter().map(|(number, count)| (number, [count, 0, 0, 0])).collect();
    let first = sums.entry(0).or_default();
    (first[1], first[2]) = (drawn, lapsed);
    sums
}

fn days(from: Day, day: Day) -> u32 {
    u32::try_from((day - from).num_days()).unwrap()
}

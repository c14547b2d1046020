//! Keys and what redeeming one does to a subscription (R3, R5, D8).

use super::{
    benefits::Ruled,
    rules::{Day, Item, Model, No, When, months, outside, plus},
};

/// A key as the store calls it.
#[derive(Clone, Debug)]
pub struct Key {
    pub named: String,
    pub seats: Option<u32>,
    pub months: u32,
    pub revealed: bool,
    pub redeemed: bool,
}

/// A row of key requests; empty cells are empty.
#[derive(Clone, Debug)]
pub struct KeyAsked {
    pub code: String,
    pub action: &'static str,
    pub named: String,
    pub tenant: String,
    pub mode: &'static str,
}

/// A number of months: `over / under`.
type Months = (i128, i128);

fn days(from: Day, until: Day) -> i128 {
    (until - from).num_days().into()
}

/// Whole months, and what is left in days of the month that they lie in.
fn between(from: Day, until: Day) -> Months {
    let whole = (0..6_000).take_while(|count| months(from, *count) <= until).last().unwrap();
    let (reached, next) = (months(from, whole), months(from, whole + 1));
    let length = days(reached, next);
    (i128::from(whole) * length + days(reached, until), length)
}

/// Whole months, then the rest in days of the following month, rounded up.
fn after(day: Day, (over, under): Months) -> Day {
    let whole = u32::try_from(over / under).unwrap();
    let (reached, next) = (months(day, whole), months(day, whole + 1));
    let rest = (over % under) * days(reached, next);
    plus(reached, u64::try_from((rest + under - 1) / under).unwrap())
}

/// Seats and end after a key of `seats` and `carried` months, redeemed onto what is live (D8).
pub fn redeemed(mode: &str, live: Option<(u32, Day)>, seats: u32, carried: u32, on: Day) -> (u32, Day) {
    let carried = i128::from(seats) * i128::from(carried);
    match (mode, live) {
        ("add_seats", Some((active, ends))) => {
            let (over, under) = between(on, ends);
            let all = i128::from(active + seats);
            let left = (i128::from(active) * over + carried * under, all * under);
            (active + seats, after(on, left))
        }
        ("extend", Some((active, ends))) => (active, after(ends, (carried, i128::from(active)))),
        _ => (seats, after(on, (carried, i128::from(seats)))),
    }
}

impl Model {
    /// Reveals a key, or redeems it once for ever.
    pub fn key(&mut self, of: usize, order: usize, asked: &KeyAsked, on: Day) -> Ruled {
        let ours = &self.orders[order];
        let at = ours.items.iter().position(|item| item.code == asked.code).unwrap();
        let item = &ours.items[at];
        let (redeem, licence) = (asked.action == "redeem", item.is("license_subscription"));
        let mut no: Vec<No> = Vec::new();
        if redeem && !licence {
            no.push(("not_redeemable", When::Never));
        } else if !licence && !item.is("software") {
            no.push(("not_revealable", When::Never));
        }
        self.given_out(order, &mut no);
        if on < item.from || ours.last_day(item) < on {
            no.push(("outside_benefit_dates", outside(item.from, on)));
        }
        let picked = pick(item, asked).map_err(|reason| no.push(reason)).ok();
        let own = self.companies[of].tenant;
        if redeem && own.is_empty() {
            no.push(("tenant_unknown", When::Corrected));
        } else if redeem && !asked.tenant.is_empty() && asked.tenant != own {
            no.push(("wrong_tenant", When::Corrected));
        }
        let subscription = (of, item.code);
        let live = self.subscriptions.get(&subscription).copied().filter(|(_, ends)| on < *ends);
        let mut becomes = None;
        if let Some(key) = picked.filter(|_| redeem).map(|nth| &item.keys[nth]) {
            match (asked.mode, live) {
                ("" | "new", Some(_)) => no.push(("subscription_live", When::Corrected)),
                ("add_seats" | "extend", None) => no.push(("no_live_subscription", When::Corrected)),
                ("extend", Some((active, _))) if key.seats.is_some_and(|seats| seats > 3 * active) => {
                    no.push(("extends_too_much", When::Corrected));
                }
                _ => {}
            }
            match key.seats {
                None => no.push(("key_without_seats", When::Corrected)),
                Some(seats) => becomes = Some((seats, key.months)),
            }
        }
        let (Some(nth), true) = (picked, no.is_empty()) else { return Err(no) };
        let key = &mut self.orders[order].items[at].keys[nth];
        let Some((seats, carried)) = becomes else {
            key.revealed = true;
            return Ok(vec!["key_named"]);
        };
        key.redeemed = true;
        self.subscriptions.insert(subscription, redeemed(asked.mode, live, seats, carried, on));
        Ok(vec!["key_named", "subscription_now"])
    }
}

/// The key that is named, else the oldest that is unrevealed, and to be redeemed unredeemed.
fn pick(item: &Item, asked: &KeyAsked) -> Result<usize, No> {
    let redeem = asked.action == "redeem";
    if asked.named.is_empty() {
        let fresh = |key: &Key| !(key.revealed || redeem && key.redeemed);
        return item.keys.iter().position(fresh).ok_or(("no_key_left", When::Corrected));
    }
    let found = item.keys.iter().position(|key| key.named == asked.named);
    match found {
        None => Err(("unknown_key", When::Corrected)),
        Some(nth) if redeem && item.keys[nth].redeemed => Err(("key_redeemed", When::Never)),
        Some(nth) => Ok(nth),
    }
}

//! What is done with software, support, hours and offers; what bulk credit waits for (R2, R5–R8, D7, D12, D14).

use std::collections::BTreeMap;

use super::{
    requests::answer,
    rules::{Day, Item, Model, No, Order, When, minus, outside, plus},
};

/// A ticket about a product.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub kind: &'static str,
    pub product: &'static str,
    pub version: &'static str,
    pub access: String,
    pub contract: String,
}

/// An accepted request with what is said of it, or every reason against it.
pub type Ruled = Result<Vec<&'static str>, Vec<No>>;

const LISTED: [&str; 4] = ["enterprise_agreement", "csp", "azure_in_open", "azure_pass"];

impl Model {
    /// Software, support and offers are activated, once (R5, R6, R8).
    pub fn activate(&mut self, of: usize, order: usize, code: &str, on: Day) -> Ruled {
        let ours = &self.orders[order];
        let at = ours.items.iter().position(|item| item.code == code).unwrap();
        let item = &ours.items[at];
        let support = item.is("product_support") || item.is("signature_cloud_support");
        let offer = item.is("go_to_market");
        let mut no: Vec<No> = Vec::new();
        if !(support || offer || item.is("software")) {
            no.push(("not_activatable", When::Never));
        }
        if item.activated.is_some() {
            no.push(("already_activated", When::Never));
        }
        self.given_out(order, &mut no);
        let last = ours.last_day(item);
        if on < item.from || last < on {
            no.push(("outside_benefit_dates", outside(item.from, on)));
        } else if offer && plus(on, 3) > last {
            no.push(("ends_before_live", When::Never));
        }
        if offer {
            match self.companies[of].contact {
                None => no.push(("contact_missing", When::Corrected)),
                Some(contact) if !self.companies[of].people[contact].enabled => {
                    no.push(("user_disabled", When::Corrected));
                }
                Some(_) => {}
            }
        }
        if !no.is_empty() {
            return Err(no);
        }
        self.orders[order].items[at].activated = Some(on);
        Ok(if offer {
            vec!["goes_live"]
        } else if support {
            vec!["support_ids"]
        } else {
            vec![]
        })
    }

    /// Nothing of an order is given out while its cancellation is decided, nor once it was refunded (D7, promise 10).
    pub fn given_out(&self, order: usize, no: &mut Vec<No>) {
        if self.cancels.iter().any(|cancel| cancel.order == order) || self.awaits_word(&self.orders[order].id)
        {
            no.push(("order_frozen", When::Corrected));
        }
        if self.orders[order].status == "cancelled" {
            no.push(("already_ended", When::Never));
        }
    }

    /// Hours are taken from whatever has some left, what ends first first (R7).
    pub fn hours(&mut self, of: usize, order: Option<usize>, minutes: i64, on: Day) -> Ruled {
        self.draw(of, order, "advisory_hours", minutes, on, Vec::new())
    }

    /// A ticket needs a product that is covered, and IDs for all but cloud products (R6).
    pub fn ticket(&mut self, of: usize, order: Option<usize>, ticket: &Ticket, on: Day) -> Ruled {
        let mut no: Vec<No> = Vec::new();
        let (kind, ids) = match ticket.product {
            "Harbour Server" => ("product_support", true),
            "Azure" => ("cloud_support", true),
            "Deskside 365" => ("cloud_support", false),
            _ => ("", false),
        };
        if kind.is_empty() {
            no.push(("unknown_product", When::Corrected));
        } else if kind != ticket.kind {
            no.push(("product_not_covered", When::Never));
        }
        // Of 2016, 2019, 2022 the last two; 2025 comes out later than any history.
        if ticket.product == "Harbour Server" && kind == ticket.kind {
            match ticket.version {
                "" => no.push(("missing", When::Corrected)),
                "2019" | "2022" => {}
                _ => no.push(("version_not_supported", When::Corrected)),
            }
        }
        let mut named = order;
        if ids {
            if ticket.access.is_empty() || ticket.contract.is_empty() {
                no.push(("missing", When::Corrected));
            }
            let open: Vec<usize> = (0..self.orders.len())
                .filter(|at| self.orders[*at].of == of && order.is_none_or(|order| order == *at))
                .filter(|at| self.orders[*at].support().is_some_and(|day| day <= on))
                .collect();
            let known = |at: &usize| self.contracts.get(&self.orders[*at].id);
            if open.is_empty() {
                no.push(("support_not_activated", When::Corrected));
            } else {
                let right = |id: &String, nth: fn(&(String, String)) -> &String| {
                    open.iter().find(|at| known(at).is_some_and(|ids| nth(ids) == id)).copied()
                };
                if !ticket.access.is_empty() && right(&ticket.access, |ids| &ids.0).is_none() {
                    no.push(("wrong_support_id", When::Corrected));
                }
                if !ticket.contract.is_empty() {
                    match right(&ticket.contract, |ids| &ids.1) {
                        Some(at) => named = Some(at),
                        None => no.push(("wrong_support_id", When::Corrected)),
                    }
                }
            }
        }
        let benefit =
            if ticket.kind == "product_support" { "product_support" } else { "signature_cloud_support" };
        self.draw(of, named, benefit, 1, on, no)
    }

    fn draw(
        &mut self,
        of: usize,
        order: Option<usize>,
        kind: &str,
        wanted: i64,
        on: Day,
        mut no: Vec<No>,
    ) -> Ruled {
        let brings = |o: &Order| match kind {
            "product_support" => matches!(o.offer, Some("action_pack" | "silver" | "gold")),
            "signature_cloud_support" => matches!(o.offer, Some("silver" | "gold")),
            _ => true,
        };
        let mut all: Vec<(Day, u32, usize, usize)> = Vec::new();
        for (at, ours) in self.orders.iter().enumerate().filter(|(_, o)| o.of == of && brings(o)) {
            for (nth, item) in ours.items.iter().enumerate().filter(|(_, item)| item.is(kind)) {
                all.push((ours.last_day(item), item.number, at, nth));
            }
        }
        all.sort_unstable();
        let runs = |(last, _, at, nth): &&(Day, u32, usize, usize)| {
            self.orders[*at].items[*nth].from <= on && on <= *last
        };
        let running: Vec<_> = all.iter().filter(runs).copied().collect();
        let own = |(_, _, at, _): &&(Day, u32, usize, usize)| order.is_none_or(|order| order == *at);
        let from: Vec<_> = running.iter().filter(own).copied().collect();
        if running.is_empty() {
            no.push(("no_benefits_yet", When::Corrected));
        } else if from.is_empty() {
            no.push(match all.iter().rev().find(own) {
                Some((_, _, at, nth)) => {
                    ("outside_benefit_dates", outside(self.orders[*at].items[*nth].from, on))
                }
                None => ("no_benefits_yet", When::Corrected),
            });
        }
        let mut open = wanted;
        let mut taken = Vec::new();
        for (_, _, at, nth) in from.iter().copied() {
            let count = self.left(at, nth, on).min(open);
            open -= count;
            taken.push((at, nth, count));
        }
        if open > 0 && !from.is_empty() {
            // What silver holds back may be enough later (D12).
            let left = |day: Day| -> i64 {
                let then = from.iter().filter(|(last, ..)| day <= *last);
                then.map(|(_, _, at, nth)| self.left(*at, *nth, day)).sum()
            };
            let last = from.iter().map(|(last, ..)| *last).max().unwrap();
            let mut later = on.iter_days().skip(1).take_while(|day| *day <= last);
            let enough = later.find(|day| left(*day) >= wanted);
            no.push(("not_enough_left", enough.map_or(When::Corrected, When::On)));
        }
        if !no.is_empty() {
            return Err(no);
        }
        for (at, nth, count) in taken {
            if count > 0 {
                self.orders[at].items[nth].draws.push((on, count));
            }
        }
        Ok(vec!["left_over"])
    }

    /// Minutes or incidents that are left of an item on a day.
    fn left(&self, order: usize, item: usize, on: Day) -> i64 {
        let order = &self.orders[order];
        let item = &order.items[item];
        (self.units(order, item, on) - item.drawn()).max(0)
    }

    /// Whether a row of an order would bring more Visual Studio seats than the group may have on some day (D12).
    pub fn too_many_seats(&self, of: usize, offer: Option<&str>, item: &Item) -> bool {
        if !item.is("visual_studio") {
            return false;
        }
        let group = self.companies[of].group;
        let meets = |from: Day, until: Day| from <= item.expires && item.from <= until;
        let ours: Vec<&Order> = self.orders.iter().filter(|o| self.companies[o.of].group == group).collect();
        let running = ours.iter().filter(|o| o.ended.is_none() && o.offer == Some("gold"));
        let gold = offer == Some("gold") || running.into_iter().any(|o| meets(o.from, minus(o.ad, 1)));
        let (in_country, in_all) = if gold { (50, 150) } else { (25, 75) };
        let day_by_day = (0..).map(|n| plus(item.from, n)).take_while(|day| *day <= item.expires);
        let seats = |country: Option<&str>, day: Day| -> u32 {
            // Of silver and gold the same seats stand once: as many as the offer with more of them has.
            let mut by = BTreeMap::from([((of, item.code, offer), item.quantity)]);
            for o in ours.iter().filter(|o| country.is_none_or(|c| self.companies[o.of].country == c)) {
                for i in o.items.iter().filter(|i| i.is("visual_studio") && i.ended.is_none()) {
                    if i.from <= day && day <= i.expires.min(minus(o.ad, 1)) {
                        *by.entry((o.of, i.code, o.offer)).or_default() += i.quantity;
                    }
                }
            }
            let gold = |of, code| by.get(&(of, code, Some("gold"))).copied().unwrap_or(0);
            by.iter()
                .map(|((of, code, offer), count)| match offer {
                    Some("silver") => count.saturating_sub(gold(*of, *code)),
                    _ => *count,
                })
                .sum()
        };
        let here = Some(self.companies[of].country);
        day_by_day.into_iter().any(|day| seats(here, day) > in_country || seats(None, day) > in_all)
    }

    /// Bulk credit is granted from the first day on which nothing that was known by then excludes it; what ends before
    /// gets none (D14).
    pub fn open_bulk(&mut self, night: Day) {
        let mut opened = Vec::new();
        for (at, order) in self.orders.iter().enumerate() {
            for (nth, item) in order.items.iter().enumerate() {
                let waits = item.is("azure_bulk_credit") && item.opened.is_none() && !item.lost;
                if !waits || item.from > night {
                    continue;
                }
                let mut last = item.expires.min(minus(order.ad, 1));
                last = item.ended.map_or(last, |(end, _)| end.min(last));
                let spans = self.exclusions(order.of);
                let through = last.min(night);
                let free = |day: &Day| {
                    !spans.iter().any(|(from, until, known)| {
                        from <= day && day <= until && *known <= (*day).max(item.known)
                    })
                };
                let day = item.from.iter_days().take_while(|day| *day <= through).find(free);
                opened.push((at, nth, day, day.is_none() && item.ended.is_some()));
            }
        }
        for (at, nth, day, lost) in opened {
            let item = &mut self.orders[at].items[nth];
            (item.opened, item.lost, item.waits) = (day, lost, day.is_none());
        }
    }

    /// What excludes bulk credit: first day, last day, and the day it became known.
    pub fn exclusions(&self, of: usize) -> Vec<(Day, Day, Day)> {
        let agreements = self.companies[of].agreements.iter();
        let mut spans: Vec<_> = agreements
            .filter(|(name, ..)| LISTED.contains(name))
            .map(|(_, from, until, known)| (*from, until.unwrap_or(Day::MAX), *known))
            .collect();
        for order in self.orders.iter().filter(|o| o.of == of && o.offer == Some("action_pack")) {
            let known = order.items.iter().map(|item| item.known).min().unwrap_or(order.from);
            let until = order.ended.unwrap_or(order.grace_ends());
            if order.from <= until {
                spans.push((order.from, until, known));
            }
        }
        spans
    }

    /// Records an agreement (D14, D16).
    pub fn agreement(
        &mut self,
        of: usize,
        name: &'static str,
        from: Day,
        until: Option<Day>,
        today: Day,
    ) -> String {
        let known = self.companies[of].agreements.iter_mut().find(|a| a.0 == name && a.1 == from);
        match known {
            Some(known) if known.2 == until => "unchanged".to_owned(),
            Some(known) if known.2.is_some() => answer("rejected", ["conflicts_with_earlier"]),
            Some(known) => {
                known.2 = until;
                "applied".to_owned()
            }
            None => {
                self.companies[of].agreements.push((name, from, until, today));
                "applied".to_owned()
            }
        }
    }
}

//! What the rules say to each row of a file: applied, unchanged or rejected, and why.

use std::collections::BTreeSet;

use super::{
    benefits::Ticket,
    keys::KeyAsked,
    rules::{Day, Given, Item, Kept, Model, No, Order, Pending, When, minus, outside, plus},
};

/// How a file came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub on: Day,
    /// The operator lets in what is dated long before.
    pub backdated: bool,
}

/// A request's row.
#[derive(Clone, Debug)]
pub struct Asked {
    pub of: usize,
    /// Empty: it names none.
    pub order: String,
    pub by: String,
    pub on: Day,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Give { code: String, action: &'static str, user: String, to: Option<String> },
    Activate { code: String },
    Cancel { id: String },
    Hours { id: String, minutes: i64 },
    Key(KeyAsked),
    Ticket { id: String, ticket: Ticket },
}

/// What is answered: `applied`, `rejected no_seat_left+outside_benefit_dates`.
pub type Answer = String;

pub fn answer(status: &str, codes: impl IntoIterator<Item = impl Into<String>>) -> Answer {
    let codes: BTreeSet<String> = codes.into_iter().map(Into::into).collect();
    let codes: Vec<String> = codes.into_iter().collect();
    format!("{status} {}", codes.join("+")).trim_end().to_owned()
}

impl Asked {
    pub fn action(&self) -> &'static str {
        match &self.what {
            What::Give { action, .. } => action,
            What::Activate { .. } => "activate",
            What::Cancel { .. } => "cancel",
            What::Hours { .. } => "advisory_hours",
            What::Key(key) => key.action,
            What::Ticket { ticket, .. } => ticket.kind,
        }
    }

    fn code(&self) -> Option<&str> {
        match &self.what {
            What::Give { code, .. } | What::Activate { code } => Some(code),
            What::Key(key) => Some(&key.code),
            _ => None,
        }
    }

    fn subject(&self) -> String {
        if let (What::Hours { id, .. } | What::Ticket { id, .. }, "") = (&self.what, self.order.as_str()) {
            return id.clone();
        }
        self.code().map_or_else(|| self.order.clone(), |code| format!("{}/{code}", self.order))
    }

    fn family(&self) -> &'static str {
        match &self.what {
            What::Give { action, .. } => action,
            What::Activate { .. } => "activate",
            What::Key(key) => key.action,
            _ => "service",
        }
    }

    fn key(&self) -> String {
        match &self.what {
            What::Give { code, user, .. } => format!("{} {code} {user} {}", self.order, self.on),
            What::Activate { code } => format!("{} {code}", self.order),
            What::Key(key) => format!("{} {} {} {}", self.order, key.code, key.named, self.on),
            What::Cancel { id } | What::Hours { id, .. } | What::Ticket { id, .. } => id.clone(),
        }
    }

    fn content(&self) -> String {
        match &self.what {
            What::Give { to, .. } => format!("{} {to:?}", self.by),
            What::Activate { .. } => format!("{} {}", self.by, self.on),
            What::Key(key) if key.action == "redeem" && key.mode.is_empty() => {
                format!("{} {} new", self.by, key.tenant)
            }
            What::Key(key) => format!("{} {} {}", self.by, key.tenant, key.mode),
            What::Cancel { .. } => format!("cancel {} {} {}", self.order, self.by, self.on),
            What::Hours { minutes, .. } => format!("hours {} {} {} {minutes}", self.order, self.by, self.on),
            What::Ticket { ticket, .. } => format!("{ticket:?} {} {} {}", self.order, self.by, self.on),
        }
    }
}

/// The matrix of RULES.md.
fn may(action: &str, roles: &[&str]) -> bool {
    let needed: &[&str] = match action {
        "assign" | "remove" | "transfer" | "reassign" => &["global_admin"],
        "reveal" | "redeem" | "activate" => &["global_admin", "mpn_partner_admin"],
        "cancel" => &["global_admin", "mpn_partner_admin", "admin_agent"],
        _ => return true,
    };
    needed.iter().any(|role| roles.contains(role))
}

impl Model {
    /// Rules on the rows of a request file: by date, then line (D1).
    pub fn requests(&mut self, rows: &[Asked], arrival: Arrival) -> Vec<Answer> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|at| rows[*at].on);
        let mut answers = vec![String::new(); rows.len()];
        for at in order {
            answers[at] = self.request(&rows[at], arrival);
        }
        answers
    }

    fn request(&mut self, row: &Asked, arrival: Arrival) -> Answer {
        let refuse = |model: &mut Self, no: &[No]| {
            model.decided(row.action(), &row.subject(), no);
            answer("rejected", no.iter().map(|(code, _)| *code))
        };
        let unknown = self.unknown(row);
        if !unknown.is_empty() {
            return refuse(self, &unknown);
        }
        let key = (row.of, row.family(), row.key());
        let earliest = minus(arrival.on, 7);
        if let Some(kept) = self.kept.get(&key) {
            if kept.content != row.content() {
                return answer("rejected", ["conflicts_with_earlier"]);
            }
            if !kept.waits || !arrival.backdated {
                let code = kept.waits.then_some("waits_for_operator");
                return answer(if kept.waits { "waiting" } else { "unchanged" }, code);
            }
        }
        let company = &self.companies[row.of];
        let asker = &company.people[company.person(&row.by).unwrap()];
        let barred = [
            (!asker.enabled).then_some(("user_disabled", When::Corrected)),
            (!may(row.action(), &asker.roles)).then_some(("role_missing", When::Corrected)),
            (row.on > arrival.on).then_some(("requested_in_future", When::On(row.on))),
        ];
        let barred: Vec<No> = barred.into_iter().flatten().collect();
        if !barred.is_empty() {
            // What else stands against it is told as well; nothing comes of it.
            let more = self.clone().ruled(row).err().unwrap_or_default();
            self.kept.remove(&key);
            return refuse(self, &[barred, more].concat());
        }
        let content = row.content();
        if !arrival.backdated && row.on < earliest {
            self.kept.insert(key, Kept { content, waits: true });
            return answer("waiting", ["waits_for_operator"]);
        }
        if matches!(row.what, What::Cancel { .. }) {
            self.kept.insert(key, Kept { content, waits: false });
            let order = self.order(&row.order).unwrap();
            self.cancels.push(Pending { on: row.on, order, next: None });
            return answer("applied", ["decided_at_night"]);
        }
        match self.ruled(row) {
            Ok(remarks) => {
                self.kept.insert(key, Kept { content, waits: false });
                self.decided(row.action(), &row.subject(), &[]);
                answer("applied", remarks)
            }
            Err(no) => {
                // Let in and refused, it is forgotten.
                self.kept.remove(&key);
                refuse(self, &no)
            }
        }
    }

    /// Whether a cancellation of the order waits for the operator.
    pub fn awaits_word(&self, order: &str) -> bool {
        let cancels = format!("cancel {order} ");
        self.kept.values().any(|kept| kept.waits && kept.content.starts_with(&cancels))
    }

    /// What comes of it, whoever asks.
    fn ruled(&mut self, row: &Asked) -> Result<Vec<&'static str>, Vec<No>> {
        let (of, on, order) = (row.of, row.on, self.order(&row.order));
        match &row.what {
            What::Give { code, action, user, to } => {
                let given = self.give(of, order.unwrap(), code, action, user, to.as_deref(), on);
                given.map(|()| vec![])
            }
            What::Activate { code } => self.activate(of, order.unwrap(), code, on),
            What::Hours { minutes, .. } => self.hours(of, order, *minutes, on),
            What::Key(key) => self.key(of, order.unwrap(), key, on),
            What::Ticket { ticket, .. } => self.ticket(of, order, ticket, on),
            // A night decides it.
            What::Cancel { .. } => Ok(vec![]),
        }
    }

    /// Everything the row names in vain.
    fn unknown(&self, row: &Asked) -> Vec<No> {
        let mut no = Vec::new();
        let order = self.order(&row.order).map(|at| &self.orders[at]);
        match order {
            None if row.order.is_empty() => {}
            None => no.push("unknown_order"),
            Some(order) if order.of != row.of => no.push("order_of_another_partner"),
            Some(order) => {
                if row.code().is_some_and(|code| !order.items.iter().any(|item| item.code == code)) {
                    no.push("unknown_benefit");
                }
            }
        }
        let mut named = vec![row.by.as_str()];
        if let What::Give { user, to, .. } = &row.what {
            named.push(user);
            named.extend(to.as_deref());
        }
        if named.iter().any(|name| self.companies[row.of].person(name).is_none()) {
            no.push("unknown_user");
        }
        no.into_iter().map(|code| (code, When::Corrected)).collect()
    }

    /// Assign, remove, transfer, reassign (R1, R2, R4, D9, D12, D14).
    #[expect(clippy::too_many_arguments, reason = "the columns of a row")]
    fn give(
        &mut self,
        of: usize,
        order: usize,
        code: &str,
        action: &str,
        user: &str,
        to: Option<&str>,
        on: Day,
    ) -> Result<(), Vec<No>> {
        let ours = &self.orders[order];
        let at = ours.items.iter().position(|item| item.code == code).unwrap();
        let item = &ours.items[at];
        let user = self.companies[of].person(user).unwrap();
        let to = to.map(|to| self.companies[of].person(to).unwrap());
        let mut no: Vec<No> = wrong_kind(item, action).map(|code| (code, When::Never)).into_iter().collect();
        let last = ours.last_day(item);
        if on < item.from || last < on {
            no.push(("outside_benefit_dates", outside(item.from, on)));
        }
        let bulk = item.is("azure_bulk_credit");
        if bulk && action != "remove" {
            match self.unblocked(of, on, ours.runs_out(item)) {
                Some(day) if day == on => {}
                Some(day) => no.push(("bulk_blocked", When::On(day))),
                None => no.push(("bulk_blocked", When::Never)),
            }
        }
        let holds = |who: usize| item.live().any(|given| given.user == who);
        let taken = item.live().find(|given| given.user == user && given.on <= on).map(|given| given.seat);
        if action != "assign" && taken.is_none() {
            no.push(("not_assigned", When::Corrected));
        }
        if let Some(receiver) = if action == "assign" { Some(user) } else { to } {
            if !self.companies[of].people[receiver].enabled {
                no.push(("user_disabled", When::Corrected));
            }
            if action != "assign" && receiver == user {
                no.push(("same_user", When::Corrected));
            } else if holds(receiver) {
                no.push(("already_assigned", When::Corrected));
            }
        }
        let (mut seat, late) = (u32::from(bulk), ("transfer_outside_year", When::Never));
        match action {
            "assign" if bulk && !holds(user) && item.live().next().is_some() => {
                no.push(("bulk_already_assigned", When::Corrected));
            }
            "assign" if item.is("visual_studio") && !holds(user) => {
                if self.breaks_cap(of, on) {
                    no.push(("cap_reached", When::Corrected));
                }
                match self.free_seat(ours, item, user, on) {
                    Ok(free) => seat = free,
                    Err(reason) => no.push(reason),
                }
            }
            "transfer" if bulk && !(ours.from..ours.ad).contains(&on) => no.push(late),
            "reassign" => {
                seat = taken.unwrap_or(0);
                let opens = self.opens(item, seat).filter(|opens| !bulk && on < *opens);
                no.extend(opens.map(|opens| ("reassigned_too_early", When::On(opens))));
            }
            _ => {}
        }
        if !no.is_empty() {
            return Err(no);
        }
        let ended = item.ended;
        let item = &mut self.orders[order].items[at];
        if action != "assign" {
            let given = item.given.iter_mut().find(|given| given.user == user && given.off.is_none());
            given.unwrap().off = Some(on);
        }
        if let Some(user) = if action == "assign" { Some(user) } else { to } {
            let off = ended.map(|(day, _)| plus(day, 1).max(on));
            item.given.push(Given { user, seat, on, off });
        }
        Ok(())
    }

    /// The day from which a seat may go to another user (D9); `None`: nobody ever had it.
    fn opens(&self, item: &Item, seat: u32) -> Option<Day> {
        let days = item.given.iter().filter(|given| seat > 0 && given.seat == seat).map(|given| given.on);
        let began = if self.last_clock { days.max() } else { days.min() };
        began.map(|day| plus(day, 90))
    }

    /// The seat a user gets: the one they freed, an open one, a new one (D9).
    fn free_seat(&self, order: &Order, item: &Item, user: usize, on: Day) -> Result<u32, No> {
        let live: Vec<u32> = item.live().map(|given| given.seat).collect();
        let seats = |day| self.quantity(order, item, day) as usize;
        if live.len() >= seats(on) {
            let first = live.iter().filter_map(|seat| self.opens(item, *seat)).min();
            let first = first.filter(|_| seats(on) > 0).map(|day| day.max(on));
            // Silver may hold seats back until then (D12).
            let rest = on.iter_days().skip(1).take_while(|day| *day <= order.last_day(item));
            let first = first.into_iter().chain(rest.into_iter().find(|day| seats(*day) > live.len())).min();
            return Err(("no_seat_left", first.map_or(When::Corrected, When::On)));
        }
        let most = item.given.iter().map(|given| given.seat).max().unwrap_or(0);
        let freed: Vec<u32> = (1..=most).filter(|seat| !live.contains(seat)).collect();
        // It opens by its clock, to its own user at once; to nobody before it was freed.
        let had = |seat: u32| item.given.iter().rfind(|g| g.seat == seat).is_some_and(|g| g.user == user);
        let opens = |seat: u32| {
            let off = item.given.iter().filter(|g| g.seat == seat).filter_map(|g| g.off).max();
            if had(seat) { off } else { off.max(self.opens(item, seat)) }
        };
        let open: Vec<u32> =
            freed.iter().copied().filter(|seat| opens(*seat).is_none_or(|opens| opens <= on)).collect();
        if let Some(seat) = open.iter().find(|seat| had(**seat)).or_else(|| open.first()) {
            return Ok(*seat);
        }
        if live.len() + freed.len() < seats(on) {
            return Ok(most + 1);
        }
        let first = freed.iter().filter_map(|seat| opens(*seat)).min();
        Err(("seat_opens_later", When::On(first.unwrap())))
    }
}

/// What cannot be done with a benefit of its kind at all.
fn wrong_kind(item: &Item, action: &str) -> Option<&'static str> {
    let bulk = item.is("azure_bulk_credit");
    if !(bulk || item.is("azure_monthly_credit") || item.is("visual_studio")) {
        Some("not_assignable")
    } else if action == "transfer" && !bulk {
        Some("not_transferable")
    } else if action == "reassign" && !item.is("visual_studio") {
        Some("not_reassignable")
    } else {
        (action == "remove" && bulk).then_some("bulk_never_removed")
    }
}

//! The store and the model side by side: each step is a file dropped or a night run, in both; then they must agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use super::{
    doings::{PEOPLE, people_rows},
    events::over,
    keys::Key,
    queries::{ASSIGNED, BOOKS, BROKEN, CONTRACTS, DECISIONS, KEYS, MISDATED, STANDING, SUBSCRIBED},
    requests::{Answer, Arrival, Asked},
    rules::{Company, Day, Item, Model, Order, Person, minus, plus},
    steps::{History, Step},
};
use crate::house::House;

/// Number, country, currency, group: the first two share caps in two countries.
pub const PARTNERS: [(&str, &str, &str, &str); 3] =
    [("4301", "SE", "SEK", "G-1"), ("4302", "NO", "NOK", "G-1"), ("4303", "DE", "EUR", "")];
const FIRST: &str = "2024-01-27";

/// Rows of one file, as they are dropped again.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    Facts,
    Order {
        of: usize,
        order: String,
        offer: &'static str,
        bought: Day,
        items: Vec<Item>,
    },
    Requests(Vec<Asked>),
    Usage {
        of: usize,
        order: String,
        code: String,
        on: Day,
        minor: i64,
        reference: String,
    },
    /// So many keys, with the names the store gives them.
    Keys(u8),
    Agreement {
        of: usize,
        name: &'static str,
        from: Day,
        until: Option<Day>,
    },
    Renewal {
        of: usize,
        order: String,
        on: Day,
        next: String,
        by: String,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Dropped {
    text: String,
    rows: Rows,
}

/// See the module.
pub struct World {
    pub(super) house: House,
    pub(super) model: Model,
    pub(super) today: Day,
    pub(super) night: Option<Day>,
    pub(super) last: Option<Dropped>,
    pub(super) numbers: u32,
    pub(super) decisions: usize,
}

pub type Checked = Result<(), String>;

/// How often which answer was given, in all histories together.
pub static TALLY: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

/// Plays a history to its end and one more night; the first disagreement ends it.
pub async fn play(history: &History) -> Checked {
    let mut world = World::open(history.last_clock).await?;
    for (at, step) in history.steps.iter().chain([&Step::Night, &Step::NightAgain]).enumerate() {
        let played = world.step(step).await;
        played.map_err(|why| format!("step {at}, {}, {step:?}: {why}", world.today))?;
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, model: &T, store: &T) -> Checked {
    if model == store { Ok(()) } else { Err(format!("{what}\n  rules {model:?}\n  store {store:?}")) }
}

fn same_lines(what: &str, model: &BTreeSet<String>, store: Vec<String>) -> Checked {
    let store: BTreeSet<String> = store.into_iter().collect();
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    same(what, &only(model, &store), &only(&store, model))
}

impl World {
    async fn open(last_clock: bool) -> Result<Self, String> {
        let mut house = House::open().await;
        if last_clock {
            house = house.policy("import_entitlements", "reassign_clock", "\"last\"");
        }
        let today: Day = FIRST.parse().unwrap();
        let companies = PARTNERS.map(|(number, country, _, group)| {
            let person = |name: &str, enabled, roles: &[&'static str]| Person {
                name: format!("{name}@p{number}.example"),
                enabled,
                roles: roles.to_vec(),
            };
            let mut people = vec![
                person("ada", true, &["global_admin"]),
                person("mo", true, &["mpn_partner_admin"]),
                person("al", true, &["admin_agent", "user_management_admin"]),
                person("ben", true, &[]),
                person("cleo_other.example#EXT#", true, &[]),
                person("dis", false, &["global_admin"]),
            ];
            people.extend((1..16).map(|n| person(&format!("w{n}"), true, &[])));
            let group = if group.is_empty() { number } else { group };
            let contact = (number != "4303").then_some(0);
            Company { number, country, group, people, tenant: tenant(number), contact, agreements: vec![] }
        });
        let partners = PARTNERS.map(|(number, country, currency, group)| {
            let tenant = tenant(number);
            format!(
                "{number},Partner {number},accounts@p{number}.example,{country},{currency},{group},{tenant}\n"
            )
        });
        let partners = "partner_id,name,account_email,country,currency,group_id,tenant_id\n".to_owned()
            + &partners.concat();
        let model = Model { companies: companies.to_vec(), last_clock, ..Model::default() };
        let people: String =
            (0..3).map(|of| people_rows(&model, of, 0..model.companies[of].people.len())).collect();
        let mut world = Self { house, model, today, night: None, last: None, numbers: 0, decisions: 0 };
        world.drop_file(partners, Rows::Facts, false).await?;
        world.drop_file(PEOPLE.to_owned() + &people, Rows::Facts, false).await?;
        let contacts = [0, 1].map(|of| {
            let number = PARTNERS[of].0;
            format!("{number},ada@p{number}.example,marketing@p{number}.example,+46 8 555 01 00,sv\n")
        });
        let contacts = "partner_id,user,email,phone,language\n".to_owned() + &contacts.concat();
        world.drop_file(contacts, Rows::Facts, false).await?;
        Ok(world)
    }

    async fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Buy(buy) => self.buy(buy).await,
            Step::NewSet { benefits } => self.new_set(*benefits).await,
            Step::Give { rows, operator } => {
                let rows = rows.iter().filter_map(|row| self.give(row)).collect();
                self.ask(rows, *operator).await
            }
            Step::Fill { order, people } => self.fill(*order, *people).await,
            Step::Cancel { order, by, ago, odd } => self.cancel(*order, *by, *ago, *odd).await,
            Step::Renew { order, by, ago, odd } => self.renew(*order, *by, *ago, *odd).await,
            Step::Use { order, benefit, ago, cents, odd } => {
                self.spend((*order, *benefit), *ago, *cents, *odd).await
            }
            Step::Activate { order, benefit, by, ago, odd } => {
                self.activate((*order, *benefit), *by, *ago, *odd).await
            }
            Step::Stock { order, count, seats, months } => self.stock(*order, *count, *seats, *months).await,
            Step::Key(key) => self.use_key(key).await,
            Step::Help { of, order, what, amount, ids, ago } => {
                self.help(*of, *order, (*what, *amount), *ids, *ago).await
            }
            Step::Agreement { of, name, began, runs } => {
                self.agreement(usize::from(*of), *name, *began, *runs).await
            }
            Step::Person { of, who, enabled, roles } => {
                self.person(usize::from(*of), usize::from(*who), *enabled, *roles).await
            }
            Step::Night => {
                self.today = plus(self.today, 1);
                self.run_night().await
            }
            Step::Outage { days } => {
                self.today = plus(self.today, u64::from(*days));
                Ok(())
            }
            Step::NightAgain => self.night_again().await,
            Step::DropAgain => match self.last.clone() {
                Some(last) => self.drop_file(last.text, last.rows, false).await,
                None => Ok(()),
            },
            Step::LetIn => match self.last.clone() {
                Some(Dropped { text, rows: Rows::Requests(rows) }) => {
                    self.drop_file(text, Rows::Requests(rows), true).await
                }
                _ => Ok(()),
            },
        }
    }

    async fn run_night(&mut self) -> Checked {
        let on = minus(self.today, 1);
        let first = self.night.map_or_else(|| FIRST.parse().unwrap(), |night| plus(night, 1));
        for night in first.iter_days().take_while(|night| *night <= on) {
            self.model.night(night);
        }
        self.house.night(&on.to_string()).await;
        self.night = Some(on);
        same_lines("standing", &self.model.standing(on), self.house.lines(STANDING).await)?;
        same_lines("books", &self.model.books(on), self.house.lines(BOOKS).await)?;
        same("dates", &Vec::new(), &self.house.lines(MISDATED).await)?;
        self.agree().await
    }

    async fn night_again(&mut self) -> Checked {
        let Some(night) = self.night else { return Ok(()) };
        let pending = self.model.cancels.iter().chain(&self.model.renewals).any(|p| p.on <= night);
        let fresh = plus(night, 1) != self.today || pending;
        if !fresh && self.model.decisions.is_empty() {
            // Whatever arrived since is taken up; then nothing is left to do.
            self.model.night(night);
            self.house.night(&night.to_string()).await;
            self.agree().await?;
            let before = self.house.state().await;
            self.house.night(&night.to_string()).await;
            return same("the night again", &before, &self.house.state().await);
        }
        Ok(())
    }

    /// Drops a file in both worlds and compares what is answered.
    pub(super) async fn drop_file(&mut self, text: String, rows: Rows, backdated: bool) -> Checked {
        self.numbers += 1;
        let name = format!("{}.csv", self.numbers);
        let arrival = Arrival { on: self.today, backdated };
        let wanted: Option<Vec<Answer>> = match &rows {
            Rows::Facts | Rows::Keys(_) => None,
            Rows::Order { of, order, offer, bought, items } => {
                Some(self.take_order(*of, order, offer, *bought, items))
            }
            Rows::Requests(asked) => Some(self.model.requests(asked, arrival)),
            Rows::Usage { of, order, code, on, minor, reference } => {
                Some(vec![self.model.usage(*of, order, code, *on, *minor, reference, arrival)])
            }
            Rows::Agreement { of, name, from, until } => {
                Some(vec![self.model.agreement(*of, name, *from, *until, self.today)])
            }
            Rows::Renewal { of, order, on, next, by } => {
                Some(vec![self.model.renewal((*of, by), order, *on, next, arrival)])
            }
        };
        let on = self.today.to_string();
        let answer = if backdated {
            self.house.import_backdated(&name, &text, &on).await
        } else {
            self.house.import_one(&name, &text, &on).await
        };
        if let Some(refused) = answer.refused {
            return Err(format!("refused whole: {refused}\n{text}"));
        }
        let told: Vec<Answer> = answer.rows.iter().map(|row| told(row)).collect();
        for line in self.house.lines(CONTRACTS).await {
            let ids: Vec<&str> = line.split(' ').collect();
            self.model.contracts.insert(ids[0].to_owned(), (ids[1].to_owned(), ids[2].to_owned()));
        }
        if let (Rows::Keys(count), false) = (&rows, answer.known) {
            let applied = told.iter().filter(|row| *row == "applied key_named").count();
            let again = told.iter().filter(|row| *row == "unchanged key_named").count();
            same("keys taken in", &usize::from(*count), &(applied + again))?;
        }
        self.take_keys().await;
        for (nth, answer) in told.iter().enumerate() {
            let what = match &rows {
                Rows::Facts | Rows::Keys(_) => continue,
                Rows::Order { .. } => "buy",
                Rows::Requests(asked) => asked[nth].action(),
                Rows::Usage { .. } => "use",
                Rows::Agreement { .. } => "agree",
                Rows::Renewal { .. } => "renew",
            };
            *TALLY.lock().unwrap().entry(format!("{what} {answer}")).or_default() += 1;
        }
        let statuses_only = matches!(rows, Rows::Order { .. } | Rows::Agreement { .. });
        self.last = Some(Dropped { text: text.clone(), rows });
        match wanted {
            Some(wanted) if answer.known => {
                let idle = wanted.iter().all(|answer| answer.starts_with("unchanged"));
                same(&format!("a known file changes nothing, but {wanted:?}\n{text}"), &true, &idle)?;
            }
            Some(wanted) if statuses_only => {
                let statuses: Vec<&str> = told.iter().map(|t| t.split(' ').next().unwrap()).collect();
                let wanted: Vec<&str> = wanted.iter().map(|t| t.split(' ').next().unwrap()).collect();
                same(&format!("answers to\n{text}"), &wanted, &statuses)?;
            }
            Some(wanted) => same(&format!("answers to\n{text}"), &wanted, &told)?,
            None => {}
        }
        self.agree().await
    }

    /// What the store calls the keys that are new to the model.
    async fn take_keys(&mut self) {
        for line in self.house.lines(KEYS).await {
            let cells: Vec<&str> = line.split('|').collect();
            let order = self.model.order(cells[0]).unwrap();
            let item = self.model.orders[order].items.iter_mut().find(|item| item.code == cells[1]).unwrap();
            if item.keys.iter().all(|key| key.named != cells[2]) {
                let (named, seats) = (cells[2].to_owned(), cells[3].parse().unwrap());
                let (seats, months) = ((seats > 0).then_some(seats), cells[4].parse().unwrap());
                item.keys.push(Key { named, seats, months, revealed: false, redeemed: false });
            }
        }
    }

    /// Decisions, assignments and invariants, after every step.
    async fn agree(&mut self) -> Checked {
        let decisions = self.house.lines(&format!("{DECISIONS} offset {}", self.decisions)).await;
        self.decisions += decisions.len();
        same("decisions", &std::mem::take(&mut self.model.decisions), &decisions)?;
        same_lines("assigned", &self.model.assigned(), self.house.lines(ASSIGNED).await)?;
        same_lines("subscriptions", &self.model.subscribed(), self.house.lines(SUBSCRIBED).await)?;
        same("invariants", &Vec::new(), &self.house.lines(BROKEN).await)
    }

    /// The rows of an order: the first that goes in makes it (D5, D12, D16).
    fn take_order(
        &mut self,
        of: usize,
        id: &str,
        offer: &'static str,
        bought: Day,
        items: &[Item],
    ) -> Vec<Answer> {
        let (today, mut fresh) = (self.today, false);
        let mut answers = Vec::new();
        for item in items {
            let at = self.model.order(id);
            let order = at.map(|at| &self.model.orders[at]);
            let brings = super::rules::brings(offer, item.code);
            let remark = if brings { "" } else { " not_in_offer" };
            answers.push(if order.is_some_and(|o| o.items.iter().any(|known| known.code == item.code)) {
                format!("unchanged{remark}")
            } else if !fresh && order.is_some_and(|order| over(order, today)) {
                "rejected already_ended".to_owned()
            } else if self.model.too_many_seats(of, Some(offer), item) {
                "rejected cap_reached".to_owned()
            } else {
                let at = at.unwrap_or_else(|| {
                    fresh = true;
                    self.model.orders.push(Order::new(id, of, item.from));
                    self.model.orders.len() - 1
                });
                let order = &mut self.model.orders[at];
                (order.offer, order.bought) = (Some(offer), Some(bought));
                if fresh && item.from < order.from {
                    *order = Order { items: order.items.clone(), ..Order::new(id, of, item.from) };
                    (order.offer, order.bought) = (Some(offer), Some(bought));
                }
                self.numbers += 1;
                let quantity = if brings { item.quantity } else { 0 };
                order.items.push(Item { quantity, known: today, number: self.numbers, ..item.clone() });
                format!("applied{remark}")
            });
        }
        answers
    }
}

/// A partner's own tenant; the third's is not known.
fn tenant(number: &str) -> &'static str {
    match number {
        "4301" => "43014301-0000-4000-8000-000000004301",
        "4302" => "43024302-0000-4000-8000-000000004302",
        _ => "",
    }
}

/// A row's verdict without line and columns, its codes as a set.
fn told(row: &str) -> Answer {
    let words: Vec<&str> = row.split(' ').collect();
    let codes = if words.len() > 2 { words[words.len() - 1] } else { "" };
    super::requests::answer(words[1], codes.split('+').filter(|code| !code.is_empty()))
}

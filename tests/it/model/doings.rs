//! Each step made into the file somebody would drop.

use std::ops::Range;

use super::{
    benefits::Ticket,
    keys::KeyAsked,
    requests::{Asked, What},
    rules::{Day, Item, Model, Order, minus, months, plus},
    steps::{Buy, Give, Odd},
    world::{Checked, PARTNERS, Rows, World},
};

const BENEFITS: [&str; 10] = [
    "azure_monthly_credit",
    "azure_bulk_credit/cloud_platform",
    "visual_studio",
    "visual_studio/app_dev",
    "software/windows",
    "license_subscription/office_365",
    "product_support",
    "signature_cloud_support",
    "advisory_hours",
    "go_to_market/silver_core",
];
const OFFERS: [&str; 4] = ["silver", "gold", "action_pack", "isv_cosell_ready"];
const ROLES: [&str; 4] = ["global_admin", "mpn_partner_admin", "admin_agent", "user_management_admin"];

pub const PEOPLE: &str = "partner_id,object_id,user_principal_name,user_type,enabled,role\n";

/// Some people of a partner as a file of users has them.
pub fn people_rows(model: &Model, of: usize, who: Range<usize>) -> String {
    let company = &model.companies[of];
    let row = |n: usize| {
        let person = &company.people[n];
        let kind = if person.name.contains("#EXT#") { "guest" } else { "member" };
        let id = format!("00000000-0000-4000-8000-{}{n:0>8}", company.number);
        let roles = person.roles.join("+");
        format!("{},{id},{},{kind},{},{roles}\n", company.number, person.name, person.enabled)
    };
    who.map(row).collect()
}

/// The day so many days ago; tomorrow is -1.
pub fn back(today: Day, ago: i16) -> Day {
    let days = u64::from(ago.unsigned_abs());
    if ago < 0 { plus(today, days) } else { minus(today, days) }
}

/// The benefits a number chooses; all run with the order's year.
fn items(chosen: u16, offer: &str, from: Day, ad: Day, few: bool) -> Vec<Item> {
    let mut codes: Vec<&'static str> =
        BENEFITS.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, code)| *code).collect();
    if codes.is_empty() {
        codes.push(BENEFITS[0]);
    }
    let item = |code: &'static str| {
        let kind = code.split('/').next().unwrap();
        let (quantity, minor) = match kind {
            "azure_monthly_credit" => (1, if offer == "gold" { 15_000 } else { 10_000 }),
            "azure_bulk_credit" => (1, 600_000),
            "visual_studio" => (if few { 2 } else { 15 }, 0),
            _ => (if few { 2 } else { 10 }, 0),
        };
        let expires = minus(ad, 1);
        Item { code, quantity, from, expires, minor, ..Item::default() }
    };
    codes.into_iter().map(item).collect()
}

/// A request as its file has it.
fn written(row: &Asked) -> String {
    let Asked { of, order, by, on, what } = row;
    let number = PARTNERS[*of].0;
    match what {
        What::Give { code, action, user, to } => {
            let to = to.as_deref().unwrap_or_default();
            format!("{number},{order},{code},{action},{user},{by},{on},{to}\n")
        }
        What::Activate { code } => format!("{number},{order},{code},{by},{on}\n"),
        What::Cancel { id } => format!("{number},{id},cancel,{by},{on},{order},,,,,\n"),
        What::Key(KeyAsked { code, action, named, tenant, mode }) => {
            format!("{number},{order},{code},{action},{by},{on},{named},{tenant},{mode}\n")
        }
        What::Hours { id, minutes } => {
            let (hours, parts) = (minutes / 60, minutes % 60 * 100 / 60);
            format!("{number},{id},advisory_hours,{by},{on},{order},,,,,{hours}.{parts:02}\n")
        }
        What::Ticket { id, ticket: Ticket { kind, product, version, access, contract } } => {
            format!("{number},{id},{kind},{by},{on},{order},{product},{version},{access},{contract},\n")
        }
    }
}

impl World {
    pub(super) async fn buy(&mut self, buy: &Buy) -> Checked {
        self.numbers += 1;
        let from = if buy.began < 0 {
            plus(self.today, u64::from(buy.began.unsigned_abs()))
        } else {
            minus(self.today, u64::from(buy.began.unsigned_abs()))
        };
        let bought = minus(from, u64::from(buy.bought_before));
        let ad = months(from, 12);
        let offer = OFFERS[usize::from(buy.offer) % 4];
        let mut items = items(buy.benefits, offer, from, ad, buy.few);
        if let Some(short) = buy.short {
            items[0].expires = plus(from, u64::from(short));
        }
        if items.len() > 1 {
            let last = items.last_mut().unwrap();
            last.from = plus(from, u64::from(buy.later));
        }
        let order = format!("ORD-{}", self.numbers);
        self.drop_order(usize::from(buy.of) % 3, order, offer, bought, items).await
    }

    /// The benefits of the first order that waits for them.
    pub(super) async fn new_set(&mut self, benefits: u16) -> Checked {
        let Some(order) = self.model.orders.iter().find(|order| order.offer.is_none()) else { return Ok(()) };
        let items = items(benefits, "gold", order.from, order.ad, false);
        let (of, id, from) = (order.of, order.id.clone(), order.from);
        self.drop_order(of, id, "gold", from, items).await
    }

    async fn drop_order(
        &mut self,
        of: usize,
        order: String,
        offer: &'static str,
        bought: Day,
        items: Vec<Item>,
    ) -> Checked {
        let number = PARTNERS[of].0;
        let header = "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency\n";
        let row = |item: &Item| {
            let amount = if item.minor > 0 {
                format!("{}.{:02},{}", item.minor / 100, item.minor % 100, PARTNERS[of].2)
            } else {
                ",".to_owned()
            };
            format!(
                "{number},{order},{offer},{},core,{},{bought},{},{},{amount}\n",
                item.code, item.quantity, item.from, item.expires
            )
        };
        let text = header.to_owned() + &items.iter().map(row).collect::<String>();
        self.drop_file(text, Rows::Order { of, order, offer, bought, items }, false).await
    }

    /// The order a number chooses, those first that still run.
    pub(super) fn chosen(&self, number: u8, of: impl Fn(&Order) -> bool) -> Option<usize> {
        let fit: Vec<usize> = (0..self.model.orders.len()).filter(|at| of(&self.model.orders[*at])).collect();
        let all: Vec<usize> = (0..self.model.orders.len()).collect();
        let among = if fit.is_empty() || number % 8 == 7 { all } else { fit };
        (!among.is_empty()).then(|| among[usize::from(number / 8) % among.len()])
    }

    /// The benefit that numbers choose among the best, or sometimes the good, or any.
    pub(super) fn item(
        &self,
        (order, benefit): (u8, u8),
        best: impl Fn(&Order, &Item) -> bool,
        good: impl Fn(&Order, &Item) -> bool,
    ) -> Option<(&Order, &Item)> {
        let all: Vec<(&Order, &Item)> =
            self.model.orders.iter().flat_map(|o| o.items.iter().map(move |item| (o, item))).collect();
        let of = |fits: &dyn Fn(&Order, &Item) -> bool| -> Vec<(&Order, &Item)> {
            all.iter().filter(|(o, item)| fits(o, item)).copied().collect()
        };
        let (best, good) = (of(&best), of(&good));
        let among = match benefit % 16 {
            14 if !good.is_empty() => &good,
            15 => &all,
            _ if !best.is_empty() => &best,
            _ if !good.is_empty() => &good,
            _ => &all,
        };
        let nth = usize::from(order) * 16 + usize::from(benefit / 16);
        (!among.is_empty()).then(|| among[nth % among.len()])
    }

    pub(super) fn give(&self, row: &Give) -> Option<Asked> {
        let action = ["assign", "remove", "transfer", "reassign"][usize::from(row.action) % 4];
        let kind = |item: &Item| match action {
            "transfer" => item.is("azure_bulk_credit"),
            "reassign" => item.is("visual_studio"),
            _ => item.is("visual_studio") || item.code.contains("credit"),
        };
        let (order, item) = self.item(
            (row.order, row.benefit),
            |o, item| o.ended.is_none() && kind(item) && (action == "assign" || item.live().next().is_some()),
            |o, item| o.ended.is_none() && kind(item),
        )?;
        let code = item.code;
        let name = |who: u8| self.model.companies[order.of].people[usize::from(who)].name.clone();
        let on = back(self.today, row.ago);
        let stranger = || "nobody@nowhere.example".to_owned();
        let (mut asked, mut code) = (
            Asked {
                of: order.of,
                order: order.id.clone(),
                by: name(row.by),
                on,
                what: What::Cancel { id: String::new() },
            },
            code.to_owned(),
        );
        // Whoever has it, mostly: only from them can it be taken.
        let holders: Vec<usize> = item.live().map(|given| given.user).collect();
        let mut user = name(row.user);
        if action != "assign" && row.to > 0 && !holders.is_empty() {
            let holder = holders[usize::from(row.user) % holders.len()];
            user.clone_from(&self.model.companies[order.of].people[holder].name);
        }
        match row.odd {
            Odd::UnknownUser => user = stranger(),
            Odd::UnknownAsker => asked.by = stranger(),
            Odd::UnknownOrder => asked.order = "ORD-0".to_owned(),
            Odd::UnknownBenefit => code = "software/unheard_of".to_owned(),
            Odd::OtherPartner => {
                asked.of = (order.of + 1) % 3;
            }
            Odd::Nothing | Odd::SameKey => {}
        }
        let to = matches!(action, "transfer" | "reassign").then(|| name(row.to));
        asked.what = What::Give { code, action, user, to };
        Some(asked)
    }

    pub(super) async fn fill(&mut self, order: u8, people: u8) -> Checked {
        let Some(at) = self.chosen(order, |o| o.ended.is_none()) else { return Ok(()) };
        let order = &self.model.orders[at];
        let company = &self.model.companies[order.of];
        let mut rows = Vec::new();
        for item in order.items.iter().filter(|item| item.is("visual_studio")) {
            for person in company.people.iter().skip(6).take(usize::from(people)) {
                let (code, user) = (item.code.to_owned(), person.name.clone());
                let what = What::Give { code, action: "assign", user, to: None };
                let by = company.people[0].name.clone();
                rows.push(Asked { of: order.of, order: order.id.clone(), by, on: self.today, what });
            }
        }
        self.ask(rows, false).await
    }

    pub(super) async fn ask(&mut self, rows: Vec<Asked>, operator: bool) -> Checked {
        if rows.is_empty() {
            return Ok(());
        }
        let header = match rows[0].what {
            What::Give { .. } => {
                "partner_id,order_id,benefit,action,user,requested_by,requested_on,to_user\n"
            }
            What::Key(_) => {
                "partner_id,order_id,benefit,action,requested_by,requested_on,key_ref,tenant_id,mode\n"
            }
            What::Activate { .. } => "partner_id,order_id,benefit,requested_by,requested_on\n",
            _ => {
                "partner_id,request_id,kind,requested_by,requested_on,order_id,product,product_version,access_id,contract_id,hours\n"
            }
        };
        let text = header.to_owned() + &rows.iter().map(written).collect::<String>();
        self.drop_file(text, Rows::Requests(rows), operator).await
    }

    pub(super) async fn cancel(&mut self, order: u8, by: u8, ago: i8, odd: Odd) -> Checked {
        let Some(at) = self.chosen(order, |o| o.ended.is_none()) else { return Ok(()) };
        self.numbers += 1;
        let order = &self.model.orders[at];
        let mut asked = Asked {
            of: order.of,
            order: order.id.clone(),
            by: self.model.companies[order.of].people[usize::from(by)].name.clone(),
            on: back(self.today, i16::from(ago)),
            what: What::Cancel { id: format!("SR-{}", self.numbers) },
        };
        match odd {
            Odd::UnknownAsker => asked.by = "nobody@nowhere.example".to_owned(),
            Odd::UnknownOrder => asked.order = "ORD-0".to_owned(),
            Odd::OtherPartner => asked.of = (order.of + 1) % 3,
            Odd::SameKey => asked.what = What::Cancel { id: "SR-1".to_owned() },
            Odd::Nothing | Odd::UnknownUser | Odd::UnknownBenefit => {}
        }
        self.ask(vec![asked], false).await
    }

    pub(super) async fn renew(&mut self, order: u8, by: Option<u8>, ago: i8, odd: Odd) -> Checked {
        let today = self.today;
        let Some(at) = self.chosen(order, |o| o.ended.is_none() && o.ad <= plus(today, 1)) else {
            return Ok(());
        };
        self.numbers += 1;
        let order = &self.model.orders[at];
        let (mut of, mut id, mut next) = (order.of, order.id.clone(), format!("ORD-{}", self.numbers));
        let people = &self.model.companies[of].people;
        let mut by = by.map_or_else(String::new, |by| people[usize::from(by)].name.clone());
        match odd {
            Odd::UnknownOrder => id = "ORD-0".to_owned(),
            Odd::OtherPartner => of = (of + 1) % 3,
            Odd::UnknownAsker => by = "nobody@nowhere.example".to_owned(),
            Odd::UnknownBenefit => {
                let other = self.model.orders.iter().find(|other| other.of != of);
                next = other.map_or(next, |other| other.id.clone());
            }
            Odd::UnknownUser => next.clone_from(&id),
            Odd::Nothing | Odd::SameKey => {}
        }
        let on = back(today, i16::from(ago));
        let header = "partner_id,order_id,renewed_on,new_order_id,requested_by\n";
        let text = format!("{header}{},{id},{on},{next},{by}\n", PARTNERS[of].0);
        self.drop_file(text, Rows::Renewal { of, order: id, on, next, by }, false).await
    }

    pub(super) async fn spend(&mut self, of_what: (u8, u8), ago: u8, cents: u32, odd: Odd) -> Checked {
        let Some(at) = self.chosen(of_what.0, |o| o.items.iter().any(|item| item.minor > 0)) else {
            return Ok(());
        };
        self.numbers += 1;
        let order = &self.model.orders[at];
        let credits: Vec<&Item> = order.items.iter().filter(|item| item.minor > 0).collect();
        let among: Vec<&Item> = if credits.is_empty() { order.items.iter().collect() } else { credits };
        let code =
            among.get(usize::from(of_what.1) % among.len().max(1)).map_or("software", |item| item.code);
        let (mut of, mut id, mut code) = (order.of, order.id.clone(), code.to_owned());
        let mut reference = format!("U-{}", self.numbers);
        let mut on = back(self.today, i16::from(ago));
        match odd {
            Odd::UnknownOrder => id = "ORD-0".to_owned(),
            Odd::OtherPartner => of = (of + 1) % 3,
            Odd::UnknownBenefit => code = "azure_monthly_credit/unheard_of".to_owned(),
            Odd::SameKey => reference = "U-1".to_owned(),
            Odd::UnknownUser => on = plus(self.today, 1),
            Odd::Nothing | Odd::UnknownAsker => {}
        }
        let minor = i64::from(cents);
        let (number, currency) = (PARTNERS[of].0, PARTNERS[of].2);
        let text = format!(
            "partner_id,order_id,benefit,used_on,amount,currency,reference\n{number},{id},{code},{on},{}.{:02},{currency},{reference}\n",
            minor / 100,
            minor % 100
        );
        self.drop_file(text, Rows::Usage { of, order: id, code, on, minor, reference }, false).await
    }

    pub(super) async fn person(&mut self, of: usize, who: usize, enabled: bool, roles: u8) -> Checked {
        let person = &mut self.model.companies[of].people[who];
        person.enabled = enabled;
        person.roles = ROLES
            .into_iter()
            .enumerate()
            .filter(|(n, _)| roles >> n & 1 == 1)
            .map(|(_, role)| role)
            .collect();
        let text = PEOPLE.to_owned() + &people_rows(&self.model, of, who..who + 1);
        self.drop_file(text, Rows::Facts, false).await
    }
}

//! Keys, activations, tickets and agreements made into the files somebody would drop.

use super::{
    benefits::Ticket,
    doings::back,
    keys::KeyAsked,
    requests::{Asked, What},
    rules::{Item, Order, plus},
    steps::{KeyStep, Odd},
    world::{Checked, PARTNERS, Rows, World},
};

impl World {
    pub(super) async fn activate(&mut self, of_what: (u8, u8), by: u8, ago: i16, odd: Odd) -> Checked {
        let activated = ["software", "product_support", "signature_cloud_support", "go_to_market"];
        let kind = |item: &Item| activated.iter().any(|kind| item.is(kind));
        let chosen = self.item(
            of_what,
            |o, item| o.ended.is_none() && kind(item) && item.activated.is_none(),
            |_, item| kind(item),
        );
        let Some((order, item)) = chosen else { return Ok(()) };
        let code = item.code.to_owned();
        let mut asked = Asked {
            of: order.of,
            order: order.id.clone(),
            by: self.model.companies[order.of].people[usize::from(by)].name.clone(),
            on: back(self.today, ago),
            what: What::Activate { code },
        };
        match odd {
            Odd::UnknownAsker => asked.by = "nobody@nowhere.example".to_owned(),
            Odd::OtherPartner => asked.of = (order.of + 1) % 3,
            _ => {}
        }
        self.ask(vec![asked], ago > 9).await
    }

    /// Hours or a ticket, with the right IDs, none, or wrong ones.
    pub(super) async fn help(
        &mut self,
        of: u8,
        order: Option<u8>,
        (what, amount): (u8, u8),
        ids: u8,
        ago: i8,
    ) -> Checked {
        let drawn = ["advisory_hours", "product_support", "signature_cloud_support"];
        let kind = drawn[usize::from(what) / 4];
        let Some(at) = self.chosen(of, |o| o.items.iter().any(|item| item.is(kind))) else { return Ok(()) };
        let of = self.model.orders[at].of;
        self.numbers += 1;
        let id = format!("SR-{}", self.numbers);
        let own: Vec<&Order> = self.model.orders.iter().filter(|o| o.of == of).collect();
        let named = order.filter(|_| !own.is_empty()).map(|n| own[usize::from(n) % own.len()]);
        let known: Vec<&(String, String)> =
            own.iter().filter_map(|o| self.model.contracts.get(&o.id)).collect();
        let (access, contract) = match (ids, known.get(usize::from(amount) % known.len().max(1))) {
            (0, _) => (String::new(), String::new()),
            (1, _) => ("1000000000".to_owned(), "2000000000".to_owned()),
            (_, Some((access, contract))) => (access.clone(), contract.clone()),
            (_, None) => ("1000000000".to_owned(), String::new()),
        };
        let ticket = |kind, product, version| {
            let (access, contract) = (access.clone(), contract.clone());
            let ticket = Ticket { kind, product, version, access, contract };
            What::Ticket { id: id.clone(), ticket }
        };
        let what = match what {
            0..=3 => What::Hours { id: id.clone(), minutes: i64::from(amount) * 15 },
            4 | 5 => ticket("product_support", "Harbour Server", "2022"),
            6 => ticket("product_support", "Harbour Server", "2016"),
            7 if amount % 2 == 0 => ticket("product_support", "Deskside 365", ""),
            7 => ticket("product_support", "Abacus", ""),
            8 | 9 => ticket("cloud_support", "Azure", ""),
            _ => ticket("cloud_support", "Deskside 365", ""),
        };
        let by = self.model.companies[of].people[3].name.clone();
        let order = named.map(|order| order.id.clone()).unwrap_or_default();
        let on = back(self.today, i16::from(ago));
        self.ask(vec![Asked { of, order, by, on, what }], false).await
    }

    pub(super) async fn agreement(&mut self, of: usize, name: u8, began: i16, runs: Option<u8>) -> Checked {
        let name = ["csp", "enterprise_agreement", "azure_pass", "something_else"][usize::from(name) % 4];
        let from = back(self.today, began);
        let until = runs.map(|days| plus(from, u64::from(days)));
        let last = until.map_or_else(String::new, |day| day.to_string());
        let text =
            format!("partner_id,agreement,valid_from,valid_until\n{},{name},{from},{last}\n", PARTNERS[of].0);
        self.drop_file(text, Rows::Agreement { of, name, from, until }, false).await
    }

    /// Keys arrive for the software and licences of an order.
    pub(super) async fn stock(
        &mut self,
        order: u8,
        count: u8,
        seats: Option<u8>,
        months: Option<u8>,
    ) -> Checked {
        let chosen = self.item(
            (order, count * 64),
            |o, item| o.ended.is_none() && item.is("license_subscription"),
            |o, item| o.ended.is_none() && item.is("software"),
        );
        let Some((order, item)) = chosen else { return Ok(()) };
        if !(item.is("software") || item.is("license_subscription")) {
            return Ok(());
        }
        let cell = |number: Option<u8>| number.map_or_else(String::new, |number| number.to_string());
        let row = |nth: u8| {
            format!(
                "{},{},{},AAAAA-{:05}-{nth:05},{},{}\n",
                PARTNERS[order.of].0,
                order.id,
                item.code,
                self.numbers,
                cell(seats),
                cell(months)
            )
        };
        let text = "partner_id,order_id,benefit,key,seats,months\n".to_owned()
            + &(0..=count).map(row).collect::<String>();
        self.drop_file(text, Rows::Keys(count + 1), false).await
    }

    pub(super) async fn use_key(&mut self, step: &KeyStep) -> Checked {
        let kind = |item: &Item| item.is("license_subscription") || !step.redeem && item.is("software");
        let chosen = self.item(
            (step.order, step.benefit),
            |o, item| o.ended.is_none() && kind(item) && !item.keys.is_empty(),
            |o, item| o.ended.is_none() && kind(item),
        );
        let Some((order, item)) = chosen else { return Ok(()) };
        if kind(item) && item.keys.is_empty() && step.which < 9 {
            return self.stock(step.order, 2, Some(1 + step.benefit % 32), None).await;
        }
        let named = match step.which {
            0..=2 => String::new(),
            9 => "K999999".to_owned(),
            nth if item.keys.is_empty() => format!("K{nth}"),
            nth => item.keys[usize::from(nth) % item.keys.len()].named.clone(),
        };
        let tenant = match step.tenant {
            0..=2 => String::new(),
            3 => "99999999-9999-4999-8999-999999999999".to_owned(),
            _ => self.model.companies[order.of].tenant.to_owned(),
        };
        let key = KeyAsked {
            code: item.code.to_owned(),
            action: if step.redeem { "redeem" } else { "reveal" },
            named,
            tenant: if step.redeem { tenant } else { String::new() },
            mode: if step.redeem {
                ["", "new", "add_seats", "extend"][usize::from(step.mode) % 4]
            } else {
                ""
            },
        };
        let mut asked = Asked {
            of: order.of,
            order: order.id.clone(),
            by: self.model.companies[order.of].people[usize::from(step.by)].name.clone(),
            on: back(self.today, step.ago),
            what: What::Key(key),
        };
        match step.odd {
            Odd::UnknownAsker => asked.by = "nobody@nowhere.example".to_owned(),
            Odd::OtherPartner => asked.of = (order.of + 1) % 3,
            _ => {}
        }
        self.ask(vec![asked], step.ago > 9).await
    }
}

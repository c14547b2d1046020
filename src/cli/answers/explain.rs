//! `explain`: one history, as somebody who answers the telephone can read it out.

mod asked;
mod doings;
mod history;
pub(super) mod words;

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use sqlx::PgConnection;

use self::{
    history::{Event, History},
    words::standing,
};
use super::{
    super::{Exit, exit::Ending, location, print},
    benefits::{benefit_in_json, left, offer, quantity},
};
use crate::{
    domain::{language::Language, license_key::masked, naming},
    settings::Settings,
    store::{
        self, Store,
        explain::{
            self, BenefitStanding, KeyStanding, OrderStanding, PartnerStanding, Subject, UserStanding,
        },
    },
};

pub(crate) const EXAMPLE: &str = "\
Examples:
  benefactor explain MPN-240131-101/azure_monthly_credit
  benefactor explain order:MPN-240131-101 --json
  benefactor explain user:astrid@norrsken.example@4100101";

const KINDS: [&str; 6] = ["partner", "order", "entitlement", "user", "key", "request"];

/// What `explain` takes.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// A Partner ID, an order, an order and its benefit (ORDER/BENEFIT), a user (by object id or user principal name), a key
    /// (K17), or a service request; where one name stands for several, with partner:, order:, entitlement:, user:, key: or
    /// request: before it, and the Partner ID behind it (request:SR-1@4100101)
    subject: String,
}

/// A history and what it is of, as that stands now.
struct Told {
    subject: Subject,
    partner: PartnerStanding,
    orders: Vec<OrderStanding>,
    benefits: Vec<BenefitStanding>,
    user: Option<UserStanding>,
    key: Option<KeyStanding>,
    history: History,
}

pub(crate) async fn run_explain(settings: &Settings, args: ExplainArgs) -> anyhow::Result<Exit> {
    let store = Store::open(&location(settings)?).await?;
    let told = match store.pool.begin().await {
        Ok(mut tx) => tell(&mut tx, &args.subject).await,
        Err(error) => Err(store::Error::from(error).into()),
    };
    store.close().await;
    let told = told?;
    if settings.json {
        print(&in_json(&told).to_string())?;
    } else {
        for line in lines(&told) {
            print(&line)?;
        }
    }
    Ok(Exit::Done)
}

async fn tell(conn: &mut PgConnection, name: &str) -> anyhow::Result<Told> {
    explain::along_indexes(conn).await?;
    let subject = resolve(conn, name.trim()).await?;
    let of_partner = matches!(subject.kind.as_str(), "partner" | "order" | "entitlement");
    Ok(Told {
        partner: subject.partner(conn).await?,
        orders: if subject.kind == "user" { vec![] } else { subject.orders(conn).await? },
        benefits: if of_partner { subject.benefits(conn).await? } else { vec![] },
        user: subject.user(conn).await?,
        key: subject.key(conn).await?,
        history: History::read(conn, &subject).await?,
        subject,
    })
}

/// The one thing that goes by the name; none or several end with exit 2 and what it could be.
async fn resolve(conn: &mut PgConnection, name: &str) -> anyhow::Result<Subject> {
    let (kind, bare) = match name.split_once(':') {
        Some((kind, bare)) if KINDS.contains(&kind) => (Some(kind), bare),
        _ => (None, name),
    };
    let mut found = explain::find(conn, bare, kind).await?;
    if found.is_empty()
        && let Some((before, partner)) = bare.rsplit_once('@')
    {
        found = explain::find(conn, before, kind).await?;
        found.retain(|subject| subject.partner == partner);
    }
    found.retain(|subject| kind.is_none_or(|kind| subject.kind == kind));
    if found.len() == 1
        && let Some(subject) = found.pop()
    {
        return Ok(subject);
    }
    let mut sentence = if found.is_empty() {
        format!("nothing here is called '{name}'")
    } else {
        format!("'{name}' is the name of {} things; say which:", found.len())
    };
    for subject in &found {
        let _ = write!(sentence, "\n  {}:{}@{}", subject.kind, subject.name, subject.partner);
    }
    if found.is_empty() {
        let near = explain::near(conn, bare).await?;
        sentence.push_str(if near.is_empty() {
            "; a Partner ID, an order, ORDER/BENEFIT, a user, a key or a service request is"
        } else {
            "; it could be"
        });
        for (kind, name) in near {
            let _ = write!(sentence, "\n  {kind:<11}  {name}");
        }
    }
    Err(Ending::new(Exit::Usage, sentence).into())
}

fn lines(told: &Told) -> Vec<String> {
    let mut lines = head(told);
    lines.push(String::new());
    let own = matches!(told.subject.kind.as_str(), "entitlement" | "key" | "request");
    let cut = |event: &Event| match (own, told.subject.kind.as_str()) {
        (true, _) => String::new(),
        (_, "order") => {
            let benefit = event.about.strip_prefix(told.subject.name.as_str());
            benefit.map_or("", |benefit| benefit.trim_start_matches('/')).to_owned()
        }
        _ => event.about.clone(),
    };
    let width = told.history.events.iter().map(|event| cut(event).chars().count()).max().unwrap_or(0);
    for event in &told.history.events {
        let about = cut(event);
        let about = if width == 0 { String::new() } else { format!("{about:<width$}  ") };
        let start = format!("{}  {:<11}  {about}", event.on, event.what);
        let indent = " ".repeat(start.chars().count());
        for (nth, says) in event.says.iter().enumerate() {
            lines.push(format!("{}{says}", if nth == 0 { &start } else { &indent }));
        }
    }
    if told.history.events.is_empty() {
        lines.push("nothing has happened yet".to_owned());
    }
    match told.history.overtaken {
        0 => {}
        1 => lines.push("\n1 notice was overtaken before it was mailed".to_owned()),
        count => lines.push(format!("\n{count} notices were overtaken before they were mailed")),
    }
    lines
}

/// What it is, and how it stands now.
fn head(told: &Told) -> Vec<String> {
    let Told { subject, partner, orders, benefits, .. } = told;
    let to = match (&partner.contact, &partner.contact_language) {
        (Some(contact), Some(language)) => format!("mail to {contact} ({language})"),
        _ => format!("no marketing contact; mail to {}", partner.account_email),
    };
    let mut lines = vec![
        format!("{} {}", subject.kind, subject.name),
        format!(
            "  partner  {} {}, {}, {}; {to}",
            subject.partner, partner.name, partner.country, partner.currency
        ),
    ];
    if let Some(user) = &told.user {
        lines.push(format!("  user     {}", of_user(user)));
    }
    if let Some(key) = &told.key {
        lines.extend(of_key(key));
    }
    for order in orders {
        lines.push(format!("  order    {}: {}", order.order_id, of_order(order)));
        for benefit in benefits.iter().filter(|benefit| benefit.order_id == order.order_id) {
            lines.push(format!("           {}", of_benefit(benefit)));
        }
    }
    lines
}

fn of_user(user: &UserStanding) -> String {
    let enabled = if user.enabled { "enabled" } else { "disabled" };
    let roles = if user.roles.is_empty() { "no role".to_owned() } else { user.roles.join(", ") };
    let name = user.display_name.as_deref().map_or_else(String::new, |name| format!("{name}, "));
    format!("{name}{}, {enabled}; {roles}; object id {}", user.user_type, user.object_id)
}

fn of_key(key: &KeyStanding) -> Vec<String> {
    let mut text = format!("{} of {}: ", masked(&key.tail), key.about);
    if let Some(seats) = key.seats {
        let _ = write!(text, "{seats} seats, ");
    }
    let _ = write!(text, "{} months", key.months);
    let stands = match (key.revealed_on, key.redeemed_on) {
        (_, Some(day)) => format!("redeemed on {day}"),
        (Some(day), None) => format!("revealed on {day}"),
        (None, None) => "not revealed".to_owned(),
    };
    let _ = write!(text, "; {stands}");
    let mut lines = vec![format!("  key      {text}")];
    let more = [
        ("product", &key.product),
        ("languages", &key.language),
        ("systems", &key.os),
        ("download", &key.download_url),
        ("instructions", &key.instructions),
    ];
    let more = more.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
    lines.extend(more.map(|(name, text)| format!("           {name}: {text}")));
    lines
}

fn of_order(order: &OrderStanding) -> String {
    let offer = order.offer.as_deref().map_or_else(|| "awaiting its entitlements".to_owned(), naming::offer);
    let mut text = format!("{offer}, {}", standing(&order.status));
    if let Some(day) = order.purchased_on {
        let _ = write!(text, "; bought {day}");
    }
    let _ = write!(text, "; from {}, anniversary {}", order.starts_on, order.anniversary_on);
    if let Some(day) = order.ended_on {
        let _ = write!(text, "; last usable day {day}");
    }
    if let Some(old) = &order.renews {
        let _ = write!(text, "; renews {old}");
    }
    if let (Some(access_id), Some(contract_id)) = (&order.access_id, &order.contract_id) {
        let _ = write!(text, "; Access ID {access_id}, Contract ID {contract_id}");
    }
    text
}

/// Product, quantity, offer, benefit type, expiry (R10); how it stands, who has it, what is left.
fn of_benefit(benefit: &BenefitStanding) -> String {
    let name = naming::benefit(&benefit.benefit, Language::English);
    let mut text = format!("{name} ({}): quantity {}, ", benefit.benefit, quantity(benefit));
    let of = match offer(benefit) {
        offer if offer.is_empty() => benefit.benefit_type.clone(),
        offer => format!("{offer} {}", benefit.benefit_type),
    };
    let _ = write!(text, "{of}, expires {}; {}", benefit.expires_on, standing(&benefit.status));
    let last = benefit.ended_on.unwrap_or(benefit.last_usable_on);
    if last != benefit.expires_on {
        let _ = write!(text, ", last usable day {last}");
    }
    if let Some(day) = benefit.activated_on.filter(|_| benefit.live_on.is_none()) {
        let _ = write!(text, "; activated {day}");
    }
    if let Some(day) = benefit.live_on.filter(|_| benefit.status == "activating") {
        let _ = write!(text, ", live from {day}");
    }
    if let Some(users) = &benefit.assigned_to {
        let _ = write!(text, "; assigned to {users}");
    }
    if let (Some(seats), Some(day)) = (benefit.subscription_seats, benefit.subscription_ends_on) {
        let _ = write!(text, "; subscription of {seats} seats, ends {day}");
    }
    match left(benefit) {
        left if left.is_empty() => {}
        left => {
            let _ = write!(text, "; {left} left");
        }
    }
    text
}

fn in_json(told: &Told) -> Value {
    let Told { subject, partner, orders, benefits, user, key, history } = told;
    let orders: Vec<Value> = orders
        .iter()
        .map(|order| {
            json!({
                "order_id": order.order_id, "offer": order.offer, "purchased_on": order.purchased_on,
                "starts_on": order.starts_on, "anniversary_on": order.anniversary_on, "status": order.status,
                "ended_on": order.ended_on, "renews": order.renews,
                "access_id": order.access_id, "contract_id": order.contract_id,
            })
        })
        .collect();
    let benefits = benefits.iter().map(|benefit| {
        let mut value = benefit_in_json(benefit);
        value["assigned_to"] = benefit.assigned_to.clone().into();
        value
    });
    let benefits: Vec<Value> = benefits.collect();
    let events: Vec<Value> = history
        .events
        .iter()
        .map(|event| json!({ "on": event.on, "what": event.what, "about": event.about, "says": event.says }))
        .collect();
    let user = user.as_ref().map(|user| {
        json!({
            "object_id": user.object_id, "user_principal_name": user.user_principal_name,
            "display_name": user.display_name, "user_type": user.user_type, "enabled": user.enabled,
            "roles": user.roles,
        })
    });
    let key = key.as_ref().map(|key| {
        json!({
            "key": masked(&key.tail), "of": key.about, "seats": key.seats, "months": key.months,
            "product": key.product, "language": key.language, "os": key.os, "download_url": key.download_url,
            "instructions": key.instructions, "revealed_on": key.revealed_on, "redeemed_on": key.redeemed_on,
        })
    });
    json!({
        "kind": subject.kind, "subject": subject.name,
        "partner": {
            "partner_id": subject.partner, "name": partner.name, "country": partner.country,
            "currency": partner.currency, "account_email": partner.account_email, "contact": partner.contact,
        },
        "user": user, "key": key,
        "orders": orders, "benefits": benefits, "events": events, "notices_overtaken": history.overtaken,
    })
}

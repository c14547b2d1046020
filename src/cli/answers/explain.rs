//! `explain`: one history, as somebody who answers the telephone can read it out.

mod history;
mod words;

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use sqlx::PgConnection;

use self::{
    history::{Event, History},
    words::{money, standing},
};
use super::super::{Exit, exit::Ending, location, print};
use crate::{
    domain::{language::Language, naming},
    settings::Settings,
    store::{
        self, Store,
        explain::{self, Benefit, Order, Partner, Subject},
    },
};

pub(crate) const EXAMPLE: &str = "\
Examples:
  benefactor explain MPN-240131-101/azure_monthly_credit
  benefactor explain order:MPN-240131-101 --json";

const KINDS: [&str; 4] = ["partner", "order", "entitlement", "request"];

/// What `explain` takes.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// A Partner ID, an order, an order and its benefit (ORDER/BENEFIT), or a service request; where one name stands for
    /// several, with partner:, order:, entitlement: or request: before it, and the Partner ID behind it (request:SR-1@4100101)
    subject: String,
}

/// A history and what it is of, as that stands now.
struct Told {
    subject: Subject,
    partner: Partner,
    orders: Vec<Order>,
    benefits: Vec<Benefit>,
    history: History,
}

pub(crate) async fn run_explain(settings: &Settings, args: ExplainArgs) -> anyhow::Result<Exit> {
    let store = Store::open(&location(settings)?).await?;
    let told = match store.pool.acquire().await {
        Ok(mut conn) => tell(&mut conn, &args.subject).await,
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
    let subject = resolve(conn, name.trim()).await?;
    Ok(Told {
        partner: subject.partner(conn).await?,
        orders: subject.orders(conn).await?,
        benefits: if subject.is_request() { vec![] } else { subject.benefits(conn).await? },
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
    let mut found = explain::find(conn, bare).await?;
    if found.is_empty()
        && let Some((before, partner)) = bare.rsplit_once('@')
    {
        found = explain::find(conn, before).await?;
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
            "; a Partner ID, an order, ORDER/BENEFIT or a service request is"
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
    let own = told.subject.kind == "entitlement" || told.subject.is_request();
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
        let start = format!("{}  {:<9}  {about}", event.on, event.what);
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
    for order in orders {
        lines.push(format!("  order    {}: {}", order.order_id, of_order(order)));
        for benefit in benefits.iter().filter(|benefit| benefit.order_id == order.order_id) {
            lines.push(format!("           {}", of_benefit(benefit)));
        }
    }
    lines
}

fn of_order(order: &Order) -> String {
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
    text
}

fn of_benefit(benefit: &Benefit) -> String {
    let mut text = format!("{} ({})", naming::benefit(&benefit.benefit, Language::English), benefit.benefit);
    match (benefit.ended_on, &benefit.ended_as) {
        (Some(day), Some(how)) => {
            let _ = write!(text, ": {how}, last usable day {day}");
        }
        _ => {
            let _ = write!(text, ": from {}, last usable day {}", benefit.starts_on, benefit.last_usable_on);
        }
    }
    if let Some(users) = &benefit.assigned_to {
        let _ = write!(text, "; assigned to {users}");
    }
    if let Some(minor) = benefit.balance_minor {
        let _ = write!(text, "; {} left", money(minor, benefit.balance_currency.as_deref()));
    }
    text
}

fn in_json(told: &Told) -> Value {
    let Told { subject, partner, orders, benefits, history } = told;
    let orders: Vec<Value> = orders
        .iter()
        .map(|order| {
            json!({
                "order_id": order.order_id, "offer": order.offer, "purchased_on": order.purchased_on,
                "starts_on": order.starts_on, "anniversary_on": order.anniversary_on, "status": order.status,
                "ended_on": order.ended_on, "renews": order.renews,
            })
        })
        .collect();
    let benefits: Vec<Value> = benefits
        .iter()
        .map(|benefit| {
            json!({
                "order_id": benefit.order_id, "benefit": benefit.benefit, "quantity": benefit.quantity,
                "starts_on": benefit.starts_on, "last_usable_on": benefit.last_usable_on,
                "ended_on": benefit.ended_on, "ended_as": benefit.ended_as, "assigned_to": benefit.assigned_to,
                "balance_minor": benefit.balance_minor, "currency": benefit.balance_currency,
            })
        })
        .collect();
    let events: Vec<Value> = history
        .events
        .iter()
        .map(|event| json!({ "on": event.on, "what": event.what, "about": event.about, "says": event.says }))
        .collect();
    json!({
        "kind": subject.kind, "subject": subject.name,
        "partner": {
            "partner_id": subject.partner, "name": partner.name, "country": partner.country,
            "currency": partner.currency, "account_email": partner.account_email, "contact": partner.contact,
        },
        "orders": orders, "benefits": benefits, "events": events, "notices_overtaken": history.overtaken,
    })
}

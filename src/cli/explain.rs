//! `explain`: one history, as somebody who answers the telephone can read it out.

use std::fmt::Write as _;

use clap::Args;
use sqlx::PgConnection;

use super::{
    benefits::{offer, quantity},
    exit::{Ending, Exit},
    location::location,
    output::print_view,
};
use crate::{
    answers::{
        history::{self, BenefitHeld, Event, KeyView, Story, Unclear, how_taken_back},
        words::standing,
    },
    domain::{language::Language, naming},
    settings::Settings,
    store::{
        self, Store,
        explain::{OrderStanding, UserStanding},
    },
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor explain MPN-240131-101/azure_monthly_credit
  benefactor explain order:MPN-240131-101 --json
  benefactor explain user:astrid@norrsken.example@4100101";

/// What `explain` takes.
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// A Partner ID, an order, an order and its benefit (ORDER/BENEFIT), a user (by object id or user principal name), a key
    /// (K17), or a service request; where one name stands for several, with partner:, order:, entitlement:, user:, key: or
    /// request: before it, and the Partner ID behind it (request:SR-1@4100101)
    subject: String,
}

pub(super) async fn run_explain(settings: &Settings, args: ExplainArgs) -> anyhow::Result<Exit> {
    let store = Store::open_existing(&location(settings)?).await?;
    let told = match store.pool.begin().await {
        Ok(mut tx) => tell(&mut tx, args.subject.trim()).await,
        Err(error) => Err(store::Error::from(error).into()),
    };
    store.close().await;
    let told = told?;
    print_view(&told, settings.json, lines)?;
    Ok(Exit::Done)
}

async fn tell(conn: &mut PgConnection, name: &str) -> anyhow::Result<Story> {
    match history::find(conn, name).await? {
        Ok(subject) => Ok(history::read(conn, &subject, Language::English).await?),
        Err(unclear) => Err(Ending::new(Exit::Usage, question(name, &unclear)).into()),
    }
}

/// What to ask back where a name does not say what is meant.
fn question(name: &str, unclear: &Unclear) -> String {
    let mut sentence;
    match unclear {
        Unclear::Several(found) => {
            sentence = format!("'{name}' is the name of {} things; say which:", found.len());
            for subject in found {
                let _ = write!(sentence, "\n  {}:{}@{}", subject.kind, subject.name, subject.partner);
            }
        }
        Unclear::TakenBack(things) => {
            sentence = format!("nothing here is called '{name}' any more:");
            for thing in things {
                let _ = write!(
                    sentence,
                    "\n  {} {} of {}, {}",
                    thing.on,
                    thing.kind,
                    thing.partner,
                    how_taken_back(thing)
                );
            }
        }
        Unclear::Unknown(near) => {
            sentence = format!("nothing here is called '{name}'");
            sentence.push_str(if near.is_empty() {
                "; a Partner ID, an order, ORDER/BENEFIT, a user, a key or a service request is"
            } else {
                "; it could be"
            });
            for (kind, name) in near {
                let _ = write!(sentence, "\n  {kind:<11}  {name}");
            }
        }
    }
    sentence
}

fn lines(story: &Story) -> Vec<String> {
    let mut lines = head(story);
    lines.push(String::new());
    let own = matches!(story.kind.as_str(), "entitlement" | "key" | "request");
    let cut = |event: &Event| match (own, story.kind.as_str()) {
        (true, _) => String::new(),
        (_, "order") => {
            let benefit = event.about.strip_prefix(story.subject.as_str());
            benefit.map_or("", |benefit| benefit.trim_start_matches('/')).to_owned()
        }
        _ => event.about.clone(),
    };
    let width = story.events.iter().map(|event| cut(event).chars().count()).max().unwrap_or(0);
    for event in &story.events {
        let about = cut(event);
        let about = if width == 0 { String::new() } else { format!("{about:<width$}  ") };
        let start = format!("{}  {:<11}  {about}", event.on, event.what);
        let indent = " ".repeat(start.chars().count());
        for (nth, says) in event.says.iter().enumerate() {
            lines.push(format!("{}{says}", if nth == 0 { &start } else { &indent }));
        }
    }
    if story.events.is_empty() {
        lines.push("nothing has happened yet".to_owned());
    }
    match story.notices_overtaken {
        0 => {}
        1 => lines.push("\n1 notice was overtaken before it was mailed".to_owned()),
        count => lines.push(format!("\n{count} notices were overtaken before they were mailed")),
    }
    lines
}

/// What it is, and how it stands now.
fn head(story: &Story) -> Vec<String> {
    let Story { partner, orders, benefits, .. } = story;
    let to = match (&partner.contact, &partner.contact_language) {
        (Some(contact), Some(language)) => format!("mail to {contact} ({language})"),
        _ => format!("no marketing contact; mail to {}", partner.account_email),
    };
    let mut lines = vec![
        format!("{} {}", story.kind, story.subject),
        format!(
            "  partner  {} {}, {}, {}; {to}",
            partner.partner_id, partner.name, partner.country, partner.currency
        ),
    ];
    if let Some(user) = &story.user {
        lines.push(format!("  user     {}", of_user(user)));
    }
    if let Some(key) = &story.key {
        lines.extend(of_key(key));
    }
    for order in orders {
        lines.push(format!("  order    {}: {}", order.order_id, of_order(order)));
        for held in benefits.iter().filter(|held| held.benefit.order_id == order.order_id) {
            lines.push(format!("           {}", of_benefit(held)));
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

fn of_key(key: &KeyView) -> Vec<String> {
    let mut text = format!("{} of {}: ", key.key, key.of);
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
fn of_benefit(BenefitHeld { benefit, assigned_to }: &BenefitHeld) -> String {
    let name = &benefit.product;
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
    if let Some(users) = assigned_to {
        let _ = write!(text, "; assigned to {users}");
    }
    if let (Some(seats), Some(day)) = (benefit.subscription_seats, benefit.subscription_ends_on) {
        let _ = write!(text, "; subscription of {seats} seats, ends {day}");
    }
    if !benefit.left.is_empty() {
        let _ = write!(text, "; {} left", benefit.left);
    }
    text
}

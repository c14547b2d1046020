//! What people asked for, and the yes or no to it, each in its sentence.

use std::fmt::Write as _;

use serde_json::Value;

use super::event::{Event, event};
use crate::{
    domain::{
        benefit::Unit,
        cancellation::{Refund, Waiting},
        language::Language,
        money::Amount,
        naming,
        reason::{self, Reason},
    },
    store::explain::{Decided, RequestOnRecord},
};

/// What is told of a request by what it did, where it was accepted.
fn shows(kind: &str) -> bool {
    matches!(kind, "assign" | "remove" | "transfer" | "reassign" | "reveal" | "redeem" | "activate")
}

/// A request: of one that was decided at once, its decision is enough, unless the history is the request's own.
pub(super) fn asked(asked: &RequestOnRecord, whole: bool) -> Option<Event> {
    let open = matches!(asked.status.as_str(), "waiting" | "pending");
    if !open && !whole && !matches!(asked.kind.as_str(), "cancel" | "renew") {
        return None;
    }
    let request = phrase(&asked.kind, &asked.content);
    let by = &asked.requested_by;
    let from = format!("{} line {}, {}", asked.file, asked.line, asked.received_on);
    let mut says = vec![format!("{request}, by {by} ({from})")];
    if open {
        let remarks = asked.remarks.iter().flat_map(|remarks| remarks.0.iter());
        says.extend(remarks.map(|remark| remark.reason.sentence(Language::English)));
    }
    let what = if open { "waits" } else { "asked" };
    let event = event(asked.requested_on, what, asked.subject.clone(), String::new());
    Some(named(Event { says, ..event }, &asked.content, by))
}

/// That an operator let a request in that had waited (D1).
pub(super) fn admitted(asked: &RequestOnRecord) -> Option<Event> {
    let (by, on) = asked.admitted_by.as_ref().zip(asked.admitted_on)?;
    let request = phrase(&asked.kind, &asked.content);
    let why = asked.admitted_why.as_deref().filter(|why| !why.is_empty());
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let says = format!("{request} of {}, let in by {by}{why}", asked.requested_on);
    Some(named(event(on, "admitted", asked.subject.clone(), says), &asked.content, &asked.requested_by))
}

/// A decision; of a yes only what nothing else tells.
pub(super) fn decided(decided: &Decided, whole: bool) -> Option<Event> {
    let accepted = decided.outcome == "accepted";
    if accepted && !whole && shows(&decided.action) {
        return None;
    }
    let mut request = phrase(&decided.action, &decided.content);
    let _ = write!(request, ", asked for by {}", decided.requested_by);
    if let Some(on) = decided.requested_on {
        let _ = write!(request, " on {on}");
        if let Some(received_on) = decided.received_on.filter(|received_on| *received_on > on) {
            let _ = write!(request, ", received on {received_on}");
        }
    }
    let mut says = vec![request];
    says.extend(decided.refund.iter().flat_map(|refund| refunded(&refund.0)));
    let reasons: &[Reason] = &decided.reasons.0;
    says.extend(reasons.iter().map(|reason| reason.sentence(Language::English)));
    if !accepted {
        let earliest = reason::earliest(reasons).phrase(Language::English);
        says.push(format!("When it becomes a yes: {earliest}."));
    }
    let what = if accepted { "accepted" } else { "refused" };
    let event = event(decided.decided_on, what, decided.subject.clone(), String::new());
    let event = event.by_decision(Some(decided.decision_no));
    Some(named(Event { says, ..event }, &decided.content, &decided.requested_by))
}

/// What an accepted cancellation did with the order's credit (D7).
fn refunded(refund: &Refund) -> Vec<String> {
    let sum = |amounts: &[Amount]| amounts.iter().map(Amount::to_string).collect::<Vec<_>>().join(", ");
    let mut says = Vec::new();
    if refund.reversed.is_empty() && refund.waiting.is_empty() {
        says.push("There was no unspent credit to take back.".to_owned());
    } else if !refund.reversed.is_empty() {
        says.push(format!("Unspent credit that was taken back: {}.", sum(&refund.reversed)));
    }
    if !refund.spent.is_empty() {
        says.push(format!("Spent credit that stays spent: {}.", sum(&refund.spent)));
    }
    says.extend(refund.waiting.iter().map(|Waiting { benefit, period_from, amount, reason, .. }| {
        format!(
            "{amount} of {benefit} for the period from {period_from} waits, and is taken back as soon as it can be booked. {}",
            reason.sentence(Language::English)
        )
    }));
    says
}

/// With whom and which key it names.
fn named(event: Event, content: &Value, requested_by: &String) -> Event {
    let users = ["user", "to_user"].into_iter().filter_map(|name| text(content, name)).map(str::to_owned);
    let users: Vec<String> = users.collect();
    let event = event.of(&users).of([requested_by]);
    match text(content, "key_ref") {
        Some(key) => event.of_key(key.to_owned()),
        None => event,
    }
}

fn text<'a>(content: &'a Value, name: &str) -> Option<&'a str> {
    content.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// What was asked for, as a noun.
fn phrase(kind: &str, content: &Value) -> String {
    let of = |name: &str| text(content, name);
    let after = |word: &str, name: &str| of(name).map_or_else(String::new, |text| format!(" {word} {text}"));
    let mut phrase = match kind {
        "assign" => format!("assignment{}", after("to", "user")),
        "remove" => format!("removal{}", after("of", "user")),
        "transfer" => format!("transfer{}{}", after("from", "user"), after("to", "to_user")),
        "reassign" => format!("reassignment{}{}", after("from", "user"), after("to", "to_user")),
        "reveal" => format!(
            "reveal of {}",
            of("key_ref").map_or_else(|| "a key".to_owned(), |key| format!("key {key}"))
        ),
        "redeem" => {
            let key = of("key_ref").map_or_else(|| "a key".to_owned(), |key| format!("key {key}"));
            let mode = of("mode").map_or_else(String::new, |mode| format!(" ({mode})"));
            format!("redemption of {key}{mode}{}", after("onto tenant", "tenant_id"))
        }
        "activate" => "activation".to_owned(),
        "set_contact" => "setting of the marketing contact".to_owned(),
        "renew" => format!("renewal{}", after("by order", "new_order_id")),
        "cancel" => format!("cancellation{}", id(content)),
        "product_support" | "cloud_support" => {
            let name = if kind == "cloud_support" { "cloud support" } else { "product support" };
            let version = of("product_version").map_or_else(String::new, |version| format!(" {version}"));
            format!("{name}{}{}{version}", id(content), after("for", "product"))
        }
        "advisory_hours" => {
            let minutes = content.get("minutes").and_then(Value::as_i64).unwrap_or_default();
            let hours = naming::units(Unit::Hours, minutes, Language::English).replace('\u{a0}', " ");
            format!("{hours} of advice{}{}", id(content), after("about", "product"))
        }
        other => other.replace('_', " "),
    };
    if let Some(note) = of("note") {
        let _ = write!(phrase, ", note “{note}”");
    }
    phrase
}

/// The name of a service request, after what it is.
fn id(content: &Value) -> String {
    text(content, "request_id").map_or_else(String::new, |id| format!(" {id}"))
}

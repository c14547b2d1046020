//! What happened, in the order in which it happened, each in its sentence.

use std::fmt::{Display, Write as _};

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::words::{self, money, rate, span};
use crate::{
    domain::{
        language::Language,
        reason::{self, Reason},
    },
    store::{
        self,
        explain::{Asked, Assigned, Decided, Entry, Subject, Told, Version, Waiting},
    },
};

/// One thing that happened.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// When, by the facts.
    pub(super) on: NaiveDate,
    /// In one word.
    pub(super) what: &'static str,
    /// The order, or the order and the benefit.
    pub(super) about: String,
    /// In sentences.
    pub(super) says: Vec<String>,
}

/// Everything that happened.
pub(super) struct History {
    /// In time order.
    pub(super) events: Vec<Event>,
    /// Notices that were no longer true, or less urgent than another, when the mail was written.
    pub(super) overtaken: usize,
}

/// What comes first on one day.
const ORDER: [&str; 18] = [
    "arrived",
    "changed",
    "asked",
    "waits",
    "accepted",
    "refused",
    "assigned",
    "removed",
    "lapsed",
    "granted",
    "used",
    "overage",
    "reversed",
    "corrected",
    "ended",
    "booked",
    "owed",
    "mailed",
];

impl History {
    pub(super) async fn read(conn: &mut PgConnection, subject: &Subject) -> store::Result<Self> {
        let mut events = Vec::new();
        if !subject.is_request() {
            events.extend(versions(&subject.versions(conn).await?));
            events.extend(subject.entries(conn).await?.iter().map(entry));
            events.extend(subject.assigned(conn).await?.iter().flat_map(assigned));
            events.extend(subject.waiting(conn).await?.iter().filter_map(waiting));
        }
        events.extend(subject.asked(conn).await?.iter().filter_map(asked));
        events.extend(subject.decided(conn).await?.iter().filter_map(decided));
        let notices = subject.told(conn).await?;
        events.extend(notices.iter().filter_map(told));
        events.sort_by_key(|event| (event.on, ORDER.iter().position(|what| *what == event.what)));
        Ok(Self { events, overtaken: notices.iter().filter(|notice| notice.status == "superseded").count() })
    }
}

fn event(on: NaiveDate, what: &'static str, about: String, says: String) -> Event {
    Event { on, what, about, says: vec![says] }
}

/// Arrivals, changes and ends: each version against the one before it.
fn versions(versions: &[Version]) -> Vec<Event> {
    let before = std::iter::once(None).chain(versions.iter().map(Some));
    versions
        .iter()
        .zip(before)
        .filter_map(|(version, before)| {
            let about = format!("{}/{}", version.order_id, version.benefit);
            let from = match (&version.file, version.line) {
                (Some(file), Some(line)) => format!("{file} line {line}: "),
                _ => String::new(),
            };
            if let (Some(ended_on), Some(how)) = (version.ended_on, &version.ended_as) {
                let says = format!("{from}{how}; the last usable day was {ended_on}");
                return Some(event(version.on, "ended", about, says));
            }
            match before.filter(|_| version.version_no > 1) {
                None => Some(event(version.on, "arrived", about, format!("{from}{}", stated(version)))),
                Some(before) => {
                    let changes = changes(before, version);
                    (!changes.is_empty())
                        .then(|| event(version.on, "changed", about, format!("{from}{}", changes.join("; "))))
                }
            }
        })
        .collect()
}

fn stated(version: &Version) -> String {
    let mut text = format!("{}, quantity {}", version.benefit_type, quantity(version.quantity));
    let _ = write!(text, ", {} to {}", version.starts_on, version.expires_on);
    if let Some(minor) = version.amount_minor {
        let how_often = if version.benefit.starts_with("azure_bulk_credit") { "once" } else { "a period" };
        let _ = write!(text, ", {} {how_often}", money(minor, version.currency.as_deref()));
    }
    if let Some(competency) = &version.competency {
        let _ = write!(text, ", competency {competency}");
    }
    if let Some(subscription) = &version.subscription_id {
        let _ = write!(text, ", subscription {subscription}");
    }
    text
}

fn quantity(quantity: Option<i32>) -> String {
    quantity.map_or_else(|| "unlimited".to_owned(), |quantity| quantity.to_string())
}

fn changes(was: &Version, became: &Version) -> Vec<String> {
    let amount = |version: &Version| {
        version.amount_minor.map_or_else(String::new, |minor| money(minor, version.currency.as_deref()))
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        ("type", was.benefit_type.clone(), became.benefit_type.clone()),
        ("quantity", quantity(was.quantity), quantity(became.quantity)),
        ("starts", was.starts_on.to_string(), became.starts_on.to_string()),
        ("ends", was.expires_on.to_string(), became.expires_on.to_string()),
        ("amount", amount(was), amount(became)),
        ("competency", or_none(&was.competency), or_none(&became.competency)),
        ("subscription", or_none(&was.subscription_id), or_none(&became.subscription_id)),
    ]
    .into_iter()
    .filter(|(_, was, became)| was != became)
    .map(|(what, was, became)| format!("{what} {} → {}", or_nothing(&was), or_nothing(&became)))
    .collect()
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// A movement of the ledger.
fn entry(entry: &Entry) -> Event {
    let amount = money(entry.amount_minor, entry.currency.as_deref());
    let period = span(entry.period_from, entry.period_until);
    let reference = entry.reference.as_ref().map_or_else(String::new, |name| format!(", reference {name}"));
    let what = entry.kind.rsplit('_').next().unwrap_or_default();
    let (what, mut says) = match (what, entry.corrects_of) {
        (kind, Some(original_on)) => {
            let by = if entry.takes_away { "less" } else { "more" };
            let original = noun(kind);
            (
                "corrected",
                format!(
                    "{amount} {by} {kind} of {period}{reference}: corrects the {original} of {original_on}"
                ),
            )
        }
        ("granted", _) => ("granted", format!("{amount} for {period}{}", conversion(entry))),
        ("used", _) => ("used", format!("{amount} of {period}{reference}")),
        ("overage", _) => ("overage", format!("{amount} more than there was of {period}{reference}")),
        ("lapsed", _) => {
            let lost = if entry.unassigned { ": lost, nobody was assigned on any day of it" } else { "" };
            ("lapsed", format!("{amount} unspent of {period}{lost}"))
        }
        ("reversed", _) => ("reversed", format!("{amount} of {period} taken back")),
        (other, _) => ("booked", format!("{amount} {other} of {period}")),
    };
    if entry.booked_on > entry.effective_on {
        let _ = write!(says, " (booked in the night of {})", entry.booked_on);
    }
    event(entry.effective_on, what, format!("{}/{}", entry.order_id, entry.benefit), says)
}

fn noun(kind: &str) -> &str {
    match kind {
        "granted" => "grant",
        "used" => "use",
        "lapsed" => "lapse",
        "reversed" => "reversal",
        other => other,
    }
}

fn conversion(entry: &Entry) -> String {
    match (entry.usd_minor, entry.rate_nano, entry.rate_on) {
        (Some(usd), Some(nano), Some(on)) => {
            format!(": {} at {}, the rate of {on}", money(usd, Some("USD")), rate(nano))
        }
        _ => String::new(),
    }
}

fn assigned(assigned: &Assigned) -> Vec<Event> {
    let about = format!("{}/{}", assigned.order_id, assigned.benefit);
    let by =
        |who: &Option<String>| who.as_ref().map_or_else(String::new, |who| format!(", asked for by {who}"));
    let user = &assigned.user;
    let to = format!("to {user}{}", by(&assigned.assigned_by));
    let mut events = vec![event(assigned.assigned_on, "assigned", about.clone(), to)];
    if let Some(removed_on) = assigned.removed_on {
        let from = format!("from {user}{}", by(&assigned.removed_by));
        events.push(event(removed_on, "removed", about, from));
    }
    events
}

fn waiting(waiting: &Waiting) -> Option<Event> {
    let says = format!("a grant. {}", waiting.reason.sentence(Language::English));
    Some(event(waiting.since?, "waits", format!("{}/{}", waiting.order_id, waiting.benefit), says))
}

/// A request; an assignment or removal that was accepted is told as what it did.
fn asked(asked: &Asked) -> Option<Event> {
    let of = asked.of.as_deref().unwrap_or_default();
    let (by, from) =
        (&asked.requested_by, format!("{} line {}, {}", asked.file, asked.line, asked.received_on));
    let request = match asked.kind.as_str() {
        "cancel" => format!("cancellation {of}, by {by} ({from})"),
        "renew" => format!("renewal by order {of} ({from})"),
        "assign" => format!("assignment to {of}, by {by} ({from})"),
        kind => format!("{kind} {of}, by {by} ({from})"),
    };
    let open = matches!(asked.status.as_str(), "waiting" | "pending");
    if !open && matches!(asked.kind.as_str(), "assign" | "remove") {
        return None;
    }
    let mut says = vec![request];
    if open {
        let remarks = asked.remarks.iter().flat_map(|remarks| remarks.0.iter());
        says.extend(remarks.map(|remark| remark.reason.sentence(Language::English)));
    }
    let what = if open { "waits" } else { "asked" };
    Some(Event { on: asked.requested_on, what, about: asked.subject.clone(), says })
}

fn decided(decided: &Decided) -> Option<Event> {
    let accepted = decided.outcome == "accepted";
    let asked_for: &dyn Display = match decided.action.as_str() {
        "assign" | "remove" if accepted => return None,
        "cancel" => &"cancellation",
        "renew" => &"renewal",
        _ => &decided.action,
    };
    let mut says = format!("{asked_for}");
    if let Some(request) = &decided.request_id {
        let _ = write!(says, " {request}");
    }
    let _ = write!(says, ", asked for by {}", decided.requested_by);
    if let Some(on) = decided.requested_on {
        let _ = write!(says, " on {on}");
    }
    let mut says = vec![says];
    let reasons: &[Reason] = &decided.reasons.0;
    says.extend(reasons.iter().map(|reason| reason.sentence(Language::English)));
    if !accepted {
        let earliest = reason::earliest(reasons).phrase(Language::English);
        says.push(format!("When it becomes a yes: {earliest}."));
    }
    let what = if accepted { "accepted" } else { "refused" };
    Some(Event { on: decided.decided_on, what, about: decided.subject.clone(), says })
}

fn told(told: &Told) -> Option<Event> {
    let says = words::notice(&told.notice);
    let about = words::subject(&told.notice);
    match (told.status.as_str(), told.day, &told.recipient) {
        ("mailed", Some(day), Some(recipient)) => {
            let stands = match told.mail_status.as_deref() {
                Some("sent") | None => String::new(),
                Some(status) => format!(" (mail {status})"),
            };
            Some(event(day, "mailed", about, format!("to {recipient}: {says}{stands}")))
        }
        ("owed", ..) => Some(event(told.anchor_on, "owed", about, says)),
        _ => None,
    }
}

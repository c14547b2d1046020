//! What happened, in the order in which it happened, each in its sentence.

use std::fmt::Write as _;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{
    asked, doings,
    words::{figure, money, rate, span},
};
use crate::store::{
    self,
    explain::{EntitlementVersion, LedgerEntry, NoticeTold, Subject},
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
    /// Users whom it names, by sign-in name.
    pub(super) who: Vec<String>,
    /// The key that it names, as the store calls it.
    pub(super) key: Option<String>,
    /// The number of the decision that it is, or comes of.
    pub(super) decision: Option<i64>,
}

/// Everything that happened.
pub(super) struct History {
    /// In time order.
    pub(super) events: Vec<Event>,
    /// Notices that were no longer true, or less urgent than another, when the mail was written.
    pub(super) overtaken: usize,
}

/// What comes first on one day.
const ORDER: [&str; 29] = [
    "agreement",
    "contact",
    "arrived",
    "changed",
    "keys",
    "asked",
    "waits",
    "blocked",
    "accepted",
    "refused",
    "assigned",
    "transferred",
    "reassigned",
    "removed",
    "revealed",
    "redeemed",
    "activated",
    "support",
    "live",
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

/// Where in it what was decided stands.
const DECIDED: &str = "accepted";

impl History {
    pub(super) async fn read(conn: &mut PgConnection, subject: &Subject) -> store::Result<Self> {
        let mut events = Vec::new();
        if !subject.is_request() {
            events.extend(versions(&subject.versions(conn).await?));
            events.extend(subject.entries(conn).await?.iter().map(entry));
            events.extend(subject.assigned(conn).await?.iter().flat_map(doings::assigned));
            events.extend(subject.keys_known(conn).await?.iter().map(doings::keys_known));
            events.extend(subject.revealed(conn).await?.iter().map(doings::revealed));
            events.extend(subject.redeemed(conn).await?.iter().map(doings::redeemed));
            events.extend(subject.activated(conn).await?.iter().flat_map(doings::activated));
            events.extend(subject.opened(conn).await?.iter().map(doings::opened));
            events.extend(subject.agreed(conn).await?.iter().map(doings::agreed));
            events.extend(subject.contacted(conn).await?.iter().map(doings::contacted));
            events.extend(subject.waiting(conn).await?.iter().map(doings::waiting));
        }
        let whole = subject.is_request();
        if whole {
            let drawn = subject.entries(conn).await?;
            events.extend(
                drawn.iter().filter(|entry| entry.request_id.as_ref() == Some(&subject.name)).map(entry),
            );
        }
        events.extend(subject.asked(conn).await?.iter().filter_map(|row| asked::asked(row, whole)));
        events.extend(subject.decided(conn).await?.iter().filter_map(|row| asked::decided(row, whole)));
        let notices = subject.told(conn).await?;
        events.extend(notices.iter().filter_map(told));
        let mut overtaken = notices.iter().filter(|notice| notice.status == "superseded").count();
        if matches!(subject.kind.as_str(), "user" | "key") {
            events.retain(|event| names(event, subject));
            overtaken = 0;
        }
        events.sort_by(|a, b| a.place().cmp(&b.place()).then_with(|| a.about.cmp(&b.about)));
        Ok(Self { events, overtaken })
    }
}

/// Whether a user or a key has a part in it.
fn names(event: &Event, subject: &Subject) -> bool {
    let same = |name: &String| name.to_lowercase() == subject.name.to_lowercase();
    if subject.kind == "key" { event.key.iter().any(same) } else { event.who.iter().any(same) }
}

pub(super) fn event(on: NaiveDate, what: &'static str, about: String, says: String) -> Event {
    Event { on, what, about, says: vec![says], who: vec![], key: None, decision: None }
}

impl Event {
    /// Names users, if there are any to name.
    pub(super) fn of<'a>(mut self, who: impl IntoIterator<Item = &'a String>) -> Self {
        self.who.extend(who.into_iter().cloned());
        self
    }

    /// Names a key.
    pub(super) fn of_key(mut self, key: String) -> Self {
        self.key = Some(key);
        self
    }

    /// Comes of a decision.
    pub(super) const fn by_decision(mut self, number: Option<i64>) -> Self {
        self.decision = number;
        self
    }

    /// Its place among all: by day; on one day by what it is, and what was decided in the order of the decisions.
    fn place(&self) -> (NaiveDate, Option<usize>, Option<i64>, Option<usize>) {
        let of = |what: &str| ORDER.iter().position(|known| *known == what);
        let among = if self.decision.is_some() { DECIDED } else { self.what };
        (self.on, of(among), self.decision, of(self.what))
    }
}

/// Arrivals, changes and ends: each version against the one before it.
fn versions(versions: &[EntitlementVersion]) -> Vec<Event> {
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

fn stated(version: &EntitlementVersion) -> String {
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

fn changes(was: &EntitlementVersion, became: &EntitlementVersion) -> Vec<String> {
    let amount = |version: &EntitlementVersion| {
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
fn entry(entry: &LedgerEntry) -> Event {
    let amount = figure(&entry.kind, entry.amount_minor, entry.currency.as_deref());
    let period = span(entry.period_from, entry.period_until);
    let mut reference =
        entry.reference.as_ref().map_or_else(String::new, |name| format!(", reference {name}"));
    if let Some(request) = &entry.request_id {
        let _ = write!(reference, ", request {request}");
    }
    if let Some(by) = &entry.asked_by {
        let _ = write!(reference, ", asked for by {by}");
    }
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
    if entry.booked_on > entry.effective_on && entry.request_id.is_none() {
        let _ = write!(says, " (booked in the night of {})", entry.booked_on);
    }
    event(entry.effective_on, what, format!("{}/{}", entry.order_id, entry.benefit), says).of(&entry.asked_by)
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

fn conversion(entry: &LedgerEntry) -> String {
    match (entry.usd_minor, entry.rate_nano, entry.rate_on) {
        (Some(usd), Some(nano), Some(on)) => {
            format!(": {} at {}, the rate of {on}", money(usd, Some("USD")), rate(nano))
        }
        _ => String::new(),
    }
}

fn told(told: &NoticeTold) -> Option<Event> {
    let (says, about) = (told.notice.line(), told.notice.subject());
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

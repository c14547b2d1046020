//! One thing that happened, and its place among all that happened.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::{domain::id::DecisionNo, store::explain::Subject};

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// When, by the facts.
    pub on: NaiveDate,
    /// In one word.
    pub what: &'static str,
    /// The order, or the order and the benefit.
    pub about: String,
    /// In sentences.
    pub says: Vec<String>,
    /// Users whom it names, by sign-in name.
    #[serde(skip)]
    pub(super) who: Vec<String>,
    /// The key that it names, as the store calls it.
    #[serde(skip)]
    pub(super) key: Option<String>,
    /// The number of the decision that it is, or comes of.
    #[serde(skip)]
    pub(super) decision: Option<DecisionNo>,
    /// When what a file says was recorded, or taken back.
    #[serde(skip)]
    pub(super) recorded_at: Option<DateTime<Utc>>,
}

/// What comes first on one day.
const ORDER: [&str; 31] = [
    "agreement",
    "contact",
    "arrived",
    "changed",
    "taken back",
    "keys",
    "asked",
    "waits",
    "blocked",
    "admitted",
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
/// Where in it what files said stands.
const RECORDED: &str = "arrived";

/// Whether a user or a key has a part in it.
pub(super) fn names(event: &Event, subject: &Subject) -> bool {
    let same = |name: &String| name.to_lowercase() == subject.name.to_lowercase();
    if subject.kind == "key" { event.key.iter().any(same) } else { event.who.iter().any(same) }
}

pub(super) fn event(on: NaiveDate, what: &'static str, about: String, says: String) -> Event {
    Event { on, what, about, says: vec![says], who: vec![], key: None, decision: None, recorded_at: None }
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
    pub(super) const fn by_decision(mut self, number: Option<DecisionNo>) -> Self {
        self.decision = number;
        self
    }

    /// Was recorded, or taken back, at that instant.
    pub(super) const fn at(mut self, recorded_at: DateTime<Utc>) -> Self {
        self.recorded_at = Some(recorded_at);
        self
    }

    /// Its place among all: by day; on one day by what it is, what was decided in the order of the decisions, and what files said
    /// and was taken back in the order in which that was.
    pub(super) fn place(&self) -> (NaiveDate, Option<usize>, Option<i64>, Option<usize>) {
        let of = |what: &str| ORDER.iter().position(|known| *known == what);
        let recorded = self.recorded_at.map(|at| at.timestamp_micros());
        match (self.decision, recorded) {
            (Some(number), _) => (self.on, of(DECIDED), Some(number.get()), of(self.what)),
            (None, Some(at)) => (self.on, of(RECORDED), Some(at), of(self.what)),
            (None, None) => (self.on, of(self.what), None, of(self.what)),
        }
    }
}

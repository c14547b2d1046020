//! What the texts of a notice may say: its facts, worded in a language, under the names that the texts use.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::stake::Stake;
use crate::domain::{
    cancellation::Waiting,
    id::{OrderId, RequestId},
    money::Amount,
    naming,
    reason::{Earliest, Reason, earliest},
    texts::ReaderLanguage,
};

/// One fact, as a text takes it. Texts may hold whatever a file said: whoever shows them cleans them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Words; nothing if there is nothing to say.
    Text(String),
    /// Whether something is so.
    Flag(bool),
    /// Several of a kind.
    List(Vec<String>),
}

/// The facts of one notice in one language.
#[derive(Clone, Debug)]
pub struct Facts {
    language: ReaderLanguage,
    values: BTreeMap<&'static str, Fact>,
}

impl Facts {
    /// None yet.
    pub(super) const fn new(language: ReaderLanguage) -> Self {
        Self { language, values: BTreeMap::new() }
    }

    /// `order` and `benefit`.
    pub(super) fn benefit(self, order_id: &OrderId, code: &str) -> Self {
        let name = naming::benefit(code, self.language);
        self.text("order", order_id.as_str()).text("benefit", &name)
    }

    /// `order` and `offer`.
    pub(super) fn membership(self, order_id: &OrderId, offer: &str) -> Self {
        self.text("order", order_id.as_str()).text("offer", &naming::offer(offer))
    }

    /// `request` and `order`.
    pub(super) fn request(self, request_id: &RequestId, order_id: &OrderId) -> Self {
        self.text("request", request_id.as_str()).text("order", order_id.as_str())
    }

    /// `reasons`, each a sentence, and when the answer could be another (D13): `earliest`, `never`; `ended`: the order
    /// has.
    pub(super) fn reasons(self, reasons: &[Reason]) -> Self {
        let sentences = reasons.iter().map(|reason| reason.prose(self.language)).collect();
        let when = earliest(reasons);
        let on = if let Earliest::On(day) = when { naming::limit(day, self.language) } else { String::new() };
        let ended = reasons.iter().any(|reason| matches!(reason, Reason::AlreadyEnded { .. }));
        self.list("reasons", sentences)
            .text("earliest", &on)
            .flag("never", when == Earliest::Never)
            .flag("ended", ended)
    }

    /// `stakes`: what is unspent of each credit, and until when it can be spent; `stakes_heading`: what stands above them.
    pub(super) fn stakes(self, stakes: &[Stake]) -> Self {
        let said = &self.language.names().stakes;
        let each = stakes.iter().map(|stake| {
            let from = stake.granted_on.map(|day| naming::day(day, self.language)).unwrap_or_default();
            let why = stake.blocked.as_ref().map(|reason| reason.prose(self.language)).unwrap_or_default();
            let phrase = match (stake.granted_on, &stake.blocked) {
                (None, _) => &said.unspent,
                (Some(_), None) => &said.to_come,
                (Some(_), Some(_)) => &said.blocked,
            };
            let values = [
                ("amount", &*naming::amount(stake.unspent, self.language)),
                ("benefit", &*naming::benefit(&stake.benefit, self.language)),
                ("by", &*naming::limit(stake.last_usable_on, self.language)),
                ("from", &*from),
                ("why", &*why),
            ];
            naming::fill(phrase, &values)
        });
        let each = each.collect();
        self.list("stakes", each).text("stakes_heading", &said.heading)
    }

    /// `blocked`: why the benefit cannot be used today; `usable_from`: from when it can, if that is known.
    pub(super) fn blocked(self, stakes: &[Stake]) -> Self {
        let reason = stakes.iter().find_map(|stake| stake.blocked.as_ref());
        let why = reason.map(|reason| reason.prose(self.language)).unwrap_or_default();
        let from = match reason.map(Reason::earliest) {
            Some(Earliest::On(day)) => naming::limit(day, self.language),
            _ => String::new(),
        };
        self.text("blocked", &why).text("usable_from", &from)
    }

    /// `waiting`: grants of a refunded order that wait, each with its period.
    pub(super) fn waiting(self, waiting: &[Waiting]) -> Self {
        let each = waiting.iter().map(|grant| {
            let values = [
                ("amount", &*naming::amount(grant.amount, self.language)),
                ("benefit", &*naming::benefit(&grant.benefit, self.language)),
                ("from", &*naming::day(grant.period_from, self.language)),
                ("why", &*grant.reason.prose(self.language)),
            ];
            naming::fill(&self.language.names().stakes.waiting, &values)
        });
        let each = each.collect();
        self.list("waiting", each)
    }

    /// `received`: when a request came, where that was on another day than it is dated (D7).
    pub(super) fn received(self, received_on: Option<NaiveDate>, requested_on: NaiveDate) -> Self {
        let other = received_on.filter(|day| *day != requested_on);
        let worded = other.map_or_else(String::new, |day| naming::day(day, self.language));
        self.text("received", &worded)
    }

    /// Amounts, one a currency.
    pub(super) fn amounts(self, name: &'static str, amounts: &[Amount]) -> Self {
        let worded: Vec<String> = amounts.iter().map(|&sum| naming::amount(sum, self.language)).collect();
        self.text(name, &worded.join(", "))
    }

    /// A day of the past.
    pub(super) fn day(self, name: &'static str, day: NaiveDate) -> Self {
        let worded = naming::day(day, self.language);
        self.text(name, &worded)
    }

    /// `snapshot`: the day as of which a full snapshot does not have it, if that is why it ends (D16).
    pub(super) fn snapshot(self, as_of: Option<NaiveDate>) -> Self {
        let worded = as_of.map_or_else(String::new, |day| naming::day(day, self.language));
        self.text("snapshot", &worded)
    }

    /// A day that decides something: it is one of UTC, and says so (D1).
    pub(super) fn limit(self, name: &'static str, day: NaiveDate) -> Self {
        let worded = naming::limit(day, self.language);
        self.text(name, &worded)
    }

    pub(super) fn text(self, name: &'static str, value: &str) -> Self {
        self.with(name, Fact::Text(value.to_owned()))
    }

    pub(super) fn flag(self, name: &'static str, value: bool) -> Self {
        self.with(name, Fact::Flag(value))
    }

    pub(super) fn list(self, name: &'static str, values: Vec<String>) -> Self {
        self.with(name, Fact::List(values))
    }

    fn with(mut self, name: &'static str, fact: Fact) -> Self {
        self.values.insert(name, fact);
        self
    }
}

impl IntoIterator for Facts {
    type Item = (&'static str, Fact);
    type IntoIter = std::collections::btree_map::IntoIter<&'static str, Fact>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

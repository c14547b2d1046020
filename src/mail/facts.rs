//! What a template may say of a notice: its facts, worded and cleaned, under the names the templates use.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minijinja::Value;

use super::text::clean;
use crate::domain::{
    calendar::{add_days, add_months, sub_days},
    language::Language,
    money::Amount,
    naming,
    notice::Notice,
    reason::{Earliest, Reason, earliest},
};

/// Names and worded values of one notice, in one language.
pub(super) struct Facts {
    language: Language,
    values: BTreeMap<&'static str, Value>,
}

/// The facts of `notice` for its template.
pub(super) fn of(notice: &Notice, language: Language) -> Value {
    let facts = Facts { language, values: BTreeMap::new() };
    match notice {
        Notice::EntitlementEnding { .. }
        | Notice::EntitlementEnded { .. }
        | Notice::CreditAboutToLapse { .. }
        | Notice::CreditLapsedUnassigned { .. } => facts.of_benefit(notice),
        Notice::OfferInstructions { .. } | Notice::OfferLive { .. } | Notice::ContactNeeded { .. } => {
            facts.of_offer(notice)
        }
        Notice::MembershipEnding { .. }
        | Notice::MembershipInGrace { .. }
        | Notice::MembershipEnded { .. }
        | Notice::CancellationAccepted { .. }
        | Notice::CancellationRefused { .. } => facts.of_order(notice),
    }
    .into_value()
}

impl Facts {
    fn of_benefit(self, notice: &Notice) -> Self {
        match notice {
            Notice::EntitlementEnding { order_id, benefit, last_usable_on }
            | Notice::EntitlementEnded { order_id, benefit, ended_on: last_usable_on } => {
                self.benefit(order_id, benefit).day("last_day", *last_usable_on)
            }
            Notice::CreditAboutToLapse { order_id, benefit, unspent, last_usable_on, unassigned } => self
                .benefit(order_id, benefit)
                .amounts("unspent", &[*unspent])
                .day("last_day", *last_usable_on)
                .flag("unassigned", *unassigned),
            Notice::CreditLapsedUnassigned { order_id, benefit, lost, period_from, period_until } => self
                .benefit(order_id, benefit)
                .amounts("lost", &[*lost])
                .day("from", *period_from)
                .day("last_day", sub_days(*period_until, 1))
                .day("until", *period_until)
                .day("next_until", add_months(*period_until, 1)),
            _ => self,
        }
    }

    fn of_offer(self, notice: &Notice) -> Self {
        match notice {
            Notice::OfferInstructions { order_id, benefit, live_on, last_usable_on }
            | Notice::OfferLive { order_id, benefit, live_on, last_usable_on } => {
                self.benefit(order_id, benefit).day("live", *live_on).day("last_day", *last_usable_on)
            }
            Notice::ContactNeeded { order_id, benefit, last_usable_on } => {
                self.benefit(order_id, benefit).day("last_day", *last_usable_on)
            }
            _ => self,
        }
    }

    fn of_order(self, notice: &Notice) -> Self {
        match notice {
            Notice::MembershipEnding { order_id, offer, last_day_on, renew_until } => self
                .membership(order_id, offer)
                .day("last_day", *last_day_on)
                .day("anniversary", add_days(*last_day_on, 1))
                .day("renew_until", *renew_until),
            Notice::MembershipInGrace { order_id, offer, anniversary_on, renew_until } => self
                .membership(order_id, offer)
                .day("anniversary", *anniversary_on)
                .day("renew_until", *renew_until),
            Notice::MembershipEnded { order_id, offer, ended_on } => {
                self.membership(order_id, offer).day("last_day", *ended_on)
            }
            Notice::CancellationAccepted { request_id, order_id, ended_on, reversed, spent } => self
                .text("request", request_id)
                .text("order", order_id)
                .day("last_day", *ended_on)
                .amounts("reversed", reversed)
                .amounts("spent", spent),
            Notice::CancellationRefused { request_id, order_id, requested_on, reasons } => self
                .text("request", request_id)
                .text("order", order_id)
                .day("requested", *requested_on)
                .reasons(reasons),
            _ => self,
        }
    }

    fn benefit(self, order_id: &str, code: &str) -> Self {
        let name = naming::benefit(code, self.language);
        let monthly = code.split('/').next() == Some("azure_monthly_credit");
        self.text("order", order_id).text("benefit", &name).flag("monthly", monthly)
    }

    fn membership(self, order_id: &str, offer: &str) -> Self {
        self.text("order", order_id).text("offer", &naming::offer(offer))
    }

    /// Every reason as a sentence, and when the answer could be another (D13).
    fn reasons(mut self, reasons: &[Reason]) -> Self {
        let sentences: Vec<String> =
            reasons.iter().map(|reason| clean(&reason.prose(self.language))).collect();
        self.values.insert("reasons", Value::from_iter(sentences));
        let when = earliest(reasons);
        let on = if let Earliest::On(day) = when { naming::day(day, self.language) } else { String::new() };
        let ended = reasons.iter().any(|reason| matches!(reason, Reason::AlreadyEnded { .. }));
        self.text("earliest", &on).flag("never", when == Earliest::Never).flag("ended", ended)
    }

    fn amounts(self, name: &'static str, amounts: &[Amount]) -> Self {
        let worded: Vec<String> = amounts.iter().map(|&sum| naming::amount(sum, self.language)).collect();
        self.text(name, &worded.join(", "))
    }

    fn day(self, name: &'static str, day: NaiveDate) -> Self {
        let worded = naming::day(day, self.language);
        self.text(name, &worded)
    }

    fn text(mut self, name: &'static str, value: &str) -> Self {
        self.values.insert(name, Value::from(clean(value)));
        self
    }

    fn flag(mut self, name: &'static str, value: bool) -> Self {
        self.values.insert(name, Value::from(value));
        self
    }

    fn into_value(self) -> Value {
        Value::from_pairs(self.values)
    }
}

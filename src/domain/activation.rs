//! A row of `activations`: software, support or an offer is activated, once for ever (R5, R6, R8).

use chrono::NaiveDate;

use super::{
    benefit::BenefitKind,
    book::{Case, Effect, Held, Order, Ruling},
    calendar::add_days,
    kinds::activations::ActivationRow,
    reason::{Problem, Reason},
    support,
};

/// Rules on an activation: every reason against it (R5, R6, R8, D7). Support of an order has its IDs from the first
/// activation of either kind; an offer needs its marketing contact first.
pub fn decide(case: &Case<'_>, held: &Held, row: &ActivationRow) -> Ruling {
    let (benefit, on) = (row.benefit.as_str(), case.on);
    let mut problems = Vec::new();
    let mut no = |column: &str, value: &str, reason| problems.push(Problem::at(column, value, reason));
    let offer = held.benefit.kind() == BenefitKind::GoToMarket;
    let supports =
        matches!(held.benefit.kind(), BenefitKind::ProductSupport | BenefitKind::SignatureCloudSupport);
    if !offer && !supports && held.benefit.kind() != BenefitKind::Software {
        no("benefit", benefit, Reason::NotActivatable);
    }
    if let Some(activated_on) = held.activated_on {
        no("benefit", benefit, Reason::AlreadyActivated { activated_on });
    }
    if let Some(request_id) = case.order.and_then(|order| order.frozen_by.clone()) {
        no("order_id", row.order_id.as_str(), Reason::OrderFrozen { request_id });
    }
    // What ended before its year was refunded: whatever the date, nothing of it is activated any more (promise 10).
    if let Some(ended_on) = case.order.and_then(Order::refunded_on) {
        no("order_id", row.order_id.as_str(), Reason::AlreadyEnded { ended_on });
    }
    let live_on = offer.then(|| add_days(on, case.terms.go_live_days));
    if !held.runs_on(on) {
        let reason = held.outside(case.on);
        no("requested_on", &on.to_string(), reason);
    } else if let Some(live_on) = live_on.filter(|day| *day > held.ends_on()) {
        let reason = Reason::EndsBeforeLive { live_on, ends_on: held.ends_on() };
        no("requested_on", &on.to_string(), reason);
    }
    if offer && !case.partner.has_contact {
        no("benefit", benefit, Reason::ContactMissing);
    } else if let Some(user) = case.book.disabled_contacts.get(&case.partner.partner_id).filter(|_| offer) {
        problems.push(Problem::at("", user, Reason::UserDisabled));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut effects = vec![Effect::Activated { entitlement_id: held.entitlement_id, live_on }];
    let mut remarks = Vec::new();
    if let Some(live_on) = live_on {
        remarks.push(Problem::of_row(Reason::GoesLive { live_on, until: held.ends_on() }));
    }
    if supports {
        let opened = case.order.and_then(|order| order.support.clone());
        let (access_id, contract_id) = opened.clone().unwrap_or_else(|| {
            (support::access_id(held.partner_id), support::contract_id(held.membership_id))
        });
        remarks.push(Problem::of_row(Reason::SupportIds {
            access_id: access_id.clone(),
            contract_id: contract_id.clone(),
        }));
        if opened.is_none() {
            let membership_id = held.membership_id;
            effects.push(Effect::SupportOpened { membership_id, access_id, contract_id });
        }
    }
    Ok((effects, remarks))
}

/// An activated Go-To-Market offer that is not live yet (R8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingOffer {
    /// When it was activated.
    pub activated_on: NaiveDate,
    /// The day from which it is live.
    pub live_on: NaiveDate,
    /// Last usable day.
    pub last_usable_on: NaiveDate,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// When both the offer and its activation were known.
    pub known_on: NaiveDate,
}

impl PendingOffer {
    /// Whether it is live by `today`; an offer that ended before its date never is.
    #[must_use]
    pub fn is_live(&self, today: NaiveDate) -> bool {
        self.live_on <= today && self.live_on <= self.ended_on.unwrap_or(self.last_usable_on)
    }

    /// Whether its contact is to be told of it: what has ended, or was over before it was known, is not mailed (D10).
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.ended_on.is_none() && self.last_usable_on >= self.known_on
    }
}

#[cfg(test)]
#[path = "activation_tests.rs"]
pub(super) mod tests;

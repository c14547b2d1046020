//! A row of `key_requests`: a key is revealed, or redeemed onto a subscription (R3, R5, D8).

use super::{
    benefit::BenefitKind,
    book::{Case, Effect, Held, Key, Ruling},
    id::{KeyNo, TenantId},
    kinds::key_requests::{KeyAction, KeyRequestRow},
    license_key::{Mode, Subscription, key_ref},
    reason::{Problem, Reason},
    subscription::{self, Load, RedemptionPreview},
};

/// Rules on a reveal or a redemption: every reason against it (R3, R5, D7, D8).
pub fn decide(case: &Case<'_>, held: &Held, row: &KeyRequestRow) -> Ruling {
    let mut problems = barred(case, held, row);
    let key = pick(held, row).map_err(|problem| problems.push(problem)).ok();
    if row.action == KeyAction::Reveal {
        let Some(key) = key.filter(|_| problems.is_empty()) else { return Err(problems) };
        let effect = Effect::Revealed { entitlement_id: held.entitlement_id, key_id: key.key_id };
        return Ok((vec![effect], vec![named(key)]));
    }
    let tenant_id = tenant(case, row).map_err(|problem| problems.push(problem)).ok();
    let before = live(case, held);
    let mode = row.way().unwrap_or(Mode::New);
    let after = key.map(|key| {
        let most = case.terms.extend_at_most_times;
        let outcome = subscription::redeemed(mode, before, load(key), case.on, most);
        outcome
            .map_err(|reasons| problems.extend(reasons.into_iter().map(|reason| located(reason, row, key))))
    });
    match (key, tenant_id, after) {
        (Some(key), Some(tenant_id), Some(Ok(after))) if problems.is_empty() => {
            let effect = Effect::Redeemed {
                entitlement_id: held.entitlement_id,
                key_id: key.key_id,
                mode,
                tenant_id,
                before,
                after,
            };
            let now = Reason::SubscriptionNow { seats: after.seats, ends_on: after.ends_on };
            Ok((vec![effect], vec![named(key), Problem::of_row(now)]))
        }
        _ => Err(problems),
    }
}

/// What each way of redeeming a key would come to (D8), and which key that is.
///
/// # Errors
/// Every reason against redeeming it in whatever way.
pub fn preview(
    case: &Case<'_>,
    held: &Held,
    row: &KeyRequestRow,
) -> Result<(KeyNo, RedemptionPreview), Vec<Problem>> {
    let mut problems = barred(case, held, row);
    let key = pick(held, row).map_err(|problem| problems.push(problem)).ok();
    let _ = tenant(case, row).map_err(|problem| problems.push(problem));
    let Some(key) = key.filter(|_| problems.is_empty()) else { return Err(problems) };
    let most = case.terms.extend_at_most_times;
    Ok((key.key_id, subscription::preview(live(case, held), load(key), case.on, most)))
}

/// What stands against it whatever key it is about.
fn barred(case: &Case<'_>, held: &Held, row: &KeyRequestRow) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut no = |column: &str, value: &str, reason| problems.push(Problem::at(column, value, reason));
    match (row.action, held.benefit.kind()) {
        (_, BenefitKind::LicenseSubscription) | (KeyAction::Reveal, BenefitKind::Software) => {}
        (KeyAction::Reveal, _) => no("benefit", row.benefit.as_str(), Reason::NotRevealable),
        (KeyAction::Redeem, _) => no("benefit", row.benefit.as_str(), Reason::NotRedeemable),
    }
    let on = case.on.to_string();
    if let Some(order) = case.order {
        if let Some(request_id) = order.frozen_by.clone() {
            no("order_id", order.order_id.as_str(), Reason::OrderFrozen { request_id });
        }
        // An order that ended before its year was refunded: whatever the date, none of its keys is given out (promise 10).
        if let Some(ended_on) = order.refunded_on() {
            no("order_id", order.order_id.as_str(), Reason::AlreadyEnded { ended_on });
        }
    }
    if !held.runs_on(case.on) {
        let reason = held.outside(case.on);
        no("requested_on", &on, reason);
    }
    problems
}

/// The key that a request is about: the one it names, else the oldest that was not revealed (nor redeemed, to be
/// redeemed).
fn pick<'a>(held: &'a Held, row: &KeyRequestRow) -> Result<&'a Key, Problem> {
    let redeem = row.action == KeyAction::Redeem;
    let Some(key_id) = row.key_ref else {
        let fresh = |key: &&Key| key.revealed_on.is_none() && !(redeem && key.redeemed_on.is_some());
        let none = || Problem::at("benefit", row.benefit.as_str(), Reason::NoKeyLeft);
        return held.keys.iter().find(fresh).ok_or_else(none);
    };
    let no = |reason| Problem::at("key_ref", &key_ref(key_id), reason);
    let key = held.keys.iter().find(|key| key.key_id == key_id).ok_or_else(|| no(Reason::UnknownKey))?;
    match key.redeemed_on.filter(|_| redeem) {
        Some(redeemed_on) => Err(no(Reason::KeyRedeemed { redeemed_on })),
        None => Ok(key),
    }
}

/// The name of the key that a request without one is about.
#[must_use]
pub fn chosen(held: &Held, row: &KeyRequestRow) -> Option<KeyNo> {
    pick(held, row).ok().map(|key| key.key_id)
}

/// The tenant that a key is redeemed onto: the partner's own (R3).
fn tenant(case: &Case<'_>, row: &KeyRequestRow) -> Result<TenantId, Problem> {
    let named = row.tenant_id.as_ref().map(TenantId::as_str);
    let no = |reason| Problem::at("tenant_id", named.unwrap_or_default(), reason);
    let own = case.partner.tenant_id.as_ref().ok_or_else(|| no(Reason::TenantUnknown))?;
    if named.is_some_and(|named| !named.eq_ignore_ascii_case(own.as_str())) {
        return Err(no(Reason::WrongTenant { expected: own.to_string() }));
    }
    Ok(own.clone())
}

/// The live subscription of that benefit.
fn live(case: &Case<'_>, held: &Held) -> Option<Subscription> {
    let of = (held.partner_id, held.benefit.as_str().to_owned());
    case.book.subscriptions.get(&of).copied().filter(|it| it.is_live(case.on))
}

const fn load(key: &Key) -> Load {
    Load { seats: key.seats, months: key.months }
}

/// A reason against a way of redeeming, at the column that would have to change.
fn located(reason: Reason, row: &KeyRequestRow, key: &Key) -> Problem {
    match reason {
        Reason::KeyWithoutSeats | Reason::ExtendsTooMuch { .. } => {
            Problem::at("key_ref", &key_ref(key.key_id), reason)
        }
        reason => Problem::at("mode", row.mode.map_or("", Mode::name), reason),
    }
}

fn named(key: &Key) -> Problem {
    Problem::of_row(Reason::KeyNamed { key_ref: key_ref(key.key_id) })
}

#[cfg(test)]
#[path = "key_request_tests.rs"]
mod tests;

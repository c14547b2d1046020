//! A request of any kind: who asks for what, whether it may be decided now, and what is decided (D1, D16).

use chrono::NaiveDate;
use serde_json::Value;

pub use super::asked::Asked;
use super::{
    activation, assignment,
    book::{Asker, Book, Case, Effect, Held, Order, Partner, Recorded, User},
    calendar::sub_days,
    catalogue::Catalogue,
    id::{EntitlementNo, KeyNo, OrderNo, PartnerId, PartnerNo, RequestNo, UserNo},
    key_request,
    kinds::{key_requests::KeyRequestRow, service_requests::Request},
    reason::{Problem, Reason},
    request_terms::RequestTerms,
    subscription::RedemptionPreview,
    support,
};

/// What an operator is called in `requested_by`, where the operator asks.
pub const OPERATOR: &str = "operator";

/// Columns of a request's content that hold people.
const BY: &str = "requested_by";
const TO: &str = "to_user";
const KIND: &str = "kind";
/// What is kept of the column `hours`.
const MINUTES: &str = "minutes";

/// How a request came: what its file says beside it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The business date of its arrival.
    pub received_on: NaiveDate,
    /// Dated long before, it needs no operator.
    pub accept_backdated: bool,
    /// The operator may ask.
    pub by_operator: bool,
    /// The one partner whose rows the file may hold: number in the store and Partner ID.
    pub partner: Option<(PartnerNo, &'a PartnerId)>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is refused, or cannot be understood, and why.
    Refused(Vec<Problem>),
    /// The same key came before with other content, so it is not a request of its own.
    Conflicts(Vec<Problem>),
    /// It came before, and the operator refused it by name: that decision stands.
    RefusedBefore(Problem),
    /// It came before.
    Unchanged(Vec<Problem>),
    /// It waits for the operator.
    Waits(Problem),
    /// A night decides it.
    Pending(Problem),
    /// It is done.
    Accepted {
        /// What it does.
        effects: Vec<Effect>,
        /// What there is to say of it.
        remarks: Vec<Problem>,
    },
}

/// A request that was ruled on, with what is to be recorded of it.
#[derive(Clone, Debug)]
pub struct Ruled {
    /// Its number in the store, also if nothing is recorded under it.
    pub request_no: RequestNo,
    /// Whose; `None`: nobody's that is known.
    pub partner_id: Option<PartnerNo>,
    /// Its order's number in the store.
    pub membership_id: Option<OrderNo>,
    /// Its benefit's number in the store.
    pub entitlement_id: Option<EntitlementNo>,
    /// Its key within its partner and family.
    pub key: String,
    /// What must be the same when it comes again.
    pub content: Value,
    /// It waited, and the operator lets it in now.
    pub waited: bool,
    /// What becomes of it.
    pub outcome: Outcome,
}

impl Ruled {
    /// Of a request that nothing is known of yet.
    const fn unheard(request_no: RequestNo) -> Self {
        Self {
            request_no,
            partner_id: None,
            membership_id: None,
            entitlement_id: None,
            key: String::new(),
            content: Value::Null,
            waited: false,
            outcome: Outcome::Refused(vec![]),
        }
    }
}

/// Everything that a request names, found.
struct Found<'a> {
    partner: &'a Partner,
    order: Option<&'a Order>,
    held: Option<&'a Held>,
    who: Asker<'a>,
    user: Option<&'a User>,
    to: Option<&'a User>,
}

/// Rules on a request, which is `request_no` from now on unless it is on record already. What it does is to be entered
/// into `book` before the next is ruled on: [`enter`].
#[must_use]
pub fn rule(
    book: &Book,
    asked: &Asked,
    arrival: &Arrival<'_>,
    terms: &RequestTerms,
    catalogue: &Catalogue,
    request_no: RequestNo,
) -> Ruled {
    let mut ruled = Ruled::unheard(request_no);
    let found = match find(book, asked, arrival, &mut ruled) {
        Ok(found) => found,
        Err(problems) => {
            ruled.outcome = Outcome::Refused(problems);
            return ruled;
        }
    };
    ruled.key = asked.key(found.user.map_or_else(UserNo::default, |user| user.user_id));
    let by = match found.who {
        Asker::User(user) => Value::from(user.user_id.get()),
        Asker::Operator => OPERATOR.into(),
    };
    ruled.content = asked.content(by, found.to.map(|user| user.user_id));
    let earliest_on = sub_days(arrival.received_on, terms.backdate_days);
    let on = asked.requested_on();
    let waits = || Problem::at("requested_on", &on.to_string(), Reason::WaitsForOperator { earliest_on });
    let recorded = book.recorded.get(&(found.partner.partner_id, asked.family(), ruled.key.clone()));
    if let Some(recorded) = recorded {
        ruled.request_no = recorded.request_no;
        ruled.waited = recorded.waits || recorded.refused;
        let conflicts = conflicts(book, asked, recorded, &ruled.content);
        if let Some(refusal) = recorded.refusal.as_ref().filter(|_| conflicts.is_empty()) {
            ruled.outcome = Outcome::RefusedBefore(Problem::of_row(refusal.clone()));
            return ruled;
        }
        if !recorded.refused && !conflicts.is_empty() {
            ruled.outcome = Outcome::Conflicts(conflicts);
            return ruled;
        }
        // What was refused is asked for anew, as if it had never waited.
        if !(recorded.refused || recorded.waits && arrival.accept_backdated) {
            ruled.outcome = Outcome::Unchanged(if recorded.waits { vec![waits()] } else { vec![] });
            return ruled;
        }
    }
    let barred = barred(book, asked, arrival, &found);
    if barred.is_empty() && !arrival.accept_backdated && on < earliest_on {
        ruled.outcome = Outcome::Waits(waits());
        return ruled;
    }
    let Found { partner, order, held, .. } = found;
    let case = Case { book, partner, order, held, on, terms, catalogue };
    ruled.outcome = match (decide(&case, asked, &found, arrival), barred) {
        (outcome, barred) if barred.is_empty() => outcome,
        (Outcome::Refused(more), barred) => Outcome::Refused([barred, more].concat()),
        (_, barred) => Outcome::Refused(barred),
    };
    ruled
}

/// What redeeming a key would come to in each way (D8), told to who may redeem it; and which key that is.
///
/// # Errors
/// Every reason against telling it, or against redeeming the key in whatever way.
pub fn preview(
    book: &Book,
    row: &KeyRequestRow,
    arrival: &Arrival<'_>,
    terms: &RequestTerms,
    catalogue: &Catalogue,
) -> Result<(KeyNo, RedemptionPreview), Vec<Problem>> {
    let asked = Asked::Key(row.clone());
    let found = find(book, &asked, arrival, &mut Ruled::unheard(RequestNo::default()))?;
    let mut barred = barred(book, &asked, arrival, &found);
    let Found { partner, order, held: Some(held), .. } = found else { return Err(vec![]) };
    let on = row.requested_on;
    let case = Case { book, partner, order, held: Some(held), on, terms, catalogue };
    match key_request::preview(&case, held, row) {
        told if barred.is_empty() => told,
        told => {
            barred.extend(told.err().into_iter().flatten());
            Err(barred)
        }
    }
}

/// Finds what a request names: its partner, its order and benefit, who asks and whom it is for.
fn find<'a>(
    book: &'a Book,
    asked: &Asked,
    arrival: &Arrival<'_>,
    ruled: &mut Ruled,
) -> Result<Found<'a>, Vec<Problem>> {
    let at = |column: &str, value: &str, reason| Problem::at(column, value, reason);
    let Some(partner) = book.partners.get(asked.partner()) else {
        return Err(vec![at("partner_id", asked.partner().as_str(), Reason::UnknownPartner)]);
    };
    if let Some((own, number)) = arrival.partner
        && own != partner.partner_id
    {
        let reason = Reason::OtherPartner { partner_id: number.clone() };
        return Err(vec![at("partner_id", asked.partner().as_str(), reason)]);
    }
    ruled.partner_id = Some(partner.partner_id);
    let mut problems = Vec::new();
    let order = asked.order().and_then(|order_id| match book.orders.get(order_id) {
        Some(order) if order.partner_id == partner.partner_id => Some(order),
        None if !book.orders_of_others.contains(order_id) => {
            problems.push(at("order_id", order_id.as_str(), Reason::UnknownOrder));
            None
        }
        _ => {
            problems.push(at("order_id", order_id.as_str(), Reason::OrderOfAnotherPartner));
            None
        }
    });
    ruled.membership_id = order.map(|order| order.membership_id);
    let by = asked.requested_by();
    // What the operator asked for may come again in a file; whether it may be asked for there is seen when it is new.
    let who = match book.user(partner.partner_id, by) {
        _ if arrival.by_operator && by == OPERATOR => Some(Asker::Operator),
        Ok(user) => Some(Asker::User(user)),
        Err(_) if by == OPERATOR => Some(Asker::Operator),
        Err(reason) => {
            problems.push(at("requested_by", by, reason));
            None
        }
    };
    let held = order.zip(asked.benefit()).and_then(|(order, benefit)| {
        let held = book.benefit(order.membership_id, benefit.as_str());
        if held.is_none() {
            problems.push(at("benefit", benefit.as_str(), Reason::UnknownBenefit));
        }
        held
    });
    ruled.entitlement_id = held.map(|held| held.entitlement_id);
    let [user, to] = asked.users().map(|named| {
        let (column, name) = named?;
        let user = book.user(partner.partner_id, name);
        user.map_err(|reason| problems.push(at(column, name, reason))).ok()
    });
    match who {
        Some(who) if problems.is_empty() => Ok(Found { partner, order, held, who, user, to }),
        _ => Err(problems),
    }
}

/// Every column of its file in which a request differs from the one on record; people by the names they sign in with. What
/// was recorded of a cancellation does not say its kind.
fn conflicts(book: &Book, asked: &Asked, recorded: &Recorded, content: &Value) -> Vec<Problem> {
    let text = |column: &str, value: &Value| match (column, value) {
        (MINUTES, minutes) => minutes.as_i64().map_or_else(String::new, support::hours),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Null) => String::new(),
        (BY | TO, id) => id.as_i64().and_then(|id| book.name(id.into())).unwrap_or_default().to_owned(),
        (_, other) => other.to_string(),
    };
    let written = |column: &str, value: &Value| match (column, asked.users()) {
        (BY, _) => asked.requested_by().to_owned(),
        (TO, [_, Some((_, to))]) => to.to_owned(),
        _ => text(column, value),
    };
    let mut now = content.as_object().cloned().unwrap_or_default();
    let mut then = recorded.content.as_object().cloned().unwrap_or_default();
    if matches!(asked, Asked::Service(_)) {
        now.insert(KIND.into(), asked.kind().into());
        then.entry(KIND).or_insert_with(|| "cancel".into());
    }
    let differs = now.iter().map(|(kept, value)| (kept, then.get(kept).unwrap_or(&Value::Null), value));
    differs
        .filter(|(_, then, now)| then != now)
        .map(|(kept, then, now)| {
            let column = column(kept);
            let reason =
                Reason::ConflictsWithEarlier { column: column.to_owned(), expected: text(kept, then) };
            Problem::at(column, &written(kept, now), reason)
        })
        .collect()
}

/// The column of a file that something on record came from.
fn column(kept: &str) -> &str {
    if kept == MINUTES { "hours" } else { kept }
}

/// All that keeps a request from being granted whatever it asks for: who asks is disabled or lacks the role, or it is dated
/// ahead (D1).
fn barred(book: &Book, asked: &Asked, arrival: &Arrival<'_>, found: &Found<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut by = |reason| problems.push(Problem::at("requested_by", asked.requested_by(), reason));
    match found.who {
        Asker::Operator if arrival.by_operator => {}
        Asker::Operator => by(Reason::UnknownUser),
        Asker::User(user) => {
            if !user.enabled {
                by(Reason::UserDisabled);
            }
            if !asked.action().allows(&user.roles) {
                let holders =
                    book.holders.get(&found.partner.partner_id).map(Vec::as_slice).unwrap_or_default();
                by(asked
                    .action()
                    .refusal(holders.iter().map(|(name, roles)| (name.as_str(), roles.as_slice()))));
            }
        }
    }
    let on = asked.requested_on();
    if on > arrival.received_on {
        let reason = Reason::RequestedInFuture { received_on: arrival.received_on, requested_on: Some(on) };
        problems.push(Problem::at("requested_on", &on.to_string(), reason));
    }
    problems
}

fn decide(case: &Case<'_>, asked: &Asked, found: &Found<'_>, arrival: &Arrival<'_>) -> Outcome {
    let ruling = match (asked, found.held, found.user) {
        (Asked::Assignment(row), Some(held), Some(user)) => {
            assignment::decide(case, held, row, user, found.to)
        }
        (Asked::Key(row), Some(held), _) => key_request::decide(case, held, row),
        (Asked::Activation(row), Some(held), _) => activation::decide(case, held, row),
        (Asked::Service(row), ..) => match &row.request {
            Request::Cancel { .. } => {
                let reason = Reason::DecidedAtNight { night_of: arrival.received_on };
                return Outcome::Pending(Problem::of_row(reason));
            }
            request => support::decide(case, request),
        },
        _ => Err(vec![]),
    };
    match ruling {
        Ok((effects, remarks)) => Outcome::Accepted { effects, remarks },
        Err(problems) => Outcome::Refused(problems),
    }
}

/// Enters a ruled request into the book, so that the next one is ruled on after it.
pub fn enter(book: &mut Book, asked: &Asked, ruled: &Ruled) {
    let Some(partner_id) = ruled.partner_id else { return };
    let waits = matches!(ruled.outcome, Outcome::Waits(_));
    match &ruled.outcome {
        Outcome::Refused(_) | Outcome::Conflicts(_) | Outcome::RefusedBefore(_) | Outcome::Unchanged(_) => {
            return;
        }
        // Receipt freezes, whoever is to decide (D7).
        Outcome::Waits(_) | Outcome::Pending(_) => {
            if let Asked::Service(row) = asked
                && let Request::Cancel { order_id } = &row.request
                && let Some(order) = book.orders.get_mut(order_id)
            {
                order.frozen_by.get_or_insert_with(|| row.request_id.clone());
            }
        }
        Outcome::Accepted { effects, .. } => {
            for effect in effects {
                book.enter(effect, asked.requested_on());
            }
        }
    }
    let (request_no, content) = (ruled.request_no, ruled.content.clone());
    let recorded = Recorded { request_no, content, waits, refused: false, refusal: None };
    book.recorded.insert((partner_id, asked.family(), ruled.key.clone()), recorded);
}

#[cfg(test)]
#[path = "request_assignment_tests.rs"]
mod assignment_tests;
#[cfg(test)]
#[path = "request_conflict_tests.rs"]
mod conflict_tests;
#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

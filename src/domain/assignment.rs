//! A row of `assignments`: somebody asks that a benefit be given to, or taken from, a directory user.

use super::{
    agreement,
    benefit::BenefitKind,
    book::{Case, Effect, Group, Held, Ruling, Seat, User},
    calendar::add_days,
    cap::{self, Counted},
    kinds::assignments::{AssignmentRow, SeatAction},
    reason::{Problem, Reason},
    seat,
};

/// Rules on an assignment, removal, transfer or reassignment: every reason against it (R1, R2, R4, D9, D12, D14).
/// `user` is whom the row names, `to` whom it goes to.
pub fn decide(case: &Case<'_>, held: &Held, row: &AssignmentRow, user: &User, to: Option<&User>) -> Ruling {
    let mut problems = Vec::new();
    let mut no = |column: &str, value: &str, reason| problems.push(Problem::at(column, value, reason));
    let kind = held.benefit.kind();
    let (benefit, on) = (row.benefit.as_str(), case.on);
    let bulk = kind == BenefitKind::AzureBulkCredit;
    if !matches!(
        kind,
        BenefitKind::AzureMonthlyCredit | BenefitKind::AzureBulkCredit | BenefitKind::VisualStudio
    ) {
        no("benefit", benefit, Reason::NotAssignable);
    } else if row.action == SeatAction::Transfer && !bulk {
        no("action", row.action.name(), Reason::NotTransferable);
    } else if row.action == SeatAction::Reassign && kind != BenefitKind::VisualStudio {
        no("action", row.action.name(), Reason::NotReassignable);
    } else if row.action == SeatAction::Remove && bulk {
        no("action", row.action.name(), Reason::BulkNeverRemoved);
    }
    if !held.runs_on(on) {
        let reason = held.outside(case.on);
        no("requested_on", &on.to_string(), reason);
    }
    if row.action != SeatAction::Remove
        && bulk
        && let Some(reason) = agreement::blocks(&case.partner.exclusions, on, held.last_usable_on)
    {
        no("benefit", benefit, reason);
    }
    if row.action == SeatAction::Assign {
        return give(case, held, row, user, problems);
    }
    let live = live(held, user).filter(|seat| seat.assigned_on <= on);
    if live.is_none() {
        no("user", &row.user, Reason::NotAssigned);
    }
    let removed = Effect::Removed { entitlement_id: held.entitlement_id, user_id: user.user_id };
    let Some((to, to_user)) = to.zip(row.to_user.as_deref()) else {
        return if problems.is_empty() { Ok((vec![removed], vec![])) } else { Err(problems) };
    };
    problems.extend(receives(case, held, "to_user", to_user, to, Some(user)));
    if row.action == SeatAction::Transfer
        && bulk
        && let Some(year) = case.order.map(|order| order.year)
        && !(year.starts_on <= on && on <= year.last_day_on())
    {
        let reason = Reason::TransferOutsideYear { starts_on: year.starts_on, latest_on: year.last_day_on() };
        problems.push(Problem::at("requested_on", &on.to_string(), reason));
    }
    let seat_no = live.and_then(|seat| seat.seat_no);
    if row.action == SeatAction::Reassign
        && kind == BenefitKind::VisualStudio
        && let Some(Err(reason)) = seat_no.map(|no| seat::reassign(held, no, on, case.terms.seats))
    {
        problems.push(Problem::at("requested_on", &on.to_string(), reason));
    }
    if problems.is_empty() {
        Ok((vec![removed, assigned(case, held, to, seat_no)], vec![]))
    } else {
        Err(problems)
    }
}

/// The user's assignment that is not ended.
fn live<'a>(held: &'a Held, user: &User) -> Option<&'a Seat> {
    held.seats.iter().find(|seat| seat.user_id == user.user_id && seat.removed_on.is_none())
}

fn assigned(case: &Case<'_>, held: &Held, user: &User, seat_no: Option<u32>) -> Effect {
    Effect::Assigned {
        entitlement_id: held.entitlement_id,
        user_id: user.user_id,
        user: user.name.clone(),
        seat_no,
        removed_on: held.ended_on.map(|day| add_days(day, 1).max(case.on)),
    }
}

/// What prevents giving somebody a benefit, whoever had it before.
fn receives(
    case: &Case<'_>,
    held: &Held,
    column: &str,
    named: &str,
    user: &User,
    from: Option<&User>,
) -> Vec<Problem> {
    let mut reasons = Vec::new();
    if !user.enabled {
        reasons.push(Reason::UserDisabled);
    }
    if user.guest && !case.terms.assign_to_guests {
        reasons.push(Reason::GuestNotAllowed);
    }
    if from.is_some_and(|from| from.user_id == user.user_id) {
        reasons.push(Reason::SameUser);
    } else if live(held, user).is_some() {
        reasons.push(Reason::AlreadyAssigned);
    }
    reasons.into_iter().map(|reason| Problem::at(column, named, reason)).collect()
}

/// An assignment: bulk credit has one user (R2), Visual Studio as many as seats and caps allow (R4, D12).
fn give(
    case: &Case<'_>,
    held: &Held,
    row: &AssignmentRow,
    user: &User,
    mut problems: Vec<Problem>,
) -> Ruling {
    problems.extend(receives(case, held, "user", &row.user, user, None));
    let mut no = |reason| problems.push(Problem::at("user", &row.user, reason));
    let own = live(held, user).is_some();
    let seat_no = match held.benefit.kind() {
        BenefitKind::AzureBulkCredit => {
            let holder = held.seats.iter().find(|seat| seat.removed_on.is_none());
            if let Some(holder) = holder.filter(|_| !own) {
                no(Reason::BulkAlreadyAssigned { user: holder.user.clone() });
            }
            Some(1)
        }
        BenefitKind::VisualStudio if !own => {
            capped(case).into_iter().for_each(&mut no);
            match seat::give(held, user.user_id, case.on, case.terms.seats) {
                Ok(seat_no) => Some(seat_no),
                Err(reason) => {
                    no(reason);
                    None
                }
            }
        }
        _ => None,
    };
    if problems.is_empty() { Ok((vec![assigned(case, held, user, seat_no)], vec![])) } else { Err(problems) }
}

/// Every cap of the partner's group that one more seat would exceed (D12).
fn capped(case: &Case<'_>) -> Vec<Reason> {
    let none = Group::default();
    let group = case.book.groups.get(&case.partner.group).unwrap_or(&none);
    let gold = group.gold.iter().any(|(from, until)| *from <= case.on && case.on <= *until);
    let country = &case.partner.country;
    let there_are = Counted::of(&group.seats, country);
    case.catalogue.cap(gold).map_or_else(Vec::new, |cap| cap::check(cap, there_are, country, 1))
}

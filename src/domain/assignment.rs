//! A row of `assignments`: somebody asks that a benefit be given to, or taken from, a directory user.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    agreement,
    book::{Case, Effect, Group, Held, Ruling, Seat, User},
    calendar::add_days,
    cap::{self, Counted},
    cell::{self, Cells, Column, optional, required},
    entitlement::{Benefit, BenefitKind},
    reason::{Expected, Problem, Reason},
    seat,
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("order_id"),
    required("benefit"),
    required("action"),
    required("user"),
    required("requested_by"),
    required("requested_on"),
    optional("to_user"),
];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatAction {
    /// Give the benefit to the user.
    Assign,
    /// Take it from the user.
    Remove,
    /// Pass bulk credit from the user to another (R2).
    Transfer,
    /// Give the user's Visual Studio seat to another (R4).
    Reassign,
}

impl SeatAction {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Assign, Self::Remove, Self::Transfer, Self::Reassign];

    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assign => "assign",
            Self::Remove => "remove",
            Self::Transfer => "transfer",
            Self::Reassign => "reassign",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// An assignment request as a file states it. All but `requested_by` is the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRow {
    /// Whose benefit.
    pub partner_id: String,
    /// The order.
    pub order_id: String,
    /// The benefit.
    pub benefit: Benefit,
    /// What is asked for.
    pub action: SeatAction,
    /// For whom, or from whom: a directory user by object id or user principal name.
    pub user: String,
    /// To whom, of a transfer or reassignment.
    pub to_user: Option<String>,
    /// By whom, likewise.
    pub requested_by: String,
    /// On which UTC date (D1).
    pub requested_on: NaiveDate,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<AssignmentRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let order_id = row.need("order_id", Expected::Text, cell::id);
    let benefit = row.need("benefit", Expected::Benefit, Benefit::parse);
    let action = row.need("action", Expected::Action, SeatAction::parse);
    let user = row.need("user", Expected::Text, cell::id);
    let requested_by = row.need("requested_by", Expected::Text, cell::id);
    let requested_on = row.need("requested_on", Expected::DateOrInstant, cell::date_or_instant);
    let to_user = if matches!(action, Some(SeatAction::Transfer | SeatAction::Reassign)) {
        row.need("to_user", Expected::Text, cell::id).map(Some)
    } else {
        row.patch("to_user", Expected::Text, cell::id).map(|_| None)
    };
    let assemble = || {
        Some(AssignmentRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            action: action?,
            user: user?,
            to_user: to_user?,
            requested_by: requested_by?,
            requested_on: requested_on?,
        })
    };
    row.finish(assemble())
}

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
        && let Some(Err(reason)) = seat_no.map(|no| seat::reassign(held, no, on, case.policy.seats()))
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
    if user.guest && !case.policy.assign_to_guests {
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
            match seat::give(held, user.user_id, case.on, case.policy.seats()) {
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

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("order_id", "ORD-1"),
        ("benefit", "azure_monthly_credit"),
        ("action", "assign"),
        ("user", "anna@akeri.example"),
        ("requested_by", "bo@akeri.example"),
        ("requested_on", "2024-03-01T00:30:00+02:00"),
    ];

    #[test]
    fn d1_the_requests_utc_date_is_kept() {
        let it = row::parse(COLUMNS, parse, TIDY).unwrap();
        assert_eq!((it.action, it.requested_on.to_string().as_str()), (SeatAction::Assign, "2024-02-29"));
        let it = row::parse(COLUMNS, parse, &row::with(TIDY, &[("action", "remove")])).unwrap();
        assert_eq!((it.action, it.to_user), (SeatAction::Remove, None));
    }

    #[test]
    fn r2_r4_a_transfer_and_a_reassignment_name_whom_to() {
        for action in ["transfer", "reassign"] {
            let lacks = row::parse(COLUMNS, parse, &row::with(TIDY, &[("action", action)]));
            assert_eq!(lacks, Err(vec![Problem::at("to_user", "", Reason::Missing)]));
            let it = row::with(TIDY, &[("action", action), ("to_user", "bo@akeri.example")]);
            assert_eq!(row::parse(COLUMNS, parse, &it).unwrap().to_user.as_deref(), Some("bo@akeri.example"));
        }
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            COLUMNS,
            parse,
            TIDY,
            &[
                ("partner_id", "x", Expected::Digits),
                ("order_id", "a b", Expected::Text),
                ("benefit", "sql", Expected::Benefit),
                ("action", "give", Expected::Action),
                ("user", "Anna Lund", Expected::Text),
                ("requested_by", "Bo Ek", Expected::Text),
                ("requested_on", "yesterday", Expected::DateOrInstant),
            ],
        );
        assert_eq!(row::parse(COLUMNS, parse, &[]).unwrap_err().len(), 7);
    }
}

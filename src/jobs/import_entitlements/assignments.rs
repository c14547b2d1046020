//! Assignments and removals: decided when they arrive, on the dates that the facts give (R1, R2).

use serde_json::json;
use sqlx::PgConnection;

use super::{
    apply::Verdict,
    intake::StagedFile,
    requests::{self, Admitted},
};
use crate::{
    domain::{
        assignment::{Action, AssignmentRow},
        entitlement::BenefitKind,
        reason::{Problem, Reason},
    },
    jobs::{Context, Result},
    store::{
        file::StagedRow,
        intake::{self, NewRequest},
        people,
        request::{self, Decision},
    },
};

/// Applies a row of an assignments file.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    row: &StagedRow,
    wanted: &AssignmentRow,
) -> Result<Verdict> {
    let found =
        requests::asked(conn, staged, &wanted.partner_id, &wanted.order_id, &wanted.requested_by).await?;
    let asked = match found {
        Ok(asked) => asked,
        Err(problems) => return Ok(Verdict::Rejected(problems)),
    };
    let benefit = wanted.benefit.as_str();
    let Some(named) = intake::find_benefit(conn, asked.membership_id, benefit).await? else {
        return Ok(Verdict::no("benefit", benefit, Reason::UnknownBenefit));
    };
    let Some(user) = people::find_user(conn, asked.partner_id, &wanted.user).await? else {
        return Ok(Verdict::no("user", &wanted.user, Reason::UnknownUser));
    };
    let (kind, on) = (wanted.action.name(), wanted.requested_on);
    let key = format!("{}|{benefit}|{kind}|{}|{on}", wanted.order_id, user.user_id);
    let content = json!({ "requested_by": wanted.requested_by.to_lowercase() });
    let recorded = intake::find_request(conn, asked.partner_id, kind, &key).await?;
    let Admitted { recorded, in_time } =
        match requests::admit(cx, staged, (&asked, &wanted.requested_by), recorded, &content, on) {
            Ok(admitted) => admitted,
            Err(verdict) => return Ok(verdict),
        };
    if in_time {
        let problems = refuse(conn, wanted, &named, &user).await?;
        if !problems.is_empty() {
            decide(conn, staged, wanted, asked.partner_id, recorded, &problems).await?;
            return Ok(Verdict::Rejected(problems));
        }
    }
    let new = NewRequest {
        partner_id: asked.partner_id,
        kind,
        request_key: &key,
        content: &content,
        membership_id: asked.membership_id,
        entitlement_id: Some(named.entitlement_id),
        requested_by: &wanted.requested_by,
        requested_on: on,
        file_id: staged.file_id,
        line: row.line,
        status: if in_time { "accepted" } else { "waiting" },
    };
    let request_no = requests::put(conn, recorded, &new).await?;
    if !in_time {
        return Ok(Verdict::Applied(vec![requests::waits(cx, staged, on)]));
    }
    match wanted.action {
        Action::Assign => {
            intake::assign(conn, asked.partner_id, named.entitlement_id, user.user_id, on).await?;
        }
        Action::Remove => intake::unassign(conn, named.entitlement_id, user.user_id, on).await?,
    }
    decide(conn, staged, wanted, asked.partner_id, Some(request_no), &[]).await?;
    Ok(Verdict::Applied(vec![]))
}

/// Every reason against an assignment or a removal on its date (R1, R2).
async fn refuse(
    conn: &mut PgConnection,
    wanted: &AssignmentRow,
    named: &intake::Named,
    user: &people::User,
) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut no = |column: &str, value: &str, reason| problems.push(Problem::at(column, value, reason));
    let (benefit, on) = (wanted.benefit.as_str(), wanted.requested_on);
    let assigned = intake::assignees(conn, named.entitlement_id).await?;
    let live = assigned.iter().find(|(_, _, _, removed_on)| removed_on.is_none());
    let own = assigned.iter().find(|(id, _, _, removed_on)| *id == user.user_id && removed_on.is_none());
    let ends_on = named.ended_on.unwrap_or(named.last_usable_on);
    let bulk = wanted.benefit.kind() == BenefitKind::AzureBulkCredit;
    let assignable = matches!(
        wanted.benefit.kind(),
        BenefitKind::AzureMonthlyCredit | BenefitKind::AzureBulkCredit | BenefitKind::VisualStudio
    );
    if !assignable {
        no("benefit", benefit, Reason::NotAssignable);
    }
    if on < named.starts_on || on > ends_on {
        no(
            "requested_on",
            &on.to_string(),
            Reason::OutsideBenefitDates { starts_on: named.starts_on, ends_on },
        );
    }
    match wanted.action {
        Action::Assign => {
            if !user.enabled {
                no("user", &wanted.user, Reason::UserDisabled);
            }
            if own.is_some() {
                no("user", &wanted.user, Reason::AlreadyAssigned);
            } else if let Some((_, holder, ..)) = live.filter(|_| bulk) {
                no("user", &wanted.user, Reason::BulkAlreadyAssigned { user: holder.clone() });
            }
        }
        Action::Remove => {
            if bulk {
                no("action", "remove", Reason::BulkNeverRemoved);
            }
            if own.is_none_or(|(_, _, assigned_on, _)| *assigned_on > on) {
                no("user", &wanted.user, Reason::NotAssigned);
            }
        }
    }
    Ok(problems)
}

async fn decide(
    conn: &mut PgConnection,
    staged: &StagedFile,
    wanted: &AssignmentRow,
    partner_id: i64,
    request_no: Option<i64>,
    problems: &[Problem],
) -> Result<()> {
    let reasons: Vec<Reason> = problems.iter().map(|problem| problem.reason.clone()).collect();
    let decision = Decision {
        partner_id,
        request_no,
        subject_kind: "entitlement",
        subject: &format!("{}/{}", wanted.order_id, wanted.benefit.as_str()),
        action: wanted.action.name(),
        requested_by: &wanted.requested_by,
        reasons: &reasons,
        decided_on: staged.received_on,
        run_id: None,
        file_id: Some(staged.file_id),
    };
    Ok(request::decide(conn, &decision).await?)
}

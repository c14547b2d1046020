//! Requests, over all waiting files by date, then arrival, then line: assignments are decided here on the dates that
//! the facts give, cancellations are recorded for their night (D1, R1, R2).

use chrono::NaiveDate;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{
    apply::{Verdict, parse},
    intake::StagedFile,
    people::partner_of,
};
use crate::{
    domain::{
        assignment::{self, Action, AssignmentRow},
        calendar::sub_days,
        entitlement::BenefitKind,
        reason::{Problem, Reason},
        service_request::{self, Request, ServiceRequestRow},
    },
    files::profile::Kind,
    jobs::{Context, Result},
    store::{
        file::{self, StagedRow},
        intake::{self, NewRequest},
        order, people,
        request::{self, Decision},
        run,
    },
};

/// Applies the rows of request files, a bounded number at a time.
pub async fn apply(cx: &Context, conn: &mut PgConnection, files: &[&StagedFile]) -> Result<()> {
    let ids: Vec<i64> = files.iter().map(|file| file.file_id).collect();
    let mut after = (NaiveDate::default(), 0, 0); // 1970: no request is older than its store
    loop {
        let rows = file::request_rows(conn, &ids, after, cx.chunk_rows(super::NAME)).await?;
        let Some(last) = rows.last() else { break };
        after = (last.order_on.unwrap_or_default(), last.file_id, last.row_no);
        let mut tx = conn.begin().await?;
        run::change_facts(&mut tx).await?;
        for row in &rows {
            let Some(staged) = files.iter().find(|file| file.file_id == row.file_id) else { continue };
            if file::is_answered(&mut tx, row.file_id, row.row_no).await? {
                continue; // before a crash
            }
            let verdict = match staged.profile.kind {
                Kind::Assignments => match parse(staged, row, assignment::parse) {
                    Ok(asked) => assign(cx, &mut tx, staged, row, &asked).await?,
                    Err(problems) => Verdict::Rejected(problems),
                },
                _ => match parse(staged, row, service_request::parse) {
                    Ok(asked) => service(cx, &mut tx, staged, row, &asked).await?,
                    Err(problems) => Verdict::Rejected(problems),
                },
            };
            file::answer(&mut tx, row.file_id, &[verdict.answer(row)]).await?;
        }
        tx.commit().await?;
    }
    for file in files {
        let mut tx = conn.begin().await?;
        file::finish_requests(&mut tx, file.file_id).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What every request needs: its partner, its order, who asks.
struct Asked {
    partner_id: i64,
    membership_id: i64,
}

async fn asked(
    conn: &mut PgConnection,
    staged: &StagedFile,
    partner: &str,
    order_id: &str,
    requested_by: &str,
) -> Result<std::result::Result<Asked, Vec<Problem>>> {
    let partner_id = match partner_of(conn, staged, partner).await? {
        Ok(partner_id) => partner_id,
        Err(problems) => return Ok(Err(problems)),
    };
    let mut problems = Vec::new();
    let owner = order::owner(conn, order_id).await?;
    match owner {
        None => problems.push(Problem::at("order_id", order_id, Reason::UnknownOrder)),
        Some((_, owner)) if owner != partner_id => {
            problems.push(Problem::at("order_id", order_id, Reason::OrderOfAnotherPartner));
        }
        Some(_) => {}
    }
    match people::find_user(conn, partner_id, requested_by).await? {
        None => problems.push(Problem::at("requested_by", requested_by, Reason::UnknownUser)),
        Some(user) if !user.enabled => {
            problems.push(Problem::at("requested_by", requested_by, Reason::UserDisabled));
        }
        Some(_) => {}
    }
    Ok(match owner {
        Some((membership_id, _)) if problems.is_empty() => Ok(Asked { partner_id, membership_id }),
        _ => Err(problems),
    })
}

/// A request of the future is refused; one of long ago waits for the operator (D1).
fn timely(cx: &Context, staged: &StagedFile, requested_on: NaiveDate) -> std::result::Result<bool, Reason> {
    if requested_on > staged.received_on {
        return Err(Reason::RequestedInFuture { received_on: staged.received_on });
    }
    let days = cx.policies.import_entitlements.policy.request_backdate_days;
    Ok(staged.accept_backdated || requested_on >= sub_days(staged.received_on, days))
}

fn waits(cx: &Context, staged: &StagedFile, requested_on: NaiveDate) -> Problem {
    let days = cx.policies.import_entitlements.policy.request_backdate_days;
    let earliest_on = sub_days(staged.received_on, days);
    Problem::at("requested_on", &requested_on.to_string(), Reason::WaitsForOperator { earliest_on })
}

/// What a request on record means for a row that repeats its key; `None`: it goes on, released by the operator.
async fn repeated(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    recorded: &intake::RecordedRequest,
    content: &Value,
    requested_on: NaiveDate,
) -> Result<Option<Verdict>> {
    let _ = conn;
    let columns = content.as_object().into_iter().flat_map(|object| object.keys());
    for column in columns {
        if recorded.content.0[column] != content[column] {
            let expected = recorded.content.0[column].as_str().unwrap_or_default().to_owned();
            let value = content[column].as_str().unwrap_or_default();
            let reason = Reason::ConflictsWithEarlier { column: column.clone(), expected };
            return Ok(Some(Verdict::no(column, value, reason)));
        }
    }
    if recorded.status == "waiting" {
        let released = staged.accept_backdated;
        return Ok((!released).then(|| Verdict::Unchanged(vec![waits(cx, staged, requested_on)])));
    }
    Ok(Some(Verdict::Unchanged(vec![])))
}

async fn assign(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    row: &StagedRow,
    asked_for: &AssignmentRow,
) -> Result<Verdict> {
    let found =
        asked(conn, staged, &asked_for.partner_id, &asked_for.order_id, &asked_for.requested_by).await?;
    let asked = match found {
        Ok(asked) => asked,
        Err(problems) => return Ok(Verdict::Rejected(problems)),
    };
    let benefit = asked_for.benefit.as_str();
    let Some(named) = intake::find_benefit(conn, asked.membership_id, benefit).await? else {
        return Ok(Verdict::no("benefit", benefit, Reason::UnknownBenefit));
    };
    let Some(user) = people::find_user(conn, asked.partner_id, &asked_for.user).await? else {
        return Ok(Verdict::no("user", &asked_for.user, Reason::UnknownUser));
    };
    let kind = asked_for.action.name();
    let on = asked_for.requested_on;
    let key = format!("{}|{benefit}|{kind}|{}|{on}", asked_for.order_id, user.user_id);
    let content = json!({ "requested_by": asked_for.requested_by.to_lowercase() });
    let recorded = intake::find_request(conn, asked.partner_id, kind, &key).await?;
    if let Some(recorded) = &recorded
        && let Some(verdict) = repeated(cx, conn, staged, recorded, &content, on).await?
    {
        return Ok(verdict);
    }
    let in_time = match timely(cx, staged, on) {
        Ok(in_time) => in_time,
        Err(reason) => return Ok(Verdict::no("requested_on", &on.to_string(), reason)),
    };
    let refusal = if in_time { refuse(conn, asked_for, &named, &user).await? } else { vec![] };
    let status = match (in_time, refusal.is_empty()) {
        (false, _) => "waiting",
        (true, true) => "accepted",
        (true, false) => "refused",
    };
    if status == "refused" {
        decide(conn, staged, asked_for, asked.partner_id, None, &refusal).await?;
        return Ok(Verdict::Rejected(refusal));
    }
    let request_no = match recorded {
        Some(recorded) => recorded.request_no,
        None => {
            let new = NewRequest {
                partner_id: asked.partner_id,
                kind,
                request_key: &key,
                content: &content,
                membership_id: asked.membership_id,
                entitlement_id: Some(named.entitlement_id),
                requested_by: &asked_for.requested_by,
                requested_on: on,
                file_id: staged.file_id,
                line: row.line,
                status: "waiting",
            };
            intake::append_request(conn, &new).await?
        }
    };
    if !in_time {
        return Ok(Verdict::Applied(vec![waits(cx, staged, on)]));
    }
    match asked_for.action {
        Action::Assign => {
            intake::assign(conn, asked.partner_id, named.entitlement_id, user.user_id, on).await?
        }
        Action::Remove => {
            intake::unassign(conn, named.entitlement_id, user.user_id, on).await?;
        }
    }
    decide(conn, staged, asked_for, asked.partner_id, Some(request_no), &[]).await?;
    Ok(Verdict::Applied(vec![]))
}

/// Every reason against an assignment or a removal on its date (R1, R2).
async fn refuse(
    conn: &mut PgConnection,
    asked_for: &AssignmentRow,
    named: &intake::Named,
    user: &people::User,
) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut no = |column: &str, value: &str, reason| problems.push(Problem::at(column, value, reason));
    let (benefit, on) = (asked_for.benefit.as_str(), asked_for.requested_on);
    let assigned = intake::assignees(conn, named.entitlement_id).await?;
    let live = assigned.iter().find(|(_, _, _, removed_on)| removed_on.is_none());
    let own = assigned.iter().find(|(id, _, _, removed_on)| *id == user.user_id && removed_on.is_none());
    let ends_on = named.ended_on.unwrap_or(named.last_usable_on);
    let bulk = asked_for.benefit.kind() == BenefitKind::AzureBulkCredit;
    let assignable = matches!(
        asked_for.benefit.kind(),
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
    match asked_for.action {
        Action::Assign => {
            if !user.enabled {
                no("user", &asked_for.user, Reason::UserDisabled);
            }
            if own.is_some() {
                no("user", &asked_for.user, Reason::AlreadyAssigned);
            } else if let Some((_, holder, ..)) = live.filter(|_| bulk) {
                no("user", &asked_for.user, Reason::BulkAlreadyAssigned { user: holder.clone() });
            }
        }
        Action::Remove => {
            if bulk {
                no("action", "remove", Reason::BulkNeverRemoved);
            }
            if own.is_none_or(|(_, _, assigned_on, _)| *assigned_on > on) {
                no("user", &asked_for.user, Reason::NotAssigned);
            }
        }
    }
    Ok(problems)
}

async fn decide(
    conn: &mut PgConnection,
    staged: &StagedFile,
    asked_for: &AssignmentRow,
    partner_id: i64,
    request_no: Option<i64>,
    problems: &[Problem],
) -> Result<()> {
    let reasons: Vec<Reason> = problems.iter().map(|problem| problem.reason.clone()).collect();
    let decision = Decision {
        partner_id,
        request_no,
        subject_kind: "entitlement",
        subject: &format!("{}/{}", asked_for.order_id, asked_for.benefit.as_str()),
        action: asked_for.action.name(),
        requested_by: &asked_for.requested_by,
        reasons: &reasons,
        decided_on: staged.received_on,
        run_id: None,
        file_id: Some(staged.file_id),
    };
    Ok(request::decide(conn, &decision).await?)
}

/// Records a cancellation; the night of its date, or the first after its arrival, decides it (D7).
async fn service(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    row: &StagedRow,
    asked_for: &ServiceRequestRow,
) -> Result<Verdict> {
    let Request::Cancel { order_id } = &asked_for.request;
    let found = asked(conn, staged, &asked_for.partner_id, order_id, &asked_for.requested_by).await?;
    let asked = match found {
        Ok(asked) => asked,
        Err(problems) => return Ok(Verdict::Rejected(problems)),
    };
    let on = asked_for.requested_on;
    let content = json!({
        "order_id": order_id,
        "requested_by": asked_for.requested_by.to_lowercase(),
        "requested_on": on,
        "note": asked_for.note,
    });
    let recorded = intake::find_request(conn, asked.partner_id, "cancel", &asked_for.request_id).await?;
    if let Some(recorded) = &recorded
        && let Some(verdict) = repeated(cx, conn, staged, recorded, &content, on).await?
    {
        return Ok(verdict);
    }
    let in_time = match timely(cx, staged, on) {
        Ok(in_time) => in_time,
        Err(reason) => return Ok(Verdict::no("requested_on", &on.to_string(), reason)),
    };
    let status = if in_time { "pending" } else { "waiting" };
    match recorded {
        Some(recorded) => intake::put_request_status(conn, recorded.request_no, status).await?,
        None => {
            let new = NewRequest {
                partner_id: asked.partner_id,
                kind: "cancel",
                request_key: &asked_for.request_id,
                content: &content,
                membership_id: asked.membership_id,
                entitlement_id: None,
                requested_by: &asked_for.requested_by,
                requested_on: on,
                file_id: staged.file_id,
                line: row.line,
                status,
            };
            intake::append_request(conn, &new).await?;
        }
    }
    let remark = if in_time {
        Problem::of_row(Reason::DecidedAtNight { night_of: staged.received_on })
    } else {
        waits(cx, staged, on)
    };
    Ok(Verdict::Applied(vec![remark]))
}

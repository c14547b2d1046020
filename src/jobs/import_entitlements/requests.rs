//! Requests, over all waiting files by date, then arrival, then line (D1): what every kind of them has in common.

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::{
    apply::{Verdict, parse},
    assignments, cancellations,
    intake::StagedFile,
    people::partner_of,
};
use crate::{
    domain::{
        assignment,
        calendar::sub_days,
        reason::{Problem, Reason},
        service_request,
    },
    files::profile::Kind,
    jobs::{Context, Result, engine::fault},
    store::{
        file,
        intake::{self, NewRequest},
        order, people, run,
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
                    Ok(wanted) => assignments::apply(cx, &mut tx, staged, row, &wanted).await?,
                    Err(problems) => Verdict::Rejected(problems),
                },
                _ => match parse(staged, row, service_request::parse) {
                    Ok(wanted) => cancellations::apply(cx, &mut tx, staged, row, &wanted).await?,
                    Err(problems) => Verdict::Rejected(problems),
                },
            };
            file::answer(&mut tx, row.file_id, &[verdict.answer(row)]).await?;
        }
        fault::at("file.applied", super::NAME).await?;
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
pub struct Asked {
    /// Whose order.
    pub partner_id: i64,
    /// The order.
    pub membership_id: i64,
    /// Who asks is enabled.
    pub enabled: bool,
}

/// Finds what a request names: its partner, its order, and who asks.
pub async fn asked(
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
    let mut enabled = false;
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
        Some(user) => enabled = user.enabled,
    }
    Ok(match owner {
        Some((membership_id, _)) if problems.is_empty() => Ok(Asked { partner_id, membership_id, enabled }),
        _ => Err(problems),
    })
}

/// Where a request that may go on stands.
pub struct Admitted {
    /// Its number, if it waited and the operator lets it in now.
    pub recorded: Option<i64>,
    /// Dated in time, or let in by the operator; else it waits.
    pub in_time: bool,
}

/// Lets a request in: the same key with other content conflicts, the same again is unchanged, one of the future is
/// refused, one of long ago waits for the operator (D1, D16).
pub fn admit(
    cx: &Context,
    staged: &StagedFile,
    (asked, requested_by): (&Asked, &str),
    recorded: Option<intake::RecordedRequest>,
    content: &Value,
    requested_on: NaiveDate,
) -> std::result::Result<Admitted, Verdict> {
    if let Some(recorded) = &recorded {
        let columns = content.as_object().into_iter().flat_map(serde_json::Map::keys);
        let differs = columns.filter(|column| recorded.content.0[*column] != content[*column]);
        let conflicts: Vec<Problem> = differs
            .map(|column| {
                let expected = recorded.content.0[column].as_str().unwrap_or_default().to_owned();
                let value = content[column].as_str().unwrap_or_default();
                Problem::at(column, value, Reason::ConflictsWithEarlier { column: column.clone(), expected })
            })
            .collect();
        if !conflicts.is_empty() {
            return Err(Verdict::Rejected(conflicts));
        }
        if recorded.status != "waiting" {
            return Err(Verdict::Unchanged(vec![]));
        }
        if !staged.accept_backdated {
            return Err(Verdict::Unchanged(vec![waits(cx, staged, requested_on)]));
        }
    }
    if !asked.enabled {
        return Err(Verdict::no("requested_by", requested_by, Reason::UserDisabled));
    }
    if requested_on > staged.received_on {
        let reason = Reason::RequestedInFuture { received_on: staged.received_on };
        return Err(Verdict::no("requested_on", &requested_on.to_string(), reason));
    }
    let in_time = staged.accept_backdated || requested_on >= earliest_on(cx, staged);
    Ok(Admitted { recorded: recorded.map(|recorded| recorded.request_no), in_time })
}

fn earliest_on(cx: &Context, staged: &StagedFile) -> NaiveDate {
    sub_days(staged.received_on, cx.policies.import_entitlements.policy.request_backdate_days)
}

/// The remark on a request that waits for the operator.
pub fn waits(cx: &Context, staged: &StagedFile, requested_on: NaiveDate) -> Problem {
    let reason = Reason::WaitsForOperator { earliest_on: earliest_on(cx, staged) };
    Problem::at("requested_on", &requested_on.to_string(), reason)
}

/// Records a request, or where one that waited stands now. Says its number.
pub async fn put(conn: &mut PgConnection, recorded: Option<i64>, new: &NewRequest<'_>) -> Result<i64> {
    let Some(request_no) = recorded else { return Ok(intake::append_request(conn, new).await?) };
    intake::put_request_status(conn, request_no, new.status).await?;
    Ok(request_no)
}

//! Directory users: the last file wins, an absent column keeps, an empty cell clears (D16).

use sqlx::PgConnection;

use crate::{
    domain::{
        kinds::users,
        reason::{Problem, Reason},
        role::Action,
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, may, parse, partner_of},
    },
    store::{file::StagedRow, people},
};

/// Applies rows of a users file.
pub async fn apply(
    _: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        verdicts.push(match parse(staged, row, users::parse) {
            Ok(row) => user(conn, staged, &row).await?,
            Err(problems) => Verdict::Rejected(problems),
        });
    }
    Ok(verdicts)
}

async fn user(conn: &mut PgConnection, staged: &StagedFile, row: &users::UserRow) -> Result<Verdict> {
    let partner_id = match partner_of(conn, staged, &row.partner_id).await? {
        Ok(partner_id) => partner_id,
        Err(problems) => return Ok(Verdict::Rejected(problems)),
    };
    let asker = row.requested_by.as_deref();
    let mut problems: Vec<Problem> =
        may(conn, staged, partner_id, asker, Action::ChangeUsers).await?.into_iter().collect();
    let holder = people::holder_of_name(conn, partner_id, &row.user_principal_name).await?;
    if let Some(expected) = holder.filter(|holder| !holder.eq_ignore_ascii_case(&row.object_id)) {
        let reason = Reason::ConflictsWithEarlier { column: "object_id".to_owned(), expected };
        problems.push(Problem::at("user_principal_name", &row.user_principal_name, reason));
    }
    if !problems.is_empty() {
        return Ok(Verdict::Rejected(problems));
    }
    Ok(people::put_user(conn, staged.file_id, partner_id, row).await?.into())
}

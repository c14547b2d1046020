//! Directory users: the last file wins, an absent column keeps, an empty cell clears (D16).

use std::collections::BTreeSet;

use sqlx::PgConnection;

use crate::{
    domain::{
        directory_role::Role,
        kinds::{cell::Patch, users},
        reason::{Problem, Reason},
        role::Action,
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, may, parse, partner_of, refusal},
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
    let stored = people::stored_user(conn, partner_id, &row.object_id).await?;
    let held = stored.as_ref().map(people::StoredUser::roles).unwrap_or_default();
    let mut problems = roles_may_change(conn, staged, partner_id, row, &held).await?;
    let holder = people::holder_of_name(conn, partner_id, &row.user_principal_name).await?;
    if let Some(expected) = holder.filter(|holder| !holder.eq_ignore_ascii_case(&row.object_id)) {
        let reason = Reason::ConflictsWithEarlier { column: "object_id".to_owned(), expected };
        problems.push(Problem::at("user_principal_name", &row.user_principal_name, reason));
    }
    if !problems.is_empty() {
        return Ok(Verdict::Rejected(problems));
    }
    Ok(people::put_user(conn, staged.file_id, partner_id, row, stored).await?.into())
}

/// Why a row may not change a user who holds these roles. Only a global admin gives or takes the roles of an admin; a
/// partner's own file names who asks for a change of role, whichever role it is.
async fn roles_may_change(
    conn: &mut PgConnection,
    staged: &StagedFile,
    partner_id: i64,
    row: &users::UserRow,
    held: &BTreeSet<Role>,
) -> Result<Vec<Problem>> {
    let wanted = match &row.roles {
        Patch::Keep => held.clone(),
        roles => roles.as_set().cloned().unwrap_or_default(),
    };
    let action = Action::of_role_change(held, &wanted);
    let own_file = staged.partner_id.is_some() && !staged.by_operator;
    if row.requested_by.is_none() && own_file && *held != wanted {
        let who = refusal(conn, partner_id, action).await?;
        return Ok([Reason::Missing, who].map(|reason| Problem::at("requested_by", "", reason)).into());
    }
    let asker = row.requested_by.as_deref();
    Ok(may(conn, staged, partner_id, asker, action).await?.into_iter().collect())
}

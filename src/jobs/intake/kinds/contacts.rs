//! Marketing contacts, one a partner: the last file wins (R8, D16).

use sqlx::PgConnection;

use crate::{
    domain::{
        kinds::{cell, contacts},
        reason::{Expected, Problem, Reason},
        request::OPERATOR,
        role::Action,
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, may, parse, partner_of},
    },
    store::{file::StagedRow, people},
};

/// Applies rows of a contacts file.
pub async fn apply(
    _: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        verdicts.push(match parse(staged, row, contacts::parse) {
            Ok(parsed) => one_contact(conn, staged, row.line, &parsed).await?,
            Err(problems) => Verdict::Rejected(problems),
        });
    }
    Ok(verdicts)
}

async fn one_contact(
    conn: &mut PgConnection,
    staged: &StagedFile,
    line: i32,
    row: &contacts::ContactRow,
) -> Result<Verdict> {
    let partner_id = match partner_of(conn, staged, &row.partner_id).await? {
        Ok(partner_id) => partner_id,
        Err(problems) => return Ok(Verdict::Rejected(problems)),
    };
    let account = people::account(conn, partner_id).await?;
    let mut problems = Vec::new();
    let user = people::find_user(conn, partner_id, &row.user).await?;
    match &user {
        None => problems.push(Problem::at("user", &row.user, Reason::UnknownUser)),
        Some(user) if !user.enabled => problems.push(Problem::at("user", &row.user, Reason::UserDisabled)),
        Some(_) => {}
    }
    if row.email.same_as(&account.account_email) {
        problems.push(Problem::at("email", row.email.as_str(), Reason::ContactIsAccount));
    }
    let phone = contacts::phone(&row.phone, &account.country);
    if phone.is_none() {
        problems.push(cell::invalid("phone", &row.phone, Expected::Phone));
    }
    let asker = row.requested_by.as_deref();
    problems.extend(may(conn, staged, partner_id, asker, Action::SetContact).await?);
    let (Some(user), Some(phone), true) = (user, phone, problems.is_empty()) else {
        return Ok(Verdict::Rejected(problems));
    };
    let contact = people::Contact {
        partner_id,
        user_id: user.user_id,
        email: &row.email,
        phone: &phone,
        language: &row.language,
        requested_by: asker.unwrap_or(OPERATOR),
        known_on: staged.received_on,
        file_id: staged.file_id,
        line,
    };
    Ok(people::put_contact(conn, &contact).await?.into())
}

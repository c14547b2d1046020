//! Partners, users and contacts: the last file wins, an absent column keeps, an empty cell clears (D16).

use sqlx::PgConnection;

use super::{
    apply::{Verdict, parse},
    intake::StagedFile,
};
use crate::{
    domain::{
        cell::{self, Patch},
        contact, directory_user, partner,
        reason::{Expected, Problem, Reason},
        request::OPERATOR,
        role::Action,
    },
    jobs::Result,
    store::{
        file::{self, StagedRow},
        keys, people,
    },
};

/// Finds the partner that a row names, within what its file may hold.
pub async fn partner_of(
    conn: &mut PgConnection,
    staged: &StagedFile,
    number: &str,
) -> Result<std::result::Result<i64, Vec<Problem>>> {
    let known = file::partner(conn, number).await?;
    Ok(staged.admit(number, known).map_err(|problem| vec![problem]))
}

/// Applies rows of a partners file.
pub async fn partners(
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        let row = match parse(staged, row, partner::parse) {
            Ok(row) => row,
            Err(problems) => {
                verdicts.push(Verdict::Rejected(problems));
                continue;
            }
        };
        if staged.partner_id.is_some()
            && let Err(problems) = partner_of(conn, staged, &row.partner_id).await?
        {
            verdicts.push(Verdict::Rejected(problems));
            continue;
        }
        // The contact's address differs from the account's, also when that changes (R8).
        if people::contact_email(conn, &row.partner_id)
            .await?
            .is_some_and(|contact| row.account_email.same_as(&contact))
        {
            verdicts.push(Verdict::no("account_email", row.account_email.as_str(), Reason::ContactIsAccount));
            continue;
        }
        // Keys were redeemed onto a tenant; it stays the partner's (R3).
        let pinned = match &row.tenant_id {
            Patch::Keep => None,
            _ => keys::pinned_tenant(conn, &row.partner_id).await?,
        };
        let tenant_id = row.tenant_id.as_set().map_or("", String::as_str);
        if let Some(expected) = pinned.filter(|pinned| !pinned.eq_ignore_ascii_case(tenant_id)) {
            verdicts.push(Verdict::no("tenant_id", tenant_id, Reason::TenantPinned { expected }));
            continue;
        }
        // What was granted was granted in a currency; it stays the partner's (D16).
        let granted = people::granted_currency(conn, &row.partner_id).await?;
        verdicts.push(match granted {
            Some(expected) if expected != row.currency.code() => {
                let reason = Reason::AlreadyGranted { column: "currency".to_owned(), expected };
                Verdict::no("currency", row.currency.code(), reason)
            }
            _ => people::put_partner(conn, staged.file_id, &row).await?.into(),
        });
    }
    Ok(verdicts)
}

/// Applies rows of a users file.
pub async fn users(conn: &mut PgConnection, staged: &StagedFile, rows: &[StagedRow]) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        verdicts.push(match parse(staged, row, directory_user::parse) {
            Ok(row) => user(conn, staged, &row).await?,
            Err(problems) => Verdict::Rejected(problems),
        });
    }
    Ok(verdicts)
}

async fn user(
    conn: &mut PgConnection,
    staged: &StagedFile,
    row: &directory_user::UserRow,
) -> Result<Verdict> {
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

/// Applies rows of a contacts file.
pub async fn contacts(
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        verdicts.push(match parse(staged, row, contact::parse) {
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
    row: &contact::ContactRow,
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
    let phone = contact::phone(&row.phone, &account.country);
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

/// Why the directory user whom a row names as who asks may not; of a row that names nobody, the operator asks.
async fn may(
    conn: &mut PgConnection,
    staged: &StagedFile,
    partner_id: i64,
    asker: Option<&str>,
    action: Action,
) -> Result<Option<Problem>> {
    let Some(named) = asker.filter(|named| !(staged.by_operator && *named == OPERATOR)) else {
        return Ok(None);
    };
    let reason = match people::find_user(conn, partner_id, named).await? {
        None => Reason::UnknownUser,
        Some(user) if !user.enabled => Reason::UserDisabled,
        Some(user) if action.allows(&user.roles) => return Ok(None),
        Some(_) => {
            let holders = people::holders(conn, partner_id).await?;
            action.refusal(holders.iter().map(|(name, roles)| (name.as_str(), roles.as_slice())))
        }
    };
    Ok(Some(Problem::at("requested_by", named, reason)))
}

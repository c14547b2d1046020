//! Marketing contacts, one a partner: the last file wins (R8, D16).

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;

use crate::{
    domain::{
        id::PartnerId,
        kinds::{
            cell,
            contacts::{self, ContactRow},
        },
        reason::{Expected, Problem, Reason},
        request::OPERATOR,
        role::Action,
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, asker, distinct, load, may, parse},
    },
    store::{
        contact::{self as stored, Contact, ContactAccount},
        directory::Directory,
        file::StagedRow,
        suppression,
    },
};

/// Applies rows of a contacts file.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(staged, row, contacts::parse)).collect();
    let numbers = distinct(parsed.iter().flatten(), |row| &row.partner_id);
    let mut accounts = stored::accounts(conn, &numbers).await?;
    let (mut named, mut askers) = (Vec::new(), BTreeSet::new());
    for row in parsed.iter().flatten() {
        let Some(account) = accounts.get(&row.partner_id) else { continue };
        named.push((account.partner_id, row.user.as_str()));
        if let Some(by) = asker(staged, row.requested_by.as_deref()) {
            named.push((account.partner_id, by));
            askers.insert((account.partner_id, by));
        }
    }
    let directory = load(conn, &named, &askers, &BTreeSet::new()).await?;
    let mut puts = Vec::new();
    let verdicts = rows
        .iter()
        .zip(&parsed)
        .map(|(row, parsed)| match parsed {
            Ok(wanted) => decide(staged, &directory, &mut accounts, wanted, row.line, &mut puts),
            Err(problems) => Verdict::Rejected(problems.clone()),
        })
        .collect();
    stored::put(conn, staged.file_id, staged.received_on, &puts).await?;
    let addresses: Vec<String> = puts.iter().map(|put| put.details.email.clone()).collect();
    suppression::meet(conn, &cx.vault, &addresses).await?;
    Ok(verdicts)
}

fn decide(
    staged: &StagedFile,
    directory: &Directory,
    accounts: &mut HashMap<PartnerId, ContactAccount>,
    row: &ContactRow,
    line: i32,
    puts: &mut Vec<Contact>,
) -> Verdict {
    let Some(account) = accounts.get_mut(&row.partner_id) else {
        return Verdict::no("partner_id", row.partner_id.as_str(), Reason::UnknownPartner);
    };
    let partner_id = match staged.admit(&row.partner_id, Some(account.partner_id)) {
        Ok(partner_id) => partner_id,
        Err(problem) => return Verdict::Rejected(vec![problem]),
    };
    let mut problems = Vec::new();
    let user = directory.find(partner_id, &row.user);
    match &user {
        Err(reason) => problems.push(Problem::at("user", &row.user, reason.clone())),
        Ok(user) if !user.enabled => problems.push(Problem::at("user", &row.user, Reason::UserDisabled)),
        Ok(_) => {}
    }
    if row.email.same_as(&account.account_email) {
        problems.push(Problem::at("email", row.email.as_str(), Reason::ContactIsAccount));
    }
    let phone = contacts::phone(&row.phone, &account.country);
    if phone.is_none() {
        problems.push(cell::invalid("phone", &row.phone, Expected::Phone));
    }
    let by = row.requested_by.as_deref();
    problems.extend(may(staged, directory, partner_id, by, Action::SetContact));
    let (Ok(user), Some(phone), true) = (user, phone, problems.is_empty()) else {
        return Verdict::Rejected(problems);
    };
    let wanted = stored::Details {
        user_id: user.user_id,
        email: row.email.as_str().to_owned(),
        phone,
        language: row.language.clone(),
    };
    if account.contact.as_ref() == Some(&wanted) {
        return Verdict::Unchanged(vec![]);
    }
    let is_known = account.contact.is_some();
    account.contact = Some(wanted.clone());
    account.versions += 1;
    puts.push(Contact {
        partner_id,
        version_no: account.versions,
        details: wanted,
        requested_by: by.unwrap_or(OPERATOR).to_owned(),
        line,
    });
    Verdict::put(is_known, vec![])
}

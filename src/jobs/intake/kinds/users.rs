//! Directory users: the last file wins (D16); who gives or takes a role is looked at, row by row in the order of the file.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;

use crate::{
    domain::{
        directory_role::{Role, UserType},
        directory_user::{guest_address, is_unconfirmed},
        id::{PartnerId, PartnerNo, UserNo},
        kinds::{
            cell::Patch,
            users::{self, UserRow},
        },
        money::Currency,
        reason::{Problem, Reason},
        role::Action,
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, asker, distinct, load, may, parse},
    },
    store::{
        directory::{Directory, DirectoryUser},
        file::StagedRow,
        intake,
    },
};

/// Applies rows of a users file.
pub async fn apply(
    _: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(staged, row, users::parse)).collect();
    let numbers = distinct(parsed.iter().flatten(), |row| &row.partner_id);
    let partners = intake::partners(conn, &numbers).await?;
    let (mut named, mut askers, mut unasked) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let invited: Vec<(PartnerNo, String)> = parsed
        .iter()
        .flatten()
        .filter_map(|row| Some((partners.get(&row.partner_id)?.0, row)))
        .flat_map(|(partner_id, row)| invited_as(row).into_iter().map(move |name| (partner_id, name)))
        .collect();
    named.extend(invited.iter().map(|(partner_id, name)| (*partner_id, name.as_str())));
    for row in parsed.iter().flatten() {
        let Some((partner_id, _)) = partners.get(&row.partner_id) else { continue };
        let both = [row.object_id.as_str(), row.user_principal_name.as_str()];
        named.extend(both.map(|name| (*partner_id, name)));
        if let Some(by) = asker(staged, row.requested_by.as_deref()) {
            named.push((*partner_id, by));
            askers.insert((*partner_id, by));
        } else if names_who_asks(staged) && row.requested_by.is_none() && row.roles != Patch::Keep {
            unasked.insert(*partner_id);
        }
    }
    // Whoever asks may be changed by a row before.
    let changed: BTreeSet<(PartnerNo, String)> = named_by_rows(&parsed, &partners).collect();
    unasked.extend(
        askers.iter().filter(|(id, by)| changed.contains(&(*id, by.to_lowercase()))).map(|(id, _)| id),
    );
    let mut directory = load(conn, &named, &askers, &unasked).await?;
    let waiting = parsed.iter().flatten().filter(|row| is_unconfirmed(&row.object_id));
    let waiting: BTreeSet<PartnerNo> =
        waiting.filter_map(|row| Some(partners.get(&row.partner_id)?.0)).collect();
    directory.load_guests(conn, &waiting.into_iter().collect::<Vec<_>>()).await?;
    let partners: HashMap<&PartnerId, PartnerNo> =
        partners.iter().map(|(number, (partner_id, _))| (number, *partner_id)).collect();
    let verdicts = parsed
        .iter()
        .map(|row| match row {
            Ok(row) => decide(staged, &mut directory, partners.get(&row.partner_id).copied(), row),
            Err(problems) => Verdict::Rejected(problems.clone()),
        })
        .collect();
    directory.write(conn, staged.file_id).await?;
    Ok(verdicts)
}

/// The names of those whom rows change, in lower case.
fn named_by_rows<'a>(
    parsed: &'a [std::result::Result<UserRow, Vec<Problem>>],
    partners: &'a HashMap<PartnerId, (PartnerNo, Currency)>,
) -> impl Iterator<Item = (PartnerNo, String)> + 'a {
    let names = |row: &'a UserRow| {
        let (partner_id, _) = partners.get(&row.partner_id)?;
        let names = [row.object_id.as_str(), row.user_principal_name.as_str()];
        Some(names.map(|name| (*partner_id, name.to_lowercase())))
    };
    parsed.iter().flatten().filter_map(names).flatten()
}

/// Whether the rows of a file name who asks for a change of role: those of a partner's own file do.
fn names_who_asks(staged: &StagedFile) -> bool {
    staged.partner_id.is_some() && !staged.by_operator
}

fn decide(
    staged: &StagedFile,
    directory: &mut Directory,
    partner: Option<PartnerNo>,
    row: &UserRow,
) -> Verdict {
    let partner_id = match staged.admit(&row.partner_id, partner) {
        Ok(partner_id) => partner_id,
        Err(problem) => return Verdict::Rejected(vec![problem]),
    };
    let remark = |reason| vec![Problem::at("user_principal_name", &row.user_principal_name, reason)];
    let waits = is_unconfirmed(&row.object_id);
    if waits && has_confirmed(directory, partner_id, row) {
        return Verdict::Unchanged(remark(Reason::ConfirmedUser));
    }
    let stored = directory.with_object_id(partner_id, row.object_id.as_str());
    let confirmed = if stored.is_none() && !waits { waited_for(directory, partner_id, row) } else { None };
    let stored = stored.or(confirmed);
    let held: BTreeSet<Role> = stored.map(|user| user.roles.iter().copied().collect()).unwrap_or_default();
    let mut problems = roles_may_change(staged, directory, partner_id, row, &held);
    problems.extend(names_of_others(directory, partner_id, row, stored));
    if !problems.is_empty() {
        return Verdict::Rejected(problems);
    }
    let wanted = wanted(partner_id, stored, row);
    let remarks = if waits { remark(Reason::UnconfirmedUser) } else { vec![] };
    if stored.is_some_and(|stored| *stored == wanted) {
        return Verdict::Unchanged(remarks);
    }
    let is_known = stored.is_some();
    match confirmed.map(|user| user.object_id.clone()) {
        Some(stood_for) => directory.confirm(&stood_for, wanted),
        None => directory.enter(wanted),
    }
    Verdict::put(is_known, remarks)
}

/// Other names under which somebody may have been created or invited whom the row tells of: a guest's address.
fn invited_as(row: &UserRow) -> Vec<String> {
    let guest = row.user_type.as_set() == Some(&UserType::Guest);
    let mail = row.mail.as_set().filter(|_| guest).map(|mail| mail.as_str().to_owned());
    guest_address(&row.user_principal_name).into_iter().chain(mail).collect()
}

/// The user whom the directory had not confirmed until this row.
fn waited_for<'a>(
    directory: &'a Directory,
    partner_id: PartnerNo,
    row: &UserRow,
) -> Option<&'a DirectoryUser> {
    let names = std::iter::once(row.user_principal_name.clone()).chain(invited_as(row));
    let mut users = names.filter_map(|name| directory.with_name(partner_id, &name));
    users.find(|user| is_unconfirmed(&user.object_id))
}

/// Whether the directory has the user already whom a row of a template names.
fn has_confirmed(directory: &Directory, partner_id: PartnerNo, row: &UserRow) -> bool {
    let signs_in = directory.with_name(partner_id, &row.user_principal_name);
    signs_in.is_some_and(|user| !is_unconfirmed(&user.object_id))
        || directory.has_guest(partner_id, &row.user_principal_name)
}

/// The names that a row gives to its user and another user has. Rows name people by either name, so one that is new must
/// be neither the object id nor the user principal name of anybody else: who is given it could act as the other, or keep
/// the other from acting.
fn names_of_others(
    directory: &Directory,
    partner_id: PartnerNo,
    row: &UserRow,
    stored: Option<&DirectoryUser>,
) -> Vec<Problem> {
    let (id, name) = (row.object_id.as_str(), row.user_principal_name.as_str());
    let another = |user: &&DirectoryUser| stored.is_none_or(|own| own.object_id != user.object_id);
    let taken = |column: &str, value: &str, by: &str, expected: &str| {
        let (by, expected) = (by.to_owned(), expected.to_owned());
        Problem::at(column, value, Reason::ConflictsWithEarlier { column: by, expected })
    };
    let signs_in = directory.with_name(partner_id, name).filter(another);
    let keeps = stored.is_some_and(|own| own.user_principal_name.to_lowercase() == name.to_lowercase());
    let has_id = directory.with_object_id(partner_id, name).filter(|user| !keeps && another(user));
    let mut problems: Vec<Problem> = signs_in
        .or(has_id)
        .map(|user| taken("user_principal_name", name, "object_id", user.object_id.as_str()))
        .into_iter()
        .collect();
    let signs_in_so = directory.with_name(partner_id, id).filter(|_| stored.is_none());
    problems.extend(
        signs_in_so.map(|user| taken("object_id", id, "user_principal_name", &user.user_principal_name)),
    );
    problems
}

/// Why a row may not change a user who holds these roles. Only a global admin gives or takes the roles of an admin; a
/// partner's own file names who asks for a change of role, whichever role it is.
fn roles_may_change(
    staged: &StagedFile,
    directory: &Directory,
    partner_id: PartnerNo,
    row: &UserRow,
    held: &BTreeSet<Role>,
) -> Vec<Problem> {
    let wanted = match &row.roles {
        Patch::Keep => held.clone(),
        roles => roles.as_set().cloned().unwrap_or_default(),
    };
    let action = Action::of_role_change(held, &wanted);
    if row.requested_by.is_none() && names_who_asks(staged) && *held != wanted {
        let who = action.refusal(directory.holders(partner_id));
        return [Reason::Missing, who].map(|reason| Problem::at("requested_by", "", reason)).into();
    }
    may(staged, directory, partner_id, row.requested_by.as_deref(), action).into_iter().collect()
}

/// The user as the row would have it: an absent column keeps, an empty cell clears (D16).
fn wanted(partner_id: PartnerNo, stored: Option<&DirectoryUser>, row: &UserRow) -> DirectoryUser {
    let known = stored.cloned().unwrap_or_else(|| DirectoryUser {
        user_id: UserNo::default(),
        partner_id,
        object_id: row.object_id.clone(),
        user_principal_name: row.user_principal_name.clone(),
        display_name: None,
        mail: None,
        user_type: UserType::Member.name().to_owned(),
        enabled: true,
        roles: vec![],
        language: None,
    });
    let waits = is_unconfirmed(&row.object_id);
    let stands_for = !waits && is_unconfirmed(&known.object_id);
    DirectoryUser {
        object_id: if stands_for { row.object_id.clone() } else { known.object_id },
        user_principal_name: row.user_principal_name.clone(),
        display_name: row.display_name.clone().onto(known.display_name),
        mail: match &row.mail {
            Patch::Keep => known.mail,
            mail => mail.as_set().map(|mail| mail.as_str().to_owned()),
        },
        user_type: row.user_type.clone().onto(None).map_or(known.user_type, |kind| kind.name().to_owned()),
        enabled: !waits && row.enabled.clone().onto(Some(known.enabled || stands_for)).unwrap_or(true),
        roles: match &row.roles {
            Patch::Keep => known.roles,
            roles => roles.as_set().map(|roles| roles.iter().copied().collect()).unwrap_or_default(),
        },
        language: row.language.clone().onto(known.language),
        ..known
    }
}

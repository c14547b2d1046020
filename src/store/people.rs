//! Partners, their directory users and their marketing contacts: the last file wins (D16).

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Result, own_currency};
use crate::domain::{
    directory_role::Role,
    email::Email,
    kinds::{cell::Patch, partners::PartnerRow, users::UserRow},
    money::Currency,
    own_currency::Stated,
};

/// What a row did to a stored fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was new or other than what was stored.
    Applied,
    /// It said what was stored.
    Unchanged,
}

impl Put {
    fn from_rows(rows: u64) -> Self {
        if rows == 0 { Self::Unchanged } else { Self::Applied }
    }
}

/// Makes or changes a partner, by a file that arrived on a day.
pub async fn put_partner(
    conn: &mut PgConnection,
    file_id: i64,
    arrived_on: NaiveDate,
    row: &PartnerRow,
) -> Result<Put> {
    let stored = sqlx::query!(
        "select partner_id, currency, tenant_id, language, group_id from partner where number = $1",
        row.partner_id
    )
    .fetch_optional(&mut *conn)
    .await?;
    let known = stored.as_ref().map(|s| (s.partner_id, Currency::stored(&s.currency)));
    let (tenant, language, group) =
        stored.map_or((None, None, None), |s| (s.tenant_id, s.language, s.group_id));
    let stated = Stated { currency: row.currency, from_on: row.currency_from };
    let (mut changed, mut currency) = (false, row.currency);
    if let Some((partner_id, before)) = known {
        (changed, currency) =
            own_currency::put(&mut *conn, file_id, arrived_on, partner_id, before, stated).await?;
    }
    let made = sqlx::query_scalar!(
        "insert into partner (number, name, account_email, country, currency, tenant_id, language, group_id, file_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (number) do update set name = excluded.name, account_email = excluded.account_email,
             country = excluded.country, currency = excluded.currency, tenant_id = excluded.tenant_id,
             language = excluded.language, group_id = excluded.group_id, file_id = excluded.file_id
         where (partner.name, partner.account_email, partner.country, partner.currency, partner.tenant_id,
                partner.language, partner.group_id)
             is distinct from (excluded.name, excluded.account_email, excluded.country, excluded.currency,
                excluded.tenant_id, excluded.language, excluded.group_id)
         returning partner_id",
        row.partner_id,
        row.name,
        row.account_email.as_str(),
        row.country,
        currency.code(),
        row.tenant_id.clone().onto(tenant),
        row.language.clone().onto(language),
        row.group_id.clone().onto(group),
        file_id
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let (None, Some(partner_id), Some(_)) = (known, made, row.currency_from) {
        own_currency::put(conn, file_id, arrived_on, partner_id, None, stated).await?;
    }
    Ok(if changed || made.is_some() { Put::Applied } else { Put::Unchanged })
}

/// What a partner's marketing contact is checked against.
#[derive(Clone, Debug)]
pub struct PartnerAccount {
    /// The partner's account e-mail.
    pub account_email: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// A partner's account e-mail and country.
pub async fn account(conn: &mut PgConnection, partner_id: i64) -> Result<PartnerAccount> {
    Ok(sqlx::query_as!(
        PartnerAccount,
        "select account_email, country from partner where partner_id = $1",
        partner_id
    )
    .fetch_one(conn)
    .await?)
}

/// The address of the marketing contact of the partner with that Partner ID.
pub async fn contact_email(conn: &mut PgConnection, number: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "select c.email from contact c join partner p using (partner_id) where p.number = $1",
        number
    )
    .fetch_optional(conn)
    .await?)
}

/// What the store knows of a directory user whom a row changes.
#[derive(Clone, Debug)]
pub struct StoredUser {
    display_name: Option<String>,
    mail: Option<String>,
    user_type: String,
    enabled: bool,
    roles: Vec<String>,
    language: Option<String>,
}

impl StoredUser {
    /// The roles they hold.
    #[must_use]
    pub fn roles(&self) -> BTreeSet<Role> {
        roles_of(&self.roles).into_iter().collect()
    }
}

/// The directory user of an object id.
pub async fn stored_user(
    conn: &mut PgConnection,
    partner_id: i64,
    object_id: &str,
) -> Result<Option<StoredUser>> {
    let row = sqlx::query!(
        "select user_id, display_name, mail, user_type, enabled, roles, language from directory_user
         where partner_id = $1 and lower(object_id) = lower($2)",
        partner_id,
        object_id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| StoredUser {
        display_name: r.display_name,
        mail: r.mail,
        user_type: r.user_type,
        enabled: r.enabled,
        roles: r.roles,
        language: r.language,
    }))
}

/// Makes a directory user, or changes the one that is stored of that object id.
pub async fn put_user(
    conn: &mut PgConnection,
    file_id: i64,
    partner_id: i64,
    row: &UserRow,
    stored: Option<StoredUser>,
) -> Result<Put> {
    let roles = |roles: &BTreeSet<Role>| roles.iter().map(|role| role.name().to_owned()).collect::<Vec<_>>();
    let mail = row.mail.as_set().map(|mail| mail.as_str().to_owned());
    let keep_mail = matches!(row.mail, Patch::Keep);
    let (display_name, mail, user_type, enabled, roles, language) = match stored {
        Some(s) => (
            row.display_name.clone().onto(s.display_name),
            if keep_mail { s.mail } else { mail },
            row.user_type.clone().onto(None).map_or(s.user_type, |t| t.name().to_owned()),
            row.enabled.clone().onto(Some(s.enabled)).unwrap_or(true),
            match &row.roles {
                Patch::Keep => s.roles,
                other => other.as_set().map(roles).unwrap_or_default(),
            },
            row.language.clone().onto(s.language),
        ),
        None => (
            row.display_name.clone().into_set(),
            mail,
            row.user_type.clone().into_set().map_or_else(|| "member".to_owned(), |t| t.name().to_owned()),
            row.enabled.clone().into_set().unwrap_or(true),
            row.roles.as_set().map(roles).unwrap_or_default(),
            row.language.clone().into_set(),
        ),
    };
    let done = sqlx::query!(
        "insert into directory_user as u (partner_id, object_id, user_principal_name, display_name, mail, user_type,
             enabled, roles, language, file_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (partner_id, lower(object_id)) do update set user_principal_name = excluded.user_principal_name,
             display_name = excluded.display_name, mail = excluded.mail, user_type = excluded.user_type,
             enabled = excluded.enabled, roles = excluded.roles, language = excluded.language,
             file_id = excluded.file_id
         where (u.user_principal_name, u.display_name, u.mail, u.user_type, u.enabled, u.roles, u.language)
             is distinct from (excluded.user_principal_name, excluded.display_name, excluded.mail, excluded.user_type,
                 excluded.enabled, excluded.roles, excluded.language)",
        partner_id,
        row.object_id,
        row.user_principal_name,
        display_name,
        mail,
        user_type,
        enabled,
        &roles,
        language,
        file_id
    )
    .execute(conn)
    .await?;
    Ok(Put::from_rows(done.rows_affected()))
}

/// Who at a partner has a user principal name, by object id: another than the row's own would clash.
pub async fn holder_of_name(conn: &mut PgConnection, partner_id: i64, name: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "select object_id from directory_user where partner_id = $1 and lower(user_principal_name) = lower($2)",
        partner_id,
        name
    )
    .fetch_optional(conn)
    .await?)
}

/// A directory user whom a file names.
#[derive(Clone, Debug)]
pub struct NamedUser {
    /// The number in the store.
    pub user_id: i64,
    /// The sign-in name.
    pub user_principal_name: String,
    /// Whether they can sign in.
    pub enabled: bool,
    /// What they hold.
    pub roles: Vec<Role>,
}

/// Finds a directory user by object id or user principal name, case-insensitively, never by mail.
pub async fn find_user(conn: &mut PgConnection, partner_id: i64, named: &str) -> Result<Option<NamedUser>> {
    let row = sqlx::query!(
        "select user_id, user_principal_name, enabled, roles from directory_user
         where partner_id = $1 and (lower(object_id) = lower($2) or lower(user_principal_name) = lower($2))
         order by lower(object_id) = lower($2) desc limit 1",
        partner_id,
        named
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| NamedUser {
        user_id: r.user_id,
        user_principal_name: r.user_principal_name,
        enabled: r.enabled,
        roles: roles_of(&r.roles),
    }))
}

fn roles_of(names: &[String]) -> Vec<Role> {
    names.iter().filter_map(|name| Role::parse(name)).collect()
}

/// Who holds a role at a partner and can sign in: user principal names and roles.
pub async fn holders(conn: &mut PgConnection, partner_id: i64) -> Result<Vec<(String, Vec<Role>)>> {
    let rows = sqlx::query!(
        "select user_principal_name, roles from directory_user
         where partner_id = $1 and roles <> '{}' and enabled",
        partner_id
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.user_principal_name, roles_of(&r.roles))).collect())
}

/// A marketing contact to be set.
#[derive(Clone, Copy, Debug)]
pub struct Contact<'a> {
    /// Whose.
    pub partner_id: i64,
    /// The directory user, by number in the store.
    pub user_id: i64,
    /// Where offer mail goes.
    pub email: &'a Email,
    /// In the form of E.164.
    pub phone: &'a str,
    /// A BCP 47 tag.
    pub language: &'a str,
    /// Who sets it.
    pub requested_by: &'a str,
    /// The business date on which its file arrived.
    pub known_on: NaiveDate,
    /// Its file.
    pub file_id: i64,
    /// Its line there.
    pub line: i32,
}

/// Makes or changes a partner's marketing contact, and keeps what it became as its next version.
pub async fn put_contact(conn: &mut PgConnection, contact: &Contact<'_>) -> Result<Put> {
    let done = sqlx::query!(
        "insert into contact (partner_id, user_id, email, phone, language, file_id) values ($1, $2, $3, $4, $5, $6)
         on conflict (partner_id) do update set user_id = excluded.user_id, email = excluded.email,
             phone = excluded.phone, language = excluded.language, file_id = excluded.file_id
         where (contact.user_id, contact.email, contact.phone, contact.language)
             is distinct from (excluded.user_id, excluded.email, excluded.phone, excluded.language)",
        contact.partner_id,
        contact.user_id,
        contact.email.as_str(),
        contact.phone,
        contact.language,
        contact.file_id
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() > 0 {
        sqlx::query!(
            "insert into contact_version (partner_id, version_no, user_id, email, phone, language, known_on, requested_by,
                 file_id, line)
             select $1, coalesce(max(version_no), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9
             from contact_version where partner_id = $1",
            contact.partner_id,
            contact.user_id,
            contact.email.as_str(),
            contact.phone,
            contact.language,
            contact.known_on,
            contact.requested_by,
            contact.file_id,
            contact.line
        )
        .execute(conn)
        .await?;
    }
    Ok(Put::from_rows(done.rows_affected()))
}

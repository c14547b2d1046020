//! Partners, their directory users and their marketing contacts: the last file wins (D16).

use sqlx::PgConnection;

use super::Result;
use crate::domain::{contact::ContactRow, directory_user::UserRow, partner::PartnerRow};

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

/// Makes or changes a partner.
pub async fn put_partner(conn: &mut PgConnection, file_id: i64, row: &PartnerRow) -> Result<Put> {
    let stored =
        sqlx::query!("select tenant_id, language, group_id from partner where number = $1", row.partner_id)
            .fetch_optional(&mut *conn)
            .await?;
    let (tenant, language, group) =
        stored.map_or((None, None, None), |s| (s.tenant_id, s.language, s.group_id));
    let done = sqlx::query!(
        "insert into partner (number, name, account_email, country, currency, tenant_id, language, group_id, file_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (number) do update set name = excluded.name, account_email = excluded.account_email,
             country = excluded.country, currency = excluded.currency, tenant_id = excluded.tenant_id,
             language = excluded.language, group_id = excluded.group_id, file_id = excluded.file_id
         where (partner.name, partner.account_email, partner.country, partner.currency, partner.tenant_id,
                partner.language, partner.group_id)
             is distinct from (excluded.name, excluded.account_email, excluded.country, excluded.currency,
                excluded.tenant_id, excluded.language, excluded.group_id)",
        row.partner_id,
        row.name,
        row.account_email.as_str(),
        row.country,
        row.currency.code(),
        row.tenant_id.clone().onto(tenant),
        row.language.clone().onto(language),
        row.group_id.clone().onto(group),
        file_id
    )
    .execute(conn)
    .await?;
    Ok(Put::from_rows(done.rows_affected()))
}

/// The currency of a partner whose credit was granted or used in it.
pub async fn granted_currency(conn: &mut PgConnection, number: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "select p.currency from partner p
         where p.number = $1 and (exists (select from entitlement e join transfer t using (entitlement_id)
                                         where e.partner_id = p.partner_id)
              or exists (select from credit_usage u where u.partner_id = p.partner_id))",
        number
    )
    .fetch_optional(conn)
    .await?)
}

/// A partner's account e-mail.
pub async fn account_email(conn: &mut PgConnection, partner_id: i64) -> Result<String> {
    Ok(sqlx::query_scalar!("select account_email from partner where partner_id = $1", partner_id)
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

/// Makes or changes a directory user, found by object id.
pub async fn put_user(conn: &mut PgConnection, file_id: i64, partner_id: i64, row: &UserRow) -> Result<Put> {
    let stored = sqlx::query!(
        "select user_id, display_name, mail, user_type, enabled, roles, language from directory_user
         where partner_id = $1 and lower(object_id) = lower($2)",
        partner_id,
        row.object_id
    )
    .fetch_optional(&mut *conn)
    .await?;
    let roles = |roles: &std::collections::BTreeSet<crate::domain::directory_user::Role>| {
        roles.iter().map(|role| role.name().to_owned()).collect::<Vec<_>>()
    };
    let mail = row.mail.as_set().map(|mail| mail.as_str().to_owned());
    let keep_mail = matches!(row.mail, crate::domain::cell::Patch::Keep);
    let (display_name, mail, user_type, enabled, roles, language) = match stored {
        Some(s) => (
            row.display_name.clone().onto(s.display_name),
            if keep_mail { s.mail } else { mail },
            row.user_type.clone().onto(None).map_or(s.user_type, |t| t.name().to_owned()),
            row.enabled.clone().onto(Some(s.enabled)).unwrap_or(true),
            match &row.roles {
                crate::domain::cell::Patch::Keep => s.roles,
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
pub struct User {
    /// The number in the store.
    pub user_id: i64,
    /// The sign-in name.
    pub user_principal_name: String,
    /// Whether they can sign in.
    pub enabled: bool,
}

/// Finds a directory user by object id or user principal name, case-insensitively, never by mail.
pub async fn find_user(conn: &mut PgConnection, partner_id: i64, named: &str) -> Result<Option<User>> {
    Ok(sqlx::query_as!(
        User,
        "select user_id, user_principal_name, enabled from directory_user
         where partner_id = $1 and (lower(object_id) = lower($2) or lower(user_principal_name) = lower($2))
         order by lower(object_id) = lower($2) desc limit 1",
        partner_id,
        named
    )
    .fetch_optional(conn)
    .await?)
}

/// Makes or changes a partner's marketing contact.
pub async fn put_contact(
    conn: &mut PgConnection,
    file_id: i64,
    partner_id: i64,
    user_id: i64,
    row: &ContactRow,
) -> Result<Put> {
    let done = sqlx::query!(
        "insert into contact (partner_id, user_id, email, phone, language, file_id) values ($1, $2, $3, $4, $5, $6)
         on conflict (partner_id) do update set user_id = excluded.user_id, email = excluded.email,
             phone = excluded.phone, language = excluded.language, file_id = excluded.file_id
         where (contact.user_id, contact.email, contact.phone, contact.language)
             is distinct from (excluded.user_id, excluded.email, excluded.phone, excluded.language)",
        partner_id,
        user_id,
        row.email.as_str(),
        row.phone,
        row.language,
        file_id
    )
    .execute(conn)
    .await?;
    Ok(Put::from_rows(done.rows_affected()))
}

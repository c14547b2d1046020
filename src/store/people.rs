//! Partners: the last file wins (D16).

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Result, own_currency};
use crate::domain::{kinds::partners::PartnerRow, money::Currency, own_currency::Stated};

/// What a row did to a stored fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was new or other than what was stored.
    Applied,
    /// It said what was stored.
    Unchanged,
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

/// The address of the marketing contact of the partner with that Partner ID.
pub async fn contact_email(conn: &mut PgConnection, number: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "select c.email from contact c join partner p using (partner_id) where p.number = $1",
        number
    )
    .fetch_optional(conn)
    .await?)
}

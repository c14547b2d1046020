//! Partners by the chunk: the last file wins (D16).

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;

use super::{
    Error, Result,
    own_currency::{self, Changes},
};
use crate::domain::{
    id::{FileNo, PartnerId, PartnerNo, TenantId},
    money::Currency,
};

/// A partner as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPartner {
    /// Digits; the key.
    pub number: PartnerId,
    /// The company's name.
    pub name: String,
    /// Where mail goes that has no marketing contact.
    pub account_email: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// What its credit is granted in, by the latest change.
    pub currency: Currency,
    /// The directory tenant.
    pub tenant_id: Option<TenantId>,
    /// A BCP 47 tag.
    pub language: Option<String>,
    /// Companies that share caps share this.
    pub group_id: Option<String>,
}

/// A known partner, with what a row of it is checked against.
#[derive(Clone, Debug)]
pub struct KnownPartner {
    /// The store's number.
    pub partner_id: PartnerNo,
    /// What is stored.
    pub partner: StoredPartner,
    /// The address of its marketing contact.
    pub contact_email: Option<String>,
    /// The tenant onto which its first key was redeemed.
    pub pinned_tenant: Option<TenantId>,
    /// When it changed its currency.
    pub changes: Changes,
}

/// The Partner IDs of partners that belong to a group.
pub async fn grouped(conn: &mut PgConnection) -> Result<Vec<PartnerId>> {
    Ok(sqlx::query_scalar!(
        r#"select number as "number: PartnerId" from partner where group_id is not null order by number"#
    )
    .fetch_all(conn)
    .await?)
}

/// Those of these Partner IDs whose partners belong to a group, each found along its key.
pub async fn grouped_of(conn: &mut PgConnection, numbers: &[PartnerId]) -> Result<HashSet<PartnerId>> {
    let found = sqlx::query_scalar!(
        r#"select p.number as "number!: PartnerId" from unnest($1::text[]) as asked (number)
           cross join lateral (select * from partner of where of.number = asked.number offset 0) p
           where p.group_id is not null"#,
        numbers as &[PartnerId]
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().collect())
}

/// The partners of these Partner IDs that are known.
pub async fn known(
    conn: &mut PgConnection,
    numbers: &[PartnerId],
) -> Result<HashMap<PartnerId, KnownPartner>> {
    let rows = sqlx::query!(
        r#"select p.partner_id as "partner_id!", p.number as "number!", p.name as "name!",
               p.account_email as "account_email!", p.country as "country!", p.currency as "currency!", p.tenant_id as "tenant_id: TenantId",
               p.language, p.group_id, c.email as "contact_email?", r.tenant_id as "pinned_tenant?: TenantId"
           from unnest($1::text[]) as n (number)
           cross join lateral (select * from partner p where p.number = n.number offset 0) p
           left join lateral (select * from contact c where c.partner_id = p.partner_id offset 0) c on true
           cross join lateral (select (array_agg(r.tenant_id order by r.redemption_id))[1] as tenant_id
                               from redemption r where r.partner_id = p.partner_id) r"#,
        numbers as &[PartnerId]
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<PartnerNo> = rows.iter().map(|r| r.partner_id.into()).collect();
    let mut changes = own_currency::changes(conn, &ids).await?;
    let known = rows.into_iter().map(|r| {
        let currency = Currency::stored(&r.currency).ok_or_else(|| Error::Unknown {
            what: format!("currency {} of partner {}", r.currency, r.number),
        })?;
        let partner = StoredPartner {
            number: r.number.as_str().into(),
            name: r.name,
            account_email: r.account_email,
            country: r.country,
            currency,
            tenant_id: r.tenant_id,
            language: r.language,
            group_id: r.group_id,
        };
        let (contact_email, pinned_tenant) = (r.contact_email, r.pinned_tenant);
        let changes = changes.remove(&r.partner_id.into()).unwrap_or_default();
        Ok((
            r.number.into(),
            KnownPartner { partner_id: r.partner_id.into(), partner, contact_email, pinned_tenant, changes },
        ))
    });
    known.collect()
}

/// Makes partners, in this order, or changes them, of which it is kept how they were; hands back their numbers in the store, by Partner ID.
pub async fn put(
    conn: &mut PgConnection,
    file_id: FileNo,
    partners: &[&StoredPartner],
) -> Result<HashMap<PartnerId, PartnerNo>> {
    if partners.is_empty() {
        return Ok(HashMap::new());
    }
    let texts = |of: fn(&StoredPartner) -> Option<&str>| {
        partners.iter().map(|partner| of(partner).map(str::to_owned)).collect::<Vec<_>>()
    };
    sqlx::query!(
        "insert into overwritten (file_id, partner_id, subject_kind, subject_id, was)
         select $1, partner_id, 'partner', partner_id, to_jsonb(p) from partner p where number = any($2)",
        file_id.get(),
        &partners.iter().map(|partner| partner.number.clone()).collect::<Vec<_>>() as &[PartnerId]
    )
    .execute(&mut *conn)
    .await?;
    let put = sqlx::query!(
        "insert into partner (number, name, account_email, country, currency, tenant_id, language, group_id, file_id)
         select n.number, n.name, n.account_email, n.country, n.currency, n.tenant_id, n.language, n.group_id, $1
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
             with ordinality
             as n (number, name, account_email, country, currency, tenant_id, language, group_id, at)
         order by n.at
         on conflict (number) do update set name = excluded.name, account_email = excluded.account_email,
             country = excluded.country, currency = excluded.currency, tenant_id = excluded.tenant_id,
             language = excluded.language, group_id = excluded.group_id, file_id = excluded.file_id
         returning number, partner_id",
        file_id.get(),
        &texts(|partner| Some(partner.number.as_str())) as _,
        &texts(|partner| Some(&partner.name)) as _,
        &texts(|partner| Some(&partner.account_email)) as _,
        &texts(|partner| Some(&partner.country)) as _,
        &texts(|partner| Some(partner.currency.code())) as _,
        &texts(|partner| partner.tenant_id.as_ref().map(TenantId::as_str)) as _,
        &texts(|partner| partner.language.as_deref()) as _,
        &texts(|partner| partner.group_id.as_deref()) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(put.into_iter().map(|r| (r.number.into(), r.partner_id.into())).collect())
}

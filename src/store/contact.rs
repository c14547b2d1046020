//! Marketing contacts, one a partner, and what they were before (R8).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;

use crate::domain::id::{FileNo, PartnerId, PartnerNo, UserNo};

/// What a partner's marketing contact is checked against, and who it is.
#[derive(Clone, Debug)]
pub struct ContactAccount {
    /// The store's number of the partner.
    pub partner_id: PartnerNo,
    /// The partner's account e-mail.
    pub account_email: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The contact.
    pub contact: Option<Details>,
    /// How often it was set.
    pub versions: i32,
}

/// Who a contact is and how they are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The directory user, by number in the store.
    pub user_id: UserNo,
    /// Where offer mail goes.
    pub email: String,
    /// In the form of E.164.
    pub phone: String,
    /// A BCP 47 tag.
    pub language: String,
}

/// A marketing contact to be set.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Whose.
    pub partner_id: PartnerNo,
    /// How many there were, with this one.
    pub version_no: i32,
    /// Who it is.
    pub details: Details,
    /// Who sets it.
    pub requested_by: String,
    /// Its line in its file.
    pub line: i32,
}

/// The accounts of these Partner IDs that are known, with their contacts.
pub async fn accounts(
    conn: &mut PgConnection,
    numbers: &[PartnerId],
) -> Result<HashMap<PartnerId, ContactAccount>> {
    let rows = sqlx::query!(
        r#"select p.number as "number!", p.partner_id as "partner_id!", p.account_email as "account_email!",
               p.country as "country!", c.user_id as "user_id?", c.email as "email?", c.phone as "phone?",
               c.language as "language?", v.versions as "versions!"
           from unnest($1::text[]) as n (number)
           cross join lateral (select * from partner p where p.number = n.number offset 0) p
           left join lateral (select * from contact c where c.partner_id = p.partner_id offset 0) c on true
           cross join lateral (select coalesce(max(version_no), 0) as versions from contact_version v
                               where v.partner_id = p.partner_id) v"#,
        numbers as &[PartnerId]
    )
    .fetch_all(conn)
    .await?;
    let account =
        |user_id: Option<UserNo>, email: Option<String>, phone: Option<String>, language: Option<String>| {
            Some(Details { user_id: user_id?, email: email?, phone: phone?, language: language? })
        };
    let accounts = rows.into_iter().map(|r| {
        let contact = account(r.user_id.map(UserNo::from), r.email, r.phone, r.language);
        let (account_email, country) = (r.account_email, r.country);
        (
            r.number.into(),
            ContactAccount {
                partner_id: r.partner_id.into(),
                account_email,
                country,
                contact,
                versions: r.versions,
            },
        )
    });
    Ok(accounts.collect())
}

/// Sets contacts, in their order, and keeps each as a version.
pub async fn put(
    conn: &mut PgConnection,
    file_id: FileNo,
    known_on: NaiveDate,
    contacts: &[Contact],
) -> Result<()> {
    if contacts.is_empty() {
        return Ok(());
    }
    let partners: Vec<PartnerNo> = contacts.iter().map(|c| c.partner_id).collect();
    let versions: Vec<i32> = contacts.iter().map(|c| c.version_no).collect();
    let users: Vec<UserNo> = contacts.iter().map(|c| c.details.user_id).collect();
    let texts = |of: fn(&Contact) -> &String| contacts.iter().map(of).cloned().collect::<Vec<String>>();
    let (emails, phones) = (texts(|c| &c.details.email), texts(|c| &c.details.phone));
    let (languages, by) = (texts(|c| &c.details.language), texts(|c| &c.requested_by));
    let lines: Vec<i32> = contacts.iter().map(|c| c.line).collect();
    sqlx::query!(
        "insert into contact_version (partner_id, version_no, user_id, email, phone, language, known_on, requested_by,
             file_id, line)
         select n.partner_id, n.version_no, n.user_id, n.email, n.phone, n.language, $1, n.requested_by, $2, n.line
         from unnest($3::bigint[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[])
             as n (partner_id, version_no, user_id, email, phone, language, requested_by, line)",
        known_on,
        file_id.get(),
        &partners as &[PartnerNo],
        &versions,
        &users as &[UserNo],
        &emails,
        &phones,
        &languages,
        &by,
        &lines
    )
    .execute(&mut *conn)
    .await?;
    // The last of a partner's is who it is.
    sqlx::query!(
        "insert into contact (partner_id, user_id, email, phone, language, file_id)
         select distinct on (n.partner_id) n.partner_id, n.user_id, n.email, n.phone, n.language, $1
         from unnest($2::bigint[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[])
             as n (partner_id, version_no, user_id, email, phone, language)
         order by n.partner_id, n.version_no desc
         on conflict (partner_id) do update set user_id = excluded.user_id, email = excluded.email,
             phone = excluded.phone, language = excluded.language, file_id = excluded.file_id",
        file_id.get(),
        &partners as &[PartnerNo],
        &versions,
        &users as &[UserNo],
        &emails,
        &phones,
        &languages
    )
    .execute(conn)
    .await?;
    Ok(())
}

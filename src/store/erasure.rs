//! Taking somebody out: names and addresses give way to a pseudonym wherever they are, and all that refers to the person by
//! number stays. One transaction; history is changed by a function of the database that can do nothing else.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::{PgConnection, types::Json};

use super::{Result, vault::Vault, work::By};
use crate::domain::{
    erasure::pseudonym,
    id::{PartnerId, PartnerNo, UserNo},
};

mod mails;
mod pattern;
mod pending;
mod person;
mod rows;

pub use pending::{answer_places, clear_answers, forget, known_names, open_files, pending};
pub use person::{Person, contact_of, known_by, partner_no, users_called, with_address};
use rows::Patterns;

/// What was taken out.
#[derive(Clone, Debug, Serialize)]
pub struct Erased {
    /// Its number.
    pub number: i64,
    /// What stands for the person from now on.
    pub pseudonym: String,
    /// Rows that were changed, by table; those without any are left out.
    pub taken_out: BTreeMap<String, i64>,
}

/// Why nobody was taken out.
#[derive(Clone, Debug)]
pub enum NotErased {
    /// An address of theirs is the account e-mail of these partners, and a partner must have one.
    AccountEmail(Vec<PartnerId>),
    /// A file that is being taken in names them.
    ComingIn(Vec<String>),
    /// Who does it, or why, would name them for good.
    Named,
    /// Nothing of them is there.
    Nothing,
}

/// An erasure on record.
#[derive(Clone, Debug)]
pub struct EarlierErasure {
    /// Its number.
    pub number: i64,
    /// What stands for the person.
    pub pseudonym: String,
    /// The business date.
    pub on: NaiveDate,
    /// Who did it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// The latest erasure of somebody with that name, at that partner or by address.
pub async fn earlier(
    conn: &mut PgConnection,
    vault: &Vault,
    partner: Option<&PartnerId>,
    name: &str,
) -> Result<Option<EarlierErasure>> {
    let at = partner.map_or("", PartnerId::as_str);
    let hashes = [vault.name_hash(at, name), vault.name_hash("", name)];
    let found = sqlx::query!(
        "select e.erasure_id, e.erased_on, e.by, e.why from erased_name n join erasure e using (erasure_id)
         where n.hash = any($1) order by e.erasure_id desc limit 1",
        &hashes[..]
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|e| EarlierErasure {
        number: e.erasure_id,
        pseudonym: pseudonym(e.erasure_id),
        on: e.erased_on,
        by: e.by,
        why: e.why,
    }))
}

/// Takes somebody out, as of a business date, in the transaction that `conn` is in; if nothing in the tables is theirs, only if
/// their `files` are.
pub async fn erase(
    conn: &mut PgConnection,
    person: &Person,
    vault: &Vault,
    files: bool,
    on: NaiveDate,
    by: By<'_>,
) -> Result<std::result::Result<Erased, NotErased>> {
    let patterns = Patterns::of(person);
    if let Some(against) = against(conn, person, &patterns, by).await? {
        return Ok(Err(against));
    }
    let whose = person.partner.as_ref().map(|(number, _)| *number);
    let number = sqlx::query_scalar!(
        "insert into erasure (erasure_id, partner_id, users, erased_on, by, why, taken_out)
         select coalesce(max(erasure_id), 0) + 1, $1, $2, $3, $4, $5, '{}' from erasure
         returning erasure_id",
        whose as Option<PartnerNo>,
        &person.users as &[UserNo],
        on,
        by.by,
        by.why
    )
    .fetch_one(&mut *conn)
    .await?;
    let pseudonym = pseudonym(number);
    let mut counts = rows::people(conn, person, &pseudonym).await?;
    counts.extend(history(conn, person, &patterns, &pseudonym).await?);
    counts.extend(rows::texts(conn, whose, &patterns, &pseudonym).await?);
    counts.extend(mails::mails(conn, person, &patterns, vault, &pseudonym).await?);
    let mut taken_out = BTreeMap::new();
    for (place, changed) in counts {
        if changed > 0 {
            *taken_out.entry(place).or_default() += changed;
        }
    }
    if taken_out.is_empty() && !files {
        return Ok(Err(NotErased::Nothing));
    }
    remember(conn, person, vault, number).await?;
    pending::keep(conn, person, vault, number).await?;
    sqlx::query!("update erasure set taken_out = $2 where erasure_id = $1", number, Json(&taken_out) as _)
        .execute(conn)
        .await?;
    Ok(Ok(Erased { number, pseudonym, taken_out }))
}

/// What stands against it.
async fn against(
    conn: &mut PgConnection,
    person: &Person,
    patterns: &Patterns,
    by: By<'_>,
) -> Result<Option<NotErased>> {
    let partners = sqlx::query_scalar!(
        r#"select number as "number: PartnerId" from partner where lower(account_email) = any($1) order by number"#,
        &person.addresses
    )
    .fetch_all(&mut *conn)
    .await?;
    if !partners.is_empty() {
        return Ok(Some(NotErased::AccountEmail(partners)));
    }
    let coming = sqlx::query_scalar!(
        "select f.name from file f
         where exists (select from staged_row s where s.file_id = f.file_id and s.cells ~* $1) order by f.file_id",
        &patterns.anywhere
    )
    .fetch_all(&mut *conn)
    .await?;
    if !coming.is_empty() {
        return Ok(Some(NotErased::ComingIn(coming)));
    }
    let named =
        sqlx::query_scalar!(r#"select $1 ~* $3 or $2 ~* $3 as "named!""#, by.by, by.why, &patterns.there);
    Ok(named.fetch_one(conn).await?.then_some(NotErased::Named))
}

async fn history(
    conn: &mut PgConnection,
    person: &Person,
    patterns: &Patterns,
    pseudonym: &str,
) -> Result<Vec<(String, i64)>> {
    let names: Vec<String> = person.names.iter().map(|name| name.to_lowercase()).collect();
    let changed = sqlx::query!(
        r#"select place as "place!", changed as "changed!" from erase_in_history($1, $2, $3, $4, $5, $6, $7, $8)"#,
        pseudonym,
        person.partner.as_ref().map(|(number, _)| number.get()),
        &person.users as &[UserNo],
        &person.addresses,
        &names,
        &patterns.there,
        &patterns.there_in_json,
        &patterns.anywhere
    )
    .fetch_all(conn)
    .await?;
    Ok(changed.into_iter().map(|row| (row.place, row.changed)).collect())
}

/// Keeps by what the person is known again, without its being told.
async fn remember(conn: &mut PgConnection, person: &Person, vault: &Vault, number: i64) -> Result<()> {
    let at = person.partner.as_ref().map_or("", |(_, number)| number.as_str());
    let hashes: Vec<Vec<u8>> = person.names.iter().map(|name| vault.name_hash(at, name)).collect();
    sqlx::query!(
        "insert into erased_name (hash, erasure_id) select hash, $2 from unnest($1::bytea[]) as hash on conflict do nothing",
        &hashes,
        number
    )
    .execute(conn)
    .await?;
    Ok(())
}

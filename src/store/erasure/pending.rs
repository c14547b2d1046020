//! An erasure whose files are not gone through yet: what the person is known by is kept until then, sealed.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::person::Person;
use crate::{
    domain::{erasure::KnownNames, id::PartnerId},
    store::{Error, Result, vault::Vault},
};

/// What is sealed.
#[derive(Deserialize, Serialize)]
struct SealedNames {
    partner: Option<PartnerId>,
    names: Vec<String>,
    said: Vec<String>,
}

/// What somebody is known by in files.
#[must_use]
pub fn known_names(person: &Person, pseudonym: &str) -> KnownNames {
    let partner = person.partner.as_ref().map(|(_, number)| number.clone());
    let said: Vec<String> = person.called.iter().chain(&person.written).cloned().collect();
    KnownNames::new(pseudonym.to_owned(), partner, &person.names, &said)
}

/// Keeps what somebody is known by until their files are gone through.
pub(super) async fn keep(conn: &mut PgConnection, person: &Person, vault: &Vault, number: i64) -> Result<()> {
    let names = SealedNames {
        partner: person.partner.as_ref().map(|(_, number)| number.clone()),
        names: person.names.clone(),
        said: person.called.iter().chain(&person.written).cloned().collect(),
    };
    let text = serde_json::to_string(&names).map_err(|error| Error::Output(error.into()))?;
    let sealed = vault.seal_names(&text, number)?;
    sqlx::query!("update erasure set sealed_names = $2 where erasure_id = $1", number, sealed)
        .execute(conn)
        .await?;
    Ok(())
}

/// What somebody is known by whose files are not gone through yet; `None`: they are.
pub async fn pending(conn: &mut PgConnection, vault: &Vault, number: i64) -> Result<Option<KnownNames>> {
    let sealed = sqlx::query_scalar!("select sealed_names from erasure where erasure_id = $1", number)
        .fetch_optional(conn)
        .await?;
    let Some(sealed) = sealed.flatten() else { return Ok(None) };
    let text = vault.open_names(&sealed, number)?;
    let names: SealedNames = serde_json::from_str(&text)
        .map_err(|_| Error::Unknown { what: format!("the names of erasure {number}") })?;
    let pseudonym = crate::domain::erasure::pseudonym(number);
    Ok(Some(KnownNames::new(pseudonym, names.partner, &names.names, &names.said)))
}

/// Forgets what somebody is known by: their files are gone through.
pub async fn forget(conn: &mut PgConnection, number: i64) -> Result<()> {
    sqlx::query!("update erasure set sealed_names = null where erasure_id = $1", number)
        .execute(conn)
        .await?;
    Ok(())
}

/// Files that are being taken in, by SHA-256: their copies are read again.
pub async fn open_files(conn: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!("select sha256 from file where status in ('staging', 'staged')")
        .fetch_all(conn)
        .await?)
}

/// Where the answers to imported files are.
pub async fn answer_places(conn: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select distinct answered_in as "place!" from file where answered_in is not null order by 1"#
    )
    .fetch_all(conn)
    .await?)
}

/// The answers to rows about somebody lose the cells that they quote, before the copy in the spool does that tells which rows
/// these are.
pub async fn clear_answers(
    conn: &mut PgConnection,
    sha256: &str,
    lines: &[i32],
    pseudonym: &str,
) -> Result<u64> {
    let cleared = sqlx::query!(
        r#"update row_answer a
           set problems = (select jsonb_agg(p || case when p ->> 'value' = '' then '{}'
                                                 else jsonb_build_object('value', $3::text) end order by nth)
                           from jsonb_array_elements(a.problems) with ordinality as e (p, nth))
           from file f
           where f.sha256 = $1 and a.file_id = f.file_id and a.line = any($2) and a.problems <> '[]'"#,
        sha256,
        lines,
        pseudonym
    )
    .execute(conn)
    .await?;
    Ok(cleared.rows_affected())
}

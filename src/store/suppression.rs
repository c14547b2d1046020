//! Addresses that no mail goes to, or no marketing, whoever it is owed to (promise 9).

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::{
    Result,
    vault::{SecretPlace, Vault, hex},
    work::By,
};
use crate::domain::suppression::SuppressionScope;

/// An address that no mail goes to, or no marketing.
#[derive(Clone, Debug, Serialize)]
pub struct Suppressed {
    /// Which, in lower case; of somebody who was erased the begin of its keyed hash, `hmac:3f2a91c0…`.
    pub address: String,
    /// What does not go there.
    pub scope: SuppressionScope,
    /// Since when.
    pub added_at: DateTime<Utc>,
    /// Who said so.
    pub added_by: String,
    /// Why.
    pub why: String,
}

/// Those that hold, in the order of the addresses; one of each scope may hold for an address.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Suppressed>> {
    Ok(sqlx::query_as!(
        Suppressed,
        r#"select case when starts_with(address, 'hmac:') then left(address, 17) || '…' else address end as "address!",
                  scope as "scope!: SuppressionScope", added_at, added_by, why from suppression
           where removed_at is null order by address, scope"#
    )
    .fetch_all(conn)
    .await?)
}

/// Sends no mail of a scope to an address any more; says whether any went there until now, as far as that scope goes.
pub async fn add(
    conn: &mut PgConnection,
    address: &str,
    scope: SuppressionScope,
    by: By<'_>,
) -> Result<bool> {
    let added = sqlx::query!(
        "insert into suppression (address, added_by, why, scope) values (lower($1), $2, $3, $4)
         on conflict (address, scope) where removed_at is null do nothing",
        address,
        by.by,
        by.why,
        scope as _
    );
    Ok(added.execute(conn).await?.rows_affected() > 0)
}

/// Lets mail of a scope go to an address again; says whether none went there until now. Marketing that is suppressed by itself
/// stays so when all else may go there again. Also what is suppressed by the keyed hash of the address is let go.
pub async fn remove(
    conn: &mut PgConnection,
    place: &SecretPlace,
    address: &str,
    scope: SuppressionScope,
    by: By<'_>,
) -> Result<bool> {
    let address = address.to_lowercase();
    let mut addresses = vec![address.clone()];
    if any_sealed(conn).await? {
        addresses.push(sealed(&place.open(conn).await?, &address));
    }
    let removed = sqlx::query!(
        "update suppression set removed_at = now(), removed_by = $2, removed_why = $3
         where address = any($1) and scope = $4 and removed_at is null",
        &addresses,
        by.by,
        by.why,
        scope as _
    );
    Ok(removed.execute(conn).await?.rows_affected() > 0)
}

/// What stands for an address that nobody is to read.
fn sealed(vault: &Vault, address: &str) -> String {
    format!("hmac:{}", hex(&vault.name_hash("", address)))
}

/// Keeps what is suppressed of these addresses by their keyed hashes alone; says of how many entries. `pattern` finds in the
/// reasons what is to give way to `pseudonym`.
pub(super) async fn seal(
    conn: &mut PgConnection,
    vault: &Vault,
    addresses: &[String],
    pattern: &str,
    pseudonym: &str,
) -> Result<u64> {
    let hashes: Vec<String> = addresses.iter().map(|address| sealed(vault, address)).collect();
    // What holds by its hash already, since it was sealed once and the address came again, holds once.
    let twice = sqlx::query!(
        "delete from suppression s using unnest($1::text[], $2::text[]) as n (address, hash)
         where s.address = n.address and s.removed_at is null
             and exists (select from suppression h where h.address = n.hash and h.scope = s.scope and h.removed_at is null)",
        addresses,
        &hashes
    )
    .execute(&mut *conn)
    .await?;
    let changed = sqlx::query!(
        "update suppression s
         set address = coalesce(n.hash, s.address), why = regexp_replace(t.why, $3, $4, 'gi'),
             removed_why = regexp_replace(s.removed_why, $3, $4, 'gi')
         from suppression o
         left join unnest($1::text[], $2::text[]) as n (address, hash) on n.address = o.address
         -- a Message-ID is made from the address
         cross join lateral (select case when n.hash is null then o.why
                                    else regexp_replace(o.why, '<[0-9a-f]{40}@[^>]*>', $4, 'g') end as why) t
         where s.suppression_id = o.suppression_id and (n.hash is not null or o.why ~* $3 or o.removed_why ~* $3)",
        addresses,
        &hashes,
        pattern,
        pseudonym
    )
    .execute(conn)
    .await?;
    Ok(twice.rows_affected() + changed.rows_affected())
}

/// Of addresses that a file brings, those that are suppressed by a keyed hash are suppressed by name again: they are in the store
/// by name now. The secret is asked for only if there are such hashes.
pub async fn meet(conn: &mut PgConnection, place: &SecretPlace, addresses: &[String]) -> Result<()> {
    if addresses.is_empty() || !any_sealed(conn).await? {
        return Ok(());
    }
    let vault = place.open(conn).await?;
    let addresses: Vec<String> = addresses.iter().map(|address| address.to_lowercase()).collect();
    let hashes: Vec<String> = addresses.iter().map(|address| sealed(&vault, address)).collect();
    sqlx::query!(
        "insert into suppression (address, scope, added_by, why)
         select n.address, s.scope, s.added_by, s.why
         from (select distinct * from unnest($1::text[], $2::text[]) as n (address, hash)) n
         join suppression s on s.address = n.hash and s.removed_at is null
         on conflict (address, scope) where removed_at is null do nothing",
        &addresses,
        &hashes
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn any_sealed(conn: &mut PgConnection) -> Result<bool> {
    let any = sqlx::query_scalar!(
        r#"select exists (select from suppression where starts_with(address, 'hmac:') and removed_at is null) as "any!""#
    );
    Ok(any.fetch_one(conn).await?)
}

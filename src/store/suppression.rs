//! Addresses that no mail goes to, whoever it is owed to (promise 9).

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::{Result, work::By};

/// An address that no mail goes to.
#[derive(Clone, Debug, Serialize)]
pub struct Suppressed {
    /// Which, in lower case.
    pub address: String,
    /// Since when.
    pub added_at: DateTime<Utc>,
    /// Who said so.
    pub added_by: String,
    /// Why.
    pub why: String,
}

/// Those that hold, in the order of the addresses.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Suppressed>> {
    Ok(sqlx::query_as!(
        Suppressed,
        "select address, added_at, added_by, why from suppression where removed_at is null order by address"
    )
    .fetch_all(conn)
    .await?)
}

/// Sends no mail to an address any more; says whether any went there until now.
pub async fn add(conn: &mut PgConnection, address: &str, by: By<'_>) -> Result<bool> {
    let added = sqlx::query!(
        "insert into suppression (address, added_by, why) values (lower($1), $2, $3)
         on conflict (address) where removed_at is null do nothing",
        address,
        by.by,
        by.why
    );
    Ok(added.execute(conn).await?.rows_affected() > 0)
}

/// Lets mail go to an address again; says whether none went there until now.
pub async fn remove(conn: &mut PgConnection, address: &str, by: By<'_>) -> Result<bool> {
    let removed = sqlx::query!(
        "update suppression set removed_at = now(), removed_by = $2, removed_why = $3
         where address = lower($1) and removed_at is null",
        address,
        by.by,
        by.why
    );
    Ok(removed.execute(conn).await?.rows_affected() > 0)
}

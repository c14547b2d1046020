//! Addresses that no mail goes to, or no marketing, whoever it is owed to (promise 9).

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::{Result, work::By};
use crate::domain::suppression::SuppressionScope;

/// An address that no mail goes to, or no marketing.
#[derive(Clone, Debug, Serialize)]
pub struct Suppressed {
    /// Which, in lower case.
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
        r#"select address, scope as "scope!: SuppressionScope", added_at, added_by, why from suppression
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
/// stays so when all else may go there again.
pub async fn remove(
    conn: &mut PgConnection,
    address: &str,
    scope: SuppressionScope,
    by: By<'_>,
) -> Result<bool> {
    let removed = sqlx::query!(
        "update suppression set removed_at = now(), removed_by = $2, removed_why = $3
         where address = lower($1) and scope = $4 and removed_at is null",
        address,
        by.by,
        by.why,
        scope as _
    );
    Ok(removed.execute(conn).await?.rows_affected() > 0)
}

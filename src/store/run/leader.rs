//! Who runs nights, and who may change facts: locks that are released with their transaction, and the leader's epoch,
//! which fences its writes.

use sqlx::PgConnection;

use crate::store::{Error, Result};

/// The lock of the one process that runs nights; held while `conn`'s transaction is open. `false`: another has it.
pub async fn lock_night(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtext('benefactor.night')) as "held!""#)
        .fetch_one(conn)
        .await?)
}

/// Lets Postgres end this transaction after 20 s without a statement ([`heartbeat`]), so that a paused process does not
/// keep its lock.
pub async fn end_without_heartbeat(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select set_config('idle_in_transaction_session_timeout', '20s', true)")
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Keeps a transaction alive that holds a lock.
pub async fn heartbeat(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select 1 as one").fetch_one(conn).await?;
    Ok(())
}

/// Makes `worker` the leader, now that it holds the night's lock: the leader before it writes nothing more. Returns its
/// epoch.
pub async fn become_leader(conn: &mut PgConnection, worker: &str) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        "update coordinator set epoch = epoch + 1, worker = $1, began_at = now() returning epoch",
        worker
    )
    .fetch_one(conn)
    .await?)
}

/// Makes sure that this process is still leader, and keeps it so until the transaction ends. Postgres ends a transaction
/// that is silent for 20 s, so that a paused process does not block the others.
///
/// # Errors
/// [`Error::LeaseLost`] when another process became leader meanwhile: the caller rolls back.
pub async fn ensure_leader(conn: &mut PgConnection, epoch: i64) -> Result<()> {
    let held = sqlx::query!(
        "select epoch, set_config('idle_in_transaction_session_timeout', '20s', true)
         from coordinator where epoch = $1 for share",
        epoch
    )
    .fetch_optional(conn)
    .await?;
    if held.is_some() { Ok(()) } else { Err(Error::LeaseLost) }
}

/// Whether some process runs nights now. Asks without taking the lock, so that no leader finds it taken by a question.
pub async fn night_runs(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from pg_locks
               where locktype = 'advisory' and objsubid = 1 and granted
                 and database = (select oid from pg_database where datname = current_database())
                 and (classid::bigint << 32 | objid::bigint) = hashtext('benefactor.night')::bigint
           ) as "runs!""#
    )
    .fetch_one(conn)
    .await?)
}

/// Facts of partners may change in so many lanes at the same time: those of one partner in one lane only.
pub const FACT_LANES: i32 = 8;

/// Keeps files from changing facts while a chunk works by them, until the transaction ends. Postgres ends a transaction
/// that is silent for 30 s, so that a paused process does not block the others.
pub async fn share_facts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "select set_config('idle_in_transaction_session_timeout', '30s', true),
                pg_advisory_xact_lock_shared(hashtext('benefactor.facts')),
                pg_advisory_xact_lock_shared(hashtext('benefactor.facts'), lane) as in_lane
         from generate_series(0, $1 - 1) as lane",
        FACT_LANES
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Waits until no chunk works by the facts and nobody else changes those of the partners of these `lanes`, which are in
/// ascending order, and keeps others away until the transaction ends; it too ends after 30 s of silence.
pub async fn change_facts_in(conn: &mut PgConnection, lanes: &[i32]) -> Result<()> {
    sqlx::query!(
        "select set_config('idle_in_transaction_session_timeout', '30s', true),
                pg_advisory_xact_lock_shared(hashtext('benefactor.facts')),
                pg_advisory_xact_lock(hashtext('benefactor.facts'), lane)
         from unnest($1::int[]) as lane",
        lanes
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Waits until no chunk works by the facts and nobody else changes any, and keeps all others away until the transaction
/// ends; it too ends after 30 s of silence.
pub async fn change_facts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "select set_config('idle_in_transaction_session_timeout', '30s', true),
                pg_advisory_xact_lock(hashtext('benefactor.facts'))"
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

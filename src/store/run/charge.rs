//! Who runs nights, and who may change facts: locks that go with their transaction, and an epoch that fences.

use sqlx::PgConnection;

use crate::store::{Error, Result};

/// The lock of the one process that runs nights; held while `conn`'s transaction is open. `false`: another has it.
pub async fn lock_night(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtext('benefactor.night')) as "held!""#)
        .fetch_one(conn)
        .await?)
}

/// Lets Postgres end this transaction when it gives no word ([`give_word`]) for 20 s, so that a paused process does not
/// keep its lock.
pub async fn end_when_silent(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select set_config('idle_in_transaction_session_timeout', '20s', true)")
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Gives word for a transaction that holds a lock.
pub async fn give_word(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select 1 as one").fetch_one(conn).await?;
    Ok(())
}

/// Makes `worker` the coordinator, now that it holds the night's lock: whoever was it before writes nothing more.
/// Gives its epoch.
pub async fn take_charge(conn: &mut PgConnection, worker: &str) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        "update coordinator set epoch = epoch + 1, worker = $1, began_at = now() returning epoch",
        worker
    )
    .fetch_one(conn)
    .await?)
}

/// Holds the coordinator's place until the transaction ends. Postgres ends one that is silent for 20 s, as it does the
/// one with the night's lock: a paused process keeps nobody out.
///
/// # Errors
/// [`Error::LeaseLost`] when another process took charge meanwhile: the caller rolls back.
pub async fn in_charge(conn: &mut PgConnection, epoch: i64) -> Result<()> {
    let held = sqlx::query!(
        "select epoch, set_config('idle_in_transaction_session_timeout', '20s', true)
         from coordinator where epoch = $1 for share",
        epoch
    )
    .fetch_optional(conn)
    .await?;
    if held.is_some() { Ok(()) } else { Err(Error::LeaseLost) }
}

/// Whether some process runs nights now; asks without taking their lock, so that nobody finds it held by a question.
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

/// Keeps files from changing facts while a chunk reads and writes by them, until the transaction ends. Postgres ends
/// one that is silent for 30 s: a paused process does not keep others out.
pub async fn share_facts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "select set_config('idle_in_transaction_session_timeout', '30s', true),
                pg_advisory_xact_lock_shared(hashtext('benefactor.facts'))"
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Keeps chunks of jobs away while facts change, until the transaction ends; a silent one as above.
pub async fn change_facts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "select set_config('idle_in_transaction_session_timeout', '30s', true),
                pg_advisory_xact_lock(hashtext('benefactor.facts'))"
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

//! Wake-up calls: a row in the queue's own table that says "something is due in this queue". Nothing depends on a call:
//! what is due is recorded in our tables, and a call that is lost is sent again.
//!
//! The table is the queue's (schema `apalis`), so these statements are checked when they run, not when they are
//! compiled. Only columns are touched that its own insert touches; the database's clock says when.

use sqlx::PgConnection;

use super::Result;

/// At most so many calls wait in a queue; the next look a second later wakes further workers.
pub const MOST: i64 = 8;

/// The lock of the one process that looks for what is due, until the transaction ends; `false`: another has it.
pub async fn lock_sweep(conn: &mut PgConnection) -> Result<bool> {
    // A paused process does not keep the others from looking.
    sqlx::query!("select set_config('idle_in_transaction_session_timeout', '10s', true)")
        .fetch_one(&mut *conn)
        .await?;
    Ok(sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtext('benefactor.sweep')) as "held!""#)
        .fetch_one(conn)
        .await?)
}

/// Adds calls until `wanted` of them wait in a queue, at most [`MOST`]; in the caller's transaction. A call of a higher
/// priority is answered first. Returns how many it added.
pub async fn notify(conn: &mut PgConnection, queue: &str, wanted: i64, priority: i16) -> Result<u64> {
    let added = sqlx::query(
        "insert into apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at, priority)
         select apalis.generate_ulid(), $1, convert_to('{}', 'utf8'), 'Pending', 0, 5, now(), $3
         from generate_series(1, $2 - (select count(*) from apalis.jobs where job_type = $1 and status = 'Pending'))",
    )
    .bind(queue)
    .bind(wanted.min(MOST))
    .bind(i32::from(priority))
    .execute(conn)
    .await?;
    Ok(added.rows_affected())
}

/// Gives back the calls that a worker took and did not answer before it ended. Without this they wait until the worker's
/// heartbeat is missed.
pub async fn let_go(conn: &mut PgConnection, worker: &str) -> Result<()> {
    sqlx::query(
        "update apalis.jobs set status = 'Pending', lock_by = null, lock_at = null
         where lock_by = $1 and status in ('Queued', 'Running')",
    )
    .bind(worker)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes calls answered 10 minutes ago, and workers not seen for a day; nothing reads them.
pub async fn clear(conn: &mut PgConnection, queues: &[String]) -> Result<()> {
    sqlx::query(
        "delete from apalis.jobs where job_type = any($1) and status in ('Done', 'Failed', 'Killed')
         and done_at < now() - interval '10 minutes'",
    )
    .bind(queues)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "delete from apalis.workers w where worker_type = any($1) and last_seen < now() - interval '1 day'
         and not exists (select from apalis.jobs j where j.lock_by = w.id)",
    )
    .bind(queues)
    .execute(conn)
    .await?;
    Ok(())
}

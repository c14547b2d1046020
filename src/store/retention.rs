//! What is no longer needed of work that is done: its chunks, their attempts, and ticks that were answered, each job's
//! after its own number of days. Kept for good are runs (effects carry their numbers), what operators did with the
//! chunks they did it to, and whatever failed, was discarded or is open.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Chunks.
    pub chunks: i64,
    /// Their attempts.
    pub attempts: i64,
    /// Ticks.
    pub ticks: i64,
}

/// Lets one process at a time prune, until the transaction ends; `false`: another is at it.
pub async fn lock(conn: &mut PgConnection) -> Result<bool> {
    // A paused process does not keep the others from it, nor its rows.
    sqlx::query!("select set_config('idle_in_transaction_session_timeout', '10s', true)")
        .fetch_one(&mut *conn)
        .await?;
    Ok(sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtext('benefactor.retention')) as "held!""#
    )
    .fetch_one(conn)
    .await?)
}

/// Removes at most `limit` chunks that were done, or cut, in runs of `job` which ended more than `keep_days` ago, with their
/// attempts. By the database's clock.
pub async fn prune_chunks(conn: &mut PgConnection, job: &str, keep_days: i32, limit: i64) -> Result<Pruned> {
    let row = sqlx::query!(
        r#"with old as (
               select c.run_id, c.chunk_no
               from run r join run_chunk c using (run_id)
               where r.job = $1 and r.status <> 'running' and r.finished_at < now() - make_interval(days => $2)
                 and c.status in ('done', 'split')
                 and not exists (select from operator_action o where o.run_id = c.run_id and o.chunk_no = c.chunk_no)
               order by c.run_id, c.chunk_no limit $3 for update of c skip locked
           ), chunks as (
               delete from run_chunk c using old where c.run_id = old.run_id and c.chunk_no = old.chunk_no
               returning c.run_id, c.chunk_no
           ), attempts as (
               delete from attempt a using old where a.run_id = old.run_id and a.chunk_no = old.chunk_no
               returning a.attempt_id
           )
           select (select count(*) from chunks) as "chunks!", (select count(*) from attempts) as "attempts!""#,
        job,
        keep_days,
        limit
    )
    .fetch_one(conn)
    .await?;
    Ok(Pruned { chunks: row.chunks, attempts: row.attempts, ticks: 0 })
}

/// Removes at most `limit` ticks of `job` that were rung more than `keep_days` ago and wait for nothing. The last stays:
/// it says up to when the timetable was kept.
pub async fn prune_ticks(conn: &mut PgConnection, job: &str, keep_days: i32, limit: i64) -> Result<Pruned> {
    let removed = sqlx::query!(
        "delete from tick t using (
             select o.name, o.due_at from tick o
             where o.name = $1 and o.rung_at < now() - make_interval(days => $2)
               and (o.answered_at is not null or o.verdict <> 'due')
               and o.due_at < (select max(l.due_at) from tick l where l.name = o.name)
             limit $3 for update skip locked
         ) old
         where t.name = old.name and t.due_at = old.due_at",
        job,
        keep_days,
        limit
    )
    .execute(conn)
    .await?;
    Ok(Pruned { ticks: i64::try_from(removed.rows_affected()).unwrap_or(i64::MAX), ..Pruned::default() })
}

/// Those of these business dates for which `job` ran, more than `keep_days` before the last one for which it did.
pub async fn no_longer_kept(
    conn: &mut PgConnection,
    job: &str,
    dates: &[NaiveDate],
    keep_days: i32,
) -> Result<Vec<NaiveDate>> {
    Ok(sqlx::query_scalar!(
        "select due_on from run
         where job = $1 and due_on = any($2) and due_on < (select max(due_on) from run where job = $1) - $3::integer
         order by due_on",
        job,
        dates,
        keep_days
    )
    .fetch_all(conn)
    .await?)
}

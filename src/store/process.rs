//! Processes that work, and the last heartbeat of each; all times are the database's.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Result;

/// Seconds without word after which a process no longer counts as living.
pub const SILENT_AFTER_SECONDS: f64 = 30.0;

/// A process, as it says of itself.
#[derive(Clone, Debug)]
pub struct Process {
    /// What no other process, before or after, is called.
    pub name: String,
    /// `up` or `worker`; both keep the timetable.
    pub command: &'static str,
    /// The machine it runs on.
    pub host: String,
    /// Its number there.
    pub pid: i32,
    /// Of the binary.
    pub version: &'static str,
    /// Where its figures and health can be asked, `127.0.0.1:9464`.
    pub listens_on: Option<String>,
}

/// A process, as others see it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What no other process, before or after, is called.
    pub name: String,
    /// `up` or `worker`.
    pub command: String,
    /// The machine it runs on.
    pub host: String,
    /// Its number there.
    pub pid: i32,
    /// Of the binary.
    pub version: String,
    /// Where its figures and health can be asked.
    pub listens_on: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it last gave word.
    pub seen_at: DateTime<Utc>,
    /// How long ago that was, in seconds.
    pub seen_seconds: f64,
    /// It gave word lately. Otherwise it fell silent: it did not sign off, and nobody made up for it since.
    pub lives: bool,
}

/// Gives word for a process: the first one puts it on record.
pub async fn beat(conn: &mut PgConnection, me: &Process) -> Result<()> {
    sqlx::query!(
        "insert into process (name, command, host, pid, version, listens_on) values ($1, $2, $3, $4, $5, $6)
         on conflict (name) do update set seen_at = now()",
        me.name,
        me.command,
        me.host,
        me.pid,
        me.version,
        me.listens_on,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Signs a process off: it left in order, and its silence is no alarm.
pub async fn end(conn: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!("update process set seen_at = now(), ended_at = now() where name = $1", name)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets processes that gave no word for a week; the one heard of last stays, so that its silence stays an alarm.
pub async fn prune(conn: &mut PgConnection) -> Result<u64> {
    let pruned = sqlx::query!(
        "delete from process where seen_at < now() - interval '7 days'
         and name <> (select name from process order by seen_at desc, name limit 1)"
    )
    .execute(conn)
    .await?;
    Ok(pruned.rows_affected())
}

/// The processes that live, and those that fell silent and were not made up for: by one that began after their last
/// word, or by a night that was completed since. Who gave word last comes first.
pub async fn seen(conn: &mut PgConnection) -> Result<Vec<Seen>> {
    Ok(sqlx::query_as!(
        Seen,
        r#"select name, command, host, pid, version, listens_on, started_at, seen_at,
                  greatest(extract(epoch from now() - seen_at), 0)::float8 as "seen_seconds!",
                  seen_at >= now() - make_interval(secs => $1) as "lives!"
           from process p
           where ended_at is null
             and (seen_at >= now() - make_interval(secs => $1)
                  or not exists (select from process later where later.started_at > p.seen_at)
                     and not exists (select from night where completed_at > p.seen_at + make_interval(secs => $1)))
           order by "lives!" desc, seen_at desc, name"#,
        SILENT_AFTER_SECONDS
    )
    .fetch_all(conn)
    .await?)
}

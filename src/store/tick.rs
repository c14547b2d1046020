//! The timetable's ticks on record: one row a job and due time, by whichever process came first, and what became of it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::Result;
use crate::domain::tick::{KnownTick, Tick, TickVerdict};

/// The ticks on record from a business date on.
pub async fn known(conn: &mut PgConnection, from: NaiveDate) -> Result<Vec<KnownTick>> {
    let rows = sqlx::query!(
        r#"select name, due_on as "due_on!", verdict, answered_at is not null as "answered!"
           from tick where due_on >= $1"#,
        from
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let verdict = TickVerdict::named(&row.verdict)?;
            Some(KnownTick { job: row.name, due_on: row.due_on, verdict, answered: row.answered })
        })
        .collect())
}

/// The first business date with a tick on record.
pub async fn first(conn: &mut PgConnection) -> Result<Option<NaiveDate>> {
    Ok(sqlx::query_scalar!("select min(due_on) from tick").fetch_one(conn).await?)
}

/// Puts ticks on record; says which of them were not yet, of each its job, business date and verdict.
pub async fn put(conn: &mut PgConnection, ticks: &[&Tick]) -> Result<Vec<(String, NaiveDate, TickVerdict)>> {
    if ticks.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = ticks.iter().map(|tick| tick.job.to_owned()).collect();
    let due_at: Vec<DateTime<Utc>> = ticks.iter().map(|tick| tick.due_at).collect();
    let due_on: Vec<NaiveDate> = ticks.iter().map(|tick| tick.due_on).collect();
    let verdicts: Vec<String> = ticks.iter().map(|tick| tick.verdict.name().to_owned()).collect();
    let rows = sqlx::query!(
        r#"insert into tick (name, due_at, due_on, verdict)
           select * from unnest($1::text[], $2::timestamptz[], $3::date[], $4::text[])
           on conflict do nothing
           returning name, due_on as "due_on!", verdict"#,
        &names,
        &due_at,
        &due_on,
        &verdicts,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((row.name, row.due_on, TickVerdict::named(&row.verdict)?)))
        .collect())
}

/// Records that jobs have run for a business date: that answers their ticks, whatever was to become of them.
pub async fn answer(conn: &mut PgConnection, jobs: &[String], due_on: NaiveDate) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update tick set verdict = 'due', answered_at = now()
         where name = any($1) and due_on = $2 and answered_at is null",
        jobs,
        due_on
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that a job was passed over for a business date though its tick was due once: a later one stands for it.
pub async fn pass_over(conn: &mut PgConnection, job: &str, due_on: NaiveDate) -> Result<()> {
    sqlx::query!(
        "update tick set verdict = 'skipped'
         where name = $1 and due_on = $2 and verdict = 'due' and answered_at is null",
        job,
        due_on
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ticks of a job that were dropped: more were missed than its timetable makes up for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DroppedTicks {
    /// The job.
    pub job: String,
    /// How many.
    pub count: i64,
    /// The first of their business dates.
    pub first_on: NaiveDate,
    /// The last.
    pub last_on: NaiveDate,
}

/// What was dropped in the last `days`, by job.
pub async fn dropped(conn: &mut PgConnection, days: i32) -> Result<Vec<DroppedTicks>> {
    Ok(sqlx::query_as!(
        DroppedTicks,
        r#"select name as job, count(*) as "count!", min(due_on) as "first_on!", max(due_on) as "last_on!"
           from tick where verdict = 'dropped' and rung_at >= now() - make_interval(days => $1) group by name order by name"#,
        days
    )
    .fetch_all(conn)
    .await?)
}

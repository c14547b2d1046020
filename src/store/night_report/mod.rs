//! The reports of nights: made once for a business date, and the mails that tell them (promise 9).

mod figures;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};

use super::{Result, run::Span};
use crate::domain::{id::RunNo, night_report::NightReport};

pub use figures::{booked, jobs_done, mails, refused, rejected, stakes, without_contact};

/// A report as the store has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum StoredReport {
    /// One that this version knows.
    Known(Box<NightReport>),
    /// One that it does not: its mails cannot be written, which is no other mail's doing.
    Unknown(serde_json::Value),
}

/// The last report before a business date.
#[derive(Clone, Copy, Debug)]
pub struct LastReport {
    /// The last night that it tells of.
    pub day: NaiveDate,
    /// When it was made, by the database's clock.
    pub made_at: DateTime<Utc>,
    /// That night had stopped then: what came of it is still to be told.
    pub has_stopped: bool,
}

/// Who is told.
#[derive(Clone, Debug)]
pub struct ReportMail {
    /// Its Message-ID.
    pub message_id: String,
    /// The address, lower case.
    pub recipient: String,
    /// BCP 47 tag.
    pub language: String,
}

/// The report that was made for a night, if one was.
pub async fn find(conn: &mut PgConnection, day: NaiveDate) -> Result<Option<StoredReport>> {
    let found = sqlx::query_scalar!(
        r#"select content as "content!: Json<StoredReport>" from night_report where day = $1"#,
        day
    );
    Ok(found.fetch_optional(conn).await?.map(|content| content.0))
}

/// The last report that was made for a night before `day`.
pub async fn last_before(conn: &mut PgConnection, day: NaiveDate) -> Result<Option<LastReport>> {
    Ok(sqlx::query_as!(
        LastReport,
        r#"select day, made_at, coalesce(jsonb_typeof(content -> 'stopped') = 'object', false) as "has_stopped!"
           from night_report where day < $1 order by day desc limit 1"#,
        day
    )
    .fetch_optional(conn)
    .await?)
}

/// The first of the nights right before `day` that a job was passed over for, because a later one stands for them.
pub async fn passed_over_since(
    conn: &mut PgConnection,
    job: &str,
    day: NaiveDate,
) -> Result<Option<NaiveDate>> {
    Ok(sqlx::query_scalar!(
        "select min(due_on) from tick
         where name = $1 and due_on < $2 and verdict = 'skipped'
           and due_on > coalesce((select max(due_on) from tick where name = $1 and due_on < $2 and verdict <> 'skipped'),
                                 '-infinity')",
        job,
        day
    )
    .fetch_one(conn)
    .await?)
}

/// Puts a report that a run made on record with the mails that tell it, all or nothing; says whether there was none for its last night yet.
pub async fn put(
    conn: &mut PgConnection,
    run_id: RunNo,
    report: &NightReport,
    mails: &[ReportMail],
) -> Result<bool> {
    let made = sqlx::query!(
        "insert into night_report (day, from_on, run_id, well, content)
         values ($1, $2, $3, $4, $5) on conflict (day) do nothing",
        report.until,
        report.from,
        run_id.get(),
        report.is_well(),
        Json(report) as _
    );
    if made.execute(&mut *conn).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let of =
        |field: fn(&ReportMail) -> &String| mails.iter().map(|mail| field(mail).clone()).collect::<Vec<_>>();
    sqlx::query!(
        "insert into mail (message_id, recipient, language, stream, day, run_id)
         select m.message_id, m.recipient, m.language, 'operator', $4, $5
         from unnest($1::text[], $2::text[], $3::text[]) with ordinality as m (message_id, recipient, language, nth)
         order by m.nth
         on conflict do nothing",
        &of(|mail| &mail.message_id),
        &of(|mail| &mail.recipient),
        &of(|mail| &mail.language),
        report.until,
        run_id.get()
    )
    .execute(conn)
    .await?;
    Ok(true)
}

/// The mails of reports that are not sent, as one span; the date of its keys is `today`. `None`: there are none.
pub async fn unsent(conn: &mut PgConnection, today: NaiveDate) -> Result<Option<Span>> {
    let found = sqlx::query!(
        "select min(mail_id) as first, max(mail_id) as last from mail
         where mail_is_unsent(status) and stream = 'operator'"
    )
    .fetch_one(conn)
    .await?;
    let span = found.first.zip(found.last);
    Ok(span.map(|(first, last)| Span { from: (today, first), until: (today, last.saturating_add(1)) }))
}

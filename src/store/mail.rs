//! Mails that carry notices: cut into spans, leased, composed, and what came of them (promise 9).

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, types::Json};

use self::pace::PaceWait;
use super::{
    Result,
    night_report::StoredReport,
    notice::{self, StoredNotice},
    run::Span,
    work::By,
};
use crate::domain::{id::PartnerId, notice::Stream};

pub mod lanes;
pub mod pace;

/// Cuts the mails that are not sent into spans; the date of their keys is `today`.
pub async fn mail_spans(conn: &mut PgConnection, today: NaiveDate, rows: i64) -> Result<Vec<Span>> {
    let starts = sqlx::query_scalar!(
        r#"select mail_id as "id!"
           from (select mail_id, row_number() over (order by mail_id) as nth from mail
                 where mail_is_unsent(status)) due
           where (nth - 1) % $1 = 0 order by 1"#,
        rows
    )
    .fetch_all(conn)
    .await?;
    Ok(super::credit::spans(starts.into_iter().map(|id| (today, id)).collect(), (today, i64::MAX)))
}

/// A mail under a lease, with what it is to say.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Its number.
    pub mail_id: i64,
    /// Its Message-ID.
    pub message_id: String,
    /// Where to.
    pub recipient: String,
    /// Their name; `None`: it is the account e-mail.
    pub recipient_name: Option<String>,
    /// BCP 47 tag.
    pub language: String,
    /// What it is; of each stream a recipient gets one digest a day (D10).
    pub stream: Stream,
    /// The business date of the digest.
    pub day: NaiveDate,
    /// When it was first composed: its Date, whenever it is handed over.
    pub composed_at: DateTime<Utc>,
    /// The fence.
    pub epoch: i32,
    /// The partner's name; of several that share the address, all.
    pub partner_name: String,
    /// Its Partner ID, likewise.
    pub partner_numbers: String,
    /// The notices, oldest first.
    pub notices: Json<Vec<StoredNotice>>,
    /// What it tells an operator of a night; then it has no partner and no notices.
    pub report: Option<Json<StoredReport>>,
}

/// The instant at which mails are sent, and the day on which they have to be true.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// The Date of those that had none yet.
    pub at: DateTime<Utc>,
    /// What is not true any more on this day is not said.
    pub true_on: NaiveDate,
}

/// Leases the mails of a span that are not sent: who holds the chunk holds its mails, also those that an earlier holder
/// left leased. The epoch keeps that one from recording anything. What has become untrue meanwhile is dropped, and a mail
/// of which nothing is left, or whose address is suppressed, is withdrawn.
pub async fn lease(
    conn: &mut PgConnection,
    span: Span,
    lease_seconds: f64,
    sending: Sending,
) -> Result<Vec<Leased>> {
    let leased = sqlx::query_scalar!(
        "update mail set status = 'claimed', epoch = epoch + 1, attempts = attempts + 1,
             lease_until = now() + make_interval(secs => $3), composed_at = coalesce(composed_at, $4)
         where mail_id >= $1 and mail_id < $2 and status in ('queued', 'claimed') and claimed_by is null
         returning mail_id",
        span.from.1,
        span.until.1,
        lease_seconds,
        sending.at,
    )
    .fetch_all(&mut *conn)
    .await?;
    withdraw(conn, &leased, sending.true_on).await?;
    contents(conn, &leased).await
}

/// Drops what of leased mails is not true any more on `today`, and withdraws those that are not to be sent.
async fn withdraw(conn: &mut PgConnection, leased: &[i64], today: NaiveDate) -> Result<()> {
    notice::drop_untrue(&mut *conn, today, Some(leased)).await?;
    sqlx::query!(
        "update mail m set status = 'withdrawn', lease_until = null, last_reply = n.why
         from (select l.mail_id,
                      case s.scope when 'all' then 'not sent: the address is suppressed (' || s.why || ')'
                                   when 'marketing' then 'not sent: the address is suppressed for marketing (' || s.why || ')'
                                   else 'not sent: nothing in it was true any more' end as why
               from mail l
               left join lateral (
                   select scope, why from suppression
                   where address = l.recipient and removed_at is null and scope in ('all', l.stream)
                   order by scope limit 1) s on true
               where l.mail_id = any($1) and (s.scope is not null
                     or l.stream <> 'operator' and (select count(*) from mail_notice o where o.mail_id = l.mail_id) = 0)) n
         where m.mail_id = n.mail_id",
        leased
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What those of the mails say that are claimed. Whatever the database knows of its tables, each mail's notices and their
/// partners are looked up by their keys.
async fn contents(conn: &mut PgConnection, mails: &[i64]) -> Result<Vec<Leased>> {
    Ok(sqlx::query_as!(
        Leased,
        r#"select l.mail_id, l.message_id, l.recipient, l.recipient_name, l.language, l.stream as "stream!: Stream", l.day, l.epoch,
                  l.composed_at as "composed_at!", coalesce(told.names, '') as "partner_name!",
                  coalesce(told.numbers, '') as "partner_numbers!", said.notices as "notices!: Json<Vec<StoredNotice>>",
                  r.content as "report?: Json<StoredReport>"
           from mail l
           left join night_report r on l.stream = 'operator' and r.day = l.day
           cross join lateral (
               select string_agg(p.name, ', ' order by p.number) as names,
                      string_agg(p.number, ', ' order by p.number) as numbers
               from (select distinct partner_id from mail_notice where mail_id = l.mail_id offset 0) n
               cross join lateral (select name, number from partner where partner_id = n.partner_id offset 0) p) told
           cross join lateral (
               select coalesce(jsonb_agg(content order by notice_id), '[]') as notices
               from (select notice_id, content from mail_notice where mail_id = l.mail_id offset 0) n) said
           where l.mail_id = any($1) and l.status = 'claimed'
           order by l.mail_id"#,
        mails,
    )
    .fetch_all(conn)
    .await?)
}

/// What came of handing over a mail.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Which mail.
    pub mail_id: i64,
    /// Under which lease.
    pub epoch: i32,
    /// What became of it.
    pub fate: MailFate,
    /// What was answered.
    pub reply: String,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFate {
    /// It is where it was to go.
    Sent,
    /// It cannot be written.
    Failed,
    /// It could not go now, and is handed over another time.
    Later,
}

impl MailFate {
    /// As the store has it.
    const fn status(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Later => "queued",
        }
    }
}

/// Records what came of mails. Where the lease has passed on, nothing is recorded.
pub async fn mark_mails(conn: &mut PgConnection, outcomes: &[Delivery]) -> Result<()> {
    let ids: Vec<i64> = outcomes.iter().map(|o| o.mail_id).collect();
    let epochs: Vec<i32> = outcomes.iter().map(|o| o.epoch).collect();
    let statuses: Vec<String> = outcomes.iter().map(|o| o.fate.status().to_owned()).collect();
    let replies: Vec<String> = outcomes.iter().map(|o| o.reply.clone()).collect();
    sqlx::query!(
        "update mail m set status = o.status, last_reply = o.reply,
             lease_until = null, sent_at = case when o.status = 'sent' then now() end
         from unnest($1::bigint[], $2::int[], $3::text[], $4::text[]) as o (id, epoch, status, reply)
         where m.mail_id = o.id and m.epoch = o.epoch and m.status = 'claimed'",
        &ids,
        &epochs,
        &statuses,
        &replies
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A mail as operators see it.
#[derive(Clone, Debug)]
pub struct MailRow {
    /// Its Message-ID.
    pub message_id: String,
    /// The Partner ID (of several that share the address: the first); `None`: it is an operator's.
    pub partner_id: Option<PartnerId>,
    /// Where to.
    pub recipient: String,
    /// What it is (D10).
    pub stream: Stream,
    /// The business date of the digest.
    pub day: NaiveDate,
    /// Its state.
    pub status: String,
    /// Times that it was handed over, or was to be.
    pub attempts: i32,
    /// Since when it is owed.
    pub queued_at: DateTime<Utc>,
    /// Since when it is where it was to go.
    pub sent_at: Option<DateTime<Utc>>,
    /// What was last answered.
    pub last_reply: Option<String>,
    /// What it waits for beside its own pause.
    pub waits: Option<PaceWait>,
}

/// The newest mails in one of `states`, of `stream` or of any, at most `at_most`, the newest first.
pub async fn list(
    conn: &mut PgConnection,
    states: &[String],
    stream: Option<Stream>,
    at_most: i64,
) -> Result<Vec<MailRow>> {
    let rows = sqlx::query!(
        r#"select l.message_id, p.number as "partner_id?: PartnerId", l.recipient, l.stream as "stream!: Stream", l.day, l.status,
                  l.attempts, l.queued_at, l.sent_at, l.last_reply,
                  case when d.paused_until > now() then d.paused_until end as paused_until,
                  case when d.next_at > now() then d.next_at end as next_at,
                  case when a.next_at > now() then a.next_at end as all_next_at
           from mail l left join partner p using (partner_id)
           left join mail_pace d on l.status in ('queued', 'unknown') and d.domain = split_part(l.recipient, '@', -1)
           left join mail_pace a on l.status in ('queued', 'unknown') and a.domain = ''
           where l.status = any($1) and ($3::text is null or l.stream = $3)
           order by l.mail_id desc limit $2"#,
        states,
        at_most,
        stream as _
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| MailRow {
            waits: PaceWait::longest(&row.recipient, row.paused_until, row.next_at, row.all_next_at),
            message_id: row.message_id,
            partner_id: row.partner_id,
            recipient: row.recipient,
            stream: row.stream,
            day: row.day,
            status: row.status,
            attempts: row.attempts,
            queued_at: row.queued_at,
            sent_at: row.sent_at,
            last_reply: row.last_reply,
        })
        .collect())
}

/// Queues mails once more that were refused, given up, withdrawn or are unknown; says which. Whoever was erased gets none.
pub async fn requeue(conn: &mut PgConnection, message_ids: &[String], by: By<'_>) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "update mail set status = 'queued', first_tried_at = null, next_try_at = null, resent = false,
             last_reply = 'queued again by ' || $2 || ': ' || $3
         where message_id = any($1) and status in ('bounced', 'refused', 'failed', 'withdrawn', 'unknown')
             and not is_pseudonym(recipient)
         returning message_id",
        message_ids,
        by.by,
        by.why
    )
    .fetch_all(conn)
    .await?)
}

/// Lets go of mails that a process which cannot be alive any more had leased.
pub async fn release_mails(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("update mail set lease_until = now() - interval '1 second' where status = 'claimed' and claimed_by is null")
        .execute(conn)
        .await?;
    Ok(())
}

//! What came back about mails, each message once (promise 9), and what follows for its address.

use sqlx::{Connection, PgConnection};

use super::{Result, mail_token::TokenMail, suppression, work::By};
use crate::domain::{
    id::{PartnerId, PartnerNo},
    notice::Stream,
    suppression::SuppressionScope,
};

/// Who is on record as having suppressed an address here.
pub const BY: &str = "bounces";

/// What a message said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Nobody is there.
    Hard,
    /// It did not get there this time.
    Soft,
    /// It or its sender was not wanted.
    Blocked,
    /// Its reader complains.
    Complaint,
    /// Its reader wants no more marketing.
    Unsubscribed,
    /// It is not there yet.
    Delayed,
    /// It is there.
    Delivered,
    /// A program answered.
    AutoReply,
    /// Anything else.
    Other,
    /// Nobody can read it.
    Unreadable,
}

impl Came {
    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Blocked => "blocked",
            Self::Complaint => "complaint",
            Self::Unsubscribed => "unsubscribed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::AutoReply => "auto_reply",
            Self::Other => "other",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A message that came back, to be recorded.
#[derive(Clone, Debug)]
pub struct Bounce<'a> {
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: &'a str,
    /// Its own Message-ID.
    pub report_id: Option<&'a str>,
    /// What it said.
    pub came: Came,
    /// The enhanced status code.
    pub code: Option<String>,
    /// The words.
    pub said: &'a str,
}

/// How many soft ones are too many.
#[derive(Clone, Copy, Debug)]
pub struct SoftLimit {
    /// Mails that did not get there, one counted once.
    pub mails: i64,
    /// Within so many days.
    pub days: i32,
}

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BounceRecorded {
    /// It is on record, and so is what follows for the address, if anything: what does not go there any more.
    New(Option<SuppressionScope>),
    /// It was on record.
    Known,
    /// The mail is being sent at this moment: another time.
    Early,
}

/// Whether a message is on record.
pub async fn is_known(conn: &mut PgConnection, sha256: &str) -> Result<bool> {
    let known =
        sqlx::query_scalar!(r#"select exists (select from bounce where sha256 = $1) as "known!""#, sha256);
    Ok(known.fetch_one(conn).await?)
}

/// Puts a message on record, with all that follows from it, or does nothing.
pub async fn record(
    conn: &mut PgConnection,
    mail: Option<&TokenMail>,
    bounce: &Bounce<'_>,
    limit: SoftLimit,
) -> Result<BounceRecorded> {
    let mut tx = conn.begin().await?;
    let mail_id = mail.map(|mail| mail.mail_id);
    let status = sqlx::query_scalar!("select status from mail where mail_id = $1 for update", mail_id)
        .fetch_optional(&mut *tx)
        .await?;
    if status.is_some_and(|status| status == "claimed") {
        return Ok(BounceRecorded::Early);
    }
    let inserted = sqlx::query!(
        "insert into bounce (sha256, report_id, mail_id, partner_id, class, code, said)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        bounce.sha256,
        bounce.report_id,
        mail_id,
        mail.and_then(|mail| mail.partner_id) as Option<PartnerNo>,
        bounce.came.as_str(),
        bounce.code,
        bounce.said
    )
    .execute(&mut *tx)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(BounceRecorded::Known);
    }
    let follows = match mail {
        Some(mail) => follow(&mut tx, mail, bounce, limit).await?,
        None => None,
    };
    tx.commit().await?;
    Ok(BounceRecorded::New(follows))
}

/// What follows for a mail and its address.
async fn follow(
    conn: &mut PgConnection,
    mail: &TokenMail,
    bounce: &Bounce<'_>,
    limit: SoftLimit,
) -> Result<Option<SuppressionScope>> {
    let Bounce { came, said, .. } = bounce;
    let bounced = matches!(came, Came::Hard | Came::Soft | Came::Blocked);
    if bounced || *came == Came::Complaint {
        sqlx::query!(
            "update mail set last_reply = $2, status = case when $3 and status in ('sent', 'unknown') then 'bounced' else status end
             where mail_id = $1",
            mail.mail_id,
            said,
            bounced
        )
        .execute(&mut *conn)
        .await?;
    }
    let marketing = mail.stream == Stream::Marketing;
    let scope = match came {
        Came::Hard => SuppressionScope::All,
        Came::Complaint if !marketing => SuppressionScope::All,
        Came::Complaint | Came::Unsubscribed => SuppressionScope::Marketing,
        Came::Soft if soft(conn, &mail.recipient, limit.days).await? >= limit.mails => SuppressionScope::All,
        _ => return Ok(None),
    };
    let why = match came {
        Came::Unsubscribed => format!("unsubscribed by a mail about {}", mail.message_id),
        Came::Soft => format!(
            "{} mails within {} days did not get there; {} {said}",
            limit.mails, limit.days, mail.message_id
        ),
        _ => format!("{}: {said}", mail.message_id),
    };
    let added = suppression::add(conn, &mail.recipient, scope, By { by: BY, why: &why }).await?;
    Ok(Some(scope).filter(|_| added))
}

/// How many mails to an address did not get there this time, since mail was let there again.
async fn soft(conn: &mut PgConnection, address: &str, days: i32) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select count(distinct b.mail_id) as "mails!"
           from mail m join bounce b using (mail_id)
           where m.recipient = $1 and b.class = 'soft' and b.recorded_at > now() - make_interval(days => $2)
             and b.recorded_at > coalesce((select max(removed_at) from suppression where address = $1), '-infinity')"#,
        address,
        days
    )
    .fetch_one(conn)
    .await?)
}

/// A partner who is not reached any more.
#[derive(Clone, Debug)]
pub struct Unreached {
    /// Who.
    pub partner_id: PartnerId,
    /// The address that nothing goes to.
    pub address: String,
    /// It is the marketing contact's; else the account's.
    pub is_contact: bool,
    /// Since when.
    pub since: chrono::NaiveDate,
    /// Why.
    pub why: String,
}

/// The partners whose contact's or account's address no mail goes to since mails came back, of all or of one.
pub async fn unreached(conn: &mut PgConnection, partner: Option<&PartnerId>) -> Result<Vec<Unreached>> {
    Ok(sqlx::query_as!(
        Unreached,
        r#"select p.number as "partner_id!: PartnerId", s.address, of.is_contact as "is_contact!",
                  (s.added_at at time zone 'UTC')::date as "since!", s.why
           from suppression s
           cross join lateral (
               select partner_id, true as is_contact from contact where lower(email) = s.address
               union all
               select partner_id, false from partner where lower(account_email) = s.address) of
           join partner p on p.partner_id = of.partner_id
           where s.removed_at is null and s.scope = 'all' and s.added_by = $2 and ($1::text is null or p.number = $1)
           order by s.added_at, p.number"#,
        partner as _,
        BY
    )
    .fetch_all(conn)
    .await?)
}

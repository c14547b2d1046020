//! Mails by their state, as operators see them.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::instant::{utc, utc_if};
use crate::{
    domain::{id::PartnerId, notice::Stream},
    store::{
        self,
        mail::{self, pace::PaceWait},
    },
};

/// The states of a mail, in the order of its way.
pub const STATES: [&str; 8] =
    ["queued", "claimed", "unknown", "sent", "bounced", "refused", "failed", "withdrawn"];

/// A mail.
#[derive(Clone, Debug, Serialize)]
pub struct MailView {
    /// Its Message-ID.
    pub message_id: String,
    /// The Partner ID (of several that share the address: the first); `None`: it is an operator's.
    pub partner_id: Option<PartnerId>,
    /// Where to.
    pub recipient: String,
    /// What it is: a recipient may do without marketing (D10).
    pub stream: Stream,
    /// The business date of the digest.
    pub day: NaiveDate,
    /// Its state.
    pub status: String,
    /// Times that it was handed over, or was to be.
    pub attempts: i32,
    /// Since when it is owed.
    #[serde(serialize_with = "utc")]
    pub queued_at: DateTime<Utc>,
    /// Since when it is where it was to go.
    #[serde(serialize_with = "utc_if")]
    pub sent_at: Option<DateTime<Utc>>,
    /// What was last answered.
    pub last_reply: Option<String>,
    /// What it waits for beside its own pause.
    pub waits: Option<WaitView>,
}

/// What mails wait for: a pace, or a pause of their domain.
#[derive(Clone, Debug, Serialize)]
pub struct WaitView {
    /// The domain; absent: the pace of all mails.
    pub domain: Option<String>,
    /// Whether the domain puts mails off; else it is a pace.
    pub paused: bool,
    /// Until when.
    #[serde(serialize_with = "utc")]
    pub until: DateTime<Utc>,
}

impl From<PaceWait> for WaitView {
    fn from(wait: PaceWait) -> Self {
        let PaceWait { domain, paused, until } = wait;
        Self { domain, paused, until }
    }
}

impl fmt::Display for WaitView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.format("%Y-%m-%d %H:%M:%S");
        match (&self.domain, self.paused) {
            (Some(domain), true) => write!(f, "for {domain}, which puts mails off, until {until} UTC"),
            (Some(domain), false) => write!(f, "for the pace of {domain} until {until} UTC"),
            (None, _) => write!(f, "for the pace of all mails until {until} UTC"),
        }
    }
}

/// The newest mails in one of `states`, the newest first; without states those that are not sent, without a stream those of any.
///
/// # Errors
/// The store is down.
pub async fn mails(
    conn: &mut PgConnection,
    states: &[String],
    stream: Option<Stream>,
    at_most: i64,
) -> store::Result<Vec<MailView>> {
    let unsent = || STATES.iter().filter(|state| **state != "sent").map(|state| (*state).to_owned());
    let states = if states.is_empty() { unsent().collect() } else { states.to_vec() };
    let rows = mail::list(conn, &states, stream, at_most).await?;
    let view = |row: mail::MailRow| MailView {
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
        waits: row.waits.map(WaitView::from),
    };
    Ok(rows.into_iter().map(view).collect())
}

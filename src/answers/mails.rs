//! Mails by their state, as operators see them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::instant::{utc, utc_if};
use crate::{
    domain::{id::PartnerId, notice::Stream},
    store::{self, mail},
};

/// The states of a mail, in the order of its way.
pub const STATES: [&str; 8] =
    ["queued", "claimed", "unknown", "sent", "bounced", "refused", "failed", "withdrawn"];

/// A mail.
#[derive(Clone, Debug, Serialize)]
pub struct MailView {
    /// Its Message-ID.
    pub message_id: String,
    /// The Partner ID (of several that share the address: the first).
    pub partner_id: PartnerId,
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
    };
    Ok(rows.into_iter().map(view).collect())
}

//! A mail that only shows that mail can be sent.

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    digest::{Rendered, hashed},
    error::Error,
    message::{self, Headers, Parts},
};
use crate::domain::texts::ReaderLanguage;

/// A mail of three lines; of another instant or to another address it has another Message-ID.
///
/// # Errors
/// An address that no mail can be sent to or from.
pub fn test_mail(
    from: &str,
    reply_to: Option<&str>,
    to: &str,
    domain: &str,
    at: DateTime<Utc>,
) -> Result<Rendered, Error> {
    let when = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let message_id = hashed(&format!("test\0{to}\0{at:?}"), domain);
    let subject = "Test mail of benefactor".to_owned();
    let text = format!(
        "This mail was sent by `benefactor mail test` at {when}.\nIt reached you, so mail can be sent.\nThere is nothing you need to do.\n"
    );
    let eml = message::compose(&Parts {
        message_id: &message_id,
        from,
        to,
        to_name: None,
        subject: &subject,
        language: ReaderLanguage::English,
        composed_at: at,
        text: &text,
        headers: &Headers { reply_to: reply_to.map(str::to_owned), ..Headers::default() },
        html: None,
    })?;
    Ok(Rendered { message_id, subject, text, html: None, eml })
}

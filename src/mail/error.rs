//! Why a digest cannot become a mail.

use thiserror::Error;

/// Why a digest cannot become a mail. None of these is cured by trying again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// There is nothing to tell.
    #[error("a digest needs at least one notice")]
    Empty,
    /// A notice of a kind, or with facts, that this version does not know.
    #[error(
        "it tells of '{0}', which this version cannot read: run the version that owed it, and queue the mail again with `benefactor mail resend`"
    )]
    UnknownNotice(String),
    /// A report of a night that this version does not know.
    #[error(
        "it tells of the night of {0} what this version cannot read: run the version that made it, and queue the mail again with `benefactor mail resend`"
    )]
    UnknownReport(chrono::NaiveDate),
    /// An address that no mail can be sent to or from.
    #[error("'{value}' is not an address that mail can be sent {direction}: {problem}")]
    Address {
        /// `to` or `from`.
        direction: &'static str,
        /// The address as it was given, without control characters.
        value: String,
        /// What about it.
        problem: String,
    },
    /// The Message-ID is not `<local@domain>` of letters, digits, dots, hyphens and underscores.
    #[error("'{0}' is not a Message-ID of the form <local@domain>")]
    MessageId(String),
    /// The instant is outside the years that mail can be dated with (1970 to 9998).
    #[error("mail cannot be dated {0}")]
    Date(chrono::DateTime<chrono::Utc>),
    /// A template names what its notice does not hold, or is no template.
    #[error("template {name}: {problem}")]
    Template {
        /// Its language and name, as in `en/offer_live`.
        name: String,
        /// What about it.
        problem: String,
    },
    /// A text of a language is not as it must be.
    #[error(transparent)]
    Text(#[from] crate::domain::texts::TextFault),
    /// The message could not be put together.
    #[error("the message could not be put together: {0}")]
    Message(String),
}

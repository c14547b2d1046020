//! What comes back about mails: reports of mail servers (RFC 3464, and the texts of those that know no better), complaints
//! (RFC 5965), automatic answers, and mails that unsubscribe. Reading decides nothing: which mail it is about says a token in
//! it, which only the store can tell from an invented one.

mod class;
mod mailbox;
mod report;

pub use class::{BounceClass, StatusCode};
pub use mailbox::{Mailbox, MailboxError, MailboxMessage};
pub use report::{BounceReport, Meaning, read};

//! E-mail: notices become one digest a stream, recipient and day (D10), rendered from the texts of the languages
//! (`domain/texts`) in the layout of `templates`, and handed over as a complete message, into a folder or to a mail server. The only
//! module that knows lettre.

mod address;
pub mod bounce;
mod check;
pub mod digest;
pub mod dkim;
mod error;
mod message;
mod night;
mod night_text;
pub mod outbox;
mod probe;
pub mod redact;
pub mod sender_domain;
pub mod smtp;
mod templates;
mod text;
pub mod unsubscribe;

pub use check::check_templates;
pub use digest::{Digest, Rendered, message_id, preview, render};
pub use error::Error;
pub use message::{Headers, address_of, domain_of};
pub use night::{NightMail, operator_message_id, preview_night, render_night};
pub use probe::test_mail;

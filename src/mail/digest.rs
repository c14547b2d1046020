//! One digest a stream, recipient and day (D10): plain text and HTML, the most urgent notice first, the same bytes every time.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use minijinja::context;
use sha2::{Digest as _, Sha256};

use super::{
    dkim::{DkimError, DkimKeys},
    error::Error,
    message::{self, Headers, Parts},
    templates::{self, Reached},
    text::{clean, wrap},
};
use crate::domain::{
    calendar::add_days,
    id::PartnerId,
    naming,
    notice::{KINDS, Notice, Stream},
    reason,
    texts::{ReaderLanguage, names},
};

/// What one recipient has to be told for one business date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// `<local@domain>`, the same for the same digest: see [`message_id`].
    pub message_id: String,
    /// What it is: nobody may do without what is transactional (D10).
    pub stream: Stream,
    /// The address.
    pub recipient: String,
    /// The marketing contact's name, for the greeting and the To header; `None`: it is the account e-mail.
    pub recipient_name: Option<String>,
    /// `Name <address>` or an address.
    pub from: String,
    /// The language of subject and text.
    pub language: ReaderLanguage,
    /// The partner's name.
    pub partner_name: String,
    /// Its Partner ID; of several partners that share the address, all.
    pub partner_numbers: String,
    /// The business date that it is about.
    pub day: NaiveDate,
    /// When it was first composed: its Date, to the second, however often it is rendered.
    pub composed_at: DateTime<Utc>,
    /// At least one, in any order.
    pub notices: Vec<Notice>,
    /// What its headers hold beside that.
    pub headers: Headers,
}

/// A digest as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The digest's Message-ID.
    pub message_id: String,
    /// One line, not yet encoded.
    pub subject: String,
    /// The body as plain text, lines ending in LF.
    pub text: String,
    /// The body as HTML, if it has such a one.
    pub html: Option<String>,
    /// The complete message, headers and body, lines ending in CRLF.
    pub eml: Vec<u8>,
}

impl Rendered {
    /// The same, signed with these keys for the domain that it is from, at the instant at which it was composed.
    ///
    /// # Errors
    /// [`DkimError::Sign`].
    pub fn signed(mut self, keys: &DkimKeys, domain: &str, at: DateTime<Utc>) -> Result<Self, DkimError> {
        keys.sign(domain, at, &mut self.eml)?;
        Ok(self)
    }
}

/// The Message-ID of what a recipient is owed by a partner for a business date in a stream, `<40 hex digits@domain>`.
///
/// The first 20 bytes of a SHA-256, so that a mail sent again after a crash is known as the same.
#[must_use]
pub fn message_id(
    partner_id: &PartnerId,
    recipient: &str,
    day: NaiveDate,
    stream: Stream,
    domain: &str,
) -> String {
    let of_stream = match stream {
        Stream::Transactional => "",
        Stream::Marketing => "\0marketing",
        Stream::Operator => "\0operator",
    };
    hashed(&format!("{partner_id}\0{recipient}\0{day}{of_stream}"), domain)
}

/// The Message-ID of what is told apart by `key`.
pub(super) fn hashed(key: &str, domain: &str) -> String {
    let hash = Sha256::digest(key);
    let local = hash.iter().take(20).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("<{local}@{domain}>")
}

/// The digest as a complete message. Notices come in the order of urgency whatever order they are given in.
///
/// # Errors
/// See [`enum@Error`]; none is cured by trying again.
pub fn render(digest: &Digest) -> Result<Rendered, Error> {
    let mut notices: Vec<&Notice> = digest.notices.iter().collect();
    notices.sort_by_cached_key(|notice| (notice.urgency(digest.day), format!("{notice:?}")));
    let blocks = notices
        .iter()
        .map(|notice| templates::notice(notice, digest.language))
        .collect::<Result<Vec<_>, Error>>()?;
    let partner = clean(&digest.partner_name);
    let first = blocks.first().ok_or(Error::Empty)?;
    let facts = context! {
        count => blocks.len(),
        first => &first.title,
        name => digest.recipient_name.as_deref().and_then(|name| naming::person(&clean(name))).unwrap_or_default(),
        partner => &partner,
        partner_id => clean(&digest.partner_numbers),
        day => naming::day(digest.day, digest.language),
    };
    let reached =
        Reached { as_contact: digest.recipient_name.is_some(), way_out: digest.headers.way_out.as_ref() };
    let frame = templates::frame(&blocks, reached, facts, digest.language)?;
    // No-break spaces have done their work once lines are broken; without them most mails stay plain ASCII.
    let subject = frame.subject.replace('\u{a0}', " ");
    let text = wrap(&templates::plain(&frame, &blocks)?).replace('\u{a0}', " ");
    let html = templates::html(&frame, &blocks, &partner, digest.language)?;
    let eml = message::compose(&Parts {
        message_id: &digest.message_id,
        from: &digest.from,
        to: &digest.recipient,
        to_name: digest.recipient_name.as_deref(),
        subject: &subject,
        language: digest.language,
        composed_at: digest.composed_at,
        text: &text,
        headers: &digest.headers,
        html: Some(&html),
    })?;
    Ok(Rendered { message_id: digest.message_id.clone(), subject, text, html: Some(html), eml })
}

/// What a mail of `notices` would look like, with invented names.
///
/// # Errors
/// As [`render`].
pub fn preview(language: ReaderLanguage, notices: Vec<Notice>) -> Result<Rendered, Error> {
    render(&sample(language, notices))
}

/// Looks whether every language has all its texts, and renders every template with invented notices, alone and together.
///
/// # Errors
/// The first text that lacks or does not render, by name and line.
pub(super) fn check_digests() -> Result<(), Error> {
    for &language in ReaderLanguage::ALL {
        names::check(language)?;
        reason::check_sentences(language)?;
        let notices = Notice::samples();
        for notice in &notices {
            preview(language, vec![notice.clone()])?;
        }
        preview(language, notices)?;
    }
    Ok(())
}

/// An invented digest.
fn sample(language: ReaderLanguage, notices: Vec<Notice>) -> Digest {
    let day = NaiveDate::from_ymd_opt(2024, 2, 21).unwrap_or_default();
    let recipient = "anna.astrom@nordvik.example";
    let of = |notice: &Notice| KINDS.iter().find(|kind| kind.name == notice.kind()).map(|kind| kind.stream);
    let marketing = notices.iter().all(|notice| of(notice) == Some(Stream::Marketing));
    let stream = if marketing { Stream::Marketing } else { Stream::Transactional };
    Digest {
        message_id: message_id(&PartnerId::from("4711"), recipient, day, stream, "mail.example"),
        stream,
        recipient: recipient.to_owned(),
        recipient_name: Some("Anna Åström".to_owned()),
        from: "Partner benefits <benefits@programme.example>".to_owned(),
        language,
        partner_name: "Nordvik Data AB".to_owned(),
        partner_numbers: "4711".to_owned(),
        day,
        composed_at: add_days(day, 1).and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(150),
        notices,
        headers: Headers::default(),
    }
}

#[cfg(test)]
mod tests;

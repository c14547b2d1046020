//! The complete message: headers that no value can break out of, and a body of text, or of text and HTML.

use std::time::SystemTime;

use chrono::{DateTime, Datelike, Utc};
use lettre::{
    Message,
    address::Envelope,
    message::{
        Body, Mailbox, MultiPart, MultiPartKind, SinglePart,
        header::{ContentTransferEncoding, ContentType, Date, HeaderName, HeaderValue, MIME_VERSION_1_0},
    },
};

use super::{address::address as read, error::Error, text::clean, unsubscribe::WayOut};
use crate::domain::{email::Email, texts::ReaderLanguage};

/// The field that a report about a mail is known by.
pub const TOKEN: &str = "X-Benefactor-Mail";

/// What a message is made of; every text may hold anything.
pub(super) struct Parts<'a> {
    pub(super) message_id: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) to_name: Option<&'a str>,
    pub(super) subject: &'a str,
    pub(super) language: ReaderLanguage,
    pub(super) composed_at: DateTime<Utc>,
    pub(super) text: &'a str,
    /// The same as HTML.
    pub(super) html: Option<&'a str>,
    pub(super) headers: &'a Headers,
}

/// What a mail's headers hold beside what it says; nothing of it is a partner's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Where answers go: an address, or a name and an address in angle brackets; `None`: to whom it is from.
    pub reply_to: Option<String>,
    /// What a report about the mail is known by.
    pub token: Option<String>,
    /// How its reader unsubscribes; `None`: it is no marketing.
    pub way_out: Option<WayOut>,
}

/// The message's bytes, lines ending in CRLF; the same parts give the same bytes.
pub(super) fn compose(parts: &Parts<'_>) -> Result<Vec<u8>, Error> {
    let local = local_part(parts.message_id).ok_or_else(|| Error::MessageId(clean(parts.message_id)))?;
    let (from_name, from) = split_mailbox(parts.from);
    let from = mailbox("from", from_name, from)?;
    let to = mailbox("to", parts.to_name, parts.to)?;
    // Said and not read from the fields: lettre finds no address where marks of some scripts are in one.
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.email.clone()])
        .map_err(|error| Error::Message(error.to_string()))?;
    let mut builder = Message::builder().envelope(envelope).from(from).to(to);
    if let Some(reply_to) = &parts.headers.reply_to {
        let (name, address) = split_mailbox(reply_to);
        builder = builder.reply_to(mailbox("from", name, address)?);
    }
    if let Some(token) = &parts.headers.token {
        builder = builder.raw_header(raw(TOKEN, token));
    }
    if let Some(way_out) = &parts.headers.way_out {
        for (name, value) in way_out.fields(&domain_of(parts.from)) {
            builder = builder.raw_header(raw(name, &value));
        }
    }
    let builder = builder
        .subject(clean(parts.subject))
        .header(Date::new(date(parts.composed_at)?))
        .message_id(Some(parts.message_id.to_owned()))
        .header(MIME_VERSION_1_0)
        .raw_header(raw("Content-Language", parts.language.tag()))
        .raw_header(raw("Auto-Submitted", "auto-generated"));
    let text = part(ContentType::TEXT_PLAIN, parts.text)?;
    let message = match parts.html {
        None => builder.singlepart(text),
        // No line of a quoted-printable part begins so (RFC 2045, section 6.7), whatever stands in the mail.
        Some(html) => builder.multipart(
            MultiPart::builder()
                .kind(MultiPartKind::Alternative)
                .boundary(format!("=_{local}"))
                .singlepart(text)
                .singlepart(part(ContentType::TEXT_HTML, html)?),
        ),
    };
    message.map(|message| message.formatted()).map_err(|error| Error::Message(error.to_string()))
}

/// A part whose lines are short and ASCII, whatever it says.
fn part(of: ContentType, body: &str) -> Result<SinglePart, Error> {
    let body = Body::new_with_encoding(body.to_owned(), ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| Error::Message("the body cannot be encoded".to_owned()))?;
    Ok(SinglePart::builder().header(of).body(body))
}

/// The local part of `<local@domain>`; `None` unless both are plain and fit for a file name.
pub(super) fn local_part(message_id: &str) -> Option<&str> {
    let (local, domain) = message_id.strip_prefix('<')?.strip_suffix('>')?.split_once('@')?;
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.len() <= 200
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    (plain(local) && plain(domain)).then_some(local)
}

/// What the Date header can say: whole seconds of years with four digits.
fn date(at: DateTime<Utc>) -> Result<SystemTime, Error> {
    if (1970..=9998).contains(&at.year()) { Ok(SystemTime::from(at)) } else { Err(Error::Date(at)) }
}

/// The domain of `Name <address>` or of an address alone, as it is on the wire.
#[must_use]
pub fn domain_of(written: &str) -> String {
    let address = address_of(written);
    let on_the_wire = Email::parse(address);
    let address = on_the_wire.as_ref().map_or(address, Email::as_str);
    address.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned()
}

/// The address of `Name <address>` or of an address alone.
#[must_use]
pub fn address_of(written: &str) -> &str {
    split_mailbox(written).1
}

/// `Name <address>` or an address alone, apart.
fn split_mailbox(written: &str) -> (Option<&str>, &str) {
    match written.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"')), address),
        None => (None, written.trim()),
    }
}

fn mailbox(direction: &'static str, name: Option<&str>, address: &str) -> Result<Mailbox, Error> {
    let refuse =
        |problem: &str| Error::Address { direction, value: clean(address), problem: problem.to_owned() };
    // A domain outside ASCII has a form on the wire; what stands before the `@` goes as it is, and only to a recipient.
    let written = Email::parse(address);
    let international = direction == "to" && written.as_ref().is_some_and(Email::is_international);
    let address = written.as_ref().map_or(address, Email::as_str);
    if !international && !address.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(refuse("it holds spaces, control characters or letters outside ASCII"));
    }
    let parsed = read(address).map_err(|error| refuse(&format!("{error}")))?;
    let name = name.map(clean).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, parsed))
}

/// A header whose name and value come from this program, not from data.
fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

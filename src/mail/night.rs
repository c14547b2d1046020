//! The mail of a night to an operator: what the night's report says, in their language, laid out as a digest is.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::{
    digest::{Rendered, hashed},
    error::Error,
    message::{self, Headers, Parts},
    templates,
    text::wrap,
};
use crate::domain::{
    calendar::add_days,
    night_report::{NightReport, sample},
    texts::ReaderLanguage,
};

/// What an operator is told of a night.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightMail {
    /// See [`operator_message_id`].
    pub message_id: String,
    /// The address.
    pub recipient: String,
    /// `Name <address>` or an address.
    pub from: String,
    /// The language of subject and text.
    pub language: ReaderLanguage,
    /// When it was first composed: its Date, to the second, however often it is rendered.
    pub composed_at: DateTime<Utc>,
    /// What it tells.
    pub report: NightReport,
    /// What its headers hold beside that.
    pub headers: Headers,
}

/// The Message-ID of what an operator is told of the nights up to `day`, `<40 hex digits@domain>`.
#[must_use]
pub fn operator_message_id(recipient: &str, day: NaiveDate, domain: &str) -> String {
    hashed(&format!("operator\0{recipient}\0{day}"), domain)
}

/// The mail as a complete message; the same bytes every time.
///
/// # Errors
/// See [`enum@Error`]; none is cured by trying again.
pub fn render_night(mail: &NightMail) -> Result<Rendered, Error> {
    let page = templates::night(&mail.report, mail.language)?;
    // No-break spaces have done their work once lines are broken; without them most mails stay plain ASCII.
    let subject = page.frame.subject.replace('\u{a0}', " ");
    let text = wrap(&templates::plain(&page.frame, &page.blocks)?).replace('\u{a0}', " ");
    let html = templates::html(&page.frame, &page.blocks, &page.frame.subject, mail.language)?;
    let eml = message::compose(&Parts {
        message_id: &mail.message_id,
        from: &mail.from,
        to: &mail.recipient,
        to_name: None,
        subject: &subject,
        language: mail.language,
        composed_at: mail.composed_at,
        text: &text,
        headers: &mail.headers,
        html: Some(&html),
    })?;
    Ok(Rendered { message_id: mail.message_id.clone(), subject, text, html: Some(html), eml })
}

/// What a mail of this report would look like to somebody who reads that language.
///
/// # Errors
/// As [`render_night`].
pub fn preview_night(language: ReaderLanguage, report: NightReport) -> Result<Rendered, Error> {
    let recipient = "ops@programme.example";
    render_night(&NightMail {
        message_id: operator_message_id(recipient, report.until, "mail.example"),
        recipient: recipient.to_owned(),
        from: "Partner benefits <benefits@programme.example>".to_owned(),
        language,
        composed_at: add_days(report.until, 1).and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(150),
        report,
        headers: Headers::default(),
    })
}

/// Renders the mail of an invented night in every language, and that of one with nothing to tell.
///
/// # Errors
/// The first text that does not render, by name and line.
pub(super) fn check_nights() -> Result<(), Error> {
    for &language in ReaderLanguage::ALL {
        preview_night(language, sample::busy())?;
        preview_night(language, sample::quiet())?;
        preview_night(language, sample::stopped())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_of_a_night_in_every_language_as_text_and_as_html() {
        for language in ReaderLanguage::ALL {
            for (name, report) in
                [("busy", sample::busy()), ("quiet", sample::quiet()), ("stopped", sample::stopped())]
            {
                let mail = preview_night(*language, report).unwrap();
                insta::assert_snapshot!(
                    format!("night_{name}_{}", language.tag()),
                    format!("{}\n\n{}", mail.subject, mail.text)
                );
                if name == "busy" {
                    insta::assert_snapshot!(format!("night_html_{}", language.tag()), mail.html.unwrap());
                }
            }
        }
    }

    #[test]
    fn text_and_html_tell_the_same_and_nothing_is_left_open() {
        for language in ReaderLanguage::ALL {
            let mail = preview_night(*language, sample::busy()).unwrap();
            let html = mail.html.unwrap();
            let body = html.split_once("<main>").unwrap().1;
            let mut words = body.to_owned();
            while let Some((before, rest)) = words.split_once('<') {
                words = format!("{before} {}", rest.split_once('>').unwrap().1);
            }
            let plain = |text: &str| {
                let text = text.replace(['\u{a0}'], " ").replace("&#x2f;", "/").replace("&#x27;", "'");
                let text = text
                    .replace("&quot;", "\"")
                    .replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&amp;", "&");
                let words =
                    text.split_whitespace().filter(|word| !["-", "--"].contains(word)).map(str::to_owned);
                words.collect::<Vec<_>>()
            };
            let (of_html, of_text) = (plain(&words), plain(&mail.text));
            assert_eq!(of_html[of_html.len() - of_text.len()..], of_text, "{language:?}");
            assert!(mail.text.lines().all(|line| line.chars().count() <= 72 || !line.trim().contains(' ')));
        }
    }

    #[test]
    fn a_name_cannot_make_a_line_a_heading_or_markup_of_its_own() {
        let mut report = sample::busy();
        report.files.listed.first[0].name = "a\n## <b>Pay</b>\r\nBcc: x@y.example".to_owned();
        let mail = preview_night(ReaderLanguage::English, report).unwrap();
        assert!(!mail.text.contains("\n##") && !mail.html.as_ref().unwrap().contains("<b>"), "{}", mail.text);
        assert!(mail.text.replace("\n  ", " ").contains("a ## <b>Pay</b> Bcc: x@y.example"), "{}", mail.text);
    }

    #[test]
    fn it_is_one_mail_for_a_recipient_and_day_and_says_what_it_is() {
        let id = |to: &str, day: &str| operator_message_id(to, day.parse().unwrap(), "mail.example");
        assert_eq!(id("a@b.example", "2024-02-01"), id("a@b.example", "2024-02-01"));
        assert_ne!(id("a@b.example", "2024-02-01"), id("a@b.example", "2024-02-02"));
        assert_ne!(id("a@b.example", "2024-02-01"), id("c@b.example", "2024-02-01"));
        let mail = preview_night(ReaderLanguage::Swedish, sample::busy()).unwrap();
        assert_eq!(preview_night(ReaderLanguage::Swedish, sample::busy()).unwrap(), mail);
        let eml = String::from_utf8(mail.eml).unwrap();
        for header in ["Content-Language: sv", "Auto-Submitted: auto-generated", "Message-ID: <"] {
            assert!(eml.contains(&format!("\r\n{header}")), "{header}: {eml}");
        }
        assert!(!eml.contains("List-Unsubscribe"), "{eml}");
    }
}

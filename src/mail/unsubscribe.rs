//! The way out of marketing: on a page with one click (RFC 8058), or by a mail (RFC 2369). No marketing goes without one.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The subject of a mail that unsubscribes.
pub const UNSUBSCRIBE: &str = "unsubscribe";

/// What of a subject may stand in a URI as it is.
const SUBJECT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
/// What of an address may.
const ADDRESS: &AsciiSet = &SUBJECT.remove(b'@').remove(b'+').remove(b'=');

/// How whoever reads a mail unsubscribes from marketing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOut {
    /// On the page of this URL; mail programs do it with one click.
    Page(String),
    /// By a mail.
    Mail {
        /// To this address.
        to: String,
        /// With this subject.
        subject: String,
    },
}

impl WayOut {
    /// The fields that say so, and of which list the mail is: the offers of a domain.
    pub(super) fn fields(&self, domain: &str) -> Vec<(&'static str, String)> {
        let list = ("List-Id", format!("<offers.{domain}>"));
        match self {
            Self::Page(url) => vec![
                list,
                ("List-Unsubscribe", format!("<{url}>")),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
            ],
            Self::Mail { to, subject } => {
                let (to, subject) = (utf8_percent_encode(to, ADDRESS), utf8_percent_encode(subject, SUBJECT));
                vec![list, ("List-Unsubscribe", format!("<mailto:{to}?subject={subject}>"))]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_one_click_and_a_mail_has_its_subject() {
        let fields = WayOut::Page("https://b.example/unsubscribe/0a".to_owned()).fields("b.example");
        let expected = [
            ("List-Id", "<offers.b.example>"),
            ("List-Unsubscribe", "<https://b.example/unsubscribe/0a>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ];
        assert_eq!(fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(), expected);
        let mail = WayOut::Mail { to: "a+0a@b.example".to_owned(), subject: "unsubscribe x>&?@y".to_owned() };
        assert_eq!(
            mail.fields("b.example")[1].1,
            "<mailto:a+0a@b.example?subject=unsubscribe%20x%3E%26%3F%40y>"
        );
        assert_eq!(mail.fields("b.example").len(), 2, "nobody can click on that");
    }
}

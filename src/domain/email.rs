//! Addresses that mail can be sent to.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

/// An address that mail can be sent to: `local@domain.tld`, at most 254 bytes of ASCII. A domain with other letters is kept
/// in the form that it has on the wire (`xn--…`), an ASCII one as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// `None` unless it is one bare address: a dot-atom, `@`, and a domain of two labels or more that has a form on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        let local_holds =
            local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext));
        let on_the_wire = Uts46::new()
            .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
            .ok()?;
        let domain = if domain.is_ascii() { Cow::Borrowed(domain) } else { on_the_wire };
        let (_, top) = domain.rsplit_once('.')?;
        let domain_holds = top.len() >= 2 && !top.bytes().all(|byte| byte.is_ascii_digit());
        let address = format!("{local}@{domain}");
        (address.len() <= 254 && local_holds && domain_holds).then_some(Self(address))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both reach the same mailbox as far as rules go: neither case matters nor how the domain is written (R8).
    #[must_use]
    pub fn same_as(&self, other: &str) -> bool {
        let other = Self::parse(other).map_or_else(|| other.to_owned(), String::from);
        self.0.to_lowercase() == other.to_lowercase()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("'{text}' is not an e-mail address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_mailbox_and_a_domain_with_a_dot() {
        for good in [
            "a@b.se",
            "anna.lund+mpn@mail.akeri.example",
            "o'neil@x-y.co.uk",
            "info@åkeri.se",
            "A_B@C.EXAMPLE",
        ] {
            assert!(Email::parse(good).is_some(), "{good}");
        }
        let long = format!("a@{}.se", "b.".repeat(130));
        for bad in [
            "a@b",
            "@b.se",
            "a@",
            "a@.se",
            "a@b.",
            "a@b..se",
            "a b@c.se",
            ".a@b.se",
            "a..b@c.se",
            "a@b.se\r\nBcc: c@d.se",
            "a\n@b.se",
            "Anna <a@b.se>",
            "a@b.se,c@d.se",
            "a@b@c.se",
            "a@-b.se",
            "a@127.0.0.1",
            "a@b.s",
            "\"a b\"@c.se",
            "a\u{0}@b.se",
            "å@b.se",
            "a@xn--a.example",
            "a@xn--mnchen-3y.example",
            "a@\u{ad}.example",
            "a@a_b.example",
            "a@münchen.example.",
            &long,
        ] {
            assert!(Email::parse(bad).is_none(), "{bad}");
        }
        let (a, b) = (Email::parse("Anna@B.se").unwrap(), Email::parse("anna@b.SE").unwrap());
        assert!(a.same_as(b.as_str()) && a != b);
    }

    #[test]
    fn a_domain_outside_ascii_is_kept_in_its_form_on_the_wire() {
        for (written, kept) in [
            ("a@münchen.example", "a@xn--mnchen-3ya.example"),
            ("Anna@MÜNCHEN.Example", "Anna@xn--mnchen-3ya.example"),
            ("a@mu\u{308}nchen.example", "a@xn--mnchen-3ya.example"),
            ("a@straße.example", "a@xn--strae-oqa.example"),
            ("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"),
            ("a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"),
            ("a@Xn--Mnchen-3ya.example", "a@Xn--Mnchen-3ya.example"),
            ("A@B.Example", "A@B.Example"),
        ] {
            let email = Email::parse(written).unwrap();
            assert_eq!(email.as_str(), kept, "{written}");
            assert!(email.as_str().is_ascii() && email.same_as(written), "{written}");
            assert_eq!(Email::parse(kept), Some(email), "{written}");
        }
        // 63 letters, which are more than 63 bytes on the wire.
        assert!(Email::parse(&format!("a@{}.example", "ü".repeat(63))).is_none());
    }

    #[test]
    fn r8_other_mailboxes_are_not_the_same() {
        let (a, b) = (Email::parse("anna@b.se").unwrap(), Email::parse("bo@b.se").unwrap());
        assert!(!a.same_as(b.as_str()));
        assert_eq!(String::from(a), "anna@b.se");
    }
}

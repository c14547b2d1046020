//! Addresses that mail can be sent to.

use serde::{Deserialize, Serialize};

/// An address that mail can be sent to: `local@domain.tld`, at most 254 bytes, as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// `None` unless it is one bare address: a dot-atom, `@`, and a domain of two labels or more.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        let local_holds =
            local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext));
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let (_, top) = domain.rsplit_once('.')?;
        let domain_holds =
            domain.split('.').all(label) && top.chars().count() >= 2 && !top.chars().all(char::is_numeric);
        (text.len() <= 254 && local_holds && domain_holds).then(|| Self(text.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both reach the same mailbox as far as rules go: case does not matter (R8).
    #[must_use]
    pub fn same_as(&self, other: &str) -> bool {
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
            &long,
        ] {
            assert!(Email::parse(bad).is_none(), "{bad}");
        }
        let (a, b) = (Email::parse("Anna@B.se").unwrap(), Email::parse("anna@b.SE").unwrap());
        assert!(a.same_as(b.as_str()) && a != b);
    }

    #[test]
    fn r8_other_mailboxes_are_not_the_same() {
        let (a, b) = (Email::parse("anna@b.se").unwrap(), Email::parse("bo@b.se").unwrap());
        assert!(!a.same_as(b.as_str()));
        assert_eq!(String::from(a), "anna@b.se");
    }
}

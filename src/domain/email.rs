//! Addresses that mail can be sent to.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

mod mailbox_name;

use mailbox_name::mailbox_name;

/// An address that mail can be sent to: `local@domain.tld`, at most 254 bytes. A domain outside ASCII is kept in the form that
/// it has on the wire (`xn--…`), an ASCII one as written; what stands before the `@` may be outside ASCII (RFC 6531).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// `None` unless it is one bare address: a dot-atom, `@`, and a domain of two labels or more that has a form on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let local = mailbox_name(local)?;
        let on_the_wire = Uts46::new()
            .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
            .ok()?;
        let domain = if domain.is_ascii() { Cow::Borrowed(domain) } else { on_the_wire };
        let (_, top) = domain.rsplit_once('.')?;
        let domain_holds = top.len() >= 2 && !top.bytes().all(|byte| byte.is_ascii_digit());
        let address = format!("{local}@{domain}");
        (address.len() <= 254 && domain_holds).then_some(Self(address))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only a server with SMTPUTF8 can take mail to it.
    #[must_use]
    pub fn is_international(&self) -> bool {
        !self.0.is_ascii()
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
    use proptest::{prelude::prop_assert, prop_assert_eq, proptest};

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
            "å @b.se",
            "å@b",
            "å@@b.se",
            "аnna@b.se",
            "å\u{202E}@b.se",
            "å@b.se\r\nBcc: c@d.se",
            "Åsa <åsa@b.se>",
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
    fn an_address_outside_ascii_before_its_at_sign_is_one_however_its_letters_are_composed() {
        for (written, kept) in [
            ("åsa@åkeri.example", "åsa@xn--keri-poa.example"),
            ("a\u{30A}sa@b.se", "åsa@b.se"),
            ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
            ("José.O'Neill+x@B.Example", "José.O'Neill+x@B.Example"),
        ] {
            let email = Email::parse(written).unwrap();
            assert_eq!(email.as_str(), kept, "{written}");
            assert!(email.is_international() && email.same_as(written), "{written}");
        }
        assert!(Email::parse("Åsa@b.se").unwrap().same_as("åSA@B.SE"));
        assert!(!Email::parse("info@åkeri.se").unwrap().is_international(), "its domain has a form in ASCII");
        assert!(Email::parse(&format!("{}@b.se", "å".repeat(33))).is_none(), "66 bytes");
    }

    proptest! {
        #[test]
        fn whatever_is_an_address_is_kept_as_one_and_breaks_no_header_and_no_command(
            local in "[a-zà-öа-яא-ת一-丁0-9.+'\\p{M} <>\"@\\p{Cc}\\p{Cf}]{1,12}",
            domain in "([a-zà-ö-]{1,6}\\.){1,2}[a-zé]{1,4}",
        ) {
            if let Some(email) = Email::parse(&format!("{local}@{domain}")) {
                let kept = email.as_str();
                prop_assert_eq!(Email::parse(kept), Some(email.clone()));
                let (before, after) = kept.split_once('@').unwrap();
                prop_assert!(after.is_ascii() && !after.contains('@'));
                let odd = |c: char| c.is_control() || c.is_whitespace() || "<>\"\\(),:;@[]".contains(c);
                prop_assert!(!before.contains(odd) && kept.len() <= 254, "{:?}", kept);
                prop_assert!(email.same_as(&kept.to_uppercase()) || email.is_international());
            }
        }

        #[test]
        fn a_letter_of_another_script_or_that_is_not_seen_makes_an_address_none(
            local in "[a-zà-ö]{2,8}",
            at in 0_usize..2,
            odd in "[а-яא-ת一-丁\\p{Cf}\\p{Zs}\\p{So}\\p{Co}\u{ff41}-\u{ff5a}]",
        ) {
            let whole = Email::parse(&format!("{local}@b.example"));
            prop_assert!(whole.is_some(), "{}", local);
            let mut letters: Vec<char> = local.chars().collect();
            letters.insert(at, odd.chars().next().unwrap());
            let tricked: String = letters.into_iter().collect();
            let is_han = ('一'..='丁').contains(&odd.chars().next().unwrap());
            prop_assert_eq!(Email::parse(&format!("{tricked}@b.example")).is_some(), is_han, "{}", tricked);
        }
    }

    #[test]
    fn r8_other_mailboxes_are_not_the_same() {
        let (a, b) = (Email::parse("anna@b.se").unwrap(), Email::parse("bo@b.se").unwrap());
        assert!(!a.same_as(b.as_str()));
        assert_eq!(String::from(a), "anna@b.se");
    }
}

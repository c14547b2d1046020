//! Whether an address is gone or a mail merely did not get there: by the enhanced status code (RFC 3463), and where that says
//! little by what is said beside it.

use std::fmt;

/// What a failed delivery says of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BounceClass {
    /// Nothing: it was the mail or its sender that was not wanted.
    Blocked,
    /// It may work another time: a full mailbox, a server that is away.
    Soft,
    /// Nobody is there.
    Hard,
}

/// An enhanced status code, `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCode {
    /// 2 success, 4 not now, 5 never.
    pub class: u16,
    /// 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy; 0 anything.
    pub subject: u16,
    /// What of it.
    pub detail: u16,
}

/// What mail servers say of somebody who is not there, in lower case.
const NOBODY: [&str; 29] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such address",
    "does not exist",
    "doesn't exist",
    "recipient not found",
    "recipientnotfound",
    "mailbox not found",
    "user not found",
    "address not found",
    "unknown recipient",
    "recipient unknown",
    "unknown mailbox",
    "invalid recipient",
    "invalid mailbox",
    "no mailbox here by that name",
    "mailbox unavailable",
    "account is disabled",
    "account has been disabled",
    "account that you tried to reach is inactive",
    "recipient address rejected: access denied",
    "unrouteable address",
    "unrouteable mail domain",
    "host or domain name not found",
    "domain name not found",
    "couldn't find any host named",
];
/// Characters of a part of a code.
const DIGITS: usize = 3;

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl StatusCode {
    /// The first code in a text, and not a part of a longer number, as of an address of the internet.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
            let mut parts = word.trim_end_matches('.').split('.');
            let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
            let short = |part: &str| (1..=DIGITS).contains(&part.len());
            if parts.next().is_some()
                || !matches!(class, "2" | "4" | "5")
                || !short(subject)
                || !short(detail)
            {
                return None;
            }
            Some(Self {
                class: class.parse().ok()?,
                subject: subject.parse().ok()?,
                detail: detail.parse().ok()?,
            })
        })
    }

    /// Whether it says no more than that something is amiss.
    const fn says_little(self) -> bool {
        matches!((self.subject, self.detail), (0, _) | (4, 1) | (2 | 5, 0))
    }
}

/// What a failed delivery says of the address.
pub(super) fn class_of(code: Option<StatusCode>, said: &str) -> BounceClass {
    let said = said.to_lowercase();
    let nobody = || {
        if NOBODY.iter().any(|words| said.contains(words)) { BounceClass::Hard } else { BounceClass::Soft }
    };
    match code {
        None => nobody(),
        Some(code) if code.class != 5 && code.subject != 7 => BounceClass::Soft,
        Some(code) if code.says_little() => nobody(),
        // 1.7 and 1.8 are about the sender; 4.310 is how Exchange Online says that there is no such domain.
        Some(StatusCode { subject: 5..=7, .. } | StatusCode { subject: 1, detail: 7 | 8, .. }) => {
            BounceClass::Blocked
        }
        Some(
            StatusCode { subject: 1, .. }
            | StatusCode { subject: 2, detail: 1, .. }
            | StatusCode { subject: 4, detail: 4 | 310, .. },
        ) => BounceClass::Hard,
        Some(_) => BounceClass::Soft,
    }
}

/// Whether a text speaks of somebody who is not there.
pub(super) fn speaks_of_nobody(said: &str) -> bool {
    class_of(None, said) == BounceClass::Hard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_where_it_stands_and_an_address_of_the_internet_is_none() {
        let found = |text: &str| StatusCode::find(text).map(|code| code.to_string());
        assert_eq!(found("5.1.1 (bad destination mailbox address)").as_deref(), Some("5.1.1"));
        assert_eq!(found("Sorry, no mailbox here by that name. (#5.1.1)").as_deref(), Some("5.1.1"));
        assert_eq!(found("host 192.0.2.7 said: 550-5.7.26 This mail").as_deref(), Some("5.7.26"));
        assert_eq!(found("550 5.4.310 DNS domain").as_deref(), Some("5.4.310"));
        assert_eq!(found("the end is 4.4.7.").as_deref(), Some("4.4.7"));
        for none in ["", "550 no", "192.0.2.7", "3.1.1", "5.1", "5.1111.1", "5..1", "."] {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn nobody_is_hard_and_everything_that_may_pass_is_soft() {
        for (code, said, class) in [
            ("5.1.1", "", BounceClass::Hard),
            ("5.1.10", "RESOLVER.ADR.RecipientNotFound", BounceClass::Hard),
            ("5.2.1", "disabled", BounceClass::Hard),
            ("5.4.4", "", BounceClass::Hard),
            ("5.4.310", "DNS domain x.example does not exist", BounceClass::Hard),
            ("5.0.0", "550 No such user here", BounceClass::Hard),
            ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied.", BounceClass::Hard),
            ("", "Unrouteable address", BounceClass::Hard),
            ("5.0.0", "554 not today", BounceClass::Soft),
            ("5.1.8", "sender's domain does not exist", BounceClass::Blocked),
            ("4.7.0", "too many from your address", BounceClass::Blocked),
            ("5.2.2", "mailbox full", BounceClass::Soft),
            ("5.3.4", "message too big", BounceClass::Soft),
            ("5.7.26", "not authenticated", BounceClass::Blocked),
            ("5.7.1", "the sender's domain does not exist", BounceClass::Blocked),
            ("4.4.7", "user unknown", BounceClass::Soft),
            ("", "something else", BounceClass::Soft),
        ] {
            assert_eq!(class_of(StatusCode::find(code), said), class, "{code} {said}");
        }
    }
}

//! Who mails are from.

use serde::{Deserialize, Serialize};

use crate::jobs::policy::file::{CheckedPolicy, PolicyChecks, is_plain};

/// Policy of `email_contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailPolicy {
    /// Who the mails are from: an address, or a name and an address in angle brackets.
    pub from: String,
    /// What stands after the `@` of a Message-ID; absent: the domain that the mails are from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id_domain: Option<String>,
}

impl EmailPolicy {
    /// What stands after the `@` of a Message-ID.
    #[must_use]
    pub fn domain(&self) -> &str {
        let of_sender = self.from.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches('>'));
        self.message_id_domain.as_deref().unwrap_or(of_sender)
    }
}

impl CheckedPolicy for EmailPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        let address = match self.from.split_once('<') {
            Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
            None => self.from.as_str(),
        };
        let good = address
            .split_once('@')
            .is_some_and(|(local, domain)| is_plain(local, "._+-") && is_domain(domain));
        if !good || self.from.chars().any(char::is_control) {
            let advice =
                "write an address, or a name and an address: \"Benefits <benefits@company.example>\"";
            checks.add("policy.from", &self.from, advice);
        }
        if let Some(domain) = self.message_id_domain.as_ref().filter(|domain| !is_domain(domain)) {
            let advice = "write a domain name of yours, for example \"company.example\", or leave it out";
            checks.add("policy.message_id_domain", domain, advice);
        }
    }
}

fn is_domain(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|label| is_plain(label, "-"))
}

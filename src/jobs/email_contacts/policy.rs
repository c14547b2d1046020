//! Who mails are from.

use serde::{Deserialize, Serialize};

use crate::jobs::policy::file::{CheckedPolicy, PolicyChecks, is_plain};

/// Policy of `email_contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailPolicy {
    /// Who the mails are from: an address, or a name and an address in angle brackets.
    pub from: String,
    /// What stands after the `@` of a Message-ID.
    pub message_id_domain: String,
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
        if !is_domain(&self.message_id_domain) {
            let advice = "write a domain name of yours, for example \"company.example\"";
            checks.add("policy.message_id_domain", &self.message_id_domain, advice);
        }
    }
}

fn is_domain(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|label| is_plain(label, "-"))
}

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
    /// How mails go to a mail server.
    #[serde(default)]
    pub sending: SendingPolicy,
}

/// How mails go to a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SendingPolicy {
    /// Connections of one process, 1 to 64.
    pub lanes: u32,
    /// Seconds that each step of a message may take, 1 to 600.
    pub step_seconds: u32,
    /// Seconds that the verdict after the final dot may take, 1 to 3600.
    pub after_dot_seconds: u32,
    /// Pause after the first try that was put off, in seconds, 1 to 86,400; it doubles with every further one.
    pub retry_after_seconds: u32,
    /// The longest such pause, in seconds, 1 to 86,400.
    pub retry_at_most_seconds: u32,
    /// Hours from the first try after which a mail is given up, 1 to 720.
    pub give_up_after_hours: u32,
    /// Whether a mail of which nobody can say whether it arrived is sent once more, under the same Message-ID; else it is
    /// held for an operator.
    pub resend_unknown: bool,
}

impl Default for SendingPolicy {
    fn default() -> Self {
        Self {
            lanes: 4,
            step_seconds: 60,
            after_dot_seconds: 600,
            retry_after_seconds: 300,
            retry_at_most_seconds: 14_400,
            give_up_after_hours: 96,
            resend_unknown: true,
        }
    }
}

impl SendingPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        checks.range("policy.sending.lanes", self.lanes, 1..=64);
        checks.range("policy.sending.step_seconds", self.step_seconds, 1..=600);
        checks.range("policy.sending.after_dot_seconds", self.after_dot_seconds, 1..=3600);
        checks.range("policy.sending.retry_after_seconds", self.retry_after_seconds, 1..=86_400);
        checks.range("policy.sending.retry_at_most_seconds", self.retry_at_most_seconds, 1..=86_400);
        checks.range("policy.sending.give_up_after_hours", self.give_up_after_hours, 1..=720);
    }
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
        self.sending.check(checks);
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

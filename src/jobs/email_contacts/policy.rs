//! Who mails are from, and how they go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::jobs::policy::file::{CheckedPolicy, PolicyChecks, YEAR_DAYS, is_plain};

/// Policy of `email_contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailPolicy {
    /// Who the mails are from: an address, or a name and an address in angle brackets.
    pub from: String,
    /// Where answers go, written likewise; absent: to whom the mails are from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Where mail servers report what they could not deliver: an address with `{token}` in the part before the `@`, such as
    /// `bounces+{token}@company.example`; absent: to whom the mails are from, and no report can be told to be about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_path: Option<String>,
    /// What stands after the `@` of a Message-ID; absent: the domain that the mails are from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id_domain: Option<String>,
    /// How mails go to a mail server.
    #[serde(default)]
    pub sending: SendingPolicy,
    /// How fast.
    #[serde(default)]
    pub pace: PacePolicy,
    /// What comes back about mails.
    #[serde(default)]
    pub bounces: BouncePolicy,
}

/// What comes back about mails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BouncePolicy {
    /// The maildir or mbox that the return path leads to, in the data directory unless its path is absolute: `up` looks at it;
    /// absent: only `benefactor mail bounces` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// So many mails that did not get there for a reason that may pass, and their address gets no more, 1 to 100.
    pub soft_limit: u32,
    /// Within so many days, 1 to 366.
    pub soft_days: u32,
}

impl Default for BouncePolicy {
    fn default() -> Self {
        Self { mailbox: None, soft_limit: 5, soft_days: 30 }
    }
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

/// How fast mails go to a mail server, whoever sends them; 0: no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PacePolicy {
    /// Mails a minute in all, 0 to 1,000,000.
    pub per_minute: u32,
    /// Mails a minute to one domain, 0 to 1,000,000.
    pub domain_per_minute: u32,
    /// Mails that are on their way to one domain at the same time, 0 to 1,024.
    pub domain_connections: u32,
    /// So many mails in a row that a domain puts off (421, 450, 451, 452), and it gets none for a while, 1 to 1,000.
    pub pause_after: u32,
    /// So many seconds at first, 1 to 86,400; twice as long every further time.
    pub pause_seconds: u32,
    /// At most so many, 1 to 86,400.
    pub pause_at_most_seconds: u32,
    /// Mails a minute to domains that have a pace of their own, 0 to 1,000,000.
    pub domains: BTreeMap<String, u32>,
}

impl Default for PacePolicy {
    fn default() -> Self {
        Self {
            per_minute: 0,
            domain_per_minute: 0,
            domain_connections: 0,
            pause_after: 5,
            pause_seconds: 300,
            pause_at_most_seconds: 14_400,
            domains: BTreeMap::new(),
        }
    }
}

impl PacePolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        checks.range("policy.pace.per_minute", self.per_minute, 0..=1_000_000);
        checks.range("policy.pace.domain_per_minute", self.domain_per_minute, 0..=1_000_000);
        checks.range("policy.pace.domain_connections", self.domain_connections, 0..=1_024);
        checks.range("policy.pace.pause_after", self.pause_after, 1..=1_000);
        checks.range("policy.pace.pause_seconds", self.pause_seconds, 1..=86_400);
        checks.range("policy.pace.pause_at_most_seconds", self.pause_at_most_seconds, 1..=86_400);
        for (domain, rate) in &self.domains {
            if !is_domain(domain) || domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
                let advice =
                    "write a domain in lower case as it is on the wire, for example \"company.example\"";
                checks.add("policy.pace.domains", domain, advice);
            }
            checks.range("policy.pace.domains", *rate, 0..=1_000_000);
        }
    }
}

/// What stands for the token of a mail.
pub const TOKEN: &str = "{token}";

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
        self.pace.check(checks);
        checks.range("policy.bounces.soft_limit", self.bounces.soft_limit, 1..=100);
        checks.range("policy.bounces.soft_days", self.bounces.soft_days, 1..=YEAR_DAYS);
        if let (Some(mailbox), None) = (&self.bounces.mailbox, &self.return_path) {
            let advice = "write policy.return_path as well, or leave this out: without one no report says which mail it is about";
            checks.add("policy.bounces.mailbox", mailbox, advice);
        }
        let advice = "write an address, or a name and an address: \"Benefits <benefits@company.example>\"";
        if !is_mailbox(&self.from) {
            checks.add("policy.from", &self.from, advice);
        }
        if let Some(reply_to) = self.reply_to.as_ref().filter(|reply_to| !is_mailbox(reply_to)) {
            checks.add("policy.reply_to", reply_to, advice);
        }
        if let Some(path) = self.return_path.as_ref().filter(|path| !is_return_path(path)) {
            let advice = "write an address of yours with {token} once before the @, and no more than 24 characters beside it \
                          there: \"bounces+{token}@company.example\"";
            checks.add("policy.return_path", path, advice);
        }
        if let Some(domain) = self.message_id_domain.as_ref().filter(|domain| !is_domain(domain)) {
            let advice = "write a domain name of yours, for example \"company.example\", or leave it out";
            checks.add("policy.message_id_domain", domain, advice);
        }
    }
}

/// Whether this is an address, or a name and an address in angle brackets.
fn is_mailbox(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    let good =
        address.split_once('@').is_some_and(|(local, domain)| is_plain(local, "._+-") && is_domain(domain));
    good && !text.chars().any(char::is_control)
}

/// Characters of a return path before the `@` beside its token: with that they are the 64 that an address may have.
const BESIDE_TOKEN: usize = 24;

fn is_return_path(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let Some((before, after)) = local.split_once(TOKEN) else { return false };
    let beside = [before, after].concat();
    let plain = beside.is_empty() || is_plain(&beside, "._+-=");
    plain && beside.len() <= BESIDE_TOKEN && !beside.starts_with('.') && is_domain(domain)
}

fn is_domain(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|label| is_plain(label, "-"))
}

//! Who is told what a night came to.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{email::Email, texts::ReaderLanguage},
    jobs::policy::file::{CheckedPolicy, PolicyChecks},
};

/// Whom a night may be told at most: whoever wants to tell more names a list's address.
const MOST: usize = 50;

/// Policy of `email_operators`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorPolicy {
    /// Who is told; nobody: nothing is made and nothing sent.
    pub recipients: Vec<OperatorRecipient>,
    /// Whether they are told also when nothing needs anybody.
    pub when_nothing_is_wrong: bool,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorRecipient {
    /// Their address.
    pub address: String,
    /// What they read: a BCP 47 tag; whoever reads none of the languages that there are reads English.
    #[serde(default = "OperatorRecipient::english")]
    pub language: String,
}

impl OperatorRecipient {
    /// The address as the store and mail servers have it.
    #[must_use]
    pub fn on_the_wire(&self) -> String {
        Email::parse(&self.address).map_or_else(|| self.address.clone(), String::from).to_lowercase()
    }

    fn english() -> String {
        ReaderLanguage::English.tag().to_owned()
    }
}

impl CheckedPolicy for OperatorPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        if self.recipients.len() > MOST {
            let advice = format!("name {MOST} at most, or the address of a list");
            checks.add("policy.recipients", self.recipients.len(), &advice);
        }
        for (nth, recipient) in self.recipients.iter().enumerate() {
            let OperatorRecipient { address, language } = recipient;
            let key = format!("policy.recipients.{nth}.address");
            match Email::parse(address) {
                None => {
                    checks.add(&key, address, "write an e-mail address, for example \"ops@company.example\"");
                }
                Some(email)
                    if self.recipients.iter().take(nth).any(|before| email.same_as(&before.address)) =>
                {
                    checks.add(&key, address, "it is named twice: take it out once");
                }
                Some(_) => {}
            }
            if !ReaderLanguage::is_tag(language) {
                let key = format!("policy.recipients.{nth}.language");
                checks.add(&key, language, "write a language tag, for example \"en\" or \"sv-SE\"");
            }
        }
    }
}

impl OperatorPolicy {
    /// What is right and may surprise.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let nobody = "note: nobody is told what a night came to: recipients is empty";
        if self.recipients.is_empty() { vec![nobody.to_owned()] } else { Vec::new() }
    }
}

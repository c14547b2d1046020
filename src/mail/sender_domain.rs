//! What the DNS says about the domain that mails are from: whether a receiver can tell that they are ours (SPF, RFC 7208;
//! DKIM, RFC 6376; DMARC, RFC 7489), and whether what comes back arrives (MX, RFC 5321 and 7505).

mod dns;
mod verdict;

pub use dns::{DnsError, Resolver};
pub use verdict::Judgement;

use std::fmt;

use super::dkim::DkimRecord;
use dns::Records;
use verdict::Aligned;

/// The domains of a sender.
#[derive(Clone, Debug)]
pub struct SenderDomain<'a> {
    /// Of the address that mails are from.
    pub from: &'a str,
    /// Of the address that reports about mails go to.
    pub return_path: &'a str,
    /// Of the address that answers go to.
    pub reply_to: &'a str,
    /// What has to be published for the keys that mails are signed with.
    pub keys: Vec<DkimRecord>,
}

/// One setting of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSetting {
    /// What is to be thought of it.
    pub judgement: Judgement,
    /// Which, and where it is published: `SPF of norrsken.example`.
    pub setting: String,
    /// What is published, what that means, and what to do.
    pub said: String,
}

impl DomainSetting {
    fn new(judgement: Judgement, setting: impl Into<String>, said: impl Into<String>) -> Self {
        Self { judgement, setting: setting.into(), said: said.into() }
    }

    /// Judges what was found, if the DNS could be asked.
    fn of<T>(setting: String, found: Records<T>, judge: impl FnOnce(&[T]) -> (Judgement, String)) -> Self {
        match found {
            Ok(records) => {
                let (judgement, said) = judge(&records);
                Self { judgement, setting, said }
            }
            Err(why) => Self::new(Judgement::Unknown, setting, format!("the DNS could not be asked: {why}")),
        }
    }
}

impl fmt::Display for DomainSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let judgement = match self.judgement {
            Judgement::Good => "good",
            Judgement::Mend => "mend",
            Judgement::Unknown => "unknown",
        };
        write!(f, "{judgement:<7} {}: {}", self.setting, self.said)
    }
}

/// Asks the DNS for every setting of a sender's domain, all at once, and judges each by itself.
pub async fn settings(resolver: &Resolver, sender: &SenderDomain<'_>) -> Vec<DomainSetting> {
    let (spf, keys, dmarc, returned, answered) = futures::join!(
        spf(resolver, sender.return_path),
        keys(resolver, sender),
        dmarc(resolver, sender),
        mail_servers(resolver, "reports about mails", sender.return_path),
        mail_servers(resolver, "answers", sender.reply_to),
    );
    let mut all = vec![spf];
    all.extend(keys);
    all.extend([dmarc, returned]);
    all.extend(Some(answered).filter(|_| sender.reply_to != sender.return_path));
    all
}

async fn spf(resolver: &Resolver, domain: &str) -> DomainSetting {
    DomainSetting::of(format!("SPF of {domain}"), resolver.texts(domain).await, verdict::spf)
}

async fn keys(resolver: &Resolver, sender: &SenderDomain<'_>) -> Vec<DomainSetting> {
    if sender.keys.is_empty() {
        let said =
            "mails are not signed; DKIM_KEYS names keys, and `benefactor mail dkim` what to publish for them";
        return vec![DomainSetting::new(Judgement::Mend, format!("DKIM of {}", sender.from), said)];
    }
    let look = sender.keys.iter().map(|key| async {
        let found = resolver.texts(&key.name).await;
        DomainSetting::of(format!("DKIM {}", key.name), found, |texts| verdict::dkim(key, texts))
    });
    futures::future::join_all(look).await
}

/// The policy stands at the domain itself, or at the nearest domain above it that has one.
async fn dmarc(resolver: &Resolver, sender: &SenderDomain<'_>) -> DomainSetting {
    let aligned =
        Aligned { from: sender.from, return_path: sender.return_path, is_signed: !sender.keys.is_empty() };
    let mut domain = sender.from;
    loop {
        let found = resolver.texts(&format!("_dmarc.{domain}")).await;
        let is_there = found.as_ref().is_ok_and(|texts| texts.iter().any(|text| verdict::is_dmarc(text)));
        let above = domain.split_once('.').map(|(_, above)| above).filter(|above| above.contains('.'));
        match above {
            Some(above) if !is_there && found.is_ok() => domain = above,
            _ => {
                let judge = |texts: &[String]| verdict::dmarc(&aligned, domain, texts);
                return DomainSetting::of(format!("DMARC of {}", sender.from), found, judge);
            }
        }
    }
}

async fn mail_servers(resolver: &Resolver, what: &str, domain: &str) -> DomainSetting {
    DomainSetting::of(
        format!("mail server of {domain}, for {what}"),
        resolver.mail_servers(domain).await,
        verdict::servers,
    )
}

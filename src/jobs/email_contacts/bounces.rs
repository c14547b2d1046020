//! What comes back about mails, from the mailbox that a mail server delivers it to: each message is looked at once, and only
//! one with a token of a mail of ours has an effect.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sqlx::PgConnection;

use super::policy::BouncePolicy;
use crate::{
    domain::suppression::SuppressionScope,
    jobs::engine::{Context, Error, Result, sha256},
    mail::bounce::{self, BounceClass, BounceReport, Mailbox, MailboxError, Meaning},
    store::{
        bounce::{Bounce, BounceRecorded, Came, SoftLimit, is_known, record},
        mail_token::{MailTokens, TokenMail, TokenPurpose},
    },
};

/// What came of a look at a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct BouncesTaken {
    /// Messages that had not been looked at before.
    pub new: u64,
    /// Those of them that are about a mail of ours.
    pub matched: u64,
    /// Addresses that nothing goes to any more.
    pub suppressed: u64,
    /// Addresses that no marketing goes to any more.
    pub unsubscribed: u64,
    /// Messages that nobody can read.
    pub unreadable: u64,
    /// Messages about mails that are being sent at this moment: they are looked at another time.
    pub early: u64,
}

/// Looks at a mailbox, again and again.
#[derive(Debug, Default)]
pub struct BounceReader {
    /// Files of a maildir that were looked at; they never change.
    known: HashSet<String>,
    /// Messages that cannot be read, and were told of.
    told: HashSet<String>,
    /// A file of messages as it was.
    stood: Option<(u64, Option<SystemTime>)>,
}

/// Where the mailbox of the policy is; `None`: none is named.
#[must_use]
pub fn mailbox(cx: &Context) -> Option<PathBuf> {
    let named = cx.policies.email_contacts.policy.bounces.mailbox.as_ref()?;
    Some(cx.folders.data.join(named))
}

impl BounceReader {
    /// Looks at what is new in a mailbox. What cannot be read stops nothing else.
    ///
    /// # Errors
    /// There is no mailbox; the store is down; the secret that tokens are made with is not there.
    pub async fn take(&mut self, cx: &Context, conn: &mut PgConnection, path: &Path) -> Result<BouncesTaken> {
        let mut taken = BouncesTaken::default();
        let stands = fs::metadata(path)
            .ok()
            .filter(fs::Metadata::is_file)
            .map(|file| (file.len(), file.modified().ok()));
        if stands.is_some() && stands == self.stood {
            return Ok(taken);
        }
        let tokens = MailTokens::of_store(&cx.vault.open(conn).await?);
        let limit = soft_limit(&cx.policies.email_contacts.policy.bounces);
        let mailbox = Mailbox::open(path).map_err(|error| no_mailbox(path, error))?;
        for message in mailbox {
            if stands.is_none() && self.known.contains(&message.place) {
                continue;
            }
            let early = taken.early;
            match message.bytes {
                Ok(bytes) => look_at(conn, &tokens, limit, &bytes, &mut taken).await?,
                Err(error) => {
                    if self.told.insert(message.place.clone()) {
                        tracing::warn!(message = %message.place, %error, "a message that came back cannot be read");
                    }
                    taken.unreadable += 1;
                    continue;
                }
            }
            if taken.early == early {
                self.known.insert(message.place);
            }
        }
        self.stood = stands.filter(|_| taken.early == 0);
        Ok(taken)
    }
}

fn soft_limit(policy: &BouncePolicy) -> SoftLimit {
    SoftLimit { mails: policy.soft_limit.into(), days: i32::try_from(policy.soft_days).unwrap_or(i32::MAX) }
}

fn no_mailbox(path: &Path, error: MailboxError) -> Error {
    let error = match error {
        MailboxError::Unreadable { error, .. } => error,
        other @ MailboxError::Other(_) => {
            std::io::Error::new(std::io::ErrorKind::InvalidInput, other.to_string())
        }
    };
    Error::file(path)(error)
}

/// Looks at one message.
async fn look_at(
    conn: &mut PgConnection,
    tokens: &MailTokens,
    limit: SoftLimit,
    bytes: &[u8],
    taken: &mut BouncesTaken,
) -> Result<()> {
    let sha256 = sha256(bytes);
    if is_known(conn, &sha256).await? {
        return Ok(());
    }
    let report = bounce::read(bytes);
    let mail = match &report {
        Some(report) => about(conn, tokens, report).await?,
        None => None,
    };
    let bounce = Bounce {
        sha256: &sha256,
        report_id: report.as_ref().and_then(|report| report.message_id.as_deref()),
        came: report.as_ref().map_or(Came::Unreadable, |report| came(&report.meaning)),
        code: report.as_ref().and_then(|report| report.code).map(|code| code.to_string()),
        said: report.as_ref().map_or("", |report| &report.said),
    };
    match record(conn, mail.as_ref(), &bounce, limit).await? {
        BounceRecorded::Known => {}
        BounceRecorded::Early => taken.early += 1,
        BounceRecorded::New(follows) => {
            taken.new += 1;
            taken.matched += u64::from(mail.is_some());
            taken.unreadable += u64::from(bounce.came == Came::Unreadable);
            taken.suppressed += u64::from(follows == Some(SuppressionScope::All));
            taken.unsubscribed += u64::from(follows == Some(SuppressionScope::Marketing));
        }
    }
    Ok(())
}

/// The mail that a message has a token of.
async fn about(
    conn: &mut PgConnection,
    tokens: &MailTokens,
    report: &BounceReport,
) -> Result<Option<TokenMail>> {
    for token in &report.tokens {
        if let Some(mail) = tokens.find(conn, TokenPurpose::Return, token).await? {
            return Ok(Some(mail));
        }
    }
    Ok(None)
}

const fn came(meaning: &Meaning) -> Came {
    match meaning {
        Meaning::Failed(BounceClass::Hard) => Came::Hard,
        Meaning::Failed(BounceClass::Soft) => Came::Soft,
        Meaning::Failed(BounceClass::Blocked) => Came::Blocked,
        Meaning::Delayed => Came::Delayed,
        Meaning::Delivered => Came::Delivered,
        Meaning::Complaint => Came::Complaint,
        Meaning::Unsubscribe => Came::Unsubscribed,
        Meaning::AutoReply => Came::AutoReply,
        Meaning::Other => Came::Other,
    }
}

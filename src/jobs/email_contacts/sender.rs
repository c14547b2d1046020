//! Who sends a mail, as far as its reader and mail servers see: where answers and reports go, and who signs for it.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{
    hand_over::digest,
    policy::{EmailPolicy, TOKEN},
};
use crate::{
    jobs::engine::{Context, Result},
    mail::{self, Headers, Rendered, dkim::DkimKeys},
    store::{
        mail::Leased,
        mail_token::{MailTokens, TokenPurpose},
    },
};

/// What every mail of a batch has in common.
pub struct Sender {
    policy: EmailPolicy,
    dkim: Arc<DkimKeys>,
    /// Made with the secret of the store; `None`: no mail needs one.
    tokens: Option<MailTokens>,
}

impl Sender {
    /// As policy and settings have it.
    ///
    /// # Errors
    /// Tokens are asked for, and the secret that they are made with is not there.
    pub async fn of(cx: &Context, conn: &mut PgConnection) -> Result<Self> {
        let policy = cx.policies.email_contacts.policy.clone();
        let tokens = match policy.return_path {
            Some(_) => Some(MailTokens::of_store(&cx.vault.open(conn).await?)),
            None => None,
        };
        Ok(Self { policy, dkim: Arc::clone(&cx.dkim), tokens })
    }

    /// What a mail under its lease says, written and signed; the same bytes every time.
    ///
    /// # Errors
    /// See [`mail::Error`]; none is cured by trying again.
    pub fn write(&self, leased: &Leased) -> std::result::Result<Rendered, mail::Error> {
        let token = self.token(leased);
        let headers = Headers { reply_to: self.policy.reply_to.clone(), token };
        let rendered = mail::render(&digest(&self.policy, leased, headers))?;
        let signed = rendered.signed(&self.dkim, &mail::domain_of(&self.policy.from), leased.composed_at);
        signed.map_err(|error| mail::Error::Message(error.to_string()))
    }

    /// Where a mail server reports what becomes of a mail.
    #[must_use]
    pub fn return_path(&self, leased: &Leased) -> String {
        match (&self.policy.return_path, self.token(leased)) {
            (Some(path), Some(token)) => path.replace(TOKEN, &token),
            _ => mail::address_of(&self.policy.from).to_owned(),
        }
    }

    fn token(&self, leased: &Leased) -> Option<String> {
        self.tokens.as_ref().map(|tokens| tokens.token(TokenPurpose::Return, leased))
    }
}

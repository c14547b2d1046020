//! Who sends a mail, as far as its reader and mail servers see: where answers and reports go, and who signs for it.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{
    hand_over::{digest, night_mail},
    policy::{EmailPolicy, TOKEN},
};
use crate::{
    domain::notice::Stream,
    jobs::engine::{Context, Result},
    mail::{
        self, Headers, Rendered,
        dkim::DkimKeys,
        unsubscribe::{UNSUBSCRIBE, WayOut},
    },
    store::{
        mail::Leased,
        mail_token::{MailTokens, TokenPurpose},
    },
};

/// What every mail of a batch has in common.
pub struct Sender {
    policy: EmailPolicy,
    dkim: Arc<DkimKeys>,
    /// Where the page is that unsubscribes.
    public_url: Option<String>,
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
        let public_url = cx.public_url.clone();
        let tokens = match (&policy.return_path, &public_url) {
            (None, None) => None,
            _ => Some(MailTokens::of_store(&cx.vault.open(conn).await?)),
        };
        Ok(Self { policy, dkim: Arc::clone(&cx.dkim), public_url, tokens })
    }

    /// What a mail under its lease says, written and signed; the same bytes every time.
    ///
    /// # Errors
    /// See [`mail::Error`]; none is cured by trying again.
    pub fn write(&self, leased: &Leased) -> std::result::Result<Rendered, mail::Error> {
        let token = self.policy.return_path.as_ref().and_then(|_| self.token(TokenPurpose::Return, leased));
        let way_out = (leased.stream == Stream::Marketing).then(|| self.way_out(leased));
        let headers = Headers { reply_to: self.policy.reply_to.clone(), token, way_out };
        let rendered = match &leased.report {
            Some(report) => mail::render_night(&night_mail(&self.policy, leased, &report.0, headers)?)?,
            None => mail::render(&digest(&self.policy, leased, headers)?)?,
        };
        let signed = rendered.signed(&self.dkim, &mail::domain_of(&self.policy.from), leased.composed_at);
        signed.map_err(|error| mail::Error::Message(error.to_string()))
    }

    /// Where a mail server reports what becomes of a mail.
    #[must_use]
    pub fn return_path(&self, leased: &Leased) -> String {
        match (&self.policy.return_path, self.token(TokenPurpose::Return, leased)) {
            (Some(path), Some(token)) => path.replace(TOKEN, &token),
            _ => mail::address_of(&self.policy.from).to_owned(),
        }
    }

    /// On the page, if there is one; else by a mail, to the return path if there is one, else to whom it is answered.
    fn way_out(&self, leased: &Leased) -> WayOut {
        if let (Some(url), Some(token)) = (&self.public_url, self.token(TokenPurpose::Unsubscribe, leased)) {
            return WayOut::Page(format!("{url}/unsubscribe/{token}"));
        }
        if self.policy.return_path.is_some() {
            return WayOut::Mail { to: self.return_path(leased), subject: UNSUBSCRIBE.to_owned() };
        }
        let to = self.policy.reply_to.as_ref().unwrap_or(&self.policy.from);
        let subject = format!("{UNSUBSCRIBE} {}", leased.recipient);
        WayOut::Mail { to: mail::address_of(to).to_owned(), subject }
    }

    fn token(&self, purpose: TokenPurpose, leased: &Leased) -> Option<String> {
        self.tokens.as_ref().map(|tokens| tokens.token(purpose, leased))
    }
}

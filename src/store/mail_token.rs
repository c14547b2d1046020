//! Tokens that say which mail somebody speaks of, in a return path or a link: nobody can make one without the secret of the
//! store, and one of another mail, another address or another purpose does not fit.

use sqlx::PgConnection;

use super::{
    Result,
    mail::Leased,
    vault::{BYTES, Vault, hex, hmac, unhex},
};
use crate::domain::{id::PartnerNo, notice::Stream};

/// Bytes that hide the mail's number.
const HIDDEN: usize = 8;
/// Bytes that prove that it is ours.
const PROOF: usize = 12;
/// Characters of a token: lower-case hexadecimal digits, which any mail server keeps as they are.
pub const TOKEN_CHARS: usize = 2 * (HIDDEN + PROOF);

/// What a token is for; one does not fit the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPurpose {
    /// Reports about the mail come back with it.
    Return,
    /// Its reader unsubscribes with it.
    Unsubscribe,
}

impl TokenPurpose {
    /// As it is in every token that was ever made.
    const fn name(self) -> &'static str {
        match self {
            Self::Return => "return",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// What tokens are made with and known by.
#[derive(Clone)]
pub struct MailTokens {
    key: [u8; BYTES],
}

/// The mail that a token speaks of.
#[derive(Clone, Debug)]
pub struct TokenMail {
    /// Its number.
    pub mail_id: i64,
    /// Its Message-ID.
    pub message_id: String,
    /// Where it went.
    pub recipient: String,
    /// BCP 47 tag.
    pub language: String,
    /// What it is (D10).
    pub stream: Stream,
    /// Whose it is; of several that share the address, the first; `None`: an operator's.
    pub partner_id: Option<PartnerNo>,
}

impl MailTokens {
    /// Those of a store.
    #[must_use]
    pub const fn of_store(vault: &Vault) -> Self {
        Self { key: vault.mail_tokens() }
    }

    /// The token of a mail that is to be sent.
    #[must_use]
    pub fn token(&self, purpose: TokenPurpose, mail: &Leased) -> String {
        self.of(purpose, mail.mail_id, &mail.message_id, &mail.recipient)
    }

    fn of(&self, purpose: TokenPurpose, mail_id: i64, message_id: &str, recipient: &str) -> String {
        let said = format!("{}\0{mail_id}\0{message_id}\0{recipient}", purpose.name());
        let mac = hmac(&self.key, said.as_bytes());
        let (proof, _) = mac.split_first_chunk::<PROOF>().unwrap_or((&[0; PROOF], &[]));
        let hidden = self.hide(mail_id.to_be_bytes(), proof);
        hex(&[hidden.as_slice(), proof].concat())
    }

    /// The mail's number, so that nobody can count mails; and back.
    fn hide(&self, mut number: [u8; HIDDEN], proof: &[u8; PROOF]) -> [u8; HIDDEN] {
        let pad = hmac(&self.key, &[b"hide".as_slice(), proof].concat());
        for (byte, pad) in number.iter_mut().zip(pad) {
            *byte ^= pad;
        }
        number
    }

    /// The mail that a token speaks of; `None`: it is none of ours, or of something else.
    pub async fn find(
        &self,
        conn: &mut PgConnection,
        purpose: TokenPurpose,
        token: &str,
    ) -> Result<Option<TokenMail>> {
        if token.len() != TOKEN_CHARS {
            return Ok(None);
        }
        let Some(bytes) = unhex(token) else { return Ok(None) };
        let parts = bytes
            .split_first_chunk::<HIDDEN>()
            .and_then(|(hidden, rest)| Some((*hidden, *rest.first_chunk::<PROOF>()?)));
        let Some((hidden, proof)) = parts else { return Ok(None) };
        let mail_id = i64::from_be_bytes(self.hide(hidden, &proof));
        let mail = sqlx::query_as!(
            TokenMail,
            r#"select mail_id, message_id, recipient, language, stream as "stream!: Stream", partner_id as "partner_id: PartnerNo"
               from mail where mail_id = $1"#,
            mail_id
        )
        .fetch_optional(conn)
        .await?;
        Ok(mail.filter(|mail| {
            same(&self.of(purpose, mail_id, &mail.message_id, &mail.recipient), &token.to_ascii_lowercase())
        }))
    }
}

/// Whether two texts of one length are the same, in a time that does not say where they differ.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one.bytes().zip(other.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

//! DKIM (RFC 6376, and RFC 8463 for Ed25519): a mail is signed for the domain that it is from, once with each key, header and
//! body as `relaxed` has them. The signature follows from the message and the instant at which it was composed, so that a mail
//! that is written again has the same bytes (promise 9).

use std::{
    fmt, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, pem::PemObject},
    sign::{Signer, SigningKey},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Why keys cannot be signed with.
#[derive(Debug, Error)]
pub enum DkimError {
    /// A key's file.
    #[error("the DKIM key {path}: {problem}")]
    Key {
        /// Which file.
        path: String,
        /// What about it, and what to do.
        problem: String,
    },
    /// The message has no body, or the library of signatures does not sign.
    #[error("the mail cannot be signed with the DKIM key of selector {0}")]
    Sign(String),
}

/// Fields that nobody may add: they are signed once more than they are there.
const CLOSED: [&str; 9] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Reply-To",
    "Content-Type",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];
/// Columns of a line of a signature.
const WIDTH: usize = 72;
/// What of a key's file only its owner may have: writing for the group, everything for the others.
const TOO_OPEN: u32 = 0o027;
/// Bytes of an Ed25519 key, which its wrapping ends with.
const ED25519: usize = 32;

/// The keys that mails are signed with, by their selectors.
#[derive(Clone, Default)]
pub struct DkimKeys(Vec<DkimKey>);

#[derive(Clone)]
struct DkimKey {
    selector: String,
    algorithm: Algorithm,
    key: Arc<dyn SigningKey>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rsa,
    Ed25519,
}

/// A record to publish in the DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DkimRecord {
    /// Where: `<selector>._domainkey.<domain>`.
    pub name: String,
    /// What, of type TXT.
    pub text: String,
}

impl fmt::Debug for DkimKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.selector)).finish()
    }
}

impl DkimKeys {
    /// Reads the keys of selectors from their files: RSA of at least 2048 bits or Ed25519, in PEM.
    ///
    /// # Errors
    /// A file that cannot be read, holds no such key, or may be read by everybody.
    pub fn read(files: &[(String, PathBuf)]) -> Result<Self, DkimError> {
        files.iter().map(|(selector, path)| DkimKey::read(selector, path)).collect::<Result<_, _>>().map(Self)
    }

    /// Puts the signature of every key at the head of a message that is from this domain.
    ///
    /// # Errors
    /// [`DkimError::Sign`].
    pub fn sign(&self, domain: &str, at: DateTime<Utc>, message: &mut Vec<u8>) -> Result<(), DkimError> {
        let signatures = self.0.iter().map(|key| key.signature(domain, at, message));
        let mut signed = signatures.collect::<Result<Vec<String>, _>>()?.concat().into_bytes();
        signed.append(message);
        *message = signed;
        Ok(())
    }

    /// What has to be in the DNS of this domain for the signatures to be found good.
    #[must_use]
    pub fn records(&self, domain: &str) -> Vec<DkimRecord> {
        self.0.iter().map(|key| key.record(domain)).collect()
    }
}

impl DkimKey {
    fn read(selector: &str, path: &Path) -> Result<Self, DkimError> {
        let says = |problem: String| DkimError::Key { path: path.display().to_string(), problem };
        let unreadable = |error: std::io::Error| says(format!("it cannot be read: {error}"));
        let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & TOO_OPEN != 0 {
            return Err(says(format!(
                "its mode is {mode:o}, and whoever reads it signs in your name: `chmod 600` it, or 640"
            )));
        }
        let pem = fs::read(path).map_err(unreadable)?;
        let no_key = || {
            "it holds no private key in PEM, RSA of at least 2048 bits or Ed25519; \
             `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` or `openssl genpkey -algorithm ED25519` makes one"
        };
        let der = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| says(no_key().to_owned()))?;
        let key = any_supported_type(&der).map_err(|_| says(no_key().to_owned()))?;
        let schemes = [SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::ED25519];
        let algorithm = match key.choose_scheme(&schemes).map(|signer| signer.scheme()) {
            Some(SignatureScheme::RSA_PKCS1_SHA256) => Algorithm::Rsa,
            Some(SignatureScheme::ED25519) => Algorithm::Ed25519,
            _ => return Err(says(no_key().to_owned())),
        };
        Ok(Self { selector: selector.to_owned(), algorithm, key })
    }

    /// The field `DKIM-Signature`, with its line end.
    fn signature(&self, domain: &str, at: DateTime<Utc>, message: &[u8]) -> Result<String, DkimError> {
        let refuse = || DkimError::Sign(self.selector.clone());
        let text = std::str::from_utf8(message).map_err(|_| refuse())?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(refuse)?;
        // Of fields of one name the last is signed first.
        let fields: Vec<(&str, String)> = unfolded(head).into_iter().rev().collect();
        let names = fields.iter().map(|(name, _)| *name).chain(CLOSED).collect::<Vec<_>>();
        let body_hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
        let unsigned = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed;\r\n d={domain}; s={}; t={};\r\n h={};\r\n bh={body_hash};\r\n b=",
            self.algorithm.name(),
            self.selector,
            at.timestamp(),
            folded(&names, ":"),
        );
        let mut signed = fields
            .iter()
            .fold(String::new(), |text, (name, value)| text + &name.to_lowercase() + ":" + value + "\r\n");
        for (_, value) in unfolded(&unsigned) {
            signed.push_str("dkim-signature:");
            signed.push_str(&value);
        }
        let signature = STANDARD.encode(self.signed(signed.as_bytes()).ok_or_else(refuse)?);
        let characters: Vec<String> = signature.chars().map(String::from).collect();
        Ok(format!("{unsigned}{}\r\n", folded(&characters, "")))
    }

    fn signed(&self, text: &[u8]) -> Option<Vec<u8>> {
        let signer: Box<dyn Signer> = self.key.choose_scheme(&[self.algorithm.scheme()])?;
        match self.algorithm {
            Algorithm::Rsa => signer.sign(text).ok(),
            Algorithm::Ed25519 => signer.sign(&Sha256::digest(text)).ok(),
        }
    }

    fn record(&self, domain: &str) -> DkimRecord {
        let wrapped = self.key.public_key().map(|key| key.as_ref().to_vec()).unwrap_or_default();
        let key = match self.algorithm {
            Algorithm::Rsa => wrapped.as_slice(),
            Algorithm::Ed25519 => wrapped.last_chunk::<ED25519>().map_or(&[][..], |key| key),
        };
        let kind = if self.algorithm == Algorithm::Rsa { "rsa" } else { "ed25519" };
        DkimRecord {
            name: format!("{}._domainkey.{domain}", self.selector),
            text: format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(key)),
        }
    }
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }

    const fn scheme(self) -> SignatureScheme {
        match self {
            Self::Rsa => SignatureScheme::RSA_PKCS1_SHA256,
            Self::Ed25519 => SignatureScheme::ED25519,
        }
    }
}

/// The fields of a head by name, their values in one line as `relaxed` has them.
fn unfolded(head: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in head.split("\r\n") {
        match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line);
            }
            (_, _, Some((name, value))) => fields.push((name.trim_end(), value.to_owned())),
            _ => {}
        }
    }
    for (_, value) in &mut fields {
        squeezed(value).trim_matches(' ').clone_into(value);
    }
    fields
}

/// Runs of spaces and tabs as one space.
fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for c in text.chars().map(|c| if c == '\t' { ' ' } else { c }) {
        if c != ' ' || !squeezed.ends_with(' ') {
            squeezed.push(c);
        }
    }
    squeezed
}

/// A body as `relaxed` has it.
fn relaxed_body(body: &str) -> String {
    let lines: Vec<String> =
        body.split("\r\n").map(|line| squeezed(line).trim_end_matches(' ').to_owned()).collect();
    let last = lines.iter().rposition(|line| !line.is_empty());
    let kept = last.map_or(&[][..], |last| lines.get(..=last).unwrap_or_default());
    kept.iter().fold(String::with_capacity(body.len()), |text, line| text + line + "\r\n")
}

/// Parts with something between them, in lines of readable length.
fn folded(parts: &[impl AsRef<str>], between: &str) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for (at, part) in parts.iter().enumerate() {
        let part = part.as_ref();
        if at > 0 {
            text.push_str(between);
            if column + part.len() > WIDTH {
                text.push_str("\r\n  ");
                column = 0;
            }
        }
        text.push_str(part);
        column += part.len() + between.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 6376, 3.4.5, the example of `relaxed`.
    #[test]
    fn relaxed_is_what_the_rfc_shows() {
        let head = "A: X\r\nB : Y\t\r\n\tZ  ";
        let fields: Vec<String> = unfolded(head)
            .into_iter()
            .map(|(name, value)| format!("{}:{value}", name.to_lowercase()))
            .collect();
        assert_eq!(fields, ["a:X", "b:Y Z"]);
        assert_eq!(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
        assert_eq!(relaxed_body("\r\n\r\n"), "");
        assert_eq!(relaxed_body("no line end"), "no line end\r\n");
    }

    #[test]
    fn a_key_that_everybody_may_read_or_that_is_none_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        let says = || DkimKeys::read(&[("s".to_owned(), path.clone())]).unwrap_err().to_string();
        assert!(says().contains("cannot be read"));
        let ec = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
        for (text, mode, said) in [
            ("x", 0o644, "chmod 600"),
            ("x", 0o620, "chmod 600"),
            ("x", 0o600, "no private key"),
            (&ec, 0o640, "Ed25519"),
        ] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(says().contains(said), "{mode:o}: {}", says());
        }
    }
}

//! Which mail server, how it is reached, and who we are there.

use std::{net::IpAddr, path::Path, sync::Arc};

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use url::Url;

/// Port of submission, where STARTTLS is.
const SUBMISSION: u16 = 587;
/// Port of submission under TLS from the first byte.
const SUBMISSIONS: u16 = 465;

/// Why a server cannot be told from the settings.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The URL has another shape.
    #[error(
        "SMTP_URL is no address of a mail server ({0}); write smtp://user@mail.example:587 or smtps://user@mail.example, \
         with %XX for special characters"
    )]
    Url(String),
    /// No TLS, and the server is elsewhere.
    #[error(
        "SMTP_URL says tls=none, which only a server on this machine may be spoken to with; leave it out"
    )]
    Open,
    /// A user without a password, or a password without a user.
    #[error("the mail server's {0} is missing; give it in SMTP_URL or SMTP_PASSWORD_FILE, or leave both out")]
    Credentials(&'static str),
    /// The certificates cannot be read.
    #[error("SMTP_CA_FILE {path}: {problem}")]
    Certificates {
        /// Which file.
        path: String,
        /// What about it.
        problem: String,
    },
    /// The library of TLS.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// How a connection is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS, and nothing without it.
    StartTls,
    /// Not at all: the server is on this machine.
    Open,
}

/// A mail server.
#[derive(Clone)]
pub struct MailServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<(String, SecretString)>,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

impl std::fmt::Debug for MailServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MailServer({self})")
    }
}

impl std::fmt::Display for MailServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl MailServer {
    /// Reads `smtp://[user[:password]@]host[:port][?tls=required|none]` or `smtps://…`; a `password` from elsewhere wins.
    /// `roots`: certificates (PEM) that are trusted beside the usual ones.
    ///
    /// # Errors
    /// See [`ServerError`]; none names the password.
    pub fn parse(
        url: &SecretString,
        password: Option<SecretString>,
        roots: Option<&Path>,
    ) -> Result<Self, ServerError> {
        let odd = |what: &str| ServerError::Url(what.to_owned());
        let url = Url::parse(url.expose_secret().trim()).map_err(|error| odd(&error.to_string()))?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            other => return Err(odd(&format!("it begins with {other}:"))),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(odd("something follows the host"));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| odd("it names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| odd("its host is no name or address"))?;
        let mut security = if implicit { Security::Implicit } else { Security::StartTls };
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("tls", "required") => {}
                ("tls", "none") if implicit => return Err(odd("smtps is TLS")),
                ("tls", "none") if is_loopback(&host) => security = Security::Open,
                ("tls", "none") => return Err(ServerError::Open),
                _ => return Err(odd("after ? there may be tls=required or tls=none")),
            }
        }
        let text = |part: &str| {
            percent_decode_str(part).decode_utf8().map(String::from).map_err(|_| odd("it is not UTF-8"))
        };
        let in_url = url.password().map(text).transpose()?.map(SecretString::from);
        let user = text(url.username())?;
        let credentials = match (user.is_empty(), password.or(in_url)) {
            (true, None) => None,
            (false, Some(password)) => Some((user, password)),
            (true, Some(_)) => return Err(ServerError::Credentials("user")),
            (false, None) => return Err(ServerError::Credentials("password")),
        };
        let port = url.port().unwrap_or(if implicit { SUBMISSIONS } else { SUBMISSION });
        Ok(Self { host, port, security, credentials, tls: Arc::new(tls(roots)?), name })
    }

    /// As lettre has them.
    pub(super) fn login(&self) -> Option<Credentials> {
        let (user, password) = self.credentials.as_ref()?;
        Some(Credentials::new(user.clone(), password.expose_secret().to_owned()))
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn tls(roots: Option<&Path>) -> Result<ClientConfig, ServerError> {
    let mut trusted = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = roots {
        let fault = |problem: String| ServerError::Certificates { path: path.display().to_string(), problem };
        let found = CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))?;
        let mut count = 0;
        for certificate in found {
            let certificate = certificate.map_err(|error| fault(error.to_string()))?;
            trusted.add(certificate).map_err(|error| fault(error.to_string()))?;
            count += 1;
        }
        if count == 0 {
            return Err(fault("it holds no certificate in PEM".to_owned()));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ServerError::Tls(error.to_string()))?;
    Ok(config.with_root_certificates(trusted).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<MailServer, String> {
        MailServer::parse(&SecretString::from(url), None, None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_reached_under_tls_unless_it_is_on_this_machine_and_the_url_says_otherwise() {
        let of = |url: &str| parse(url).map(|server| (server.to_string(), server.security));
        assert_eq!(of("smtp://mail.example"), Ok(("mail.example:587".into(), Security::StartTls)));
        assert_eq!(of("smtp://localhost:25"), Ok(("localhost:25".into(), Security::StartTls)));
        assert_eq!(of("smtps://mail.example/"), Ok(("mail.example:465".into(), Security::Implicit)));
        assert_eq!(of("smtp://[::1]:2525?tls=none"), Ok(("::1:2525".into(), Security::Open)));
        assert_eq!(
            of("smtp://mail.example?tls=required"),
            Ok(("mail.example:587".into(), Security::StartTls))
        );
        for bad in [
            "mail.example",
            "http://mail.example",
            "smtp://mail.example?tls=none",
            "smtps://127.0.0.1?tls=none",
            "smtp://mail.example?tsl=required",
            "smtp://mail.example/inbox",
            "smtp://",
            "smtp://anna@mail.example",
            "smtp://:secret@mail.example",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn promise_11_a_password_is_taken_from_either_place_and_shown_nowhere() {
        let server = parse("smtp://an%40na:s%2Fecret@mail.example").unwrap();
        let (user, password) = server.credentials.clone().unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("an@na", "s/ecret"));
        assert!(!format!("{server:?} {server}").contains("ecret"));
        let url = SecretString::from("smtp://anna:secret@mail.example");
        let server = MailServer::parse(&url, Some(SecretString::from("other")), None).unwrap();
        assert_eq!(server.credentials.unwrap().1.expose_secret(), "other");
        for bad in [
            "smtp://anna:secret@",
            "smtp://anna:secret@mail.example?tls=x",
            "smtp://anna:secret@mail.example/x",
        ] {
            assert!(!parse(bad).unwrap_err().contains("secret"), "{bad}");
        }
    }
}

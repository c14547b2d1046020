//! Every setting, typed, and documented where it is declared. All are global flags; most can come from the
//! environment as well, where the flag wins.

use std::{
    convert::Infallible,
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use clap::{
    Args, ValueEnum,
    builder::{PathBufValueParser, TypedValueParser},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::clock::{self, Clock};

/// The settings of one process, as clap reads them from flags and environment.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// The Postgres to use, as `postgres://user:password@host/database`; without it, a private one under the
    /// data directory
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    #[arg(value_parser = secret)]
    database_url: Option<SecretString>,

    /// Where the private store, the inbox and the outbox live; made when missing
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "BENEFACTOR_DATA_DIR",
        default_value = "./benefactor-data",
        value_parser = directories()
    )]
    pub data_dir: PathBuf,

    /// The business clock, as a date (2022-01-31) or an instant (2022-01-31T09:30:00Z)
    #[arg(long, global = true, value_name = "INSTANT", value_parser = clock::parse_instant)]
    pub now: Option<DateTime<Utc>>,

    /// Answer in JSON wherever something is listed
    #[arg(long, global = true)]
    pub json: bool,

    /// How log lines on standard error look; `RUST_LOG` says which there are
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,

    /// Where `up` and `worker` tell metrics and health: a loopback address and its port, or `off`; without it
    /// 127.0.0.1:9464, or any free port while that is taken
    #[arg(long, global = true, value_name = "ADDR", env = "BENEFACTOR_LISTEN", value_parser = listen)]
    listen: Option<Listen>,

    /// Where `up` and `worker` show the page that unsubscribes from marketing: an address and its port, as 127.0.0.1:8080,
    /// for a reverse proxy that speaks TLS to reach; without it, nowhere
    #[arg(long, global = true, value_name = "ADDR", env = "BENEFACTOR_PUBLIC_LISTEN", value_parser = public_listen)]
    public_listen: Option<PublicListen>,

    /// Where that page is reached from outside, as `https://benefits.company.example`: links in marketing mails lead there.
    /// Without it they name an address to write to
    #[arg(long, global = true, value_name = "URL", env = "PUBLIC_URL", value_parser = public_url)]
    public_url: Option<PublicUrl>,

    /// Where `jobs/<job>.toml` and `catalogue.toml` replace what is compiled in
    #[arg(long, global = true, value_name = "DIR", env = "BENEFACTOR_CONFIG_DIR")]
    config_dir: Option<OsString>,

    /// The file with the secret that product keys are sealed with: 32 bytes as 64 hexadecimal digits or base64. Without
    /// it, `secret.key` in the data directory, made when it is first needed. Every machine that works on one store needs
    /// the same; without it the keys in the store cannot be read, so keep a copy apart from the store's backups
    #[arg(long, global = true, value_name = "PATH", env = "BENEFACTOR_KEY_FILE")]
    key_file: Option<OsString>,

    /// The mail server, as `smtp://user@host:587` (STARTTLS, always) or `smtps://user@host`; a server on this machine may be
    /// spoken to without TLS: `smtp://localhost:25?tls=none`. Without it, mails become `.eml` files in the outbox
    #[arg(long, global = true, value_name = "URL", env = "SMTP_URL", hide_env_values = true)]
    #[arg(value_parser = secret)]
    smtp_url: Option<SecretString>,

    /// The file with the password of the mail server; it may also be in the URL or in `SMTP_PASSWORD`
    #[arg(long, global = true, value_name = "PATH", env = "SMTP_PASSWORD_FILE")]
    smtp_password_file: Option<OsString>,

    /// The password of the mail server, meant for the environment: on a command line everybody reads it
    #[arg(long, global = true, hide = true, env = "SMTP_PASSWORD", hide_env_values = true)]
    #[arg(value_parser = secret)]
    smtp_password: Option<SecretString>,

    /// A file of certificates (PEM) that the mail server's may be signed by, beside the usual authorities
    #[arg(long, global = true, value_name = "PATH", env = "SMTP_CA_FILE", hide_short_help = true)]
    smtp_ca_file: Option<OsString>,

    /// The keys that mails are signed with (DKIM), as `selector=path`, several separated by commas: each signs. RSA of at
    /// least 2048 bits or Ed25519, in PEM, in files that nobody else may read; `benefactor mail dkim` says what to publish
    #[arg(long, global = true, value_name = "KEYS", env = "DKIM_KEYS", value_parser = dkim_keys)]
    dkim_keys: Option<DkimKeyFiles>,

    /// The only place to look for PostgreSQL's server programs; without it, PATH and the usual places
    #[arg(long, global = true, value_name = "DIR", env = "PG_BIN_DIR", hide_short_help = true)]
    pg_bin_dir: Option<OsString>,

    /// An archive of PostgreSQL's server programs to fetch and use whatever is installed, with its SHA-256 under
    /// the same URL with `.sha256` at the end; `off`: fetch nothing. Without it, they are fetched from the releases
    /// of theseus-rs/postgresql-binaries where none are installed. `PG_BIN_DIR` wins
    #[arg(long, global = true, value_name = "URL", env = "BENEFACTOR_POSTGRES_ARCHIVE")]
    #[arg(hide_short_help = true, hide_env_values = true, value_parser = secret)]
    postgres_archive: Option<SecretString>,
}

/// Where the public page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PublicListen(Option<SocketAddr>);

/// A URL of `https:` without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PublicUrl(Option<String>);

/// Selectors, and the files of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct DkimKeyFiles(Vec<(String, PathBuf)>);

/// How the mail server is reached.
#[derive(Clone, Debug)]
pub struct SmtpSettings<'a> {
    /// Its URL.
    pub url: SecretString,
    /// The password, if it is not in the URL.
    pub password: Option<SecretString>,
    /// Certificates that are trusted beside the usual ones.
    pub ca_file: Option<&'a Path>,
}

/// What a log line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line a person reads.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where metrics and health are told unless the settings say otherwise.
pub const USUAL_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// Where metrics and health are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// At [`USUAL_ADDRESS`], or on any free port while that is taken.
    Usual,
    /// There and nowhere else; a loopback address.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

impl Settings {
    /// Where `up` and `worker` tell metrics and health.
    #[must_use]
    pub fn listen(&self) -> Listen {
        self.listen.unwrap_or(Listen::Usual)
    }

    /// Where the page that unsubscribes is shown; an empty setting is nowhere.
    #[must_use]
    pub fn public_listen(&self) -> Option<SocketAddr> {
        self.public_listen.and_then(|listen| listen.0)
    }

    /// Where that page is reached from outside, without a slash at the end; an empty setting is none.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_ref().and_then(|url| url.0.as_deref())
    }

    /// The outside database; an empty setting is none.
    #[must_use]
    pub fn database_url(&self) -> Option<&SecretString> {
        self.database_url.as_ref().filter(|url| !url.expose_secret().trim().is_empty())
    }

    /// The mail server's URL, the password from elsewhere, and the file of certificates; empty settings are none.
    ///
    /// # Errors
    /// The file with the password cannot be read.
    pub fn smtp(&self) -> std::io::Result<Option<SmtpSettings<'_>>> {
        let filled_secret = |secret: &Option<SecretString>| {
            secret.clone().filter(|text| !text.expose_secret().trim().is_empty())
        };
        let Some(url) = filled_secret(&self.smtp_url) else { return Ok(None) };
        let from_file = filled(self.smtp_password_file.as_ref())
            .map(|path| {
                std::fs::read_to_string(path)
                    .map(|text| SecretString::from(text.trim_end_matches(['\r', '\n'])))
            })
            .transpose()?;
        let password = from_file.or_else(|| filled_secret(&self.smtp_password));
        Ok(Some(SmtpSettings { url, password, ca_file: filled(self.smtp_ca_file.as_ref()) }))
    }

    /// The selectors of the keys that mails are signed with, and where those are.
    #[must_use]
    pub fn dkim_keys(&self) -> &[(String, PathBuf)] {
        self.dkim_keys.as_ref().map_or(&[], |keys| &keys.0)
    }

    /// Where facts that replace the compiled-in ones are; an empty setting is none.
    #[must_use]
    pub fn config_dir(&self) -> Option<&Path> {
        filled(self.config_dir.as_ref())
    }

    /// Where the secret of the product keys is; an empty setting is none.
    #[must_use]
    pub fn key_file(&self) -> Option<&Path> {
        filled(self.key_file.as_ref())
    }

    /// The only place to look for Postgres programs; an empty setting is none.
    #[must_use]
    pub fn pg_bin_dir(&self) -> Option<&Path> {
        filled(self.pg_bin_dir.as_ref())
    }

    /// Where to fetch Postgres programs from: a URL, `off`, or nothing.
    #[must_use]
    pub fn postgres_archive(&self) -> &str {
        self.postgres_archive.as_ref().map_or("", ExposeSecret::expose_secret)
    }

    /// The clock of a command that does one thing and ends: `--now` stands still.
    #[must_use]
    pub fn still_clock(&self) -> Clock {
        self.now.map_or(Clock::System, Clock::Fixed)
    }

    /// The clock of a command that runs on: `--now` is where it starts ticking.
    #[must_use]
    pub fn ticking_clock(&self) -> Clock {
        self.now.map_or(Clock::System, Clock::ticking_from)
    }
}

fn filled(setting: Option<&OsString>) -> Option<&Path> {
    setting.filter(|text| !text.is_empty()).map(Path::new)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a clap value parser")]
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

/// Takes a directory, or where one can be made.
pub(crate) fn directories() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(directory)
}

/// That nothing but directories is on the way to a path, as far as there is anything.
fn directory(path: PathBuf) -> Result<PathBuf, String> {
    let there = path.ancestors().find_map(|part| Some((part, part.metadata().ok()?)));
    match there {
        Some((part, found)) if !found.is_dir() => Err(format!(
            "{} is a file, and a directory is needed; name another directory, which is made if it is missing, \
             or move the file away",
            part.display()
        )),
        _ => Ok(path),
    }
}

/// `off`, or a loopback address and port; an empty setting is none.
fn listen(text: &str) -> Result<Listen, String> {
    let address = match text.trim() {
        "" => return Ok(Listen::Usual),
        "off" => return Ok(Listen::Off),
        named => named
            .strip_prefix("localhost:")
            .map_or_else(|| named.to_owned(), |port| format!("127.0.0.1:{port}")),
    };
    let address: SocketAddr = address
        .parse()
        .map_err(|_| "neither `off` nor an address with its port, as 127.0.0.1:9464".to_owned())?;
    if address.ip().is_loopback() {
        return Ok(Listen::At(address));
    }
    Err("this can be reached from elsewhere, and nobody logs in there; \
         listen on 127.0.0.1 and put a reverse proxy in front that decides who may ask"
        .to_owned())
}

fn public_listen(text: &str) -> Result<PublicListen, String> {
    let address = match text.trim() {
        "" => return Ok(PublicListen(None)),
        named => named.parse().map_err(|_| "no address with its port, as 127.0.0.1:8080".to_owned())?,
    };
    Ok(PublicListen(Some(address)))
}

/// RFC 8058 wants `https:`, and whoever unsubscribes is nobody else's business.
fn public_url(text: &str) -> Result<PublicUrl, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(PublicUrl(None));
    }
    let plain = Url::parse(text).ok().filter(|url| {
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        url.scheme() == "https" && url.has_host() && url.password().is_none() && bare
    });
    let url = plain.ok_or("no address of a page under TLS, as https://benefits.company.example")?;
    Ok(PublicUrl(Some(url.as_str().trim_end_matches('/').to_owned())))
}

/// `selector=path`, several separated by commas; an empty setting is none.
fn dkim_keys(text: &str) -> Result<DkimKeyFiles, String> {
    let mut keys: Vec<(String, PathBuf)> = Vec::new();
    for written in text.split(',').map(str::trim).filter(|written| !written.is_empty()) {
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let (selector, path) = written
            .split_once('=')
            .filter(|(selector, path)| selector.split('.').all(label) && !path.is_empty())
            .ok_or_else(|| {
                format!("'{written}' is no selector with its file, as 2026a=/run/secrets/dkim-2026a.pem")
            })?;
        if keys.iter().any(|(other, _)| other == selector) {
            return Err(format!("the selector {selector} has two files"));
        }
        keys.push((selector.to_owned(), PathBuf::from(path)));
    }
    Ok(DkimKeyFiles(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_page_is_reached_under_tls_wherever_it_listens() {
        assert_eq!(
            public_url(" https://b.example/sub/ "),
            Ok(PublicUrl(Some("https://b.example/sub".to_owned())))
        );
        assert_eq!(public_url(""), Ok(PublicUrl(None)));
        for wrong in
            ["http://b.example", "b.example", "https://a:b@b.example", "https://b.example/?a=b", "https://"]
        {
            assert!(public_url(wrong).unwrap_err().contains("https://benefits"), "{wrong}");
        }
        assert_eq!(public_listen("0.0.0.0:80"), Ok(PublicListen(Some("0.0.0.0:80".parse().unwrap()))));
        assert_eq!(public_listen(""), Ok(PublicListen(None)));
        assert!(public_listen("8080").is_err());
    }

    #[test]
    fn dkim_keys_are_selectors_with_their_files() {
        let read = |text: &str| dkim_keys(text).map(|keys| keys.0);
        let a = || ("2026a".to_owned(), PathBuf::from("/k/a.pem"));
        assert_eq!(read("2026a=/k/a.pem"), Ok(vec![a()]));
        assert_eq!(
            read("2026a=/k/a.pem, ed.mail=b=c.pem,"),
            Ok(vec![a(), ("ed.mail".to_owned(), "b=c.pem".into())])
        );
        assert_eq!(read(" "), Ok(vec![]));
        for (wrong, why) in
            [("/k/a.pem", "2026a=/run"), ("a=", "as 2026a"), ("a b=/k", "as 2026a"), ("a=x,a=y", "two files")]
        {
            assert!(read(wrong).unwrap_err().contains(why), "{wrong}");
        }
    }

    #[test]
    fn metrics_are_told_on_loopback_addresses_alone() {
        assert_eq!(listen("127.0.0.1:9500"), Ok(Listen::At("127.0.0.1:9500".parse().unwrap())));
        assert_eq!(listen("localhost:9500"), Ok(Listen::At("127.0.0.1:9500".parse().unwrap())));
        assert_eq!(listen("[::1]:0"), Ok(Listen::At("[::1]:0".parse().unwrap())));
        assert_eq!(listen("off"), Ok(Listen::Off));
        assert_eq!(listen(" "), Ok(Listen::Usual));
        for open in ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "[::ffff:192.0.2.1]:9464"] {
            assert!(listen(open).unwrap_err().contains("reverse proxy"), "{open}");
        }
        for unclear in ["9464", "127.0.0.1", "host.example:9464", "127.0.0.1:70000"] {
            assert!(listen(unclear).unwrap_err().contains("127.0.0.1:9464"), "{unclear}");
        }
    }
}

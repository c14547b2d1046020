//! The DNS, asked for what is published about mail.

use std::{net::SocketAddr, time::Duration};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};
use thiserror::Error;

/// How long one server has for one answer, and how often it is asked.
const PATIENCE: (Duration, usize) = (Duration::from_secs(3), 1);

/// What is published, which may be nothing; or why that could not be found out.
pub(super) type Records<T> = Result<Vec<T>, String>;

/// There is nobody to ask.
#[derive(Debug, Error)]
#[error("the DNS cannot be asked: {0}")]
pub struct DnsError(#[from] NetError);

/// Whoever is asked.
pub struct Resolver(TokioResolver);

impl Resolver {
    /// The system's servers, or this one.
    ///
    /// # Errors
    /// The system names none.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, DnsError> {
        let mut builder = match server {
            Some(server) => TokioResolver::builder_with_config(only(server), TokioRuntimeProvider::default()),
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        (options.timeout, options.attempts) = PATIENCE;
        Ok(Self(builder.build()?))
    }

    /// The texts (TXT) at a name, each put together from its parts.
    pub(super) async fn texts(&self, name: &str) -> Records<String> {
        let text = |data: &RData| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        found(
            self.0
                .txt_lookup(absolute(name))
                .await
                .map(|found| found.answers().iter().filter_map(|record| text(&record.data)).collect()),
        )
    }

    /// The mail servers (MX) of a domain, the preferred first; without any the domain's own addresses.
    pub(super) async fn mail_servers(&self, domain: &str) -> Records<String> {
        let server = |data: &RData| match data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.to_utf8())),
            _ => None,
        };
        let mut servers: Vec<_> = found(
            self.0
                .mx_lookup(absolute(domain))
                .await
                .map(|found| found.answers().iter().filter_map(|record| server(&record.data)).collect()),
        )?;
        servers.sort();
        if servers.is_empty() {
            let own = self.0.lookup_ip(absolute(domain)).await;
            return found(own.map(|own| own.iter().map(|ip| ip.to_string()).collect()));
        }
        Ok(servers.into_iter().map(|(_, server)| server).collect())
    }
}

/// So that nothing of the system's search list is added.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn only(server: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let server = NameServerConfig::new(server.ip(), true, connections.into());
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

fn found<T>(asked: Result<Vec<T>, NetError>) -> Records<T> {
    match asked {
        Err(error) if error.is_no_records_found() => Ok(Vec::new()),
        asked => asked.map_err(|error| error.to_string()),
    }
}

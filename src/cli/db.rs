//! The commands about the database itself: `migrate`, `db psql`, `db hold`, `db url`, and the store's keeper.

use std::{ffi::OsString, path::PathBuf, process};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    exit::{Ending, Exit},
    location::location,
    output::print,
};
use crate::{
    settings::Settings,
    store::{
        Access,
        embedded::{self, Login},
        schema::Grants,
    },
};

pub(super) const MIGRATE_EXAMPLE: &str = "\
Example, on a database whose roles have other names:
  DATABASE_URL=postgres://owner@db.example/benefits benefactor migrate --grant-worker app --grant-reader bi";

/// What `migrate` takes.
#[derive(Args, Debug)]
pub(super) struct MigrateArgs {
    /// A role that runs commands; may be given several times
    #[arg(long, value_name = "ROLE")]
    grant_worker: Vec<String>,
    /// A role that reads the report views; may be given several times
    #[arg(long, value_name = "ROLE")]
    grant_reader: Vec<String>,
}

/// The `db` commands.
#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Run psql on the store, which stays up meanwhile
    #[command(
        after_help = "Example:\n  benefactor db psql --role reader -- -c 'select * from report.balance'"
    )]
    Psql(PsqlArgs),
    /// Keep the store up in the foreground and print its URL, until SIGTERM or Ctrl-C
    #[command(after_help = "Example:\n  benefactor --data-dir ./demo db hold --role reader")]
    Hold(RoleArgs),
    /// Print the URL of the store that runs; exit 6 if nothing listens
    #[command(after_help = "Example:\n  psql \"$(benefactor db url)\"")]
    Url(RoleArgs),
}

/// Who to be in the private store.
#[derive(Args, Debug)]
pub(super) struct RoleArgs {
    /// Who to be in the private store; with --database-url, the URL says
    #[arg(long, value_enum, default_value_t = DatabaseRole::Owner)]
    role: DatabaseRole,
}

/// What `db psql` takes.
#[derive(Args, Debug)]
pub(super) struct PsqlArgs {
    #[command(flatten)]
    role: RoleArgs,
    /// Given to psql as they are
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<OsString>,
}

/// A role of the private store.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DatabaseRole {
    /// Owns everything.
    Owner,
    /// What commands connect as.
    Worker,
    /// Sees the report views.
    Reader,
}

impl From<&RoleArgs> for Login {
    fn from(args: &RoleArgs) -> Self {
        match args.role {
            DatabaseRole::Owner => Self::Owner,
            DatabaseRole::Worker => Self::Worker,
            DatabaseRole::Reader => Self::Reader,
        }
    }
}

/// What the keeper takes.
#[derive(Args, Debug)]
pub(super) struct KeepStoreArgs {
    /// The store's directory
    dir: PathBuf,
    /// Do without fsync: for tests
    #[arg(long)]
    volatile: bool,
    /// Use the programs that were fetched, whatever is installed
    #[arg(long)]
    fetched: bool,
}

pub(super) async fn run_migrate(settings: &Settings, args: MigrateArgs) -> anyhow::Result<Exit> {
    let location = location(settings)?;
    let access = location.access().await?;
    let grants = Grants { workers: args.grant_worker, readers: args.grant_reader };
    access.migrate(location.transport, &grants).await?;
    tracing::info!("the schema is up to date");
    Ok(Exit::Done)
}

/// A database that answers, for the operator to look into whatever its schema; a private one is migrated first.
async fn reach(settings: &Settings) -> anyhow::Result<Access> {
    let location = location(settings)?;
    let access = location.access().await?;
    access.settle(location.transport).await?;
    Ok(access)
}

pub(super) async fn run_psql(settings: &Settings, args: PsqlArgs) -> anyhow::Result<Exit> {
    let access = reach(settings).await?;
    let (url, password) = without_password(access.url(Login::from(&args.role))?.expose_secret());
    // Ctrl-C is psql's, to cancel a query; ours would let the store go under it.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut command = process::Command::new("psql");
    command.arg(url).args(args.args);
    if let Some(password) = password {
        command.env("PGPASSWORD", password); // others on this machine can read arguments
    }
    let mut child = command.spawn().map_err(|error| {
        Ending::new(
            Exit::Down,
            format!("psql does not start ({error}); install it (Debian: postgresql-client)"),
        )
    })?;
    let ending = tokio::task::spawn_blocking(move || child.wait());
    tokio::pin!(ending);
    let status = loop {
        tokio::select! {
            status = &mut ending => break status??,
            _ = interrupts.recv() => {}
        }
    };
    Ok(match status.code() {
        Some(0) => Exit::Done,
        Some(2) => Exit::Down, // the connection went bad
        _ => Exit::Failed,
    })
}

pub(super) async fn run_hold(settings: &Settings, args: RoleArgs) -> anyhow::Result<Exit> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let access = reach(settings).await?;
    print(access.url(Login::from(&args))?.expose_secret())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(Exit::Done)
}

pub(super) async fn run_url(settings: &Settings, args: RoleArgs) -> anyhow::Result<Exit> {
    let url = location(settings)?.listening(Login::from(&args)).await?;
    print(url.expose_secret())?;
    Ok(Exit::Done)
}

pub(super) fn run_keep_store(settings: &Settings, args: &KeepStoreArgs) -> anyhow::Result<Exit> {
    embedded::keep(&args.dir, settings.pg_bin_dir(), args.fetched, !args.volatile)
        .context("keeping the store")?;
    Ok(Exit::Done)
}

/// A URL without its password, and the password, decoded.
fn without_password(url: &str) -> (String, Option<String>) {
    let split = || {
        let (scheme, rest) = url.split_once("://")?;
        let authority_ends = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_ends);
        let (user, host) = authority.rsplit_once('@')?;
        let (user, password) = user.split_once(':')?;
        Some((format!("{scheme}://{user}@{host}{path}"), decoded(password)))
    };
    split().map_or_else(|| (url.to_owned(), None), |(url, password)| (url, Some(password)))
}

/// Undoes percent-encoding; what is not encoded stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        if let (b'%', Some(byte)) = (first, code()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_go_into_the_arguments_of_psql() {
        assert_eq!(
            without_password("postgres://app:s%40crt@db.example/benefits?sslmode=require"),
            ("postgres://app@db.example/benefits?sslmode=require".into(), Some("s@crt".into()))
        );
        let plain = "postgres://postgres@localhost:5432/benefactor?host=%2Ftmp";
        assert_eq!(without_password(plain), (plain.into(), None));
    }
}

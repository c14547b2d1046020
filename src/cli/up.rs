//! `up` and `worker`: run on until told to stop.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Args;
use futures::FutureExt;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::OnceCell,
};

use super::{
    exit::{Ending, Exit},
    location::location,
    nights::context,
};
use crate::{
    clock::Clock,
    jobs::{self, Stop, engine::name, policy::Policies},
    settings::{Listen, Settings, USUAL_ADDRESS},
    store::{
        Location, Store,
        embedded::Login,
        process::{self, Process},
        schema::{Grants, SchemaState},
        vault::SecretPlace,
    },
    web::{self, public::PublicState},
    worker::{self, Dispatcher, heartbeat::Heartbeat},
};

pub(super) const UP_EXAMPLE: &str = "\
Example:
  benefactor --data-dir ./benefits up
takes in what is dropped into ./benefits/inbox and runs the nights, until SIGTERM or Ctrl-C.";

pub(super) const WORKER_EXAMPLE: &str = "\
Example, on as many machines as you like:
  DATABASE_URL=postgres://app@db.example/benefits benefactor worker";

/// Signals within this time are one.
const ONE_WISH: Duration = Duration::from_millis(500);

/// How long giving word and telling figures wait for a connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections for the public page.
const PAGES: u32 = 2;
/// Connections for telling figures.
const SCRAPES: u32 = 2;

/// What `up` and `worker` take: the settings say everything.
#[derive(Args, Debug)]
pub(super) struct UpArgs {}

pub(super) async fn run_up(settings: &Settings, _: UpArgs) -> anyhow::Result<Exit> {
    let location = location(settings)?;
    migrate(&location).await?;
    work(settings, &location, true).await
}

pub(super) async fn run_worker(settings: &Settings, _: UpArgs) -> anyhow::Result<Exit> {
    let location = location(settings)?;
    location.listening(Login::Worker).await?; // a private store is kept by `up`, not by its workers
    work(settings, &location, false).await
}

/// Brings an outside database's schema up to date if it is older; a private one is whenever it is opened.
async fn migrate(location: &Location) -> anyhow::Result<()> {
    if location.database_url.is_some() {
        let access = location.access().await?;
        if access.settle(location.transport).await? == SchemaState::Older {
            access.migrate(location.transport, &Grants::default()).await?;
        }
    }
    Ok(())
}

/// Works until SIGTERM or Ctrl-C, then comes to an end; a second one ends at once.
async fn work(settings: &Settings, location: &Location, takes_in: bool) -> anyhow::Result<Exit> {
    let (asker, stop) = Stop::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let clock = settings.ticking_clock();
    let mut base = context(settings, clock.today(), false)?;
    base.stop = stop.clone();
    base.now = jobs::Now::told(move || clock.now());
    let is_open = Arc::new(AtomicBool::new(false));
    let (ending, has_begun) = (asker.clone(), Arc::clone(&is_open));
    let listening = tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if !has_begun.load(Ordering::SeqCst) {
            tracing::info!("stopped before the store was open: nothing had begun");
            std::process::exit(i32::from(Exit::Done as u8));
        }
        ending.ask();
        // `timeout` and shells signal the process and its group, twice in the same instant: that is one wish.
        tokio::time::sleep(ONE_WISH).await;
        while interrupt.recv().now_or_never().is_some() || terminate.recv().now_or_never().is_some() {}
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::warn!("ended at once; what was running is taken up again on the next start");
        std::process::exit(i32::from(Exit::Failed as u8));
    });
    let store = Store::open(location).await?; // it may take as long as PostgreSQL is fetched
    is_open.store(true, Ordering::SeqCst);
    base.lanes = Some(store.pool.clone());
    let (policies, vault) = (Arc::clone(&base.policies), Arc::clone(&base.vault));
    let _page = show_page(settings, &store, vault).await?;
    let dispatcher = Dispatcher::new(store.pool.clone(), base, clock, takes_in, asker);
    let (heartbeat, open) = be_seen(settings, &store, &dispatcher, (policies, clock)).await?;
    let in_time = worker::run(dispatcher, stop).await;
    drop(open);
    listening.abort();
    if !in_time {
        return Ok(Exit::Failed); // without signing off: whoever does not start it again is told
    }
    heartbeat.end().await;
    store.close().await;
    Ok(Exit::Done)
}

/// Shows the page that unsubscribes where the settings say.
async fn show_page(
    settings: &Settings,
    store: &Store,
    vault: Arc<SecretPlace>,
) -> anyhow::Result<Option<web::WebServer>> {
    let Some(address) = settings.public_listen() else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let advice = "give another address with --public-listen, or leave it out";
        Ending::new(Exit::Usage, format!("cannot listen on {address}: {error}; {advice}"))
    })?;
    let at = listener.local_addr()?;
    tracing::info!("the page that unsubscribes is at http://{at}/unsubscribe");
    if settings.public_url().is_none() {
        tracing::warn!(
            "no mail has a link to the page that unsubscribes: PUBLIC_URL does not say where it is reached"
        );
    }
    let below = settings
        .public_url()
        .and_then(|url| url.split_once("://")?.1.split_once('/'))
        .map_or("", |(_, path)| path);
    let state = PublicState { pool: store.aside(PAGES, PATIENCE), vault, tokens: OnceCell::new() };
    Ok(Some(web::public::open(listener, &format!("/{below}"), state)))
}

/// Puts this process on record, and tells metrics and health where the settings say.
async fn be_seen(
    settings: &Settings,
    store: &Store,
    dispatcher: &Dispatcher,
    (policies, clock): (Arc<Policies>, Clock),
) -> anyhow::Result<(Heartbeat, Option<web::WebServer>)> {
    let host = name::host();
    let listener = match web::listen(settings.listen()).await {
        Ok(listener) => listener,
        Err((address, error)) if settings.listen() == Listen::Usual => {
            tracing::warn!(%address, %error, "metrics and health are told nowhere");
            None
        }
        Err((address, error)) => return Err(taken(store, &host, address, &error).await.into()),
    };
    let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
    if let Some(address) = address {
        let usual = settings.listen() != Listen::Usual || address == USUAL_ADDRESS;
        let why = if usual { String::new() } else { format!("; {USUAL_ADDRESS} is taken") };
        tracing::info!("metrics and health at http://{address}/metrics and /health{why}");
    }
    let me = Process {
        name: dispatcher.name().to_owned(),
        command: if dispatcher.takes_in() { "up" } else { "worker" },
        host,
        pid: i32::try_from(std::process::id()).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION"),
        listens_on: address.map(|address| address.to_string()),
    };
    let heartbeat = Heartbeat::begin(store.aside(1, PATIENCE), me).await;
    let liveness = dispatcher.liveness();
    let works = Arc::new(move || liveness.is_alive());
    let open = listener.map(|listener| {
        web::open(listener, web::AppState { pool: store.aside(SCRAPES, PATIENCE), clock, policies, works })
    });
    Ok((heartbeat, open))
}

/// The address that was asked for cannot be had: who has it, or how to find out.
async fn taken(store: &Store, host: &str, address: SocketAddr, error: &std::io::Error) -> Ending {
    let mut sentence = format!("cannot listen on {address}: {error}");
    if error.kind() == std::io::ErrorKind::AddrInUse {
        let seen = match store.pool.acquire().await {
            Ok(mut conn) => process::seen(&mut conn).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let there = address.to_string();
        let ours = seen.iter().find(|seen| seen.host == host && seen.listens_on.as_deref() == Some(&there));
        sentence = match ours {
            Some(seen) => format!("`{}` with pid {} listens on {address} already", seen.command, seen.pid),
            None => format!("{sentence}; `ss -ltnp sport = :{}` says whose it is", address.port()),
        };
        sentence.push_str("; give another port with --listen, or leave it out for any free one");
    }
    Ending::new(Exit::Usage, sentence)
}

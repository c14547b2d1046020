//! `up` and `worker`: run on until told to stop.

use std::time::Duration;

use clap::Args;
use futures::FutureExt;
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, location, nights::context};
use crate::{
    jobs::Stop,
    settings::Settings,
    store::{
        Location, Store,
        embedded::Login,
        schema::{Grants, Standing},
    },
    worker::{self, Desk},
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
        if access.settle(location.transport).await? == Standing::Older {
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
    let store = Store::open(location).await?;
    let ending = asker.clone();
    let listening = tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
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
    let desk = Desk::new(store.pool.clone(), base, clock, takes_in, asker);
    let in_time = worker::run(desk, stop).await;
    listening.abort();
    if !in_time {
        return Ok(Exit::Failed);
    }
    store.close().await;
    Ok(Exit::Done)
}

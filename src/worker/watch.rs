//! Looks at the inbox every second, and sends a wake-up call for a file once it has stopped changing.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tracing::warn;

use super::{dispatcher::Dispatcher, queue::Queue};
use crate::{
    jobs::{
        Error,
        intake::{
            self,
            inbox::{InboxFiles, waiting},
        },
    },
    store::notifier,
};

/// How often one looks.
const TICK: Duration = Duration::from_secs(1);

/// Looks until a stop is asked for.
pub(super) async fn watch(dispatcher: Arc<Dispatcher>) {
    let inbox = dispatcher.base.folders.inbox();
    if dispatcher.takes_in()
        && let Err(error) = tokio::fs::create_dir_all(&inbox).await
    {
        warn!(inbox = %inbox.display(), %error, "the inbox cannot be made");
    }
    let mut told = BTreeSet::new();
    loop {
        let (waiting, unreadable) = match waiting(&dispatcher.base) {
            Ok(InboxFiles { files, unreadable }) => (Some(files), unreadable),
            Err(error) => (None, vec![error]),
        };
        told = tell(&told, &unreadable, waiting.is_some());
        if let Some(waiting) = waiting {
            let stamped = waiting.into_iter().map(|one| (one.path.clone(), intake::stamp(&one.path)));
            let stamped = stamped.collect();
            let ready = {
                let mut inbox = dispatcher.inbox();
                inbox.note(stamped);
                inbox.any_ready()
            };
            if ready && dispatcher.takes_in() && dispatcher.is_open(&Queue::Intake) {
                notify(&dispatcher).await;
            }
        }
        tokio::select! {
            () = dispatcher.base.stop.asked() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Tells of what cannot be looked at, once for as long as it cannot; gives what was told of by now.
fn tell(told: &BTreeSet<String>, unreadable: &[Error], only_folders: bool) -> BTreeSet<String> {
    let now: BTreeSet<String> = unreadable.iter().map(ToString::to_string).collect();
    for error in now.difference(told) {
        if only_folders {
            warn!(%error, "a folder in the inbox cannot be looked at; its files wait until it can");
        } else {
            warn!(%error, "the inbox cannot be looked at, and no night begins here until it can");
        }
    }
    now
}

async fn notify(dispatcher: &Dispatcher) {
    let rung = async {
        let mut conn = dispatcher.pool.acquire().await?;
        notifier::notify(&mut conn, &Queue::Intake.name(), 1, dispatcher.base.work(intake::NAME).priority)
            .await
    };
    if let Err(error) = rung.await {
        warn!(%error, "files wait in the inbox, and nobody could be called");
    }
}

//! Looks at the inbox every second, or as often as files are to rest, and sends a wake-up call for a file once it has rested.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::warn;

use super::{dispatcher::Dispatcher, queue::Queue};
use crate::{
    jobs::intake::{
        self,
        inbox::{self, SeenInbox},
    },
    store::notifier,
};

/// How often one looks at most, and at least.
const TICK: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Looks until a stop is asked for.
pub(super) async fn watch(dispatcher: Arc<Dispatcher>) {
    let folder = dispatcher.base.folders.inbox();
    if dispatcher.takes_in()
        && let Err(error) = tokio::fs::create_dir_all(&folder).await
    {
        warn!(inbox = %folder.display(), %error, "the inbox cannot be made");
    }
    let rest = dispatcher.base.policies.import_entitlements.policy.inbox_rest(true);
    let tick = rest.clamp(TICK.0, TICK.1);
    let mut told = BTreeSet::new();
    loop {
        let (ready, unreadable) = match inbox::look(&dispatcher.base).await {
            Ok(SeenInbox { ready, unreadable }) => (Some(ready), unreadable),
            Err(error) => (None, BTreeSet::from([error.to_string()])),
        };
        told = tell(&told, unreadable, ready.is_some());
        match ready {
            None => dispatcher.inbox().is_out_of_sight(),
            // Where nobody can be called, the file still lies there at the next look.
            Some(ready) if dispatcher.takes_in() && dispatcher.is_open(&Queue::Intake) => {
                if dispatcher.inbox().note(Instant::now(), ready) {
                    notify(&dispatcher).await;
                }
            }
            Some(_) => dispatcher.inbox().is_in_sight(),
        }
        tokio::select! {
            () = dispatcher.base.stop.asked() => return,
            () = tokio::time::sleep(tick) => {}
        }
    }
}

/// Tells of what cannot be looked at, once for as long as it cannot; gives what was told of by now.
fn tell(told: &BTreeSet<String>, now: BTreeSet<String>, only_folders: bool) -> BTreeSet<String> {
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

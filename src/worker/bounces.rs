//! Looks at what comes back about mails, now and then; whatever is there, nothing else waits for it.

use std::{sync::Arc, time::Duration};

use tracing::{info, warn};

use super::dispatcher::Dispatcher;
use crate::jobs::email_contacts::bounces::{BounceReader, BouncesTaken, mailbox};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(30);

/// Looks until a stop is asked for.
pub(super) async fn watch(dispatcher: Arc<Dispatcher>) {
    let base = &dispatcher.base;
    let Some(path) = mailbox(base).filter(|_| dispatcher.takes_in()) else { return };
    let (mut reader, mut told) = (BounceReader::default(), None);
    loop {
        let looked = async {
            let mut conn = dispatcher.pool.acquire().await?;
            reader.take(base, &mut conn, &path).await
        };
        match looked.await {
            Ok(taken) => {
                if taken.new > 0 {
                    let BouncesTaken { new, matched, suppressed, unsubscribed, .. } = taken;
                    info!(new, matched, suppressed, unsubscribed, "mails came back");
                }
                told = None;
            }
            Err(error) => {
                let error = error.to_string();
                if told.as_ref() != Some(&error) {
                    warn!(%error, "what comes back about mails cannot be looked at");
                    told = Some(error);
                }
            }
        }
        tokio::select! {
            () = base.stop.asked() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

//! Hands mails to the mail server whenever some are due, beside the nights and whatever becomes of them.

use std::{sync::Arc, time::Duration};

use tracing::{debug, info, warn};

use super::dispatcher::Dispatcher;
use crate::jobs::{
    email_contacts::lanes::{self, Sent},
    engine::name,
};

/// The pause between two looks.
const TICK: Duration = Duration::from_secs(1);
/// The longest pause while the server, or the store, takes nothing.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// The role that mails are claimed under.
const ROLE: &str = "mailer";

/// Sends until a stop is asked for.
pub(super) async fn mail(dispatcher: Arc<Dispatcher>) {
    if dispatcher.base.server.is_none() {
        return;
    }
    let mut pause = TICK;
    loop {
        let base = &dispatcher.base;
        let cx = base.by(name::of_process(ROLE), dispatcher.clock.today());
        match lanes::send_due(&Arc::new(cx), &dispatcher.pool).await {
            Ok(Sent { trouble: Some(trouble), .. }) => pause = wait_longer(pause, &trouble),
            Err(error) => pause = wait_longer(pause, &error.to_string()),
            Ok(sent) => {
                if pause > TICK {
                    info!("the mail server takes mails again");
                }
                pause = TICK;
                if sent != Sent::default() {
                    debug!(?sent, "handed to the mail server");
                }
            }
        }
        tokio::select! {
            () = dispatcher.base.stop.asked() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn wait_longer(pause: Duration, trouble: &str) -> Duration {
    if pause == TICK {
        warn!(trouble, "the mail server takes nothing now; it is tried again after growing pauses");
    }
    (pause * 2).min(LONGEST_PAUSE)
}

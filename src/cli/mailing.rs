//! What nights queued, handed to the mail server once they are done.

use std::sync::Arc;

use crate::{
    jobs::{
        self,
        email_contacts::lanes::{self, Sent},
    },
    store::Store,
};

/// What came of mails, in a line.
pub(super) fn said(sent: &Sent) -> String {
    let Sent { sent, refused, later, unknown, .. } = sent;
    format!("{sent} sent, {refused} refused, {later} put off, {unknown} unknown")
}

/// Hands what nights queued to the mail server, if there is one; whatever comes of that, the nights are done.
pub(super) async fn send_after(cx: jobs::Context, store: &Store) {
    if cx.server.is_none() {
        return;
    }
    match lanes::send_due(&Arc::new(cx), &store.pool).await {
        Ok(sent) => {
            if let Some(trouble) = &sent.trouble {
                tracing::warn!(%trouble, "the mail server takes nothing now: mails wait; `benefactor mail send` tries again");
            }
            tracing::info!(mails = said(&sent), "handed to the mail server");
        }
        Err(error) => tracing::warn!(%error, "mails wait: they could not be handed to the mail server"),
    }
}

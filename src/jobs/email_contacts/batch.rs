//! A batch of mails on its way into the outbox: leased, written and put there with no transaction open, and what came of it
//! on record.

use sqlx::{Connection, PgConnection};
use tracing::warn;

use super::{hand_over, sender::Sender};
use crate::{
    domain::calendar::add_days,
    jobs::engine::{Context, Error, Result, fault},
    store::{
        mail::{self, Delivery, Leased, MailFate, Sending},
        run::{self, Chunk, Counts, Span},
    },
};

/// How long a batch may take to be handed over.
const LEASE_SECONDS: f64 = 120.0;

/// Leases the mails of a chunk, puts them into the outbox, and records what came of it, for the job of that name.
///
/// # Errors
/// The store's.
pub async fn hand_over_span(
    cx: &Context,
    conn: &mut PgConnection,
    chunk: &Chunk,
    job: &'static str,
) -> Result<Counts> {
    let mut tx = conn.begin().await?;
    if !cx.dry_run {
        run::hold(&mut tx, chunk).await?;
    }
    let leased = lease_span(cx, &mut tx, chunk.span).await?;
    tx.commit().await?;
    hand_over_leased(cx, conn, leased, job).await
}

/// Leases the mails of a span that are not sent.
///
/// # Errors
/// The store's.
pub async fn lease_span(cx: &Context, conn: &mut PgConnection, span: Span) -> Result<Vec<Leased>> {
    let sending = Sending { at: cx.now.get(), true_on: add_days(cx.today, 1) };
    Ok(mail::lease(conn, span, LEASE_SECONDS, sending).await?)
}

/// Puts mails under their lease into the outbox, and records what came of it.
///
/// # Errors
/// The store's.
pub async fn hand_over_leased(
    cx: &Context,
    conn: &mut PgConnection,
    leased: Vec<Leased>,
    job: &'static str,
) -> Result<Counts> {
    fault::at("mail.leased", job).await?;
    let handed = match Sender::of(cx, conn).await {
        Ok(sender) => hand_over_all(cx, sender, leased.clone()).await?,
        Err(Error::Store(error)) if error.is_configuration() => {
            let why = error.to_string();
            warn!(mails = leased.len(), %why, "mails stay queued for the next night");
            vec![(MailFate::Later, why); leased.len()]
        }
        Err(error) => return Err(error),
    };
    fault::at("mail.delivered", job).await?;
    let outcomes: Vec<Delivery> = leased
        .iter()
        .zip(handed)
        .map(|(mail, (fate, reply))| Delivery { mail_id: mail.mail_id, epoch: mail.epoch, fate, reply })
        .collect();
    mail::mark_mails(conn, &outcomes).await?;
    fault::at("mail.recorded", job).await?;
    let of = |fate: MailFate| outcomes.iter().filter(|outcome| outcome.fate == fate).count();
    let failed = i64::try_from(of(MailFate::Failed)).unwrap_or(i64::MAX);
    Ok(Counts { failed, ..Counts::done(of(MailFate::Sent)) })
}

/// Writes mails and puts them where they go, apart from what waits for others.
async fn hand_over_all(cx: &Context, sender: Sender, leased: Vec<Leased>) -> Result<Vec<(MailFate, String)>> {
    let (outbox, dry_run) = (cx.folders.outbox(), cx.dry_run);
    let handed = tokio::task::spawn_blocking(move || {
        let written: Vec<_> =
            leased.iter().map(|mail| (mail.message_id.clone(), sender.write(mail))).collect();
        hand_over::hand_over(&outbox, &written, dry_run)
    });
    handed.await.map_err(|e| Error::file(&cx.folders.outbox())(std::io::Error::other(e)))
}

//! Contacts hear late, twice or never when mail is sent from the job that decides. So what is owed is gathered into
//! one digest a stream, recipient and day, queued under a Message-ID that follows from these, and handed over with no
//! transaction open; a crash hands the same mail over again, byte for byte (D10, promise 9).

use futures::future::FutureExt;
use sqlx::{Connection, PgConnection};
use tracing::warn;

use super::engine::{Context, Error, Job, Result, Stage, fault};
use crate::{
    domain::calendar::add_days,
    mail::message_id,
    store::{
        mail::{self, Delivery, Leased, MailFate, Sending},
        notice,
        run::{self, Chunk, Counts, Span},
        work::Rows,
    },
};

pub mod bounces;
mod hand_over;
pub mod lanes;
pub mod policy;
mod sender;

pub use sender::Sender;

const NAME: &str = "email_contacts";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[Stage { covers: "mails to hand over", rows: Rows::Mails }],
    plan: |cx, conn, _| plan(cx, conn).boxed(),
    work: |cx, conn, chunk| hand_over_span(cx, conn, chunk, NAME).boxed(),
    courier: true,
};

/// How long a batch may take to be handed over.
const LEASE_SECONDS: f64 = 120.0;

/// Gathers what is owed and still true. A night that is looked at again after a later one mails nothing.
async fn plan(cx: &Context, conn: &mut PgConnection) -> Result<Vec<Span>> {
    if !cx.latest {
        return Ok(vec![]);
    }
    if !cx.dry_run {
        notice::hold_batches(conn).await?;
    }
    let owed = notice::supersede(conn, add_days(cx.today, 1)).await?;
    let recipients = if owed { notice::recipients(conn, cx.today).await? } else { vec![] };
    if !recipients.is_empty() {
        let domain = cx.policies.email_contacts.policy.domain();
        let ids: Vec<String> = recipients
            .iter()
            .map(|r| message_id(&r.number, &r.address, cx.today, r.stream, domain))
            .collect();
        notice::queue_mails(conn, NAME, cx.today, &recipients, &ids).await?;
    }
    if cx.server.is_some() {
        return Ok(vec![]); // its lanes send what is queued, whenever they can
    }
    Ok(mail::mail_spans(conn, cx.today, cx.chunk_rows(NAME)).await?)
}

/// Leases the mails of a chunk, puts them into the outbox, and records what came of it, for the job of that name.
pub(super) async fn hand_over_span(
    cx: &Context,
    conn: &mut PgConnection,
    chunk: &Chunk,
    job: &'static str,
) -> Result<Counts> {
    let mut tx = conn.begin().await?;
    if !cx.dry_run {
        run::hold(&mut tx, chunk).await?;
    }
    let sending = Sending { at: cx.now.get(), true_on: add_days(cx.today, 1) };
    let leased = mail::lease(&mut tx, chunk.span, LEASE_SECONDS, sending).await?;
    tx.commit().await?;
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

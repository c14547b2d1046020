//! Contacts hear late, twice or never when mail is sent from the job that decides. So what is owed is gathered into
//! one digest a recipient and day, queued under a Message-ID that its content determines, and handed over with no
//! transaction open; a crash hands the same mail over again, byte for byte (D10, promise 9).

use std::path::Path;

use futures::future::FutureExt;
use sqlx::{Connection, PgConnection};
use tracing::warn;

use super::engine::{Context, Error, Job, Result, Stage, fault};
use crate::{
    domain::{calendar::add_days, language::Language},
    mail::{self, Digest, outbox},
    store::{
        notice::{self, Delivery, Leased},
        run::{self, Chunk, Counts, Span},
        work::Rows,
    },
};

pub mod policy;

const NAME: &str = "email_contacts";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[Stage { covers: "mails to hand over", rows: Rows::Mails }],
    plan: |cx, conn, _| plan(cx, conn).boxed(),
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: true,
};

/// How long a batch may take to be handed over.
const LEASE_SECONDS: f64 = 120.0;

/// Gathers what is owed and still true. A night that is looked at again after a later one mails nothing.
async fn plan(cx: &Context, conn: &mut PgConnection) -> Result<Vec<Span>> {
    if !cx.latest {
        return Ok(vec![]);
    }
    let owed = notice::supersede(conn, add_days(cx.today, 1)).await?;
    let recipients = if owed { notice::recipients(conn, cx.today).await? } else { vec![] };
    if !recipients.is_empty() {
        let domain = &cx.policies.email_contacts.policy.message_id_domain;
        let ids: Vec<String> =
            recipients.iter().map(|r| mail::message_id(&r.number, &r.address, cx.today, domain)).collect();
        notice::queue_mails(conn, NAME, cx.today, &recipients, &ids).await?;
    }
    Ok(notice::mail_spans(conn, cx.today, cx.chunk_rows(NAME)).await?)
}

async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let mut tx = conn.begin().await?;
    if !cx.dry_run {
        run::hold(&mut tx, chunk).await?;
    }
    let leased = notice::lease(&mut tx, chunk.span, LEASE_SECONDS).await?;
    tx.commit().await?;
    fault::at("mail.leased", NAME).await?;
    let digests = leased.iter().map(|mail| digest(cx, mail)).collect();
    let (outbox, dry_run) = (cx.folders.outbox(), cx.dry_run);
    let handed = tokio::task::spawn_blocking(move || hand_over(&outbox, digests, dry_run)).await;
    let handed = handed.map_err(|e| Error::file(&cx.folders.outbox())(std::io::Error::other(e)))??;
    fault::at("mail.delivered", NAME).await?;
    let outcomes: Vec<Delivery> = leased
        .iter()
        .zip(handed)
        .map(|(mail, refused)| Delivery {
            mail_id: mail.mail_id,
            epoch: mail.epoch,
            sent: refused.is_none(),
            reply: refused.unwrap_or_else(|| "written to the outbox".to_owned()),
        })
        .collect();
    notice::mark_mails(conn, &outcomes).await?;
    fault::at("mail.recorded", NAME).await?;
    let failed = outcomes.iter().filter(|o| !o.sent).count();
    Ok(Counts { failed: i64::try_from(failed).unwrap_or(i64::MAX), ..Counts::done(outcomes.len() - failed) })
}

/// Writes each digest into the outbox; says of each why it cannot be a mail, if so.
fn hand_over(outbox: &Path, digests: Vec<Digest>, dry_run: bool) -> Result<Vec<Option<String>>> {
    if !dry_run {
        std::fs::create_dir_all(outbox).map_err(Error::file(outbox))?;
    }
    let mut handed = Vec::with_capacity(digests.len());
    for digest in digests {
        match mail::render(&digest) {
            Ok(_) if dry_run => handed.push(None),
            Ok(rendered) => {
                outbox::deliver(outbox, &rendered).map_err(Error::file(outbox))?;
                handed.push(None);
            }
            Err(error) => {
                // Why may name an address, so it goes on the mail's record and not into the log.
                warn!(message_id = %digest.message_id, "a mail cannot be written; `report.mail` says why");
                handed.push(Some(error.to_string()));
            }
        }
    }
    Ok(handed)
}

/// What a mail under its lease says.
#[must_use]
pub fn digest(cx: &Context, mail: &Leased) -> Digest {
    Digest {
        message_id: mail.message_id.clone(),
        recipient: mail.recipient.clone(),
        recipient_name: mail.recipient_name.clone(),
        from: cx.policies.email_contacts.policy.from.clone(),
        language: Language::matching(&mail.language),
        partner_name: mail.partner_name.clone(),
        partner_numbers: mail.partner_numbers.clone(),
        day: mail.day,
        notices: mail.notices.0.clone(),
    }
}

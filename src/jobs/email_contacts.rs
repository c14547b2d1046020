//! Contacts hear late, twice or never when mail is sent from the job that decides. So what is owed is gathered into
//! one digest a stream, recipient and day, queued under a Message-ID that follows from these, and handed over with no
//! transaction open; a crash hands the same mail over again, byte for byte (D10, promise 9).

use futures::future::FutureExt;
use sqlx::PgConnection;

use super::engine::{Context, Job, Result, Stage};
use crate::{
    domain::calendar::add_days,
    mail::message_id,
    store::{mail, notice, run::Span, work::Rows},
};

mod batch;
pub mod bounces;
mod hand_over;
pub mod lanes;
pub mod policy;
mod sender;

pub(super) use batch::{hand_over_leased, hand_over_span, lease_span};
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

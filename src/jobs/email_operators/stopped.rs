//! A night that stops has no morning mail, and that is when one is needed most. So the mail of its date tells that it stopped,
//! once; what comes of the night later is told with the next one.

use sqlx::{Connection, PgConnection};
use tracing::error;

use super::gathered::{NAME, gather, mails};
use crate::{
    domain::{
        id::RunNo,
        night_report::{NightReport, StoppedJob},
    },
    jobs::{
        email_contacts,
        engine::{Context, Error, Result},
    },
    store::night_report,
};

/// Tells operators that the context's night stopped for that error, unless it passes by itself. Whatever becomes of that, the
/// night ends with its error.
pub async fn tell_of_stop(cx: &Context, conn: &mut PgConnection, error: &Error) {
    let Error::Incomplete { job, run_id, said, .. } = error else { return };
    if cx.policies.email_operators.policy.recipients.is_empty() {
        return;
    }
    let stopped = StoppedJob { job: (*job).to_owned(), said: said.clone() };
    if let Err(error) = tell(cx, conn, *run_id, stopped).await {
        error!(%error, "operators cannot be told that the night stopped");
    }
}

async fn tell(cx: &Context, conn: &mut PgConnection, run_id: RunNo, stopped: StoppedJob) -> Result<()> {
    if night_report::find(conn, cx.today).await?.is_some() {
        return Ok(());
    }
    let report = NightReport { stopped: Some(stopped), ..gather(cx, conn).await? };
    let mut tx = conn.begin().await?;
    night_report::put(&mut tx, run_id, &report, &mails(cx, &report)).await?;
    let span = if cx.server.is_some() { None } else { night_report::unsent(&mut tx, cx.today).await? };
    let leased = match span {
        Some(span) => email_contacts::lease_span(cx, &mut tx, span).await?,
        None => Vec::new(),
    };
    tx.commit().await?;
    email_contacts::hand_over_leased(cx, conn, leased, NAME).await?;
    Ok(())
}

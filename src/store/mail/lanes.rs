//! Mails on their way to a mail server: claimed several at a time, handed over one by one, and what came of each on record,
//! whoever dies in between.
//!
//! A claim is on disk before it is used. That a mail is begun and what came of it are committed without waiting for the disk:
//! they outlive the process at once, and the database a moment later. Where the database crashes in that moment, mails that
//! were claimed before it count as begun (`mail_mark`), so that none is handed over again as if nothing had been.

use sqlx::{Connection, PgConnection};

use super::{
    Leased, Sending, contents,
    pace::{self, Pace},
    withdraw,
};
use crate::store::Result;

/// How long mails wait, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The pause after the first try, in seconds; it doubles with every further one.
    pub first_pause: f64,
    /// The longest.
    pub longest_pause: f64,
    /// After so long one is given up.
    pub give_up_after: f64,
    /// Whether one of which nobody knows is handed over once more, or held.
    pub resend_unknown: bool,
}

/// What a lane found of a mail that it claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneOutcome {
    /// The server has it.
    Sent,
    /// It never will.
    Refused,
    /// It cannot be written.
    Failed,
    /// Another time.
    Later,
    /// Nobody knows.
    Unknown,
    /// It was not tried: the server takes nothing.
    Untried,
}

impl LaneOutcome {
    const fn status(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Later | Self::Untried => "queued",
            Self::Unknown => "unknown",
        }
    }
}

/// How many mails a lane could claim now, at most `at_most`.
pub async fn due(conn: &mut PgConnection, patience: Patience, pace: &Pace, at_most: i64) -> Result<i64> {
    let Some(held) = pace::held(conn, pace).await? else { return Ok(0) };
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "due!" from (
               select from mail
               where status in ('queued', 'unknown') and (next_try_at is null or next_try_at <= now())
                 and (status = 'queued' or not resent and $1
                      and first_tried_at > now() - make_interval(secs => $2))
                 and not split_part(recipient, '@', -1) = any($4)
               limit $3) due"#,
        patience.resend_unknown,
        patience.give_up_after,
        at_most,
        &held
    )
    .fetch_one(conn)
    .await?)
}

/// Claims the oldest mails that are due and that their pace lets go, at most so many, and says what is in them; what is not to
/// be sent any more is withdrawn on the way. Where there is a pace it is one: each changes what may go next.
pub async fn claim(
    conn: &mut PgConnection,
    by: &str,
    sending: Sending,
    lease_seconds: f64,
    patience: Patience,
    pace: &Pace,
    at_most: i64,
) -> Result<Vec<Leased>> {
    let at_most = if pace.is_limited() { 1 } else { at_most };
    loop {
        let mut tx = conn.begin().await?;
        pace::take_turns(&mut tx, pace).await?;
        let Some(held) = pace::held(&mut tx, pace).await? else { return Ok(Vec::new()) };
        let claimed = sqlx::query_scalar!(
            "update mail set status = 'claimed', claimed_by = $1, epoch = epoch + 1, begun = false,
                 mark = (select token from mail_mark), lease_until = now() + make_interval(secs => $2),
                 composed_at = coalesce(composed_at, $3), resent = status = 'unknown'
             where mail_id in (
                 select mail_id from mail
                 where status in ('queued', 'unknown') and (next_try_at is null or next_try_at <= now())
                   and (status = 'queued' or not resent and $4
                        and first_tried_at > now() - make_interval(secs => $5))
                   and not split_part(recipient, '@', -1) = any($6)
                 order by mail_id limit $7 for update skip locked)
             returning mail_id",
            by,
            lease_seconds,
            sending.at,
            patience.resend_unknown,
            patience.give_up_after,
            &held,
            at_most
        )
        .fetch_all(&mut *tx)
        .await?;
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        withdraw(&mut tx, &claimed, sending.true_on).await?;
        let leased = contents(&mut tx, &claimed).await?;
        for mail in &leased {
            pace::spend(&mut tx, &mail.recipient, pace).await?;
        }
        tx.commit().await?;
        if !leased.is_empty() {
            return Ok(leased);
        }
    }
}

/// Marks a claimed mail as on its way, for so many seconds; `false`: the claim has passed on, and it is not ours to send.
pub async fn begin(conn: &mut PgConnection, mail: &Leased, lease_seconds: f64) -> Result<bool> {
    let begun = sqlx::query!(
        "update mail set begun = true, attempts = attempts + 1, first_tried_at = coalesce(first_tried_at, now()),
             lease_until = now() + make_interval(secs => $3)
         where mail_id = $1 and epoch = $2 and status = 'claimed' and not begun
           and set_config('synchronous_commit', 'off', true) = 'off'",
        mail.mail_id,
        mail.epoch,
        lease_seconds
    )
    .execute(conn)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Gives back claimed mails that were not begun.
pub async fn give_back<'a>(
    conn: &mut PgConnection,
    mails: impl IntoIterator<Item = &'a Leased>,
) -> Result<()> {
    let (ids, epochs): (Vec<i64>, Vec<i32>) =
        mails.into_iter().map(|mail| (mail.mail_id, mail.epoch)).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update mail m set status = case when m.resent then 'unknown' else 'queued' end, resent = false,
             claimed_by = null, lease_until = null
         from unnest($1::bigint[], $2::int[]) as c (mail_id, epoch)
         where m.mail_id = c.mail_id and m.epoch = c.epoch and m.status = 'claimed' and not m.begun",
        &ids,
        &epochs
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records what came of a mail, unless the claim has passed on. One that was handed over once more and was not taken is as
/// unknown as it was.
pub async fn record(
    conn: &mut PgConnection,
    mail: &Leased,
    outcome: LaneOutcome,
    reply: &str,
    patience: Patience,
) -> Result<()> {
    let untried = outcome == LaneOutcome::Untried;
    sqlx::query!(
        "update mail set status = case when $3 = 'queued' and resent then 'unknown' else $3 end,
             resent = resent and $3 <> 'queued', last_reply = $4, lease_until = null, claimed_by = null,
             sent_at = case when $3 = 'sent' then now() end, attempts = attempts - $5::boolean::int,
             next_try_at = case when $3 in ('queued', 'unknown') and not $5 then
                 now() + make_interval(secs => least($6 * power(2, least(attempts - 1, 30)), $7) * (0.75 + random() / 2)) end
         where mail_id = $1 and epoch = $2 and status = 'claimed'
           and set_config('synchronous_commit', 'off', true) = 'off'",
        mail.mail_id,
        mail.epoch,
        outcome.status(),
        reply,
        untried,
        patience.first_pause,
        patience.longest_pause
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deals with what is left over: of what a process that is gone had begun nobody knows whether it went, the rest of what it had
/// claimed is queued again, and what was tried for too long is given up.
pub async fn settle(conn: &mut PgConnection, patience: Patience) -> Result<()> {
    sqlx::query!(
        "update mail set status = case when resent then 'unknown' else 'queued' end, resent = false,
             claimed_by = null, lease_until = null
         where status = 'claimed' and claimed_by is not null and lease_until < now() and not begun
           and mark = (select token from mail_mark)"
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("insert into mail_mark default values on conflict do nothing").execute(&mut *conn).await?;
    sqlx::query!(
        "update mail set status = 'unknown', claimed_by = null, lease_until = null,
             first_tried_at = coalesce(first_tried_at, now()), next_try_at = now() + make_interval(secs => $1),
             last_reply = 'nobody can say whether it went: the process that was sending it is gone'
         where status = 'claimed' and claimed_by is not null and lease_until < now()",
        patience.first_pause
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update mail set status = 'failed',
             last_reply = 'given up: no mail server took it in time; ' || coalesce(last_reply, 'none answered')
         where status = 'queued' and first_tried_at < now() - make_interval(secs => $1)",
        patience.give_up_after
    )
    .execute(&mut *conn)
    .await?;
    pace::forget(conn).await
}

/// The server takes mails: for those that were never tried, because others went first, no days count.
pub async fn absolve_server(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "update mail set first_tried_at = null
         where status = 'queued' and attempts = 0 and first_tried_at is not null"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that the server takes nothing now: for what is due the days begin to count.
pub async fn blame_server(conn: &mut PgConnection, reply: &str) -> Result<()> {
    sqlx::query!(
        "update mail set first_tried_at = coalesce(first_tried_at, now()), last_reply = $1
         where status = 'queued' and (next_try_at is null or next_try_at <= now())
           and (first_tried_at is null or last_reply is distinct from $1)",
        reply
    )
    .execute(conn)
    .await?;
    Ok(())
}

//! Mails to somebody, what came back about them, and their suppressed addresses.

use sqlx::PgConnection;

use super::{
    person::Person,
    rows::{ErasedRows, Patterns},
};
use crate::store::{Result, suppression, vault::Vault};

/// Mails that are not sent yet are not sent any more; the others keep time, kind and state. A suppression stays, as a keyed hash.
pub(super) async fn mails(
    conn: &mut PgConnection,
    person: &Person,
    patterns: &Patterns,
    vault: &Vault,
    pseudonym: &str,
) -> Result<ErasedRows> {
    let mails = sqlx::query_scalar!(
        r#"update mail m
           set recipient = case a.nth when 1 then $2 else $2 || '.' || a.nth end, recipient_name = null,
               message_id = '<' || $2 || '.' || m.mail_id || '@erased.invalid>', epoch = m.epoch + 1, lease_until = null,
               claimed_by = null, next_try_at = null,
               status = case when m.status in ('queued', 'claimed', 'unknown') then 'withdrawn' else m.status end,
               last_reply = case m.status when 'queued' then 'not sent: whom it was for was erased'
                                when 'claimed' then 'being sent when whom it was for was erased'
                                when 'unknown' then 'not sent again: whom it was for was erased' end
           from unnest($1::text[]) with ordinality as a (address, nth)
           where m.recipient = a.address
           returning m.mail_id"#,
        &person.addresses,
        pseudonym
    )
    .fetch_all(&mut *conn)
    .await?;
    let bounces = sqlx::query!(
        "update bounce set said = $3, report_id = null where mail_id = any($1) or mail_id is null and said ~* $2",
        &mails,
        &patterns.anywhere,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    let suppressed = suppression::seal(conn, vault, &person.addresses, &patterns.anywhere, pseudonym).await?;
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    Ok(vec![
        ("mail".to_owned(), i64::try_from(mails.len()).unwrap_or(i64::MAX)),
        ("bounce".to_owned(), count(bounces.rows_affected())),
        ("suppression".to_owned(), count(suppressed)),
    ])
}

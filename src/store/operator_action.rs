//! What operators did about things that have a name, by whom and why, and how each stood before.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Result, work::By};

/// Records an action on subjects, with how each stood `before`; `on`: the business date, where that matters.
pub(super) async fn record(
    conn: &mut PgConnection,
    action: &str,
    subjects: &[String],
    before: &[String],
    on: Option<NaiveDate>,
    by: By<'_>,
) -> Result<()> {
    sqlx::query!(
        "insert into operator_action (subject, action, by, why, before, business_on)
         select n.subject, $3, $4, $5, n.before, $6 from unnest($1::text[], $2::text[]) as n (subject, before)",
        subjects,
        before,
        action,
        by.by,
        by.why,
        on
    )
    .execute(conn)
    .await?;
    Ok(())
}

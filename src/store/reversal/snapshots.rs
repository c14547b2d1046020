//! What full snapshots were to end is kept, when they are taken back (D16).

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{super::Result, FileGroup, FoundHindrance, TakenBack, hindrances};
use crate::domain::{id::FileNo, reversal::Hindrance};

/// Whether anything is to end, or ended, because files do not have it.
pub async fn any(conn: &mut PgConnection, group: &FileGroup) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from entitlement where missing_by = any($1)) as "any!""#,
        &group.files as &[FileNo]
    )
    .fetch_one(conn)
    .await?)
}

/// What stands against keeping it: it ended, or mail told that it will.
pub async fn against(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<Hindrance>> {
    let found = sqlx::query_as!(
        FoundHindrance,
        r#"select p.number as partner, m.order_id || '/' || e.benefit as "subject!",
                  case when e.ended_on is null then 'mail' else 'by_night' end as "built!",
                  coalesce(e.ended_as, n.kind, '') as "what!", coalesce(e.ended_on, n.anchor_on) as "on"
           from entitlement e join membership m using (membership_id) join partner p on p.partner_id = e.partner_id
           left join lateral (
               select kind, anchor_on from notice
               where subject_kind = 'entitlement' and subject_id = e.entitlement_id and not superseded
                 and kind in ('entitlement_ending', 'credit_about_to_lapse') and true_until = e.missing_until
               order by notice_id limit 1) n on true
           where e.missing_by = any($1) and (e.ended_on is not null or n.anchor_on is not null)
           order by 1, 2"#,
        &group.files as &[FileNo]
    )
    .fetch_all(conn)
    .await?;
    hindrances(found)
}

/// Keeps what they were to end.
pub async fn take_back(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<()> {
    sqlx::query!(
        "insert into taken_back (file_id, partner_id, partner, subject_kind, subject, said, stands, business_on)
         select $2, e.partner_id, p.number, 'entitlement', m.order_id || '/' || e.benefit, to_jsonb(e),
                to_jsonb(e) - 'missing_until' - 'missing_by', $3
         from entitlement e join membership m using (membership_id) join partner p on p.partner_id = e.partner_id
         where e.missing_by = any($1)",
        &group.files as &[FileNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    let kept = sqlx::query!(
        "update entitlement set missing_until = null, missing_by = null where missing_by = any($1)",
        &group.files as &[FileNo]
    )
    .execute(conn)
    .await?;
    taken.restored =
        taken.restored.saturating_add(usize::try_from(kept.rows_affected()).unwrap_or(usize::MAX));
    Ok(())
}

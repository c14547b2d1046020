//! Files that are said to hold all that partners hold as of a date, and what they end (D16, promise 6).

use std::collections::HashSet;

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};

use super::{Result, operator_action, work::By};
use crate::domain::{
    full_snapshot::{FullSnapshot, SnapshotOutcome},
    id::{EntitlementNo, FileNo, OrderId, PartnerId, PartnerNo},
    language::Language,
    reason::Reason,
};

/// The partners of these numbers that are known, locked in the order of their numbers in the store: of two snapshots of a
/// partner that come at once the later one sees the other.
pub async fn lock_partners(
    conn: &mut PgConnection,
    numbers: &[PartnerId],
) -> Result<Vec<(PartnerNo, PartnerId)>> {
    let rows = sqlx::query!(
        r#"select partner_id as "partner_id: PartnerNo", number from partner where number = any($1)
           order by partner_id for no key update"#,
        numbers as &[PartnerId]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.partner_id, r.number.into())).collect())
}

/// A snapshot of a partner as of a later date.
#[derive(Clone, Debug)]
pub struct NewerSnapshot {
    /// Of whom.
    pub partner: PartnerId,
    /// Its date.
    pub as_of: NaiveDate,
    /// The file.
    pub name: String,
}

/// The newest snapshot of any of these partners that is as of a later date and was taken in, or is being taken in.
pub async fn newer(
    conn: &mut PgConnection,
    partner_ids: &[PartnerNo],
    as_of: NaiveDate,
) -> Result<Option<NewerSnapshot>> {
    Ok(sqlx::query_as!(
        NewerSnapshot,
        r#"select p.number as partner, s.as_of, f.name
           from unnest((select $1::bigint[])) as asked (id)
           join partner_snapshot s on s.partner_id = asked.id and s.as_of > $2
           join file f using (file_id) join partner p on p.partner_id = s.partner_id
           where f.status in ('staged', 'done') and f.reverted_at is null order by s.as_of desc, p.number limit 1"#,
        partner_ids as &[PartnerNo],
        as_of
    )
    .fetch_optional(conn)
    .await?)
}

/// An entitlement that a partner holds.
#[derive(Clone, Debug)]
pub struct HeldEntitlement {
    /// Which.
    pub entitlement_id: EntitlementNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// It is one that a snapshot would name: its own dates hold the date, and it is not to end before long anyhow.
    pub in_question: bool,
}

/// What partners hold and has not ended. In question is what runs on `as_of` by its own dates (not by grace), and ends neither
/// by `ends_on` nor because an earlier snapshot lacks it. Each order's entitlements are found along the order alone, also on
/// a table of which nothing is known: what has not ended is then taken for little, and would be read whole each time.
pub async fn held(
    conn: &mut PgConnection,
    partner_ids: &[PartnerNo],
    as_of: NaiveDate,
    ends_on: NaiveDate,
) -> Result<Vec<HeldEntitlement>> {
    Ok(sqlx::query_as!(
        HeldEntitlement,
        r#"select e.entitlement_id as "entitlement_id!", m.partner_id as "partner_id!", m.order_id as "order_id!",
                  e.benefit as "benefit!",
                  (e.missing_until is null and $2 between e.starts_on and e.expires_on
                       and e.last_usable_on > $3) as "in_question!"
           from unnest((select $1::bigint[])) as asked (id)
           cross join lateral (select * from membership where partner_id = asked.id offset 0) m
           cross join lateral (select * from entitlement where membership_id = m.membership_id offset 0) e
           where e.ended_on is null
           order by m.order_id, e.benefit"#,
        partner_ids as &[PartnerNo],
        as_of,
        ends_on
    )
    .fetch_all(conn)
    .await?)
}

/// Those of the entitlements that a file brought or changed which arrived after a date, or is itself a snapshot as of a later one.
pub async fn stated_since(
    conn: &mut PgConnection,
    ids: &[EntitlementNo],
    as_of: NaiveDate,
) -> Result<HashSet<EntitlementNo>> {
    let found = sqlx::query_scalar!(
        r#"select asked.id as "id!: EntitlementNo" from unnest((select $1::bigint[])) as asked (id)
           where exists (select from entitlement_version v join file f using (file_id)
                         left join file_snapshot s on s.file_id = f.file_id
                         where v.entitlement_id = asked.id and coalesce(s.as_of, f.received_on) > $2)"#,
        ids as &[EntitlementNo],
        as_of
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().collect())
}

/// The files of entitlements that arrived after a date, or are snapshots as of a later one, with rows that were in already: those
/// leave no other trace. All but one file.
pub async fn files_since(
    conn: &mut PgConnection,
    file_id: FileNo,
    as_of: NaiveDate,
) -> Result<Vec<(FileNo, Option<PartnerId>)>> {
    let rows = sqlx::query!(
        r#"select f.file_id as "file_id: FileNo", p.number as "number?: PartnerId"
           from file f left join file_snapshot s on s.file_id = f.file_id left join partner p on p.partner_id = f.partner_id
           where f.kind = 'entitlements' and f.status = 'done' and f.unchanged > 0 and f.file_id <> $1
             and f.reverted_at is null and f.received_on > $2 and coalesce(s.as_of, f.received_on) > $2
           order by f.file_id"#,
        file_id.get(),
        as_of
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.file_id, r.number)).collect())
}

/// Records that a file which is about to be staged is such a snapshot. `accepted`: an operator lets it end more than the guard
/// does.
pub async fn append(
    conn: &mut PgConnection,
    file_id: FileNo,
    partner_ids: &[PartnerNo],
    (as_of, ends_on): (NaiveDate, NaiveDate),
    accepted: bool,
) -> Result<()> {
    sqlx::query!(
        "insert into file_snapshot (file_id, as_of, ends_on, accepted) values ($1, $2, $3, $4)",
        file_id.get(),
        as_of,
        ends_on,
        accepted
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into partner_snapshot (partner_id, file_id, as_of) select id, $2, $3 from unnest($1::bigint[]) as of (id)",
        partner_ids as &[PartnerNo],
        file_id.get(),
        as_of
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a file was staged as such a snapshot as of the same date, with the operator's yes or without; `None` means that it
/// is said to be none.
pub async fn is_staged_as(
    conn: &mut PgConnection,
    file_id: FileNo,
    snapshot: Option<&FullSnapshot>,
    accepted: bool,
) -> Result<bool> {
    let staged = sqlx::query!("select as_of, accepted from file_snapshot where file_id = $1", file_id.get())
        .fetch_optional(conn)
        .await?;
    Ok(match (staged, snapshot) {
        (None, None) => true,
        (Some(staged), Some(snapshot)) => staged.as_of == snapshot.as_of && staged.accepted == accepted,
        _ => false,
    })
}

/// Whether these bytes were taken in before as a snapshot as of that date, and nothing of what it ends was withheld.
pub async fn is_settled(conn: &mut PgConnection, sha256: &str, as_of: NaiveDate) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from file f join file_snapshot s using (file_id)
                          where f.sha256 = $1 and f.status = 'done' and f.reverted_at is null and s.as_of = $2 and s.settled and s.withheld is null)
               as "settled!""#,
        sha256,
        as_of
    )
    .fetch_one(conn)
    .await?)
}

/// A snapshot whose rows are applied, and of which it is open what it ends.
#[derive(Clone, Debug)]
pub struct OpenSnapshot {
    /// Its date.
    pub as_of: NaiveDate,
    /// The last usable day of what it lacks.
    pub ends_on: NaiveDate,
    /// An operator lets it end more than the guard does.
    pub accepted: bool,
    /// How many of its rows were rejected.
    pub rejected: i32,
}

/// Whether it is open what a file ends; `None`: it is no snapshot, or is settled.
pub async fn open(conn: &mut PgConnection, file_id: FileNo) -> Result<Option<OpenSnapshot>> {
    Ok(sqlx::query_as!(
        OpenSnapshot,
        r#"select as_of, ends_on, accepted,
                  (select coalesce(sum(rejected), 0)::int from file_chunk c where c.file_id = s.file_id) as "rejected!"
           from file_snapshot s where file_id = $1 and not settled for update"#,
        file_id.get()
    )
    .fetch_optional(conn)
    .await?)
}

/// The partners of a snapshot, but for those of which there is one as of a later date by now.
pub async fn partners(conn: &mut PgConnection, file_id: FileNo) -> Result<Vec<(PartnerNo, PartnerId)>> {
    let rows = sqlx::query!(
        r#"select s.partner_id as "partner_id: PartnerNo", p.number
           from partner_snapshot s join partner p using (partner_id)
           where s.file_id = $1 and not exists (
               select from partner_snapshot later join file f using (file_id)
               where later.partner_id = s.partner_id and later.as_of > s.as_of and f.status in ('staged', 'done')
                 and f.reverted_at is null)
           order by s.partner_id"#,
        file_id.get()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.partner_id, r.number.into())).collect())
}

/// Notes that entitlements are missing from a snapshot and end for it, each with its decision; says which did not end by then.
pub async fn mark_missing(
    conn: &mut PgConnection,
    file_id: FileNo,
    missing: &[HeldEntitlement],
    snapshot: &OpenSnapshot,
    decided_on: NaiveDate,
) -> Result<Vec<EntitlementNo>> {
    let ids: Vec<EntitlementNo> = missing.iter().map(|held| held.entitlement_id).collect();
    let reason = Reason::MissingInSnapshot { as_of: snapshot.as_of, until: snapshot.ends_on };
    Ok(sqlx::query_scalar!(
        r#"with marked as (
               update entitlement e set missing_until = $2, missing_by = $3
               from unnest($1::bigint[]) as n (id)
               where e.entitlement_id = n.id and e.ended_on is null and e.missing_until is null
               returning e.entitlement_id, e.partner_id, e.membership_id, e.benefit
           ), decided as (
               insert into decision (partner_id, subject_kind, subject, action, requested_by, outcome, reasons, decided_on,
                   file_id)
               select k.partner_id, 'entitlement', m.order_id || '/' || k.benefit, 'close', 'snapshot', 'accepted',
                   jsonb_build_array($4::jsonb), $5, $3
               from marked k join membership m using (membership_id) order by m.order_id, k.benefit
           )
           select entitlement_id as "id: EntitlementNo" from marked"#,
        &ids as &[EntitlementNo],
        snapshot.ends_on,
        file_id.get(),
        Json(reason) as _,
        decided_on
    )
    .fetch_all(conn)
    .await?)
}

/// Records what came of a snapshot, and of what it ends not why, at each of its partners (D13).
pub async fn settle(
    conn: &mut PgConnection,
    file_id: FileNo,
    outcome: &SnapshotOutcome,
    decided_on: NaiveDate,
) -> Result<()> {
    let said = outcome.lines(Language::English).join(" ");
    let held = matches!(outcome.withheld, Some(Reason::EndsHeld { .. }));
    sqlx::query!(
        "with settled as (
             update file_snapshot set settled = true, ended = $2, spared = $3, withheld = $4, said = $5 where file_id = $1
         )
         update file set guarded = guarded or $6 where file_id = $1",
        file_id.get(),
        outcome.ended,
        outcome.spared,
        outcome.withheld.as_ref().map(Json) as _,
        said,
        held
    )
    .execute(&mut *conn)
    .await?;
    if let Some(reason) = &outcome.withheld {
        sqlx::query!(
            "insert into decision (partner_id, subject_kind, subject, action, requested_by, outcome, reasons, decided_on,
                 file_id)
             select s.partner_id, 'partner', p.number, 'close', 'snapshot', 'refused', jsonb_build_array($2::jsonb), $3, $1
             from partner_snapshot s join partner p using (partner_id) where s.file_id = $1 order by s.partner_id",
            file_id.get(),
            Json(reason) as _,
            decided_on
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// What came of a snapshot, with at most so many of what it ends by name; `None`: the file is none, or is not settled.
pub async fn outcome(
    conn: &mut PgConnection,
    file_id: FileNo,
    at_most: i64,
) -> Result<Option<SnapshotOutcome>> {
    let settled = sqlx::query!(
        r#"select as_of, ends_on, ended, spared, withheld as "withheld: Json<Reason>" from file_snapshot
           where file_id = $1 and settled"#,
        file_id.get()
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(s) = settled else { return Ok(None) };
    Ok(Some(SnapshotOutcome {
        as_of: s.as_of,
        ends_on: s.ends_on,
        ended: s.ended,
        named: named(conn, file_id, at_most).await?,
        spared: s.spared,
        withheld: s.withheld.map(|Json(reason)| reason),
    }))
}

/// Some of what a snapshot ends, by order and benefit.
pub async fn named(conn: &mut PgConnection, file_id: FileNo, at_most: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select m.order_id || '/' || e.benefit as "named!"
           from entitlement e join membership m using (membership_id)
           where e.missing_by = $1 order by m.order_id, e.benefit limit $2"#,
        file_id.get(),
        at_most
    )
    .fetch_all(conn)
    .await?)
}

/// Records that an operator let a file end more than the guard does, and what that is.
pub async fn record_accepted(
    conn: &mut PgConnection,
    file_id: FileNo,
    would_end: &str,
    on: NaiveDate,
    by: By<'_>,
) -> Result<()> {
    let subject = format!("file {file_id}");
    operator_action::record(conn, "accept_ends", &[subject], &[would_end.to_owned()], Some(on), by).await
}

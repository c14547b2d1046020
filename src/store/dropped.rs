//! Files that were dropped in an inbox: where each is kept with its answer, and what became of it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, quarantine};
use crate::domain::{
    id::{FileNo, PartnerId},
    language::Bilingual,
    night_report::Within,
};

/// A file that was just moved out of the inbox.
#[derive(Clone, Debug)]
pub struct NewDrop<'a> {
    /// What no other has.
    pub id: &'a str,
    /// Host and data directory.
    pub place: &'a str,
    /// The Partner ID that its folder is named by, or nothing.
    pub folder: &'a str,
    /// The name it was dropped under, as it is shown.
    pub name: &'a str,
    /// Its length, and when it was last written to, in nanoseconds since 1970, if it is whole.
    pub look: Option<(i64, i64)>,
    /// As what it had been taken in before it was written to.
    pub again_of: Option<&'a str>,
}

/// Records a file that is moved out of the inbox; one that another store or place knew is of this one now.
pub async fn append(conn: &mut PgConnection, new: &NewDrop<'_>) -> Result<()> {
    sqlx::query!(
        "insert into dropped (dropped_id, place, folder, name, partner_id, again_of, bytes, modified_ns)
         values ($1, $2, $3, $4, (select partner_id from partner where number = $3), $5, $6, $7)
         on conflict (dropped_id) do update set place = excluded.place",
        new.id,
        new.place,
        new.folder,
        new.name,
        new.again_of,
        new.look.map(|(bytes, _)| bytes),
        new.look.map(|(_, modified_ns)| modified_ns)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets a file that never was moved.
pub async fn forget(conn: &mut PgConnection, id: &str) -> Result<()> {
    sqlx::query!("delete from dropped where dropped_id = $1 and status = 'taken'", id).execute(conn).await?;
    Ok(())
}

/// Notes what a file was when its bytes were read.
pub async fn note_bytes(
    conn: &mut PgConnection,
    id: &str,
    sha256: &str,
    bytes: i64,
    modified_ns: i64,
) -> Result<()> {
    sqlx::query!(
        "update dropped set sha256 = $2, bytes = $3, modified_ns = $4 where dropped_id = $1",
        id,
        sha256,
        bytes,
        modified_ns
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes as which file its rows are answered, or it is refused.
pub async fn note_file(conn: &mut PgConnection, id: &str, file_id: FileNo) -> Result<()> {
    sqlx::query!("update dropped set file_id = $2 where dropped_id = $1", id, file_id.get())
        .execute(conn)
        .await?;
    Ok(())
}

/// Where a file is to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptAs {
    /// Which of those of its stem it is; 0: that is not settled.
    pub nth: i32,
    /// The file itself, below its folder.
    pub kept: Option<String>,
    /// Its answer.
    pub answer: Option<String>,
    /// Its note.
    pub note: Option<String>,
}

/// Where a file is to be kept, if that is settled: `None`, if it is not.
pub async fn kept_as(conn: &mut PgConnection, id: &str) -> Result<Option<KeptAs>> {
    Ok(sqlx::query_as!(
        KeptAs,
        r#"select nth as "nth!", kept, answer, note from dropped where dropped_id = $1 and nth is not null"#,
        id
    )
    .fetch_optional(conn)
    .await?)
}

/// The first number that no file of that stem has in that folder.
pub async fn next_nth(conn: &mut PgConnection, place: &str, folder: &str, stem: &str) -> Result<i32> {
    Ok(sqlx::query_scalar!(
        r#"select coalesce(max(nth), 0) + 1 as "next!" from dropped where place = $1 and folder = $2 and stem = $3"#,
        place,
        folder,
        stem
    )
    .fetch_one(conn)
    .await?)
}

/// Settles where a file is to be kept.
pub async fn keep_as(conn: &mut PgConnection, id: &str, stem: &str, names: &KeptAs) -> Result<()> {
    sqlx::query!(
        "update dropped set stem = $2, nth = $3, kept = $4, answer = $5, note = $6 where dropped_id = $1",
        id,
        stem,
        names.nth,
        names.kept,
        names.answer,
        names.note
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a file's original waits for its answer in that place.
pub async fn is_open(conn: &mut PgConnection, place: &str, file_id: FileNo) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from dropped where place = $1 and file_id = $2 and status = 'taken') as "open!""#,
        place,
        file_id.get()
    )
    .fetch_one(conn)
    .await?)
}

/// Why a file was given up after this one was staged, if it was: it is not tried again.
pub async fn given_up(conn: &mut PgConnection, id: &str) -> Result<Option<Bilingual>> {
    let refused = sqlx::query!(
        r#"select f.refusal as "refusal!", f.refusal_swedish from dropped d join file f using (file_id)
           where d.dropped_id = $1 and f.status = 'refused' and f.attempts + f.failures > 0 and f.refusal is not null"#,
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(refused.map(|r| quarantine::told(r.refusal, r.refusal_swedish)))
}

/// Takes back where a file was to be kept: something else is there.
pub async fn keep_elsewhere(conn: &mut PgConnection, id: &str) -> Result<()> {
    sqlx::query!(
        "update dropped set stem = null, nth = null, kept = null, answer = null, note = null where dropped_id = $1",
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a file is answered: it, its answer and its note are where they are kept.
pub async fn end(
    conn: &mut PgConnection,
    id: &str,
    status: &str,
    said: Option<&str>,
    names: &KeptAs,
) -> Result<()> {
    sqlx::query!(
        "update dropped set status = $2, ended_at = clock_timestamp(), said = $3, kept = $4, answer = $5, note = $6
         where dropped_id = $1",
        id,
        status,
        said,
        names.kept,
        names.answer,
        names.note
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A file that is not answered yet, or that is still looked at.
#[derive(Clone, Debug)]
pub struct OpenDrop {
    /// What no other has.
    pub dropped_id: String,
    /// The Partner ID that its folder is named by, or nothing.
    pub folder: String,
    /// The name it was dropped under.
    pub name: String,
    /// Where it is kept, or is to be.
    pub kept: Option<String>,
    /// SHA-256 of its bytes when they were read.
    pub sha256: Option<String>,
    /// Its length then.
    pub bytes: Option<i64>,
    /// When it was last written to then.
    pub modified_ns: Option<i64>,
}

/// Files of a place that are not answered yet.
pub async fn open(conn: &mut PgConnection, place: &str) -> Result<Vec<OpenDrop>> {
    Ok(sqlx::query_as!(
        OpenDrop,
        "select dropped_id, folder, name, kept, sha256, bytes, modified_ns from dropped
         where place = $1 and status = 'taken' order by dropped_at, dropped_id",
        place
    )
    .fetch_all(conn)
    .await?)
}

/// Files of a place that were answered in the last hours and are kept: somebody may still have them open.
pub async fn answered_lately(conn: &mut PgConnection, place: &str, hours: i32) -> Result<Vec<OpenDrop>> {
    Ok(sqlx::query_as!(
        OpenDrop,
        "select dropped_id, folder, name, kept, sha256, bytes, modified_ns from dropped
         where place = $1 and ended_at > now() - make_interval(hours => $2) and kept is not null
           and bytes is not null
         order by ended_at, dropped_id",
        place,
        hours
    )
    .fetch_all(conn)
    .await?)
}

/// Notes that a kept file was written to and is taken in again.
pub async fn taken_again(conn: &mut PgConnection, id: &str, said: &str) -> Result<()> {
    sqlx::query!(
        "update dropped set kept = null, said = concat_ws('; ', said, $2::text) where dropped_id = $1",
        id,
        said
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a file had been taken in and was written to afterwards.
pub async fn is_again(conn: &mut PgConnection, id: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from dropped where dropped_id = $1 and again_of is not null) as "again!""#,
        id
    )
    .fetch_one(conn)
    .await?)
}

/// What is on record of a file, dropped or imported.
#[derive(Clone, Debug)]
pub struct ListedFile {
    /// Its number, if its rows were looked at.
    pub file_id: Option<FileNo>,
    /// The name it was dropped under.
    pub name: String,
    /// Whose folder it was dropped in, or whose rows it was said to hold.
    pub partner: Option<PartnerId>,
    /// The folder it was dropped in, if it was dropped in this place's inbox.
    pub folder: Option<String>,
    /// When, by the database's clock.
    pub received_at: DateTime<Utc>,
    /// What kind it is, if that is known.
    pub kind: Option<String>,
    /// The name of its sheet, if it is a workbook.
    pub sheet: Option<String>,
    /// `taken`, `done` or `refused`; of an imported file as it is recorded.
    pub status: String,
    /// Rows taken in.
    pub applied: i32,
    /// Of these, those that changed what was known.
    pub changed: i32,
    /// Rows that wait for an operator.
    pub waiting: i32,
    /// Rows known already.
    pub unchanged: i32,
    /// Rows not taken in.
    pub rejected: i32,
    /// Rows were rejected, and so nothing of it was applied, because it was to be applied as a whole.
    pub not_applied: bool,
    /// When it was taken back, by whom and why.
    pub reverted: Option<String>,
    /// Why it was refused, or what else there is to say.
    pub said: Option<String>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// Where it is kept, below its folder; of an imported file, where it was.
    pub kept: Option<String>,
    /// Where its answer is.
    pub answer: Option<String>,
    /// Where its note is.
    pub note: Option<String>,
}

/// Files on record, the latest first: all, or those whose name is or begins with `name` in whatever case, or those of them
/// that were `refused` in whole or in part; and of these nights, if any are named.
pub async fn list(
    conn: &mut PgConnection,
    place: &str,
    name: Option<&str>,
    refused: bool,
    within: Option<Within>,
    limit: i64,
) -> Result<Vec<ListedFile>> {
    Ok(sqlx::query_as!(
        ListedFile,
        r#"select file_id as "file_id: FileNo", name as "name!", partner as "partner: PartnerId", folder, received_at as "received_at!", kind, sheet,
               status as "status!",
               applied as "applied!", changed as "changed!", waiting as "waiting!", unchanged as "unchanged!", rejected as "rejected!",
               not_applied as "not_applied!",
               case when reverted_at is not null then (
                   select 'on ' || a.business_on || ' by ' || a.by || ': ' || a.why from operator_action a
                   where a.at = files.reverted_at and a.action in ('revert_file', 'revert_rates')
                   order by a.action_id desc limit 1) end as reverted, said, sha256, kept, answer, note
           from (
               select d.file_id, f.reverted_at, d.name, nullif(d.folder, '') as partner, case when d.place = $1 then d.folder end as folder,
                      d.dropped_at as received_at, nullif(f.kind, 'unknown') as kind, f.sheet, d.status,
                      coalesce(f.applied, 0) as applied, coalesce(f.changed, 0) as changed,
                      coalesce(f.waiting, 0) as waiting, coalesce(f.unchanged, 0) as unchanged,
                      coalesce(f.rejected, 0) as rejected,
                      coalesce(f.all_or_nothing and f.rejected > 0, false) as not_applied, coalesce(d.said, f.refusal, w.said) as said, d.sha256,
                      d.kept, d.answer, d.note, f.received_on, coalesce(f.finished_at, d.ended_at) as ended_at
               from dropped d left join file f using (file_id) left join file_snapshot w on w.file_id = f.file_id
               union all
               select f.file_id, f.reverted_at, f.name, p.number, null, f.received_at, nullif(f.kind, 'unknown'), f.sheet, f.status, f.applied,
                      f.changed, f.waiting, f.unchanged, f.rejected, f.all_or_nothing and f.rejected > 0, coalesce(f.refusal, w.said), f.sha256, f.came_from, f.answered_in, null,
                      f.received_on, f.finished_at
               from file f left join partner p using (partner_id) left join file_snapshot w on w.file_id = f.file_id
               where not exists (select from dropped d where d.file_id = f.file_id)
           ) files
           where ($2::text is null or starts_with(lower(name), lower($2)))
             and (not $3 or status = 'refused' or rejected > 0)
             and ($5::date is null
                  or coalesce(received_on <= $6, true)
                     and (received_on >= $5 or ended_at > $7 or received_on is null and $7::timestamptz is null))
           order by received_at desc, name limit $4"#,
        place,
        name,
        refused,
        limit,
        within.map(|nights| nights.from),
        within.map(|nights| nights.until),
        within.and_then(|nights| nights.after)
    )
    .fetch_all(conn)
    .await?)
}

/// In what language a partner is written to, as its file said; `None`: none, or no such partner is known.
pub async fn language_of(conn: &mut PgConnection, partner: &PartnerId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!("select language from partner where number = $1", partner.as_str())
        .fetch_optional(conn)
        .await?
        .flatten())
}

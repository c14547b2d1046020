//! What a file did is taken back, as long as nothing was built on it: the ledger and the versions of things are added to, and
//! what is current stands as it stood before. What the file had said is kept in `taken_back`, people by their number and object
//! ID: it is never rewritten, so no name and no address stands in it.
//!
//! Whatever was recorded since the file came counts as built on what it brought or changed; a thing that it made is nothing
//! that could have been there before.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::{Error, Result, operator_action, work::By};
use crate::domain::{
    id::{FileNo, PartnerId},
    kinds::Kind,
    reversal::{BuiltOn, Hindrance},
};

pub mod entitlements;
pub mod events;
pub mod people;
pub mod snapshots;

/// The same bytes, taken in for the same partner as the same kind, once or several times.
#[derive(Clone, Debug)]
pub struct FileGroup {
    /// The numbers of those that are not taken back.
    pub files: Vec<FileNo>,
    /// The number of the latest.
    pub number: FileNo,
    /// The name that it came under.
    pub name: String,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// Its kind, by name.
    pub kind: String,
    /// Whose file it is, if it is one partner's.
    pub partner: Option<PartnerId>,
    /// When it first came.
    pub received_at: DateTime<Utc>,
    /// Rows of it that were applied, or wait.
    pub applied: i64,
    /// It waits, or is being taken in.
    pub open: bool,
    /// What it changed is kept as it was.
    pub keeps_changes: bool,
}

/// The files that go by a name, a number, a SHA-256 or what that begins with, the latest first.
pub async fn find(conn: &mut PgConnection, called: &str) -> Result<Vec<FileGroup>> {
    let number = called.parse::<i64>().ok().map(FileNo::from);
    let rows = sqlx::query!(
        r#"with meant as (
               select distinct sha256, kind, partner_id from file
               where name = $1 or file_id = $2 or length($1) >= 8 and starts_with(sha256, lower($1))
           )
           select array_agg(f.file_id order by f.file_id) filter (where f.reverted_at is null) as "files: Vec<FileNo>",
                  max(f.file_id) as "number!: FileNo", (array_agg(f.name order by f.file_id desc))[1] as "name!",
                  f.sha256, f.kind, (select number from partner p where p.partner_id = f.partner_id) as "partner: PartnerId",
                  min(f.received_at) as "received_at!",
                  coalesce(sum(f.applied + f.waiting) filter (where f.reverted_at is null), 0) as "applied!",
                  bool_or(f.status in ('staging', 'staged')) as "open!",
                  -- an earlier version may have changed since what it brought
                  bool_and(f.keeps_changes or f.applied + f.waiting = 0)
                      and not exists (select from file other where other.kind = f.kind and other.file_id > min(f.file_id)
                                      and not other.keeps_changes and other.applied + other.waiting > 0) as "keeps_changes!"
           from file f join meant m on m.sha256 = f.sha256 and m.kind = f.kind and m.partner_id is not distinct from f.partner_id
           group by f.sha256, f.kind, f.partner_id order by 2 desc"#,
        called,
        number.map(FileNo::get)
    )
    .fetch_all(conn)
    .await?;
    let groups = rows.into_iter().map(|r| FileGroup {
        files: r.files.unwrap_or_default(),
        number: r.number,
        name: r.name,
        sha256: r.sha256,
        kind: r.kind,
        partner: r.partner,
        received_at: r.received_at,
        applied: r.applied,
        open: r.open,
        keeps_changes: r.keeps_changes,
    });
    Ok(groups.collect())
}

/// What taking back comes to.
#[derive(Clone, Debug, Default)]
pub struct TakenBack {
    /// Things that are not there any more.
    pub removed: usize,
    /// Things that stand as they stood before.
    pub restored: usize,
    /// Of usage: what nights had drawn, which the next night takes back.
    pub corrected: usize,
}

impl TakenBack {
    /// How many things.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.removed.saturating_add(self.restored)
    }
}

/// Takes the place of what a query says was built on things.
struct FoundHindrance {
    partner: PartnerId,
    subject: String,
    built: String,
    what: String,
    on: Option<NaiveDate>,
}

fn hindrances(found: Vec<FoundHindrance>) -> Result<Vec<Hindrance>> {
    found
        .into_iter()
        .map(|found| {
            let built = found.built.parse::<BuiltOn>();
            let built = built.map_err(|_| Error::Unknown { what: format!("hindrance {}", found.built) })?;
            let FoundHindrance { partner, subject, what, on, .. } = found;
            Ok(Hindrance { partner, subject, built, what, on })
        })
        .collect()
}

/// Puts on record that a file is taken back, by whom and why.
pub async fn record(
    conn: &mut PgConnection,
    group: &FileGroup,
    taken: &TakenBack,
    on: NaiveDate,
    by: By<'_>,
) -> Result<()> {
    sqlx::query!("update file set reverted_at = now() where file_id = any($1)", &group.files as &[FileNo])
        .execute(&mut *conn)
        .await?;
    let subject = subject(group);
    let before = format!("{} things as the file had them", taken.all());
    operator_action::record(conn, "revert_file", &[subject], &[before], Some(on), by).await
}

fn subject(group: &FileGroup) -> String {
    format!("file {} (SHA-256 {})", group.name, group.sha256)
}

/// Who took a file back last, why, and on which business date.
pub async fn reverted_by(
    conn: &mut PgConnection,
    group: &FileGroup,
) -> Result<Option<(String, String, NaiveDate)>> {
    let row = sqlx::query!(
        r#"select by, why, business_on as "business_on!" from operator_action 
           where subject = $1 and action = 'revert_file' order by action_id desc limit 1"#,
        subject(group)
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| (r.by, r.why, r.business_on)))
}

/// Later files of the kind of which rows changed nothing: they may have said what is taken back.
pub async fn said_the_same(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select f.name from file f
         where f.kind = $1 and f.sha256 <> $2 and f.unchanged > 0 and f.reverted_at is null
           and f.received_at >= $3 order by f.file_id limit 20",
        group.kind,
        group.sha256,
        group.received_at
    )
    .fetch_all(conn)
    .await?)
}

impl FileGroup {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.kind)
    }
}

//! Files on their way in: recorded, staged, applied by the chunk, answered.

use std::collections::HashSet;

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};

use super::{Result, bulk::CopyRows};
use crate::domain::{
    id::{FileNo, PartnerId, PartnerNo},
    reason::Problem,
};

/// The mark between staged cells: no cell may hold a control character, so none is lost.
pub const CELL_END: char = '\u{1f}';

/// A file as it is recorded.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a file, each read by its name")]
pub struct NewFile<'a> {
    /// SHA-256 of its bytes.
    pub sha256: &'a str,
    /// The name it was dropped under.
    pub name: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// How it is written.
    pub dialect: &'a str,
    /// What an operator said of that.
    pub stated_dialect: &'a str,
    /// The name of its sheet, if it is a workbook.
    pub sheet: Option<&'a str>,
    /// It is whole, also if its last line has no end.
    pub complete: bool,
    /// Whose folder it was dropped in.
    pub partner_id: Option<PartnerNo>,
    /// Its header, names as written.
    pub header: &'a [String],
    /// The business date of its arrival.
    pub received_on: NaiveDate,
    /// Requests dated long before need no operator.
    pub accept_backdated: bool,
    /// Rows may name the operator as who asks.
    pub by_operator: bool,
    /// New identifiers that are like known ones are taken in.
    pub accept_alike: bool,
    /// If a row is rejected, nothing of it is applied.
    pub all_or_nothing: bool,
}

/// A file that is not answered yet.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a file, each read by its name")]
pub struct Unfinished {
    /// Its number.
    pub file_id: FileNo,
    /// SHA-256 of its bytes: its name in the spool.
    pub sha256: String,
    /// Whose folder it was dropped in.
    pub partner_id: Option<PartnerNo>,
    /// Its kind.
    pub kind: String,
    /// How it is written.
    pub dialect: String,
    /// It is whole, also if its last line has no end.
    pub complete: bool,
    /// The business date of its arrival.
    pub received_on: NaiveDate,
    /// Requests dated long before need no operator.
    pub accept_backdated: bool,
    /// Rows may name the operator as who asks.
    pub by_operator: bool,
    /// New identifiers that are like known ones are taken in.
    pub accept_alike: bool,
    /// If a row is rejected, nothing of it is applied.
    pub all_or_nothing: bool,
    /// Rows after the header.
    pub row_count: i32,
    /// Buckets that they were put in.
    pub buckets: i32,
    /// Partner IDs whose rows are in the bucket of the grouped.
    pub grouped: Vec<PartnerId>,
    /// Tries of it that nobody came back from.
    pub attempts: i32,
    /// It failed not long ago, and is not to be tried again yet.
    pub rests: bool,
}

/// A row as it was staged.
#[derive(Clone, Debug)]
pub struct StagedRow {
    /// The file.
    pub file_id: FileNo,
    /// Its number in the file, from 1.
    pub row_no: i32,
    /// Its line.
    pub line: i32,
    /// Its cells, joined by [`CELL_END`].
    pub cells: String,
    /// What orders a request over all files.
    pub order_on: Option<NaiveDate>,
    /// The line of its file that says something else of the same key, if one does (D16).
    pub repeated_at: Option<i32>,
}

/// What became of a row, where there is more to say than that it was applied.
#[derive(Clone, Debug)]
pub struct RowAnswer {
    /// The row.
    pub row_no: i32,
    /// Its line.
    pub line: i32,
    /// `applied`, `waiting`, `unchanged` or `rejected`.
    pub status: &'static str,
    /// Why, or what is remarkable.
    pub problems: Vec<Problem>,
}

/// What rows came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Taken in.
    pub applied: i32,
    /// Of these, those that changed what was known.
    pub changed: i32,
    /// Waiting for an operator.
    pub waiting: i32,
    /// Known already.
    pub unchanged: i32,
    /// Not taken in.
    pub rejected: i32,
}

/// Whether these bytes were taken in before for the same partner, kind and stated dialect with nothing rejected, and nothing
/// of that kind since, so that taking them in again could change nothing (D16).
pub async fn is_known(conn: &mut PgConnection, file: &NewFile<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from file f
               where f.sha256 = $1 and f.kind = $2 and f.partner_id is not distinct from $3 and f.stated_dialect = $4
                 and f.status = 'done' and f.rejected = 0
                 -- what waits for the operator is said again, however often the file comes
                 and not exists (select from request r join file came using (file_id)
                                 where came.sha256 = $1 and r.status = 'waiting')
                 -- and so are its rates that wait, and those that were taken back are taken anew
                 and f.reverted_at is null
                 and not exists (select from rate_open o join file came using (file_id)
                                 where came.sha256 = $1 and o.per_euro_micro is not null)
                 -- and so is what was refused once it had waited
                 and not exists (select from request r join file came using (file_id)
                                 where came.sha256 = $1 and r.status = 'refused'
                                   and (r.kind not in ('cancel', 'renew') or r.refused_by is not null))
                 and not exists (select from file later where later.file_id > f.file_id and later.kind = f.kind
                                 and later.applied + later.waiting > 0)
                 -- nor was one taken back since, which may have been why a row of it changed nothing
                 and not exists (select from file other where other.kind = f.kind and other.reverted_at > f.finished_at)
                 -- what a full snapshot ended since may be named by it
                 and not (f.kind = 'entitlements'
                          and exists (select from file_snapshot s where s.file_id > f.file_id and s.ended > 0))
           ) as "known!""#,
        file.sha256,
        file.kind,
        file.partner_id.map(PartnerNo::get),
        file.stated_dialect
    )
    .fetch_one(conn)
    .await?)
}

/// The file of these bytes, for the same partner and kind, that was staged and not finished: a crash stopped it.
pub async fn begun(conn: &mut PgConnection, file: &NewFile<'_>) -> Result<Option<FileNo>> {
    Ok(sqlx::query_scalar!(
        r#"select file_id as "file_id: FileNo" from file
         where status = 'staged' and sha256 = $1 and kind = $2 and partner_id is not distinct from $3
           and accept_backdated = $4 and by_operator = $5 and stated_dialect = $6 and complete = $7
           and accept_alike = $8 and all_or_nothing = $9
         order by file_id limit 1"#,
        file.sha256,
        file.kind,
        file.partner_id.map(PartnerNo::get),
        file.accept_backdated,
        file.by_operator,
        file.stated_dialect,
        file.complete,
        file.accept_alike,
        file.all_or_nothing
    )
    .fetch_optional(conn)
    .await?)
}

/// Records a file that is about to be staged.
pub async fn append(conn: &mut PgConnection, file: &NewFile<'_>) -> Result<FileNo> {
    Ok(sqlx::query_scalar!(
        r#"insert into file (sha256, name, kind, partner_id, header, received_on, accept_backdated, by_operator, dialect,
             stated_dialect, complete, accept_alike, sheet, all_or_nothing, keeps_changes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, true) returning file_id as "file_id: FileNo""#,
        file.sha256,
        file.name,
        file.kind,
        file.partner_id.map(PartnerNo::get),
        file.header,
        file.received_on,
        file.accept_backdated,
        file.by_operator,
        file.dialect,
        file.stated_dialect,
        file.complete,
        file.accept_alike,
        file.sheet,
        file.all_or_nothing
    )
    .fetch_one(conn)
    .await?)
}

/// Records a file that was refused whole, and why.
pub async fn append_refused(conn: &mut PgConnection, file: &NewFile<'_>, refusal: &str) -> Result<FileNo> {
    let file_id = append(&mut *conn, file).await?;
    sqlx::query!(
        "update file set status = 'refused', refusal = $2, finished_at = now() where file_id = $1",
        file_id.get(),
        refusal
    )
    .execute(conn)
    .await?;
    Ok(file_id)
}

/// Marks a refused file as one that an operator may let in.
pub async fn mark_guarded(conn: &mut PgConnection, file_id: FileNo) -> Result<()> {
    sqlx::query!("update file set guarded = true where file_id = $1", file_id.get()).execute(conn).await?;
    Ok(())
}

/// Records a row that a command asked for and that was in no file; it is answered already.
pub async fn append_asked(conn: &mut PgConnection, file: &NewFile<'_>, accepted: bool) -> Result<FileNo> {
    let file_id = append(&mut *conn, file).await?;
    sqlx::query!(
        "update file set status = 'done', finished_at = now(), row_count = 1, applied = $2, rejected = 1 - $2
         where file_id = $1",
        file_id.get(),
        i32::from(accepted)
    )
    .execute(conn)
    .await?;
    Ok(file_id)
}

/// Whether the spool's copy of these bytes is needed: their rows are not answered yet, or they were taken in and are of
/// none of the `secret` kinds.
pub async fn wants_copy(conn: &mut PgConnection, sha256: &str, secret: &[String]) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from file where sha256 = $1
                 and (status in ('staging', 'staged') or status = 'done' and kind <> all($2))
           ) as "wanted!""#,
        sha256,
        secret
    )
    .fetch_one(conn)
    .await?)
}

/// Adds rows to the stage.
pub async fn stage(conn: &mut PgConnection, rows: CopyRows) -> Result<u64> {
    rows.copy(conn).await
}

/// Files staged or being staged when their process ended, in order of arrival.
pub async fn unfinished(conn: &mut PgConnection) -> Result<Vec<Unfinished>> {
    Ok(sqlx::query_as!(
        Unfinished,
        r#"select file_id, sha256, partner_id as "partner_id: PartnerNo", kind, dialect, complete, received_on,
               accept_backdated, by_operator, accept_alike, all_or_nothing, row_count, buckets,
               grouped as "grouped: Vec<PartnerId>", attempts,
               coalesce(retry_at > now(), false) as "rests!"
           from file where status = 'staged' order by file_id"#
    )
    .fetch_all(conn)
    .await?)
}

/// How many files have been staged for `seconds` and more without being finished: their process is gone, or slow.
pub async fn left_behind(conn: &mut PgConnection, seconds: f64) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from file
           where status = 'staged' and received_at < now() - make_interval(secs => $1)"#,
        seconds
    )
    .fetch_one(conn)
    .await?)
}

/// Notes where an imported file was, and where its answer is.
pub async fn note_places(
    conn: &mut PgConnection,
    file_id: FileNo,
    came_from: &str,
    answered_in: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "update file set came_from = $2, answered_in = $3 where file_id = $1",
        file_id.get(),
        came_from,
        answered_in
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a file still waits to be applied; nobody else finishes it until the transaction ends.
pub async fn is_unfinished(conn: &mut PgConnection, file_id: FileNo) -> Result<bool> {
    let status = sqlx::query_scalar!("select status from file where file_id = $1 for update", file_id.get())
        .fetch_one(conn)
        .await?;
    Ok(status == "staged")
}

/// The day on which a file came: its business date or, where that is later, the database's (UTC). A business clock that is set
/// back takes nothing from what has happened.
pub async fn came_on(conn: &mut PgConnection, file_id: FileNo) -> Result<NaiveDate> {
    Ok(sqlx::query_scalar!(
        r#"select greatest(received_on, (received_at at time zone 'UTC')::date) as "on!" from file where file_id = $1"#,
        file_id.get()
    )
    .fetch_one(conn)
    .await?)
}

/// A file's header, names as written.
pub async fn header(conn: &mut PgConnection, file_id: FileNo) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!("select header from file where file_id = $1", file_id.get())
        .fetch_one(conn)
        .await?)
}

/// A file that was taken in.
#[derive(Clone, Debug)]
pub struct RecordedFile {
    /// The name it was dropped under.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How it is written.
    pub dialect: String,
    /// The name of its sheet, if it is a workbook.
    pub sheet: Option<String>,
    /// It is whole, also if its last line has no end.
    pub complete: bool,
    /// If a row is rejected, nothing of it is applied.
    pub all_or_nothing: bool,
    /// Rows after the header.
    pub row_count: i32,
    /// What its rows came to.
    pub tally: Tally,
}

/// What is recorded of a file.
pub async fn get(conn: &mut PgConnection, file_id: FileNo) -> Result<RecordedFile> {
    let r = sqlx::query!(
        "select name, sha256, dialect, sheet, complete, all_or_nothing, row_count, applied, changed, waiting, unchanged, rejected
         from file
         where file_id = $1",
        file_id.get()
    )
    .fetch_one(conn)
    .await?;
    let tally = Tally {
        applied: r.applied,
        changed: r.changed,
        waiting: r.waiting,
        unchanged: r.unchanged,
        rejected: r.rejected,
    };
    let (name, sha256, dialect, sheet) = (r.name, r.sha256, r.dialect, r.sheet);
    let (complete, all_or_nothing, row_count) = (r.complete, r.all_or_nothing, r.row_count);
    Ok(RecordedFile { name, sha256, dialect, sheet, complete, all_or_nothing, row_count, tally })
}

/// A file's kind.
pub async fn kind(conn: &mut PgConnection, file_id: FileNo) -> Result<String> {
    Ok(sqlx::query_scalar!("select kind from file where file_id = $1", file_id.get()).fetch_one(conn).await?)
}

/// Takes a file's rows off the stage.
pub async fn clear_stage(conn: &mut PgConnection, file_id: FileNo) -> Result<()> {
    sqlx::query!("delete from staged_repeat where file_id = $1", file_id.get()).execute(&mut *conn).await?;
    sqlx::query!("delete from staged_row where file_id = $1", file_id.get()).execute(conn).await?;
    Ok(())
}

/// How many rows of a file are on the stage.
pub async fn staged_rows(conn: &mut PgConnection, file_id: FileNo) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from staged_row where file_id = $1"#,
        file_id.get()
    )
    .fetch_one(conn)
    .await?)
}

/// Request rows of these files after a place in the order of (date, file, row).
pub async fn request_rows(
    conn: &mut PgConnection,
    files: &[FileNo],
    after: (NaiveDate, FileNo, i32),
    limit: i64,
) -> Result<Vec<StagedRow>> {
    Ok(sqlx::query_as!(
        StagedRow,
        "select file_id, row_no, line, cells, order_on, null::int as repeated_at from staged_row
         where order_on is not null and file_id = any($1) and (order_on, file_id, row_no) > ($2, $3, $4)
         order by order_on, file_id, row_no limit $5",
        files as &[FileNo],
        after.0,
        after.1.get(),
        after.2,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// Live entitlements that a staged entitlements file would end by giving them an earlier last day that is over, and
/// how many live ones the partners it names have (promise 6). `places` are those, from 1, of `partner_id`,
/// `order_id`, `benefit` and `expires_on` among its cells.
pub async fn ends_caused(
    conn: &mut PgConnection,
    file_id: FileNo,
    places: [i32; 4],
    received_on: NaiveDate,
) -> Result<(i64, i64)> {
    let [partner, order, benefit, expires] = places;
    let row = sqlx::query!(
        r#"with stated as (
               select trim(split_part(cells, chr(31), $2)) as number, trim(split_part(cells, chr(31), $3)) as order_id,
                      trim(split_part(cells, chr(31), $4)) as benefit, trim(split_part(cells, chr(31), $5)) as expires_on
               from staged_row where file_id = $1 and exists (select from entitlement)
           ), ends as (
               select count(*) as ends
               from stated s join membership m using (order_id)
               join entitlement e on e.membership_id = m.membership_id and e.benefit = s.benefit
               where e.ended_on is null and s.expires_on ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
                 and s.expires_on < e.expires_on::text and s.expires_on < $6::date::text
           )
           select ends as "ends!", case when ends = 0 then 0 else
                  (select count(*) from entitlement e join partner p using (partner_id)
                   where e.ended_on is null and p.number in (select number from stated)) end as "live!"
           from ends"#,
        file_id.get(),
        partner,
        order,
        benefit,
        expires,
        received_on
    )
    .fetch_one(conn)
    .await?;
    Ok((row.ends, row.live))
}

/// Keeps what is to be said of rows of which nothing was said before.
pub async fn answer(conn: &mut PgConnection, file_id: FileNo, answers: &[RowAnswer]) -> Result<()> {
    let mut rows = CopyRows::into("row_answer");
    for answer in answers {
        let problems = serde_json::to_string(&answer.problems).unwrap_or_default();
        rows.cell(file_id).cell(answer.row_no).cell(answer.line).cell(answer.status).text(&problems).end();
    }
    rows.copy(conn).await?;
    Ok(())
}

/// Closes a file whose rows all have an answer, clears its stage, and says what it came to.
pub async fn finish(conn: &mut PgConnection, file_id: FileNo) -> Result<Tally> {
    clear_stage(&mut *conn, file_id).await?;
    Ok(sqlx::query_as!(
        Tally,
        r#"update file f set status = 'done', finished_at = now(), applied = t.applied, changed = t.changed,
               waiting = t.waiting, unchanged = t.unchanged, rejected = t.rejected
           from (select coalesce(sum(applied), 0)::int as applied, coalesce(sum(changed), 0)::int as changed,
                        coalesce(sum(waiting), 0)::int as waiting, coalesce(sum(unchanged), 0)::int as unchanged,
                        coalesce(sum(rejected), 0)::int as rejected from file_chunk where file_id = $1) t
           where f.file_id = $1
           returning t.applied as "applied!", t.changed as "changed!", t.waiting as "waiting!", t.unchanged as "unchanged!",
                     t.rejected as "rejected!""#,
        file_id.get()
    )
    .fetch_one(conn)
    .await?)
}

/// A span's rows that changed nothing, and all rows there is more to say of, for writing the answer.
pub async fn answers(
    conn: &mut PgConnection,
    file_id: FileNo,
    first_row: i32,
    until_row: i32,
) -> Result<Vec<(i32, String, Vec<Problem>)>> {
    let rows = sqlx::query!(
        r#"select row_no, status, problems as "problems: Json<Vec<Problem>>" from row_answer
           where file_id = $1 and row_no >= $2 and row_no < $3 order by row_no"#,
        file_id.get(),
        first_row,
        until_row
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.row_no, r.status, r.problems.0)).collect())
}

/// Which of these rows of request files have their answer: file and row.
pub async fn answered(
    conn: &mut PgConnection,
    files: &[FileNo],
    row_nos: Vec<i32>,
) -> Result<HashSet<(FileNo, i32)>> {
    let rows = sqlx::query!(
        r#"select file_id as "file_id: FileNo", row_no from row_answer where file_id = any($1) and row_no = any($2)"#,
        files as &[FileNo],
        &row_nos
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.file_id, r.row_no)).collect())
}

/// The Partner ID of a partner.
pub async fn partner_number(conn: &mut PgConnection, partner_id: PartnerNo) -> Result<PartnerId> {
    Ok(sqlx::query_scalar!("select number from partner where partner_id = $1", partner_id.get())
        .fetch_one(conn)
        .await?
        .into())
}

/// The store's number of a partner.
pub async fn partner(conn: &mut PgConnection, number: &PartnerId) -> Result<Option<PartnerNo>> {
    Ok(sqlx::query_scalar!("select partner_id from partner where number = $1", number.as_str())
        .fetch_optional(conn)
        .await?
        .map(PartnerNo::from))
}

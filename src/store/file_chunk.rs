//! A file's rows in chunks, each applied in one transaction: which rows it has, and what became of them.

use sqlx::PgConnection;

use super::{
    Result,
    file::{StagedRow, Tally},
    run::FACT_LANES,
};
use crate::domain::id::{FileNo, PartnerId};

/// Rows of one bucket that are applied together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSpan {
    /// The bucket; 0 where there is but one.
    pub bucket: i32,
    /// The first row.
    pub first_row: i32,
    /// The row after the last.
    pub until_row: i32,
}

/// A chunk of a file's rows.
#[derive(Clone, Copy, Debug)]
pub struct FileChunk {
    /// Its number.
    pub chunk_no: i32,
    /// Its rows.
    pub span: FileSpan,
}

/// Marks a file staged, with its chunks. `buckets`: how many its rows were put in, and the Partner IDs in the bucket of the
/// grouped.
pub async fn staged(
    conn: &mut PgConnection,
    file_id: FileNo,
    row_count: i32,
    (buckets, grouped): (i32, &[PartnerId]),
    spans: &[FileSpan],
) -> Result<()> {
    sqlx::query!(
        "update file set status = 'staged', row_count = $2, buckets = $3, grouped = $4 where file_id = $1",
        file_id.get(),
        row_count,
        buckets,
        grouped as &[PartnerId]
    )
    .execute(&mut *conn)
    .await?;
    let in_buckets: Vec<i32> = spans.iter().map(|span| span.bucket).collect();
    let first_rows: Vec<i32> = spans.iter().map(|span| span.first_row).collect();
    let until_rows: Vec<i32> = spans.iter().map(|span| span.until_row).collect();
    sqlx::query!(
        "insert into file_chunk (file_id, chunk_no, bucket, first_row, until_row)
         select $1, nth - 1, bucket, first_row, until_row
         from unnest($2::int[], $3::int[], $4::int[]) with ordinality as n (bucket, first_row, until_row, nth)",
        file_id.get(),
        &in_buckets,
        &first_rows,
        &until_rows
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A chunk of a file that is not applied yet.
pub async fn next_chunk(conn: &mut PgConnection, file_id: FileNo) -> Result<Option<FileChunk>> {
    let row = sqlx::query!(
        "select chunk_no, bucket, first_row, until_row from file_chunk where file_id = $1 and not done
         order by chunk_no limit 1 for update",
        file_id.get()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| {
        let span = FileSpan { bucket: r.bucket, first_row: r.first_row, until_row: r.until_row };
        FileChunk { chunk_no: r.chunk_no, span }
    }))
}

/// Whether a file has chunks to apply whose partners are in one lane each ([`FACT_LANES`]).
pub async fn has_lanes(conn: &mut PgConnection, file_id: FileNo) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from file_chunk c join file f on f.file_id = c.file_id
                          where c.file_id = $1 and not c.done and c.bucket > 0 and f.buckets % $2 = 0) as "has!""#,
        file_id.get(),
        FACT_LANES
    )
    .fetch_one(conn)
    .await?)
}

/// A chunk of a file that is not applied yet and whose partners are in one of these lanes. `None` also once any partner belongs
/// to a group that it did not belong to when the file was staged: partners of a group share their caps (D12).
pub async fn next_chunk_in(
    conn: &mut PgConnection,
    file_id: FileNo,
    lanes: &[i32],
) -> Result<Option<FileChunk>> {
    let row = sqlx::query!(
        "select c.chunk_no, c.bucket, c.first_row, c.until_row
         from file_chunk c join file f on f.file_id = c.file_id
         where c.file_id = $1 and not c.done and c.bucket > 0 and f.buckets % $2 = 0
           and (c.bucket - 1) % $2 = any($3)
           and not exists (select from partner p where p.group_id is not null and p.number <> all(f.grouped))
         order by c.chunk_no limit 1 for update of c",
        file_id.get(),
        FACT_LANES,
        lanes
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| {
        let span = FileSpan { bucket: r.bucket, first_row: r.first_row, until_row: r.until_row };
        FileChunk { chunk_no: r.chunk_no, span }
    }))
}

/// The rows of a span, in the order of the file.
pub async fn rows(conn: &mut PgConnection, file_id: FileNo, span: FileSpan) -> Result<Vec<StagedRow>> {
    let mut rows = sqlx::query_as!(
        StagedRow,
        r#"select file_id, row_no, line, cells, order_on, null::int as repeated_at from staged_row
           where file_id = $1 and bucket = $2 and row_no >= $3 and row_no < $4 order by row_no"#,
        file_id.get(),
        span.bucket,
        span.first_row,
        span.until_row
    )
    .fetch_all(&mut *conn)
    .await?;
    let row_nos: Vec<i32> = rows.iter().map(|row| row.row_no).collect();
    let repeats = sqlx::query!(
        "select row_no, other_line from staged_repeat where file_id = $1 and row_no = any($2)",
        file_id.get(),
        &row_nos
    )
    .fetch_all(conn)
    .await?;
    for repeat in repeats {
        if let Ok(at) = rows.binary_search_by_key(&repeat.row_no, |row| row.row_no) {
            rows[at].repeated_at = Some(repeat.other_line);
        }
    }
    Ok(rows)
}

/// The rows of a chunk of which the kind of their outcome is kept by their numbers.
#[derive(Clone, Debug, Default)]
pub struct NumberedRows {
    /// They changed nothing, and there is nothing more to say of them.
    pub unchanged: Vec<i32>,
    /// They changed what was known.
    pub changed: Vec<i32>,
}

/// Marks a chunk applied.
pub async fn finish_chunk(
    conn: &mut PgConnection,
    file_id: FileNo,
    chunk_no: i32,
    tally: Tally,
    rows: &NumberedRows,
) -> Result<()> {
    sqlx::query!(
        "update file_chunk set done = true, applied = $3, unchanged = $4, rejected = $5, unchanged_rows = $6,
             changed = $7, waiting = $8, changed_rows = $9
         where file_id = $1 and chunk_no = $2",
        file_id.get(),
        chunk_no,
        tally.applied,
        tally.unchanged,
        tally.rejected,
        &rows.unchanged,
        tally.changed,
        tally.waiting,
        &rows.changed
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks the one span of a request file applied; its rows' answers say what it came to.
pub async fn finish_requests(conn: &mut PgConnection, file_id: FileNo) -> Result<()> {
    sqlx::query!(
        "update file_chunk c set done = true, applied = until_row - first_row - t.unchanged - t.rejected - t.waiting,
             unchanged = t.unchanged, rejected = t.rejected, waiting = t.waiting
         from (select count(*) filter (where status = 'unchanged')::int as unchanged,
                      count(*) filter (where status = 'rejected')::int as rejected,
                      count(*) filter (where status = 'waiting')::int as waiting
               from row_answer where file_id = $1) t
         where c.file_id = $1",
        file_id.get()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The rows of a file that changed nothing and of which there is nothing more to say, in their order.
pub async fn unchanged_rows(conn: &mut PgConnection, file_id: FileNo) -> Result<Vec<i32>> {
    Ok(sqlx::query_scalar!(
        r#"select row_no as "row_no!" from file_chunk, unnest(unchanged_rows) as row_no where file_id = $1 order by 1"#,
        file_id.get()
    )
    .fetch_all(conn)
    .await?)
}

/// The rows of a file that changed what was known, in their order.
pub async fn changed_rows(conn: &mut PgConnection, file_id: FileNo) -> Result<Vec<i32>> {
    Ok(sqlx::query_scalar!(
        r#"select row_no as "row_no!" from file_chunk, unnest(changed_rows) as row_no where file_id = $1 order by 1"#,
        file_id.get()
    )
    .fetch_all(conn)
    .await?)
}

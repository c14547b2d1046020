//! Tries of taking a file in: counted before each in a commit of its own, given back where a try comes to an end, so
//! that what is left counted ended its process; and files given up for that.

use sqlx::PgConnection;

use super::Result;

/// Counts a try of these files. Says of each how many were counted before, without it.
pub async fn begin(conn: &mut PgConnection, files: &[i64]) -> Result<Vec<(i64, i32)>> {
    let rows = sqlx::query!(
        r#"update file set attempts = attempts + 1 where file_id = any($1) and status = 'staged'
           returning file_id, attempts - 1 as "before!""#,
        files
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.file_id, row.before)).collect())
}

/// Gives a try of these files back: it came to an end, whichever.
pub async fn end(conn: &mut PgConnection, files: &[i64]) -> Result<()> {
    sqlx::query!(
        "update file set attempts = attempts - 1 where file_id = any($1) and attempts > 0 and status <> 'refused'",
        files
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives up a staged file whose tries are used up: its rows leave the stage, what was applied of it stays. `None`:
/// it was not staged any more. Says how many of its rows have been applied, changed nothing or were rejected, and of
/// how many.
pub async fn refuse(conn: &mut PgConnection, file_id: i64) -> Result<Option<(i32, i32)>> {
    let refused = sqlx::query!(
        r#"update file f set status = 'refused', finished_at = now(), applied = t.applied, unchanged = t.unchanged,
               rejected = t.rejected
           from (select coalesce(sum(applied), 0)::int as applied, coalesce(sum(unchanged), 0)::int as unchanged,
                        coalesce(sum(rejected), 0)::int as rejected
                 from (select applied, unchanged, rejected from file_chunk where file_id = $1 and done
                       union all
                       -- requests are answered one by one, long before their one span is done
                       select (status = 'applied')::int, (status = 'unchanged')::int, (status = 'rejected')::int
                       from row_answer a where a.file_id = $1
                         and not exists (select from file_chunk c where c.file_id = $1 and c.done)) answered) t
           where f.file_id = $1 and f.status = 'staged'
           returning t.applied as "applied!", f.row_count"#,
        file_id
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(refused) = refused else { return Ok(None) };
    super::file::clear_stage(conn, file_id).await?;
    Ok(Some((refused.applied, refused.row_count)))
}

/// Keeps why a file was refused.
pub async fn note(conn: &mut PgConnection, file_id: i64, refusal: &str) -> Result<()> {
    sqlx::query!("update file set refusal = $2 where file_id = $1", file_id, refusal).execute(conn).await?;
    Ok(())
}

/// Why a file was refused, if it was; nobody changes that until the transaction ends.
pub async fn refusal(conn: &mut PgConnection, file_id: i64) -> Result<Option<String>> {
    let refused = sqlx::query_scalar!(
        "select coalesce(refusal, '') from file where file_id = $1 and status = 'refused' for update",
        file_id
    )
    .fetch_optional(conn)
    .await?;
    Ok(refused.flatten())
}

/// Why these bytes, for the same partner and kind, were given up when they were last taken in, if they were.
pub async fn given_up(
    conn: &mut PgConnection,
    sha256: &str,
    kind: &str,
    partner_id: Option<i64>,
) -> Result<Option<String>> {
    let last = sqlx::query!(
        "select status, attempts, refusal from file
         where sha256 = $1 and kind = $2 and partner_id is not distinct from $3 order by file_id desc limit 1",
        sha256,
        kind,
        partner_id
    )
    .fetch_optional(conn)
    .await?;
    let given_up = last.filter(|file| file.status == "refused" && file.attempts > 0);
    Ok(given_up.and_then(|file| file.refusal))
}

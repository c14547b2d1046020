//! Tries of taking a file in. Each is recorded in a commit of its own before it begins, and removed when it ends, so a
//! record whose connection is gone means that the try crashed its process. And how often files failed, and which were given up.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Result;
use crate::domain::{id::FileNo, language::Bilingual};

/// A try under way: of which file, over which connection.
#[derive(Clone, Copy, Debug)]
pub struct FileTry {
    /// The file.
    pub file_id: FileNo,
    backend_pid: i32,
    backend_start: DateTime<Utc>,
}

/// Counts the tries that nobody came back from: their connections are gone.
pub async fn count_lost(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "with lost as (
             delete from file_try t
             where not exists (select from pg_stat_activity a where a.pid = t.backend_pid
                                  and coalesce(a.backend_start, t.backend_start) = t.backend_start)
             returning file_id
         )
         update file f set attempts = attempts + l.tries
         from (select file_id, count(*)::int as tries from lost group by file_id) l where f.file_id = l.file_id"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Begins a try of those of these files that are staged. Says of each how many tries nobody came back from.
pub async fn begin(conn: &mut PgConnection, files: &[FileNo]) -> Result<Vec<(FileTry, i32)>> {
    count_lost(&mut *conn).await?;
    let rows = sqlx::query!(
        r#"with begun as (
               insert into file_try (file_id, backend_pid, backend_start)
               select file_id, a.pid, a.backend_start
               from file, pg_stat_activity a
               where file_id = any($1) and status = 'staged' and a.pid = pg_backend_pid()
               on conflict (file_id, backend_pid, backend_start) do update set file_id = excluded.file_id
               returning file_id, backend_pid, backend_start
           )
           select b.file_id as "file_id: FileNo", b.backend_pid, b.backend_start, f.attempts from begun b join file f using (file_id)"#,
        files as &[FileNo]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let (backend_pid, backend_start) = (r.backend_pid, r.backend_start);
            (FileTry { file_id: r.file_id, backend_pid, backend_start }, r.attempts)
        })
        .collect())
}

/// Ends these tries, whichever way they came to their end; one that was taken for lost is not counted any more.
pub async fn end(conn: &mut PgConnection, tries: &[FileTry]) -> Result<()> {
    let ids: Vec<FileNo> = tries.iter().map(|t| t.file_id).collect();
    let pids: Vec<i32> = tries.iter().map(|t| t.backend_pid).collect();
    let starts: Vec<DateTime<Utc>> = tries.iter().map(|t| t.backend_start).collect();
    sqlx::query!(
        "with mine as (
             select * from unnest($1::bigint[], $2::int[], $3::timestamptz[]) as m (file_id, backend_pid, backend_start)
         ), ended as (
             delete from file_try t using mine m
             where t.file_id = m.file_id and t.backend_pid = m.backend_pid and t.backend_start = m.backend_start
             returning t.file_id
         )
         update file set attempts = attempts - 1
         where file_id in (select file_id from mine except select file_id from ended)
           and attempts > 0 and status <> 'refused'",
        &ids as &[FileNo],
        &pids,
        &starts
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes back a try that was counted as lost: something else ended it, not the file.
pub async fn forgive(conn: &mut PgConnection, file_id: FileNo) -> Result<()> {
    sqlx::query!(
        "update file set attempts = attempts - 1 where file_id = $1 and attempts > 0",
        file_id.get()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a staged file failed for a reason of its own: it rests until it is tried again, after the first time not at
/// all, then ten minutes, and each time four times as long. Says how often it has failed by now.
pub async fn failed(conn: &mut PgConnection, file_id: FileNo) -> Result<i32> {
    let failures = sqlx::query_scalar!(
        "update file set failures = failures + 1,
             retry_at = now() + case failures when 0 then interval '0'
                                else interval '10 minutes' * 4 ^ least(failures - 1, 5) end
         where file_id = $1 and status = 'staged' returning failures",
        file_id.get()
    )
    .fetch_optional(conn)
    .await?;
    Ok(failures.unwrap_or_default())
}

/// Gives up a staged file whose tries are used up: its rows leave the stage, what was applied of it stays. `None`:
/// it was not staged any more. Says how many of its rows have been applied, changed nothing or were rejected, and of
/// how many.
pub async fn refuse(conn: &mut PgConnection, file_id: FileNo) -> Result<Option<(i32, i32)>> {
    let refused = sqlx::query!(
        r#"update file f set status = 'refused', finished_at = now(), applied = t.applied, changed = t.changed,
               waiting = t.waiting, unchanged = t.unchanged, rejected = t.rejected
           from (select coalesce(sum(applied), 0)::int as applied, coalesce(sum(changed), 0)::int as changed,
                        coalesce(sum(waiting), 0)::int as waiting, coalesce(sum(unchanged), 0)::int as unchanged,
                        coalesce(sum(rejected), 0)::int as rejected
                 from (select applied, changed, waiting, unchanged, rejected from file_chunk where file_id = $1 and done
                       union all
                       -- requests are answered one by one, long before their one span is done
                       select (status = 'applied')::int, 0, (status = 'waiting')::int, (status = 'unchanged')::int,
                              (status = 'rejected')::int
                       from row_answer a where a.file_id = $1
                         and not exists (select from file_chunk c where c.file_id = $1 and c.done)) answered) t
           where f.file_id = $1 and f.status = 'staged'
           returning t.applied as "applied!", f.row_count"#,
        file_id.get()
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(refused) = refused else { return Ok(None) };
    super::file::clear_stage(conn, file_id).await?;
    Ok(Some((refused.applied, refused.row_count)))
}

/// Keeps why a file was refused.
pub async fn note(conn: &mut PgConnection, file_id: FileNo, refusal: &Bilingual) -> Result<()> {
    sqlx::query!(
        "update file set refusal = $2, refusal_swedish = $3 where file_id = $1",
        file_id.get(),
        refusal.english,
        refusal.swedish
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Why a file was refused, if it was; nobody changes that until the transaction ends.
pub async fn refusal(conn: &mut PgConnection, file_id: FileNo) -> Result<Option<Bilingual>> {
    let refused = sqlx::query!(
        r#"select coalesce(refusal, '') as "refusal!", refusal_swedish from file
           where file_id = $1 and status = 'refused' for update"#,
        file_id.get()
    )
    .fetch_optional(conn)
    .await?;
    Ok(refused.map(|r| told(r.refusal, r.refusal_swedish)))
}

/// What is on record; before there was any in Swedish, it was in English alone.
pub(super) fn told(english: String, swedish: Option<String>) -> Bilingual {
    match swedish {
        Some(swedish) => Bilingual::new(english, swedish),
        None => Bilingual::technical(english),
    }
}

//! A chunk that is cut in halves, and the single keys at fault that this comes down to (promise 5).

use sqlx::PgConnection;

use super::{
    claim::Chunk,
    span::{Span, SpanKey},
};
use crate::{domain::id::RunNo, store::Result};

/// A dead letter whose span is one key.
#[derive(Clone, Debug)]
pub struct Single {
    /// Its number in the run.
    pub chunk_no: i32,
    /// Which part of the job it is of.
    pub stage: i16,
    /// The key, alone.
    pub span: Span,
    /// What its last failed try said.
    pub said: String,
}

/// Ends a claimed chunk by cutting it: two new ones of its run stand for it, up to `at` and from there on. `false`: its lease
/// is lost, or it is being called off, and nothing was done.
pub async fn split(conn: &mut PgConnection, chunk: &Chunk, at: SpanKey, error: &str) -> Result<bool> {
    // Whoever else cuts one of this run waits, so that numbers are given once.
    sqlx::query!("select run_id from run where run_id = $1 for no key update", chunk.run_id.get())
        .fetch_optional(&mut *conn)
        .await?;
    let cut = sqlx::query!(
        "with cut as (
             update run_chunk set status = 'split', lease_until = null, finished_at = now()
             where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed' and cancel_asked_at is null
             returning chunk_no
         )
         update attempt set finished_at = now(), error = $4, outcome = 'failed'
         where attempt_id = $5 and exists (select from cut)",
        chunk.run_id.get(),
        chunk.chunk_no,
        chunk.epoch,
        error,
        chunk.attempt_id
    )
    .execute(&mut *conn)
    .await?;
    if cut.rows_affected() == 0 {
        return Ok(false);
    }
    let span = chunk.span;
    sqlx::query!(
        "insert into run_chunk (run_id, chunk_no, stage, priority, split_of, from_on, from_id, until_on, until_id)
         select c.run_id, (select max(chunk_no) from run_chunk where run_id = c.run_id) + half.nth, c.stage, c.priority,
                c.chunk_no, half.from_on, half.from_id, half.until_on, half.until_id
         from run_chunk c,
              (values (1, $3::date, $4::bigint, $5::date, $6::bigint), (2, $5, $6, $7::date, $8::bigint))
                  as half (nth, from_on, from_id, until_on, until_id)
         where c.run_id = $1 and c.chunk_no = $2",
        chunk.run_id.get(),
        chunk.chunk_no,
        span.from.0,
        span.from.1,
        at.0,
        at.1,
        span.until.0,
        span.until.1
    )
    .execute(conn)
    .await?;
    Ok(true)
}

/// Narrows a claimed chunk to the one key of its span that is still due, before it is given up for that: the others of its
/// span are nobody's fault, and later nights leave out this one alone.
pub async fn narrow(conn: &mut PgConnection, chunk: &Chunk, key: SpanKey, only_key: &str) -> Result<()> {
    sqlx::query!(
        "update run_chunk set only_key = $6, from_on = $4, from_id = $5, until_on = $4, until_id = $5::bigint + 1
         where run_id = $1 and chunk_no = $2 and epoch = $3 and status = 'claimed'",
        chunk.run_id.get(),
        chunk.chunk_no,
        chunk.epoch,
        key.0,
        key.1,
        only_key
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The keys that dead letters of one key name, of whatever run, in order; of requests also those of the same orders, which
/// are decided after them.
pub async fn left_out(conn: &mut PgConnection, only_key: &str) -> Result<Vec<SpanKey>> {
    let rows = sqlx::query!(
        r#"with dead as (
               select from_on, from_id from run_chunk where status = 'failed' and only_key = $1
           )
           select from_on as "on!", from_id as "id!" from dead
           union
           select r.requested_on, r.request_no
           from dead d join request at_fault on at_fault.request_no = d.from_id
           join request r on r.membership_id = at_fault.membership_id
           where $1 = 'request' and r.status = 'pending' and r.kind in ('cancel', 'renew')
           order by 1, 2"#,
        only_key
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.on, r.id)).collect())
}

/// The dead letters of a run whose span is one key.
pub async fn singles(conn: &mut PgConnection, run_id: RunNo) -> Result<Vec<Single>> {
    let rows = sqlx::query!(
        r#"select c.chunk_no, c.stage, c.from_on, c.from_id, c.until_on, c.until_id,
                  coalesce((select a.error from attempt a
                            where a.run_id = $1 and a.chunk_no = c.chunk_no and a.error is not null
                            order by a.attempt_id desc limit 1), 'nothing') as "said!"
           from run_chunk c where c.run_id = $1 and c.status = 'failed' and c.only_key is not null
           order by c.chunk_no"#,
        run_id.get()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Single {
            chunk_no: r.chunk_no,
            stage: r.stage,
            span: Span { from: (r.from_on, r.from_id), until: (r.until_on, r.until_id) },
            said: r.said,
        })
        .collect())
}

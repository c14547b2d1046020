//! What a failed try of a chunk comes to. One that fails for its data is cut in halves along its keys, and the bad half
//! again, down to the one key at fault: that is a dead letter, everything else is done, and the night goes on past it
//! (promise 5). Later nights leave it out, until an operator retries or discards it.
//!
//! Values that the store refuses are refused again, so their chunk is cut at once, and a single key is given up at once. What
//! could pass (a panic, another error) has all its tries first, as a chunk and again as a single key. An outage, a lost lease,
//! a time limit and an operator's call are no fault of the data: nothing is cut for these.

use sqlx::{Connection, PgConnection};
use tracing::{error, warn};

use super::{
    context::Context,
    error::{Error, LeftOut, Result},
    job::Job,
};
use crate::{
    domain::id::RunNo,
    jobs::policy::file::Work,
    store::{
        run::{self, Chunk, Pause, Span, SpanKey},
        work::{self, DueKeys, Rows, WorkId},
    },
};

/// What becomes of a chunk whose try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is tried again after a pause; or it is called off, or another worker's by now.
    Released,
    /// Its parts stand for it.
    Split,
    /// It is a dead letter: one key, past which the night goes on.
    Single,
    /// It is a dead letter, and which of its rows is at fault is not known.
    Dead,
}

impl Job {
    /// What the spans of a stage are cut along.
    pub(super) fn rows(&self, stage: i16) -> Rows {
        usize::try_from(stage).ok().and_then(|nth| self.stages.get(nth)).map_or(Rows::None, |of| of.rows)
    }

    /// Records a failed try, and what comes of it.
    pub(super) async fn give_back(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        chunk: &Chunk,
        failure: &Error,
    ) -> Result<Fate> {
        let (work, said) = (cx.work(self.name), failure.to_string());
        // In a dry run nothing passes while one waits.
        let at_once = cx.dry_run || failure.is_refusal();
        let last = at_once || chunk.attempts >= tries(work);
        let keys = if failure.may_be_of_one_row() && (last || chunk.split_of.is_some()) {
            self.keys(cx, &mut *conn, chunk).await?
        } else {
            None
        };
        let mut tx = conn.begin().await?;
        let (mut at_most, mut single) = (tries(work), false);
        if let Some((keys, only_key)) = keys.zip(self.rows(chunk.stage).key()) {
            if keys.several {
                if run::split(&mut tx, chunk, keys.middle, &said).await? {
                    tx.commit().await?;
                    warn!(error = %failure, "failed; it is cut in halves");
                    return Ok(Fate::Split);
                }
            } else if last {
                run::narrow(&mut tx, chunk, keys.first, only_key).await?;
                (at_most, single) = (chunk.attempts, true);
            }
        }
        let pause = Pause { first: work.retry_after_seconds, at_most: work.retry_at_most_seconds };
        let given_up = run::give_back(&mut tx, chunk, &said, at_most, pause).await?;
        tx.commit().await?;
        Ok(match (given_up, single) {
            (true, true) => {
                error!(error = %failure, "failed for good, and the rest goes on; an operator retries or discards it");
                Fate::Single
            }
            (true, false) => {
                error!(error = %failure, "failed for good after all its tries; an operator retries or discards it");
                Fate::Dead
            }
            (false, _) => {
                if !matches!(failure, Error::CalledOff) {
                    warn!(error = %failure, "failed; it is tried again after a pause");
                }
                Fate::Released
            }
        })
    }

    /// What of a chunk is still due. Where even that cannot be asked, nothing is known of it.
    async fn keys(&self, cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Option<DueKeys>> {
        let mut tx = conn.begin().await?;
        match work::keys(&mut tx, self.rows(chunk.stage), chunk.span, cx.due_terms()).await {
            Ok(keys) => {
                tx.commit().await?;
                Ok(keys)
            }
            Err(error) if error.is_down() => Err(error.into()),
            Err(error) => {
                tx.rollback().await?;
                warn!(%error, "what it still owes cannot be listed, so it is not cut");
                Ok(None)
            }
        }
    }

    /// Takes out of a stage's spans what has failed for good by itself.
    pub(super) async fn around_dead(
        &self,
        conn: &mut PgConnection,
        stage: i16,
        spans: Vec<Span>,
    ) -> Result<Vec<Span>> {
        let rows = self.rows(stage);
        let Some(key) = rows.key().filter(|_| !spans.is_empty()) else { return Ok(spans) };
        let dead = run::left_out(conn, key).await?;
        Ok(around(spans, &dead, matches!(rows, Rows::Requests(_))))
    }

    /// What of a run failed for good by itself, by the names that people know it by.
    pub(super) async fn left_out(
        &self,
        cx: &Context,
        conn: &mut PgConnection,
        run_id: RunNo,
    ) -> Result<Vec<LeftOut>> {
        let mut all = Vec::new();
        for single in run::singles(&mut *conn, run_id).await? {
            let (due, _) =
                work::due(&mut *conn, self.rows(single.stage), single.span, cx.due_terms(), 1).await?;
            let named =
                due.into_iter().flat_map(|row| [row.partner.map(String::from), row.subject]).flatten();
            all.push(LeftOut {
                job: self.name,
                due_on: cx.today,
                // In a dry run it has a number that nobody can ask for later.
                id: (!cx.dry_run).then_some(WorkId { run_id, chunk_no: single.chunk_no }),
                what: named.collect::<Vec<_>>().join(" "),
                said: single.said,
            });
        }
        Ok(all)
    }
}

/// How often a chunk is tried.
pub(super) fn tries(work: Work) -> i32 {
    i32::try_from(work.attempts).unwrap_or(i32::MAX)
}

/// Spans without these keys, which are in order; keys by number alone count whatever their date.
fn around(spans: Vec<Span>, keys: &[SpanKey], dated: bool) -> Vec<Span> {
    let mut parts = Vec::with_capacity(spans.len());
    for span in spans {
        let mut from = span.from;
        for (on, id) in keys {
            let key = (if dated { *on } else { span.from.0 }, *id);
            if from <= key && key < span.until {
                parts.push(Span { from, until: key });
                from = (key.0, key.1.saturating_add(1));
            }
        }
        parts.push(Span { from, until: span.until });
    }
    parts.retain(|part| part.from < part.until);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> chrono::NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn spans_go_around_what_is_dead() {
        let of = |from: (&str, i64), until: (&str, i64)| Span {
            from: (day(from.0), from.1),
            until: (day(until.0), until.1),
        };
        let (today, before) = ("2024-02-02", "2024-02-01");
        let spans = vec![of((today, 1), (today, 10)), of((today, 10), (today, i64::MAX))];
        assert_eq!(around(spans.clone(), &[], false), spans);
        let dead = [1, 4, 5, 9, 10, 90].map(|id| (day(before), id));
        let parts = [(2, 4), (6, 9), (11, 90), (91, i64::MAX)];
        assert_eq!(around(spans.clone(), &dead, false), parts.map(|(a, b)| of((today, a), (today, b))));
        assert_eq!(around(spans.clone(), &dead, true), spans, "requests go by their dates");
        let dated = vec![of((before, 3), (today, 7)), of((today, 7), ("2024-02-03", 0))];
        let dead = [(day(before), 5), (day(today), 7)];
        let parts =
            [of((before, 3), (before, 5)), of((before, 6), (today, 7)), of((today, 8), ("2024-02-03", 0))];
        assert_eq!(around(dated, &dead, true), parts);
    }
}

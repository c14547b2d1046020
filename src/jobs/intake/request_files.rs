//! Requests of all waiting files by date, then arrival, then line (D1), a bounded number at a time. Many of them are applied in
//! lanes beside each other, those of one partner in one lane: what a request is decided by, and what it does, is its own
//! partner's alone. Partners of one group share their caps (D12); their requests follow by themselves.

use std::collections::{HashMap, VecDeque};

use chrono::NaiveDate;
use futures::future::join_all;
use sqlx::{Connection, PgConnection, PgPool};
use tracing::warn;

use super::{
    buckets::lane_of,
    requests::{self, RequestRow},
    staged::{NAME, StagedFile},
    tries,
};
use crate::{
    domain::id::{FileNo, PartnerId},
    jobs::engine::{Context, Error, Result, fault},
    store::{
        file::{self, CELL_END, StagedRow},
        file_chunk, people,
        run::{self, FACT_LANES},
    },
};

/// Rows of one file that are applied together while it must be told which file ends its process.
const FEW: usize = 20;

/// Applies the rows of request files, a bounded number at a time. Says which files were given up.
///
/// A part that fails for a reason of one file is applied file by file, and the file that fails then is noted in `failed`.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    files: &[&StagedFile],
    failed: &mut HashMap<FileNo, String>,
) -> Result<Vec<FileNo>> {
    let mut ids: Vec<FileNo> = files.iter().map(|file| file.file_id).collect();
    let mut given_up = Vec::new();
    // Rows of several files go in together, and a crash tells nothing of which it was; after one, and where there is
    // but one try, they go in file by file.
    let apart = tries::limit(cx) == 1 || files.iter().any(|file| file.attempts > 0);
    let mut after = (NaiveDate::default(), FileNo::default(), 0); // 1970: no request is older than its store
    loop {
        let rows = file::request_rows(conn, &ids, after, cx.chunk_rows(NAME)).await?;
        let Some(last) = rows.last() else { break };
        after = (last.order_on.unwrap_or_default(), last.file_id, last.row_no);
        let rows = requests::numbered(conn, &rows).await?;
        let mut open: VecDeque<&[RequestRow<'_>]> = parts(&rows, apart).into();
        while let Some(part) = open.pop_front() {
            let mut of: Vec<FileNo> = part.iter().map(|one| one.row.file_id).collect();
            of.sort_unstable();
            of.dedup();
            of.retain(|file_id| ids.contains(file_id));
            let begun = tries::begin(cx, conn, &of).await?;
            let ended: Vec<FileNo> = begun.given_up.into_keys().collect();
            of.retain(|file_id| !ended.contains(file_id));
            ids.retain(|file_id| !ended.contains(file_id));
            given_up.extend(ended);
            if of.is_empty() {
                tries::end(conn, &begun.tries).await;
                continue;
            }
            let applied = RequestFiles { cx, files, of: &of }.apply(conn, part).await;
            tries::end(conn, &begun.tries).await;
            match applied {
                Err(error) if error.is_of_one_file() => {
                    if let [file_id] = of.as_slice() {
                        warn!(%error, "a file of requests failed; the others go on");
                        failed.insert(*file_id, error.to_string());
                        ids.retain(|id| id != file_id);
                    } else {
                        let apart = part.chunk_by(of_one_file).rev();
                        apart.for_each(|of_one| open.push_front(of_one));
                    }
                }
                applied => applied?,
            }
        }
    }
    for file_id in ids {
        let mut tx = conn.begin().await?;
        file_chunk::finish_requests(&mut tx, file_id).await?;
        tx.commit().await?;
    }
    Ok(given_up)
}

fn of_one_file(a: &RequestRow<'_>, b: &RequestRow<'_>) -> bool {
    a.row.file_id == b.row.file_id
}

/// What is applied together: all, or a few rows of one file.
fn parts<'a, 'r>(rows: &'a [RequestRow<'r>], apart: bool) -> Vec<&'a [RequestRow<'r>]> {
    if !apart {
        return vec![rows];
    }
    rows.chunk_by(of_one_file).flat_map(|of_one| of_one.chunks(FEW)).collect()
}

/// Files of which rows are applied.
#[derive(Clone, Copy)]
struct RequestFiles<'a> {
    cx: &'a Context,
    files: &'a [&'a StagedFile],
    /// Which of them.
    of: &'a [FileNo],
}

impl RequestFiles<'_> {
    /// Applies rows: in lanes beside each other, or, where they are few, together.
    async fn apply(self, conn: &mut PgConnection, rows: &[RequestRow<'_>]) -> Result<()> {
        let most = i32::try_from(self.cx.work(NAME).lanes).unwrap_or(FACT_LANES).min(FACT_LANES);
        let worth = self.cx.chunk_rows(NAME) / i64::from(FACT_LANES);
        let many = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= worth.max(2);
        let Some(pool) = self.cx.lanes.as_ref().filter(|_| most > 1 && many) else {
            return self.alone(conn, rows).await;
        };
        let lanes = (0..most).map(|nth| {
            let lanes: Vec<i32> = (0..FACT_LANES).filter(|lane| lane % most == nth).collect();
            let rows = rows.iter().filter(|one| lanes.contains(&lane_of(self.partner(one.row))));
            self.lane(pool, lanes.clone(), rows.copied().collect())
        });
        let (mut left, mut failed) = (Vec::new(), None::<Error>);
        for done in join_all(lanes).await {
            match done {
                Ok(rows) => left.extend(rows),
                // What is not of one file ends the whole, and says more.
                Err(error) if failed.as_ref().is_none_or(Error::is_of_one_file) => failed = Some(error),
                Err(_) => {}
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        left.sort_unstable_by_key(|one: &RequestRow<'_>| one.request_no);
        if left.is_empty() { Ok(()) } else { self.alone(conn, &left).await }
    }

    /// Applies rows while nobody else changes facts.
    async fn alone(self, conn: &mut PgConnection, rows: &[RequestRow<'_>]) -> Result<()> {
        requests::together(self.cx, conn, self.files, rows, self.of).await.map(drop)
    }

    /// Applies rows of which all partners are in these lanes. Gives back those of partners that belong to a group.
    async fn lane<'r>(
        self,
        pool: &PgPool,
        lanes: Vec<i32>,
        rows: Vec<RequestRow<'r>>,
    ) -> Result<Vec<RequestRow<'r>>> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let mut conn = pool.acquire().await?;
        let mut tx = conn.begin().await?;
        run::change_facts_in(&mut tx, &lanes).await?;
        let mut partners: Vec<PartnerId> =
            rows.iter().map(|one| PartnerId::from(self.partner(one.row))).collect();
        partners.sort_unstable();
        partners.dedup();
        let grouped = people::grouped_of(&mut tx, &partners).await?;
        let (left, mine): (Vec<RequestRow<'_>>, Vec<RequestRow<'_>>) =
            rows.into_iter().partition(|one| grouped.contains(self.partner(one.row)));
        requests::apply(self.cx, &mut tx, self.files, &mine, self.of).await?;
        fault::at("file.applied", NAME).await?;
        tx.commit().await?;
        Ok(left)
    }

    /// The partner that a row names, as it is written; nothing where none is.
    fn partner(self, row: &StagedRow) -> &str {
        let staged = self.files.iter().find(|file| file.file_id == row.file_id);
        let place = staged.and_then(|staged| staged.profile.place("partner_id"));
        place.and_then(|place| row.cells.split(CELL_END).nth(place)).unwrap_or_default().trim()
    }
}

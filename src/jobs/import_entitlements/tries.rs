//! Tries of a file. A file that ends its process every time (a crash, a kill, no memory left) would end it for ever:
//! each try is counted before the work and given back when it ends, well or with an error, so that what stays
//! counted are the tries that nobody came back from.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{Duration, Instant, sleep, timeout};
use tracing::warn;

use crate::{
    jobs::{Context, Result},
    store::{self, quarantine},
};

/// How long a process that is to end waits for the store.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(200);

/// Tries of this process that could not be given back, because the store was down.
static OWED: Mutex<Vec<i64>> = Mutex::new(Vec::new());

fn owed() -> std::sync::MutexGuard<'static, Vec<i64>> {
    OWED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many tries a file has: one less than the chunk of a night, whose last try then finds the file given up and
/// lets the night go on.
pub(super) fn limit(cx: &Context) -> i32 {
    let attempts = i32::try_from(cx.work(super::NAME).attempts).unwrap_or(i32::MAX);
    attempts.saturating_sub(1).max(1)
}

/// Counts a try of each of these files, in a commit of its own. Says which of them were given up instead, and why.
pub(super) async fn begin(
    cx: &Context,
    conn: &mut PgConnection,
    files: &[i64],
) -> Result<HashMap<i64, String>> {
    let mut tx = conn.begin().await?;
    let mut given_up = HashMap::new();
    for (file_id, before) in quarantine::begin(&mut tx, files).await? {
        if before < limit(cx) {
            continue;
        }
        if let Some((applied, rows)) = quarantine::refuse(&mut tx, file_id).await? {
            let sentence = sentence(before, applied, rows);
            quarantine::note(&mut tx, file_id, &sentence).await?;
            warn!(file = file_id, "given up: {sentence}");
            given_up.insert(file_id, sentence);
        }
    }
    tx.commit().await?;
    Ok(given_up)
}

fn sentence(tries: i32, applied: i32, rows: i32) -> String {
    let times = if tries == 1 { "once".to_owned() } else { format!("{tries} times") };
    format!(
        "taking it in ended its process {times}; {applied} of its {rows} rows were applied before that and stay, of the \
         others nothing is in; find out why, take it out of the inbox, and import it again"
    )
}

/// Gives tries back; what the store cannot be told now, it is told later by this process.
pub(super) async fn end(conn: &mut PgConnection, files: &[i64]) {
    if let Err(error) = quarantine::end(conn, files).await {
        warn!(%error, "a try of a file was not given back yet");
        owed().extend_from_slice(files);
    }
}

/// Gives back what could not be before.
pub(super) async fn settle(conn: &mut PgConnection) -> store::Result<()> {
    let files = std::mem::take(&mut *owed());
    for file in &files {
        if let Err(error) = quarantine::end(conn, &[*file]).await {
            owed().extend_from_slice(&files);
            return Err(error);
        }
    }
    Ok(())
}

/// Gives back what could not be before, as soon as the store answers again: for a process that may end now, and whose
/// tries would then look like crashes.
pub async fn come_clean(pool: &PgPool) {
    let deadline = Instant::now() + PATIENCE;
    while !owed().is_empty() && Instant::now() < deadline {
        let settled = async { settle(&mut *pool.acquire().await?).await };
        if !matches!(timeout(PATIENCE, settled).await, Ok(Ok(()))) {
            sleep(GLANCE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_applied_is_said_in_rows() {
        assert!(sentence(4, 12, 20).starts_with("taking it in ended its process 4 times; 12 of its 20 rows"));
        assert!(sentence(1, 0, 20).starts_with("taking it in ended its process once; 0 of its 20 rows"));
    }
}

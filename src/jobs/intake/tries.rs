//! Tries of a file. Without a limit, a file that crashes its process (a panic, a kill, no memory left) would do so for
//! ever. So each try is recorded before the work and removed when it ends, well or with an error; what stays are the
//! tries that crashed. Several processes may read one file: a try does not count as crashed while its process lives.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{Duration, Instant, sleep, timeout};
use tracing::warn;

use super::staged::NAME;
use crate::{
    jobs::engine::{Context, Result},
    store::{
        self,
        quarantine::{self, FileTry},
    },
};

/// How long a process that is to end waits for the store.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(200);

/// Tries of this process that could not be given back, because the store was down.
static OWED: Mutex<Vec<FileTry>> = Mutex::new(Vec::new());

fn owed() -> std::sync::MutexGuard<'static, Vec<FileTry>> {
    OWED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many tries a file has: one less than the chunk of a night, whose last try then finds the file given up and
/// lets the night go on.
pub(super) fn limit(cx: &Context) -> i32 {
    let attempts = i32::try_from(cx.work(NAME).attempts).unwrap_or(i32::MAX);
    attempts.saturating_sub(1).max(1)
}

/// Tries that were begun.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// To be ended.
    pub(super) tries: Vec<FileTry>,
    /// Files that were given up instead, and why.
    pub(super) given_up: HashMap<i64, String>,
}

/// Records a try of each of these files, in a commit of its own.
pub(super) async fn begin(cx: &Context, conn: &mut PgConnection, files: &[i64]) -> Result<Begun> {
    let mut tx = conn.begin().await?;
    let mut begun = Begun::default();
    for (one, lost) in quarantine::begin(&mut tx, files).await? {
        if lost < limit(cx) {
            begun.tries.push(one);
            continue;
        }
        quarantine::end(&mut tx, &[one]).await?;
        if let Some((applied, rows)) = quarantine::refuse(&mut tx, one.file_id).await? {
            let sentence = sentence(lost, applied, rows);
            quarantine::note(&mut tx, one.file_id, &sentence).await?;
            warn!(file = one.file_id, "given up: {sentence}");
            begun.given_up.insert(one.file_id, sentence);
        }
    }
    tx.commit().await?;
    Ok(begun)
}

fn sentence(tries: i32, applied: i32, rows: i32) -> String {
    let times = if tries == 1 { "once".to_owned() } else { format!("{tries} times") };
    format!(
        "taking it in ended its process {times}; {applied} of its {rows} rows were applied before that and stay, of the \
         others nothing is in; find out why, take it out of the inbox, and import it again"
    )
}

/// Gives tries back; what the store cannot be told now, it is told later by this process.
pub(super) async fn end(conn: &mut PgConnection, tries: &[FileTry]) {
    if let Err(error) = quarantine::end(conn, tries).await {
        warn!(%error, "a try of a file was not given back yet");
        owed().extend_from_slice(tries);
    }
}

/// Gives back what could not be before, and counts what others never will.
pub(super) async fn settle(conn: &mut PgConnection) -> store::Result<()> {
    let tries = std::mem::take(&mut *owed());
    for one in &tries {
        if let Err(error) = quarantine::end(conn, &[*one]).await {
            owed().extend_from_slice(&tries);
            return Err(error);
        }
    }
    quarantine::count_lost(conn).await
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

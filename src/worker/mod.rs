//! The only module that knows apalis: wake-up calls, who takes them (`poller`), who does the work (`dispatcher`), who looks
//! for what is due (`sweep`), and the heartbeats of processes (`heartbeat`).
//!
//! **At least once, and one effect.** A call says "something is due in queue X" and nothing else. The process that takes
//! it looks into our own tables, claims what is due under a lease, does it and answers Ok, also when there was nothing to
//! do. So a call may be lost, doubled or late. Planning a run sends calls in its own transaction; every second the sweep
//! sends calls again for what is due and unclaimed. Work may be begun more than once; its effects and its outcome commit
//! together, and only under a lease that still holds.
//!
//! # What the queue does, and what closes it
//!
//! | apalis 1.0.0, seen | here |
//! |---|---|
//! | a worker that is killed and started again under its name leaves its job `Running` for good | a name is new on every start, and a worker that ends gives its calls back |
//! | another's jobs are taken over after 300 s | heartbeats of 3 s, three missed: 9 s; and a chunk's own lease is 10 s |
//! | taking over ignores `max_attempts`: a job that ends its process loops | a try is counted in the committed claim, so crashes count; after the last one it is a dead letter |
//! | a failed job is fetched again at once | a call never fails; `run_chunk.ready_at` is the pause, doubled each time, ±25 % |
//! | a panic or a time-out around the handler leaves the job `Running` | both are caught inside, where a chunk's task is watched |
//! | a duplicate key fails the whole batch | calls have no keys; a run is unique by job and date, an open span by run and stage |
//! | ticks that are missed never come, two schedulers tick twice | a tick is a row, unique by job and due time; what was missed follows the job's `catch_up` |
//! | a worker ends when the database goes away | it is begun again for as long as the process lives; a try that an outage took does not count |
//! | a workflow drops a chunk that failed for good, and ends well | runs and chunks are our tables; a run with a missing chunk is `incomplete` |
//! | no retention | calls are cleared after 10 minutes; chunks, attempts and ticks after `keep_days`; dead letters stay |
//!
//! A process that was paused and wakes up is stopped in three ways: a chunk has an epoch, and whoever takes it over ends
//! the session of the paused process with all its locks; the leader has an epoch of its own; and Postgres ends sessions
//! that hold a lock and stay silent.
//!
//! # What was tested
//!
//! With the real binary on a durable Postgres, each case counting starts and effects: `tests/it/fault_*.rs` (killed at
//! every named point and at random; Postgres restarted, sessions ended, a full disk, doubled planning),
//! `tests/it/{zombies,failures,at_once,clocks,stops}.rs` (paused processes, panics, exits, hangs, time-outs, many schedulers,
//! many nights, a clock that jumps, SIGTERM under load), and `tests/it/claims.rs` statement by statement.
//!
//! # What is left
//!
//! - A mail that was handed over when its process died before it could note so is handed over again, under the same
//!   Message-ID. In a folder that is the same file.
//! - A dead letter stops the nights after it, until an operator retries or discards it (`jobs`): an early night's missing
//!   effect would otherwise be built upon. Only where `catch_up` lets a later date stand for it, that date ends the wait.
//! - Work that computes without a pause cannot be interrupted: past its time limit its chunk is given back and its
//!   process ends, to be started again.
//! - What fails before a chunk is planned (a look at what is due) is tried again after 30 s, up to 15 min, for ever; the
//!   late night is told by `status`.
//!
#![doc = include_str!("OPERATING.md")]

mod bounces;
mod dispatcher;
pub mod heartbeat;
mod inbox;
mod mailer;
mod poller;
mod queue;
mod sweep;
mod watch;

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::task::JoinSet;

pub use dispatcher::Dispatcher;
pub use queue::Queue;

use crate::jobs::Stop;

/// How long work may take to come to an end once a stop was asked for.
const GRACE: Duration = Duration::from_secs(25);
/// And how long handing back may take then.
const HANDED_BACK_WITHIN: Duration = Duration::from_secs(10);
/// How long a wake-up call's own queries wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

/// The migrations of the queue's own tables (schema `apalis`, with their own history). The store applies them
/// before ours, under the same lock.
#[must_use]
pub fn transport_migrations() -> sqlx::migrate::Migrator {
    apalis_postgres::PostgresStorage::<()>::migrations()
}

/// Answers calls, sweeps and watches the inbox until `stop` is asked for, and then lets what runs come to its end; what
/// does not within the grace period is handed back as it was claimed, and others take it up.
///
/// `false`: something in this process cannot be ended but with it.
pub async fn run(dispatcher: Dispatcher, stop: Stop) -> bool {
    let dispatcher = Arc::new(dispatcher);
    let queues = dispatcher.queues();
    let calls = pool(&dispatcher.pool, queues.len());
    let mut tasks = JoinSet::new();
    for queue in queues {
        tasks.spawn(poller::poll(queue, Arc::clone(&dispatcher), calls.clone()));
    }
    tasks.spawn(sweep::sweep(Arc::clone(&dispatcher)));
    tasks.spawn(watch::watch(Arc::clone(&dispatcher)));
    tasks.spawn(mailer::mail(Arc::clone(&dispatcher)));
    tasks.spawn(bounces::watch(Arc::clone(&dispatcher)));
    tracing::info!(worker = %dispatcher.name, "at work");
    stop.asked().await;
    tracing::info!("stopping: what runs comes to its end, nothing more begins");
    let all_ended = async |tasks: &mut JoinSet<()>| while tasks.join_next().await.is_some() {};
    if tokio::time::timeout(GRACE, all_ended(&mut tasks)).await.is_err() {
        tracing::warn!(seconds = GRACE.as_secs(), "what still runs is handed back; others take it up");
        dispatcher.press();
        if tokio::time::timeout(HANDED_BACK_WITHIN, all_ended(&mut tasks)).await.is_err() {
            tracing::warn!("something was not handed back; its claims lapse");
            tasks.abort_all();
        }
    }
    let _ = tokio::time::timeout(ACQUIRE, calls.close()).await;
    !dispatcher.is_stuck()
}

/// Connections for calls alone, so that heartbeats never wait for work: each queue listens on one, the others are
/// shared.
fn pool(work: &PgPool, queues: usize) -> PgPool {
    let connections = u32::try_from(queues).unwrap_or(u32::MAX).saturating_add(4);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        // A process that is paused in the middle of taking a call leaves it to the others.
        .connect_lazy_with(
            (*work.connect_options()).clone().options([("idle_in_transaction_session_timeout", "10s")]),
        )
}

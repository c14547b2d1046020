//! The only room that knows apalis: the queue's wake-up calls, and the tables it keeps them in.
//!
//! A call says "something is due in queue X" and carries nothing. Whoever it wakes looks into our own tables, claims
//! under a lease what is due, does it and answers Ok, also when there was nothing left to do. So a call may be lost,
//! doubled or late, and nothing depends on what the queue makes of it: what is due and unclaimed is looked for every
//! second and rung again.
//!
//! `jobs` neither rings nor knows of calls. Planning a stage could ring for its chunks at once, but such a call can
//! be lost with its reader, so the sweep must find open chunks in any case; a stage that is over before the next
//! sweep needs no help.

mod desk;
mod inbox;
pub mod pulse;
mod queue;
mod sweep;
mod tend;

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::task::JoinSet;

pub use desk::Desk;
pub use queue::Queue;

use crate::jobs::Stop;

/// How long work may take to come to an end once a stop was asked for.
const GRACE: Duration = Duration::from_secs(25);
/// How long a wake-up call's own queries wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

/// The migrations of the queue's own tables (schema `apalis`, with their own history). The store applies them
/// before ours, under the same lock.
#[must_use]
pub fn transport_migrations() -> sqlx::migrate::Migrator {
    apalis_postgres::PostgresStorage::<()>::migrations()
}

/// Answers calls, sweeps and watches the inbox until `stop` is asked for, and then lets what runs come to its end.
/// `false`: something did not within 25 s; its claims lapse and others take it over.
pub async fn run(desk: Desk, stop: Stop) -> bool {
    let desk = Arc::new(desk);
    let queues = desk.queues();
    let calls = pool(&desk.pool, queues.len());
    let mut rooms = JoinSet::new();
    for queue in queues {
        rooms.spawn(tend::tend(queue, Arc::clone(&desk), calls.clone()));
    }
    rooms.spawn(sweep::sweep(Arc::clone(&desk)));
    rooms.spawn(inbox::watch(Arc::clone(&desk)));
    tracing::info!(worker = %desk.name, "at work");
    stop.asked().await;
    tracing::info!("stopping: what runs comes to its end, nothing more begins");
    let all_out = async { while rooms.join_next().await.is_some() {} };
    let in_time = tokio::time::timeout(GRACE, all_out).await.is_ok();
    if !in_time {
        tracing::warn!(seconds = GRACE.as_secs(), "something is still running; it is left to others");
        rooms.abort_all();
    }
    let _ = tokio::time::timeout(ACQUIRE, calls.close()).await;
    in_time
}

/// Connections for calls alone, so that heartbeats never wait for work: each queue listens on one, the others are
/// shared.
fn pool(work: &PgPool, queues: usize) -> PgPool {
    let connections = u32::try_from(queues).unwrap_or(u32::MAX).saturating_add(4);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .connect_lazy_with((*work.connect_options()).clone())
}

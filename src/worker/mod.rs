//! The only room that knows apalis: the queue's wake-up calls, and the tables it keeps them in.
//!
//! A call says "something is due in queue X" and carries nothing. Whoever it wakes looks into our own tables, claims
//! under a lease what is due, does it and answers Ok, also when there was nothing left to do. So a call may be lost,
//! doubled or late, and nothing depends on what the queue makes of it: what is due and unclaimed is looked for every
//! second and rung again.
//!

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
    let all_out = async |rooms: &mut JoinSet<()>| while rooms.join_next().await.is_some() {};
    if tokio::time::timeout(GRACE, all_out(&mut rooms)).await.is_err() {
        tracing::warn!(seconds = GRACE.as_secs(), "what still runs is handed back; others take it up");
        desk.press();
        if tokio::time::timeout(HANDED_BACK_WITHIN, all_out(&mut rooms)).await.is_err() {
            tracing::warn!("something was not handed back; its claims lapse");
            rooms.abort_all();
        }
    }
    let _ = tokio::time::timeout(ACQUIRE, calls.close()).await;
    !desk.is_stuck()
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

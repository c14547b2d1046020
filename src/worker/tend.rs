//! One apalis worker a queue, begun again whenever it ends before its time.

use std::{sync::Arc, time::Duration};

use apalis_core::{
    backend::ext::BackendExt, error::BoxDynError, task::data::Data, worker::builder::WorkerBuilder,
};
use apalis_postgres::{Config, PostgresStorage};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tracing::{debug, warn};

use super::{desk::Desk, queue::Queue};
use crate::store::{self, bell};

/// How often a worker says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// How many times it may fail to before its calls are given to others: after 9 s.
const MISSED: usize = 3;
/// How often it looks for calls that no notification told of.
const POLL: Duration = Duration::from_secs(1);
/// The pause before an ended worker is begun again, as after an outage of the database.
const PAUSE: Duration = Duration::from_secs(1);

/// A call: something is due in its queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Call {}

/// Answers the calls of a queue until a stop is asked for.
///
/// The worker takes calls one by one and as many as there are: one that comes while the queue's work is under way is
/// answered at once, so that none is held back with the heartbeat behind it. Its name is new on every start, because
/// the queue never frees what a name held that is used again.
pub(super) async fn tend(queue: Queue, desk: Arc<Desk>, calls: PgPool) {
    let stop = desk.base.stop.clone();
    let mut start = 0_u64;
    while !stop.is_asked() {
        start += 1;
        let config = Config::default()
            .queue(queue.name())
            .batch_size(1)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED);
        let storage =
            PostgresStorage::<Call>::new(&calls).with_config(config).with_pubsub().poll_with_interval(POLL);
        let name = format!("{}:{}:{start}", queue.name(), desk.name);
        let worker = WorkerBuilder::new(name.as_str())
            .backend(storage)
            .data(Arc::clone(&desk))
            .data(queue)
            .build(answer);
        let asked = stop.clone();
        let until = async move {
            asked.asked().await;
            Ok::<_, std::io::Error>(())
        };
        let ended = tokio::spawn(worker.run_until(until)).await; // its panics end it, not us
        let given_back = async {
            let mut conn = calls.acquire().await?;
            bell::let_go(&mut conn, &name).await
        };
        let given_back: store::Result<()> = given_back.await;
        // Of an outage the sweep tells once, and not each queue every second.
        let down = given_back.as_ref().is_err_and(store::Error::is_down);
        if let Err(error) = given_back.as_ref().map_err(ToString::to_string)
            && !down
        {
            warn!(?queue, %error, "calls were not given back; others miss them in a moment");
        }
        if stop.is_asked() {
            return;
        }
        if down {
            debug!(?queue, ?ended, "stopped answering calls; beginning again");
        } else {
            warn!(?queue, ?ended, "stopped answering calls; beginning again");
        }
        tokio::select! {
            () = stop.asked() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Always Ok: what came of a call is on record in our own tables, and the queue must not repeat it on its own.
async fn answer(_: Call, desk: Data<Arc<Desk>>, queue: Data<Queue>) -> Result<(), BoxDynError> {
    Arc::clone(&desk).answer(*queue).await;
    Ok(())
}

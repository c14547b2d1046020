//! The poller: one apalis worker a queue, which takes the queue's calls. It is started again whenever it ends early.

use std::{sync::Arc, time::Duration};

use apalis_core::{
    backend::ext::BackendExt, error::BoxDynError, task::data::Data, worker::builder::WorkerBuilder,
};
use apalis_postgres::{Config, PostgresStorage};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tracing::{debug, warn};

use super::{dispatcher::Dispatcher, queue::Queue};
use crate::store::{self, notifier};

/// How often a worker writes a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// After so many missed heartbeats (9 s) its calls are given to other workers.
const MISSED: usize = 3;
/// How often it looks for calls whose notification was lost.
const POLL: Duration = Duration::from_secs(1);
/// The pause before a worker that ended, as in an outage of the database, is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// A call: something is due in its queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Call {}

/// Takes the calls of a queue until a stop is asked for.
///
/// A call that comes while the queue's work is under way is answered at once and does nothing, so that the worker's
/// heartbeat never waits for work. The worker's name is new on every start, because apalis never releases the jobs of a
/// name that is used again.
pub(super) async fn poll(queue: Queue, dispatcher: Arc<Dispatcher>, calls: PgPool) {
    let stop = dispatcher.base.stop.clone();
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
        let name = format!("{}:{}:{start}", queue.name(), dispatcher.name);
        let worker = WorkerBuilder::new(name.as_str())
            .backend(storage)
            .data(Arc::clone(&dispatcher))
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
            notifier::let_go(&mut conn, &name).await
        };
        let given_back: store::Result<()> = given_back.await;
        // An outage is logged once, by the sweep, and not by each queue every second.
        let down = given_back.as_ref().is_err_and(store::Error::is_down);
        if let Err(error) = given_back.as_ref().map_err(ToString::to_string)
            && !down
        {
            warn!(?queue, %error, "calls were not given back; other workers take them over in a moment");
        }
        if stop.is_asked() {
            return;
        }
        if down {
            debug!(?queue, ?ended, "stopped taking calls; starting again");
        } else {
            warn!(?queue, ?ended, "stopped taking calls; starting again");
        }
        tokio::select! {
            () = stop.asked() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Always Ok: the outcome is recorded in our own tables, and the queue must not repeat a call by itself.
async fn answer(_: Call, dispatcher: Data<Arc<Dispatcher>>, queue: Data<Queue>) -> Result<(), BoxDynError> {
    Arc::clone(&dispatcher).answer(*queue).await;
    Ok(())
}

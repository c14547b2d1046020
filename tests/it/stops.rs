//! Processes that are told to stop while they work, and killed ones that are started again as they were: nothing is lost,
//! and no try is charged to work that was not to blame.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    cluster::{Dice, PATIENCE, Running},
    ground::{Ground, JOB, OF_FIRST, RESCUED},
};
use sqlx::{Connection, Executor};

/// Chunks take their time, so that a stop finds some under way.
const SLOWLY: &str = "chunk.worked=slow";
const CLAIMED: &str = "select exists (select from run_chunk where status = 'claimed')";
/// What is left to whoever comes next: nothing claimed, no try that came to nothing, no call held.
const LEFT: &str = "select (select count(*) from run_chunk where status = 'claimed' or attempts > 1)
                         + (select count(*) from attempt where outcome is distinct from 'done')
                         + (select count(*) from apalis.jobs where status in ('Queued', 'Running'))";

async fn under_load(ground: Arc<Ground>) {
    let seed = Dice::seed();
    let site = ground.site(&[("", "lanes", "2")]).await;
    let mut dice = Dice::of(seed, 0);
    let mut stops = 0;
    for round in 0..3 {
        let mut processes = [site.start(&["up"], SLOWLY), site.start_far(SLOWLY)];
        processes.iter_mut().for_each(Running::hears);
        let done = "select exists (select from night where due_on = '2024-03-05')";
        let at_work = format!("select ({CLAIMED}) or ({done})");
        site.until("work is under way", &at_work).await;
        tokio::time::sleep(dice.pause(Duration::from_millis(400))).await;
        site.until("work is under way again", &at_work).await;
        stops += i32::from(!site.one::<bool>(done).await);
        for process in &processes {
            process.signal("TERM");
        }
        let begun = Instant::now();
        for mut process in processes {
            let code = process.code(RESCUED, &format!("stop {round}")).await;
            assert_eq!(code, 0, "{}", site.said());
        }
        assert_eq!(site.one::<i64>(LEFT).await, 0, "stop {round}: {}", site.said());
        println!("stop {round}: after {:?}", begun.elapsed());
    }
    assert!(stops > 0, "the stops came too late to find anything under way");
    site.run(&["night"], "").ended(0);
    assert_eq!(site.one::<i64>(LEFT).await, 0);
    ground.is_equal(&site, "stopped under load").await;
    site.store.remove().await;
}

async fn hanging(ground: Arc<Ground>) {
    let site = ground.site(&[]).await;
    let mut up = site.start(&["up"], &format!("chunk.worked/{JOB}=hang"));
    let hangs = format!("select exists (select from run_chunk where {OF_FIRST} and status = 'claimed')");
    site.until("a chunk hangs", &hangs).await;
    let begun = Instant::now();
    up.signal("TERM");
    assert_eq!(up.code(PATIENCE, "told to stop while a chunk hangs").await, 0, "{}", site.said());
    let took = begun.elapsed();
    assert!((Duration::from_secs(20)..RESCUED).contains(&took), "{took:?}");
    let stands = format!(
        "select string_agg(distinct concat_ws(' ', status, attempts), ', ') from run_chunk where {OF_FIRST}"
    );
    assert_eq!(site.one::<String>(&stands).await, "ready 0", "it costs no try");
    assert_eq!(site.tries().await, "1 handed_back");
    site.run(&["night"], "").ended(0);
    ground.is_equal(&site, "handed back").await;
    println!("a chunk that hangs is handed back, and its process ends, after {took:?}");
    site.store.remove().await;
}

async fn at_once(ground: Arc<Ground>) {
    let site = ground.site(&[]).await;
    let mut up = site.start(&["up"], &format!("chunk.worked/{JOB}=hang"));
    let hangs = format!("select exists (select from run_chunk where {OF_FIRST} and status = 'claimed')");
    site.until("a chunk hangs", &hangs).await;
    up.signal("TERM");
    site.until_said("stopping: ").await;
    tokio::time::sleep(Duration::from_secs(2)).await; // signals in the same instant are one
    up.signal("TERM");
    assert_eq!(up.code(PATIENCE, "told twice to stop").await, 1, "not after what hangs: {}", site.said());
    let up = site.start(&["up"], "");
    let took = site.until_done().await;
    site.until_no_call_is_held_but_by(&up).await;
    up.stop();
    ground.is_equal(&site, "ended at once").await;
    println!("after a second signal: complete {took:?} after the next start; tries {}", site.tries().await);
    site.store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn told_to_stop_it_finishes_or_hands_back_what_runs_and_told_twice_it_ends_at_once() {
    let ground = Ground::shared().await;
    let under_load = tokio::spawn(under_load(Arc::clone(&ground)));
    let hanging = tokio::spawn(hanging(Arc::clone(&ground)));
    at_once(ground).await;
    under_load.await.unwrap();
    hanging.await.unwrap();
}

/// `up`, which coordinates, is killed in a chunk and started again with the same words, at the same place.
async fn up_again(ground: Arc<Ground>) {
    let site = ground.site(&[]).await;
    let nth = ground.chunks.0 + 1;
    let mut up = site.start(&["up"], &format!("chunk.worked@{nth}/{JOB}=kill"));
    assert_eq!(up.code(PATIENCE, "killed in a chunk").await, -1);
    let begun = site.store.clock().await;
    let up = site.start(&["up"], "");
    let again = format!(
        "select exists (select from attempt where {OF_FIRST} and chunk_no = {nth} and outcome = 'done')"
    );
    site.until("its chunk is done", &again).await;
    let took = site.store.rescued_since(begun).await;
    assert!(took < RESCUED, "{took:?}");
    site.until_done().await;
    site.until_no_call_is_held_but_by(&up).await;
    up.stop();
    ground.is_equal(&site, "up again").await;
    let tries = site.tries().await;
    println!(
        "up, killed in a chunk and started again at once: its chunk is under way after {took:?}; tries {tries}"
    );
    site.store.remove().await;
}

/// The same with a worker, while `up` coordinates and all chunks are held at a gate.
async fn worker_again(ground: Arc<Ground>) {
    let site = ground.site(&[]).await;
    let mut gate = site.gate().await;
    let up = site.start(&["up"], "");
    site.until("the coordinator claims", CLAIMED).await;
    let mut worker = site.start_far("chunk.claimed=kill");
    site.until("a worker claims", "select exists (select from attempt where worker like 'worker:%')").await;
    assert_eq!(worker.code(PATIENCE, "killed in a chunk").await, -1);
    let begun = site.store.clock().await;
    let worker = site.start_far("");
    gate.execute("rollback").await.unwrap();
    let lost = "select exists (select from attempt l join attempt d using (run_id, chunk_no) where l.outcome = 'lost' and d.outcome = 'done')";
    site.until("its chunk is done", lost).await;
    let took = site.store.rescued_since(begun).await;
    assert!(took < RESCUED, "{took:?}");
    site.until_done().await;
    worker.stop();
    site.until_no_call_is_held_but_by(&up).await;
    up.stop();
    ground.is_equal(&site, "worker again").await;
    println!("a worker, killed in a chunk and started again at once: its chunk is under way after {took:?}");
    gate.close().await.unwrap();
    site.store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_in_a_chunk_and_started_again_at_once_under_the_same_configuration_it_is_done_within_a_minute()
{
    let ground = Ground::shared().await;
    let up_again = tokio::spawn(up_again(Arc::clone(&ground)));
    worker_again(ground).await;
    up_again.await.unwrap();
}

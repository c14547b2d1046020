//! Postgres goes away while nights run: shut down at once, killed, or single connections cut. Workers come back by
//! themselves, nothing is lost or doubled, and nothing is given up for it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    cluster::{BEGUN, Cluster, Dice, PATIENCE, Running, Store, files, same, to_its_end},
    house::Ran,
};

const PARTNERS: usize = 20;
const ORDERS: usize = 500;
const RESTARTS: usize = 20;
const CUTS: usize = 30;
/// Chunks take their time, so that an outage finds some under way.
const SLOWLY: &str = "chunk.worked=slow,file.applied=slow";

/// A store with files waiting, and what it comes to when nothing is in the way.
async fn store(cluster: &Arc<Cluster>) -> (Store, BTreeMap<String, String>) {
    let dropped = files(&cluster.dir().join("drop"), PARTNERS, ORDERS);
    let straight = cluster.clone_of("straight", BEGUN).await;
    straight.drop_in(&dropped);
    Ran::of(&mut straight.night()).ended(0);
    let expected = straight.outcome().await;
    let store = cluster.clone_of("disturbed", BEGUN).await;
    store.drop_in(&dropped);
    (store, expected)
}

fn slowly(store: &Store, command: &str) -> Running {
    let mut command = store.command(&[command]);
    command.env("BENEFACTOR_FAULTS", SLOWLY);
    store.start(command)
}

/// Nobody had to do anything, and nothing was given up on the way.
async fn came_through(store: &Store, expected: &BTreeMap<String, String>) {
    store.until_done(PATIENCE).await;
    let held = "select count(*) = 0 from apalis.jobs a where status in ('Queued', 'Running')
                and not exists (select from apalis.workers w where w.id = a.lock_by and w.last_seen > now() - interval '10 s')";
    store.until("no call is left with anybody gone", held, PATIENCE).await;
    same(&store.outcome().await, expected, "in the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_postgres_is_restarted_twenty_times_under_load_and_nothing_is_lost_or_given_up() {
    let seed = Dice::seed();
    let cluster = Cluster::start().await;
    let (store, expected) = store(&cluster).await;
    let mut dice = Dice::of(seed, 0);
    let mut up = slowly(&store, "up");
    let mut worker = slowly(&store, "worker");
    let mut under_way = 0;
    for restart in 0..RESTARTS {
        let pause = Duration::from_millis(500) + dice.pause(Duration::from_millis(1_500));
        tokio::time::sleep(pause).await;
        let open = "select (select count(*) from run_chunk where status in ('ready', 'claimed'))
                    + (select count(*) from file where status <> 'done')";
        under_way += i32::from(store.one::<i64>(open).await > 0);
        cluster.signal_postgres(if restart % 3 == 2 { "KILL" } else { "QUIT" });
        cluster.recover().await;
        for (name, process) in [("up", &mut up), ("worker", &mut worker)] {
            let ended = process.ended_within(Duration::ZERO);
            assert!(ended.is_none(), "{name} ended after {restart}: {}", store.said());
        }
    }
    came_through(&store, &expected).await;
    up.stop();
    worker.stop();
    store.nothing_is_wrong("after twenty restarts").await;
    let (starts, lost) = store.starts().await;
    println!(
        "{under_way} of {RESTARTS} restarts found work under way; {starts} starts, {lost} came to nothing"
    );
    assert!(under_way >= 5, "the restarts came too late to hit");
}

/// Cuts one connection of our processes, whichever.
async fn cut(store: &Store, dice: &mut Dice) -> bool {
    let ours = "select pid from pg_stat_activity where datname = current_database()
                and application_name = 'benefactor' order by backend_start";
    let pids: i64 = store.one(&format!("select count(*) from ({ours}) o")).await;
    if pids == 0 {
        return false;
    }
    let nth = dice.throw(u64::try_from(pids).unwrap());
    store
        .one(&format!(
            "select coalesce((select pg_terminate_backend(pid) from ({ours} offset {nth} limit 1) o), false)"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_connections_cut_at_random_cost_up_and_night_nothing() {
    let seed = Dice::seed();
    let cluster = Cluster::start().await;
    let (store, expected) = store(&cluster).await;
    let mut dice = Dice::of(seed, 0);
    let mut cuts = 0;
    // First nights that may end, as one does that finds its database gone, and are started again.
    while cuts < CUTS / 2 {
        let mut night = slowly(&store, "night");
        let ended = loop {
            if let Some(ended) = night.ended_within(dice.pause(Duration::from_millis(700))) {
                break ended;
            }
            cuts += usize::from(cut(&store, &mut dice).await);
        };
        let said = store.said();
        assert!([Some(0), Some(4), Some(6)].contains(&ended.code()), "{ended}: {said}");
        if ended.code() == Some(0) {
            break;
        }
    }
    // Then `up`, which stays.
    let mut up = slowly(&store, "up");
    while cuts < CUTS {
        let ended = up.ended_within(dice.pause(Duration::from_millis(600)));
        assert!(ended.is_none(), "{}", store.said());
        cuts += usize::from(cut(&store, &mut dice).await);
    }
    came_through(&store, &expected).await;
    up.stop();
    store.nothing_is_wrong("after the cuts").await;
    to_its_end(|| store.night(), &[0], "once more");
    same(&store.outcome().await, &expected, "once more");
    let (starts, lost) = store.starts().await;
    println!("{cuts} cuts, {starts} starts, {lost} came to nothing");
}

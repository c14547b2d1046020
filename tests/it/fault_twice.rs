//! The same work asked for twice: spans planned by several processes at once, calls rung over and over in one
//! transaction. Nothing fails for it, and everything is done once.

use benefactor::store::{
    notifier,
    run::{self, Provenance, Span},
};
use sqlx::Connection;

use crate::{
    cluster::{BEGUN, Cluster, PATIENCE, files, same},
    house::{House, Ran},
    story::day,
};

const PLANNERS: i64 = 8;
const SPANS: i64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_eight_that_plan_the_same_stage_at_once_plan_each_span_once() {
    let house = House::open().await;
    let on = day("2024-02-01");
    let mut conn = house.pool.acquire().await.unwrap();
    let run_id = run::begin(&mut conn, "provision_credits", on, &Provenance::default()).await.unwrap().run_id;
    drop(conn);
    let mut planners = tokio::task::JoinSet::new();
    for planner in 0..PLANNERS {
        let pool = house.pool.clone();
        planners.spawn(async move {
            let mut conn = pool.acquire().await.unwrap();
            let mut tx = conn.begin().await.unwrap();
            // Each in its own order, and some spans twice in the batch.
            let span = |n: i64| Span { from: (on, n), until: (on, n + 1) };
            let spans: Vec<Span> = (0..SPANS + 5).map(|n| span((n + 3 * planner) % SPANS)).collect();
            run::plan(&mut tx, run_id, 0, 0, &spans).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    planners.join_all().await;
    let once = "select count(*) from run_chunk";
    assert_eq!(house.one::<i64>(once).await, SPANS);
    assert_eq!(house.one::<i64>("select count(distinct from_id) from run_chunk").await, SPANS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promise_8_calls_for_the_same_work_over_and_over_have_one_effect() {
    let cluster = Cluster::start().await;
    let dropped = files(&cluster.dir().join("drop"), 10, 100);
    let straight = cluster.clone_of("straight", BEGUN).await;
    straight.drop_in(&dropped);
    straight.run(&["night"]).ended(0);
    let (expected, starts) = (straight.outcome().await, straight.starts().await.0);

    let store = cluster.clone_of("called", BEGUN).await;
    store.drop_in(&dropped);
    let queues = ["night", "import-entitlements", "expire-benefits", "provision-credits", "remind-contacts"];
    let mut owner = store.owner().await;
    for _ in 0..2 {
        let mut tx = owner.begin().await.unwrap();
        for queue in queues.into_iter().chain(queues) {
            notifier::notify(&mut tx, queue, notifier::MOST + 2, 0).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    owner.close().await.unwrap();
    let waiting = "select count(*) from apalis.jobs where status = 'Pending'";
    let most = notifier::MOST * i64::try_from(queues.len()).unwrap();
    assert_eq!(store.one::<i64>(waiting).await, most, "rung until as many wait as may, however often");

    let (one, two) = (store.start(store.up()), store.start(store.up()));
    store.until_done(PATIENCE).await;
    store.until("every call is answered", &format!("select ({waiting}) = 0"), PATIENCE).await;
    one.stop();
    two.stop();
    same(&store.outcome().await, &expected, "called for over and over");
    store.nothing_is_wrong("called for over and over").await;
    assert_eq!(store.one::<i32>("select max(attempts) from run").await, 1);
    assert!(store.starts().await.0 <= starts, "no chunk is begun twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promise_8_of_eight_nights_at_once_one_runs_and_the_others_say_that_it_is_held() {
    let cluster = Cluster::start().await;
    let store = cluster.clone_of("at_once", BEGUN).await;
    store.drop_in(&files(&cluster.dir().join("drop"), 10, 100));
    let nights: Vec<_> = (0..8)
        .map(|_| {
            let mut night = store.night();
            std::thread::spawn(move || Ran::of(&mut night))
        })
        .collect();
    let nights: Vec<Ran> = nights.into_iter().map(|night| night.join().unwrap()).collect();
    // One may also come when another is done already; then it looks again and changes nothing.
    assert!(nights.iter().any(|ran| ran.code == 0), "{nights:#?}");
    for ran in &nights {
        assert!(ran.code == 0 || ran.code == 4 && ran.stderr.contains("another process"), "{ran:#?}");
    }
    let once = store.outcome().await;
    store.nothing_is_wrong("eight at once").await;
    store.run(&["night"]).ended(0);
    same(&store.outcome().await, &once, "once more");
}

//! Many at once on one store, each started as if it were alone: every tick comes once, every run is begun once, every
//! chunk is worked once (promises 1 and 8).

use std::time::Duration;

use crate::{
    cluster::{PATIENCE, Running},
    ground::{Ground, Site},
};

/// Every chunk was claimed once, every run begun once, every tick recorded once.
async fn each_once(site: &Site, told: &str) {
    let tries =
        "select count(*) = count(distinct (run_id, chunk_no)) and bool_and(outcome = 'done') from attempt";
    assert!(site.one::<bool>(tries).await, "{told}: {}", site.said());
    let chunks = "select count(*) from run_chunk where attempts <> 1 or status <> 'done'";
    assert_eq!(site.one::<i64>(chunks).await, 0, "{told}");
}

async fn begun_once(site: &Site, told: &str) {
    let again = "select string_agg(job || ' ' || due_on, ', ') from run where attempts <> 1 and due_on >= '2024-02-29'";
    assert_eq!(site.one::<Option<String>>(again).await, None, "{told}");
}

/// `up` and `worker` in turn; none of them may do what another does.
async fn schedulers(ground: &Ground, count: usize) {
    let told = format!("{count} schedulers");
    let site = ground.site(&[("", "lanes", "2")]).await;
    let mut all = Vec::new();
    for nth in 0..count {
        let command = if nth % 2 == 0 { "up" } else { "worker" };
        all.push(site.start(&[command], ""));
    }
    let took = site.until_done().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    for process in &mut all {
        process.hears(); // the last of them may only be beginning
        assert_eq!(process.ended_within(Duration::ZERO), None, "{told}: {}", site.said());
    }
    let working = "select count(distinct split_part(worker, ':', 3)) from attempt";
    let working: i64 = site.one(working).await;
    for process in &all {
        process.signal("TERM");
    }
    for process in &mut all {
        assert_eq!(process.code(PATIENCE, &told).await, 0, "{told}: {}", site.said());
    }
    each_once(&site, &told).await;
    begun_once(&site, &told).await;
    let ticks = "select count(*) from tick where due_on = '2024-03-05' and name = 'provision_credits'";
    assert_eq!(site.one::<i64>(ticks).await, 1, "{told}");
    ground.is_equal(&site, &told).await;
    println!("{told}: complete after {took:?}, {working} processes worked");
    site.store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_schedulers_tick_once_and_work_each_run_once() {
    schedulers(&*Ground::shared().await, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_schedulers_tick_once_and_work_each_run_once() {
    schedulers(&*Ground::shared().await, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_that_start_the_same_night_one_runs_it_and_the_others_change_nothing() {
    let ground = Ground::shared().await;
    let site = ground.site(&[]).await;
    let mut nights: Vec<Running> = (0..8).map(|_| site.start(&["night"], "")).collect();
    let mut codes = Vec::new();
    for night in &mut nights {
        codes.push(night.code(PATIENCE, "a night").await);
    }
    println!("eight nights ended with {codes:?}");
    assert!(
        codes.contains(&0) && codes.iter().all(|code| [0, 4].contains(code)),
        "{codes:?}\n{}",
        site.said()
    );
    each_once(&site, "eight nights").await;
    ground.is_equal(&site, "eight nights").await;
    let runs =
        "select count(*) from run where due_on < '2024-03-05' and due_on >= '2024-02-29' and attempts <> 1";
    assert_eq!(site.one::<i64>(runs).await, 0, "only the last night is looked at again");
    site.run(&["night"], "").ended(0);
    each_once(&site, "a ninth").await;
    ground.is_equal(&site, "a ninth").await;
    site.store.remove().await;
}

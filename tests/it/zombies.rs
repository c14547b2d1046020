//! Paused processes (SIGSTOP), as a machine that swaps, a frozen container or a debugger makes them: the others take
//! over what they held within a minute, locks and all, and one that wakes up writes nothing (promise 8).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    cluster::{Dice, PATIENCE, Running, same},
    ground::{Ground, JOB, RESCUED, Site},
};

/// Points where a coordinator holds the night, and what else.
const COORDINATORS: [&str; 8] = [
    "stage.planned@2",
    "run.closed",
    "night.complete",
    "tick.recorded",
    "mail.leased",
    "mail.delivered",
    "mail.recorded",
    "export.written",
];
/// Points where a helper, or the coordinator's own lane, holds a chunk.
const IN_A_CHUNK: [&str; 4] = ["chunk.claimed", "chunk.worked", "chunk.finished", "chunk.committed"];
/// Stores on which a coordinator and three helpers are stopped in a chunk each: 12 zombies, and 8 coordinators above.
const CROWDS: u64 = 3;
/// Stores at the same time: on all of them at once there are as many sessions as a cluster has room for.
const LANES: usize = 6;
/// What no zombie writes to. Tries are kept by `attempt` and `run_chunk.attempts`.
const FROZEN: [&str; 12] = [
    "transfer",
    "decision",
    "notice",
    "mail",
    "run",
    "night",
    "(select run_id, chunk_no, status, epoch, worker, lease_until, finished_at, done, refused, failed from run_chunk)",
    "credit_schedule",
    "entitlement",
    "file",
    "tick",
    "coordinator",
];

/// Stops processes; says which.
struct Case {
    told: String,
    site: Site,
    /// Who does it instead.
    healthy: &'static str,
    zombies: Vec<(String, Running)>,
}

impl Case {
    /// A coordinator that stops at a point of its own.
    async fn coordinator(ground: &Ground, point: &str, dice: &mut Dice) -> Self {
        let command = dice.command(point == "tick.recorded");
        let healthy = dice.command(false);
        let site = ground.site(&[]).await;
        let mut zombie = site.start(&[command], &format!("{point}=stop"));
        let told = format!("{command} paused at {point}, then {healthy}");
        zombie.is_paused_within(PATIENCE, &told).await;
        Self { told, site, healthy, zombies: vec![(command.to_owned(), zombie)] }
    }

    /// A coordinator that stops in a chunk, and helpers that stop in others of the same run.
    async fn crowd(ground: &Ground, mut dice: Dice, nth: u64) -> Self {
        let site = ground.site(&[]).await;
        let mut points: Vec<&str> = IN_A_CHUNK.to_vec();
        points.rotate_left(usize::try_from(nth).unwrap());
        let command = dice.command(false);
        let (first, helpers) = points.split_first().unwrap();
        // There are enough chunks behind it for all of them.
        let first = format!("{first}@{}/{JOB}=stop", ground.chunks.0 + 1 + dice.throw(3));
        let mut coordinator = site.start(&[command], &first);
        coordinator.is_paused_within(PATIENCE, &first).await;
        let mut told = format!("{command} paused at {first}, helpers at {helpers:?}");
        let mut zombies = vec![(command.to_owned(), coordinator)];
        let mut starting = Vec::new();
        for point in helpers {
            let point = format!("{point}@{}/{JOB}=stop", 1 + dice.throw(2));
            told = format!("{told} {point}");
            starting.push((site.start_far(&point), point));
        }
        for (mut helper, point) in starting {
            helper.is_paused_within(PATIENCE, &point).await;
            zombies.push(("worker".to_owned(), helper));
        }
        Self { told, site, healthy: "up", zombies }
    }

    /// Somebody else does it all, however paused the others are; and they wake up and leave everything as it is.
    async fn survived(mut self, ground: &Ground) -> (usize, Duration) {
        let Self { told, site, healthy, zombies } = &mut self;
        let begun = site.store.clock().await;
        if *healthy == "up" {
            let up = site.start(&["up"], "");
            site.until_done().await;
            site.until_no_call_is_held_but_by(&up).await;
            up.stop();
        } else {
            // As a timer starts it again and again.
            let since = Instant::now();
            while site.run(&["night"], "").code != 0 {
                assert!(since.elapsed() < PATIENCE, "{told}: the night is held\n{}", site.said());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        let rescued = site.store.rescued_since(begun).await;
        assert!(rescued < RESCUED, "{told}: {rescued:?}");
        same(&site.store.outcome().await, &ground.expected, told);
        let tries = site.tries().await;
        let lost: i64 = site.one("select count(*) from attempt where outcome <> 'done'").await;
        assert!(lost <= i64::try_from(zombies.len()).unwrap(), "{told}: {tries}");

        let before = site.rows(&FROZEN).await;
        for (_, zombie) in zombies.iter() {
            zombie.signal("CONT");
        }
        let mut codes = Vec::new();
        for (command, zombie) in zombies.iter_mut().filter(|(command, _)| command == "night") {
            let code = zombie.code(PATIENCE, &format!("{told}: the {command} that woke up")).await;
            assert!([0, 4].contains(&code), "{told}: {code}\n{}", site.said());
            codes.push(code);
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        for (command, zombie) in zombies.iter_mut().filter(|(command, _)| command != "night") {
            let ended = zombie.ended_within(Duration::ZERO);
            assert!(
                ended.is_none(),
                "{told}: {command} ended with {ended:?} when it woke up\n{}",
                site.said()
            );
        }
        same(&site.rows(&FROZEN).await, &before, &format!("{told}, woken up"));
        let count = zombies.len();
        for (_, zombie) in zombies.drain(..).filter(|(command, _)| command != "night") {
            zombie.stop();
        }
        same(&site.rows(&FROZEN).await, &before, &format!("{told}, woken up and stopped"));
        ground.is_equal(site, told).await;
        println!(
            "{told}: under way again after {rescued:?}, tries of the first run: {tries}; codes {codes:?}"
        );
        self.site.store.remove().await;
        (count, rescued)
    }
}

impl Dice {
    /// A command that runs nights.
    fn command(&mut self, is_up: bool) -> &'static str {
        if self.throw(2) == 0 || is_up { "up" } else { "night" }
    }
}

/// What became of each.
async fn all(mut cases: JoinSet<(usize, Duration)>) -> Vec<(usize, Duration)> {
    let (mut told, mut failed) = (Vec::new(), Vec::new());
    while let Some(case) = cases.join_next().await {
        match case {
            Ok(case) => told.push(case),
            Err(error) => failed.push(error),
        }
    }
    assert!(failed.is_empty(), "{} stores were not as they should be; see above", failed.len());
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn promise_8_twenty_paused_processes_block_nobody_and_write_nothing_when_they_wake() {
    let seed = Dice::seed();
    let ground = Ground::shared().await;
    let lanes = Arc::new(Semaphore::new(LANES));
    let mut cases = JoinSet::new();
    for (nth, point) in (0..).zip(COORDINATORS) {
        let (ground, lanes) = (Arc::clone(&ground), Arc::clone(&lanes));
        cases.spawn(async move {
            let _lane = lanes.acquire().await.unwrap();
            let mut dice = Dice::of(seed, nth);
            Case::coordinator(&ground, point, &mut dice).await.survived(&ground).await
        });
    }
    for nth in 0..CROWDS {
        let (ground, lanes) = (Arc::clone(&ground), Arc::clone(&lanes));
        cases.spawn(async move {
            let _lane = lanes.acquire().await.unwrap();
            Case::crowd(&ground, Dice::of(seed, 100 + nth), nth).await.survived(&ground).await
        });
    }
    let told = all(cases).await;
    let (zombies, slowest) = told.iter().fold((0, Duration::ZERO), |(n, t), (m, u)| (n + m, t.max(*u)));
    println!("{zombies} zombies, the slowest rescue {slowest:?}");
    assert_eq!(zombies, 20);
}

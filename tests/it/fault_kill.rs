//! Killed with -9 at random moments and at every named point, by the real binary on a durable Postgres: whatever is
//! killed when, the next start goes on there, and in the end everything is as if nothing had happened (promises 1, 3,
//! 4, 8, 9).
//!
//! A round is a store of its own, one or more kills, and a restart under the same configuration and data directory. It
//! throws its own dice: `BENEFACTOR_TEST_SEED` replays it, `BENEFACTOR_TEST_ROUNDS` says how many there are.

use std::{
    collections::{BTreeMap, VecDeque},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use benefactor::jobs::engine::fault::POINTS;

use crate::{
    cluster::{BEGUN, Cluster, Dice, PATIENCE, Store, files, rounds, same, to_its_end},
    house::{Ran, Scratch, benefactor},
};

const PARTNERS: usize = 20;
const ORDERS: usize = 200;
/// In CI.
const ROUNDS: u64 = 32;
/// Rounds at the same time. Those of `up` wait for other processes' leases and heartbeats most of the time.
const LANES: usize = 4;
/// Whatever a process held when it was killed is under way again by then.
const RESCUED: Duration = Duration::from_mins(1);

/// What is killed and started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Night,
    Up,
    Import,
}

/// What all rounds share.
struct Game {
    cluster: Arc<Cluster>,
    dropped: Vec<PathBuf>,
    seed: u64,
    /// What is promised.
    expected: BTreeMap<String, String>,
    /// How long it takes when nothing is in the way, as far as we know: it may be less when we have less company.
    takes: Mutex<Duration>,
}

impl Game {
    async fn begin() -> Self {
        let seed = Dice::seed();
        let cluster = Cluster::start().await;
        let dropped = files(&cluster.dir().join("drop"), PARTNERS, ORDERS);
        let straight = cluster.clone_of("straight", BEGUN).await;
        straight.drop_in(&dropped);
        let begun = Instant::now();
        Ran::of(&mut straight.night()).ended(0);
        let takes = begun.elapsed();
        let expected = straight.outcome().await;
        straight.nothing_is_wrong("straight").await;
        assert!(expected["entries"].lines().count() > 2 * ORDERS && expected.len() > 20, "{expected:#?}");
        Ran::of(&mut straight.night()).ended(0);
        same(&straight.outcome().await, &expected, "the nights again");
        println!("undisturbed {takes:?}, {} entries", expected["entries"].lines().count());
        Self { cluster, dropped, seed, expected, takes: Mutex::new(takes) }
    }

    fn import(&self, store: &Store) -> Command {
        let results = store.dir.join("answers");
        let mut import = store.command(&["import", "--results", results.to_str().unwrap()]);
        import.args(&self.dropped);
        import
    }

    fn command(&self, who: Who, store: &Store) -> Command {
        match who {
            Who::Night => store.night(),
            Who::Up => store.up(),
            Who::Import => self.import(store),
        }
    }

    fn takes(&self) -> Duration {
        *self.takes.lock().unwrap()
    }

    /// Kills it once; says whether there was anything left to kill.
    fn kill(&self, who: Who, store: &Store, point: Option<&str>, dice: &mut Dice, told: &str) -> bool {
        let mut command = self.command(who, store);
        let Some(point) = point else {
            // `up` looks at the inbox for a while first.
            let wait = if who == Who::Up { Duration::from_secs(2) } else { Duration::ZERO };
            let most = if who == Who::Import { self.takes() / 3 } else { self.takes() };
            let (begun, pause) = (Instant::now(), wait + dice.pause(most));
            let is_hit = store.start(command).killed_after(pause);
            if !is_hit && who == Who::Night {
                let mut takes = self.takes.lock().unwrap();
                *takes = begun.elapsed().min(*takes);
            }
            return is_hit;
        };
        command.env("BENEFACTOR_FAULTS", format!("{point}=kill"));
        let mut process = store.start(command);
        if who == Who::Up && !point.ends_with("@1") {
            // It may not pass there that often: then it is killed when all is done.
            return process.ended_within(self.takes() * 3).is_some() || process.killed_after(Duration::ZERO);
        }
        let ended = process.ended_within(PATIENCE).unwrap_or_else(|| panic!("{told}: it lives on"));
        let is_killed = ended.signal() == Some(9);
        assert!(is_killed || !point.ends_with("@1") && ended.code() == Some(0), "{told}: {ended}");
        is_killed
    }

    /// Starts it again as an operator would, until all is done.
    async fn go_on(&self, who: Who, store: &Store, told: &str) -> Duration {
        let begun = store.clock().await;
        match who {
            Who::Night => {
                to_its_end(|| store.night(), &[0], told);
            }
            Who::Import => {
                to_its_end(|| self.import(store), &[0, 3], told);
                to_its_end(|| store.night(), &[0], told);
            }
            Who::Up => {
                let up = store.start(store.up());
                store.until_done(PATIENCE).await;
                // What the killed process had been called for is called for again.
                let held = "select count(*) = 0 from apalis.jobs where status in ('Queued', 'Running')";
                let left = format!("{held} and lock_by not like '%:worker:%:{}:%'", up.0.id());
                store.until("no call is left with the killed one", &left, PATIENCE).await;
                up.stop();
            }
        }
        store.rescued_since(begun).await
    }

    async fn round(&self, round: u64) -> Told {
        let begun = Instant::now();
        let mut dice = Dice::of(self.seed, round);
        let (who, point) = what(round, &mut dice);
        let told = format!("round {round}, {who:?} killed at {}", point.as_deref().unwrap_or("random"));
        let store = self.cluster.clone_of(&format!("round_{round}"), BEGUN).await;
        if who != Who::Import {
            store.drop_in(&self.dropped);
        }
        let mut kills = i64::from(self.kill(who, &store, point.as_deref(), &mut dice, &told));
        for _ in 0..dice.throw(3).saturating_sub(1) {
            kills += i64::from(self.kill(who, &store, None, &mut dice, &told));
        }
        let rescued = self.go_on(who, &store, &told).await;
        assert!(rescued < RESCUED, "{told}: {rescued:?}");
        let mut outcome = store.outcome().await;
        if who == Who::Import {
            once(&mut outcome);
        } else {
            store.kept_all(&self.dropped, &told);
        }
        same(&outcome, &self.expected, &told);
        store.nothing_is_wrong(&told).await;
        let (starts, lost) = store.starts().await;
        assert!(lost <= 2 * kills, "{told}: {kills} kills cost {lost} of {starts} starts");
        store.remove().await;
        println!(
            "{told}: {kills} kills, {starts} starts, {lost} lost, again after {rescued:?}, {:?}",
            begun.elapsed()
        );
        Told { kills, starts, lost, rescued: if who == Who::Up { rescued } else { Duration::ZERO } }
    }
}

/// An import of a file whose refused rows were answered before the kill reads it again, asks for them once more, and is
/// refused once more. What was accepted is accepted once.
fn once(outcome: &mut BTreeMap<String, String>) {
    // Its answers are beside those of before, the latest with the highest number.
    let answers: Vec<String> = outcome.keys().filter(|what| what.starts_with("answer ")).cloned().collect();
    for what in answers {
        let stem = what.trim_end_matches(".result.csv");
        if let Some((stem, number)) =
            stem.rsplit_once('.').filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit()))
        {
            assert!(number.parse::<u32>().unwrap() > 1);
            let latest = outcome.remove(&what).unwrap();
            outcome.insert(format!("{stem}.result.csv"), latest);
        }
    }
    for what in ["decisions", "files"] {
        let accepted = |lines: &[&str]| lines.iter().filter(|line| line.contains(" accepted ")).count();
        let mut lines: Vec<&str> = outcome[what].lines().collect();
        let before = accepted(&lines);
        lines.dedup();
        assert_eq!(accepted(&lines), before);
        let lines = lines.join("\n");
        outcome.insert(what.to_owned(), lines);
    }
}

/// What a round came to.
#[derive(Default)]
struct Told {
    kills: i64,
    starts: i64,
    lost: i64,
    rescued: Duration,
}

/// `night` and `up` in turn, first at every named point once, later mostly at random; now and then an import.
fn what(round: u64, dice: &mut Dice) -> (Who, Option<String>) {
    if round % 11 == 10 {
        return (Who::Import, None);
    }
    let nth = round - round / 11;
    let who = if nth.is_multiple_of(2) { Who::Night } else { Who::Up };
    let nth = usize::try_from(nth / 2).unwrap();
    // None of the files is a full snapshot; what a kill between its rows and its ends leaves has a test of its own.
    let passed = |point: &&str| *point != "file.ended" && (who == Who::Up || *point != "tick.recorded");
    let points: Vec<&str> = POINTS.into_iter().filter(passed).collect();
    if let Some(point) = points.get(nth) {
        return (who, Some(format!("{point}@1")));
    }
    if dice.throw(3) > 0 {
        return (who, None);
    }
    let point = points[usize::try_from(dice.throw(u64::try_from(points.len()).unwrap())).unwrap()];
    (who, Some(format!("{point}@{}", 2 + dice.throw(9))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promise_3_killed_at_any_point_and_started_again_it_ends_as_if_nothing_had_happened() {
    let game = Arc::new(Game::begin().await);
    let begun = Instant::now();
    let only = std::env::var("BENEFACTOR_TEST_ROUND").ok().map(|round| round.parse().unwrap());
    let todo: VecDeque<u64> = only.map_or_else(|| (0..rounds(ROUNDS)).collect(), |only| [only].into());
    let (todo, told) = (Arc::new(Mutex::new(todo)), Arc::new(Mutex::new(Vec::new())));
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..LANES {
        let (game, todo, told) = (Arc::clone(&game), Arc::clone(&todo), Arc::clone(&told));
        lanes.spawn(async move {
            loop {
                let next = todo.lock().unwrap().pop_front();
                let Some(round) = next else { return };
                let one = game.round(round).await;
                told.lock().unwrap().push(one);
            }
        });
    }
    while let Some(lane) = lanes.join_next().await {
        if let Err(error) = lane {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    let told = told.lock().unwrap();
    let all = told.iter().fold(Told::default(), |all, one| Told {
        kills: all.kills + one.kills,
        starts: all.starts + one.starts,
        lost: all.lost + one.lost,
        rescued: all.rescued.max(one.rescued),
    });
    println!(
        "{} rounds in {:?}: {} kills, {} starts, {} of them lost, the slowest rescue {:?}",
        told.len(),
        begun.elapsed(),
        all.kills,
        all.starts,
        all.lost,
        all.rescued
    );
    assert!(all.kills >= i64::try_from(told.len()).unwrap() * 3 / 4, "the kills came too late to hit");
}

#[test]
fn a_fault_that_is_not_known_ends_the_process_as_wrong_configuration() {
    let dir = Scratch::new();
    let ran =
        Ran::of(benefactor(dir.path()).arg("check").env("BENEFACTOR_FAULTS", "chunk.clamed=kill")).ended(2);
    assert!(ran.stderr.contains("BENEFACTOR_FAULTS") && ran.stderr.contains("chunk.clamed"), "{ran:?}");
}

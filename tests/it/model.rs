//! A model of the programme beside the program: random histories of files and nights, the same decisions, the same
//! balances, nothing broken after any step (R1–R9, D1–D16).
//!
//! `model/rules.rs` and `model/requests.rs` have the rules once more, small and apart from the program's own;
//! `model/steps.rs` makes up what happens, `model/doings.rs` makes files of it, `model/world.rs` plays it in both worlds.
//! A history that fails shrinks to the steps it needs. It is found again by its seed, which is printed:
//!
//! - `BENEFACTOR_TEST_SEED=N`: the one history of that seed;
//! - `BENEFACTOR_TEST_CASES=N`: so many histories, of the seeds from 1 on (12);
//! - `BENEFACTOR_TEST_STEPS=N`: at most so many steps in each, at least half as many (60);
//! - `BENEFACTOR_TEST_TALLY=FILE`: how often which answer was given is written there.

mod askings;
mod benefits;
mod books;
mod doings;
mod events;
mod keys;
mod queries;
mod requests;
mod rules;
mod steps;
mod world;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// What is both done and refused in any dozen histories.
const ACTIONS: [&str; 14] = [
    "buy",
    "assign",
    "remove",
    "transfer",
    "reassign",
    "activate",
    "reveal",
    "redeem",
    "advisory_hours",
    "product_support",
    "cancel",
    "renew",
    "use",
    "cloud_support",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays the history of a seed; says what is wrong with it, shrunk.
fn tried(seed: u64) -> Option<String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        max_shrink_iters: 400,
        max_shrink_time: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let steps = usize::try_from(number("BENEFACTOR_TEST_STEPS").unwrap_or(60)).unwrap().max(6);
    let outcome = TestRunner::new_with_rng(config, rng).run(&steps::histories(steps), |history| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(world::play(&history)).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => None,
        Err(TestError::Fail(why, history)) => {
            Some(format!("BENEFACTOR_TEST_SEED={seed}\n{why}\n{history:#?}"))
        }
        Err(TestError::Abort(why)) => Some(format!("BENEFACTOR_TEST_SEED={seed}\n{why}")),
    }
}

#[test]
fn whatever_happens_the_program_decides_and_books_as_the_rules_do() {
    let seeds: Vec<u64> = match number("BENEFACTOR_TEST_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("BENEFACTOR_TEST_CASES").unwrap_or(12)).collect(),
    };
    std::thread::scope(|scope| {
        let lanes = [0, 1, 2].map(|lane| {
            let mut seeds = seeds.iter().skip(lane).step_by(3);
            scope.spawn(move || seeds.find_map(|seed| tried(*seed)))
        });
        let wrong: Vec<String> = lanes.into_iter().filter_map(|lane| lane.join().unwrap()).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    });
    let tally = world::TALLY.lock().unwrap();
    if number("BENEFACTOR_TEST_SEED").is_none() {
        let given = |what: &str| tally.keys().any(|answer| answer.starts_with(what));
        // What waits for the operator is taken in as well.
        let taken = |action: &str| ["applied", "waiting"].iter().any(|how| given(&format!("{action} {how}")));
        let mut never: Vec<String> = Vec::new();
        for action in ACTIONS {
            never.extend((!taken(action)).then(|| format!("{action} applied or waiting")));
            never.extend((!given(&format!("{action} rejected"))).then(|| format!("{action} rejected")));
        }
        assert!(never.is_empty(), "so few histories that these never came: {never:?}\n{tally:#?}");
    }
    if let Some(path) = std::env::var_os("BENEFACTOR_TEST_TALLY") {
        std::fs::write(path, format!("{tally:#?}")).unwrap();
    }
}

//! Runs a target: on the corpus as it is, then on one mutation after the other.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::mutation::Random;

/// So long may one mutation take, on a machine that does much else.
const LONGEST: Duration = Duration::from_mins(1);
/// So much memory may the whole process ever have had.
const MEMORY: u64 = 1 << 30;
/// Bytes that are shown of what failed.
const SHOWN: usize = 4_000;

/// A target: what is mutated how, and what must hold of it.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// How many mutations a short run tries.
    pub cases: u64,
    /// What they are made of.
    pub corpus: Vec<Vec<u8>>,
    /// How.
    pub mutate: fn(&mut Random, &[Vec<u8>]) -> Vec<u8>,
    /// Panics where the property does not hold.
    pub property: fn(&[u8]),
}

fn number(variable: &str) -> Option<u64> {
    let said = std::env::var(variable).ok()?;
    Some(said.parse().unwrap_or_else(|_| panic!("{variable}={said} is no whole number")))
}

/// Runs a target, for as long or as often as is said.
pub fn run(target: Target) {
    let seconds = number("BENEFACTOR_FUZZ_SECONDS").map(Duration::from_secs);
    let first = number("BENEFACTOR_FUZZ_SEED").unwrap_or(1);
    let (at, name) = (Arc::new(AtomicU64::new(0)), target.name);
    let began = Instant::now();
    let seen = Arc::clone(&at);
    let worker = thread::spawn(move || {
        for bytes in &target.corpus {
            told(&target, None, bytes);
        }
        for seed in first.. {
            let tried = seed - first;
            let ends = match seconds {
                None => tried >= target.cases,
                Some(seconds) => tried > 0 && began.elapsed() >= seconds,
            };
            if ends {
                return tried;
            }
            at.store(seed, Ordering::Relaxed);
            let bytes = (target.mutate)(&mut Random::of(seed), &target.corpus);
            told(&target, Some(seed), &bytes);
        }
        0
    });
    let (mut last, mut since) = (0, Instant::now());
    while !worker.is_finished() {
        thread::sleep(Duration::from_millis(20));
        let now = seen.load(Ordering::Relaxed);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < LONGEST, "{name}: seed {last} does not come to an end");
    }
    match worker.join() {
        Ok(tried) => println!("{name}: {tried} mutations in {:.1} s", began.elapsed().as_secs_f64()),
        Err(panic) => resume_unwind(panic),
    }
    let most = peak_memory();
    assert!(most < MEMORY, "{name}: the process had {most} bytes of memory");
}

/// Tries one file; of one that fails it is told which it was.
fn told(target: &Target, seed: Option<u64>, bytes: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.property)(bytes))) {
        match seed {
            Some(seed) => eprintln!(
                "{0}: to try it again: BENEFACTOR_FUZZ_SEED={seed} BENEFACTOR_FUZZ_SECONDS=0 cargo test --test fuzz {0}",
                target.name
            ),
            None => eprintln!("{}: a file of the corpus as it is", target.name),
        }
        eprintln!("{} bytes: {}", bytes.len(), bytes[..bytes.len().min(SHOWN)].escape_ascii());
        resume_unwind(panic);
    }
}

/// The most memory that the process had, where the system says so.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

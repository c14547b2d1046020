//! # How to run the benches, and how to read them
//!
//! ```sh
//! cargo bench                                   # everything, at a million rows: an hour
//! cargo bench -- grant import --rows 100000     # parts of it, smaller
//! cargo bench -- growth --rows 10000            # how everything grows, up to so many
//! cargo bench -- --smoke                        # everything once, on a few hundred rows: does it still run?
//! ```
//!
//! | part | question |
//! |---|---|
//! | `grant`, `lapse` | what the night costs in which everybody is due, against one statement of SQL by hand |
//! | `few` | ten thousand due among many, against ten thousand that are alone |
//! | `import` | a file of entitlements, against COPY and one merge by hand: tidy, interleaved, and with remarks |
//! | `export` | the same out again, against COPY |
//! | `queue` | how soon a worker wakes, what a chunk costs, what a night pays for it, what a second process brings |
//! | `requests` | files of mixed requests, against as many rows of entitlements |
//! | `reading` | what one partner or order costs the store, among as many entitlements |
//! | `growth` | every kind of file, every job, every export and reading command, at three sizes |
//!
//! **What is measured.** The real program, as a process of its own, on a private durable store under cargo's target
//! directory, from start to exit. Every round starts from a fresh clone of a seeded template and a checkpoint; ours and
//! the baseline take turns; a line shows the medians of three. Both must leave the same content, or it stops.
//!
//! **Ratios, not seconds.** Seconds are of one machine on one day; `ratio` is ours by the baseline of the same minutes,
//! `aim` what it should be at most. Run it on a machine that does nothing else. No aim is enforced: a bench fails only
//! when something does not run, or when content differs.
//!
//! **Growth.** Each line has the seconds at each size and the exponent from the last size but one to the last: 1 is
//! linear, 2 quadratic, 0 the same however much there is. What works on rows should stay at or below 1.1; what reads one
//! partner or order should stay near 0. It is run twice: on a store that was just filled, of whose tables the database
//! knows nothing (autovacuum is off), and on one that is analysed before each step. Small times hide the start of a
//! process (some 50 ms), so trust the exponents of steps that take seconds.
//!
//! `BENEFACTOR_CONFIG_DIR` names policies with other numbers of rows and lanes; `PG_BIN_DIR` another Postgres.

mod files;
mod grant;
mod growth;
mod measure;
mod place;
mod queue;
mod reading;
mod requests;

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use measure::Table;
use place::Place;

/// The parts, in the order in which they are run.
const PARTS: [&str; 9] =
    ["grant", "few", "lapse", "import", "export", "queue", "requests", "reading", "growth"];
/// Rows of a run that only sees whether everything still runs.
const SMOKE: u64 = 400;

/// The sizes of one run.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// Rows that are granted, imported, exported.
    rows: u64,
    /// Partners whose they are.
    partners: u64,
    /// Whether it is only to be seen that everything runs.
    smoke: bool,
}

impl Size {
    /// So many rounds, or one.
    fn rounds(self, usual: usize) -> usize {
        if self.smoke { 1 } else { usual }
    }
}

fn main() -> Result<()> {
    let (mut parts, mut rows, mut smoke) = (Vec::new(), None, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {} // cargo's own
            "--smoke" => smoke = true,
            "--rows" => {
                let given = args.next().context("--rows N")?;
                rows = Some(given.replace('_', "").parse::<u64>().context("--rows N")?);
            }
            part if PARTS.contains(&part) => parts.push(arg),
            _ => bail!("parts are: {}; and --rows N, --smoke", PARTS.join(", ")),
        }
    }
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|asked| asked == part);
    let usual = if smoke { SMOKE } else { 1_000_000 };
    let total = rows.unwrap_or(usual);
    let size = Size { rows: total, partners: (total / 100).max(1), smoke };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut place = Place::open().await?;
        let mut table = Table::default();
        let granting = ["grant", "few", "lapse"].map(wanted);
        if granting.contains(&true) {
            grant::measure(&mut place, &mut table, size, granting).await?;
        }
        if wanted("import") || wanted("export") {
            files::measure(&mut place, &mut table, size, ["import", "export"].map(wanted)).await?;
        }
        if wanted("queue") {
            queue::measure(&mut place, &mut table, size).await?;
        }
        if wanted("requests") {
            requests::measure(&mut place, &mut table, size).await?;
        }
        if wanted("reading") {
            reading::measure(&mut place, &mut table, size).await?;
        }
        if !table.is_empty() {
            writeln!(std::io::stdout(), "\n{table}")?;
        }
        if wanted("growth") {
            growth::measure(&mut place, size, rows).await?;
        }
        place.close().await
    })
}

//! # How to run the benches, and how to read them
//!
//! ```sh
//! cargo bench                                   # everything, at a million rows: an hour
//! cargo bench -- grant import --rows 100000     # parts of it, smaller
//! cargo bench -- growth                         # how everything grows: half an hour
//! cargo bench -- growth --sizes 1000,4000 --only email --store filled --limit 60
//! cargo bench -- --smoke                        # everything once, on a few hundred rows: does it still run?
//! ```
//!
//! | part | question |
//! |---|---|
//! | `grant`, `lapse` | what the night costs in which everybody is due, against one statement of SQL by hand |
//! | `few` | ten thousand due among many, against ten thousand that are alone |
//! | `import` | a file of entitlements, against COPY and one merge by hand: tidy, interleaved, and with remarks |
//! | `forms` | the same rows with `;` in Windows-1252, and as a workbook, against the canonical form |
//! | `reader` | the strict reader without a store, against the csv crate's raw records |
//! | `peers` | a file of entitlements, against pandas and pgloader, where they are on this machine |
//! | `export` | the same out again, against COPY |
//! | `queue` | how soon a worker wakes, what a chunk costs, what a night pays for it, what a second process brings |
//! | `requests` | files of mixed requests, against as many rows of entitlements |
//! | `reading` | what one partner or order costs the store, among as many entitlements |
//! | `mail` | mails handed to a server over 1, 4 and 16 connections, against a client that only sends |
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
//! **Growth.** Each line has the seconds at each of `--sizes` (1,000, 10,000 and 100,000 partners) and the exponent over
//! them, by least squares of the logarithms: 1 is linear, 2 quadratic. It should be at most 1.1; so should `last`, which is
//! of the two largest sizes alone. Small times hide the start of a process (some 50 ms), so trust the exponents of steps
//! that take seconds. What reads one partner, order, user, key or request has a bar of 20 ms in the store at the largest
//! size instead; a kind of file a share of the rows a second that entitlements have. All is run twice, or as `--store`
//! says: on a store that was `filled` just now, of whose tables the database knows nothing (autovacuum is off), and on one
//! that is `analysed` before each step. `--only TEXT` measures the steps with TEXT in their name; those that they build on
//! are run as well. A step that takes longer than `--limit` (600 s) is stopped, and told so; what builds on it is measured
//! on less, and marked. A kind of file, a job, an export or a command that has no step fails the bench.
//!
//! `BENEFACTOR_CONFIG_DIR` names policies with other numbers of rows and lanes; `PG_BIN_DIR` another Postgres.

mod files;
mod forms;
mod grant;
mod growth;
mod mail;
mod measure;
mod peers;
mod place;
mod queue;
mod reading;
mod requests;

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use measure::Table;
use place::Place;

/// The parts, in the order in which they are run.
const PARTS: [&str; 13] = [
    "grant", "few", "lapse", "import", "forms", "reader", "peers", "export", "queue", "requests", "reading",
    "mail", "growth",
];
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
    let mut growing = growth::Asked::default();
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
            name if growing.take(name, || args.next())? => {}
            _ => bail!(
                "parts are: {}; and --rows N, --smoke; for growth --sizes N,N,… --only TEXT --limit SECONDS --store filled|analysed",
                PARTS.join(", ")
            ),
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
        if wanted("forms") {
            forms::measure(&mut place, &mut table, size).await?;
        }
        if wanted("reader") {
            forms::read(&place, &mut table, size)?;
        }
        if wanted("peers") {
            peers::measure(&mut place, &mut table, size).await?;
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
        if wanted("mail") {
            mail::measure(&mut place, &mut table, size).await?;
        }
        if !table.is_empty() {
            writeln!(std::io::stdout(), "\n{table}")?;
        }
        if wanted("growth") {
            growth::measure(&mut place, size, &growing).await?;
        }
        place.close().await
    })
}

//! How fast the nightly work is, against SQL written by hand for each question: `cargo bench`, or parts of it:
//! `cargo bench -- grant import export --rows 100000`.
//!
//! The measured program is the real one, as a process of its own on a private durable store. Every round starts
//! from a fresh clone of a seeded template and a checkpoint; ours and the baseline take turns; medians of three.
//! Both must leave the same content. Trust ratios, not seconds: they are of one machine on one day.

mod files;
mod grant;
mod measure;
mod place;
mod queue;
mod requests;

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use measure::Table;
use place::Place;

/// The sizes of one run.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// Rows that are granted, imported, exported.
    rows: u64,
    /// Partners whose they are.
    partners: u64,
}

fn main() -> Result<()> {
    let (mut parts, mut rows) = (Vec::new(), 1_000_000);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {} // cargo's own
            "--rows" => {
                rows = args.next().context("--rows N")?.replace('_', "").parse().context("--rows N")?;
            }
            "grant" | "few" | "lapse" | "import" | "export" | "queue" | "requests" => parts.push(arg),
            _ => bail!("parts are: grant, few, lapse, import, export, queue, requests; and --rows N"),
        }
    }
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|asked| asked == part);
    let size = Size { rows, partners: (rows / 100).max(1) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut place = Place::open().await?;
        let mut table = Table::default();
        let granting = ["grant", "few", "lapse"].map(wanted);
        if granting.contains(&true) {
            grant::measure(&mut place, &mut table, size, granting).await?;
        }
        if wanted("import") || wanted("export") {
            files::measure(&mut place, &mut table, size, wanted("export")).await?;
        }
        if wanted("queue") {
            queue::measure(&mut place, &mut table, size).await?;
        }
        if wanted("requests") {
            requests::measure(&mut place, &mut table, size).await?;
        }
        place.close().await?;
        writeln!(std::io::stdout(), "\n{table}")?;
        Ok(())
    })
}

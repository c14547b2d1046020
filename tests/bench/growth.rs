//! How every kind of file, every job, every export and every reading command grows with what it works on: each is run at
//! several sizes, on a store that was just filled and on one that is analysed before each step.

mod cast;
mod complete;
mod steps;
mod table;

use std::{fs, io::Write as _, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use steps::{Of, Step};
use table::{Line, Took};

use crate::{Size, place::Place};

/// What is asked of the growth bench.
#[derive(Clone, Debug)]
pub struct Asked {
    /// How many partners the stores have, smallest first; most files have a row of each.
    pub sizes: Vec<u64>,
    /// Parts of the names of the steps that are measured; none: all.
    pub only: Vec<String>,
    /// A step that takes longer is stopped.
    pub limit: Duration,
    /// On which stores: just filled, analysed.
    pub stores: Vec<Store>,
}

/// What the database knows of its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Nothing.
    Filled,
    /// All of it.
    Analysed,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            sizes: vec![1_000, 10_000, 100_000],
            only: vec![],
            limit: Duration::from_mins(10),
            stores: vec![Store::Filled, Store::Analysed],
        }
    }
}

impl Asked {
    /// Reads `--sizes`, `--only`, `--limit`, `--store` with its value; says whether it was one of them.
    pub fn take(&mut self, name: &str, mut value: impl FnMut() -> Option<String>) -> Result<bool> {
        let mut given = || value().with_context(|| format!("{name} needs a value"));
        match name {
            "--sizes" => {
                let sizes = given()?.replace('_', "");
                let sizes = sizes.split(',').map(str::parse).collect::<Result<Vec<u64>, _>>();
                self.sizes = sizes.context("--sizes N,N,…")?;
                self.sizes.sort_unstable();
                ensure!(self.sizes.iter().all(|rows| *rows >= 4), "--sizes: at least 4 each");
            }
            "--only" => self.only.push(given()?),
            "--limit" => self.limit = Duration::from_secs(given()?.parse().context("--limit SECONDS")?),
            "--store" => {
                self.stores = match given()?.as_str() {
                    "filled" => vec![Store::Filled],
                    "analysed" => vec![Store::Analysed],
                    other => bail!("--store filled or --store analysed, not {other}"),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn wants(&self, step: &Step) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| step.what.contains(part.as_str()))
    }
}

/// Runs all of it and prints what it came to.
pub async fn measure(place: &mut Place, size: Size, asked: &Asked) -> Result<()> {
    let sizes = if size.smoke { vec![size.rows / 10] } else { asked.sizes.clone() };
    place.migrated("bench_nothing").await?;
    complete::check(&steps::all(place, *sizes.first().context("no sizes")?)?)?;
    let mut wrong = Vec::new();
    for store in &asked.stores {
        let mut lines = Vec::<Line>::new();
        for rows in &sizes {
            place.round("bench_nothing").await?;
            place.arrange(QUIET).await?;
            wrong.extend(run(place, *rows, *store, asked, &mut lines).await?);
        }
        table::tell(&lines, &sizes, *store)?;
    }
    place.drop_database("bench_nothing").await?;
    ensure!(wrong.is_empty(), "what was left is not what was asked for:\n{}", wrong.join("\n"));
    Ok(())
}

/// Nothing is analysed behind our back.
const QUIET: &str = "do $$
    declare of record;
    begin
        for of in select oid::regclass as name from pg_class
                  where relkind = 'r' and relnamespace in ('public'::regnamespace, 'apalis'::regnamespace) loop
            execute 'alter table ' || of.name || ' set (autovacuum_enabled = off)';
        end loop;
    end $$";

/// One size from the first file to the last answer; says what is not as it should be. A step that is not asked for is run
/// only where a later one needs what it leaves.
async fn run(
    place: &mut Place,
    rows: u64,
    store: Store,
    asked: &Asked,
    lines: &mut Vec<Line>,
) -> Result<Vec<String>> {
    let data = place.file("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    let mut steps = steps::all(place, rows)?;
    let needed = steps.iter().rposition(|step| asked.wants(step)).map_or(0, |last| last + 1);
    steps.truncate(needed);
    ensure!(!steps.is_empty(), "no part is called so: {}", asked.only.join(", "));
    let (mut wrong, mut short, mut analysed) = (Vec::new(), false, false);
    for step in steps.into_iter().filter(|step| step.changes || asked.wants(step)) {
        if store == Store::Analysed && !analysed {
            place.arrange("analyze").await?;
            tokio::time::sleep(Duration::from_millis(100)).await; // what that took is counted a moment later
        }
        analysed = !step.changes;
        writeln!(std::io::stderr(), "{rows:>8} {}", step.what)?;
        let before = place.in_store().await?;
        let limit = asked.wants(&step).then_some(asked.limit);
        let ended = place.program_within(&step.args, limit)?;
        if ended.stopped {
            place.disconnect_all().await?;
            short |= step.changes;
        } else if !short {
            wrong
                .extend(step.wrong(place, ended.code).await?.into_iter().map(|why| format!("{rows}: {why}")));
        }
        let took = Took {
            worked_on: step.worked_on(rows),
            seconds: ended.cost.seconds,
            in_store: place.in_store().await? - before,
            stopped: ended.stopped,
            short,
        };
        if asked.wants(&step) {
            let part = step.part.as_ref().filter(|_| !took.stopped);
            if let Some((what, query)) = part {
                let seconds = place.lines(query).await?.concat().parse()?;
                note(lines, what, step.of, Took { seconds, in_store: seconds, ..took });
            }
            note(lines, &step.what, step.of, took);
        }
    }
    Ok(wrong)
}

/// Adds what a step took at one more size.
fn note(lines: &mut Vec<Line>, what: &str, of: Of, took: Took) {
    match lines.iter_mut().find(|line| line.what == what) {
        Some(line) => line.took.push(took),
        None => lines.push(Line { what: what.to_owned(), of, took: vec![took] }),
    }
}

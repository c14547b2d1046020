//! How every kind of file, every job, every export and every reading command grows with what it works on: each is run at
//! several sizes, on a store that was just filled and on one that is analysed before each step.

mod cast;
mod steps;

use std::{collections::BTreeMap, fs, io::Write as _};

use anyhow::{Result, ensure};
use steps::{Of, Step};

use crate::{Size, place::Place};

/// The most rows of a kind, unless another number is asked for.
const ROWS: u64 = 100_000;
/// The most that an exponent should be.
const AIM: f64 = 1.1;
/// Seconds below which a time says more about the start of a process than about its work.
const SLIGHT: f64 = 0.5;
/// Rows a second of a file, at least, by those of entitlements in the same run.
const SHARE: f64 = 1.0 / 3.0;

/// What one run of a step took.
#[derive(Clone, Copy, Debug)]
struct Took {
    rows: u64,
    seconds: f64,
    /// Of it, seconds in statements.
    in_store: f64,
}

/// A step and what it took at each size, smallest first.
struct Line {
    what: String,
    of: Of,
    took: Vec<Took>,
}

/// Runs all of it, twice, and prints what it came to.
pub async fn measure(place: &mut Place, size: Size, rows: Option<u64>) -> Result<()> {
    let most = if size.smoke { size.rows / 10 } else { rows.unwrap_or(ROWS) };
    let sizes: Vec<u64> = if size.smoke { vec![most] } else { vec![most / 100, most / 10, most] };
    let sizes: Vec<u64> = sizes.into_iter().filter(|rows| *rows > 0).collect();
    place.migrated("bench_nothing").await?;
    for analysed in [false, true] {
        let mut lines = Vec::<Line>::new();
        for rows in &sizes {
            place.round("bench_nothing").await?;
            place.arrange(QUIET).await?;
            run(place, *rows, analysed, &mut lines).await?;
        }
        tell(&lines, &sizes, if analysed { "analysed before each step" } else { "just filled" })?;
        if size.smoke {
            break;
        }
    }
    place.drop_database("bench_nothing").await
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

/// One size from the first file to the last answer.
async fn run(place: &mut Place, rows: u64, analysed: bool, lines: &mut Vec<Line>) -> Result<()> {
    let data = place.file("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    for (nth, step) in steps::all(place, rows)?.into_iter().enumerate() {
        if analysed {
            place.arrange("analyze").await?;
        }
        writeln!(std::io::stderr(), "{rows:>8} {}", step.what)?;
        let before = place.in_store().await?;
        let cost = place.program_ending(&step.args, step.ends)?;
        let in_store = place.in_store().await? - before;
        check(place, &step).await?;
        let worked_on = match step.of {
            Of::File(rows) | Of::Rows(rows) => rows,
            Of::One => rows,
        };
        if lines.len() <= nth {
            lines.push(Line { what: step.what, of: step.of, took: vec![] });
        }
        if let Some(line) = lines.get_mut(nth) {
            line.took.push(Took { rows: worked_on, seconds: cost.seconds, in_store });
        }
    }
    Ok(())
}

/// What it left is what was asked for.
async fn check(place: &Place, step: &Step) -> Result<()> {
    for (query, expected) in &step.leaves {
        let found = place.lines(query).await?;
        ensure!(found == [expected.to_string()], "{}: {query} says {found:?}, not {expected}", step.what);
    }
    Ok(())
}

fn tell(lines: &[Line], sizes: &[u64], store: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "\n{:<34}", format!("growth, {store}"))?;
    for rows in sizes {
        write!(out, " {:>9}", format!("{rows}, s"))?;
    }
    writeln!(out, " {:>9} {:>8} {:>9} {:>8}", "in store", "exponent", "rows/s", "share")?;
    let rates: BTreeMap<&str, f64> = lines.iter().map(|line| (line.what.as_str(), rate(line))).collect();
    let entitlements = rates.get("import entitlements").copied().unwrap_or(f64::NAN);
    for line in lines {
        let Some(last) = line.took.last() else { continue };
        write!(out, "{:<34}", line.what)?;
        for took in &line.took {
            write!(out, " {:>9.3}", took.seconds)?;
        }
        write!(
            out,
            " {:>9.3} {:>8}",
            last.in_store,
            exponent(line).map_or(String::new(), |e| format!("{e:.2}"))
        )?;
        match line.of {
            Of::One => write!(out, " {:>9} {:>8}", "", "")?,
            Of::Rows(_) => write!(out, " {:>9.0} {:>8}", rate(line), "")?,
            Of::File(_) => write!(out, " {:>9.0} {:>8.2}", rate(line), rate(line) / entitlements)?,
        }
        writeln!(out, "{}", remark(line, entitlements))?;
    }
    Ok(())
}

/// What stands out.
fn remark(line: &Line, entitlements: f64) -> &'static str {
    let slow = line.took.last().is_some_and(|last| last.seconds > SLIGHT);
    let steep = exponent(line).is_some_and(|exponent| exponent > AIM);
    match line.of {
        _ if slow && steep => "  grows faster than its work",
        Of::File(_) if slow && rate(line) < SHARE * entitlements => "  slow beside entitlements",
        Of::One if slow => "  depends on how much there is",
        _ => "",
    }
}

/// Rows a second at the largest size.
fn rate(line: &Line) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are small")]
    line.took.last().map_or(f64::NAN, |last| last.rows as f64 / last.seconds)
}

/// From the last size but one to the last: times grow as so manieth power of the work.
fn exponent(line: &Line) -> Option<f64> {
    let [.., before, last] = line.took.as_slice() else { return None };
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are small")]
    let work = last.rows as f64 / before.rows as f64;
    Some((last.seconds / before.seconds).ln() / work.ln())
}

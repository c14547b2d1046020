//! `demo`: the invented cast from its first file to its last night, on a store and in folders of its own.
//!
//! It calls what `import` and `night` call, in one process and on one open store; only the clock is simulated.

mod cast;
mod page;
mod report;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    exit::{Ending, Exit},
    location::location,
    nights::context,
    output::print,
};
use crate::{
    domain::calendar::{add_days, sub_days},
    jobs::{
        Context, Now,
        engine::night,
        intake::{Dropped, FileOutcome, take_in},
    },
    settings::{Settings, directories},
    store::{Location, Store, embedded},
};
use cast::{CastFile, FILES, NIGHTS, RATES};

pub(super) const DEMO_EXAMPLE: &str = "\
Example:
  benefactor demo
  benefactor --data-dir ./benefactor-demo db psql -- -c 'select * from report.balance'";

/// The mark of a directory that a demo made, and so may replace.
const MARK: &str = "made-by-demo.txt";
const MARK_TEXT: &str =
    "Made by `benefactor demo`. The next demo in this directory replaces everything in it.\n";
/// How long a store may take to stop.
/// The hour of its simulated nights.
const NIGHTS_AT: TimeDelta = TimeDelta::minutes(150);
const STOP: Duration = Duration::from_secs(30);

/// What `demo` takes.
#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Where its store, its mails and its files go; an earlier demo's are replaced
    #[arg(long, value_name = "DIR", default_value = "./benefactor-demo", value_parser = directories())]
    dir: PathBuf,
}

pub(super) async fn run_demo(settings: &Settings, args: DemoArgs) -> anyhow::Result<Exit> {
    let began = Instant::now();
    let replaced = prepare(&args.dir)?;
    let mut settings = settings.clone();
    settings.data_dir.clone_from(&args.dir);
    let location = Location { database_url: None, ..location(&settings)? };
    let (first, last) = (day(NIGHTS.0)?, day(NIGHTS.1)?);
    let cx = context(&settings, first, false)?;
    let store = Store::open(&location).await?;
    let lived = live(&cx, &store, &args.dir, first, last).await;
    let report = match lived {
        Ok(()) => report::gather(&cx, &store, &args.dir, (first, last)).await,
        Err(error) => Err(error),
    };
    store.close().await;
    let dir = args.dir.clone();
    tokio::task::spawn_blocking(move || embedded::at_rest(&dir, STOP)).await??;
    let report = report?;
    if settings.json {
        print(&serde_json::to_string(&report)?)?;
    } else {
        print(&page::write(&report, replaced, began.elapsed()))?;
    }
    Ok(Exit::Done)
}

/// Every date: its files, then its night as on the morning after.
async fn live(
    cx: &Context,
    store: &Store,
    dir: &Path,
    first: NaiveDate,
    last: NaiveDate,
) -> anyhow::Result<()> {
    let nights = u64::try_from((last - first).num_days())?.saturating_add(1);
    let bar = ProgressBar::new(nights)
        .with_style(ProgressStyle::with_template("  {prefix} {bar:24} {pos:>3}/{len}  {wide_msg}")?);
    let mut conn = store.pool.acquire().await?;
    for date in first.iter_days().take_while(|date| *date <= last) {
        bar.set_prefix(date.to_string());
        let dropped = drop_files(dir, date)?;
        if !dropped.is_empty() {
            bar.set_message(format!("{} files come in", dropped.len()));
            let arriving = Context { arrived_on: date, ..cx.on(sub_days(date, 1), true) };
            for (dropped, outcome) in take_in(&arriving, &mut conn, dropped).await? {
                if !matches!(outcome, FileOutcome::Done(_)) {
                    bail!("{} was not taken in: {outcome:?}", dropped.path.display());
                }
            }
        }
        let (arrived_on, hour) = (add_days(date, 1), NIGHTS_AT);
        let now = Now::told(move || arrived_on.and_time(NaiveTime::MIN).and_utc() + hour);
        let morning = Context { arrived_on, now, ..cx.on(date, true) };
        night::run(&morning, &store.pool, Some(first), date, |night| bar.set_message(busiest(night))).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The job of a night that did most, in a few words; exports are made every night.
fn busiest(night: &night::Night) -> String {
    let done =
        |job: &str| night.jobs.iter().find(|(name, _)| *name == job).map_or(0, |(_, counts)| counts.done);
    let (booked, ended, mailed) =
        (done("provision_credits"), done("expire_benefits"), done("email_contacts"));
    let words = [(booked, "credits booked"), (ended, "benefits end"), (mailed, "mails go out")];
    words
        .into_iter()
        .find(|(many, _)| *many > 0)
        .map_or_else(|| "nothing is due".to_owned(), |(many, what)| format!("{many} {what}"))
}

/// Makes sure that the directory is there and holds nothing; says whether an earlier demo's was replaced.
fn prepare(dir: &Path) -> anyhow::Result<bool> {
    let refuse = |exit, why: &str| Ending::new(exit, format!("{}: {why}", dir.display()));
    let earlier = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(error).context(dir.display().to_string()),
    };
    if earlier && !dir.join(MARK).is_file() {
        let why = "it is not empty and no demo made it; name another with --dir, or an empty one";
        return Err(refuse(Exit::Usage, why).into());
    }
    if earlier {
        if !embedded::at_rest(dir, STOP)? {
            return Err(refuse(Exit::Held, "the store in it is in use; end what uses it first").into());
        }
        embedded::discard(dir)?;
        clear(dir).with_context(|| dir.display().to_string())?;
    }
    fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    fs::write(dir.join(MARK), MARK_TEXT).with_context(|| dir.display().to_string())?;
    Ok(earlier)
}

/// Removes what a directory holds, but for fetched programs, and not itself: it may be where somebody stands. The
/// mark goes last.
fn clear(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == embedded::PROGRAMS {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != MARK {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_file(dir.join(MARK))
}

/// Writes the files of a date into their folder.
fn drop_files(dir: &Path, date: NaiveDate) -> anyhow::Result<Vec<Dropped>> {
    let date = date.to_string();
    let folder = dir.join("drop").join(&date);
    let results = dir.join("answers").join(&date);
    let due: Vec<&CastFile> = std::iter::once(&RATES).chain(FILES).filter(|file| file.date == date).collect();
    if due.is_empty() {
        return Ok(vec![]);
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    due.into_iter()
        .map(|file| {
            let path = folder.join(file.name);
            fs::write(&path, file.bytes).with_context(|| path.display().to_string())?;
            let results = results.clone();
            Ok(Dropped { path, results, ..Dropped::default() })
        })
        .collect()
}

fn day(text: &str) -> anyhow::Result<NaiveDate> {
    text.parse().with_context(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_earlier_demo_is_replaced_and_a_strangers_directory_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("deep/demo");
        assert!(!prepare(&dir).unwrap(), "nothing was there");
        fs::create_dir_all(dir.join("drop/2024-01-15")).unwrap();
        fs::create_dir_all(dir.join("store/data")).unwrap();
        fs::create_dir_all(dir.join("postgresql/17.8/bin")).unwrap();
        assert!(prepare(&dir).unwrap(), "an earlier one was replaced");
        assert_eq!(names(&dir), [MARK, "postgresql"], "what was fetched once is kept");
        fs::write(home.path().join("mine.txt"), "mine").unwrap();
        let refused = prepare(home.path()).unwrap_err();
        assert!(refused.to_string().contains("no demo made it"), "{refused}");
        assert_eq!(names(home.path()), ["deep", "mine.txt"]);
    }

    #[test]
    fn the_files_of_a_date_are_written_and_named_for_import_rates_with_the_first() {
        let home = tempfile::tempdir().unwrap();
        let first = drop_files(home.path(), day(NIGHTS.0).unwrap()).unwrap();
        assert_eq!(first.len(), 6);
        assert!(first.iter().all(|dropped| dropped.path.is_file()));
        assert!(first[0].path.ends_with("drop/2024-01-15/eurofxref-hist.csv"));
        assert!(first[0].results.ends_with("answers/2024-01-15"));
        assert!(drop_files(home.path(), day("2024-01-16").unwrap()).unwrap().is_empty());
    }
}

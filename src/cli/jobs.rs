//! `jobs`: work that waits, runs, failed for good or was given up; and what an operator does about it.
//!
//! What is done is on record with who and why, in the same transaction, and nothing is done to any of several ids
//! unless it can be done to all.

mod tell;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, builder::Resettable};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{
    exit::{Ending, Exit},
    facts::facts,
    location::in_store,
    output::print,
    who::login,
};
use crate::{
    clock,
    domain::id::RunNo,
    jobs::{Job, REGISTRY, Stage},
    settings::Settings,
    store::{
        self, notifier,
        work::{self, By, DueTerms, Refused, Rows, State, WorkId},
    },
    worker::Queue,
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor jobs list
  benefactor jobs show 412.7
  benefactor jobs retry 412.7 --by ada --why 'the constraint is gone'";

const LIST_EXAMPLE: &str = "Example:\n  benefactor jobs list --state dead --job provision_credits";
const SHOW_EXAMPLE: &str = "Example:\n  benefactor jobs show 412.7";
const RETRY_EXAMPLE: &str =
    "Example:\n  benefactor jobs retry 412.7 412.9 --by ada --why 'the disk has room again'";
const DISCARD_EXAMPLE: &str =
    "Example:\n  benefactor jobs discard 412.7 --by ada --why 'order O-17 is looked at on Monday'";
const CANCEL_EXAMPLE: &str = "\
Examples:
  benefactor jobs cancel 412.7 --by ada --why 'not before the audit'
  benefactor jobs cancel 412 --by ada --why 'not before the audit'      every open job of run 412";
const SNOOZE_EXAMPLE: &str =
    "Example:\n  benefactor jobs snooze 412.7 --for 2h --by ada --why 'the disk is being changed'";

/// What `jobs` does.
#[derive(Debug, Subcommand)]
pub(super) enum JobsCommand {
    /// What is not done, dead letters first
    #[command(after_help = LIST_EXAMPLE)]
    List(ListArgs),
    /// One job: what it covers, every try, what operators did, what to do next
    #[command(after_help = SHOW_EXAMPLE)]
    Show(ShowArgs),
    /// Try again what failed for good or was discarded, with a new set of tries
    #[command(after_help = RETRY_EXAMPLE)]
    Retry(RetryArgs),
    /// Let the night go on past what failed for good; what its rows are owed stays due for the next night
    #[command(after_help = DISCARD_EXAMPLE)]
    Discard(DiscardArgs),
    /// Call off what waits, at once, or what runs, within seconds
    #[command(after_help = CANCEL_EXAMPLE)]
    Cancel(CancelArgs),
    /// Hold back what waits; costs no try, and its night waits with it
    #[command(after_help = SNOOZE_EXAMPLE)]
    Snooze(SnoozeArgs),
}

/// What `jobs list` takes.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Only what is ready, waiting, running, dead, discarded, split or done; without it all but the last two
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<State>,
    /// Only of this job
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

/// What `jobs show` takes.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// Which, as `jobs list` shows it: RUN.CHUNK
    id: WorkId,
    /// Name so many of the rows it still owes something
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(i64).range(1..))]
    rows: i64,
}

/// Who, and why; kept with what is done.
#[derive(Args, Debug)]
pub(super) struct ByAndWhy {
    /// Who does this; without it who is logged in at the terminal
    #[arg(long, value_name = "WHO", value_parser = said, default_value = Resettable::from(login()), required = login().is_none(), hide_default_value = true)]
    pub(super) by: String,
    /// Why
    #[arg(long, alias = "reason", value_name = "TEXT", value_parser = said)]
    pub(super) why: String,
}

/// What `jobs retry` takes.
#[derive(Args, Debug)]
pub(super) struct RetryArgs {
    /// Which: RUN.CHUNK
    #[arg(required = true, value_name = "ID")]
    ids: Vec<WorkId>,
    /// From now on with this priority; the higher goes first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(0..=100))]
    priority: Option<i16>,
    #[command(flatten)]
    said: ByAndWhy,
}

/// What `jobs discard` takes.
#[derive(Args, Debug)]
pub(super) struct DiscardArgs {
    /// Which: RUN.CHUNK
    #[arg(required = true, value_name = "ID")]
    ids: Vec<WorkId>,
    #[command(flatten)]
    said: ByAndWhy,
}

/// What `jobs cancel` takes.
#[derive(Args, Debug)]
pub(super) struct CancelArgs {
    /// Which: RUN.CHUNK, or RUN for all of it that is open
    #[arg(required = true, value_name = "ID", value_parser = target)]
    ids: Vec<Target>,
    #[command(flatten)]
    said: ByAndWhy,
}

/// What `jobs snooze` takes.
#[derive(Args, Debug)]
pub(super) struct SnoozeArgs {
    /// Which: RUN.CHUNK
    #[arg(required = true, value_name = "ID")]
    ids: Vec<WorkId>,
    /// For so long from now: 90s, 30m, 2h, 1d
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    #[arg(required_unless_present = "until", conflicts_with = "until")]
    seconds: Option<f64>,
    /// Until this instant, by the database's clock
    #[arg(long, value_name = "INSTANT", value_parser = clock::parse_instant)]
    until: Option<DateTime<Utc>>,
    #[command(flatten)]
    said: ByAndWhy,
}

/// A job, or all of a run.
#[derive(Clone, Copy, Debug)]
enum Target {
    Job(WorkId),
    Run(RunNo),
}

fn target(text: &str) -> Result<Target, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Target::Run).map_err(|_| format!("'{text}' is no run"));
    }
    text.parse().map(Target::Job)
}

fn state(name: &str) -> Result<State, String> {
    State::named(name).ok_or_else(|| {
        let known: Vec<&str> = State::ALL.iter().map(|state| state.name()).collect();
        format!("there is no state '{name}'; there are: {}", known.join(", "))
    })
}

pub(super) fn said(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("say something: it is kept on record".to_owned()) } else { Ok(text.to_owned()) }
}

/// `90s`, `30m`, `2h`, `1d` in seconds.
fn seconds(text: &str) -> Result<f64, String> {
    let bad = || format!("'{text}' is no length of time; write 90s, 30m, 2h or 1d");
    let unit = text.chars().next_back().ok_or_else(bad)?;
    let number = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number: u32 = number.and_then(|digits| digits.parse().ok()).ok_or_else(bad)?;
    let each = match unit {
        's' => 1_u64,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(bad()),
    };
    let seconds = u32::try_from(u64::from(number) * each).ok().filter(|s| (1..=366 * 86_400).contains(s));
    seconds.map(f64::from).ok_or_else(|| format!("'{text}' is not between 1s and 366d"))
}

pub(super) async fn run_jobs(settings: &Settings, command: JobsCommand) -> anyhow::Result<Exit> {
    if let JobsCommand::List(ListArgs { job: Some(job), .. }) = &command
        && Job::named(job).is_none()
    {
        let known: Vec<&str> = REGISTRY.iter().map(|job| job.name).collect();
        let sentence = format!("there is no job '{job}'; there are: {}", known.join(", "));
        return Err(Ending::new(Exit::Usage, sentence).into());
    }
    in_store(settings, async |conn| obey(settings, conn, command).await).await.map(|()| Exit::Done)
}

async fn obey(settings: &Settings, conn: &mut PgConnection, command: JobsCommand) -> anyhow::Result<()> {
    match command {
        JobsCommand::List(args) => list(settings, conn, &args).await,
        JobsCommand::Show(args) => show(settings, conn, &args).await,
        JobsCommand::Retry(args) => {
            let ids = args.ids.into_iter().map(Target::Job).collect();
            act(settings, conn, ids, &args.said, &Verb::Retry(args.priority)).await
        }
        JobsCommand::Discard(args) => {
            let ids = args.ids.into_iter().map(Target::Job).collect();
            act(settings, conn, ids, &args.said, &Verb::Discard).await
        }
        JobsCommand::Cancel(args) => act(settings, conn, args.ids, &args.said, &Verb::Cancel).await,
        JobsCommand::Snooze(args) => {
            let until = work::hold_until(conn, args.seconds.unwrap_or(0.0), args.until).await?;
            let Some(until) = until else {
                return Err(
                    Ending::new(Exit::Usage, "--until is over already by the database's clock").into()
                );
            };
            let ids = args.ids.into_iter().map(Target::Job).collect();
            act(settings, conn, ids, &args.said, &Verb::Snooze(until)).await
        }
    }
}

async fn list(settings: &Settings, conn: &mut PgConnection, args: &ListArgs) -> anyhow::Result<()> {
    let states = match args.state {
        Some(state) => vec![state],
        None => State::ALL.into_iter().filter(|state| !state.is_over()).collect(),
    };
    let (listed, total) = work::list(conn, &states, args.job.as_deref(), args.limit).await?;
    if settings.json {
        let listed: Vec<_> = listed.iter().map(tell::listed_in_json).collect();
        return print(&json!({ "jobs": listed, "total": total }).to_string());
    }
    let all = args.state.is_none() && args.job.is_none();
    for line in tell::list(&listed, total, all) {
        print(&line)?;
    }
    Ok(())
}

async fn show(settings: &Settings, conn: &mut PgConnection, args: &ShowArgs) -> anyhow::Result<()> {
    let (policies, ..) = facts(settings)?;
    let Some(work) = work::find(conn, args.id).await? else {
        return Err(Ending::new(Exit::Failed, refusal(&Refused::Unknown(args.id), "shown")).into());
    };
    let of = |job: &'static Job| job.stages.get(usize::try_from(work.stage).ok()?).copied();
    // One that this program does not know covers nothing it could name.
    let unknown = Stage { covers: "work of another version of this program", rows: Rows::None };
    let stage = Job::named(&work.job).and_then(of).unwrap_or(unknown);
    let expiry = policies.expire_benefits.policy;
    let terms = DueTerms::new(work.due_on, expiry.grace_days, expiry.activate_by_days);
    let (rows, rows_in_all) = work::due(conn, stage.rows, work.span, terms, args.rows).await?;
    let shown = tell::ShownChunk {
        stage,
        rows,
        rows_in_all,
        tries: work::tries(conn, args.id).await?,
        actions: work::actions(conn, args.id).await?,
        work,
    };
    if settings.json {
        return print(&shown.in_json().to_string());
    }
    for line in shown.lines() {
        print(&line)?;
    }
    Ok(())
}

/// What is done to jobs.
enum Verb {
    Retry(Option<i16>),
    Discard,
    Cancel,
    Snooze(DateTime<Utc>),
}

impl Verb {
    const fn name(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::Discard => "discard",
            Self::Cancel => "cancel",
            Self::Snooze(_) => "snooze",
        }
    }

    const fn done(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retried",
            Self::Discard => "discarded",
            Self::Cancel => "cancelled",
            Self::Snooze(_) => "snoozed",
        }
    }
}

/// Does it to all of them, or to none.
async fn act(
    settings: &Settings,
    conn: &mut PgConnection,
    targets: Vec<Target>,
    said: &ByAndWhy,
    verb: &Verb,
) -> anyhow::Result<()> {
    let by = By { by: &said.by, why: &said.why };
    let mut tx = conn.begin().await?;
    let ids = resolve(&mut tx, targets).await?;
    let (mut changes, mut refusals) = (Vec::new(), Vec::new());
    for id in ids {
        let outcome = match *verb {
            Verb::Retry(priority) => work::retry(&mut tx, id, by, priority).await?,
            Verb::Discard => work::discard(&mut tx, id, by).await?,
            Verb::Cancel => work::cancel(&mut tx, id, by).await?,
            Verb::Snooze(until) => work::snooze(&mut tx, id, by, until).await?,
        };
        match outcome {
            Ok(change) => changes.push(change),
            Err(refused) => refusals.push(refusal(&refused, verb.done())),
        }
    }
    if !refusals.is_empty() {
        tx.rollback().await?;
        if !changes.is_empty() {
            refusals.push("nothing was done to the others either".to_owned());
        }
        return Err(Ending::new(Exit::Failed, refusals.join("\n")).into());
    }
    notify(&mut tx, verb).await?;
    tx.commit().await?;
    if settings.json {
        let jobs: Vec<_> = changes.iter().map(tell::change_in_json).collect();
        return print(&json!({ "action": verb.name(), "jobs": jobs }).to_string());
    }
    for change in &changes {
        print(&tell::change(change, verb.name()))?;
    }
    Ok(())
}

/// The jobs meant, each once, in order, so that two operators do not wait for each other.
async fn resolve(conn: &mut PgConnection, targets: Vec<Target>) -> anyhow::Result<Vec<WorkId>> {
    let mut ids = Vec::new();
    for target in targets {
        match target {
            Target::Job(id) => ids.push(id),
            Target::Run(run_id) => match work::open_of_run(conn, run_id).await? {
                Some(open) if !open.is_empty() => ids.extend(open),
                Some(_) => {
                    let sentence = format!("nothing of run {run_id} is open");
                    return Err(Ending::new(Exit::Failed, sentence).into());
                }
                None => {
                    return Err(Ending::new(Exit::Failed, format!("there is no run {run_id}")).into());
                }
            },
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Wakes a live process for a night that may go on, or be taken up again.
async fn notify(conn: &mut PgConnection, verb: &Verb) -> store::Result<()> {
    if !matches!(verb, Verb::Snooze(_)) {
        notifier::notify(conn, &Queue::Night.name(), 1, 0).await?;
    }
    Ok(())
}

/// Why it is not done, and which command fits.
fn refusal(refused: &Refused, done: &str) -> String {
    match refused {
        Refused::Unknown(id) => {
            format!("there is no job {id}; `benefactor jobs list` shows which there are")
        }
        Refused::Covered(work, other) => {
            format!("{} is not {done}: its rows are in {}.{other}, which is open", work.id, work.id.run_id)
        }
        Refused::State(work) => {
            let (id, stands) = (work.id, tell::standing(work));
            let fits = match (work.state, done) {
                (State::Done, _) => "nothing is left to do of it".to_owned(),
                (State::Split, _) => format!("`benefactor jobs show {id}` names its parts"),
                (State::Dead, "cancelled") => format!("`jobs discard {id}` gives it up"),
                (State::Dead | State::Discarded, "snoozed") => format!("`jobs retry {id}` takes it up again"),
                (State::Discarded, _) => format!("that is so already; `jobs retry {id}` takes it up again"),
                (State::Running, "snoozed") | (_, "discarded") => format!("`jobs cancel {id}` calls it off"),
                _ => format!("it is tried anyway; `jobs cancel {id}` calls it off"),
            };
            format!("{id} is not {done}: it {stands}; {fits}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_a_unit() {
        assert_eq!(seconds("90s"), Ok(90.0));
        assert_eq!(seconds("30m"), Ok(1_800.0));
        assert_eq!(seconds("2h"), Ok(7_200.0));
        assert_eq!(seconds("1d"), Ok(86_400.0));
        for bad in ["", "2", "h", "-2h", "2 h", "2y", "0s", "367d", "1.5h", "99999999999d", "2ü"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}

//! `rates`: which reference rates are stored, which business days are missing, and on which nothing was published (D4).

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{
    exit::{Ending, Exit},
    facts::facts,
    held_rates::{self, AdmitRateArgs, RevertArgs},
    jobs::ByAndWhy,
    location::location,
    output::print,
};
use crate::{
    domain::target,
    settings::Settings,
    store::{
        Store, open_rates,
        rate::{self, StatementOutcome},
        run,
        work::By,
    },
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor rates list
  benefactor rates unpublished 2024-01-31 --by ada --why 'the bank says so on its page'
  benefactor rates admit 2024-01-31 SEK --by ada --why 'the bank says so on its page'
  benefactor rates revert eurofxref.csv --by ada --why 'it is another bank\'s'";

const LIST_EXAMPLE: &str = "Examples:\n  benefactor rates list --json\n  benefactor rates list --held";
const ADMIT_EXAMPLE: &str = "\
Example:
  benefactor rates admit 2024-01-31 SEK --by ada --why 'the bank says so on its page'
Later days that waited as well, and that this rate makes plausible, are taken with it.";
const REVERT_EXAMPLE: &str = "\
Examples:
  benefactor rates revert eurofxref.csv --by ada --why 'it is another bank\'s'
  benefactor rates revert --day 2024-01-31 --currency SEK --by ada --why 'a digit is missing'
Exit code 5: grants count on the rates, and the message names them.";
const UNPUBLISHED_EXAMPLE: &str = "\
Examples:
  benefactor rates unpublished 2024-01-31 --by ada --why 'the bank says so on its page'
  benefactor rates unpublished 2024-01-31 --undo --by ada --why 'it was published after all'
Weekends, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December need no statement.";

/// How many missing days are named.
const NAMED: usize = 20;

/// What `rates` does.
#[derive(Debug, Subcommand)]
pub(super) enum RatesCommand {
    /// How far the stored rates reach, which business days are missing, and which were stated as unpublished
    #[command(after_help = LIST_EXAMPLE)]
    List(ListRatesArgs),
    /// State that the European Central Bank published nothing on a business day, so that no grant waits for it
    #[command(after_help = UNPUBLISHED_EXAMPLE)]
    Unpublished(UnpublishedArgs),
    /// Take a rate that waits, because it differs greatly from the one before
    #[command(after_help = ADMIT_EXAMPLE)]
    Admit(AdmitRateArgs),
    /// Take rates back that nothing was granted at: all that a file brought, or those of a day
    #[command(after_help = REVERT_EXAMPLE)]
    Revert(RevertArgs),
}

/// What `rates list` takes.
#[derive(Args, Debug)]
pub(super) struct ListRatesArgs {
    /// Only those that wait for the operator, or were taken back
    #[arg(long)]
    held: bool,
}

/// What `rates unpublished` takes.
#[derive(Args, Debug)]
pub(super) struct UnpublishedArgs {
    /// The day
    #[arg(value_name = "DAY")]
    day: NaiveDate,
    /// Take the statement back; refused once a grant counts on it
    #[arg(long)]
    undo: bool,
    #[command(flatten)]
    said: ByAndWhy,
}

pub(super) async fn run_rates(settings: &Settings, command: RatesCommand) -> anyhow::Result<Exit> {
    if let RatesCommand::Unpublished(args) = &command {
        let today = settings.still_clock().today();
        if args.day > today {
            let sentence = format!("{} is still to come: today is {today} (UTC)", args.day);
            return Err(Ending::new(Exit::Usage, sentence).into());
        }
        if !target::is_business_day(args.day) {
            let sentence = format!("{} is no business day of TARGET: no grant waits for its rates", args.day);
            return Err(Ending::new(Exit::Usage, sentence).into());
        }
    }
    let store = Store::open(&location(settings)?).await?;
    let ended = async {
        let mut conn = store.pool.acquire().await?;
        match command {
            RatesCommand::List(args) if args.held => list_held(settings.json, &mut conn).await,
            RatesCommand::List(_) => list(settings.json, &mut conn).await,
            RatesCommand::Unpublished(args) => state(settings.json, &mut conn, &args).await,
            RatesCommand::Admit(args) => {
                let percent = facts(settings)?.0.import_entitlements.policy.rate_jump_percent;
                held_rates::admit(settings.json, &mut conn, &args, percent).await
            }
            RatesCommand::Revert(args) => held_rates::revert(settings.json, &mut conn, &args).await,
        }
    }
    .await;
    store.close().await;
    ended
}

async fn list(as_json: bool, conn: &mut PgConnection) -> anyhow::Result<Exit> {
    let rates = rate::load(&mut *conn).await?;
    let stated = rate::statements(&mut *conn).await?;
    let open = open_rates::list(conn).await?;
    let (reach, holes) = (rates.reach(), rates.holes());
    if as_json {
        let stated: Vec<_> =
            stated.iter().map(|s| json!({ "day": s.day, "at": s.at, "by": s.by, "why": s.why })).collect();
        let (held, taken_back) = held_rates::in_json(&open);
        let told = json!({
            "first": reach.map(|(first, _)| first), "last": reach.map(|(_, last)| last),
            "missing": holes, "unpublished": stated, "held": held, "taken_back": taken_back,
        });
        print(&told.to_string())?;
        return Ok(Exit::Done);
    }
    match reach {
        None => print("No rates are stored; import a file of the European Central Bank.")?,
        Some((first, last)) => print(&format!("Rates are stored from {first} through {last}."))?,
    }
    if !holes.is_empty() {
        let named: Vec<String> = holes.iter().rev().take(NAMED).map(NaiveDate::to_string).collect();
        let more = match holes.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(", and {more} before"),
        };
        print(&format!("Business days without rates: {}{more}.", named.join(", ")))?;
    }
    for line in held_rates::lines(&open) {
        print(&line)?;
    }
    for said in stated {
        print(&format!("Nothing was published on {}, says {}: {}", said.day, said.by, said.why))?;
    }
    Ok(Exit::Done)
}

/// What waits for the operator, and what was taken back.
async fn list_held(as_json: bool, conn: &mut PgConnection) -> anyhow::Result<Exit> {
    let open = open_rates::list(conn).await?;
    if as_json {
        let (held, taken_back) = held_rates::in_json(&open);
        print(&json!({ "held": held, "taken_back": taken_back }).to_string())?;
    } else if open.is_empty() {
        print("no rate waits for the operator")?;
    }
    for line in held_rates::lines(&open).into_iter().filter(|_| !as_json) {
        print(&line)?;
    }
    Ok(Exit::Done)
}

async fn state(as_json: bool, conn: &mut PgConnection, args: &UnpublishedArgs) -> anyhow::Result<Exit> {
    let (day, by) = (args.day, By { by: &args.said.by, why: &args.said.why });
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let stated = if args.undo {
        rate::take_back(&mut tx, day, by).await?
    } else {
        rate::state_unpublished(&mut tx, day, by).await?
    };
    tx.commit().await?;
    let refused = match stated {
        StatementOutcome::Published => Some(format!("rates of {day} are stored, so they were published")),
        StatementOutcome::Granted => Some(format!(
            "credit was granted at the rate of an earlier day, because none was published on {day}"
        )),
        StatementOutcome::Done | StatementOutcome::Unchanged => None,
    };
    if let Some(sentence) = refused {
        return Err(Ending::new(Exit::Refused, sentence).into());
    }
    let changed = stated == StatementOutcome::Done;
    if as_json {
        print(&json!({ "day": day, "unpublished": !args.undo, "changed": changed }).to_string())?;
        return Ok(Exit::Done);
    }
    print(&match (args.undo, changed) {
        (false, true) => {
            format!("On record: nothing was published on {day}. The next night grants what waited for it.")
        }
        (false, false) => format!("It was on record already that nothing was published on {day}."),
        (true, true) => format!("Taken back: rates of {day} are missing until they are imported."),
        (true, false) => format!("It was not on record that nothing was published on {day}."),
    })?;
    Ok(Exit::Done)
}

//! `rates`: which reference rates are stored, which business days are missing, and on which nothing was published (D4).

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{
    exit::{Ending, Exit},
    jobs::ByAndWhy,
    location::location,
    output::print,
};
use crate::{
    domain::target,
    settings::Settings,
    store::{
        Store,
        rate::{self, StatementOutcome},
        run,
        work::By,
    },
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor rates list
  benefactor rates unpublished 2024-01-31 --by ada --why 'the bank says so on its page'";

const LIST_EXAMPLE: &str = "Example:\n  benefactor rates list --json";
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
    List,
    /// State that the European Central Bank published nothing on a business day, so that no grant waits for it
    #[command(after_help = UNPUBLISHED_EXAMPLE)]
    Unpublished(UnpublishedArgs),
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
            RatesCommand::List => list(settings.json, &mut conn).await,
            RatesCommand::Unpublished(args) => state(settings.json, &mut conn, &args).await,
        }
    }
    .await;
    store.close().await;
    ended
}

async fn list(as_json: bool, conn: &mut PgConnection) -> anyhow::Result<Exit> {
    let rates = rate::load(&mut *conn).await?;
    let stated = rate::statements(conn).await?;
    let (reach, holes) = (rates.reach(), rates.holes());
    if as_json {
        let stated: Vec<_> =
            stated.iter().map(|s| json!({ "day": s.day, "at": s.at, "by": s.by, "why": s.why })).collect();
        let told = json!({
            "first": reach.map(|(first, _)| first), "last": reach.map(|(_, last)| last),
            "missing": holes, "unpublished": stated,
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
    for said in stated {
        print(&format!("Nothing was published on {}, says {}: {}", said.day, said.by, said.why))?;
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

//! Rates that wait for an operator, and rates that are taken back.

use std::path::Path;

use chrono::NaiveDate;
use clap::Args;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{
    exit::{Ending, Exit},
    jobs::ByAndWhy,
    output::print,
};
use crate::{
    domain::money::{Currency, plain},
    jobs,
    store::{
        open_rates::{self, Admission, CountingGrant, OpenRate, Reversal, WhichRates},
        run,
        work::By,
    },
};

/// Decimals of a rate as it is told.
const PLACES: u32 = 6;
/// Digits of a SHA-256 that call a file, at least.
const DIGITS: usize = 8;

/// What `rates admit` takes.
#[derive(Args, Debug)]
pub(super) struct AdmitRateArgs {
    /// The day
    #[arg(value_name = "DAY")]
    day: NaiveDate,
    /// The currencies
    #[arg(required = true, value_name = "CURRENCY", value_parser = currency)]
    currencies: Vec<Currency>,
    #[command(flatten)]
    said: ByAndWhy,
}

/// What `rates revert` takes.
#[derive(Args, Debug)]
pub(super) struct RevertArgs {
    /// What a file of rates brought: its name, its path, or at least eight digits of its SHA-256
    #[arg(value_name = "FILE", required_unless_present = "day", conflicts_with = "day")]
    file: Option<String>,
    /// The rates of this day
    #[arg(long, value_name = "DAY")]
    day: Option<NaiveDate>,
    /// Only this currency's
    #[arg(long, value_name = "CURRENCY", value_parser = currency, requires = "day")]
    currency: Option<Currency>,
    #[command(flatten)]
    said: ByAndWhy,
}

fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(&text.to_uppercase()).ok_or_else(|| format!("'{text}' is no currency; one is SEK"))
}

/// What waits, and what was taken back, as lines.
pub(super) fn lines(open: &[OpenRate]) -> Vec<String> {
    open.iter()
        .map(|open| match open.waits {
            Some((rate, (before_on, before))) => format!(
                "Waits for the operator: {} of {} is {}, and was {} on {before_on} ({}): \
                 `benefactor rates admit {} {} --by WHO --why TEXT`, or `benefactor rates revert --day {} --currency {} …`",
                open.currency,
                open.on,
                plain(rate.micro(), PLACES),
                plain(before.micro(), PLACES),
                open.file,
                open.on,
                open.currency,
                open.on,
                open.currency
            ),
            None => format!("Taken back, and no other has come: {} of {} ({})", open.currency, open.on, open.file),
        })
        .collect()
}

/// The same in JSON: what waits, and what was taken back.
pub(super) fn in_json(open: &[OpenRate]) -> (Vec<Value>, Vec<Value>) {
    let waiting = open.iter().filter_map(|open| {
        let (rate, (before_on, before)) = open.waits?;
        Some(json!({
            "day": open.on, "currency": open.currency.code(), "rate": plain(rate.micro(), PLACES),
            "before": plain(before.micro(), PLACES), "before_on": before_on, "file": open.file,
        }))
    });
    let taken_back = open.iter().filter(|open| open.waits.is_none());
    let taken_back =
        taken_back.map(|open| json!({ "day": open.on, "currency": open.currency.code(), "file": open.file }));
    (waiting.collect(), taken_back.collect())
}

/// Takes rates that wait, all of them or none.
pub(super) async fn admit(
    as_json: bool,
    conn: &mut PgConnection,
    args: &AdmitRateArgs,
    percent: u32,
) -> anyhow::Result<Exit> {
    let by = By { by: &args.said.by, why: &args.said.why };
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let (mut admitted, mut against) = (Vec::new(), Vec::new());
    for currency in &args.currencies {
        match open_rates::admit(&mut tx, (args.day, *currency), percent, by).await? {
            Admission::Done(days) => admitted.push((currency, days)),
            Admission::NotWaiting => against.push(format!(
                "no rate of {currency} of {} waits; `benefactor rates list --held` shows which do",
                args.day
            )),
        }
    }
    if !against.is_empty() {
        tx.rollback().await?;
        if !admitted.is_empty() {
            against.push("nothing was done about the others either".to_owned());
        }
        return Err(Ending::new(Exit::Failed, against.join("\n")).into());
    }
    tx.commit().await?;
    if as_json {
        let told: Vec<_> = admitted
            .iter()
            .map(|(currency, days)| json!({ "currency": currency.code(), "days": days }))
            .collect();
        print(&json!({ "admitted": told }).to_string())?;
        return Ok(Exit::Done);
    }
    for (currency, days) in &admitted {
        let also = match days.len().saturating_sub(1) {
            0 => String::new(),
            1 => ", and with it that of the day after it which it makes plausible".to_owned(),
            more => format!(", and with it those of {more} later days which it makes plausible"),
        };
        print(&format!(
            "On record: the rate of {currency} of {} is taken{also}. The next night grants what waited for it.",
            args.day
        ))?;
    }
    Ok(Exit::Done)
}

/// Takes rates back that nothing was granted at.
pub(super) async fn revert(
    as_json: bool,
    conn: &mut PgConnection,
    args: &RevertArgs,
) -> anyhow::Result<Exit> {
    let by = By { by: &args.said.by, why: &args.said.why };
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let which = match (&args.file, args.day) {
        (Some(called), _) => of_file(&mut tx, called).await?,
        (None, Some(day)) => WhichRates::OfDay(day, args.currency),
        (None, None) => return Err(Ending::new(Exit::Usage, "name a file, or a day with --day").into()),
    };
    let reverted = open_rates::revert(&mut tx, &which, by).await?;
    let (rates, days, missing) = match reverted {
        Reversal::Nothing => {
            return Err(Ending::new(Exit::Failed, "no such rates are stored: nothing was taken back").into());
        }
        Reversal::Granted(grants, count) => {
            return Err(Ending::new(Exit::Refused, granted(&grants, count)).into());
        }
        Reversal::Done { rates, days, missing } => (rates, days, missing),
    };
    tx.commit().await?;
    if as_json {
        print(&json!({ "reverted": rates, "days": days, "missing": missing }).to_string())?;
        return Ok(Exit::Done);
    }
    print(&format!(
        "On record: {rates} rates of {days} days are taken back; {missing} of these days are missing now. \
         Grants that need them wait until a file with them is imported, which may be the same one."
    ))?;
    Ok(Exit::Done)
}

/// The file that is meant, by its bytes.
async fn of_file(conn: &mut PgConnection, called: &str) -> anyhow::Result<WhichRates> {
    let path = Path::new(called);
    let name = path.file_name().map_or_else(|| called.into(), |name| name.to_string_lossy());
    let found = match std::fs::read(path) {
        Ok(bytes) => open_rates::files(conn, &jobs::sha256(&bytes)).await?,
        Err(_) => vec![],
    };
    let found = if found.is_empty() { open_rates::files(conn, &name).await? } else { found };
    match found.as_slice() {
        [(sha256, name)] => Ok(WhichRates::OfFile { sha256: sha256.clone(), name: name.clone() }),
        [] => Err(Ending::new(Exit::Failed, format!("no file of rates is called '{called}'")).into()),
        several => {
            let told: Vec<String> = several
                .iter()
                .map(|(sha256, name)| format!("  {}  {name}", sha256.get(..2 * DIGITS).unwrap_or(sha256)))
                .collect();
            let sentence =
                format!("several files are called so; name one by its SHA-256:\n{}", told.join("\n"));
            Err(Ending::new(Exit::Usage, sentence).into())
        }
    }
}

/// Which grants count on the rates.
fn granted(grants: &[CountingGrant], count: i64) -> String {
    let named = grants.iter().map(|grant| {
        format!(
            "  {} of {} of partner {}: the period from {}, at the rate of {}",
            grant.benefit, grant.order_id, grant.partner, grant.period_from, grant.rate_on
        )
    });
    let mut lines = vec![match count {
        1 => "nothing was taken back, because 1 grant counts on these rates:".to_owned(),
        count => format!("nothing was taken back, because {count} grants count on these rates:"),
    }];
    lines.extend(named);
    if i64::try_from(grants.len()).is_ok_and(|named| named < count) {
        lines.push("  …".to_owned());
    }
    lines.push("days and currencies on which none does are taken back with --day and --currency".to_owned());
    lines.join("\n")
}

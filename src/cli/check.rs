//! `check` and `timetable`: the facts alone, no database.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::{
    exit::{Ending, Exit},
    facts::facts,
    output::{print, print_json},
};
use crate::{
    answers::check::{FactsRead, check},
    clock,
    domain::{
        tick,
        timetable::{CatchUp, Timetable, Zone},
    },
    jobs::{
        engine::facts::{self, CATALOGUE, Configuration},
        policy::Policies,
    },
    mail::address_of,
    settings::Settings,
};

pub(super) const CHECK_EXAMPLE: &str = "\
Example, with a catalogue and policies of your own:
  benefactor --config-dir ./config check";

pub(super) const TIMETABLE_EXAMPLE: &str = "\
Example:
  benefactor timetable --from 2024-02-28T12:00:00Z --count 3";

/// What `timetable` takes.
#[derive(Args, Debug)]
pub(super) struct TimetableArgs {
    /// From this date or instant on; without it from now
    #[arg(long, value_name = "T", value_parser = clock::parse_instant)]
    from: Option<DateTime<Utc>>,
    /// How many due times of each job
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
}

pub(super) fn run_check(settings: &Settings) -> anyhow::Result<Exit> {
    let Configuration { policies, catalogue, replaced, findings, .. } = facts::read(settings.config_dir());
    let notes = policies.map(|policies| notes(settings, &policies)).unwrap_or_default();
    let read = FactsRead { files: Configuration::files(), replaced, catalogue, notes, findings };
    let checked = match check(read) {
        Ok(checked) => checked,
        Err(wrong) => {
            if settings.json {
                print_json(&wrong)?;
            }
            return Err(Ending::new(Exit::Usage, wrong.findings.join("\n")).into());
        }
    };
    if settings.json {
        print_json(&checked)?;
        return Ok(Exit::Done);
    }
    for name in &checked.checked {
        let from = if checked.replaced.contains(name) { "from the folder" } else { "as compiled in" };
        let holds = match name.as_str() {
            CATALOGUE => format!(": {} benefits, {} products", checked.benefits, checked.products),
            _ => String::new(),
        };
        print(&format!("{name:<34} {from}{holds}"))?;
    }
    print(&format!("{:<34} every notice in every language", "mail templates"))?;
    for note in &checked.notes {
        print(note)?;
    }
    print("nothing is wrong")?;
    Ok(Exit::Done)
}

/// What is right and may surprise, settings included.
fn notes(settings: &Settings, policies: &Policies) -> Vec<String> {
    let mut notes = policies.notes();
    let policy = &policies.email_contacts.policy;
    if settings.public_url().is_none() && policy.return_path.is_none() {
        let to = policy.reply_to.as_ref().unwrap_or(&policy.from);
        notes.push(format!(
            "note: whoever wants no more marketing writes to {}, and somebody has to act on it with `benefactor suppressions \
             add ADDRESS --scope marketing`; PUBLIC_URL says where the page is that does it",
            address_of(to)
        ));
    }
    notes
}

pub(super) fn run_timetable(settings: &Settings, args: &TimetableArgs) -> anyhow::Result<Exit> {
    let (policies, ..) = facts(settings)?;
    let from = args.from.unwrap_or_else(|| settings.still_clock().now());
    for (job, timetable) in policies.timetables() {
        let due: Vec<_> = timetable.upcoming(from).take(usize::from(args.count)).collect();
        if settings.json {
            print(&in_json(job, timetable, &due).to_string())?;
            continue;
        }
        print(&about(job, timetable))?;
        for (due_on, due_at) in due {
            let utc = due_at.format("%a %F %H:%M:%S UTC");
            let local = (timetable.zone != Zone::default())
                .then(|| format!("  {} {}", timetable.zone.written(due_at), timetable.zone));
            print(&format!("  {utc}{}  for the night of {due_on}", local.unwrap_or_default()))?;
        }
    }
    Ok(Exit::Done)
}

/// A job's timetable in a line.
fn about(job: &str, timetable: &Timetable) -> String {
    let missed = match timetable.catch_up {
        CatchUp::All => format!("missed: all, at most {}", timetable.catch_up_cap),
        CatchUp::Latest => "missed: the latest".to_owned(),
        CatchUp::None => "missed: none".to_owned(),
    };
    let (cron, zone, hours) = (timetable.cron.expression(), timetable.zone, timetable.deadline_hours);
    format!("{job:<20}  {cron} ({zone}); {missed}; to be done within {hours} h")
}

fn in_json(job: &str, timetable: &Timetable, due: &[(NaiveDate, DateTime<Utc>)]) -> Value {
    let utc = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let nights: Vec<Value> = due
        .iter()
        .map(|(due_on, due_at)| {
            json!({
                "due_on": due_on,
                "due_at": utc(*due_at),
                "local": timetable.zone.rfc3339(*due_at),
                "deadline_at": utc(tick::deadline(timetable, *due_at)),
            })
        })
        .collect();
    json!({
        "job": job,
        "cron": timetable.cron.expression(),
        "zone": timetable.zone.name(),
        "catch_up": timetable.catch_up.name(),
        "catch_up_cap": timetable.catch_up_cap,
        "deadline_hours": timetable.deadline_hours,
        "due_at": due.iter().map(|(_, due_at)| utc(*due_at)).collect::<Vec<_>>(),
        "nights": nights,
    })
}

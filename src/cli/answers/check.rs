//! `check` and `timetable`: the facts alone, no database.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::Args;
use serde_json::json;

use super::super::{
    Exit,
    exit::Ending,
    facts::{self, facts},
    print,
};
use crate::{clock, domain::policy::BUILT_IN, mail::check_templates, settings::Settings};

pub(crate) const CHECK_EXAMPLE: &str = "\
Example, with a catalogue and policies of your own:
  benefactor --config-dir ./config check";

pub(crate) const TIMETABLE_EXAMPLE: &str = "\
Example:
  benefactor timetable --from 2024-02-28T12:00:00Z --count 3";

/// What `timetable` takes.
#[derive(Args, Debug)]
pub(crate) struct TimetableArgs {
    /// From this date or instant on; without it from now
    #[arg(long, value_name = "T", value_parser = clock::parse_instant)]
    from: Option<DateTime<Utc>>,
    /// How many due times of each job
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
}

pub(crate) fn run_check(settings: &Settings) -> anyhow::Result<Exit> {
    let facts = facts::read(settings.config_dir());
    let mut findings = facts.findings;
    findings.extend(check_templates().err().map(|error| format!("mail template {error}")));
    if !findings.is_empty() {
        if settings.json {
            print(&json!({ "findings": findings }).to_string())?;
        }
        return Err(Ending::new(Exit::Usage, findings.join("\n")).into());
    }
    let files = || BUILT_IN.iter().map(|(stem, _)| format!("jobs/{stem}.toml"));
    let (benefits, products) = facts
        .catalogue
        .as_ref()
        .map_or((0, 0), |catalogue| (catalogue.entries().len(), catalogue.products().len()));
    if settings.json {
        let checked: Vec<String> = files().chain(["catalogue.toml".to_owned()]).collect();
        let told = json!({ "checked": checked, "replaced": facts.replaced, "mail_templates": "all", "findings": [] });
        print(&told.to_string())?;
        return Ok(Exit::Done);
    }
    let from = |name: &str| {
        if facts.replaced.iter().any(|replaced| replaced == name) {
            "from the folder"
        } else {
            "as compiled in"
        }
    };
    for name in files() {
        print(&format!("{name:<34} {}", from(&name)))?;
    }
    let catalogue = "catalogue.toml";
    print(&format!("{catalogue:<34} {}: {benefits} benefits, {products} products", from(catalogue)))?;
    print(&format!("{:<34} every notice in every language", "mail templates"))?;
    print("nothing is wrong")?;
    Ok(Exit::Done)
}

pub(crate) fn run_timetable(settings: &Settings, args: &TimetableArgs) -> anyhow::Result<Exit> {
    let (policies, ..) = facts(settings)?;
    let from = args.from.unwrap_or_else(|| settings.still_clock().now());
    let jobs = policies.jobs();
    let width = jobs.iter().map(|(_, timetable, _)| timetable.expression().len()).max().unwrap_or(0);
    for (job, timetable, _) in jobs {
        // What is due at that very instant is still to come.
        let before = from.checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(from);
        let due: Vec<DateTime<Utc>> =
            std::iter::successors(timetable.next_after(before), |due| timetable.next_after(*due))
                .take(usize::from(args.count))
                .collect();
        if settings.json {
            let due: Vec<String> =
                due.iter().map(|due| due.to_rfc3339_opts(SecondsFormat::Secs, true)).collect();
            print(&json!({ "job": job, "cron": timetable.expression(), "due_at": due }).to_string())?;
            continue;
        }
        for (nth, due) in due.iter().enumerate() {
            let (job, cron) = if nth == 0 { (job, timetable.expression()) } else { ("", "") };
            print(&format!("{job:<20}  {cron:<width$}  {} UTC", due.format("%a %Y-%m-%d %H:%M:%S")))?;
        }
    }
    Ok(Exit::Done)
}

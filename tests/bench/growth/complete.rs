//! Whether everything has a step: a kind of file, a job or a command that is new must get one.

use std::process::Command;

use anyhow::{Result, ensure};
use benefactor::{domain::kinds::Kind, jobs::REGISTRY, store::export::EXPORTS};

use super::steps::Step;

/// Commands that do not grow with a store, or do what a step does already.
const WITHOUT: [&str; 29] = [
    "demo",      // a store of its own
    "up",        // goes on until it is stopped: its nights are `night`
    "worker",    // likewise
    "reasons",   // no store
    "check",     // no store
    "timetable", // no store
    "migrate",   // the schema alone
    "db psql",   // a shell
    "db hold",   // until it is stopped
    "db url",    // no table
    "jobs retry",
    "jobs discard",
    "jobs cancel",
    "jobs snooze",       // acts on one chunk
    "rates unpublished", // acts on one day
    "rates admit",
    "rates revert",
    "requests admit",
    "requests refuse",
    "mail send",    // what a night does at its end
    "mail test",    // no table
    "mail dkim",    // no store
    "mail resend",  // acts on what is named
    "mail bounces", // a transaction a message of a mailbox
    "suppressions add",
    "suppressions remove", // act on what is named
    "contact erase",
    "user erase", // read every text of the store once, whoever it is about
    "template",   // no store
];

/// Every kind of file, job, export and command has its step.
pub fn check(steps: &[Step]) -> Result<()> {
    let starts = |words: &[&str]| {
        steps
            .iter()
            .any(|step| step.args.iter().map(String::as_str).take(words.len()).eq(words.iter().copied()))
    };
    for kind in Kind::ALL {
        ensure!(steps.iter().any(|step| step.takes == Some(*kind)), "no step takes in {kind}");
    }
    for job in REGISTRY {
        ensure!(starts(&["run", job.name]), "no step runs {}", job.name);
    }
    for export in EXPORTS {
        ensure!(starts(&["export", export.kind]), "no step exports {}", export.kind);
    }
    for command in commands()? {
        let words: Vec<&str> = command.split(' ').collect();
        ensure!(
            starts(&words) || WITHOUT.contains(&command.as_str()),
            "`{command}` has no step: give it one, or say here why it needs none"
        );
    }
    Ok(())
}

/// Every command, as the program's help lists them; of groups of questions and acts each, but what can be requested is
/// one: the same as the files of it.
fn commands() -> Result<Vec<String>> {
    let mut all = Vec::new();
    for command in listed(&[])? {
        let below = if command == "request" { vec![] } else { listed(&[&command])? };
        if below.is_empty() {
            all.push(command);
        } else {
            all.extend(below.into_iter().map(|name| format!("{command} {name}")));
        }
    }
    ensure!(all.len() > 20, "the help lists but {all:?}");
    Ok(all)
}

fn listed(of: &[&str]) -> Result<Vec<String>> {
    let help = Command::new(env!("CARGO_BIN_EXE_benefactor")).args(of).arg("-h").output()?;
    ensure!(help.status.success(), "{}", String::from_utf8_lossy(&help.stderr));
    let text = String::from_utf8(help.stdout)?;
    let lines =
        text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A name is indented by two, what continues a description by more.
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    Ok(names
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect())
}

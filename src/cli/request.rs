//! `request`: what a row of a file can do, asked for without a file. The row is taken in like any other, by the same code
//! and with the same answers.

use std::{
    ffi::OsString,
    io::{BufRead, Write as _},
};

use anyhow::Context as _;
use clap::{ArgMatches, Command, FromArgMatches, Subcommand};
use serde_json::json;

use self::asking::{Asking, BY, ON, askings};
use super::{
    exit::{Ending, Exit},
    files::take,
    output::print,
};
use crate::{
    domain::{
        language::Language,
        reason::{self, Problem, Reason},
        request::OPERATOR,
    },
    files::row,
    jobs::intake::{Dropped, FileOutcome},
    settings::Settings,
};

mod asking;

pub(super) const EXAMPLE: &str = "\
Example:
  benefactor request assign --partner-id 4100101 --order-id MPN-240131-101 \\
      --benefit azure_monthly_credit --user anna@norrsken.example
asks for the same as a row of an assignments file; `benefactor request help assign` names every flag.";

/// What was asked for on the command line.
#[derive(Clone, Debug)]
pub(super) struct RequestCommand {
    name: String,
    values: Vec<(String, String)>,
    accept_backdated: bool,
    dry_run: bool,
}

impl FromArgMatches for RequestCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let asking = Asking::named(name).ok_or_else(missing)?;
        let value = |column: &str| Some((column.to_owned(), matches.get_one::<String>(column)?.clone()));
        Ok(Self {
            name: name.to_owned(),
            values: asking.columns().filter_map(|column| value(column.name)).collect(),
            accept_backdated: matches.get_flag("accept-backdated"),
            dry_run: matches.get_flag("dry-run"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for RequestCommand {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(askings().map(Asking::command)).subcommand_required(true)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Asking::named(name).is_some()
    }
}

impl RequestCommand {
    /// The file of one row that says the same.
    fn file(&self, asking: Asking, settings: &Settings) -> anyhow::Result<Vec<u8>> {
        let mut cells: Vec<(String, String)> = self.values.clone();
        cells.extend(
            asking.ask.fixed.iter().map(|(column, value)| ((*column).to_owned(), (*value).to_owned())),
        );
        let lacks = |cells: &[(String, String)], column: &str| {
            asking.kind.columns().iter().any(|of| of.name == column)
                && !cells.iter().any(|(name, _)| name == column)
        };
        if lacks(&cells, BY) {
            cells.push((BY.to_owned(), OPERATOR.to_owned()));
        }
        if lacks(&cells, ON) {
            cells.push((ON.to_owned(), settings.still_clock().today().to_string()));
        }
        // A secret is read from standard input, so that it is in no history and no list of processes.
        if let Some(secret) = asking.kind.columns().iter().find(|column| column.secret) {
            let mut key = String::new();
            std::io::stdin().lock().read_line(&mut key).context("the key on standard input")?;
            cells.push((secret.name.to_owned(), key.trim().to_owned()));
        }
        Ok(row::of_one(&cells)?)
    }
}

pub(super) async fn run_request(settings: &Settings, command: RequestCommand) -> anyhow::Result<Exit> {
    let asking = Asking::named(&command.name).context("nothing of that name can be asked for")?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(OsString::from(format!("{}.csv", asking.ask.name)));
    std::fs::File::create(&path)?.write_all(&command.file(asking, settings)?)?;
    let dropped = Dropped {
        path,
        kind: Some(asking.kind),
        accept_backdated: command.accept_backdated,
        by_operator: true,
        results: folder.path().to_owned(),
        ..Dropped::default()
    };
    let mut taken = take(settings, vec![dropped], command.dry_run).await?;
    let (_, outcome) = taken.pop().context("no answer")?;
    let (status, problems, exit) = match outcome {
        FileOutcome::Done(taken) if taken.tally.rejected > 0 => ("rejected", taken.problems, Exit::Rejected),
        FileOutcome::Done(taken) if taken.tally.waiting > 0 => ("waiting", taken.problems, Exit::Rejected),
        FileOutcome::Done(taken) if taken.tally.unchanged > 0 => ("unchanged", taken.problems, Exit::Done),
        FileOutcome::Done(taken) => ("applied", taken.problems, Exit::Done),
        FileOutcome::Known => ("unchanged", vec![], Exit::Done),
        FileOutcome::Refused(why) | FileOutcome::Guarded(why) | FileOutcome::GivenUp(why) => {
            return Err(Ending::new(Exit::Failed, why.told.english).into());
        }
        FileOutcome::Failed(said) => return Err(Ending::new(Exit::Failed, said).into()),
    };
    tell(settings.json, status, &problems)?;
    Ok(exit)
}

/// A no, with all that is to be said of it.
pub(super) fn refuse(as_json: bool, problems: &[Problem]) -> anyhow::Result<Exit> {
    tell(as_json, "rejected", problems)?;
    Ok(Exit::Rejected)
}

/// The answer: what became of it, every reason, and when a no becomes a yes (D13).
fn tell(as_json: bool, status: &str, problems: &[Problem]) -> anyhow::Result<()> {
    let reasons: Vec<&Reason> = problems.iter().map(|problem| &problem.reason).collect();
    let earliest =
        (status == "rejected").then(|| reason::earliest(reasons.iter().copied()).phrase(Language::English));
    if as_json {
        let told: Vec<_> = problems
            .iter()
            .map(|problem| {
                json!({
                    "column": problem.column, "value": problem.value, "code": problem.reason.code(),
                    "sentence": problem.reason.sentence(Language::English),
                })
            })
            .collect();
        return print(&json!({"status": status, "reasons": told, "earliest": earliest}).to_string());
    }
    print(status)?;
    for problem in problems {
        let sentence = problem.reason.sentence(Language::English);
        let code = problem.reason.code();
        match problem.column.as_str() {
            "" => print(&format!("  {code}: {sentence}"))?,
            column => print(&format!("  {column}: {code}: {sentence}"))?,
        }
    }
    match earliest {
        Some(earliest) => print(&format!("  When it becomes a yes: {earliest}.")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kinds::Kind;

    #[test]
    fn every_request_has_an_example_row_and_it_is_one() {
        let mut command = RequestCommand::augment_subcommands(Command::new("request"));
        command.build();
        for asking in askings() {
            assert!(!asking.ask.about.is_empty(), "{}", asking.ask.name);
            let whole = asking.example();
            let example = whole.split(" < ").next().unwrap();
            assert_ne!(example, "", "no example row says what {} does", asking.ask.name);
            let words = example.split('\'').enumerate().flat_map(|(at, part)| {
                if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }
            });
            let matches =
                command.clone().try_get_matches_from(["request", asking.ask.name].into_iter().chain(words));
            let asked = RequestCommand::from_arg_matches(&matches.unwrap()).unwrap();
            assert_eq!(asked.name, asking.ask.name);
        }
    }

    #[test]
    fn every_kind_of_file_can_be_asked_for() {
        for kind in Kind::ALL {
            assert!(askings().any(|asking| asking.kind == *kind), "{kind}");
        }
    }
}

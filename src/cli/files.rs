//! `import` and `export`: files in, files out.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::Connection;

use super::{
    exit::{Ending, Exit},
    jobs::said,
    location::location,
    nights::{context, last_full_day},
    output::print,
    reverting,
    snapshot::{self, SnapshotArgs},
    who::login,
};
use crate::{
    domain::{id::PartnerId, kinds::Kind, language::Language},
    files::{
        answer::RowStatus,
        dialect::{Dialect, StatedDialect},
        file_reason::FileReason,
        marker, near,
        shown::shown_text,
    },
    jobs::intake::{self, Dropped, FileOutcome, RowTold, Taken},
    settings::Settings,
    store::{Store, file::Tally},
};

pub(super) const IMPORT_EXAMPLE: &str = "\
Example:
  benefactor import partners.csv entitlements.csv
writes partners.result.csv and entitlements.result.csv beside them, with an answer on every row.
A workbook is answered by a workbook: users.xlsx by users.result.xlsx.

  benefactor import all.csv --partner 4100101 --snapshot --as-of 2024-03-31 --rows 120 --dry-run
says what of that partner's entitlements the file does not have and would end.";

/// What `import` takes.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command, each read by its name")]
pub(super) struct ImportArgs {
    /// The files; those that others depend on may come in any order
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What they are; without it their headers say
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// The Partner ID whose rows they may hold; without it the rows say
    #[arg(long, value_name = "ID")]
    partner: Option<PartnerId>,
    /// How they are written, as far as it is not as their rows say: encoding=windows-1252,delimiter=semicolon,decimal=comma,dates=dmy
    #[arg(long, value_name = "DIALECT", value_parser = StatedDialect::parse, default_value_t)]
    dialect: StatedDialect,
    /// The sheet of a workbook that is meant; without it the only one whose header is known
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// They are whole, also where a last line has no line end
    #[arg(long)]
    complete: bool,
    /// Where the answers go; without it beside each file
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Let requests in that are dated long before today, which otherwise wait
    #[arg(long)]
    accept_backdated: bool,
    #[command(flatten)]
    snapshot: SnapshotArgs,
    /// Accept an entitlements file that ends more than 20, and more than 5 %, of the live entitlements of its partners, or that
    /// has no row of one
    #[arg(long)]
    accept_ends: bool,
    /// Who accepts; without it who is logged in
    #[arg(long, value_name = "WHO", value_parser = said, requires = "accept_ends")]
    by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = said, requires = "accept_ends")]
    why: Option<String>,
    /// Let new order and Partner IDs in that differ from a known one in nothing but case, width, dashes or leading zeros
    #[arg(long)]
    accept_alike: bool,
    /// Apply all rows of a file or, if one is rejected, none of them (exit code 1); the answer says which are at fault
    #[arg(long)]
    all_or_nothing: bool,
    /// Say what would become of the rows, the first 20 of each outcome one by one, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// In a dry run, tell every row
    #[arg(long, requires = "dry_run")]
    all: bool,
    #[command(subcommand)]
    command: Option<ImportCommand>,
}

/// What `import` does beside taking files in.
#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// Take back what a file did, as long as nothing was built on it; a file of that name is imported as ./revert
    #[command(after_help = reverting::EXAMPLE)]
    Revert(reverting::RevertFileArgs),
}

/// Rows of each outcome that a dry run tells.
const TOLD_ROWS: usize = 20;

pub(super) fn kind(name: &str) -> Result<Kind, String> {
    Kind::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        let meant = near::nearest(name, known.iter().copied());
        let meant = meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "));
        format!("there is no kind '{name}'; {meant}there are: {}", known.join(", "))
    })
}

/// Takes files in, or says what would become of them.
pub(super) async fn take(
    settings: &Settings,
    dropped: Vec<Dropped>,
    dry_run: bool,
) -> anyhow::Result<Vec<(Dropped, FileOutcome)>> {
    let mut cx = context(settings, last_full_day(settings), dry_run)?;
    let store = Store::open(&location(settings)?).await?;
    cx.lanes = Some(store.pool.clone()).filter(|_| !dry_run);
    let mut conn = store.pool.acquire().await?;
    let outcomes = if dry_run {
        let mut tx = conn.begin().await?;
        let outcomes = intake::take_in(&cx, &mut tx, dropped).await;
        tx.rollback().await?;
        outcomes
    } else {
        intake::take_in(&cx, &mut conn, dropped).await
    };
    drop(conn);
    intake::come_clean(&store.pool).await;
    store.close().await;
    Ok(outcomes?)
}

pub(super) async fn run_import(settings: &Settings, args: ImportArgs) -> anyhow::Result<Exit> {
    if let Some(ImportCommand::Revert(args)) = args.command {
        return reverting::run_revert(settings, args).await;
    }
    let mut dropped: Vec<Dropped> = Vec::new();
    let snapshot = args.snapshot.stated(args.paths.len())?;
    let by = args.by.or_else(|| login().map(|login| login.to_string_lossy().into_owned()));
    let by = by.unwrap_or_default();
    for path in args.paths {
        if !path.exists() {
            let sentence = format!("{}: there is no such file", path.display());
            return Err(Ending::new(Exit::Usage, sentence).into());
        }
        let beside = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .map_or_else(|| ".".into(), PathBuf::from);
        let results = args.results.clone().unwrap_or(beside);
        if let Some(other) =
            dropped.iter().find(|one| one.results == results && one.path.file_name() == path.file_name())
        {
            let sentence = format!(
                "{} and {} would have one and the same answer: import them one after the other, or into other results",
                other.path.display(),
                path.display()
            );
            return Err(Ending::new(Exit::Usage, sentence).into());
        }
        let marker = Some(marker::of(&path));
        dropped.push(Dropped {
            path,
            kind: args.kind,
            dialect: args.dialect,
            complete: args.complete,
            sheet: args.sheet.clone(),
            partner: args.partner.clone(),
            accept_backdated: args.accept_backdated,
            by_operator: false,
            accept_ends: args.accept_ends,
            accepted_by: by.clone(),
            accepted_why: args.why.clone().unwrap_or_default(),
            snapshot: snapshot.clone(),
            accept_alike: args.accept_alike,
            all_or_nothing: args.all_or_nothing,
            told_rows: match (args.dry_run, args.all) {
                (false, _) => 0,
                (true, false) => TOLD_ROWS,
                (true, true) => usize::MAX,
            },
            leaves: None,
            claim: None,
            marker,
            results,
        });
    }
    let outcomes = take(settings, dropped, args.dry_run).await?;
    for (dropped, outcome) in &outcomes {
        tell(dropped, outcome, settings.json)?;
    }
    Ok(ended(&outcomes))
}

/// How an import of these ends: the worst that came of any.
fn ended(outcomes: &[(Dropped, FileOutcome)]) -> Exit {
    let (mut refused, mut guarded, mut rejected) = (false, false, false);
    for (_, outcome) in outcomes {
        match outcome {
            FileOutcome::Refused(_) | FileOutcome::Failed(_) | FileOutcome::GivenUp(_) => refused = true,
            FileOutcome::Guarded(_) => guarded = true,
            FileOutcome::Known => {}
            FileOutcome::Done(taken) => {
                refused |= taken.not_applied;
                guarded |= taken.snapshot.as_ref().is_some_and(snapshot::is_held);
                rejected |= taken.tally.rejected > 0 || taken.tally.waiting > 0;
            }
        }
    }
    if refused {
        Exit::Failed
    } else if guarded {
        Exit::Refused
    } else if rejected {
        Exit::Rejected
    } else {
        Exit::Done
    }
}

/// What became of a file, in JSON.
fn in_json(path: &str, outcome: &FileOutcome) -> serde_json::Value {
    match outcome {
        FileOutcome::Known => json!({"file": path, "status": "known"}),
        FileOutcome::Refused(why) => no_in_json(path, "refused", why),
        FileOutcome::Guarded(why) => no_in_json(path, "guarded", why),
        FileOutcome::GivenUp(why) => no_in_json(path, "given_up", why),
        FileOutcome::Failed(reason) => json!({"file": path, "status": "failed", "reason": reason}),
        FileOutcome::Done(taken) => json!({
            "file": path, "status": "done", "kind": taken.kind.name(), "dialect": taken.dialect.to_string(), "sheet": taken.sheet, "applied": taken.tally.applied,
            "changed": taken.tally.changed, "waiting": taken.tally.waiting, "unchanged": taken.tally.unchanged, "rejected": taken.tally.rejected, "not_applied": taken.not_applied, "answer": taken.answer,
            "unknown_columns": taken.unknown, "original_with_rejected_keys": taken.kept,
            "snapshot": taken.snapshot.as_ref().map(snapshot::in_json), "portal": taken.portal, "passed_over": taken.passed_over, "summed": taken.summed,
            "columns": taken.mapping.iter().map(|(from, to)| json!({"from": from, "to": to})).collect::<Vec<_>>(),
            "rows": taken.rows.iter().map(row_as_json).collect::<Vec<_>>(),
        }),
    }
}

fn no_in_json(path: &str, status: &str, why: &FileReason) -> serde_json::Value {
    json!({"file": path, "status": status, "code": why.code, "reason": why.told.english})
}

fn tell(dropped: &Dropped, outcome: &FileOutcome, as_json: bool) -> anyhow::Result<()> {
    let path = dropped.path.display().to_string();
    if as_json {
        return print(&in_json(&path, outcome).to_string());
    }
    match outcome {
        FileOutcome::Known => print(&format!("{path}: taken in before; nothing to do")),
        FileOutcome::GivenUp(reason) => print(&format!("{path}: given up: {reason}")),
        FileOutcome::Failed(reason) => print(&format!(
            "{path}: not taken in whole: {reason}; what of it is in stays, and it goes on there once that is mended"
        )),
        FileOutcome::Guarded(reason) => print(&format!("{path}: held back, nothing of it is in: {reason}")),
        FileOutcome::Refused(reason) => print(&format!("{path}: refused, nothing of it is in: {reason}")),
        FileOutcome::Done(taken) => {
            let portal = taken.portal.map_or_else(String::new, |portal| format!(" ({portal})"));
            print(&format!(
                "{path}: {}{portal}: {}",
                taken.kind,
                counted(taken.tally, taken.answer.is_none())
            ))?;
            if taken.not_applied {
                print(
                    "  nothing of it was applied, because rows are rejected and it was to be applied as a whole",
                )?;
            }
            if taken.passed_over > 0 {
                print(&format!(
                    "  rows passed over, each with the reason in its answer: {}",
                    taken.passed_over
                ))?;
            }
            if taken.summed > 0 {
                print(&format!("  rows booked with others as one sum: {}", taken.summed))?;
            }
            if let Some(sheet) = &taken.sheet {
                print(&format!("  sheet: {}", shown_text(sheet)))?;
            }
            if taken.dialect != Dialect::default() {
                print(&format!("  read as: {}", taken.dialect))?;
            }
            if !taken.unknown.is_empty() {
                print(&format!("  columns not read: {}", taken.unknown.join(", ")))?;
            }
            if let Some(outcome) = &taken.snapshot {
                snapshot::tell(outcome)?;
            }
            match &taken.answer {
                Some(answer) => print(&format!("  the answer on every row: {}", answer.display()))?,
                None => return tell_rehearsed(taken),
            }
            match &taken.kept {
                Some(kept) => print(&format!(
                    "  rejected keys are in {} alone: correct it and import it again, and then it is deleted",
                    kept.display()
                )),
                None if taken.kind == Kind::Keys && !dropped.path.exists() => {
                    print(&format!("  its keys are sealed in the store, and {path} was deleted"))
                }
                None => Ok(()),
            }
        }
    }
}

/// What a file's rows came to: `2 applied (1 changed), 1 unchanged, 1 rejected, 1 waiting for an operator`; in brackets only
/// where it is `rehearsed`.
pub(super) fn counted(tally: Tally, rehearsed: bool) -> String {
    let Tally { applied, changed, waiting, unchanged, rejected } = tally;
    let changed = if rehearsed && changed > 0 { format!(" ({changed} changed)") } else { String::new() };
    let waiting = if waiting > 0 { format!(", {waiting} waiting for an operator") } else { String::new() };
    format!("{applied} applied{changed}, {unchanged} unchanged, {rejected} rejected{waiting}")
}

/// What a dry run tells: which column is which, and rows one by one.
fn tell_rehearsed(taken: &Taken) -> anyhow::Result<()> {
    if !taken.rows.is_empty() {
        let columns = taken
            .mapping
            .iter()
            .map(|(from, to)| if from == to { from.clone() } else { format!("{to} from {from}") });
        print(&format!("  columns: {}", columns.collect::<Vec<_>>().join(", ")))?;
    }
    for row in &taken.rows {
        let cells = row.cells.iter().map(|(column, cell)| format!("{column}={cell}"));
        let cells = cells.collect::<Vec<_>>().join(" ");
        print(&format!("  line {}: {}: {cells}", row.line, row.status.name()))?;
        for problem in &row.problems {
            let sentence = problem.reason.sentence(Language::English);
            let column =
                if problem.column.is_empty() { String::new() } else { format!("{}: ", problem.column) };
            print(&format!("    {column}{}: {sentence}", problem.reason.code()))?;
        }
    }
    let told = |status: RowStatus| taken.rows.iter().filter(|row| row.status == status).count();
    let all = [
        (RowStatus::Applied, taken.tally.applied.saturating_sub(taken.tally.changed)),
        (RowStatus::Changed, taken.tally.changed),
        (RowStatus::Waiting, taken.tally.waiting),
        (RowStatus::Unchanged, taken.tally.unchanged),
        (RowStatus::Rejected, taken.tally.rejected),
    ];
    if !taken.rows.is_empty()
        && all.iter().any(|(status, of)| i32::try_from(told(*status)).is_ok_and(|told| told < *of))
    {
        print("  more rows with --all")?;
    }
    print("  dry run: nothing was changed")
}

fn row_as_json(row: &RowTold) -> serde_json::Value {
    let cells = row.cells.iter().map(|(column, cell)| (column.clone(), json!(cell)));
    let problems = row.problems.iter().map(|problem| {
        json!({
            "column": problem.column, "value": problem.value, "code": problem.reason.code(),
            "sentence": problem.reason.sentence(Language::English),
        })
    });
    json!({
        "line": row.line, "status": row.status.name(), "cells": cells.collect::<serde_json::Map<_, _>>(),
        "reasons": problems.collect::<Vec<_>>(),
    })
}

//! `export`: files out.

use std::{
    fs::File,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use anyhow::Context;
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::io::BufWriter;

use super::{
    exit::{Ending, Exit},
    location::location,
    output::print,
};
use crate::{
    jobs::export_entitlements::written,
    settings::Settings,
    store::{
        Store,
        export::{EXPORTS, Export, Form, locale::Locale},
    },
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor export ledger --on 2024-12-31 --out ledger-2024.csv
  benefactor export entitlements | head
  benefactor export users --for spreadsheet --out users.xlsx
  benefactor export balances --for spreadsheet --locale sv-SE --out balances.csv
What a spreadsheet is given can be changed there and imported again.
Kinds: partners, users, contacts, agreements, entitlements, renewals, assignments, key_requests, activations,
service_requests, credit_usage (as import reads them), keys (masked), ledger, balances, decisions, refunds.";

/// What `export` takes.
#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// What to write
    #[arg(value_parser = kind)]
    kind: &'static Export,
    /// Only what has effect by this date: requests, usage, ledger, balances, decisions, refunds
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
    /// Where to, replacing what is there; without it, standard output
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Who reads it
    #[arg(long = "for", value_name = "READER", value_enum, default_value_t = ReadBy::Machine)]
    reader: ReadBy,
    /// Of a CSV for a spreadsheet, the country whose separators it has, such as sv-SE; without it en-GB
    #[arg(long, value_name = "LOCALE", value_parser = Locale::named)]
    locale: Option<&'static Locale>,
}

/// Who reads a file.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReadBy {
    /// A program: the canonical form, which import reads as well
    Machine,
    /// A person with a spreadsheet: a workbook if the name of --out ends in .xlsx; else CSV with a byte order mark, CRLF and
    /// an apostrophe, which an import takes away again, before what would be a formula
    Spreadsheet,
}

/// What a file is written as.
#[derive(Clone, Copy, Debug)]
enum WrittenAs {
    Csv(Form),
    Workbook,
}

/// What is written for whom, or why it cannot be.
fn written_as(args: &ExportArgs) -> Result<WrittenAs, Ending> {
    let wrong = |sentence: &str| Err(Ending::new(Exit::Usage, sentence));
    let ending = args.out.as_deref().and_then(Path::extension).unwrap_or_default();
    let is_workbook = ending.eq_ignore_ascii_case("xlsx");
    match (args.reader, args.locale) {
        (ReadBy::Machine, Some(_)) => wrong(
            "what a machine reads is the same in every country: leave --locale away, or add --for spreadsheet",
        ),
        (ReadBy::Machine, None) if is_workbook => {
            wrong("what a machine reads is no workbook: add --for spreadsheet, or end the name in .csv")
        }
        (ReadBy::Spreadsheet, Some(_)) if is_workbook => {
            wrong("a workbook is shown to everybody as their own country writes: leave --locale away")
        }
        (ReadBy::Spreadsheet, None) if is_workbook => Ok(WrittenAs::Workbook),
        (ReadBy::Machine, None) => Ok(WrittenAs::Csv(Form::Machine)),
        (ReadBy::Spreadsheet, locale) => {
            Ok(WrittenAs::Csv(Form::Spreadsheet(locale.unwrap_or(&Locale::CANONICAL))))
        }
    }
}

fn kind(name: &str) -> Result<&'static Export, String> {
    Export::named(name).ok_or_else(|| {
        let known: Vec<&str> = EXPORTS.iter().map(|export| export.kind).collect();
        format!("there is no kind '{name}'; there are: {}", known.join(", "))
    })
}

pub(super) async fn run_export(settings: &Settings, args: ExportArgs) -> anyhow::Result<Exit> {
    let export = args.kind;
    if args.on.is_some() && !export.dated {
        let sentence = format!(
            "{} are known only as they stand now: leave --on away, or look into the ledger of that date",
            export.kind.replace('_', " ")
        );
        return Err(Ending::new(Exit::Usage, sentence).into());
    }
    if let Some(path) = &args.out {
        fits(path)?;
    }
    let form = written_as(&args)?;
    let store = Store::open_existing(&location(settings)?).await?;
    let result = write(&store, export, args.on, form, args.out.as_deref()).await;
    store.close().await;
    let bytes = result?;
    if let Some(path) = &args.out {
        let path = path.display();
        print(&if settings.json {
            json!({ "kind": export.kind, "path": path.to_string(), "bytes": bytes }).to_string()
        } else {
            format!("{path}: {}, {bytes} bytes", export.kind)
        })?;
    }
    Ok(Exit::Done)
}

async fn write(
    store: &Store,
    export: &'static Export,
    on: Option<NaiveDate>,
    form: WrittenAs,
    path: Option<&Path>,
) -> anyhow::Result<u64> {
    let mut conn = store.pool.acquire().await.map_err(crate::store::Error::from)?;
    match (form, path) {
        (WrittenAs::Csv(form), Some(path)) => Ok(written::write(&mut conn, export, on, form, path).await?),
        (WrittenAs::Workbook, Some(path)) => Ok(written::write_workbook(&mut conn, export, on, path).await?),
        (WrittenAs::Csv(form), None) => {
            let stdout = std::io::stdout().as_fd().try_clone_to_owned().context("standard output")?;
            let mut out = BufWriter::with_capacity(1 << 16, tokio::fs::File::from_std(File::from(stdout)));
            Ok(export.write(&mut conn, on, form, &mut out).await?)
        }
        (WrittenAs::Workbook, None) => anyhow::bail!("a workbook is written to a file alone: say --out"),
    }
}

/// A file is replaced by renaming another onto it, which must not happen to a folder or a device.
fn fits(path: &Path) -> anyhow::Result<()> {
    let wrong = |what: &str| Ending::new(Exit::Usage, format!("--out {}: {what}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.file_name().is_none() || path.is_dir() {
        return Err(wrong("is a folder: name the file to write").into());
    }
    if !folder.is_dir() {
        return Err(wrong("there is no such folder: make it first").into());
    }
    if path.exists() && !path.is_file() {
        return Err(wrong("is no ordinary file: leave --out away to write to standard output").into());
    }
    Ok(())
}

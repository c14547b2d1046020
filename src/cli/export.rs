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
    jobs::export_entitlements,
    settings::Settings,
    store::{
        Store,
        export::{EXPORTS, Export, Form},
    },
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor export ledger --on 2024-12-31 --out ledger-2024.csv
  benefactor export entitlements | head
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
    /// Who reads it: what a spreadsheet would take for a formula gets an apostrophe, which an import takes away again
    #[arg(long = "for", value_name = "READER", value_enum, default_value_t = ReadBy::Machine)]
    reader: ReadBy,
}

/// Who reads a file.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReadBy {
    /// A program: the canonical form, which import reads as well
    Machine,
    /// A person with a spreadsheet: byte order mark, CRLF, no formulas
    Spreadsheet,
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
    let form = match args.reader {
        ReadBy::Machine => Form::Machine,
        ReadBy::Spreadsheet => Form::Spreadsheet,
    };
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
    export: &Export,
    on: Option<NaiveDate>,
    form: Form,
    path: Option<&Path>,
) -> anyhow::Result<u64> {
    let mut conn = store.pool.acquire().await.map_err(crate::store::Error::from)?;
    if let Some(path) = path {
        return Ok(export_entitlements::write(&mut conn, export, on, form, path).await?);
    }
    let stdout = std::io::stdout().as_fd().try_clone_to_owned().context("standard output")?;
    let mut out = BufWriter::with_capacity(1 << 16, tokio::fs::File::from_std(File::from(stdout)));
    Ok(export.write(&mut conn, on, form, &mut out).await?)
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

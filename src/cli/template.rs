//! `template`: an empty file of a kind, to be filled in.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::{
    exit::{Ending, Exit},
    files::kind,
    output::print,
};
use crate::{
    domain::kinds::Kind,
    files::{template, workbook},
    settings::Settings,
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor template users --out users.xlsx
  benefactor template agreements > agreements.csv
The row that begins with 'Example:' shows how it is filled in, and is passed over when the file is taken in.";

/// What `template` takes.
#[derive(Args, Debug)]
pub(super) struct TemplateArgs {
    /// Of what kind
    #[arg(value_parser = kind)]
    kind: Kind,
    /// Where to: a new file whose name ends in .csv or .xlsx; without it, CSV to standard output
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

pub(super) fn run_template(settings: &Settings, args: &TemplateArgs) -> anyhow::Result<Exit> {
    let kind = args.kind;
    let Some(path) = &args.out else {
        std::io::stdout().write_all(&template::csv(kind)?)?;
        return Ok(Exit::Done);
    };
    let bytes = match ending(path).as_str() {
        "xlsx" => workbook::template::template(kind)?,
        "csv" => template::csv(kind)?,
        _ => return Err(wrong(path, "end its name in .csv or .xlsx").into()),
    };
    match File::create_new(path) {
        Ok(mut file) => file.write_all(&bytes)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(wrong(path, "is there already, and is not replaced: choose another name").into());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(wrong(path, "there is no such folder: make it first").into());
        }
        Err(error) => return Err(error.into()),
    }
    let path = path.display().to_string();
    print(&if settings.json {
        json!({ "kind": kind.name(), "path": path }).to_string()
    } else {
        format!(
            "{path}: a template of {kind}; its first row below the header is an example, and is passed over"
        )
    })?;
    Ok(Exit::Done)
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn wrong(path: &Path, what: &str) -> Ending {
    Ending::new(Exit::Usage, format!("--out {}: {what}", path.display()))
}

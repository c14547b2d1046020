//! `files`: what was dropped or imported, what became of it, and where its answer is.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use clap::Args;

use super::{exit::Exit, files::counted, location::location, output::print_view};
use crate::{
    answers::files::{self, DroppedFiles, FileView, WhichFiles},
    jobs::engine::name,
    settings::Settings,
    store::{self, Store, file::Tally},
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor files
  benefactor files --refused
  benefactor files users --json";

/// What `files` takes.
#[derive(Args, Debug)]
pub(super) struct FilesArgs {
    /// Only files whose name is this, or begins with it
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Only files that were refused, or of which rows were rejected
    #[arg(long)]
    refused: bool,
    /// At most so many, the latest first; what lies in the inbox is listed whole
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

pub(super) async fn run_files(settings: &Settings, args: FilesArgs) -> anyhow::Result<Exit> {
    let (inbox, place) = (settings.data_dir.join("inbox"), name::of_place(&settings.data_dir));
    let which = WhichFiles {
        name: args.name.as_deref(),
        refused: args.refused,
        within: None,
        limit: args.limit.into(),
    };
    let store = Store::open_existing(&location(settings)?).await?;
    let told = match store.pool.begin().await {
        Ok(mut tx) => files::read(&mut tx, &inbox, &place, which).await,
        Err(error) => Err(store::Error::from(error)),
    };
    store.close().await;
    print_view(&told?, settings.json, lines)?;
    Ok(Exit::Done)
}

fn lines(told: &DroppedFiles) -> Vec<String> {
    let mut lines = Vec::new();
    for file in &told.files {
        lines.push(head(file));
        if let (Some(number), Some(sha256)) = (file.number, &file.sha256) {
            lines.push(format!("  number {number}, SHA-256 {}", sha256.get(..16).unwrap_or(sha256)));
        }
        if let Some(reason) = &file.reason {
            lines.push(format!("  {reason}"));
        }
        for (what, place) in [("original", &file.original), ("answer", &file.answer), ("note", &file.note)] {
            lines.extend(place.as_ref().map(|place| format!("  {what}: {place}")));
        }
    }
    lines.extend(told.unreadable.iter().map(|why| format!("cannot be looked at: {why}")));
    if lines.is_empty() {
        lines.push("no such file is on record, and none lies in the inbox".to_owned());
    }
    lines
}

/// `2024-02-03T10:00:00Z  partly   users.csv: users of 4100101: 2 applied, 1 unchanged, 1 rejected`
fn head(file: &FileView) -> String {
    let at = file
        .received_at
        .map_or_else(|| "in the inbox".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let mut head = format!("{at:<20}  {:<7}  {}", file.status.name(), file.name);
    if let Some(kind) = &file.kind {
        let _ = write!(head, ": {kind}");
    }
    if let Some(sheet) = &file.sheet {
        let _ = write!(head, " (sheet {sheet})");
    }
    if let Some(partner) = &file.partner_id {
        let _ = write!(head, " of {partner}");
    }
    let FileView { applied, changed, waiting, unchanged, rejected, .. } = *file;
    let tally = Tally { applied, changed, waiting, unchanged, rejected };
    if tally != Tally::default() {
        let _ = write!(head, ": {}", counted(tally, false));
    }
    head
}

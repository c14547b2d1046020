//! What was dropped or imported, what became of it, and where it and its answer are; and what lies in the inbox.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::instant;
use crate::{
    domain::{
        id::{FileNo, PartnerId},
        night_report::Within,
    },
    files::{
        inbox::{self, Item, ItemKind},
        shown::{shown, shown_path, shown_text},
    },
    store::{
        self,
        dropped::{self, ListedFile},
    },
};

/// Files, the latest first, and before them what lies in the inbox.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DroppedFiles {
    /// Each of them.
    pub files: Vec<FileView>,
    /// Folders of the inbox that cannot be looked at, each with why.
    pub unreadable: Vec<String>,
}

/// One file.
#[derive(Clone, Debug, Serialize)]
pub struct FileView {
    /// Its number, by which `import revert` finds it; `None`: it was not looked at yet.
    pub number: Option<i64>,
    /// The name it was dropped under; what cannot be seen of it is escaped.
    pub name: String,
    /// When it came, by the database's clock; of what still lies in the inbox it is not on record.
    #[serde(serialize_with = "instant::utc_if")]
    pub received_at: Option<DateTime<Utc>>,
    /// What kind it is, if that is known.
    pub kind: Option<String>,
    /// The name of its sheet, if it is a workbook; what cannot be seen of it is escaped.
    pub sheet: Option<String>,
    /// Whose folder it was dropped in, or whose rows it was said to hold.
    pub partner_id: Option<PartnerId>,
    /// What became of it.
    pub status: FileStatus,
    /// Rows taken in.
    pub applied: i32,
    /// Of these, those that changed what was known.
    pub changed: i32,
    /// Rows that wait for an operator.
    pub waiting: i32,
    /// Rows known already.
    pub unchanged: i32,
    /// Rows not taken in.
    pub rejected: i32,
    /// Where the file itself is; `None`: that is not known, or it is not kept.
    pub original: Option<String>,
    /// Where the answer on every row is.
    pub answer: Option<String>,
    /// Where the note for people is.
    pub note: Option<String>,
    /// Why it was refused, waits or is ignored, or what else there is to say.
    pub reason: Option<String>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// All rows of it are in.
    Applied,
    /// Rows of it were rejected, or wait for an operator, and others not.
    Partly,
    /// All of it was.
    Refused,
    /// It is not answered yet, or all rows of it wait for an operator.
    Waiting,
    /// It is not read.
    Ignored,
}

impl FileStatus {
    /// The name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Partly => "partly",
            Self::Refused => "refused",
            Self::Waiting => "waiting",
            Self::Ignored => "ignored",
        }
    }
}

/// Which files are asked for.
#[derive(Clone, Copy, Debug)]
pub struct WhichFiles<'a> {
    /// Whose name is this, or begins with it.
    pub name: Option<&'a str>,
    /// Refused in whole or in part.
    pub refused: bool,
    /// Of these nights; `None`: of all.
    pub within: Option<Within>,
    /// So many at most of those on record.
    pub limit: i64,
}

/// Reads what is on record of this `place`, and what lies in its inbox.
///
/// # Errors
/// The store's.
pub async fn read(
    conn: &mut PgConnection,
    inbox: &Path,
    place: &str,
    which: WhichFiles<'_>,
) -> store::Result<DroppedFiles> {
    let mut told = DroppedFiles::default();
    match inbox::list(inbox) {
        Err(error) => told.unreadable.push(format!("{}: {error}", shown_path(inbox))),
        Ok(listing) => {
            let unreadable = listing.unreadable.iter();
            told.unreadable
                .extend(unreadable.map(|(folder, error)| format!("{}: {error}", shown_path(folder))));
            for item in &listing.items {
                let partner_known = match item.partner.as_ref() {
                    Some(number) => store::file::partner(conn, number).await?.is_some(),
                    None => true,
                };
                told.files.push(lying(item, partner_known));
            }
        }
    }
    told.files.retain(|file| {
        let begins = |name: &str| file.name.to_lowercase().starts_with(&name.to_lowercase());
        !which.refused && which.name.is_none_or(begins)
    });
    let listed = dropped::list(conn, place, which.name, which.refused, which.within, which.limit).await?;
    told.files.extend(listed.into_iter().map(|file| on_record(inbox, file)));
    Ok(told)
}

/// What still lies in the inbox.
fn lying(item: &Item, partner_known: bool) -> FileView {
    let (status, reason) = match item.what {
        ItemKind::File(_) if !partner_known => {
            (FileStatus::Waiting, "its folder's partner is not known: take in the partner's file first")
        }
        ItemKind::File(_) => (
            FileStatus::Waiting,
            "it is taken in once nobody has written to it for a while and no program has it open for writing",
        ),
        ItemKind::Temporary(_) => {
            (FileStatus::Ignored, "programs give such names to what is not whole; rename it")
        }
        ItemKind::Hidden => (FileStatus::Ignored, "its name begins with a dot"),
        ItemKind::Marker(_) => {
            (FileStatus::Ignored, "it says of a file that it is whole, and that file is not here")
        }
        ItemKind::Folder => {
            (FileStatus::Ignored, "only folders named by a Partner ID are read, and no folders in those")
        }
        ItemKind::NotAFile(what) => (FileStatus::Waiting, what.english),
    };
    FileView {
        number: None,
        name: shown(item.path.file_name().unwrap_or_default()),
        received_at: None,
        kind: None,
        sheet: None,
        partner_id: item.partner.clone(),
        status,
        applied: 0,
        changed: 0,
        waiting: 0,
        unchanged: 0,
        rejected: 0,
        original: Some(shown_path(&item.path)),
        answer: None,
        note: None,
        reason: Some(reason.to_owned()),
        sha256: None,
    }
}

/// What is said of a file of which rows were rejected and that was to be applied as a whole or not at all.
const NOT_APPLIED: &str = "nothing of it was applied, because rows are rejected and it was to be applied as a whole (--all-or-nothing)";

/// What is said of a file of which rows wait.
const ROWS_WAIT: &str = "rows of it wait for an operator: benefactor requests lists them";

fn on_record(inbox: &Path, file: ListedFile) -> FileView {
    let status = status(&file);
    let folder = file.folder.map(|folder| inbox.join(folder));
    let place = |name: Option<String>| match &folder {
        Some(folder) => name.map(|name| shown_path(&folder.join(name))),
        None => name,
    };
    let waits = "it is being taken in, or a program has it open for writing";
    let reason = file.said.or_else(|| match status {
        _ if file.waiting > 0 => Some(ROWS_WAIT.to_owned()),
        FileStatus::Waiting => Some(waits.to_owned()),
        _ if file.reverted.is_some() => file.reverted.map(|how| format!("taken back {how}")),
        _ => file.not_applied.then(|| NOT_APPLIED.to_owned()),
    });
    // Until it is answered, the names are what is intended, and nothing is there.
    let is_there = |name: Option<String>| name.filter(|_| file.status != "taken");
    FileView {
        number: file.file_id.map(FileNo::get),
        name: file.name,
        received_at: Some(file.received_at),
        kind: file.kind,
        sheet: file.sheet.as_deref().map(shown_text),
        partner_id: file.partner,
        status,
        applied: file.applied,
        changed: file.changed,
        waiting: file.waiting,
        unchanged: file.unchanged,
        rejected: file.rejected,
        original: place(is_there(file.kept)),
        answer: place(is_there(file.answer)),
        note: place(is_there(file.note)),
        reason,
        sha256: file.sha256,
    }
}

fn status(file: &ListedFile) -> FileStatus {
    let any_in = file.applied > 0 || file.unchanged > 0;
    match file.status.as_str() {
        "done" if file.waiting > 0 && !any_in && file.rejected == 0 => FileStatus::Waiting,
        "done" if file.waiting > 0 => FileStatus::Partly,
        "done" if file.rejected == 0 => FileStatus::Applied,
        "done" if any_in && !file.not_applied => FileStatus::Partly,
        "done" | "refused" => FileStatus::Refused,
        _ => FileStatus::Waiting,
    }
}

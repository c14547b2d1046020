//! Things in the inbox that are not taken in: each is answered once. What is no file moves to `refused` as it is, with a note;
//! folders, and files under the names of what is not whole, stay where they are, and the note alone is in `refused`.

use std::{collections::HashMap, path::Path, time::Duration};

use sqlx::PgConnection;
use tracing::{info, warn};

use super::{
    claims::{claim, refused},
    dropped::{Dropped, FileOutcome},
    kept,
};
use crate::{
    domain::{id::PartnerId, language::Language},
    files::{
        Refusal,
        answer::{NAME_BYTES, short},
        file_reason::FileReason,
        inbox::{InboxListing, Item, ItemKind, REFUSED},
        keeping,
        note::{self, NoteOf},
        shown::{shown, shown_path},
    },
    jobs::engine::{Context, Result},
};

/// What is not whole may still become so for so long before somebody is told.
pub(super) const AFTER: Duration = Duration::from_hours(1);

/// Answers what is not taken in; gives what is refused for good. `known`: whether the partners are in whose folders files are.
pub(super) async fn answer(
    cx: &Context,
    conn: &mut PgConnection,
    listing: &InboxListing,
    now: i64,
    known: &HashMap<PartnerId, bool>,
) -> Result<Vec<(Dropped, FileOutcome)>> {
    let mut all = Vec::new();
    for item in &listing.items {
        let name = shown(item.path.file_name().unwrap_or_default());
        match item.what {
            ItemKind::NotAFile(what) => {
                let why = Refusal::NotRegular { name, what }.told();
                all.extend(claim(cx, conn, item).await?.map(|claim| refused(claim, why)));
            }
            ItemKind::Marker(look) if look.has_rested(now, AFTER) => {
                let why = FileReason::new(
                    "marker_without_file",
                    format!(
                        "'{name}' says of a file that it is whole, and that file is not here; it may have been taken in before"
                    ),
                    format!(
                        "”{name}” säger om en fil att den är hel, men den filen finns inte här; den kan ha lästs in tidigare"
                    ),
                );
                all.extend(claim(cx, conn, item).await?.map(|claim| refused(claim, why)));
            }
            ItemKind::Temporary(look) if look.has_rested(now, AFTER) => {
                leave(conn, item, &name, &unfinished()).await?;
            }
            ItemKind::File(_) | ItemKind::Hidden | ItemKind::Marker(_) | ItemKind::Temporary(_) => {}
            ItemKind::Folder => {
                leave(conn, item, &name, &if item.partner.is_some() { nested() } else { stray() }).await?;
            }
        }
    }
    let mut folders: Vec<_> = known.iter().collect();
    folders.sort();
    for (partner, is_known) in folders {
        of_partner(&cx.folders.inbox(), partner, *is_known);
    }
    Ok(all)
}

/// What is said of files under the names of what is not whole.
fn unfinished() -> FileReason {
    FileReason::new(
        "name_unfinished",
        "its name is one that programs give to files that are not whole yet, or to their own; give it another name, and it is \
         taken in",
        "namnet är ett sådant som program ger filer som inte är hela ännu, eller sina egna; ge filen ett annat namn, så läses \
         den in",
    )
}

/// Of folders in a partner's.
fn nested() -> FileReason {
    FileReason::new(
        "folder_within_partner",
        "folders in a partner's folder are not read; lay its files into the partner's folder itself",
        "mappar i en partners mapp läses inte; lägg filerna direkt i partnerns mapp",
    )
}

/// Of other folders.
fn stray() -> FileReason {
    FileReason::new(
        "folder_of_no_partner",
        "only folders named by a Partner ID are read; lay its files into the inbox itself, or into the folder of their partner",
        "bara mappar som heter som ett partner-ID läses; lägg filerna direkt i inkorgen, eller i deras partners mapp",
    )
}

/// Lays a note of something that stays where it is, once.
async fn leave(conn: &mut PgConnection, item: &Item, name: &str, why: &FileReason) -> Result<()> {
    let language = kept::language(conn, item.partner.as_ref()).await?;
    lay(&item.folder, name, why, language);
    Ok(())
}

fn lay(folder: &Path, name: &str, why: &FileReason, language: Language) {
    let note = note_name(name);
    let target = folder.join(REFUSED).join(&note);
    if !keeping::is_free(&target) {
        return;
    }
    let text = note::text(name, NoteOf::Left(why), false, language);
    let laid = tempfile::Builder::new().prefix(".note-").tempfile_in(folder).and_then(|made| {
        std::fs::write(made.path(), text)?;
        std::fs::set_permissions(made.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        keeping::put(made.path(), folder, REFUSED, &note)
    });
    let (what, why) = (shown_path(&folder.join(name)), why.to_string());
    match laid {
        Ok(()) => info!(what, why, "not read; it stays where it is, and a note says so"),
        Err(error) => {
            warn!(what, why, %error, "not read; it stays where it is, and no note of it can be written");
        }
    }
}

fn note_name(name: &str) -> String {
    format!("{}.note.txt", short(name, NAME_BYTES - ".note.txt".len()))
}

/// Files in the folder of a partner that is not known wait; the note goes once it is.
fn of_partner(inbox: &Path, partner: &PartnerId, is_known: bool) {
    let why = FileReason::new(
        "folder_of_unknown_partner",
        format!(
            "no partner {partner} is known, so files in its folder wait; they are taken in once its partners file was, and a \
             folder under a wrong number can be renamed"
        ),
        format!(
            "ingen partner {partner} är känd, så filerna i mappen väntar; de läses in när filen med partnern har lästs in, och \
             en mapp med fel nummer kan döpas om"
        ),
    );
    if !is_known {
        return lay(inbox, partner.as_str(), &why, Language::English);
    }
    let target = inbox.join(REFUSED).join(note_name(partner.as_str()));
    let text = note::text(partner.as_str(), NoteOf::Left(&why), false, Language::English);
    // Before notes had codes, one ended before it.
    let is_ours = |there: String| !there.is_empty() && text.starts_with(&there);
    if std::fs::read_to_string(&target).is_ok_and(is_ours) {
        let _ = std::fs::remove_file(target);
    }
}

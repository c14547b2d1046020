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
                let why = Refusal::NotRegular { name, what }.to_string();
                all.extend(claim(cx, conn, item).await?.map(|claim| refused(claim, why)));
            }
            ItemKind::Marker(look) if look.has_rested(now, AFTER) => {
                let why = format!(
                    "'{name}' says of a file that it is whole, and that file is not here; it may have been taken in before"
                );
                all.extend(claim(cx, conn, item).await?.map(|claim| refused(claim, why)));
            }
            ItemKind::Temporary(look) if look.has_rested(now, AFTER) => {
                leave(conn, item, &name, UNFINISHED).await?;
            }
            ItemKind::File(_) | ItemKind::Hidden | ItemKind::Marker(_) | ItemKind::Temporary(_) => {}
            ItemKind::Folder => {
                leave(conn, item, &name, if item.partner.is_some() { NESTED } else { STRAY }).await?;
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
const UNFINISHED: &str = "its name is one that programs give to files that are not whole yet, or to their own; give it another \
                          name, and it is taken in";
/// Of folders in a partner's.
const NESTED: &str =
    "folders in a partner's folder are not read; lay its files into the partner's folder itself";
/// Of other folders.
const STRAY: &str = "only folders named by a Partner ID are read; lay its files into the inbox itself, or into the folder of \
                     their partner";

/// Lays a note of something that stays where it is, once.
async fn leave(conn: &mut PgConnection, item: &Item, name: &str, why: &str) -> Result<()> {
    let language = kept::language(conn, item.partner.as_ref()).await?;
    lay(&item.folder, name, why, language);
    Ok(())
}

fn lay(folder: &Path, name: &str, why: &str, language: Language) {
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
    let (what, why) = (shown_path(&folder.join(name)), why.to_owned());
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
    let why = format!(
        "no partner {partner} is known, so files in its folder wait; they are taken in once its partners file was, and a \
         folder under a wrong number can be renamed"
    );
    if !is_known {
        return lay(inbox, partner.as_str(), &why, Language::English);
    }
    let target = inbox.join(REFUSED).join(note_name(partner.as_str()));
    let text = note::text(partner.as_str(), NoteOf::Left(&why), false, Language::English);
    if std::fs::read_to_string(&target).is_ok_and(|there| there == text) {
        let _ = std::fs::remove_file(target);
    }
}

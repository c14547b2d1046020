//! Where a file from the inbox is kept once it is answered: beside what it was dropped in, with its answer and its note. It is
//! moved there, never deleted, but for product keys (promise 11); it moves last, so that after a crash it is found in
//! its private place and answered again under the same names.

use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt as _, path::Path};

use sqlx::PgConnection;

use super::dropped::{Dropped, Taken};
use crate::{
    domain::{id::PartnerId, language::Language},
    files::{
        file_reason::FileReason,
        inbox::{Claim, DONE, REFUSED},
        keeping::{self, FileForm, KeptNames},
        look::Look,
        marker,
        note::{self, KeysLeft, NoteOf},
    },
    jobs::engine::{Context, Error, Result},
    store::dropped::{self, KeptAs},
};

/// The names of a file's own, in one of the folders.
pub(super) struct Keeping {
    within: &'static str,
    names: KeptNames,
    nth: i32,
}

impl Keeping {
    /// Names that nothing else has, on record before anything is put there: after a crash they are the same.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn settle(
        cx: &Context,
        conn: &mut PgConnection,
        claim: &Claim,
        (within, form): (&'static str, FileForm),
    ) -> Result<Self> {
        let named = |nth: i32| keeping::names(&claim.name, form, u32::try_from(nth).unwrap_or(u32::MAX));
        let settled = dropped::kept_as(conn, &claim.id).await?;
        if let Some(settled) = &settled {
            let there = settled
                .kept
                .as_ref()
                .is_some_and(|kept| kept.split_once('/').is_some_and(|(of, _)| of == within));
            if there {
                return Ok(Self { within, names: named(settled.nth), nth: settled.nth });
            }
        }
        let stem = keeping::stem(&claim.name).to_lowercase();
        let folder = claim.folder.join(within);
        let mut nth = match settled {
            Some(settled) => settled.nth,
            None => dropped::next_nth(conn, &cx.place, folder_name(claim), &stem).await?,
        };
        while !named(nth).are_free(&folder) && nth < i32::MAX {
            nth = nth.saturating_add(1);
        }
        let keeping = Self { within, names: named(nth), nth };
        dropped::keep_as(conn, &claim.id, &stem, &keeping.as_recorded(true, true)).await?;
        Ok(keeping)
    }

    fn as_recorded(&self, answered: bool, kept: bool) -> KeptAs {
        let below = |name: &str| format!("{}/{name}", self.within);
        KeptAs {
            nth: self.nth,
            kept: kept.then(|| below(&self.names.original)),
            answer: answered.then(|| below(&self.names.answer)),
            note: Some(below(&self.names.note)),
        }
    }

    /// Puts answer, note and marker in their place, and last the file itself, or deletes it. What was not written is not put.
    async fn put(&self, conn: &mut PgConnection, claim: &Claim, with_original: bool) -> Result<()> {
        let marker = marker::of(Path::new(&self.names.original));
        let marker = marker.to_string_lossy();
        for (from, name) in [
            (claim.answer(), &*self.names.answer),
            (claim.note(), &*self.names.note),
            (claim.marker(), &*marker),
            (claim.original(), &*self.names.original),
        ] {
            if from == claim.original() && !with_original {
                return fs::remove_file(&from).map_err(Error::file(&from));
            }
            if keeping::is_free(&from) {
                continue;
            }
            if let Err(error) = keeping::put(&from, &claim.folder, self.within, name) {
                if error.kind() == ErrorKind::AlreadyExists {
                    dropped::keep_elsewhere(conn, &claim.id).await?;
                }
                return Err(Error::file(&claim.folder.join(self.within).join(name))(error));
            }
        }
        Ok(())
    }
}

/// The name of a claim's folder: its Partner ID, or nothing.
pub(super) fn folder_name(claim: &Claim) -> &str {
    claim.partner.as_ref().map(PartnerId::as_str).unwrap_or_default()
}

/// The language that is read in a folder.
pub(super) async fn language(conn: &mut PgConnection, partner: Option<&PartnerId>) -> Result<Language> {
    let Some(partner) = partner else { return Ok(Language::English) };
    let tag = dropped::language_of(conn, partner).await?;
    Ok(tag.map_or(Language::English, |tag| Language::matching(&tag)))
}

/// Names for an answered file, if it came by the inbox and anything is to be written.
pub(super) async fn for_answer(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    form: FileForm,
) -> Result<Option<Keeping>> {
    match &dropped.claim {
        Some(claim) if !cx.dry_run => Ok(Some(Keeping::settle(cx, conn, claim, (DONE, form)).await?)),
        _ => Ok(None),
    }
}

/// An answered file, its answer and its note are put where they are kept, which is noted with the rest of what became of it.
///
/// # Errors
/// It was written to since its bytes were read: all of it is read again.
pub(super) async fn keep(
    conn: &mut PgConnection,
    dropped: &Dropped,
    claim: &Claim,
    keeping: &Keeping,
    taken: &mut Taken,
) -> Result<()> {
    let original = claim.original();
    let now = Look::at(&original).map_err(Error::file(&original))?;
    if !dropped.leaves.is_some_and(|then| then.has_same_bytes(&now)) {
        let error = "it was written to while it was taken in; all of it is read again";
        return Err(Error::file(&original)(std::io::Error::other(error)));
    }
    let keys = match (taken.kind.is_secret(), taken.tally.rejected) {
        (false, _) => None,
        (true, 0) => Some(KeysLeft::Deleted),
        (true, _) => {
            fs::set_permissions(&original, fs::Permissions::from_mode(0o600))
                .map_err(Error::file(&original))?;
            Some(KeysLeft::Original)
        }
    };
    let tally = taken.tally;
    let language = language(conn, claim.partner.as_ref()).await?;
    let snapshot = taken.snapshot.as_ref().map_or_else(Vec::new, |outcome| outcome.lines(language));
    let of = NoteOf::Taken {
        kind: taken.kind.name(),
        sheet: taken.sheet.as_deref(),
        rows: [tally.applied, tally.unchanged, tally.rejected].map(i64::from),
        waiting: tally.waiting.into(),
        answer: &keeping.names.answer,
        unknown: &taken.unknown,
        of_portal: [taken.passed_over, taken.summed],
        snapshot: &snapshot,
        keys,
    };
    write_note(conn, claim, of).await?;
    keeping.put(conn, claim, keys != Some(KeysLeft::Deleted)).await?;
    let folder = claim.folder.join(keeping.within);
    taken.answer = Some(folder.join(&keeping.names.answer));
    taken.kept = (keys == Some(KeysLeft::Original)).then(|| folder.join(&keeping.names.original));
    let names = keeping.as_recorded(true, keys != Some(KeysLeft::Deleted));
    Ok(dropped::end(conn, &claim.id, "done", None, &names).await?)
}

/// A file that was taken in before, or that is refused as a whole, is put where it is kept, with its note.
///
/// # Errors
/// See [`Keeping::put`].
pub(super) async fn keep_unread(
    cx: &Context,
    conn: &mut PgConnection,
    claim: &Claim,
    refused: Option<&FileReason>,
) -> Result<()> {
    let within = if refused.is_some() { REFUSED } else { DONE };
    let keeping = Keeping::settle(cx, conn, claim, (within, FileForm::Text)).await?;
    write_note(conn, claim, refused.map_or(NoteOf::Known, NoteOf::Refused)).await?;
    let is_kept = !keeping::is_free(&claim.original());
    keeping.put(conn, claim, true).await?;
    let names = keeping.as_recorded(false, is_kept);
    let (status, said) = match refused {
        Some(why) => ("refused", why.told.english.as_str()),
        None => ("done", "the same bytes were taken in before"),
    };
    dropped::end(conn, &claim.id, status, Some(said), &names).await?;
    claim.clear();
    Ok(())
}

async fn write_note(conn: &mut PgConnection, claim: &Claim, of: NoteOf<'_>) -> Result<()> {
    let language = language(conn, claim.partner.as_ref()).await?;
    let again = dropped::is_again(conn, &claim.id).await?;
    let path = claim.note();
    fs::write(&path, note::text(&claim.name, of, again, language)).map_err(Error::file(&path))
}

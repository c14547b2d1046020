//! Moving what was dropped out of the inbox, to where nobody finds it by its name.

use std::path::PathBuf;

use sqlx::PgConnection;
use tracing::warn;

use super::{
    dropped::{Dropped, FileOutcome},
    staged::NAME,
};
use crate::{
    domain::id::PartnerId,
    files::{
        file_reason::FileReason,
        inbox::{self, Claim, Item, ItemKind},
        marker,
        shown::{shown, shown_path},
    },
    jobs::engine::{Context, Result, fault, name},
    store::dropped,
};

/// Moves something out of the inbox, on record first. `None`: it is gone, or cannot be moved.
pub(super) async fn claim(cx: &Context, conn: &mut PgConnection, item: &Item) -> Result<Option<Claim>> {
    let id = name::of_drop();
    let shown = shown(item.path.file_name().unwrap_or_default());
    let folder = item.partner.as_ref().map(PartnerId::as_str).unwrap_or_default();
    let new = dropped::NewDrop {
        id: &id,
        place: &cx.place,
        folder,
        name: &shown,
        look: recorded(item),
        again_of: None,
    };
    dropped::append(conn, &new).await?;
    let claimed = inbox::claim(item, id.clone()).and_then(|claim| {
        let marker = marker::of(&item.path);
        match &claim {
            Some(claim) if marker.exists() => {
                std::fs::rename(marker, claim.marker()).map(|()| Some(claim.clone()))
            }
            _ => Ok(claim),
        }
    });
    match claimed {
        Ok(Some(claim)) => {
            fault::at("file.moved", NAME).await?;
            Ok(Some(claim))
        }
        Ok(None) => {
            dropped::forget(conn, &id).await?;
            Ok(None)
        }
        Err(error) => {
            warn!(file = shown_path(&item.path), %error, "it cannot be taken out of the inbox");
            Ok(None)
        }
    }
}

/// What a whole file looked like when it was moved: after a crash it is known by that.
fn recorded(item: &Item) -> Option<(i64, i64)> {
    match item.what {
        ItemKind::File(look) => Some((i64::try_from(look.bytes).ok()?, look.modified_ns)),
        _ => None,
    }
}

/// A dropped file: one that was moved, or where it lies.
pub(super) fn dropped_at(
    path: PathBuf,
    partner: Option<PartnerId>,
    claim: Option<Claim>,
    marker: PathBuf,
) -> Dropped {
    Dropped { path, partner, claim, marker: Some(marker), ..Dropped::default() }
}

/// The same of something that is refused without being read.
pub(super) fn refused(claim: Claim, why: FileReason) -> (Dropped, FileOutcome) {
    let (path, partner, marker) = (claim.original(), claim.partner.clone(), claim.marker());
    (dropped_at(path, partner, Some(claim), marker), FileOutcome::Refused(why))
}

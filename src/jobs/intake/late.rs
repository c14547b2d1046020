//! What became of files whose process ended, and what was written to files after they were taken in.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use sqlx::PgConnection;
use tracing::warn;

use crate::{
    domain::id::PartnerId,
    files::{
        inbox::{self, Claim},
        keeping,
        look::Look,
        shown::shown_path,
        spool,
    },
    jobs::engine::{Context, Result, name},
    store::dropped::{self, KeptAs, NewDrop, OpenDrop},
};

/// Settles what is on record of files that a process left behind: one that had reached its place is answered, one that never
/// left the inbox is forgotten. Whatever is in a private place goes on there.
///
/// Gives those that are what they were when they were moved, or read: they are whole.
pub(super) async fn recover(
    cx: &Context,
    conn: &mut PgConnection,
    claims: &[Claim],
) -> Result<HashSet<String>> {
    let claims: HashMap<&str, &Claim> = claims.iter().map(|claim| (claim.id.as_str(), claim)).collect();
    let mut read = HashSet::new();
    for open in dropped::open(conn, &cx.place).await? {
        if let Some(claim) = claims.get(open.dropped_id.as_str()) {
            if is_as_recorded(&open, &claim.look) {
                read.insert(open.dropped_id);
            }
            continue;
        }
        let is_there =
            open.kept.as_ref().is_some_and(|kept| !keeping::is_free(&folder(cx, &open).join(kept)));
        if !is_there && open.kept.is_none() {
            dropped::forget(conn, &open.dropped_id).await?;
            continue;
        }
        let status = if open.kept.as_ref().is_some_and(|kept| kept.starts_with(inbox::REFUSED)) {
            "refused"
        } else {
            "done"
        };
        let settled = dropped::kept_as(conn, &open.dropped_id).await?.unwrap_or_default();
        let there =
            |name: Option<String>| name.filter(|name| !keeping::is_free(&folder(cx, &open).join(name)));
        let names = KeptAs {
            nth: settled.nth,
            kept: there(settled.kept),
            answer: there(settled.answer),
            note: there(settled.note),
        };
        dropped::end(conn, &open.dropped_id, status, None, &names).await?;
    }
    Ok(read)
}

fn is_as_recorded(open: &OpenDrop, look: &Look) -> bool {
    open.bytes == i64::try_from(look.bytes).ok() && open.modified_ns == Some(look.modified_ns)
}

fn folder(cx: &Context, open: &OpenDrop) -> PathBuf {
    // A Partner ID, or nothing: never a way out.
    cx.folders.inbox().join(&open.folder)
}

/// Takes files in again that were written to after they had been taken in: whoever had one open wrote on. It moves back to
/// the private place as it is, and all of it is read once more; rows that are in already change nothing. Says whether there was any.
pub(super) async fn take_again(cx: &Context, conn: &mut PgConnection) -> Result<bool> {
    let mut any = false;
    for one in dropped::answered_lately(conn, &cx.place, hours(cx)).await? {
        let Some(kept) = one.kept.as_ref().map(|kept| folder(cx, &one).join(kept)) else { continue };
        let Ok(now) = Look::at(&kept) else { continue };
        if is_as_recorded(&one, &now) {
            continue;
        }
        if one.bytes == i64::try_from(now.bytes).ok() && sha256_of(&kept).await == one.sha256 {
            let sha256 = one.sha256.as_deref().unwrap_or_default();
            dropped::note_bytes(
                conn,
                &one.dropped_id,
                sha256,
                one.bytes.unwrap_or_default(),
                now.modified_ns,
            )
            .await?;
            continue; // touched, no more
        }
        let id = name::of_drop();
        let new = NewDrop {
            id: &id,
            place: &cx.place,
            folder: &one.folder,
            name: &one.name,
            look: None, // it is to rest
            again_of: Some(&one.dropped_id),
        };
        dropped::append(conn, &new).await?;
        let partner = Some(one.folder.as_str()).filter(|folder| !folder.is_empty()).map(PartnerId::from);
        match inbox::claim_again(&kept, &folder(cx, &one), partner, &one.name, id.clone()) {
            Ok(Some(_)) => {
                any = true;
                let said = "it was written to afterwards, and was taken in again";
                dropped::taken_again(conn, &one.dropped_id, said).await?;
                warn!(
                    file = shown_path(&kept),
                    "written to after it was taken in; all of it is taken in again"
                );
            }
            Ok(None) => dropped::forget(conn, &id).await?,
            Err(error) => {
                dropped::forget(conn, &id).await?;
                warn!(file = shown_path(&kept), %error, "written to after it was taken in, and cannot be taken in again");
            }
        }
    }
    Ok(any)
}

/// Whether any file was written to after it was taken in.
pub(super) async fn any_changed(cx: &Context, conn: &mut PgConnection) -> Result<bool> {
    let lately = dropped::answered_lately(conn, &cx.place, hours(cx)).await?;
    let looked = lately.iter().filter_map(|one| Some((one, folder(cx, one).join(one.kept.as_ref()?))));
    Ok(looked
        .filter_map(|(one, kept)| Some((one, Look::at(&kept).ok()?)))
        .any(|(one, now)| !is_as_recorded(one, &now)))
}

fn hours(cx: &Context) -> i32 {
    i32::try_from(cx.policies.import_entitlements.policy.inbox_watch_hours).unwrap_or(i32::MAX)
}

async fn sha256_of(path: &Path) -> Option<String> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || spool::sha256_of(&path).ok()).await.ok().flatten()
}

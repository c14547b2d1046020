//! The inbox: the files that people drop, of any partner at its top, of one partner in the folder named by its
//! Partner ID.
//!
//! A file is taken once it is whole: nobody has written to it for the time that policy says, and no program has it open for
//! writing; or a marker beside it says so. It is first moved where nobody finds it by its name, looked at again there, and
//! only then read. Once it is answered, it moves to `done` or `refused`, with its answer and a note.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::PgConnection;
use tracing::{info, warn};

use super::{
    claims::{claim, dropped_at},
    dropped::{Dropped, FileOutcome},
    kept, late, left, take_in,
};
use crate::{
    domain::id::PartnerId,
    files::{
        inbox::{self, Claim, InboxListing, Item, ItemKind},
        look::Look,
        marker,
        shown::shown_path,
        writers::Writers,
    },
    jobs::engine::{Context, Error, Result},
    store::file,
};

/// How often one looks whether the inbox is free.
const GLANCE: Duration = Duration::from_millis(100);
/// How long one waits for it: whoever has it may be at a big file, or paused.
const PATIENCE: Duration = Duration::from_mins(1);
/// So many files are taken in at once, the oldest first: those that came meanwhile come next.
const AT_ONCE: usize = 500;
/// So many times as long as a file is to rest it waits for others that are just being dropped.
const TOGETHER: u32 = 3;
/// So many times as long as a file is to rest a night waits for it.
const WAITS: u32 = 2;

/// Takes in what waits in the inbox and is whole, and what a process that is gone left half done. One process at a
/// time does so, and the others wait: what it answered must not be answered again, as if nothing were new. `together`:
/// files wait for others that are just being dropped; a night waited before ([`rest`]).
///
/// # Errors
/// See [`take_in`]; the inbox cannot be read.
pub async fn take_in_waiting(
    cx: &Context,
    conn: &mut PgConnection,
    together: bool,
) -> Result<Vec<(Dropped, FileOutcome)>> {
    let _turn = if cx.dry_run { None } else { turn(cx).await? };
    let (mut all, mut tried) = (Vec::new(), HashSet::new());
    loop {
        let found = ready(cx, conn, &tried, together).await?;
        let (many, waits_for_partners) = (found.is_full, found.waits_for_partners);
        tried.extend(found.files.iter().map(|one| one.path.clone()));
        let mut outcomes = found.refused;
        outcomes.extend(take_in(cx, conn, found.files).await?);
        for (dropped, outcome) in &mut outcomes {
            settle(cx, conn, dropped, outcome).await?;
            tell(dropped, outcome);
        }
        let any_new = outcomes.iter().any(|(_, outcome)| matches!(outcome, FileOutcome::Done(_)));
        all.extend(outcomes);
        // Files of a partner may have come before the file that it is in.
        if cx.dry_run || cx.stop.is_asked() || !(many || any_new && waits_for_partners) {
            return Ok(all);
        }
    }
}

/// Waits for the inbox's lock, which the kernel takes back from a process that dies. No inbox: nothing to lock.
///
/// # Errors
/// [`Error::Held`] after a minute.
async fn turn(cx: &Context) -> Result<Option<File>> {
    if !cx.folders.inbox().is_dir() {
        return Ok(None);
    }
    let path = cx.folders.data.join("inbox.lock"); // not in it: there people look
    let lock = File::create(&path).map_err(Error::file(&path))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::Error(error)) => return Err(Error::file(&path)(error)),
            Err(TryLockError::WouldBlock) if cx.stop.is_asked() => return Err(Error::Stopped),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Err(Error::Held),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(GLANCE).await,
        }
    }
}

/// A file that is not answered row by row moves to its place all the same, unless it is tried again.
async fn settle(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    outcome: &mut FileOutcome,
) -> Result<()> {
    let Some(claim) = dropped.claim.as_ref().filter(|_| !cx.dry_run) else { return Ok(()) };
    let refused = match &*outcome {
        FileOutcome::Done(_) | FileOutcome::Failed(_) => return Ok(()),
        FileOutcome::Known => None,
        FileOutcome::Refused(why) | FileOutcome::Guarded(why) | FileOutcome::GivenUp(why) => {
            Some(why.clone())
        }
    };
    match kept::keep_unread(cx, conn, claim, refused.as_ref()).await {
        Err(error) if error.is_of_one_file() => {
            warn!(file = dropped.shown(), %error, "it cannot be put where answered files are; it is tried again");
            Ok(())
        }
        kept => kept,
    }
}

fn tell(dropped: &Dropped, outcome: &FileOutcome) {
    let file = dropped.shown();
    match outcome {
        FileOutcome::Done(taken) => {
            let (tally, answer) = (taken.tally, taken.answer.as_deref().map(shown_path));
            info!(
                file,
                applied = tally.applied,
                unchanged = tally.unchanged,
                rejected = tally.rejected,
                waiting = tally.waiting,
                answer,
                "taken in"
            );
            if let Some(kept) = &taken.kept {
                let original = shown_path(kept);
                warn!(original, "rejected product keys are in the original alone: correct it there");
            }
        }
        FileOutcome::Known => info!(file, "taken in before; nothing to do"),
        FileOutcome::Failed(why) => warn!(file, %why, "not taken in whole; it goes on there the next time"),
        FileOutcome::Refused(refusal) | FileOutcome::Guarded(refusal) | FileOutcome::GivenUp(refusal) => {
            warn!(file, %refusal, "refused; it is in `refused`, with a note");
        }
    }
}

/// What may be taken in now.
#[derive(Default)]
struct ReadyFiles {
    files: Vec<Dropped>,
    /// What is no file, and so refused without being read.
    refused: Vec<(Dropped, FileOutcome)>,
    /// There are more.
    is_full: bool,
    /// Files wait in the folders of partners that are not known.
    waits_for_partners: bool,
}

/// Moves what is whole out of the inbox; in a dry run it stays, and is read there.
async fn ready(
    cx: &Context,
    conn: &mut PgConnection,
    tried: &HashSet<PathBuf>,
    together: bool,
) -> Result<ReadyFiles> {
    let mut listing = list(cx).await?;
    for (folder, error) in &listing.unreadable {
        let folder = shown_path(folder);
        warn!(folder, %error, "a folder in the inbox cannot be looked at; its files wait until it can");
    }
    let mut read = HashSet::new();
    if !cx.dry_run {
        listing.without_file.iter().for_each(Claim::clear);
        if listing.unreadable.is_empty() {
            read = late::recover(cx, conn, &listing.claims).await?;
        }
        if tried.is_empty() && late::take_again(cx, conn).await? {
            rest(cx).await?;
            listing = list(cx).await?;
        }
    }
    let mut found = ReadyFiles::default();
    if listing.is_empty() {
        return Ok(found);
    }
    let now = clock(cx).await?;
    let policy = cx.policies.import_entitlements.policy;
    let writers = writers(&listing).await?;
    let rest = policy.inbox_rest(writers.all_seen);
    let patience = if together { patience(&listing, now, rest, &writers) } else { rest };
    let mut known = HashMap::new();
    let mut claims = moved(cx, conn, (&listing, &writers), (now, patience), (&mut known, &mut found)).await?;
    claims.extend(
        listing
            .claims
            .iter()
            .filter(|claim| {
                let is_marked = || claim.marker().exists();
                !writers.has_open(claim.look.file)
                    && (read.contains(&claim.id) || claim.look.has_rested(now, rest) || is_marked())
            })
            .cloned(),
    );
    claims.sort_by(|one, other| one.id.cmp(&other.id)); // as they came
    for claim in claims.into_iter().filter(|claim| !tried.contains(&claim.original())) {
        let (path, partner, marker) = (claim.original(), claim.partner.clone(), claim.marker());
        found.files.push(dropped_at(path, partner, Some(claim), marker));
    }
    if !cx.dry_run {
        found.refused = left::answer(cx, conn, &listing, now, &known).await?;
    }
    Ok(found)
}

/// How long a file is to have rested where others beside it have not yet: what is dropped together is taken in together, in its
/// order, and a file that is written to on and on holds up nobody for long.
fn patience(listing: &InboxListing, now: i64, rest: Duration, writers: &Writers) -> Duration {
    let comes =
        |look: Look, item: &Item| !is_whole(look, item, now, rest, writers) && !writers.has_open(look.file);
    if listing.files().any(|(look, item)| comes(look, item)) { rest.saturating_mul(TOGETHER) } else { rest }
}

/// Moves files out of the inbox that have rested; in a dry run they are read where they are.
async fn moved(
    cx: &Context,
    conn: &mut PgConnection,
    (listing, writers): (&InboxListing, &Writers),
    (now, patience): (i64, Duration),
    (known, found): (&mut HashMap<PartnerId, bool>, &mut ReadyFiles),
) -> Result<Vec<Claim>> {
    let mut whole: Vec<(Look, &Item)> =
        listing.files().filter(|(look, item)| is_whole(*look, item, now, patience, writers)).collect();
    whole.sort_by_key(|(look, item)| (look.changed_ns, &item.path));
    found.is_full = whole.len() > AT_ONCE;
    let mut moved = Vec::new();
    for (look, item) in whole.into_iter().take(AT_ONCE) {
        if !is_known(conn, known, item.partner.as_ref()).await? {
            found.waits_for_partners = true;
        } else if cx.dry_run {
            let (path, partner) = (item.path.clone(), item.partner.clone());
            found.files.push(dropped_at(path, partner, None, marker::of(&item.path)));
        } else if let Some(claim) = claim(cx, conn, item).await? {
            moved.push((look, claim));
        }
    }
    // A file that was opened, or put in the place of another, while it was moved is looked at again the next time.
    let files: HashSet<_> = moved.iter().map(|(_, claim)| claim.look.file).collect();
    let still = tokio::task::spawn_blocking(move || Writers::look(&files)).await.map_err(in_the_way)?;
    let unopened = |claim: &Claim| !still.has_open(claim.look.file);
    let moved = moved.into_iter().filter(|(look, claim)| claim.look.has_same_bytes(look) && unopened(claim));
    Ok(moved.map(|(_, claim)| claim).collect())
}

/// Whether a file is whole.
fn is_whole(look: Look, item: &Item, now: i64, rest: Duration, writers: &Writers) -> bool {
    let is_marked = || marker::of(&item.path).exists();
    !writers.has_open(look.file) && (look.has_rested(now, rest) || is_marked())
}

/// Whether a folder's partner is known; the inbox itself is anybody's.
async fn is_known(
    conn: &mut PgConnection,
    known: &mut HashMap<PartnerId, bool>,
    partner: Option<&PartnerId>,
) -> Result<bool> {
    let Some(number) = partner else { return Ok(true) };
    if let Some(is_known) = known.get(number) {
        return Ok(*is_known);
    }
    let is_known = file::partner(conn, number).await?.is_some();
    known.insert(number.clone(), is_known);
    Ok(is_known)
}

async fn list(cx: &Context) -> Result<InboxListing> {
    let inbox = cx.folders.inbox();
    let listed = inbox.clone();
    let listing = tokio::task::spawn_blocking(move || inbox::list(&listed)).await.map_err(in_the_way)?;
    listing.map_err(Error::file(&inbox))
}

async fn writers(listing: &InboxListing) -> Result<Writers> {
    let files = listing.files().map(|(look, _)| look.file);
    let files: HashSet<_> = files.chain(listing.claims.iter().map(|claim| claim.look.file)).collect();
    tokio::task::spawn_blocking(move || Writers::look(&files)).await.map_err(in_the_way)
}

/// The time by the inbox's own clock; a dry run changes nothing there, and asks its own folder's.
async fn clock(cx: &Context) -> Result<i64> {
    let (inbox, scratch) = (cx.folders.inbox(), cx.dry_run.then(|| cx.folders.spool()));
    let of = scratch.clone().unwrap_or_else(|| inbox.clone());
    let now = tokio::task::spawn_blocking(move || match scratch {
        Some(scratch) => std::fs::create_dir_all(&scratch).and_then(|()| inbox::clock_ns_in(&scratch)),
        None => inbox::clock_ns(&inbox),
    });
    now.await.map_err(in_the_way)?.map_err(Error::file(&of))
}

fn in_the_way(error: tokio::task::JoinError) -> Error {
    Error::file(Path::new("the inbox"))(std::io::Error::other(error))
}

/// Whether anything may have to be taken in or answered: it lies in the inbox, or was written to after it was taken in.
///
/// # Errors
/// The inbox cannot be read; the store's.
pub async fn anything_waits(cx: &Context, conn: &mut PgConnection) -> Result<bool> {
    Ok(!list(cx).await?.is_empty() || late::any_changed(cx, conn).await?)
}

/// Waits until the files that lie in the inbox have rested, so that a night takes in what was dropped just before it. A file
/// that is written to on and on, or is open for writing, is not waited for: no night waits for the outside world.
///
/// # Errors
/// The inbox cannot be read.
pub async fn rest(cx: &Context) -> Result<()> {
    for _ in 0..WAITS {
        let listing = list(cx).await?;
        if listing.is_empty() {
            return Ok(());
        }
        let (now, writers) = (clock(cx).await?, writers(&listing).await?);
        let rest = cx.policies.import_entitlements.policy.inbox_rest(writers.all_seen);
        let comes = |look: &Look, path: &Path, is_marked: bool| {
            !is_marked
                && !look.has_rested(now, rest)
                && !writers.has_open(look.file)
                && cx.waited.may_wait(path, rest.saturating_mul(WAITS))
        };
        let dropped =
            listing.files().filter(|(look, item)| comes(look, &item.path, marker::of(&item.path).exists()));
        let moved = listing.claims.iter().filter(|claim| comes(&claim.look, &claim.original(), false));
        let looks = dropped.map(|(look, _)| look).chain(moved.map(|claim| claim.look));
        let Some(pause) = looks.map(|look| look.rests_in(now, rest)).max() else { return Ok(()) };
        tokio::select! {
            () = cx.stop.asked() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}

/// What a watch sees in the inbox.
#[derive(Debug, Default)]
pub struct SeenInbox {
    /// What may be taken in or answered, and what it looks like.
    pub ready: Vec<(PathBuf, Option<Look>)>,
    /// Folders that cannot be looked at, each with why.
    pub unreadable: BTreeSet<String>,
}

/// Looks at the inbox from outside; what is open for writing may be among what is ready.
///
/// # Errors
/// The inbox cannot be read.
pub async fn look(cx: &Context) -> Result<SeenInbox> {
    let listing = list(cx).await?;
    let mut seen = SeenInbox::default();
    seen.unreadable
        .extend(listing.unreadable.iter().map(|(folder, error)| format!("{}: {error}", shown_path(folder))));
    if listing.is_empty() {
        return Ok(seen);
    }
    let (now, rest) = (clock(cx).await?, cx.policies.import_entitlements.policy.inbox_rest(true));
    let nobody = Writers::default();
    let patience = patience(&listing, now, rest, &nobody);
    for item in &listing.items {
        match item.what {
            ItemKind::File(look) if !is_whole(look, item, now, patience, &nobody) => {}
            ItemKind::Hidden => {}
            ItemKind::Temporary(look) if !look.has_rested(now, left::AFTER) => {}
            ItemKind::File(look) | ItemKind::Temporary(look) => {
                seen.ready.push((item.path.clone(), Some(look)));
            }
            ItemKind::Marker(_) | ItemKind::Folder | ItemKind::NotAFile(_) => {
                seen.ready.push((item.path.clone(), None));
            }
        }
    }
    seen.ready.extend(listing.claims.iter().map(|claim| (claim.original(), Some(claim.look))));
    Ok(seen)
}

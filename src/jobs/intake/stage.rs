//! A file's way to the stage: spooled and hashed, checked whole, its rows staged as text.

use std::path::Path;

use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;

use super::{
    buckets::Buckets,
    dropped::Dropped,
    guard::guard,
    originals,
    snapshots::{self, LookedAt},
    spooled::{SpooledRows, Staged},
    staged::{NAME, StagedFile, Staging, chunk_rows},
    tries,
};
use crate::{
    domain::{
        id::{FileNo, PartnerId, PartnerNo},
        kinds::Kind,
        language::Bilingual,
    },
    files::{
        Refusal,
        dialect::Dialect,
        file_reason::FileReason,
        marker::{self, Marker},
        profile::Profile,
        reader::{Limits, Record},
        source::{self, OpenedFile, ReadAs},
        spool::{self, Spooled},
    },
    jobs::engine::{Context, Error, Result, fault, is_full},
    store::{
        self,
        bulk::CopyRows,
        dropped as store_dropped,
        file::{self, NewFile, Unfinished},
        file_chunk, partner_snapshot, quarantine,
        vault::Vault,
    },
};

/// Spools and checks a file; stages all of it or nothing. `mine` are staged by this call.
pub async fn stage(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &mut Dropped,
    mine: &[FileNo],
) -> Result<Staging> {
    let (path, spool, limits) = (dropped.path.clone(), cx.folders.spool(), Limits::default());
    let spooled = blocking(move || spool::take(&path, &spool, limits.file_bytes)).await?;
    let spooled = match spooled {
        Ok(spooled) => spooled,
        // Our disk, not the file: nothing may go on as if it had been looked at.
        Err(Refusal::Io(error)) if is_full(&error) => return Err(Error::file(&cx.folders.spool())(error)),
        // Whoever writes to it has not come to an end: it is looked at again.
        Err(refusal @ Refusal::Changed { .. }) if dropped.claim.is_some() => {
            return Err(Error::file(&dropped.path)(std::io::Error::other(refusal)));
        }
        Err(refusal) => return Ok(Staging::Refused(refusal.told())),
    };
    if let Some(claim) = dropped.claim.as_ref().filter(|_| !cx.dry_run) {
        let bytes = i64::try_from(spooled.bytes).unwrap_or(i64::MAX);
        store_dropped::note_bytes(conn, &claim.id, &spooled.sha256, bytes, spooled.look.modified_ns).await?;
        dropped.leaves = Some(spooled.look);
    }
    fault::at("file.spooled", NAME).await?;
    let given_up = match &dropped.claim {
        Some(claim) => store_dropped::given_up(conn, &claim.id).await?.map(tries::given_up),
        None => None,
    };
    let said = said_by_marker(dropped, &spooled)
        .and_then(|marker| snapshots::declare(dropped, marker.as_ref()).map(|()| marker));
    let staging = match (given_up, said) {
        (Some(why), _) => Staging::GivenUp(why),
        (None, Err(why)) => Staging::Refused(why),
        (None, Ok(marker)) => stage_spooled(cx, conn, dropped, (&spooled, marker), mine).await?,
    };
    originals::settle(cx, conn, &spooled, &staging).await?;
    originals::mark(cx, dropped, &spooled, &staging)?;
    Ok(staging)
}

/// Checks a spooled file; stages all of it or nothing.
async fn stage_spooled(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    (spooled, marker): (&Spooled, Option<Marker>),
    mine: &[FileNo],
) -> Result<Staging> {
    let partner_id = match &dropped.partner {
        None => None,
        Some(number) => match file::partner(conn, number).await? {
            Some(partner_id) => Some(partner_id),
            None => {
                return Ok(Staging::Refused(FileReason::unknown_partner(number)));
            }
        },
    };
    let complete = dropped.complete || marker.is_some();
    let asked =
        ReadAs { kind: dropped.kind, dialect: dropped.dialect, complete, sheet: dropped.sheet.clone() };
    let (path, limits, read_as) = (spooled.path.clone(), Limits::default(), asked.clone());
    let open = move || source::open(&path, &read_as, limits).and_then(|opened| on_stage(opened, partner_id));
    let opened = blocking(open).await?;
    let stated_dialect = dropped.stated();
    let mut new = NewFile {
        sha256: &spooled.sha256,
        name: &spooled.name,
        kind: "unknown",
        dialect: "unknown",
        stated_dialect: &stated_dialect,
        sheet: None,
        complete,
        partner_id,
        header: &[],
        received_on: cx.arrived_on,
        accept_backdated: dropped.accept_backdated,
        by_operator: dropped.by_operator,
        accept_alike: dropped.accept_alike,
        all_or_nothing: dropped.all_or_nothing,
    };
    let (opened, stage) = match opened {
        Ok(opened) => opened,
        Err(refusal) => return refuse(conn, dropped, &new, refusal.told()).await,
    };
    new.kind = opened.profile.kind.name();
    if let Some(why) =
        dropped.snapshot.as_ref().and_then(|said| snapshots::against(cx, said, opened.profile.kind))
    {
        return refuse(conn, dropped, &new, why).await;
    }
    if let Some(before) = seen_before(conn, dropped, &new, &opened.profile, mine).await? {
        return Ok(before);
    }
    let header: Vec<String> = opened.header.iter().map(str::to_owned).collect();
    new.header = &header;
    new.sheet = opened.sheet.as_deref();
    // Requests of all files go in by their date; each file of them is one chunk.
    let chunk_rows = if opened.profile.kind.is_request() { i32::MAX } else { chunk_rows(cx) };
    let buckets = match dropped.partner {
        Some(_) => Buckets::one(), // all rows are of one partner
        None => Buckets::of(conn, opened.profile.kind, spooled.bytes, chunk_rows).await?,
    };
    let file = SpooledRows {
        path: spooled.path.clone(),
        stage,
        partner: dropped.partner.clone().unwrap_or_default(),
        profile: opened.profile,
        dialect: opened.dialect,
        complete,
        surveyed: false,
        buckets,
        chunk_rows,
    };
    stage_somehow(cx, conn, (dropped, marker.as_ref()), (&new, &asked), file).await
}

/// Stages rows as they are first taken to be; then with what all of them say, or in the order of the file, where that is
/// needed.
async fn stage_somehow(
    cx: &Context,
    conn: &mut PgConnection,
    (dropped, marker): (&Dropped, Option<&Marker>),
    (new, asked): (&NewFile<'_>, &ReadAs),
    mut file: SpooledRows,
) -> Result<Staging> {
    loop {
        match stage_as(cx, conn, (dropped, marker), new, &file).await? {
            StagedAs::Done(staging) => return Ok(staging),
            StagedAs::Disputed => file.buckets = Buckets::one(),
            StagedAs::AsksForTheRest if file.surveyed => {
                return Err(Error::file(&file.path)(std::io::Error::other("its dialect is not settled")));
            }
            StagedAs::AsksForTheRest => {
                file.surveyed = true;
                let (path, profile, found) = (file.path.clone(), file.profile.clone(), file.dialect);
                let (asked, limits) = (asked.clone(), Limits::default());
                match blocking(move || source::survey(&path, &profile, found, &asked, limits)).await? {
                    Ok(settled) => file.dialect = settled,
                    Err(refusal) => return refuse(conn, dropped, new, refusal.told()).await,
                }
            }
        }
    }
}

/// What came of staging a file in a certain way.
enum StagedAs {
    /// It is staged, or refused.
    Done(Staging),
    /// Nothing is staged: a cell asks for what the other rows say.
    AsksForTheRest,
    /// Nothing is staged: the rows are to be applied in the order of the file.
    Disputed,
}

/// Where the columns of staged rows are; a portal's file has rows of one partner.
fn on_stage(
    opened: OpenedFile,
    partner_id: Option<PartnerNo>,
) -> std::result::Result<(OpenedFile, Profile), Refusal> {
    let conversion = opened.profile.conversion.as_ref().filter(|conversion| !conversion.names_partner());
    if let Some(conversion) = conversion.filter(|_| partner_id.is_none()) {
        return Err(Refusal::WhosePortalFile { portal: conversion.portal.title });
    }
    let (stage, _) = opened.profile.on_stage(&opened.header)?;
    Ok((opened, stage))
}

/// Stages all rows or none, as the dialect has them.
async fn stage_as(
    cx: &Context,
    conn: &mut PgConnection,
    (dropped, marker): (&Dropped, Option<&Marker>),
    new: &NewFile<'_>,
    rows: &SpooledRows,
) -> Result<StagedAs> {
    let new = NewFile { dialect: &rows.dialect.to_string(), ..new.clone() };
    let profile = &rows.profile;
    let mut tx = conn.begin().await?;
    let file_id = file::append(&mut tx, &new).await?;
    let vault = match vault_of(cx, &mut tx, profile).await {
        Ok(vault) => vault,
        // In the inbox one file must not stop the others; at a command the operator can do something about it.
        Err(Error::Store(error))
            if dropped.path.starts_with(cx.folders.inbox()) && error.is_configuration() =>
        {
            tx.rollback().await?;
            return refuse(conn, dropped, &new, unsealed(&error)).await.map(StagedAs::Done);
        }
        Err(error) => return Err(error),
    };
    let (refused, why) = match stage_rows(&mut tx, file_id, rows, vault).await? {
        Ok(Staged::AsksForTheRest) => {
            tx.rollback().await?;
            return Ok(StagedAs::AsksForTheRest);
        }
        Ok(Staged::Disputed) => {
            tx.rollback().await?;
            return Ok(StagedAs::Disputed);
        }
        Ok(Staged::All(count, spans)) => {
            match looked_through(cx, &mut tx, (dropped, marker), (file_id, rows), count).await? {
                None => {
                    note_file(&mut tx, dropped, file_id).await?;
                    let (buckets, grouped) = rows.buckets.stored();
                    file_chunk::staged(&mut tx, file_id, count, (buckets, &grouped), &spans).await?;
                    tx.commit().await?;
                    fault::at("file.staged", NAME).await?;
                    return Ok(StagedAs::Done(Staging::Staged(file_id, profile.clone())));
                }
                Some(refused) => refused,
            }
        }
        Err(refusal) => (Staging::Refused(refusal.told()), refusal.to_string()),
    };
    tx.rollback().await?;
    let file_id = file::append_refused(conn, &new, &why).await?;
    if matches!(refused, Staging::Guarded(_)) {
        file::mark_guarded(conn, file_id).await?;
    }
    note_file(conn, dropped, file_id).await?;
    Ok(StagedAs::Done(refused))
}

/// Why product keys cannot be taken in.
fn unsealed(error: &store::Error) -> FileReason {
    let told = Bilingual::technical(error);
    FileReason::new(
        "keys_not_sealed",
        told.english,
        format!(
            "produktnycklarna kan inte förseglas förrän operatören har åtgärdat detta ({})",
            told.swedish
        ),
    )
}

/// What the marker beside a file says, if it says nothing else than the file.
fn said_by_marker(dropped: &Dropped, spooled: &Spooled) -> std::result::Result<Option<Marker>, FileReason> {
    let Some(path) = &dropped.marker else { return Ok(None) };
    let marker = marker::read(path)?;
    match marker.as_ref().and_then(|marker| marker.disputes_sha256(&spooled.sha256)) {
        Some(why) => Err(why),
        None => Ok(marker),
    }
}

/// Why a file whose rows can all be read is not taken in as it is, if so: its marker says otherwise, or an operator is to look
/// at it first.
async fn looked_through(
    cx: &Context,
    conn: &mut PgConnection,
    (dropped, marker): (&Dropped, Option<&Marker>),
    (file_id, rows): (FileNo, &SpooledRows),
    count: i32,
) -> Result<Option<(Staging, String)>> {
    let refused = |why: FileReason| {
        let on_record = why.to_string();
        Ok(Some((Staging::Refused(why), on_record)))
    };
    let count = u64::try_from(count).unwrap_or_default();
    if let Some(why) = marker.and_then(|marker| marker.disputes_rows(count)) {
        return refused(why);
    }
    let lacking = match &dropped.snapshot {
        None => None,
        Some(said) => match snapshots::look(cx, conn, (said, dropped.accept_ends), file_id, rows).await? {
            LookedAt::Refused(why) => return refused(why),
            LookedAt::Lacks(lacking) => Some(lacking),
        },
    };
    let guarded = guard(cx, conn, dropped, (file_id, &rows.profile), lacking.as_ref()).await?;
    Ok(guarded.map(|why| {
        let on_record = why.to_string();
        (Staging::Guarded(why), on_record)
    }))
}

/// Notes as which file a dropped one is on record.
async fn note_file(conn: &mut PgConnection, dropped: &Dropped, file_id: FileNo) -> Result<()> {
    match &dropped.claim {
        Some(claim) => Ok(store_dropped::note_file(conn, &claim.id, file_id).await?),
        None => Ok(()),
    }
}

/// Records a file that is refused whole.
async fn refuse(
    conn: &mut PgConnection,
    dropped: &Dropped,
    new: &NewFile<'_>,
    why: FileReason,
) -> Result<Staging> {
    let file_id = file::append_refused(conn, new, &why.told.english).await?;
    note_file(conn, dropped, file_id).await?;
    Ok(Staging::Refused(why))
}

/// A file that need not be staged again: known already, or staged by a process that did not come to its end. `mine`
/// are staged by this call.
async fn seen_before(
    conn: &mut PgConnection,
    dropped: &Dropped,
    new: &NewFile<'_>,
    profile: &Profile,
    mine: &[FileNo],
) -> Result<Option<Staging>> {
    if !new.accept_backdated && file::is_known(conn, new).await? {
        // Of a file that is said to be whole it matters too what came of that.
        let settled = match &dropped.snapshot {
            None => true,
            Some(said) => partner_snapshot::is_settled(conn, new.sha256, said.as_of).await?,
        };
        if settled {
            return Ok(Some(Staging::Known { kind: profile.kind }));
        }
    }
    let left = file::begun(conn, new).await?.filter(|file_id| !mine.contains(file_id));
    if let Some(file_id) = left
        && partner_snapshot::is_staged_as(conn, file_id, dropped.snapshot.as_ref(), dropped.accept_ends)
            .await?
    {
        return Ok(Some(Staging::Staged(file_id, profile.clone())));
    }
    Ok(None)
}

/// What the rows of a file are sealed with on the stage, if they hold product keys.
async fn vault_of(cx: &Context, conn: &mut PgConnection, profile: &Profile) -> Result<Option<Vault>> {
    if profile.kind.is_secret() { Ok(Some(cx.vault.open(conn).await?)) } else { Ok(None) }
}

/// Reads a spooled file to its end and stages its rows, a bounded number at a time; or says why none is.
async fn stage_rows(
    conn: &mut PgConnection,
    file_id: FileNo,
    rows: &SpooledRows,
    vault: Option<Vault>,
) -> Result<std::result::Result<Staged, Refusal>> {
    let (send, mut receive) = mpsc::channel::<CopyRows>(2);
    let of = rows.clone();
    let reading = tokio::task::spawn_blocking(move || of.read(file_id, vault.as_ref(), &send));
    while let Some(rows) = receive.recv().await {
        file::stage(&mut *conn, rows).await?;
    }
    reading.await.map_err(|error| Error::file(&rows.path)(std::io::Error::other(error)))
}

/// Makes sure that a file's rows are on the stage: a crash of Postgres empties it, and the spool fills it again.
pub async fn restage(cx: &Context, conn: &mut PgConnection, unfinished: Unfinished) -> Result<StagedFile> {
    let path = cx.folders.spool().join(&unfinished.sha256);
    let kind = Kind::parse(&unfinished.kind);
    let all_applied = file_chunk::next_chunk(conn, unfinished.file_id).await?.is_none();
    let header = file::header(conn, unfinished.file_id).await?;
    let header = Record::of(1, header.iter().map(String::as_str));
    let unreadable = |refusal: Refusal| Error::file(&path)(std::io::Error::other(refusal));
    let profile = Profile::recognise(&header, kind).map_err(unreadable)?;
    let (stage, staged_header) = profile.on_stage(&header).map_err(unreadable)?;
    let partner_number = match unfinished.partner_id {
        Some(partner_id) => file::partner_number(conn, partner_id).await?,
        None => PartnerId::default(),
    };
    let rows = SpooledRows {
        path: path.clone(),
        profile,
        stage,
        partner: partner_number.clone(),
        dialect: Dialect::remembered(&unfinished.dialect),
        complete: unfinished.complete,
        surveyed: true,
        buckets: Buckets::remembered(unfinished.buckets, unfinished.grouped),
        chunk_rows: chunk_rows(cx), // its chunks are on record
    };
    if !all_applied && file::staged_rows(conn, unfinished.file_id).await? != i64::from(unfinished.row_count) {
        let vault = vault_of(cx, conn, &rows.profile).await?;
        let mut tx = conn.begin().await?;
        if file::is_unfinished(&mut tx, unfinished.file_id).await? {
            file::clear_stage(&mut tx, unfinished.file_id).await?;
            stage_rows(&mut tx, unfinished.file_id, &rows, vault).await?.map_err(unreadable)?;
            quarantine::forgive(&mut tx, unfinished.file_id).await?; // Postgres ended that try, not the file
        }
        tx.commit().await?;
    }
    Ok(StagedFile {
        partner_number,
        file_id: unfinished.file_id,
        of_portal: rows.profile.conversion.is_some(),
        profile: rows.stage,
        header: staged_header,
        dialect: rows.dialect,
        identifiers: cx.policies.import_entitlements.policy.identifiers,
        partner_id: unfinished.partner_id,
        received_on: unfinished.received_on,
        accept_backdated: unfinished.accept_backdated,
        by_operator: unfinished.by_operator,
        accept_alike: unfinished.accept_alike,
        all_or_nothing: unfinished.all_or_nothing,
        attempts: unfinished.attempts,
        dates: cx.policies.import_entitlements.policy.dates(),
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::file(Path::new("a dropped file"))(std::io::Error::other(error)))
}

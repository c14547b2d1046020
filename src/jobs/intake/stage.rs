//! A file's way to the stage: spooled and hashed, checked whole, its rows staged as text.

use std::path::{Path, PathBuf};

use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;

use super::{
    dropped::Dropped,
    originals,
    staged::{NAME, StagedFile, Staging, chunk_rows, requested_on},
};
use crate::{
    domain::kinds::{
        Kind,
        repeats::{Keys, Repeats},
    },
    files::{
        Refusal,
        dialect::{self, Dialect},
        marker::{self, Marker},
        profile::Profile,
        reader::{Limits, Record, RowSource},
        source::{self, ReadAs},
        spool::{self, Spooled},
    },
    jobs::engine::{Context, Error, Result, fault, is_full},
    store::{
        bulk::CopyRows,
        dropped as store_dropped,
        file::{self, CELL_END, NewFile, Unfinished},
        quarantine,
        vault::Vault,
    },
};

/// Rows that are staged at once.
const STAGED_AT_ONCE: u64 = 10_000;

/// Spools and checks a file; stages all of it or nothing. `mine` are staged by this call.
pub async fn stage(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &mut Dropped,
    mine: &[i64],
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
        Err(refusal) => return Ok(Staging::Refused(refusal.to_string())),
    };
    if let Some(claim) = dropped.claim.as_ref().filter(|_| !cx.dry_run) {
        let bytes = i64::try_from(spooled.bytes).unwrap_or(i64::MAX);
        store_dropped::note_bytes(conn, &claim.id, &spooled.sha256, bytes, spooled.look.modified_ns).await?;
        dropped.leaves = Some(spooled.look);
    }
    fault::at("file.spooled", NAME).await?;
    let given_up = match &dropped.claim {
        Some(claim) => store_dropped::given_up(conn, &claim.id).await?,
        None => None,
    };
    let staging = match (given_up, said_by_marker(dropped, &spooled)) {
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
    mine: &[i64],
) -> Result<Staging> {
    let partner_id = match &dropped.partner {
        None => None,
        Some(number) => match file::partner(conn, number).await? {
            Some(partner_id) => Some(partner_id),
            None => {
                return Ok(Staging::Refused(format!(
                    "no partner {number} is known: take in its partners file first"
                )));
            }
        },
    };
    let complete = dropped.complete || marker.is_some();
    let asked = ReadAs { kind: dropped.kind, dialect: dropped.dialect, complete };
    let (path, limits) = (spooled.path.clone(), Limits::default());
    let opened = blocking(move || source::open(&path, asked, limits)).await?;
    let stated_dialect = dropped.dialect.to_string();
    let mut new = NewFile {
        sha256: &spooled.sha256,
        name: &spooled.name,
        kind: "unknown",
        dialect: "unknown",
        stated_dialect: &stated_dialect,
        complete,
        partner_id,
        header: &[],
        received_on: cx.arrived_on,
        accept_backdated: dropped.accept_backdated,
        by_operator: dropped.by_operator,
        accept_alike: dropped.accept_alike,
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(refusal) => return refuse(conn, dropped, &new, refusal.to_string()).await,
    };
    new.kind = opened.profile.kind.name();
    if let Some(before) = seen_before(conn, &new, &opened.profile, mine).await? {
        return Ok(before);
    }
    let header: Vec<String> = opened.reader.header().iter().map(str::to_owned).collect();
    new.header = &header;
    let mut file = SpooledRows {
        path: spooled.path.clone(),
        profile: opened.profile,
        dialect: opened.dialect,
        complete,
        surveyed: false,
    };
    if let Some(staging) = stage_as(cx, conn, (dropped, marker.as_ref()), &new, &file).await? {
        return Ok(staging);
    }
    // A cell asks for what the other rows say.
    file.surveyed = true;
    let (path, profile, found) = (file.path.clone(), file.profile.clone(), file.dialect);
    match blocking(move || source::survey(&path, &profile, found, asked, limits)).await? {
        Ok(settled) => file.dialect = settled,
        Err(refusal) => return refuse(conn, dropped, &new, refusal.to_string()).await,
    }
    let staging = stage_as(cx, conn, (dropped, marker.as_ref()), &new, &file).await?;
    staging.ok_or_else(|| Error::file(&file.path)(std::io::Error::other("its dialect is not settled")))
}

/// A spooled file of which it is known how it is written.
#[derive(Clone)]
struct SpooledRows {
    path: PathBuf,
    profile: Profile,
    dialect: Dialect,
    complete: bool,
    /// What its rows say together is part of the dialect.
    surveyed: bool,
}

/// Stages all rows or none, as the dialect has them. `None`: a cell asks for what the other rows say.
async fn stage_as(
    cx: &Context,
    conn: &mut PgConnection,
    (dropped, marker): (&Dropped, Option<&Marker>),
    new: &NewFile<'_>,
    rows: &SpooledRows,
) -> Result<Option<Staging>> {
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
            return refuse(conn, dropped, &new, error.to_string()).await.map(Some);
        }
        Err(error) => return Err(error),
    };
    let (refused, why) = match stage_rows(&mut tx, file_id, rows, vault).await? {
        Ok(None) => {
            tx.rollback().await?;
            return Ok(None);
        }
        Ok(Some(count)) => {
            match looked_through(cx, &mut tx, dropped, (file_id, profile), marker, count).await? {
                None => {
                    note_file(&mut tx, dropped, file_id).await?;
                    let chunk = if profile.kind.is_request() { count.max(1) } else { chunk_rows(cx) };
                    file::staged(&mut tx, file_id, count, chunk).await?;
                    tx.commit().await?;
                    fault::at("file.staged", NAME).await?;
                    return Ok(Some(Staging::Staged(file_id, profile.clone())));
                }
                Some(refused) => refused,
            }
        }
        Err(refusal) => (Staging::Refused(refusal.to_string()), refusal.to_string()),
    };
    tx.rollback().await?;
    refuse(conn, dropped, &new, why).await?;
    Ok(Some(refused))
}

/// What the marker beside a file says, if it says nothing else than the file.
fn said_by_marker(dropped: &Dropped, spooled: &Spooled) -> std::result::Result<Option<Marker>, String> {
    let Some(path) = &dropped.marker else { return Ok(None) };
    let marker = marker::read(path).map_err(|error| format!("its .done file cannot be used: {error}"))?;
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
    dropped: &Dropped,
    (file_id, profile): (i64, &Profile),
    marker: Option<&Marker>,
    rows: i32,
) -> Result<Option<(Staging, String)>> {
    let rows = u64::try_from(rows).unwrap_or_default();
    if let Some(why) = marker.and_then(|marker| marker.disputes_rows(rows)) {
        return Ok(Some((Staging::Refused(why.clone()), why)));
    }
    let guarded = guard(cx, conn, dropped, file_id, profile).await?;
    Ok(guarded.map(|sentence| (Staging::Guarded(sentence.clone()), sentence)))
}

/// Notes as which file a dropped one is on record.
async fn note_file(conn: &mut PgConnection, dropped: &Dropped, file_id: i64) -> Result<()> {
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
    why: String,
) -> Result<Staging> {
    let file_id = file::append_refused(conn, new, &why).await?;
    note_file(conn, dropped, file_id).await?;
    Ok(Staging::Refused(why))
}

/// Why the operator is to look at a file first, if so: the ends it causes are more than the policy lets pass.
async fn guard(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    file_id: i64,
    profile: &Profile,
) -> Result<Option<String>> {
    if profile.kind != Kind::Entitlements || dropped.accept_ends {
        return Ok(None);
    }
    let places = ["partner_id", "order_id", "benefit", "expires_on"].map(|name| {
        let column = profile.kind.columns().iter().position(|column| column.name == name);
        let place = column.and_then(|at| profile.places.get(at).copied().flatten());
        place.and_then(|place| i32::try_from(place + 1).ok()).unwrap_or(1)
    });
    let (ends, live) = file::ends_caused(conn, file_id, places, cx.arrived_on).await?;
    let policy = cx.policies.import_entitlements.policy;
    let (percent, at_least) = (i64::from(policy.guard_ends_percent), i64::from(policy.guard_ends_at_least));
    Ok((ends > at_least && ends * 100 > live * percent).then(|| {
        format!(
            "it would end {ends} of {live} live entitlements by giving them a last day that is over; look at it, and if \
             that is right import it with --accept-ends"
        )
    }))
}

/// A file that need not be staged again: known already, or staged by a process that did not come to its end. `mine`
/// are staged by this call.
async fn seen_before(
    conn: &mut PgConnection,
    new: &NewFile<'_>,
    profile: &Profile,
    mine: &[i64],
) -> Result<Option<Staging>> {
    if !new.accept_backdated && file::is_known(conn, new).await? {
        return Ok(Some(Staging::Known { kind: profile.kind }));
    }
    let left = file::begun(conn, new).await?.filter(|file_id| !mine.contains(file_id));
    if let Some(file_id) = left {
        return Ok(Some(Staging::Staged(file_id, profile.clone())));
    }
    Ok(None)
}

/// What the rows of a file are sealed with on the stage, if they hold product keys.
async fn vault_of(cx: &Context, conn: &mut PgConnection, profile: &Profile) -> Result<Option<Vault>> {
    if profile.kind.is_secret() { Ok(Some(cx.vault.open(conn).await?)) } else { Ok(None) }
}

/// Reads a spooled file to its end and stages its rows, a bounded number at a time. Says how many; `None`: a cell asks for what
/// the other rows say; or why none is.
async fn stage_rows(
    conn: &mut PgConnection,
    file_id: i64,
    rows: &SpooledRows,
    vault: Option<Vault>,
) -> Result<std::result::Result<Option<i32>, Refusal>> {
    let (send, mut receive) = mpsc::channel::<CopyRows>(2);
    let of = rows.clone();
    let reading = tokio::task::spawn_blocking(move || of.read(file_id, vault.as_ref(), &send));
    while let Some(rows) = receive.recv().await {
        file::stage(&mut *conn, rows).await?;
    }
    reading.await.map_err(|error| Error::file(&rows.path)(std::io::Error::other(error)))
}

impl SpooledRows {
    fn open(&self) -> std::result::Result<Box<dyn RowSource>, Refusal> {
        Ok(Box::new(source::reopen(&self.path, &self.dialect, self.complete, Limits::default())?))
    }

    fn read(
        &self,
        file_id: i64,
        vault: Option<&Vault>,
        send: &mpsc::Sender<CopyRows>,
    ) -> std::result::Result<Option<i32>, Refusal> {
        let (mut reader, profile) = (self.open()?, &self.profile);
        let (mut record, mut taken) = (Record::default(), Record::default());
        let mut rows = CopyRows::into("staged_row");
        let mut row_no = 0_i32;
        let (mut cells, mut keys) = (String::new(), Keys::default());
        while reader.read(&mut record)? {
            row_no = row_no.saturating_add(1);
            let Ok(record) = self.dialect.take(profile, &record, &mut taken, self.surveyed) else {
                return Ok(None);
            };
            join(record, &mut cells);
            if reader.is_cut_off() {
                cells = dialect::cut_off(&cells);
            } else if profile.kind.has_each_key_once() && profile.shape_problem(record).is_none() {
                keys.note(&profile.cells(record));
            }
            if let Some(vault) = vault {
                cells = vault.seal_cells(&cells, file_id, row_no).map_err(std::io::Error::other)?;
            }
            rows.cell(file_id).cell(row_no).cell(record.line()).text(&cells);
            rows.maybe(profile.kind.is_request().then(|| requested_on(profile, record))).end();
            if rows.len() >= STAGED_AT_ONCE
                && send.blocking_send(std::mem::replace(&mut rows, CopyRows::into("staged_row"))).is_err()
            {
                return Ok(Some(row_no)); // the other side has failed and says why
            }
        }
        let _ = send.blocking_send(rows);
        let repeats = keys.twice();
        if !repeats.is_empty() {
            let _ = send.blocking_send(self.contradicted(file_id, repeats)?);
        }
        Ok(Some(row_no))
    }

    /// The rows of a file that another of its rows contradicts (D16).
    fn contradicted(&self, file_id: i64, mut repeats: Repeats) -> std::result::Result<CopyRows, Refusal> {
        let (mut reader, mut row_no) = (self.open()?, 0_i32);
        let (mut record, mut taken) = (Record::default(), Record::default());
        while reader.read(&mut record)? {
            row_no = row_no.saturating_add(1);
            let taken = self.dialect.take(&self.profile, &record, &mut taken, self.surveyed);
            if let Ok(record) = taken
                && self.profile.shape_problem(record).is_none()
                && !reader.is_cut_off()
            {
                let line = i32::try_from(record.line()).unwrap_or(i32::MAX);
                repeats.note(self.profile.kind, &self.profile.cells(record), row_no, line);
            }
        }
        let mut rows = CopyRows::into("staged_repeat");
        for (row_no, line) in repeats.contradicted() {
            rows.cell(file_id).cell(row_no).cell(line).end();
        }
        Ok(rows)
    }
}

fn join(record: &Record, cells: &mut String) {
    cells.clear();
    for (at, cell) in record.iter().enumerate() {
        if at > 0 {
            cells.push(CELL_END);
        }
        cells.push_str(cell);
    }
}

/// Makes sure that a file's rows are on the stage: a crash of Postgres empties it, and the spool fills it again.
pub async fn restage(cx: &Context, conn: &mut PgConnection, unfinished: Unfinished) -> Result<StagedFile> {
    let path = cx.folders.spool().join(&unfinished.sha256);
    let kind = Kind::parse(&unfinished.kind);
    let all_applied = file::next_chunk(conn, unfinished.file_id).await?.is_none();
    let header = file::header(conn, unfinished.file_id).await?;
    let header = Record::of(1, header.iter().map(String::as_str));
    let unreadable = |refusal: Refusal| Error::file(&path)(std::io::Error::other(refusal));
    let profile = Profile::recognise(&header, kind).map_err(unreadable)?;
    let rows = SpooledRows {
        path: path.clone(),
        profile,
        dialect: Dialect::remembered(&unfinished.dialect),
        complete: unfinished.complete,
        surveyed: true,
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
    let partner_number = match unfinished.partner_id {
        Some(partner_id) => file::partner_number(conn, partner_id).await?,
        None => String::new(),
    };
    Ok(StagedFile {
        partner_number,
        file_id: unfinished.file_id,
        profile: rows.profile,
        header,
        dialect: rows.dialect,
        identifiers: cx.policies.import_entitlements.policy.identifiers,
        partner_id: unfinished.partner_id,
        received_on: unfinished.received_on,
        accept_backdated: unfinished.accept_backdated,
        by_operator: unfinished.by_operator,
        accept_alike: unfinished.accept_alike,
        attempts: unfinished.attempts,
        dates: cx.policies.import_entitlements.policy.dates(),
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::file(Path::new("a dropped file"))(std::io::Error::other(error)))
}

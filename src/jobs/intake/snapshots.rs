//! Files that are said to be whole: all that partners hold as of a date. What is held and not in such a file ends, on a day
//! that leaves time to tell of it; but not if it may be half a file (D16, promise 6).

use std::collections::HashSet;

use chrono::NaiveDate;
use sqlx::{Connection, PgConnection};
use tracing::warn;

use super::{
    dropped::Dropped,
    guard::is_too_much,
    lacking::{Lacking, NamedInFile, lacking},
    spooled::SpooledRows,
    staged::{NAME, StagedFile},
};
use crate::{
    domain::{
        calendar::add_days,
        full_snapshot::{FullSnapshot, SnapshotOutcome},
        id::{FileNo, PartnerId, PartnerNo},
        kinds::Kind,
        reason::Reason,
    },
    files::{
        Refusal, dialect::Dialect, file_reason::FileReason, marker::Marker, profile::Profile, reader::Record,
    },
    jobs::engine::{Context, Error, Result, fault},
    store::{
        file,
        partner_snapshot::{self, OpenSnapshot},
        run,
    },
};

/// What a look at such a file came to.
pub(super) enum LookedAt {
    /// It is not what it is said to be, or comes too late.
    Refused(FileReason),
    /// It is on record as what it is said to be, and lacks this.
    Lacks(Lacking),
}

/// Takes down what is said of a file, by the operator or by its marker; or why that cannot be.
pub(super) fn declare(dropped: &mut Dropped, marker: Option<&Marker>) -> std::result::Result<(), FileReason> {
    let by_marker = marker.and_then(|marker| marker.snapshot.clone());
    dropped.snapshot = match (dropped.snapshot.take(), by_marker) {
        (Some(stated), Some(beside)) => Some(stated.and(beside).ok_or_else(disagree)?),
        (stated, beside) => stated.or(beside),
    };
    let Some(snapshot) = &mut dropped.snapshot else { return Ok(()) };
    if let Some(own) = &dropped.partner {
        if let Some(other) = snapshot.partners.iter().find(|partner| *partner != own) {
            return Err(FileReason::new(
                "snapshot_of_other_partner",
                format!("it is a file of partner {own}, and is said to be a full snapshot of {other}"),
                format!(
                    "det är en fil från partner {own}, men den sägs vara en fullständig förteckning för {other}"
                ),
            ));
        }
        snapshot.partners.insert(own.clone());
    }
    Ok(())
}

fn disagree() -> FileReason {
    FileReason::new(
        "snapshot_said_otherwise",
        "what is said of it as a full snapshot, and what its .done file says, do not agree: correct one of them",
        "det som sägs om den som fullständig förteckning stämmer inte med det som dess .done-fil säger: rätta det ena",
    )
}

/// Why a file of a kind cannot be such a snapshot, if so.
pub(super) fn against(cx: &Context, snapshot: &FullSnapshot, kind: Kind) -> Option<FileReason> {
    if kind != Kind::Entitlements {
        return Some(FileReason::new(
            "snapshot_of_other_kind",
            format!("only a file of entitlements can be a full snapshot, and this is one of {kind}"),
            format!(
                "bara en fil med entitlements kan vara en fullständig förteckning, och detta är en med {kind}"
            ),
        ));
    }
    let (as_of, arrived_on) = (snapshot.as_of, cx.arrived_on);
    (as_of > arrived_on).then(|| {
        FileReason::new(
            "snapshot_of_future",
            format!("it is said to be a full snapshot as of {as_of}, and it arrived on {arrived_on}, before that"),
            format!("den sägs vara en fullständig förteckning per {as_of}, men den kom {arrived_on}, före den dagen"),
        )
    })
}

/// Holds a staged file against what is said of it, and against what its partners hold; puts it on record as a snapshot.
pub(super) async fn look(
    cx: &Context,
    conn: &mut PgConnection,
    (snapshot, accepted): (&FullSnapshot, bool),
    file_id: FileNo,
    rows: &SpooledRows,
) -> Result<LookedAt> {
    let refused = |why: FileReason| Ok(LookedAt::Refused(why));
    let named = match NamedInFile::of(rows.clone()).await? {
        Ok(named) => named,
        Err(refusal) => return refused(refusal.told()),
    };
    if let Some(why) = snapshot.totals.disputes(&named.counted) {
        return refused(FileReason::new(
            "snapshot_other_totals",
            format!("{}: it is not whole, or another file", why.english),
            format!("{}: filen är inte hel, eller en annan", why.swedish),
        ));
    }
    let numbers: Vec<PartnerId> = if snapshot.partners.is_empty() {
        named.partners.keys().cloned().collect()
    } else {
        snapshot.partners.iter().cloned().collect()
    };
    if numbers.is_empty() {
        return refused(FileReason::new(
            "snapshot_of_nobody",
            "it has no row, and nothing says of whom it is a full snapshot: name the partner, with --partner or by a line \
             `snapshot_of=` in its .done file",
            "den har ingen rad, och inget säger för vem den är en fullständig förteckning: ange partnern, med --partner eller \
             med en rad `snapshot_of=` i dess .done-fil",
        ));
    }
    if let Some((other, line)) = named.partners.iter().find(|(partner, _)| !numbers.contains(*partner)) {
        return refused(FileReason::new(
            "snapshot_with_other_partner",
            format!(
                "its line {line} is of partner {other}, of whom it is not said to be a full snapshot: leave such rows out, or \
                 name all of its partners"
            ),
            format!(
                "dess rad {line} gäller partner {other}, som den inte sägs vara en fullständig förteckning för: utelämna \
                 sådana rader, eller ange alla dess partner"
            ),
        ));
    }
    let partners = partner_snapshot::lock_partners(conn, &numbers).await?;
    let known: HashSet<&PartnerId> = partners.iter().map(|(_, number)| number).collect();
    if let Some(unknown) = snapshot.partners.iter().find(|number| !known.contains(number)) {
        return refused(FileReason::unknown_partner(unknown));
    }
    let ids: Vec<PartnerNo> = partners.iter().map(|(id, _)| *id).collect();
    let as_of = snapshot.as_of;
    if let Some(newer) = partner_snapshot::newer(conn, &ids, as_of).await? {
        let (partner, newer_as_of, name) = (newer.partner, newer.as_of, newer.name);
        return refused(FileReason::new(
            "snapshot_older",
            format!(
                "it is a full snapshot as of {as_of}, and one of partner {partner} as of {newer_as_of} was taken in before: {name}"
            ),
            format!(
                "den är en fullständig förteckning per {as_of}, men en för partner {partner} per {newer_as_of} har redan lästs \
                 in: {name}"
            ),
        ));
    }
    let ends_on = add_days(cx.arrived_on, cx.policies.import_entitlements.policy.missing_ends_after_days);
    partner_snapshot::append(conn, file_id, &ids, (as_of, ends_on), accepted).await?;
    let open = OpenSnapshot { as_of, ends_on, accepted, rejected: 0 };
    let later = later(cx, conn, file_id, as_of).await?;
    Ok(LookedAt::Lacks(lacking(conn, &partners, &open, &named, &later).await?))
}

/// Ends what a snapshot lacks, once its rows are applied; or records why nothing ends. A file that is none, or is done, is left
/// alone: after a crash this goes on where it was.
pub(super) async fn settle(cx: &Context, conn: &mut PgConnection, staged: &StagedFile) -> Result<()> {
    if staged.profile.kind != Kind::Entitlements {
        return Ok(());
    }
    let file_id = staged.file_id;
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let Some(open) = partner_snapshot::open(&mut tx, file_id).await? else { return Ok(()) };
    let mut outcome = SnapshotOutcome {
        as_of: open.as_of,
        ends_on: open.ends_on,
        ended: 0,
        named: vec![],
        spared: 0,
        withheld: (open.rejected > 0).then_some(Reason::SnapshotIncomplete { rows: open.rejected }),
    };
    if outcome.withheld.is_none() {
        let partner = staged.partner_id.map(|_| staged.partner_number.clone());
        let rows = spooled(cx, &mut tx, file_id, partner).await?;
        let path = rows.path.clone();
        let unreadable = |refusal: Refusal| Error::file(&path)(std::io::Error::other(refusal));
        let named = NamedInFile::of(rows).await?.map_err(unreadable)?;
        let partners = partner_snapshot::partners(&mut tx, file_id).await?;
        let later = later(cx, &mut tx, file_id, open.as_of).await?;
        let lacking = lacking(&mut tx, &partners, &open, &named, &later).await?;
        outcome.spared = lacking.spared;
        let (ends, live) = (lacking.ends(), lacking.live);
        if !open.accepted && (is_too_much(cx, ends, live) || !lacking.empty.is_empty()) {
            outcome.withheld = Some(Reason::EndsHeld { ends, live });
        } else if ends > 0 {
            let marked =
                partner_snapshot::mark_missing(&mut tx, file_id, &lacking.missing, &open, staged.received_on);
            outcome.ended = i32::try_from(marked.await?.len()).unwrap_or(i32::MAX);
        }
    }
    if outcome.ended > 0 {
        let named = partner_snapshot::named(&mut tx, file_id, SAID).await?;
        outcome.named = named;
    }
    partner_snapshot::settle(&mut tx, file_id, &outcome, staged.received_on).await?;
    fault::at("file.ended", NAME).await?;
    tx.commit().await?;
    Ok(())
}

/// So many of what a snapshot ends are named where it is told in a line.
const SAID: i64 = 3;

/// What files name that arrived since. One whose copy is not kept any more says nothing.
async fn later(
    cx: &Context,
    conn: &mut PgConnection,
    file_id: FileNo,
    as_of: NaiveDate,
) -> Result<Vec<NamedInFile>> {
    let mut later = Vec::new();
    for (other, partner) in partner_snapshot::files_since(conn, file_id, as_of).await? {
        let rows = match spooled(cx, conn, other, partner).await {
            Ok(rows) => rows,
            Err(error) => {
                warn!(%error, "a file that came since a full snapshot cannot be read again, and spares nothing");
                continue;
            }
        };
        later.extend(NamedInFile::of(rows).await?.ok());
    }
    Ok(later)
}

/// A file as it lies in the spool.
async fn spooled(
    cx: &Context,
    conn: &mut PgConnection,
    file_id: FileNo,
    partner: Option<PartnerId>,
) -> Result<SpooledRows> {
    let head = file::get(conn, file_id).await?;
    let header = file::header(conn, file_id).await?;
    let path = cx.folders.spool().join(&head.sha256);
    let unreadable = |refusal: Refusal| Error::file(&path)(std::io::Error::other(refusal));
    let header = Record::of(1, header.iter().map(String::as_str));
    let profile = Profile::recognise(&header, Some(Kind::Entitlements)).map_err(unreadable)?;
    let dialect = Dialect::remembered(&head.dialect);
    SpooledRows::again(path.clone(), &profile, dialect, head.complete, partner).map_err(unreadable)
}

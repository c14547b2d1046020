//! A spooled file of which it is known what it is and how it is written: its rows as they are staged, in canonical text and in
//! the columns of their kind.

use std::path::PathBuf;

use tokio::sync::mpsc;

use super::{
    buckets::{Buckets, Sorting},
    staged::requested_on,
};
use crate::{
    domain::{
        id::{FileNo, PartnerId},
        kinds::repeats::{Keys, Repeats},
    },
    files::{
        Refusal,
        conversion::Sums,
        dialect::{self, Dialect},
        portal::EXAMPLE,
        profile::Profile,
        reader::{Limits, Record, RowSource},
        source,
    },
    store::{bulk::CopyRows, file::CELL_END, file_chunk::FileSpan, vault::Vault},
};

/// Rows that are staged at once.
const STAGED_AT_ONCE: u64 = 10_000;

/// A spooled file of which it is known how it is written.
#[derive(Clone)]
pub struct SpooledRows {
    /// Where it is.
    pub path: PathBuf,
    /// Its header, understood.
    pub profile: Profile,
    /// Where the columns of its staged rows are.
    pub stage: Profile,
    /// The Partner ID whose file it is, or nothing.
    pub partner: PartnerId,
    /// How it is written.
    pub dialect: Dialect,
    /// It is whole, also if its last line has no end.
    pub complete: bool,
    /// What its rows say together is part of the dialect.
    pub surveyed: bool,
    /// Which rows are applied together.
    pub buckets: Buckets,
    /// Rows of a chunk.
    pub chunk_rows: i32,
}

/// What reading a file to its end came to.
pub enum Staged {
    /// All of its rows are on the stage: how many, and their chunks.
    All(i32, Vec<FileSpan>),
    /// A cell asks for what the other rows say.
    AsksForTheRest,
    /// Two partners name one order, so that the rows are to be applied in the order of the file.
    Disputed,
}

impl SpooledRows {
    fn open(&self) -> std::result::Result<Box<dyn RowSource>, Refusal> {
        Ok(Box::new(source::reopen(&self.path, &self.dialect, self.complete, Limits::default())?))
    }

    /// Reads it to its end and stages its rows, a bounded number at a time.
    pub fn read(
        &self,
        file_id: FileNo,
        vault: Option<&Vault>,
        send: &mpsc::Sender<CopyRows>,
    ) -> std::result::Result<Staged, Refusal> {
        let Some(sums) = self.sums()? else { return Ok(Staged::AsksForTheRest) };
        let (mut reader, profile) = (self.open()?, &self.stage);
        let (mut record, mut taken, mut made) = (Record::default(), Record::default(), Record::default());
        let mut rows = CopyRows::into("staged_row");
        let mut row_no = 0_i32;
        let (mut cells, mut keys) = (String::new(), Keys::default());
        let mut sorting = Sorting::of(self.buckets.clone(), profile, self.chunk_rows);
        while reader.read(&mut record)? {
            row_no = row_no.saturating_add(1);
            let Ok(record) = self.dialect.take(&self.profile, &record, &mut taken, self.surveyed) else {
                return Ok(Staged::AsksForTheRest);
            };
            let record = self.row_of_kind(record, &sums, &mut made);
            let is_example = profile.is_example(record);
            let bucket = sorting.next(row_no, record);
            join(record, &mut cells);
            if reader.is_cut_off() {
                cells = dialect::cut_off(&cells);
            } else if !is_example
                && profile.kind.has_each_key_once()
                && profile.shape_problem(record).is_none()
            {
                keys.note(&profile.cells(record));
            }
            if vault.is_some() && is_example && !reader.is_cut_off() {
                // Nothing of it is read but that it is one, and somebody may have written a key into it.
                cells = CELL_END.to_string().repeat(profile.example_place().unwrap_or_default()) + EXAMPLE;
            } else if let Some(vault) = vault {
                cells = vault.seal_cells(&cells, file_id, row_no).map_err(std::io::Error::other)?;
            }
            rows.cell(file_id).cell(bucket).cell(row_no).cell(record.line()).text(&cells);
            rows.maybe(profile.kind.is_request().then(|| requested_on(profile, record))).end();
            if rows.len() >= STAGED_AT_ONCE
                && send.blocking_send(std::mem::replace(&mut rows, CopyRows::into("staged_row"))).is_err()
            {
                return Ok(Staged::All(row_no, vec![])); // the other side has failed and says why
            }
        }
        let _ = send.blocking_send(rows);
        let Some(spans) = sorting.chunks() else { return Ok(Staged::Disputed) };
        let repeats = keys.twice();
        if !repeats.is_empty() {
            let _ = send.blocking_send(self.contradicted(file_id, repeats)?);
        }
        Ok(Staged::All(row_no, spans))
    }

    /// A row in canonical text as a row of its kind: itself, or of a portal's file what it becomes in `made`.
    fn row_of_kind<'a>(&self, record: &'a Record, sums: &Sums, made: &'a mut Record) -> &'a Record {
        let Some(conversion) = &self.profile.conversion else { return record };
        conversion.convert(record, self.profile.shape_problem(record), &self.partner, sums, made);
        made
    }

    /// What rows that are booked as one come to. `None`: a cell asks for what the other rows say.
    fn sums(&self) -> std::result::Result<Option<Sums>, Refusal> {
        let mut sums = Sums::default();
        let conversion =
            self.profile.conversion.as_ref().filter(|conversion| conversion.portal.sums.is_some());
        let Some(conversion) = conversion else { return Ok(Some(sums)) };
        let (mut reader, mut record, mut taken) = (self.open()?, Record::default(), Record::default());
        while reader.read(&mut record)? {
            let Ok(record) = self.dialect.take(&self.profile, &record, &mut taken, self.surveyed) else {
                return Ok(None);
            };
            let whole = self.profile.shape_problem(record).is_none() && !reader.is_cut_off();
            conversion.add(record, whole, &self.partner, &mut sums);
        }
        Ok(Some(sums))
    }

    /// The rows of a file that another of its rows contradicts (D16).
    fn contradicted(&self, file_id: FileNo, mut repeats: Repeats) -> std::result::Result<CopyRows, Refusal> {
        let (mut reader, mut row_no) = (self.open()?, 0_i32);
        let (mut record, mut taken, mut made) = (Record::default(), Record::default(), Record::default());
        let (profile, sums) = (&self.stage, Sums::default()); // kinds with a key a row have no sums
        while reader.read(&mut record)? {
            row_no = row_no.saturating_add(1);
            let Ok(taken) = self.dialect.take(&self.profile, &record, &mut taken, self.surveyed) else {
                continue;
            };
            let record = self.row_of_kind(taken, &sums, &mut made);
            if profile.shape_problem(record).is_none() && !reader.is_cut_off() && !profile.is_example(record)
            {
                let line = i32::try_from(record.line()).unwrap_or(i32::MAX);
                repeats.note(profile.kind, &profile.cells(record), row_no, line);
            }
        }
        let mut rows = CopyRows::into("staged_repeat");
        for (row_no, line) in repeats.contradicted() {
            rows.cell(file_id).cell(row_no).cell(line).end();
        }
        Ok(rows)
    }

    /// A file that was taken in, to be read once more.
    pub fn again(
        path: PathBuf,
        profile: &Profile,
        dialect: Dialect,
        complete: bool,
        partner: Option<PartnerId>,
    ) -> std::result::Result<Self, Refusal> {
        let header = source::reopen(&path, &dialect, complete, Limits::default())?;
        let header = header.header().clone();
        let (stage, _) = profile.on_stage(&header)?;
        let (profile, partner) = (profile.clone(), partner.unwrap_or_default());
        let (buckets, chunk_rows) = (Buckets::one(), 1); // nothing is staged
        Ok(Self { path, profile, stage, partner, dialect, complete, surveyed: true, buckets, chunk_rows })
    }

    /// Hands each row to `told`, as a row of its kind, until that says that it is enough.
    pub fn each(&self, mut told: impl FnMut(&Record, &Record) -> bool) -> std::result::Result<(), Refusal> {
        let Some(sums) = self.sums()? else { return Ok(()) };
        let mut reader = self.open()?;
        let (_, header) = self.profile.on_stage(reader.header())?;
        let (mut record, mut taken, mut made) = (Record::default(), Record::default(), Record::default());
        while reader.read(&mut record)? {
            let Ok(record) = self.dialect.take(&self.profile, &record, &mut taken, true) else {
                return Ok(());
            };
            if !told(&header, self.row_of_kind(record, &sums, &mut made)) {
                return Ok(());
            }
        }
        Ok(())
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

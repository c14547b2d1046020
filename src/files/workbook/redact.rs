//! Somebody is taken out of a workbook: the sheet that was read is written anew, each cell of the type that it had, and nothing
//! else of the workbook is kept.

use std::{
    io::{BufReader, BufWriter, IntoInnerError, Read as _, Write as _},
    path::Path,
};

use rust_xlsxwriter::Workbook;
use tempfile::NamedTempFile;
use zip::ZipArchive;

use super::{
    answer::{Formats, write_cell},
    cell::SheetCell,
    rows::{SheetRow, SheetRows},
    writing::{failed, fixed},
};
use crate::{
    domain::erasure::KnownNames,
    files::{
        answer::{AnswerError, beside},
        reader::{Record, RowSource as _},
    },
};

/// Bytes of a part that are looked at together.
const PIECE: usize = 64 * 1024;
/// A name that is cut by the end of a piece stands in the next one as well.
const OVERLAP: usize = 1024;

/// Whether any part of a workbook, unpacked, names somebody.
///
/// # Errors
/// It cannot be unpacked.
pub fn is_named_in(path: &Path, known: &KnownNames) -> Result<bool, AnswerError> {
    let broken = |error: zip::result::ZipError| AnswerError::Io(std::io::Error::other(error));
    let mut archive = ZipArchive::new(BufReader::new(std::fs::File::open(path)?)).map_err(broken)?;
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).map_err(broken)?;
        let mut piece = Vec::new();
        loop {
            let kept = piece.len();
            let got = part.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
            if known.replaced_in(&String::from_utf8_lossy(&piece)).is_some() {
                return Ok(true);
            }
            if got == 0 {
                break;
            }
            piece.drain(..kept.saturating_add(got).saturating_sub(OVERLAP).min(piece.len()));
        }
    }
    Ok(false)
}

/// The sheet anew; `redacted` gives the cells of a row that names somebody.
///
/// # Errors
/// It cannot be read or written.
pub fn rewritten(
    mut rows: SheetRows,
    path: &Path,
    redacted: impl Fn(&Record) -> Option<Vec<String>>,
) -> Result<NamedTempFile, AnswerError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&fixed());
    workbook.set_tempdir(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    let sheet = workbook.add_worksheet_with_constant_memory().map_err(failed)?;
    let _ = sheet.set_name(rows.sheet.as_str()); // one that no spreadsheet gives is not given here either
    let formats = Formats::of(None);
    if let Some(version) = &rows.head.version {
        sheet.write_string(0, 0, version).map_err(failed)?;
    }
    let (width, mut record) = (rows.header().len(), Record::default());
    let header_line = rows.header().line();
    for (at, name) in (0_u16..).zip(rows.header().iter()) {
        sheet.write_string(place(header_line), at, name).map_err(failed)?;
    }
    while let Some(row) = rows.next_row()? {
        let mut row: SheetRow = row.clone();
        row.record(width, &mut record);
        if let Some(cells) = redacted(&record) {
            row.cells.resize(cells.len().max(row.cells.len()), SheetCell::Empty);
            for (at, (cell, text)) in row.cells.iter_mut().zip(cells).enumerate() {
                if record.get(at) != Some(text.as_str()) {
                    *cell = if text.is_empty() { SheetCell::Empty } else { SheetCell::Text(text) };
                }
            }
        }
        for (at, cell) in (0_u16..).zip(&row.cells) {
            write_cell(sheet, (place(row.line), at), cell, &formats).map_err(failed)?;
        }
    }
    let mut out = BufWriter::new(beside(path)?);
    workbook.save_to_writer(&mut out).map_err(failed)?;
    out.flush()?;
    Ok(out.into_inner().map_err(IntoInnerError::into_error)?)
}

/// The number of a line, from 0.
fn place(line: u64) -> u32 {
    u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX)
}

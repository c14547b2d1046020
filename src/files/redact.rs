//! Somebody is taken out of a file that is kept: the cells that are theirs, by the declared columns of its kind, and whatever
//! names them elsewhere. The file takes its own place when it is whole; what does not concern them stays as written, byte for byte.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _},
    path::Path,
};

use tempfile::NamedTempFile;

use super::{
    answer::{AnswerError, beside, push_record},
    delimiter::Delimiter,
    dialect::Dialect,
    encoding::Encoding,
    foreign::Foreign,
    legible,
    limits::WorkbookLimits,
    reader::{Limits, Reader, Record, RowSource as _},
    source::{self, FileRows, ReadAs, Text},
    workbook::{self, rows::SheetRows},
};
use crate::domain::{erasure::KnownNames, id::PartnerId};

mod plan;

use plan::RedactionPlan;

/// What was, or would be, taken out of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsRedacted {
    /// How many rows name them, or lines of a text that has no rows.
    pub rows: u64,
    /// The lines of those that are about them.
    pub about: Vec<u64>,
}

/// Bytes from which it is told what a file is.
const HEAD: u64 = 4096;
/// Endings of names of texts that have no rows.
const TEXTS: [&str; 2] = [".note.txt", ".done"];

/// Takes somebody out of a file; of one partner's, if that is known. A dry run only says so.
///
/// # Errors
/// It cannot be read as rows, and perhaps names them; the disk's.
pub fn redact(
    path: &Path,
    partner: Option<&PartnerId>,
    known: &KnownNames,
    dry_run: bool,
) -> Result<RowsRedacted, AnswerError> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    if TEXTS.iter().any(|ending| name.ends_with(ending)) {
        return lines(path, known, dry_run);
    }
    let (limits, asked) = (Limits::default(), ReadAs { complete: true, ..ReadAs::default() });
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    let is_workbook = Foreign::shown_by(&head) == Some(Foreign::Zip);
    let (plan, dialect) = match source::open(path, &asked, limits) {
        Ok(opened) => (RedactionPlan::of(&opened.header, &opened.profile, partner), opened.dialect),
        Err(_) if is_workbook => {
            workbook::package::look_through(path, &WorkbookLimits::default())?;
            let first = Dialect { sheet: Some(1), ..Dialect::default() };
            let rows = source::reopen(path, &first, true, limits)?;
            (RedactionPlan::of_unknown(rows.header(), partner), first)
        }
        Err(refusal) => match any_rows(path, &head, limits) {
            Some((header, dialect)) => (RedactionPlan::of_unknown(&header, partner), dialect),
            None if lines(path, known, true)?.rows == 0 => return Ok(RowsRedacted::default()),
            None => return Err(refusal.into()),
        },
    };
    let mut found = RowsRedacted::default();
    let mut rows = source::reopen(path, &dialect, true, limits)?;
    let mut record = Record::default();
    while rows.read(&mut record)? {
        if let Some(row) = plan.row(&record, known) {
            found.rows = found.rows.saturating_add(1);
            if row.is_about {
                found.about.push(record.line());
            }
        }
    }
    let elsewhere = is_workbook && workbook::redact::is_named_in(path, known)?;
    if found.rows == 0 && elsewhere {
        found.rows = 1;
    }
    if found.rows > 0 && !dry_run {
        let whole = match source::reopen(path, &dialect, true, limits)? {
            FileRows::Text(reader) => rewritten(*reader, path, &plan, known)?,
            FileRows::Sheet(rows) => sheet(rows, path, &plan, known)?,
        };
        put(whole, path)?;
    }
    Ok(found)
}

/// How a text of no known kind is written, if it is rows: with the delimiter with which its header has most columns.
fn any_rows(path: &Path, head: &[u8], limits: Limits) -> Option<(Record, Dialect)> {
    if Foreign::shown_by(head).is_some() {
        return None;
    }
    let encoding = match Encoding::shown_by(head) {
        Some(encoding) => encoding,
        None => match legible::encoding_of(path) {
            Ok(encoding) => encoding,
            Err(_) => return None,
        },
    };
    let mut best: Option<(Record, Dialect)> = None;
    for delimiter in Delimiter::ALL {
        let dialect = Dialect { encoding, delimiter, ..Dialect::default() };
        let Ok(mut rows) = source::reopen(path, &dialect, true, limits) else { continue };
        let mut record = Record::default();
        let whole = loop {
            match rows.read(&mut record) {
                Ok(true) => {}
                Ok(false) => break true,
                Err(_) => break false,
            }
        };
        if whole && best.as_ref().is_none_or(|(header, _)| rows.header().len() > header.len()) {
            best = Some((rows.header().clone(), dialect));
        }
    }
    best
}

/// A text that has no rows, line by line.
fn lines(path: &Path, known: &KnownNames, dry_run: bool) -> Result<RowsRedacted, AnswerError> {
    let mut found = RowsRedacted::default();
    let mut out = BufWriter::new(beside(path)?);
    let (mut input, mut line) = (BufReader::new(File::open(path)?), Vec::new());
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        match known.replaced_in(&text) {
            Some(text) => {
                found.rows = found.rows.saturating_add(1);
                out.write_all(text.as_bytes())?;
            }
            None => out.write_all(&line)?,
        }
        line.clear();
    }
    if found.rows > 0 && !dry_run {
        let whole = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        put(whole, path)?;
    }
    Ok(found)
}

/// A text in rows, each as written where it does not name them.
fn rewritten(
    mut reader: Reader<Text>,
    path: &Path,
    plan: &RedactionPlan,
    known: &KnownNames,
) -> Result<NamedTempFile, AnswerError> {
    let mut out = BufWriter::with_capacity(128 * 1024, beside(path)?);
    let (layout, line_end) = (reader.layout(), reader.line_end());
    let mut encoded = Vec::new();
    let mut write = |row: &[u8]| -> io::Result<()> {
        if layout.encoding == Encoding::Utf8 {
            return out.write_all(row);
        }
        encoded.clear();
        layout.encoding.write(&String::from_utf8_lossy(row), &mut encoded);
        out.write_all(&encoded)
    };
    let mut row = Vec::new();
    if reader.has_byte_order_mark() {
        write("\u{feff}".as_bytes())?;
    }
    if let Some(named) = reader.preamble() {
        write(&[b"sep=".as_slice(), &[named.byte()], line_end.as_bytes()].concat())?;
    }
    if !reader.version().is_empty() {
        write(&[reader.version(), line_end.as_bytes()].concat())?;
    }
    write(&[reader.raw_header(), line_end.as_bytes()].concat())?;
    let mut record = Record::default();
    while reader.read(&mut record)? {
        row.clear();
        match plan.row(&record, known) {
            Some(redacted) => {
                push_record(&mut row, layout.delimiter, redacted.cells.iter().map(AsRef::as_ref))?;
            }
            None => row.extend_from_slice(reader.raw()),
        }
        row.extend_from_slice(line_end.as_bytes());
        write(&row)?;
    }
    Ok(out.into_inner().map_err(io::IntoInnerError::into_error)?)
}

/// The sheet that was read, as a workbook that holds nothing else.
fn sheet(
    rows: SheetRows,
    path: &Path,
    plan: &RedactionPlan,
    known: &KnownNames,
) -> Result<NamedTempFile, AnswerError> {
    workbook::redact::rewritten(rows, path, |record| {
        Some(plan.row(record, known)?.cells.into_iter().map(std::borrow::Cow::into_owned).collect())
    })
}

/// Puts a whole file in the place of the one that it was made from, for whom that was.
fn put(whole: NamedTempFile, path: &Path) -> Result<(), AnswerError> {
    whole.as_file().set_permissions(fs::metadata(path)?.permissions())?;
    whole.as_file().sync_all()?;
    whole.persist(path).map_err(|failed| failed.error)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;

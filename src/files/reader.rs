//! The strict streaming reader: UTF-8 (a byte order mark is accepted), comma, LF or CRLF, RFC 4180 quoting, a header
//! row. Memory is bounded by [`Limits`], whatever the file holds.
//!
//! `csv-core` splits the cells and accepts nearly anything; so every record first passes a guard that
//! refuses it (unclosed quotes, text after them, NULs, bytes that are not UTF-8, a last line without its end).

use std::{io::Read, str};

pub use super::limits::Limits;
use super::{
    Refusal,
    guard::{Fault, Guard, Scan},
};
use crate::domain::reason::{Problem, Reason};

/// Bytes asked for at a time.
const CHUNK: usize = 64 * 1024;
/// The byte order mark in UTF-8.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One record: its cells, unquoted, in one buffer that is reused from record to record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    /// A record of these cells, as it was put aside.
    pub fn of<'a>(line: u64, cells: impl IntoIterator<Item = &'a str>) -> Self {
        let mut record = Self { line, ..Self::default() };
        for cell in cells {
            record.text.push_str(cell);
            record.ends.push(record.text.len());
        }
        record
    }

    /// The physical line of its first byte, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// How many cells it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no cell at all (only before the first read).
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Cell `at` (from 0) as written, without its quotes.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&str> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..*self.ends.get(at)?)
    }

    /// All cells in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// All cells in one text, and where in it each ends.
    #[must_use]
    pub fn parts(&self) -> (&str, &[usize]) {
        (&self.text, &self.ends)
    }
}

/// Reads records from any source of bytes. After a refusal the reader is not to be used again.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    limits: Limits,
    core: csv_core::Reader,
    guard: Guard,
    buffer: Vec<u8>,
    /// The unread part of `buffer`.
    start: usize,
    end: usize,
    /// Where `start` lies in the file.
    offset: u64,
    ended: bool,
    /// Line of the byte at `start`.
    line: u64,
    /// A record already found behind blank lines, and how many of these are still to be yielded.
    found: Option<Scan>,
    blanks: u64,
    /// The part of `buffer` that the last yielded record was read from, its line end excluded.
    raw: (usize, usize),
    rows: u64,
    header: Record,
    raw_header: Vec<u8>,
    byte_order_mark: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header row. Refuses an empty file and two columns of one name, and whatever [`Self::read`] refuses.
    pub fn open(input: R, limits: Limits) -> Result<Self, Refusal> {
        let mut reader = Self {
            input,
            limits,
            core: csv_core::ReaderBuilder::new().terminator(csv_core::Terminator::Any(b'\n')).build(),
            guard: Guard::default(),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            line: 1,
            found: None,
            blanks: 0,
            raw: (0, 0),
            rows: 0,
            header: Record::default(),
            raw_header: Vec::new(),
            byte_order_mark: false,
        };
        reader.skip_byte_order_mark()?;
        let mut header = Record::default();
        loop {
            let Some(scan) = reader.scan()? else { return Err(Refusal::Empty) };
            if scan.is_blank() {
                reader.pass(scan);
            } else {
                reader.take(scan, &mut header)?;
                break;
            }
        }
        reader.raw_header = reader.raw().to_vec();
        refuse_duplicates(&header)?;
        reader.header = header;
        Ok(reader)
    }

    /// The header row.
    #[must_use]
    pub const fn header(&self) -> &Record {
        &self.header
    }

    /// The header row as written, without its line end.
    #[must_use]
    pub fn raw_header(&self) -> &[u8] {
        &self.raw_header
    }

    /// Whether the file begins with a byte order mark.
    #[must_use]
    pub const fn has_byte_order_mark(&self) -> bool {
        self.byte_order_mark
    }

    /// Reads the next record; `false` at the end of the file. Blank lines at the end are no records.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        loop {
            if let Some(scan) = self.found.take() {
                if self.blanks > 0 {
                    record.line = self.line.saturating_sub(self.blanks);
                    record.text.clear();
                    record.ends.clear();
                    record.ends.push(0);
                    self.raw = (self.start, self.start);
                    self.blanks = self.blanks.saturating_sub(1);
                    self.found = Some(scan);
                } else {
                    self.take(scan, record)?;
                }
                self.rows = self.rows.saturating_add(1);
                if self.rows > self.limits.rows {
                    return Err(Refusal::TooManyRows { line: record.line, limit: self.limits.rows });
                }
                return Ok(true);
            }
            match self.scan()? {
                None => return Ok(false),
                Some(blank) if blank.is_blank() => {
                    self.pass(blank);
                    self.blanks = self.blanks.saturating_add(1);
                }
                found => self.found = found,
            }
        }
    }

    /// The last record as written, without its line end.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.buffer.get(self.raw.0..self.raw.1).unwrap_or_default()
    }

    /// What is wrong with the shape of `record`: another number of cells than the header has.
    #[must_use]
    pub fn shape_problem(&self, record: &Record) -> Option<Problem> {
        let (expected, found) = (self.header.len(), record.len());
        (expected != found).then(|| Problem::of_row(Reason::WrongFieldCount { expected, found }))
    }

    /// Finds the end of the next record, reading as much as that takes; it stays in the buffer.
    fn scan(&mut self) -> Result<Option<Scan>, Refusal> {
        loop {
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            match self.guard.scan(bytes, &self.limits) {
                Err(fault) => return Err(self.refuse(&fault)),
                Ok(Some(scan)) => {
                    if let Err(error) = str::from_utf8(bytes.get(..scan.bytes).unwrap_or_default()) {
                        return Err(self.not_utf8(error.valid_up_to()));
                    }
                    return Ok(Some(scan));
                }
                Ok(None) if !self.ended => self.fill()?,
                Ok(None) if bytes.is_empty() => return Ok(None),
                Ok(None) => return Err(self.refuse_rest()),
            }
        }
    }

    /// Reads some more bytes behind the unread part, which moves to the front when the buffer is full.
    fn fill(&mut self) -> Result<(), Refusal> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
            if self.buffer.len().saturating_sub(self.end) < CHUNK / 2 {
                self.buffer.resize(self.buffer.len().saturating_add(CHUNK), 0);
            }
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let got = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ended = got == 0;
        self.end = self.end.saturating_add(got);
        let read = self.offset.saturating_add((self.end.saturating_sub(self.start)) as u64);
        if read > self.limits.file_bytes {
            return Err(Refusal::FileTooLarge { limit: self.limits.file_bytes });
        }
        Ok(())
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), Refusal> {
        while !self.ended && self.end < BOM.len() {
            self.fill()?;
        }
        if self.buffer.get(..self.end).is_some_and(|bytes| bytes.starts_with(BOM)) {
            self.byte_order_mark = true;
            self.start = BOM.len();
            self.offset = BOM.len() as u64;
        }
        Ok(())
    }

    /// Leaves a scanned record behind.
    fn pass(&mut self, scan: Scan) {
        self.start = self.start.saturating_add(scan.bytes);
        self.offset = self.offset.saturating_add(scan.bytes as u64);
        self.line = self.line.saturating_add(scan.lines);
        self.guard = Guard::default();
    }

    /// Splits a scanned record into cells and moves past it.
    fn take(&mut self, scan: Scan, record: &mut Record) -> Result<(), Refusal> {
        let bytes = self.buffer.get(self.start..self.start.saturating_add(scan.bytes)).unwrap_or_default();
        let mut text = std::mem::take(&mut record.text).into_bytes();
        text.resize(bytes.len(), 0);
        record.ends.resize(scan.cells.saturating_add(1), 0);
        let (_, _, written, cells) = self.core.read_record(bytes, &mut text, &mut record.ends);
        // With LF as its terminator csv-core leaves the CR of a CRLF at the end of the last cell.
        let written = if scan.crlf { written.saturating_sub(1) } else { written };
        text.truncate(written);
        record.ends.truncate(cells);
        if let Some(last) = record.ends.last_mut() {
            *last = written;
        }
        record.line = self.line;
        record.text = match String::from_utf8(text) {
            Ok(text) => text,
            Err(error) => return Err(self.not_utf8(error.utf8_error().valid_up_to())),
        };
        let line_end = if scan.crlf { 2 } else { 1 };
        self.raw = (self.start, self.start.saturating_add(scan.bytes).saturating_sub(line_end));
        self.pass(scan);
        Ok(())
    }

    /// The refusal for a fault of the record at `start`; bytes before it that are not UTF-8 come first.
    fn refuse(&self, fault: &Fault) -> Refusal {
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        let up_to = bytes.get(..=fault.at).unwrap_or(bytes);
        if let Err(error) = str::from_utf8(up_to)
            && error.error_len().is_some()
        {
            return self.not_utf8(error.valid_up_to());
        }
        fault.refusal(self.line, self.offset, &self.limits)
    }

    /// The file ended and what is left is no whole record.
    fn refuse_rest(&self) -> Refusal {
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        if let Err(error) = str::from_utf8(bytes)
            && error.error_len().is_some()
        {
            return self.not_utf8(error.valid_up_to());
        }
        self.guard.unfinished(self.line, self.header.len())
    }

    fn not_utf8(&self, at: usize) -> Refusal {
        let before = self.buffer.get(self.start..self.start.saturating_add(at)).unwrap_or_default();
        let lines = before.iter().fold(0_u64, |lines, byte| lines.saturating_add(u64::from(*byte == b'\n')));
        Refusal::NotUtf8 {
            line: self.line.saturating_add(lines),
            offset: self.offset.saturating_add(at as u64),
        }
    }
}

/// A column name without what does not matter: case, surrounding spaces, `_` or space or `-` between words.
#[must_use]
pub fn normalised(name: &str) -> String {
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    let words: Vec<_> =
        name.split(|c: char| c.is_whitespace() || c == '_' || c == '-').filter(|w| !w.is_empty()).collect();
    words.join("_").to_lowercase()
}

fn refuse_duplicates(header: &Record) -> Result<(), Refusal> {
    let mut seen = std::collections::HashSet::new();
    for (at, name) in header.iter().map(normalised).enumerate() {
        if !name.is_empty() && !seen.insert(name.clone()) {
            return Err(Refusal::DuplicateColumn { name, column: at.saturating_add(1) });
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;

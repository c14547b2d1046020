//! The strict streaming reader: one delimiter, LF or CRLF, RFC 4180 quoting, a header row; UTF-8 (a byte order mark is
//! accepted), to which other encodings are brought before. Memory is bounded by [`Limits`], whatever the file holds.
//!
//! `csv-core` splits the cells and accepts nearly anything; so every record first passes a guard that
//! refuses it (unclosed quotes, text after them, NULs, bytes that are not UTF-8). Blank lines and rows of empty cells, with
//! which spreadsheets pad, are no records. A last line without its end is a record that was cut off.

use std::{io::Read, str};

pub use super::limits::Limits;
use super::{
    Refusal,
    delimiter::{Delimiter, preamble, version_line},
    encoding::Encoding,
    guard::{Fault, Guard, Scan},
};

/// Bytes asked for at a time.
const CHUNK: usize = 64 * 1024;
/// Bytes in which a line before the header ends.
const FIRST_LINE: usize = 4096;
/// The byte order mark in UTF-8.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One record: its cells, unquoted, in one buffer that is reused from record to record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    line: u64,
    text: String,
    ends: Vec<usize>,
    /// Cells whose type is known whatever they look like, in order.
    typed: Vec<(usize, CellType)>,
}

/// What the type of a cell says, where a file has such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellType {
    /// It is a number.
    Number,
    /// It is a date.
    Date,
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

    /// Makes it a record without cells that begins on `line`.
    pub fn clear(&mut self, line: u64) {
        self.line = line;
        self.text.clear();
        self.ends.clear();
        self.typed.clear();
    }

    /// Adds a cell whose type is known.
    pub fn push_typed(&mut self, cell: &str, of: CellType) {
        self.typed.push((self.ends.len(), of));
        self.push(&[cell]);
    }

    /// The type of the cell at `at`, if it is known whatever the cell looks like.
    #[must_use]
    pub fn type_at(&self, at: usize) -> Option<CellType> {
        self.typed.iter().find(|(place, _)| *place == at).map(|(_, of)| *of)
    }

    /// Whether the type of any cell is known so.
    #[must_use]
    pub const fn is_typed(&self) -> bool {
        !self.typed.is_empty()
    }

    /// Adds a cell that is these texts, one after the other.
    pub fn push(&mut self, cell: &[&str]) {
        for part in cell {
            self.text.push_str(part);
        }
        self.ends.push(self.text.len());
    }

    /// Whether any cell holds one of these characters, which are of ASCII.
    #[must_use]
    pub fn holds_any(&self, ascii: [char; 3]) -> bool {
        let [a, b, c] = ascii.map(|c| u8::try_from(c).unwrap_or_default());
        let found = |byte| u8::from(byte == a) | u8::from(byte == b) | u8::from(byte == c);
        self.text.bytes().fold(0, |held, byte| held | found(byte)) != 0
    }

    /// Whether all its cells are blank.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.trim_start().is_empty()
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

/// Rows of a file with their lines, whatever it is written in. After a refusal there is no more to be had.
pub trait RowSource {
    /// The header row.
    fn header(&self) -> &Record;
    /// Reads the next row; `false` at the end of the file.
    fn read(&mut self, record: &mut Record) -> Result<bool, Refusal>;
    /// Whether the last row that was read ends the file without a line end, and may be half a row.
    fn is_cut_off(&self) -> bool;
}

impl<R: Read> RowSource for Reader<R> {
    fn header(&self) -> &Record {
        self.header()
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        self.read(record)
    }

    fn is_cut_off(&self) -> bool {
        self.cut_off
    }
}

/// How the text of a file is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// What its bytes were before they were brought to UTF-8.
    pub encoding: Encoding,
    /// What stands between cells.
    pub delimiter: Delimiter,
    /// Bytes of the file before the text: its byte order mark, where that is not part of the text.
    pub skipped: u64,
    /// It is known to be whole: a last line without its end is a line like any other.
    pub complete: bool,
}

/// Reads records from any source of bytes. After a refusal the reader is not to be used again.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "where a reader stands, each read by its name")]
pub struct Reader<R> {
    input: R,
    limits: Limits,
    layout: Layout,
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
    /// A line end was put behind the last byte of the file.
    ended_by_us: bool,
    cut_off: bool,
    /// The part of `buffer` that the last yielded record was read from, its line end excluded.
    raw: (usize, usize),
    rows: u64,
    header: Record,
    raw_header: Vec<u8>,
    line_end: &'static str,
    byte_order_mark: bool,
    /// The line that names the delimiter for a spreadsheet, if the file begins with one.
    preamble: Option<Delimiter>,
    /// The line that says of which version a template is, as written, without its end.
    version: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Reads the header row of a file in the canonical form.
    ///
    /// Refuses what [`Self::open_as`] refuses.
    pub fn open(input: R, limits: Limits) -> Result<Self, Refusal> {
        Self::open_as(input, limits, Layout::default())
    }

    /// Reads the header row. Refuses an empty file and two columns of one name, and whatever [`Self::read`] refuses.
    pub fn open_as(input: R, limits: Limits, layout: Layout) -> Result<Self, Refusal> {
        let mut core = csv_core::ReaderBuilder::new();
        core.terminator(csv_core::Terminator::Any(b'\n')).delimiter(layout.delimiter.byte());
        let mut reader = Self {
            input,
            limits,
            layout,
            core: core.build(),
            guard: Guard::default(),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            line: 1,
            ended_by_us: false,
            cut_off: false,
            raw: (0, 0),
            rows: 0,
            header: Record::default(),
            raw_header: Vec::new(),
            line_end: "\n",
            byte_order_mark: false,
            preamble: None,
            version: Vec::new(),
        };
        reader.skip_byte_order_mark()?;
        reader.skip_preamble()?;
        let mut header = Record::default();
        loop {
            let Some(scan) = reader.scan()? else { return Err(Refusal::Empty) };
            reader.take(scan, &mut header)?;
            if !header.is_blank() {
                reader.line_end = if scan.line_end == 1 { "\n" } else { "\r\n" };
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

    /// How lines end: as the header does.
    #[must_use]
    pub const fn line_end(&self) -> &'static str {
        self.line_end
    }

    /// How the text is laid out.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether the file begins with a byte order mark.
    #[must_use]
    pub const fn has_byte_order_mark(&self) -> bool {
        self.byte_order_mark || self.layout.skipped > 0
    }

    /// What a first line names as the delimiter, if there is one.
    #[must_use]
    pub const fn preamble(&self) -> Option<Delimiter> {
        self.preamble
    }

    /// The line that says of which version a template is, without its end; nothing, if there is none.
    #[must_use]
    pub fn version(&self) -> &[u8] {
        &self.version
    }

    /// Whether the last record ends the file without a line end.
    #[must_use]
    pub const fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Reads the next record; `false` at the end of the file. Blank lines and rows of blank cells are no records.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        loop {
            let Some(scan) = self.scan()? else { return Ok(false) };
            self.take(scan, record)?;
            if record.is_blank() {
                continue;
            }
            self.cut_off = self.ended_by_us && !self.layout.complete && self.start == self.end;
            self.rows = self.rows.saturating_add(1);
            if self.rows > self.limits.rows {
                return Err(Refusal::TooManyRows { line: record.line, limit: self.limits.rows });
            }
            return Ok(true);
        }
    }

    /// The last record as written, without its line end.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.buffer.get(self.raw.0..self.raw.1).unwrap_or_default()
    }

    /// Finds the end of the next record, reading as much as that takes; it stays in the buffer.
    fn scan(&mut self) -> Result<Option<Scan>, Refusal> {
        loop {
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            match self.guard.scan(bytes, &self.limits, self.layout.delimiter.byte()) {
                Err(fault) => return Err(self.refuse(&fault)),
                Ok(Some(scan)) => {
                    if let Err(error) = str::from_utf8(bytes.get(..scan.bytes).unwrap_or_default()) {
                        return Err(self.not_utf8(error.valid_up_to()));
                    }
                    return Ok(Some(scan));
                }
                Ok(None) if !self.ended => self.fill()?,
                Ok(None) if bytes.is_empty() => return Ok(None),
                Ok(None) => self.end_line()?,
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
                Err(error) => return Err(error.into()),
                Ok(got) => break got,
            }
        };
        self.ended = got == 0;
        self.end = self.end.saturating_add(got);
        let read = self.offset.saturating_add(self.end.saturating_sub(self.start) as u64);
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
        }
        self.offset = self.layout.skipped.saturating_add(self.start as u64);
        Ok(())
    }

    /// Passes over a first line that names the delimiter for a spreadsheet, and one that says of which version a template is.
    fn skip_preamble(&mut self) -> Result<(), Refusal> {
        let most = self.start.saturating_add(10);
        while !self.ended && self.end < most {
            self.fill()?;
        }
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        if let Some((delimiter, length)) = preamble(bytes) {
            self.preamble = Some(delimiter);
            self.pass(length, 1);
        }
        let most = self.start.saturating_add(FIRST_LINE);
        while !self.ended && self.end < most && !self.unread().contains(&b'\n') {
            self.fill()?;
        }
        if let Some(length) = version_line(self.unread()) {
            let line = self.unread().get(..length).unwrap_or_default();
            self.version = line.trim_ascii_end().to_vec();
            self.pass(length, 1);
        }
        Ok(())
    }

    /// The bytes in the buffer that were not read yet.
    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Leaves so many bytes and lines behind.
    fn pass(&mut self, bytes: usize, lines: u64) {
        let passed = self.buffer.get(self.start..self.start.saturating_add(bytes)).unwrap_or_default();
        self.offset = self.offset.saturating_add(self.layout.encoding.bytes_of(passed));
        self.start = self.start.saturating_add(bytes);
        self.line = self.line.saturating_add(lines);
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
        let written = written.saturating_sub(scan.line_end.saturating_sub(1));
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
        self.raw = (self.start, self.start.saturating_add(scan.bytes).saturating_sub(scan.line_end));
        self.pass(scan.bytes, scan.lines);
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
        let before = bytes.get(..fault.at).unwrap_or(bytes);
        let offset = self.offset.saturating_add(self.layout.encoding.bytes_of(before));
        fault.refusal(self.line, offset, &self.limits)
    }

    /// The file ended in the middle of a line, which is given the end that it lacks: as a record it is cut off, unless the
    /// file is known to be whole. A quote that is open may have swallowed any number of lines.
    fn end_line(&mut self) -> Result<(), Refusal> {
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        if let Err(error) = str::from_utf8(bytes) {
            if error.error_len().is_some() || self.layout.complete {
                return Err(self.not_utf8(error.valid_up_to()));
            }
            // Half a character, which is shown as one that could not be read.
            self.end = self.start.saturating_add(error.valid_up_to());
            self.buffer.truncate(self.end);
            self.buffer.extend_from_slice("\u{fffd}".as_bytes());
            self.end = self.buffer.len();
            self.guard = Guard::default();
        }
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        let mut guard = Guard::default();
        let delimiter = self.layout.delimiter.byte();
        guard.scan(bytes, &self.limits, delimiter).map_err(|fault| self.refuse(&fault))?;
        if let Some((lines, column, at)) = guard.open_quote() {
            let before = bytes.get(..at).unwrap_or_default();
            return Err(Refusal::UnclosedQuote {
                line: self.line.saturating_add(lines),
                column,
                offset: self.offset.saturating_add(self.layout.encoding.bytes_of(before)),
            });
        }
        if !self.layout.complete && self.raw_header.is_empty() {
            return Err(Refusal::CutOff { line: self.line });
        }
        self.buffer.truncate(self.end);
        self.buffer.push(b'\n');
        self.end = self.end.saturating_add(1);
        self.ended_by_us = true;
        Ok(())
    }

    fn not_utf8(&self, at: usize) -> Refusal {
        let before = self.buffer.get(self.start..self.start.saturating_add(at)).unwrap_or_default();
        let lines = before.iter().fold(0_u64, |lines, byte| lines.saturating_add(u64::from(*byte == b'\n')));
        Refusal::NotUtf8 {
            line: self.line.saturating_add(lines),
            offset: self.offset.saturating_add(self.layout.encoding.bytes_of(before)),
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

/// Refuses a header in which two columns have one name.
pub(super) fn refuse_duplicates(header: &Record) -> Result<(), Refusal> {
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

//! The answer to a file: its own rows in their order, cell for cell and as the file is written, and a verdict on each. A
//! person corrects it in place and drops it again; an earlier answer's columns are then replaced.

use std::{
    borrow::Cow,
    fmt::Write as _,
    fs::Permissions,
    io::{self, BufWriter, Seek, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{
    Refusal,
    delimiter::Delimiter,
    dialect::{self, number},
    encoding::Encoding,
    look::have_same_bytes,
    reader::{Reader, Record, normalised},
    shape::{ANSWER_COLUMNS, RowShape},
    source::Text,
};
use crate::domain::{
    language::Language,
    license_key::{self, Secret},
    reason::Problem,
};

/// The longest name that a file may have on the disks of today.
pub const NAME_BYTES: usize = 255;

/// What an answer to a row mostly fits in.
const ROW_BYTES: usize = 512;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowStatus {
    /// The row is taken in; problems that come with it are remarks.
    Applied,
    /// The same, and something else was known before. A dry run tells it from what is new; an answer says that it is applied.
    Changed,
    /// It is in, and has no effect until an operator says yes.
    Waiting,
    /// It was in already, word for word.
    Unchanged,
    /// It is not in.
    Rejected,
}

impl RowStatus {
    /// The name, as in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Changed => "changed",
            Self::Waiting => "waiting",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        }
    }

    /// As answers have it.
    #[must_use]
    pub const fn answered(self) -> Self {
        match self {
            Self::Changed => Self::Applied,
            other => other,
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Applied, Self::Changed, Self::Waiting, Self::Unchanged, Self::Rejected];
        all.into_iter().find(|status| status.name() == name)
    }
}

/// Why an answer could not be written. Nothing is left of it then.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The spooled copy could not be read again.
    #[error(transparent)]
    Spool(#[from] Refusal),
    /// The answer could not be written.
    #[error("the answer could not be written: {0}")]
    Io(#[from] io::Error),
    /// There are more verdicts than rows, or fewer.
    #[error("the verdicts of an answer end at another row than the file: line {line:?}")]
    OutOfStep {
        /// The line of the first row without a verdict; `None`: a verdict without a row.
        line: Option<u64>,
    },
}

/// An answer being written, row by row. Dropped before [`AnswerFile::whole`] it leaves nothing behind.
pub struct AnswerFile {
    reader: Reader<Text>,
    shape: RowShape,
    record: Record,
    /// For each column of the header, whether it is an earlier answer's; empty if none is.
    earlier: Vec<bool>,
    language: Language,
    output: BufWriter<NamedTempFile>,
    row: Vec<u8>,
    encoded: Vec<u8>,
    holds_more_than_ascii: bool,
    target: PathBuf,
    /// Of a file that holds secrets: which cells of a row are.
    masking: Option<Vec<usize>>,
}

impl AnswerFile {
    /// Begins the answer at `target` to the rows that `reader` has yet to read, with its reasons in `language`.
    pub fn begin(reader: Reader<Text>, target: &Path, language: Language) -> Result<Self, AnswerError> {
        let temporary = beside(target)?;
        let mut earlier: Vec<_> =
            reader.header().iter().map(|name| ANSWER_COLUMNS.contains(&normalised(name).as_str())).collect();
        if !earlier.contains(&true) {
            earlier.clear();
        }
        let mut answer = Self {
            shape: RowShape::of(reader.header()),
            reader,
            record: Record::default(),
            earlier,
            language,
            output: BufWriter::with_capacity(128 * 1024, temporary),
            row: Vec::new(),
            encoded: Vec::new(),
            holds_more_than_ascii: false,
            target: target.to_owned(),
            masking: None,
        };
        answer.begin_with_header()?;
        Ok(answer)
    }

    /// The same for a file of product keys, which are the cells at `places`: no key is in the answer (promise 11).
    #[must_use]
    pub fn masking_keys(mut self, places: Vec<usize>) -> Self {
        self.masking = Some(places);
        self
    }

    fn begin_with_header(&mut self) -> Result<(), AnswerError> {
        let encoding = self.reader.layout().encoding;
        // Without one, a program cannot tell UTF-16 from anything else.
        if self.reader.has_byte_order_mark() || matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
            self.output.write_all(encoding.byte_order_mark())?;
        }
        if let Some(named) = self.reader.preamble() {
            self.row.extend_from_slice(b"sep=");
            self.row.push(named.byte());
            self.end_row()?;
        }
        if !self.reader.version().is_empty() {
            self.row.extend_from_slice(self.reader.version());
            self.end_row()?;
        }
        let delimiter = self.reader.layout().delimiter;
        if self.earlier.is_empty() {
            self.row.extend_from_slice(self.reader.raw_header());
            self.row.push(delimiter.byte());
            push_record(&mut self.row, delimiter, ANSWER_COLUMNS)?;
        } else {
            let names: Vec<&str> = self.reader.header().iter().collect();
            let kept = kept(names, &self.earlier);
            push_record(&mut self.row, delimiter, kept.into_iter().chain(ANSWER_COLUMNS))?;
        }
        self.end_row()?;
        Ok(())
    }

    /// Answers the next row.
    pub fn answer(&mut self, status: RowStatus, problems: &[Problem]) -> Result<(), AnswerError> {
        if !self.reader.read(&mut self.record)? {
            return Err(AnswerError::OutOfStep { line: None });
        }
        let codes = joined(problems.iter().map(|problem| problem.reason.code()), "+");
        let sentences: Vec<_> =
            problems.iter().map(|problem| self.sentence(problem, problems.len())).collect();
        let sentences = joined(sentences.iter().map(String::as_str), "; ");
        let columns = joined(problems.iter().map(|problem| problem.column.as_str()), "+");
        let line = self.record.line().to_string();
        let verdict = [status.name(), &codes, &sentences, &line, &columns];
        let delimiter = self.reader.layout().delimiter;
        let width = self.reader.header().len();
        let plain = self.masking.is_none()
            && self.earlier.is_empty()
            && self.record.len() == width
            && !self.record.iter().any(is_formula);
        if plain {
            self.row.extend_from_slice(self.reader.raw());
            self.row.push(delimiter.byte());
            push_record(&mut self.row, delimiter, verdict)?;
        } else {
            let masked = self.masking.as_ref().map(|places| masked(&self.record, width, places));
            let record = masked.as_ref().unwrap_or(&self.record);
            let mut cells: Vec<&str> = record.iter().collect();
            // Padding costs nothing: the row is brought to the width of the header.
            if self.shape.problem(&self.record).is_none() {
                cells.resize(width, "");
            }
            let kept = kept(cells, &self.earlier).into_iter().map(guarded);
            let row: Vec<Cow<'_, str>> = kept.chain(verdict.into_iter().map(Cow::Borrowed)).collect();
            push_record(&mut self.row, delimiter, row.iter().map(AsRef::as_ref))?;
        }
        self.end_row()?;
        Ok(())
    }

    /// One of `of` problems in words; of several each says which column it is about.
    fn sentence(&self, problem: &Problem, of: usize) -> String {
        let sentence = problem.reason.sentence(self.language);
        if of == 1 || problem.column.is_empty() {
            return sentence;
        }
        format!("{}: {}", problem.column, sentence.trim_end_matches('.'))
    }

    /// Writes the row as the file is written. A row that was cut off stays so: dropped again as it is, it is told again.
    fn end_row(&mut self) -> io::Result<()> {
        if !self.reader.is_cut_off() {
            self.row.extend_from_slice(self.reader.line_end().as_bytes());
        }
        match self.reader.layout().encoding {
            Encoding::Utf8 => {
                self.holds_more_than_ascii |= !self.row.is_ascii();
                self.output.write_all(&self.row)?;
            }
            encoding => {
                self.encoded.clear();
                encoding.write(&String::from_utf8_lossy(&self.row), &mut self.encoded);
                self.output.write_all(&self.encoded)?;
            }
        }
        self.row.clear();
        Ok(())
    }

    /// Where it is to be put.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The whole answer, to be put in its place. Every row must have been answered.
    ///
    /// # Errors
    /// The disk's; a row was not answered.
    pub fn whole(mut self) -> Result<NamedTempFile, AnswerError> {
        if self.reader.read(&mut self.record)? {
            return Err(AnswerError::OutOfStep { line: Some(self.record.line()) });
        }
        let mut temporary = self.output.into_inner().map_err(io::IntoInnerError::into_error)?;
        // A spreadsheet takes a file without a mark for one of its own country.
        if self.holds_more_than_ascii && !self.reader.has_byte_order_mark() {
            let mut marked = beside(&self.target)?;
            marked.write_all(Encoding::Utf8.byte_order_mark())?;
            temporary.rewind()?;
            io::copy(&mut temporary, &mut marked)?;
            temporary = marked;
        }
        temporary.as_file().sync_all()?;
        Ok(temporary)
    }
}

/// Puts a whole answer in its place.
///
/// # Errors
/// The disk's.
pub fn put(answer: NamedTempFile, target: &Path) -> Result<(), AnswerError> {
    answer.persist(target).map_err(|failed| failed.error)?;
    Ok(())
}

/// Puts a whole answer under the first of the names that `named` gives for 1, 2, … under which there is nothing, or the same
/// answer already.
///
/// # Errors
/// The disk's.
pub fn put_beside(answer: NamedTempFile, named: impl Fn(u32) -> PathBuf) -> Result<PathBuf, AnswerError> {
    let mut temporary = answer;
    for nth in 1..=u32::MAX {
        let target = named(nth);
        match temporary.persist_noclobber(&target) {
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => temporary = failed.file,
            Err(failed) => return Err(failed.error.into()),
            Ok(_) => return Ok(target),
        }
        if have_same_bytes(temporary.path(), &target) {
            return Ok(target);
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists).into())
}

/// A file that is to take the place of `target`.
///
/// # Errors
/// The disk's.
pub fn beside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new()
        .prefix(".answering-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder)
}

/// Whether a cell as it came would be a formula.
fn is_formula(cell: &str) -> bool {
    !cell.starts_with('\'') && dialect::is_formula(cell) && number::read(cell.trim()).is_none()
}

/// A cell as it came, with an apostrophe before it where it would be a formula; import takes that away again.
fn guarded(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { format!("'{cell}").into() } else { cell.into() }
}

/// A name that fits in so many bytes: a longer one is cut, and what it was is told apart by its hash.
#[must_use]
pub fn short(name: &str, bytes: usize) -> Cow<'_, str> {
    if name.len() <= bytes {
        return name.into();
    }
    let mut hash = String::with_capacity(9);
    for byte in Sha256::digest(name.as_bytes()).iter().take(4) {
        let _ = write!(hash, "{byte:02x}");
    }
    let room = bytes.saturating_sub(hash.len() + 1);
    let cut = name.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= room).last();
    format!("{}-{hash}", name.get(..cut.unwrap_or(0)).unwrap_or_default()).into()
}

/// The non-empty ones of `parts`.
pub fn joined<'a>(parts: impl Iterator<Item = &'a str>, between: &str) -> String {
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// The cells that are not an earlier answer's. In a row with another number of cells than the header an earlier answer
/// is recognised by where it stood (last) and by its status; anything else is kept, whatever it is.
fn kept<'a>(cells: Vec<&'a str>, earlier: &[bool]) -> Vec<&'a str> {
    if cells.len() == earlier.len() {
        return cells.iter().zip(earlier).filter(|(_, earlier)| !**earlier).map(|(cell, _)| *cell).collect();
    }
    let behind = cells.len().checked_sub(ANSWER_COLUMNS.len()).filter(|at| {
        earlier.ends_with(&[true; ANSWER_COLUMNS.len()])
            && cells.get(*at).copied().and_then(RowStatus::parse).is_some()
    });
    let mut cells = cells;
    cells.truncate(behind.unwrap_or(cells.len()));
    cells
}

/// The cells of a row of product keys without them: the key's own cell is masked whatever is in it, and so is everything
/// elsewhere that is that key or looks like one. In a row with another number of cells than its header, which may
/// stand anywhere, every cell that could be a key is.
#[must_use]
pub fn masked(record: &Record, width: usize, secret: &[usize]) -> Record {
    let straight = record.len() == width;
    let key = secret.first().and_then(|at| record.get(*at)).and_then(|cell| Secret::parse(cell.trim()));
    let mut masked = Record::default();
    masked.clear(record.line());
    for (at, cell) in record.iter().enumerate() {
        let cell = if straight && secret.contains(&at) || !straight && Secret::parse(cell.trim()).is_some() {
            license_key::masked_cell(cell)
        } else {
            license_key::without_keys(cell, key.as_ref())
        };
        masked.push(&[&cell]);
    }
    masked
}

/// Cells, quoted only where they must be (RFC 4180), without a line end.
pub(super) fn push_record<'a>(
    row: &mut Vec<u8>,
    delimiter: Delimiter,
    cells: impl IntoIterator<Item = &'a str>,
) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .buffer_capacity(ROW_BYTES)
        .delimiter(delimiter.byte())
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(&mut *row);
    writer.write_record(cells)?;
    writer.flush()?;
    drop(writer);
    row.pop();
    Ok(())
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;

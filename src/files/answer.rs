//! The answer to a file: its own rows in their order, cell for cell, and a verdict on each. A person corrects it in
//! place and drops it again; an earlier answer's columns are then replaced.

use std::{
    borrow::Cow,
    fmt::Write as _,
    fs::{File, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{
    Refusal,
    look::have_same_bytes,
    profile::ANSWER_COLUMNS,
    reader::{Limits, Reader, Record, normalised},
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
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Applied, Self::Unchanged, Self::Rejected].into_iter().find(|status| status.name() == name)
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
    /// The verdicts do not match the rows.
    #[error("the answer for line {given:?} came where line {expected:?} is due")]
    OutOfStep {
        /// The line that is next in the file; `None`: its end.
        expected: Option<u64>,
        /// The line that was answered; `None`: the end.
        given: Option<u64>,
    },
}

/// An answer being written, row by row. Dropped before [`AnswerFile::finish`] it leaves nothing behind.
pub struct AnswerFile {
    reader: Reader<File>,
    record: Record,
    /// For each column of the header, whether it is an earlier answer's; empty if none is.
    earlier: Vec<bool>,
    language: Language,
    output: BufWriter<NamedTempFile>,
    row: Vec<u8>,
    target: PathBuf,
    /// Of a file that holds secrets: which cells of a row are.
    masking: Option<Vec<usize>>,
}

impl AnswerFile {
    /// Begins the answer at `target` to the spooled copy at `spooled`, with its reasons in `language`.
    pub fn begin(
        spooled: &Path,
        target: &Path,
        limits: Limits,
        language: Language,
    ) -> Result<Self, AnswerError> {
        let reader = Reader::open(File::open(spooled)?, limits)?;
        let folder =
            target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary = tempfile::Builder::new()
            .prefix(".answering-")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder)?;
        let mut earlier: Vec<_> =
            reader.header().iter().map(|name| ANSWER_COLUMNS.contains(&normalised(name).as_str())).collect();
        if !earlier.contains(&true) {
            earlier.clear();
        }
        let mut answer = Self {
            reader,
            record: Record::default(),
            earlier,
            language,
            output: BufWriter::with_capacity(128 * 1024, temporary),
            row: Vec::new(),
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
        if self.reader.has_byte_order_mark() {
            self.output.write_all("\u{FEFF}".as_bytes())?;
        }
        if self.earlier.is_empty() {
            self.row.extend_from_slice(self.reader.raw_header());
            self.row.push(b',');
            push_record(&mut self.row, ANSWER_COLUMNS)?;
        } else {
            let kept = kept(self.reader.header(), &self.earlier);
            push_record(&mut self.row, kept.into_iter().chain(ANSWER_COLUMNS))?;
        }
        self.end_row()?;
        Ok(())
    }

    /// Answers the next row, which begins on `line`.
    pub fn answer(&mut self, line: u64, status: RowStatus, problems: &[Problem]) -> Result<(), AnswerError> {
        let expected = self.reader.read(&mut self.record)?.then(|| self.record.line());
        if expected != Some(line) {
            return Err(AnswerError::OutOfStep { expected, given: Some(line) });
        }
        let codes = joined(problems.iter().map(|problem| problem.reason.code()), "+");
        let sentences: Vec<_> =
            problems.iter().map(|problem| self.sentence(problem, problems.len())).collect();
        let sentences = joined(sentences.iter().map(String::as_str), "; ");
        let columns = joined(problems.iter().map(|problem| problem.column.as_str()), "+");
        let line = line.to_string();
        let verdict = [status.name(), &codes, &sentences, &line, &columns];
        if let Some(places) = &self.masking {
            let width = self.reader.header().len();
            let cells = masked_cells(&self.record, width, places, &self.earlier);
            push_record(&mut self.row, cells.iter().map(String::as_str).chain(verdict))?;
        } else if self.earlier.is_empty() {
            self.row.extend_from_slice(self.reader.raw());
            self.row.push(b',');
            push_record(&mut self.row, verdict)?;
        } else {
            let kept = kept(&self.record, &self.earlier);
            push_record(&mut self.row, kept.into_iter().chain(verdict))?;
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

    fn end_row(&mut self) -> io::Result<()> {
        self.output.write_all(&self.row)?;
        self.row.clear();
        Ok(())
    }

    /// Puts the whole answer in its place. Every row must have been answered.
    pub fn finish(mut self) -> Result<PathBuf, AnswerError> {
        let target = std::mem::take(&mut self.target);
        self.whole()?.persist(&target).map_err(|failed| failed.error)?;
        Ok(target)
    }

    /// Puts the whole answer under the first of the names that `named` gives for 1, 2, … under which there is nothing, or the
    /// same answer already. Every row must have been answered.
    pub fn finish_beside(self, named: impl Fn(u32) -> PathBuf) -> Result<PathBuf, AnswerError> {
        let mut temporary = self.whole()?;
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

    fn whole(mut self) -> Result<NamedTempFile, AnswerError> {
        if self.reader.read(&mut self.record)? {
            return Err(AnswerError::OutOfStep { expected: Some(self.record.line()), given: None });
        }
        let temporary = self.output.into_inner().map_err(io::IntoInnerError::into_error)?;
        temporary.as_file().sync_all()?;
        Ok(temporary)
    }
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
fn joined<'a>(parts: impl Iterator<Item = &'a str>, between: &str) -> String {
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// The cells that are not an earlier answer's. In a row with another number of cells than the header an earlier answer
/// is recognised by where it stood (last) and by its status; anything else is kept, whatever it is.
fn kept<'a>(record: &'a Record, earlier: &[bool]) -> Vec<&'a str> {
    if record.len() == earlier.len() {
        return record.iter().zip(earlier).filter(|(_, earlier)| !**earlier).map(|(cell, _)| cell).collect();
    }
    let behind = record.len().checked_sub(ANSWER_COLUMNS.len()).filter(|at| {
        earlier.ends_with(&[true; ANSWER_COLUMNS.len()])
            && record.get(*at).and_then(RowStatus::parse).is_some()
    });
    record.iter().take(behind.unwrap_or(record.len())).collect()
}

/// The cells of a row of product keys without them: the key's own cell is masked whatever is in it, and so is everything
/// elsewhere that is that key or looks like one. In a row with another number of cells than its header, which may
/// stand anywhere, every cell that could be a key is.
fn masked_cells(record: &Record, width: usize, secret: &[usize], earlier: &[bool]) -> Vec<String> {
    let straight = record.len() == width;
    let key = secret.first().and_then(|at| record.get(*at)).and_then(|cell| Secret::parse(cell.trim()));
    let masked = record.iter().enumerate().map(|(at, cell)| {
        if straight && secret.contains(&at) || !straight && Secret::parse(cell.trim()).is_some() {
            license_key::masked_cell(cell)
        } else {
            license_key::without_keys(cell, key.as_ref())
        }
    });
    let masked = Record::of(record.line(), masked.collect::<Vec<_>>().iter().map(String::as_str));
    let kept = if earlier.is_empty() { masked.iter().collect() } else { kept(&masked, earlier) };
    kept.into_iter().map(str::to_owned).collect()
}

/// Cells and a line end, quoted only where they must be (RFC 4180).
fn push_record<'a>(row: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .buffer_capacity(ROW_BYTES)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(row);
    writer.write_record(cells)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::reason::{Expected, Reason};

    fn answered(text: &str, verdicts: &[(u64, RowStatus, &[Problem])]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let (spooled, target) = (dir.path().join("spooled"), dir.path().join("a.result.csv"));
        fs::write(&spooled, text).unwrap();
        let mut answer = AnswerFile::begin(&spooled, &target, Limits::default(), Language::English).unwrap();
        for (line, status, problems) in verdicts {
            answer.answer(*line, *status, problems).unwrap();
        }
        assert!(!target.exists(), "nothing is there before it is whole");
        assert_eq!(answer.finish().unwrap(), target);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        fs::read_to_string(target).unwrap()
    }

    fn two_problems() -> [Problem; 2] {
        [
            Problem::at("name", "", Reason::Missing),
            Problem::at("country", "XX", Reason::Invalid { expected: Expected::Country }),
        ]
    }

    #[test]
    fn every_row_comes_back_as_it_was_with_its_verdict() {
        let text = "\u{FEFF}name,country\r\n\"Åkeri\"\" AB\",SE\r\n\"two\r\nlines\",\"DE\"\r\n , XX \r\n";
        let problems = two_problems();
        let said = problems.each_ref().map(|problem| problem.reason.sentence(Language::English));
        let [missing, invalid] = said.each_ref().map(|sentence| sentence.trim_end_matches('.'));
        let answer = answered(
            text,
            &[
                (2, RowStatus::Applied, &[]),
                (3, RowStatus::Unchanged, &[]),
                (5, RowStatus::Rejected, &problems),
            ],
        );
        assert_eq!(
            answer,
            format!(
                "\u{FEFF}name,country,row_status,reason_code,reason,line,column\n\
                 \"Åkeri\"\" AB\",SE,applied,,,2,\n\
                 \"two\r\nlines\",\"DE\",unchanged,,,3,\n \
                 , XX ,rejected,missing+invalid,name: {missing}; country: {invalid},5,name+country\n"
            )
        );
    }

    #[test]
    fn an_earlier_answer_is_replaced_wherever_its_columns_are() {
        let answer = answered(
            "line,name,Row Status,country\n2,\"a,b\",rejected,SE\n",
            &[(2, RowStatus::Applied, &[])],
        );
        assert_eq!(
            answer,
            "name,country,row_status,reason_code,reason,line,column\n\"a,b\",SE,applied,,,2,\n"
        );
    }

    #[test]
    fn a_misshapen_row_stays_misshapen_and_never_grows() {
        let shape = [Problem::of_row(Reason::WrongFieldCount { expected: 2, found: 1 })];
        let once = answered(
            "name,country\nonly\na,b,c\n\na,b\n",
            &[
                (2, RowStatus::Rejected, &shape),
                (3, RowStatus::Rejected, &shape),
                (4, RowStatus::Rejected, &shape),
                (5, RowStatus::Applied, &[]),
            ],
        );
        assert!(once.contains("\nonly,rejected,wrong_field_count,"), "{once}");
        assert!(once.contains("\na,b,c,rejected,"), "{once}");
        let again = answered(
            &once,
            &[
                (2, RowStatus::Rejected, &shape),
                (3, RowStatus::Rejected, &shape),
                (4, RowStatus::Rejected, &shape),
                (5, RowStatus::Applied, &[]),
            ],
        );
        assert_eq!(once, again);
    }

    #[test]
    fn an_answer_out_of_step_or_unfinished_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (spooled, target) = (dir.path().join("spooled"), dir.path().join("a.result.csv"));
        fs::write(&spooled, "a\n1\n2\n").unwrap();
        let begin = || AnswerFile::begin(&spooled, &target, Limits::default(), Language::English).unwrap();
        let mut answer = begin();
        answer.answer(2, RowStatus::Applied, &[]).unwrap();
        let error = answer.answer(4, RowStatus::Applied, &[]).unwrap_err();
        assert!(matches!(error, AnswerError::OutOfStep { expected: Some(3), given: Some(4) }));
        drop(answer);
        let error = begin().finish().unwrap_err();
        assert!(matches!(error, AnswerError::OutOfStep { expected: Some(2), given: None }));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_answer_replaces_no_other_and_the_same_one_again_is_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let (spooled, named) = (dir.path().join("spooled"), |nth: u32| dir.path().join(format!("a.{nth}")));
        fs::write(&spooled, "name\nx\n").unwrap();
        let answered = |status| {
            let hint = dir.path().join("a");
            let mut answer =
                AnswerFile::begin(&spooled, &hint, Limits::default(), Language::English).unwrap();
            answer.answer(2, status, &[]).unwrap();
            answer.finish_beside(named).unwrap()
        };
        assert_eq!(answered(RowStatus::Applied), named(1));
        assert_eq!(answered(RowStatus::Rejected), named(2));
        fs::create_dir(named(3)).unwrap();
        assert_eq!(answered(RowStatus::Unchanged), named(4));
        assert_eq!(answered(RowStatus::Applied), named(1));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);
    }
}

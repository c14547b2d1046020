//! A spooled file as rows: what it is, how it is written and where its columns are, found out once. Of a workbook the sheet is
//! chosen; of a text it is told in this order what it is not ([`Foreign`]), its encoding, the delimiter with which its header is recognised, and, if a cell asks for
//! it, what all its rows say of decimal marks and of days and months.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use super::{
    Refusal,
    decoded::Decoded,
    delimiter::{Delimiter, preamble, version_line},
    dialect::{Dialect, Evidence, StatedDialect},
    encoding::Encoding,
    foreign::Foreign,
    legible,
    profile::Profile,
    reader::{Layout, Limits, Reader, Record, RowSource, normalised},
    workbook::{fault::WorkbookFault, rows::SheetRows, sheet},
};
use crate::domain::kinds::Kind;

/// Bytes from which it is told what a file is not.
const HEAD: usize = 4096;
/// What is in an Office file of before 2007 that holds one of today under a password, in UTF-16.
const ENCRYPTED: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
/// So many bytes of it are searched for that.
const SEARCHED: u64 = 64 << 20;

/// What is said of a file by whoever has it taken in.
#[derive(Clone, Debug, Default)]
pub struct ReadAs {
    /// Its kind; `None`: its header says.
    pub kind: Option<Kind>,
    /// How it is written, as far as that is said.
    pub dialect: StatedDialect,
    /// It is whole, also if its last line has no end.
    pub complete: bool,
    /// The name of its sheet, if it is a workbook; `None`: the headers of its sheets say.
    pub sheet: Option<String>,
}

/// A file of which it is known what it is.
#[derive(Debug)]
pub struct OpenedFile {
    /// Its header.
    pub header: Record,
    /// Its header, understood.
    pub profile: Profile,
    /// How it is written.
    pub dialect: Dialect,
    /// The name of its sheet, if it is a workbook.
    pub sheet: Option<String>,
}

/// The rows of a file, whatever it is written in.
#[derive(Debug)]
pub enum FileRows {
    /// Of a text.
    Text(Box<Reader<Text>>),
    /// Of a workbook's sheet.
    Sheet(SheetRows),
}

impl RowSource for FileRows {
    fn header(&self) -> &Record {
        match self {
            Self::Text(reader) => reader.header(),
            Self::Sheet(rows) => rows.header(),
        }
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        match self {
            Self::Text(reader) => reader.read(record),
            Self::Sheet(rows) => rows.read(record),
        }
    }

    fn is_cut_off(&self) -> bool {
        match self {
            Self::Text(reader) => reader.is_cut_off(),
            Self::Sheet(rows) => rows.is_cut_off(),
        }
    }
}

/// The text of a file as UTF-8.
#[derive(Debug)]
pub enum Text {
    /// As it is.
    Plain(File),
    /// From another encoding.
    Decoded(Box<Decoded<File>>),
}

impl Read for Text {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(room),
            Self::Decoded(decoded) => decoded.read(room),
        }
    }
}

/// Opens a file of which nothing is known but what is `asked`. Decimal mark and order of days are as stated, or not settled.
///
/// # Errors
/// It is nothing that is read here, or of no known kind, or its header cannot be read.
pub fn open(path: &Path, asked: &ReadAs, limits: Limits) -> Result<OpenedFile, Refusal> {
    let head = head(path)?;
    match Foreign::shown_by(&head) {
        Some(Foreign::Zip) => return open_workbook(path, asked, limits),
        Some(Foreign::OldWorkbook) if is_encrypted(path)? => {
            return Err(Refusal::Foreign { what: Foreign::EncryptedWorkbook });
        }
        Some(what) => return Err(Refusal::Foreign { what }),
        None => {}
    }
    if let Some(asked) = &asked.sheet {
        return Err(WorkbookFault::NoWorkbook { asked: asked.clone() }.into());
    }
    let encoding = match asked.dialect.encoding.or_else(|| Encoding::shown_by(&head)) {
        Some(encoding) => encoding,
        None => legible::encoding_of(path)?,
    };
    let stated = Dialect {
        encoding,
        decimal: asked.dialect.decimal.into(),
        dates: asked.dialect.dates.into(),
        ..Dialect::default()
    };
    recognise(path, asked, stated, limits)
}

/// Opens a workbook, of which nothing is known but what is asked.
fn open_workbook(path: &Path, asked: &ReadAs, limits: Limits) -> Result<OpenedFile, Refusal> {
    if asked.dialect.encoding.is_some() || asked.dialect.delimiter.is_some() {
        return Err(WorkbookFault::StatedAsText.into());
    }
    let chosen = sheet::choose(path, asked.sheet.as_deref(), asked.kind, limits)?;
    let dialect = Dialect {
        decimal: asked.dialect.decimal.into(),
        dates: asked.dialect.dates.into(),
        sheet: Some(chosen.number),
        ..Dialect::default()
    };
    Ok(OpenedFile { header: chosen.header, profile: chosen.profile, dialect, sheet: Some(chosen.name) })
}

/// Whether what looks like an Office file of before 2007 is a workbook of today under a password.
fn is_encrypted(path: &Path) -> io::Result<bool> {
    let (mut file, mut piece) = (File::open(path)?.take(SEARCHED), vec![0; HEAD + ENCRYPTED.len()]);
    loop {
        let got = file.read(piece.get_mut(ENCRYPTED.len()..).unwrap_or_default())?;
        if got == 0 {
            return Ok(false);
        }
        let end = ENCRYPTED.len().saturating_add(got);
        let seen = piece.get(..end).unwrap_or_default();
        if seen.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED) {
            return Ok(true);
        }
        piece.copy_within(got..end, 0);
    }
}

/// Opens a file of which it is known how it is written.
///
/// # Errors
/// Its header cannot be read.
pub fn reopen(path: &Path, dialect: &Dialect, complete: bool, limits: Limits) -> Result<FileRows, Refusal> {
    match dialect.sheet {
        Some(number) => Ok(FileRows::Sheet(SheetRows::open(path, number, limits)?)),
        None => Ok(FileRows::Text(Box::new(reopen_text(path, dialect, complete, limits)?))),
    }
}

fn reopen_text(
    path: &Path,
    dialect: &Dialect,
    complete: bool,
    limits: Limits,
) -> Result<Reader<Text>, Refusal> {
    let mut file = File::open(path)?;
    let (encoding, delimiter) = (dialect.encoding, dialect.delimiter);
    if encoding == Encoding::Utf8 {
        return Reader::open_as(
            Text::Plain(file),
            limits,
            Layout { delimiter, complete, ..Layout::default() },
        );
    }
    let mark = encoding.byte_order_mark();
    let mut first = Vec::with_capacity(mark.len());
    Read::by_ref(&mut file).take(mark.len() as u64).read_to_end(&mut first)?;
    let skipped = if first == mark { mark.len() as u64 } else { 0 };
    file.seek(SeekFrom::Start(skipped))?;
    let text = Text::Decoded(Box::new(Decoded::new(file, encoding, skipped)));
    Reader::open_as(text, limits, Layout { encoding, delimiter, skipped, complete })
}

/// Reads all rows and settles what they say together.
///
/// # Errors
/// The file cannot be read as a whole.
pub fn survey(
    path: &Path,
    profile: &Profile,
    found: Dialect,
    asked: &ReadAs,
    limits: Limits,
) -> Result<Dialect, Refusal> {
    let mut reader = reopen(path, &found, asked.complete, limits)?;
    let (mut record, mut evidence) = (Record::default(), Evidence::default());
    while reader.read(&mut record)? {
        if profile.shape_problem(&record).is_none() && !reader.is_cut_off() {
            evidence.note(profile, &record);
        }
    }
    Ok(evidence.settle(found, &asked.dialect))
}

fn head(path: &Path) -> Result<Vec<u8>, Refusal> {
    let mut head = Vec::with_capacity(HEAD);
    File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// The delimiter is the one with which the header is recognised; if it is with none, the refusal is of the one that it
/// probably is.
fn recognise(path: &Path, asked: &ReadAs, stated: Dialect, limits: Limits) -> Result<OpenedFile, Refusal> {
    let mut delimiters = match asked.dialect.delimiter {
        Some(delimiter) => vec![delimiter],
        None => likely(path, &stated)?,
    };
    let mut first = None;
    delimiters.dedup();
    for delimiter in delimiters {
        let dialect = Dialect { delimiter, ..stated };
        let opened = reopen_text(path, &dialect, asked.complete, limits).and_then(|mut reader| {
            let header = reader.header().clone();
            let profile = Profile::recognise(&header, asked.kind)
                .map_err(|refusal| Profile::refused(refusal, asked.kind, |record| reader.read(record)))?;
            profile.refuse_near_misses()?;
            Ok(OpenedFile { header, profile, dialect, sheet: None })
        });
        match opened {
            Ok(opened) => return Ok(opened),
            Err(refusal @ Refusal::RowsAboveHeader { .. }) => return Err(refusal),
            Err(refusal) => drop(first.get_or_insert(refusal)),
        }
    }
    Err(first.unwrap_or(Refusal::Empty))
}

/// The delimiters in the order in which they are likely: as a first line says, or by how many names there are between them
/// in the header that a known column has, or as often as they stand there.
fn likely(path: &Path, stated: &Dialect) -> Result<Vec<Delimiter>, Refusal> {
    let mut text = Vec::new();
    let probe = |dialect: &Dialect| -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let mut head = Vec::new();
        if dialect.encoding == Encoding::Utf8 {
            file.take(HEAD as u64).read_to_end(&mut head)?;
        } else {
            let mark = dialect.encoding.byte_order_mark().len();
            let mut first = vec![0; mark];
            let marked = file.read_exact(&mut first).is_ok() && first == dialect.encoding.byte_order_mark();
            let skipped = if marked { mark as u64 } else { 0 };
            file.seek(SeekFrom::Start(skipped))?;
            Decoded::new(file, dialect.encoding, skipped).take(HEAD as u64).read_to_end(&mut head)?;
        }
        Ok(head)
    };
    text.extend(probe(stated)?);
    let text = text.strip_prefix(Encoding::Utf8.byte_order_mark()).unwrap_or(&text);
    if let Some((named, _)) = preamble(text) {
        return Ok(vec![named]);
    }
    let text = text.get(version_line(text).unwrap_or(0)..).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    if let Some(what) = Foreign::of_text(&text) {
        return Err(Refusal::Foreign { what });
    }
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut delimiters = Delimiter::ALL.to_vec();
    delimiters.sort_by_key(|delimiter| {
        let names = line.split(char::from(delimiter.byte())).map(|name| normalised(name.trim_matches('"')));
        let (count, known) = names.fold((0_usize, 0_usize), |(count, known), name| {
            (count + 1, known + usize::from(Kind::ALL.iter().any(|kind| kind.column(&name).is_some())))
        });
        std::cmp::Reverse((known, count))
    });
    Ok(delimiters)
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;

//! A file taken as far as the stage, and what holds of every refusal.

use std::{fs, path::Path};

use benefactor::files::{
    Refusal,
    dialect::Dialect,
    profile::Profile,
    reader::{Limits, Record, RowSource as _},
    source::{self, ReadAs},
};
use tempfile::TempDir;

/// A file in a folder that goes with it.
pub struct OnDisk {
    folder: TempDir,
}

impl OnDisk {
    /// A file of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        fs::write(folder.path().join("file"), bytes).unwrap();
        Self { folder }
    }

    /// Where it is.
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("file")
    }
}

/// A file of which every row was read.
pub struct Taken {
    /// Its header, understood.
    pub profile: Profile,
    /// How it is written.
    pub dialect: Dialect,
    /// Its header, as written.
    pub header: Vec<String>,
    /// Its rows as they are read: line and cells.
    pub read: Vec<(u64, Vec<String>)>,
    /// The same in canonical text.
    pub rows: Vec<Record>,
    /// The last row ends the file without a line end.
    pub is_cut_off: bool,
}

/// The cells of a record.
pub fn cells(record: &Record) -> Vec<String> {
    record.iter().map(str::to_owned).collect()
}

/// Reads a file to its end.
pub fn take(file: &OnDisk, asked: &ReadAs) -> Result<Taken, Refusal> {
    let (path, limits) = (file.path(), Limits::default());
    let opened = source::open(&path, asked, limits)?;
    let dialect = source::survey(&path, &opened.profile, opened.dialect, asked, limits)?;
    let mut reader = source::reopen(&path, &dialect, asked.complete, limits)?;
    let (mut record, mut made) = (Record::default(), Record::default());
    let (mut read, mut rows) = (Vec::new(), Vec::new());
    while reader.read(&mut record)? {
        read.push((record.line(), cells(&record)));
        let taken = dialect.take(&opened.profile, &record, &mut made, true);
        rows.push(taken.expect("all rows were asked").clone());
    }
    Ok(Taken {
        profile: opened.profile,
        dialect,
        header: cells(&opened.header),
        read,
        rows,
        is_cut_off: reader.is_cut_off(),
    })
}

/// The number behind a word of a sentence.
fn behind(sentence: &str, word: &str) -> Option<u64> {
    let rest = sentence.split_once(word)?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A refusal has a code and a sentence, and its line and byte are of the file.
pub fn is_a_refusal(refusal: &Refusal, bytes: &[u8]) {
    let sentence = refusal.to_string();
    assert!(!refusal.code().is_empty() && sentence.len() > 10, "{refusal:?}");
    // A line of a text in two bytes a character, too, ends with a byte that is a line feed.
    let lines = bytes.split(|byte| *byte == b'\n').count();
    if let Some(line) = behind(&sentence, "line ").filter(|_| sentence.starts_with("line ")) {
        assert!((1..=lines as u64).contains(&line), "{sentence} of {lines} lines");
    }
    if let Some(byte) = behind(&sentence, "byte ") {
        assert!(byte <= bytes.len() as u64, "{sentence} of {} bytes", bytes.len());
    }
}

/// Rows as a program writes them, each cell in quotes.
pub fn written<'a>(rows: impl IntoIterator<Item = &'a Vec<String>>, delimiter: &str) -> String {
    let row = |row: &Vec<String>| {
        let cells = row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        cells.collect::<Vec<_>>().join(delimiter) + "\r\n"
    };
    rows.into_iter().map(row).collect()
}

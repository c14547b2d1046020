//! Why a file is refused whole: where, what, and what to do about it.

use std::{fmt, io};

use crate::domain::kinds::Kind;

/// A file that is not taken in at all. Lines and columns count from 1, byte offsets from 0.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not even a header row.
    #[error("the file is empty: it needs a header row")]
    Empty,
    /// Bytes that are not UTF-8.
    #[error(
        "line {line}: byte {offset} is not UTF-8 text: save the file as UTF-8 CSV (it may be Windows-1252 or UTF-16)"
    )]
    NotUtf8 {
        /// Line of the first bad byte.
        line: u64,
        /// Its place in the file.
        offset: u64,
    },
    /// A NUL byte.
    #[error(
        "line {line}: byte {offset} is a NUL: this is not a text file, or it was damaged; export it again as UTF-8 CSV"
    )]
    NulByte {
        /// Line of the byte.
        line: u64,
        /// Its place in the file.
        offset: u64,
    },
    /// The file ends inside a quoted cell.
    #[error(
        "line {line}, column {column}: the quote opened here is never closed: close it, or double it if it belongs to the text"
    )]
    UnclosedQuote {
        /// Line on which the quote opened.
        line: u64,
        /// The cell's number in its row.
        column: usize,
    },
    /// `"a"b`.
    #[error(
        "line {line}, column {column}: text after a closing quote: a quote within quoted text must be doubled (\"\")"
    )]
    TextAfterQuote {
        /// Line of the text.
        line: u64,
        /// The cell's number in its row.
        column: usize,
    },
    /// `a"b`, or a quoted cell with a space before it.
    #[error(
        "line {line}, column {column}: a quote inside an unquoted cell: quote the whole cell, from comma to comma, and double the quotes in it"
    )]
    QuoteInBareCell {
        /// Line of the quote.
        line: u64,
        /// The cell's number in its row.
        column: usize,
    },
    /// A carriage return that is not part of a line end.
    #[error("line {line}: a carriage return without a line feed: lines must end in LF or CRLF")]
    StrayCarriageReturn {
        /// Line of the carriage return.
        line: u64,
    },
    /// The last record has no line end.
    #[error("line {line}: the file was cut off: its last line has no line end ({}); if it is complete, end that line", of_cells(*found, *expected))]
    CutOff {
        /// Line on which the last record begins.
        line: u64,
        /// Cells it has.
        found: usize,
        /// Cells the header has (0: the header itself was cut).
        expected: usize,
    },
    /// Two columns of one name.
    #[error("column {column}: '{name}' appears twice in the header: remove or rename one of them")]
    DuplicateColumn {
        /// The normalised name.
        name: String,
        /// Number of the second one.
        column: usize,
    },
    /// The kind is stated and the header lacks columns that it requires.
    #[error("this is not a complete {kind} file: the header lacks {}", columns.join(", "))]
    MissingColumns {
        /// The kind that was stated.
        kind: Kind,
        /// Every required column that is not there.
        columns: Vec<&'static str>,
    },
    /// No kind of file has this header.
    #[error("the header is of no known kind of file{}", Closest(closest))]
    UnknownKind {
        /// The kinds that come closest, best first, and what each lacks.
        closest: Vec<Lack>,
    },
    /// The file is larger than is taken in.
    #[error("the file is larger than {limit} bytes: split it")]
    FileTooLarge {
        /// The limit.
        limit: u64,
    },
    /// A record is longer than is taken in.
    #[error("line {line}: the row that begins here is longer than {limit} bytes: is a quote left open?")]
    RecordTooLong {
        /// Line on which it begins.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// A cell is longer than is taken in.
    #[error(
        "line {line}, column {column}: the cell that begins here is longer than {limit} bytes: is a quote left open?"
    )]
    CellTooLong {
        /// Line on which it begins.
        line: u64,
        /// The cell's number in its row.
        column: usize,
        /// The limit.
        limit: usize,
    },
    /// A row has more cells than are taken in.
    #[error("line {line}: more than {limit} columns")]
    TooManyColumns {
        /// The row's line.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// The file has more rows than are taken in.
    #[error("line {line}: more than {limit} rows: split the file")]
    TooManyRows {
        /// Line of the first row too many.
        line: u64,
        /// The limit.
        limit: u64,
    },
    /// A symbolic link, directory, device, pipe or socket.
    #[error("'{name}' is {what}, not a regular file: drop the file itself")]
    NotRegular {
        /// Its name.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// A name that is no plain file name.
    #[error(
        "'{name}' is not a plain file name: rename the file (no '..', no control characters, valid UTF-8)"
    )]
    BadName {
        /// The name, as far as it can be shown.
        name: String,
    },
    /// It was written to, replaced or shortened while it was read.
    #[error("'{name}' changed while it was being read: drop it again when it is complete")]
    Changed {
        /// Its name.
        name: String,
    },
    /// The operating system could not read it, or could not write the spool.
    #[error("the file could not be read: {0}")]
    Io(#[from] io::Error),
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file_empty",
            Self::NotUtf8 { .. } => "file_not_utf8",
            Self::NulByte { .. } => "file_nul_byte",
            Self::UnclosedQuote { .. } => "file_unclosed_quote",
            Self::TextAfterQuote { .. } => "file_text_after_quote",
            Self::QuoteInBareCell { .. } => "file_quote_in_bare_cell",
            Self::StrayCarriageReturn { .. } => "file_stray_carriage_return",
            Self::CutOff { .. } => "file_cut_off",
            Self::DuplicateColumn { .. } => "file_duplicate_column",
            Self::MissingColumns { .. } => "file_missing_columns",
            Self::UnknownKind { .. } => "file_unknown_kind",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::RecordTooLong { .. } => "file_record_too_long",
            Self::CellTooLong { .. } => "file_cell_too_long",
            Self::TooManyColumns { .. } => "file_too_many_columns",
            Self::TooManyRows { .. } => "file_too_many_rows",
            Self::NotRegular { .. } => "file_not_regular",
            Self::BadName { .. } => "file_bad_name",
            Self::Changed { .. } => "file_changed",
            Self::Io(_) => "file_unreadable",
        }
    }
}

/// A kind that a header comes close to, and the required columns it lacks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The kind.
    pub kind: Kind,
    /// Its required columns that are not in the header.
    pub columns: Vec<&'static str>,
}

fn of_cells(found: usize, expected: usize) -> String {
    if expected == 0 { "the header itself".to_owned() } else { format!("{found} of {expected} cells") }
}

struct Closest<'a>(&'a [Lack]);

impl fmt::Display for Closest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, lack) in self.0.iter().enumerate() {
            let lead = if at == 0 { "; closest: " } else { "; " };
            write!(f, "{lead}{} (lacks {})", lack.kind, lack.columns.join(", "))?;
        }
        f.write_str(": correct the header row, or name the kind")
    }
}

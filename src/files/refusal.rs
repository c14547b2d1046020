//! Why a file is refused whole: where, what, and what to do about it.

use std::{fmt, io};

use super::{encoding::Encoding, file_reason::FileReason, foreign::Foreign, workbook::fault::WorkbookFault};
use crate::domain::{kinds::Kind, language::Bilingual};

mod swedish;
#[cfg(test)]
mod tests;

/// A file that is not taken in at all. Lines and columns count from 1, byte offsets from 0.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(test, derive(strum::IntoStaticStr, strum::VariantNames))]
pub enum Refusal {
    /// Not even a header row.
    #[error("the file is empty: it needs a header row")]
    Empty,
    /// Bytes that are not UTF-8.
    #[error("line {line}: byte {offset} is not UTF-8 text: save the file as CSV in UTF-8")]
    NotUtf8 {
        /// Line of the first bad byte.
        line: u64,
        /// Its place in the file.
        offset: u64,
    },
    /// Bytes that are not of the encoding that was stated or found.
    #[error("line {line}: byte {offset} means nothing in {}: save the file as CSV in UTF-8", encoding.name())]
    NotInEncoding {
        /// Line of the first bad byte.
        line: u64,
        /// Its place in the file.
        offset: u64,
        /// The encoding.
        encoding: Encoding,
    },
    /// One byte a character, and nothing says for sure which characters.
    #[error(
        "line {line}: byte {offset} is not UTF-8 text, and it is not sure what it is ({}): save the file as CSV in UTF-8; if \
         it is Windows-1252, import it with --dialect encoding=windows-1252",
        may_be(*suggested)
    )]
    EncodingUnsure {
        /// Line of the first byte that is not UTF-8.
        line: u64,
        /// Its place in the file.
        offset: u64,
        /// What it may be, if that can be told.
        suggested: Option<&'static str>,
    },
    /// Something else than text in rows.
    #[error("this is {}", what.sentence().english)]
    Foreign {
        /// What it is.
        what: Foreign,
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
        "line {line}, column {column} (byte {offset}): the quote opened here is never closed: close it, or double it if it \
         belongs to the text"
    )]
    UnclosedQuote {
        /// Line on which the quote opened.
        line: u64,
        /// The cell's number in its row.
        column: usize,
        /// Its place in the file.
        offset: u64,
    },
    /// `"a"b`.
    #[error(
        "line {line}, column {column} (byte {offset}): text after a closing quote: a quote within quoted text must be \
         doubled (\"\")"
    )]
    TextAfterQuote {
        /// Line of the text.
        line: u64,
        /// The cell's number in its row.
        column: usize,
        /// Its place in the file.
        offset: u64,
    },
    /// `a"b`, or a quoted cell with a space before it.
    #[error(
        "line {line}, column {column} (byte {offset}): a quote inside an unquoted cell: quote the whole cell, from delimiter \
         to delimiter, and double the quotes in it"
    )]
    QuoteInBareCell {
        /// Line of the quote.
        line: u64,
        /// The cell's number in its row.
        column: usize,
        /// Its place in the file.
        offset: u64,
    },
    /// A carriage return that is not part of a line end.
    #[error(
        "line {line}: byte {offset} is a carriage return without a line feed: lines must end in LF or CRLF; save the file \
         as CSV in UTF-8"
    )]
    StrayCarriageReturn {
        /// Line of the carriage return.
        line: u64,
        /// Its place in the file.
        offset: u64,
    },
    /// The header row has no line end.
    #[error(
        "line {line}: the file was cut off in its header: that line has no line end; if it is complete, end that line"
    )]
    CutOff {
        /// Line of the header.
        line: u64,
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
    #[error("this is not a complete {kind} file: the header lacks {}{}", columns.join(", "), meant(near))]
    MissingColumns {
        /// The kind that was stated.
        kind: Kind,
        /// Every required column that is not there.
        columns: Vec<&'static str>,
        /// Columns of the header that may be meant by known ones.
        near: Vec<NearMiss>,
    },
    /// Columns that are not known and come close to known ones that are not there.
    #[error("{}", misnamed(*kind, columns))]
    MisnamedColumns {
        /// The kind of file.
        kind: Kind,
        /// Each, and the one that may be meant.
        columns: Vec<NearMiss>,
    },
    /// A portal's file of which a column that is needed has gone, or has another name.
    #[error(
        "this looks like {}, but its header lacks {}{}: download it again, and do not rename its columns",
        portal.english,
        columns.join(", "),
        meant(near)
    )]
    PortalLacks {
        /// What it looks like.
        portal: Bilingual<&'static str>,
        /// Every column that is needed and is not there.
        columns: Vec<&'static str>,
        /// Columns of the header that may be meant by them.
        near: Vec<NearMiss>,
    },
    /// A portal's file that only serves to compare with what is stored.
    #[error(
        "this is {}: it is for `reconcile` only, which compares it with what is stored, and is never imported",
        portal.english
    )]
    ForComparison {
        /// What it is.
        portal: Bilingual<&'static str>,
    },
    /// A portal's file, which does not say whose it is.
    #[error(
        "this is {}, which does not say whose it is: import it with --partner and the Partner ID, or drop it in the \
         inbox folder of that name",
        portal.english
    )]
    WhosePortalFile {
        /// What it is.
        portal: Bilingual<&'static str>,
    },
    /// Rates of another bank than the European Central Bank.
    #[error(
        "this looks like reference rates, but the European Central Bank never published a column '{column}': download \
         eurofxref.csv or eurofxref-hist.csv from the Bank, whose rates are for one euro"
    )]
    OtherBank {
        /// The first column that it never published.
        column: String,
    },
    /// No kind of file has this header.
    #[error("the header is of no known kind of file{}", Closest(closest))]
    UnknownKind {
        /// The kinds that come closest, best first, and what each lacks.
        closest: Vec<Lack>,
    },
    /// The header stands below other rows, such as a title.
    #[error("the header of {kind} is in line {line}: delete the rows above it")]
    RowsAboveHeader {
        /// The kind of the header.
        kind: Kind,
        /// The line of the header.
        line: u64,
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
    #[error("'{name}' is {}, not a regular file: drop the file itself", what.english)]
    NotRegular {
        /// Its name.
        name: String,
        /// What it is.
        what: Bilingual<&'static str>,
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
    /// What no text file is refused for.
    #[error(transparent)]
    Workbook(#[from] WorkbookFault),
    /// What any file is refused for, in a sheet of a workbook.
    #[error("sheet '{sheet}', {at}: {refusal}")]
    InSheet {
        /// The sheet.
        sheet: String,
        /// The address in it: `C1`.
        at: String,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// The operating system could not read it, or could not write the spool.
    #[error("the file could not be read: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for Refusal {
    /// A source of bytes may have refused them.
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}

impl Refusal {
    /// Its code, and what is told of it.
    #[must_use]
    pub fn told(&self) -> FileReason {
        FileReason::new(self.code(), self.to_string(), self.swedish())
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Workbook(fault) => fault.code(),
            Self::InSheet { refusal, .. } => refusal.code(),
            Self::Empty => "file_empty",
            Self::NotUtf8 { .. } => "file_not_utf8",
            Self::NotInEncoding { .. } => "file_not_in_encoding",
            Self::EncodingUnsure { .. } => "file_encoding_unsure",
            Self::Foreign { .. } => "file_foreign",
            Self::MisnamedColumns { .. } => "file_misnamed_columns",
            Self::NulByte { .. } => "file_nul_byte",
            Self::UnclosedQuote { .. } => "file_unclosed_quote",
            Self::TextAfterQuote { .. } => "file_text_after_quote",
            Self::QuoteInBareCell { .. } => "file_quote_in_bare_cell",
            Self::StrayCarriageReturn { .. } => "file_stray_carriage_return",
            Self::CutOff { .. } => "file_cut_off",
            Self::DuplicateColumn { .. } => "file_duplicate_column",
            Self::MissingColumns { .. } => "file_missing_columns",
            Self::PortalLacks { .. } => "file_portal_lacks_columns",
            Self::ForComparison { .. } => "file_for_comparison",
            Self::WhosePortalFile { .. } => "file_without_partner",
            Self::OtherBank { .. } => "file_of_another_bank",
            Self::UnknownKind { .. } => "file_unknown_kind",
            Self::RowsAboveHeader { .. } => "file_rows_above_header",
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
    /// Columns of the header that may be meant by them.
    pub near: Vec<NearMiss>,
}

/// A column that is not known, and the known one that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// Its number in the header, from 1.
    pub column: usize,
    /// Its name as written.
    pub written: String,
    /// The known one.
    pub known: &'static str,
}

fn misnamed(kind: Kind, columns: &[NearMiss]) -> String {
    let each = columns.iter().map(|one| {
        let NearMiss { column, written, known } = one;
        format!("column {column} '{written}' is not known in a file of {kind}; did you mean '{known}'?")
    });
    let each = each.collect::<Vec<_>>().join(" ");
    format!("{each} Name it so, or remove the column if it is something else")
}

fn meant(near: &[NearMiss]) -> String {
    let each = near.iter().map(|one| format!("; did you mean '{}' by '{}'?", one.known, one.written));
    each.collect::<Vec<_>>().concat()
}

fn may_be(suggested: Option<&'static str>) -> String {
    suggested.map_or_else(|| "no known encoding fits".to_owned(), |name| format!("it may be {name}"))
}

struct Closest<'a>(&'a [Lack]);

impl fmt::Display for Closest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, lack) in self.0.iter().enumerate() {
            let lead = if at == 0 { "; closest: " } else { "; " };
            write!(f, "{lead}{} (lacks {}", lack.kind, lack.columns.join(", "))?;
            write!(f, "{})", meant(&lack.near))?;
        }
        f.write_str(": correct the header row, or name the kind")
    }
}

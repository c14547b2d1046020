//! Why a workbook is refused that could not be a text file.

/// Addresses of cells that a refusal names at most.
const NAMED: usize = 10;

/// What is wrong with a workbook. Addresses are those of its cells: `'Users'!C17`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkbookFault {
    /// It cannot be read as a workbook.
    #[error("the workbook cannot be read ({why}): open it, save it again as .xlsx, and import that")]
    Damaged {
        /// What its reader says.
        why: String,
    },
    /// The file itself is larger than is taken in.
    #[error("the workbook is larger than {limit} bytes: split it, or save its sheet as CSV UTF-8")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// It has more parts than is taken in.
    #[error(
        "the workbook is an archive of more than {limit} parts: save its sheet into a workbook of its own"
    )]
    TooManyParts {
        /// The limit.
        limit: usize,
    },
    /// Unpacked it is larger than is taken in.
    #[error(
        "'{part}' in the workbook unpacks to more than {limit} bytes, which is no table that somebody filled in: split it, or save \
         its sheet as CSV UTF-8"
    )]
    UnpacksTooLarge {
        /// The part with which the limit is passed.
        part: String,
        /// The limit.
        limit: u64,
    },
    /// A part of it has what no workbook has.
    #[error("'{part}' in the workbook {has}, which no spreadsheet writes: nothing of it is read")]
    Forbidden {
        /// The part.
        part: String,
        /// What it has.
        has: &'static str,
    },
    /// No sheet of it has that name.
    #[error("the workbook has no sheet '{asked}'; it has {}", quoted(sheets))]
    NoSuchSheet {
        /// The name that was asked for.
        asked: String,
        /// Those that there are.
        sheets: Vec<String>,
    },
    /// It has no sheet at all.
    #[error("the workbook has no sheet with cells")]
    NoSheet,
    /// Several sheets could be meant.
    #[error(
        "several sheets of the workbook could be meant: {}; name the one with --sheet, or remove the others",
        sheets.join(", ")
    )]
    SeveralSheets {
        /// Each, with the address of its header and what it is.
        sheets: Vec<String>,
    },
    /// Cells are merged.
    #[error(
        "sheet '{sheet}': {} merged, and it cannot be told to which row or column its value belongs: unmerge, and fill in each \
         cell",
        are(cells)
    )]
    Merged {
        /// The sheet.
        sheet: String,
        /// Each group of cells: `C17:C19`.
        cells: Vec<String>,
    },
    /// Cells hold formulas of which no value is stored.
    #[error(
        "sheet '{sheet}': {} without a value that was stored: open the workbook in a spreadsheet, save it there, and import that",
        of_formulas(cells)
    )]
    FormulaWithoutValue {
        /// The sheet.
        sheet: String,
        /// Their addresses.
        cells: Vec<String>,
    },
    /// It is said to be written as only a text file is.
    #[error("this is a workbook, which has neither encoding nor delimiter: leave that out of --dialect")]
    StatedAsText,
    /// A sheet is named of a file that has none.
    #[error("this is no workbook, and has no sheet '{asked}': leave --sheet away")]
    NoWorkbook {
        /// The name that was asked for.
        asked: String,
    },
}

impl WorkbookFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "workbook_damaged",
            Self::TooLarge { .. } => "workbook_too_large",
            Self::TooManyParts { .. } => "workbook_too_many_parts",
            Self::UnpacksTooLarge { .. } => "workbook_unpacks_too_large",
            Self::Forbidden { .. } => "workbook_forbidden_part",
            Self::NoSuchSheet { .. } => "workbook_no_such_sheet",
            Self::NoSheet => "workbook_without_sheet",
            Self::SeveralSheets { .. } => "workbook_several_sheets",
            Self::Merged { .. } => "workbook_merged_cell",
            Self::FormulaWithoutValue { .. } => "workbook_formula_without_value",
            Self::StatedAsText => "workbook_stated_as_text",
            Self::NoWorkbook { .. } => "no_workbook",
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// The first of some addresses, and how many more there are.
fn some(cells: &[String]) -> String {
    let named = cells.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match cells.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn are(cells: &[String]) -> String {
    format!("{} {}", some(cells), if cells.len() == 1 { "is" } else { "are" })
}

fn of_formulas(cells: &[String]) -> String {
    format!("{} {}", some(cells), if cells.len() == 1 { "is a formula" } else { "are formulas" })
}

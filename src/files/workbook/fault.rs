//! Why a workbook is refused that could not be a text file.

use crate::domain::language::Bilingual;

/// Addresses of cells that a refusal names at most.
const NAMED: usize = 10;

/// What is wrong with a workbook. Addresses are those of its cells: `'Users'!C17`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(test, derive(strum::IntoStaticStr, strum::VariantNames))]
pub enum WorkbookFault {
    /// It cannot be read as a workbook.
    #[error("the workbook cannot be read ({}): open it, save it again as .xlsx, and import that", why.english)]
    Damaged {
        /// What is wrong, or what its reader says.
        why: Bilingual,
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
    #[error("'{part}' in the workbook {}, which no spreadsheet writes: nothing of it is read", has.english)]
    Forbidden {
        /// The part.
        part: String,
        /// What it has.
        has: Bilingual<&'static str>,
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
        joined(sheets.iter().map(|sheet| &sheet.english))
    )]
    SeveralSheets {
        /// Each, with the address of its header and what it is.
        sheets: Vec<Bilingual>,
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

impl WorkbookFault {
    /// What is wrong with it, in words of ours.
    #[must_use]
    pub fn damaged(english: impl Into<String>, swedish: impl Into<String>) -> Self {
        Self::Damaged { why: Bilingual::new(english.into(), swedish.into()) }
    }

    /// The sentence in Swedish, without a full stop.
    #[must_use]
    pub fn swedish(&self) -> String {
        match self {
            Self::Damaged { why } => format!(
                "arbetsboken kan inte läsas ({}): öppna den, spara den på nytt som .xlsx och läs in den",
                why.swedish
            ),
            Self::TooLarge { limit } => format!(
                "arbetsboken är större än {limit} byte: dela upp den, eller spara bladet som CSV i UTF-8"
            ),
            Self::TooManyParts { limit } => format!(
                "arbetsboken är ett arkiv med fler än {limit} delar: spara bladet i en egen arbetsbok"
            ),
            Self::UnpacksTooLarge { part, limit } => format!(
                "”{part}” i arbetsboken packas upp till mer än {limit} byte, vilket inte är någon tabell som någon har fyllt i: \
                 dela upp den, eller spara bladet som CSV i UTF-8"
            ),
            Self::Forbidden { part, has } => format!(
                "”{part}” i arbetsboken {}, vilket inget kalkylprogram skriver: inget i den läses",
                has.swedish
            ),
            Self::NoSuchSheet { asked, sheets } => format!(
                "arbetsboken har inget blad ”{asked}”; den har {}",
                joined(sheets.iter().map(|name| format!("”{name}”")))
            ),
            Self::NoSheet => "arbetsboken har inget blad med celler".to_owned(),
            Self::SeveralSheets { sheets } => format!(
                "flera blad i arbetsboken kan vara det som avses: {}; ange det rätta med --sheet, eller ta bort de andra",
                joined(sheets.iter().map(|sheet| &sheet.swedish))
            ),
            Self::Merged { sheet, cells } => format!(
                "bladet ”{sheet}”: {} är sammanfogade, och det går inte att säga vilken rad eller kolumn värdet hör till: \
                 dela dem och fyll i varje cell",
                some(cells, "och", "till")
            ),
            Self::FormulaWithoutValue { sheet, cells } => format!(
                "bladet ”{sheet}”: {} har en formel utan lagrat värde: öppna arbetsboken i ett kalkylprogram, spara den där \
                 och läs in den",
                some(cells, "och", "till")
            ),
            Self::StatedAsText => {
                "detta är en arbetsbok, som varken har teckenkodning eller avgränsare: utelämna det i --dialect".to_owned()
            }
            Self::NoWorkbook { asked } => {
                format!("detta är ingen arbetsbok och har inget blad ”{asked}”: utelämna --sheet")
            }
        }
    }
}

fn joined(each: impl Iterator<Item = impl AsRef<str>>) -> String {
    each.map(|one| one.as_ref().to_owned()).collect::<Vec<_>>().join(", ")
}

fn quoted(names: &[String]) -> String {
    joined(names.iter().map(|name| format!("'{name}'")))
}

/// The first of some addresses, and how many more there are.
fn some(cells: &[String], and: &str, others: &str) -> String {
    let named = cells.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match cells.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} {and} {more} {others}"),
    }
}

fn are(cells: &[String]) -> String {
    format!("{} {}", some(cells, "and", "more"), if cells.len() == 1 { "is" } else { "are" })
}

fn of_formulas(cells: &[String]) -> String {
    format!(
        "{} {}",
        some(cells, "and", "more"),
        if cells.len() == 1 { "is a formula" } else { "are formulas" }
    )
}

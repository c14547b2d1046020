//! The answer to a workbook: its sheet with the same rows in the same order, each cell of the type that it had, and a verdict on
//! every row. Rows that were rejected stand out, and what would be a formula is text.

use std::{
    io::{BufWriter, IntoInnerError, Write as _},
    path::{Path, PathBuf},
};

use rust_xlsxwriter::{Color, Format, FormatBorder, Workbook, Worksheet, XlsxError};
use tempfile::NamedTempFile;

use super::{
    cell::{SheetCell, address},
    rows::{SheetRow, SheetRows},
    writing::{DATE, HEADER_FILL, INSTANT, REJECTED_FILL, failed, fixed},
};
use crate::{
    domain::{language::Language, reason::Problem},
    files::{
        answer::{AnswerError, RowStatus, beside, joined, masked},
        reader::{Record, RowSource as _, normalised},
        shape::ANSWER_COLUMNS,
    },
};

/// How wide the columns are that an answer adds, in characters.
const WIDTHS: [u16; 5] = [11, 26, 70, 7, 18];
/// How wide the others are.
const WIDTH: u16 = 16;
/// Characters that a cell holds at most.
const CELL: usize = 32_767;

/// The answer to a workbook, being written row by row. Dropped before it is [whole](AnswerBook::whole) it leaves nothing behind.
pub struct AnswerBook {
    rows: SheetRows,
    /// Its row and its record, as they were read last.
    row: SheetRow,
    record: Record,
    /// The names of its columns, as problems call them, and whether each is an earlier answer's.
    columns: Vec<(String, bool)>,
    language: Language,
    workbook: Workbook,
    formats: [Formats; 2],
    /// Where the header is, and where the next row goes.
    header_at: u32,
    next_at: u32,
    /// Of a file that holds secrets: which cells of a row are.
    masking: Option<Vec<usize>>,
    target: PathBuf,
}

/// How hard an answer is packed, of at most 9: somebody waits for it, and it is opened once.
const PACKED: u8 = 3;

/// How the cells of a row look.
pub(super) struct Formats {
    /// `None`: as cells look anyway, which costs no look-up a cell.
    plain: Option<Format>,
    date: Format,
    instant: Format,
}

impl Formats {
    pub(super) fn of(fill: Option<&Format>) -> Self {
        let base = fill.cloned().unwrap_or_default();
        Self {
            plain: fill.cloned(),
            date: base.clone().set_num_format(DATE),
            instant: base.set_num_format(INSTANT),
        }
    }
}

impl AnswerBook {
    /// Begins the answer to the rows that `rows` has yet to give; it will be put at `target`, or beside it.
    ///
    /// # Errors
    /// The disk's.
    pub fn begin(rows: SheetRows, target: &Path, language: Language) -> Result<Self, AnswerError> {
        let mut workbook = Workbook::new();
        workbook.set_properties(&fixed()).set_zip_compression_level(PACKED);
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        workbook.set_tempdir(folder.unwrap_or(Path::new("."))).map_err(failed)?;
        let sheet = workbook.add_worksheet_with_constant_memory().map_err(failed)?;
        // A name that no spreadsheet gives is not given here either.
        let _ = sheet.set_name(rows.sheet.as_str());
        let columns = rows.header().iter().map(|name| {
            let name = normalised(name);
            let is_earlier = ANSWER_COLUMNS.contains(&name.as_str());
            (name, is_earlier)
        });
        let rejected = Format::new().set_background_color(Color::RGB(REJECTED_FILL));
        let mut answer = Self {
            columns: columns.collect(),
            rows,
            row: SheetRow::default(),
            record: Record::default(),
            language,
            workbook,
            formats: [Formats::of(None), Formats::of(Some(&rejected))],
            header_at: 0,
            next_at: 0,
            masking: None,
            target: target.to_owned(),
        };
        answer.write_head().map_err(failed)?;
        Ok(answer)
    }

    /// The same for a file of product keys, which are the cells at `places`: no key is in the answer (promise 11).
    #[must_use]
    pub fn masking_keys(mut self, places: Vec<usize>) -> Self {
        self.masking = Some(places);
        self
    }

    fn write_head(&mut self) -> Result<(), XlsxError> {
        let sheet = self.workbook.worksheet_from_index(0)?;
        if let Some(version) = &self.rows.head.version {
            sheet.write_string(0, 0, version)?;
            self.header_at = 1;
        }
        let header = Format::new()
            .set_bold()
            .set_border_bottom(FormatBorder::Thin)
            .set_background_color(Color::RGB(HEADER_FILL));
        let names = self.rows.header().iter().zip(&self.columns);
        let kept = names.filter(|(_, (_, is_earlier))| !is_earlier).map(|(name, _)| (name, WIDTH));
        let mut next = 0_u16;
        for (name, width) in kept.chain(ANSWER_COLUMNS.into_iter().zip(WIDTHS)) {
            sheet.write_string_with_format(self.header_at, next, name, &header)?;
            sheet.set_column_width(next, width)?;
            next = next.saturating_add(1);
        }
        self.next_at = self.header_at.saturating_add(1);
        sheet.set_freeze_panes(self.next_at, 0)?;
        Ok(())
    }

    /// Answers the next row.
    ///
    /// # Errors
    /// The disk's; there is no such row.
    pub fn answer(&mut self, status: RowStatus, problems: &[Problem]) -> Result<(), AnswerError> {
        match self.rows.next_row()? {
            Some(row) => self.row.clone_from(row),
            None => return Err(AnswerError::OutOfStep { line: None }),
        }
        let width = self.columns.len();
        self.row.record(width, &mut self.record);
        if let Some(places) = &self.masking {
            let masked = masked(&self.record, width, places);
            for (at, cell) in self.row.cells.iter_mut().enumerate() {
                let hidden = masked.get(at).filter(|hidden| self.record.get(at) != Some(hidden));
                if let Some(hidden) = hidden {
                    *cell = SheetCell::Text(hidden.to_owned());
                }
            }
        }
        let codes = joined(problems.iter().map(|problem| problem.reason.code()), "+");
        let sentences: Vec<_> =
            problems.iter().map(|problem| self.sentence(problem, problems.len())).collect();
        let sentences = joined(sentences.iter().map(String::as_str), "; ");
        let columns = joined(problems.iter().map(|problem| problem.column.as_str()), "+");
        let line = u32::try_from(self.row.line).unwrap_or(u32::MAX);
        let verdict = [
            SheetCell::Text(status.name().to_owned()),
            SheetCell::Text(codes),
            SheetCell::Text(sentences),
            SheetCell::Number(f64::from(line)),
            SheetCell::Text(columns),
        ];
        self.write_row(status, &verdict).map_err(failed)?;
        Ok(())
    }

    /// Writes the row that was read last, without an earlier answer to it, and the verdict in its columns. What stood behind
    /// all columns comes behind these.
    fn write_row(&mut self, status: RowStatus, verdict: &[SheetCell]) -> Result<(), XlsxError> {
        let sheet = self.workbook.worksheet_from_index(0)?;
        let [plain, rejected] = &self.formats;
        let formats = if status == RowStatus::Rejected { rejected } else { plain };
        let empty = SheetCell::Empty;
        let named = self.columns.iter().enumerate().filter(|(_, (_, is_earlier))| !is_earlier);
        let named = named.map(|(at, _)| self.row.cells.get(at).unwrap_or(&empty));
        let beyond = self.row.cells.iter().skip(self.columns.len());
        for (at, cell) in (0_u16..).zip(named.chain(verdict).chain(beyond)) {
            write_cell(sheet, (self.next_at, at), cell, formats)?;
        }
        self.next_at = self.next_at.saturating_add(1);
        Ok(())
    }

    /// One of `of` problems in words, with the address of its cell.
    fn sentence(&self, problem: &Problem, of: usize) -> String {
        let sentence = problem.reason.sentence(self.language);
        let name = normalised(&problem.column);
        let place = self.columns.iter().position(|(column, _)| !name.is_empty() && *column == name);
        let at = place.map(|place| address(place, self.row.line));
        let at = at.or_else(|| (!problem.column.is_empty() && of > 1).then(|| problem.column.clone()));
        let sentence = if of == 1 { sentence.as_str() } else { sentence.trim_end_matches('.') };
        at.map_or_else(|| sentence.to_owned(), |at| format!("{at}: {sentence}"))
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
        if let Some(row) = self.rows.next_row()? {
            return Err(AnswerError::OutOfStep { line: Some(row.line) });
        }
        let last_at = self.next_at.saturating_sub(1);
        let sheet = self.workbook.worksheet_from_index(0).map_err(failed)?;
        let kept = self.columns.iter().filter(|(_, is_earlier)| !is_earlier).count();
        let width = kept.saturating_add(ANSWER_COLUMNS.len()).saturating_sub(1);
        let last_column = u16::try_from(width).unwrap_or(u16::MAX);
        sheet.autofilter(self.header_at, 0, last_at, last_column).map_err(failed)?;
        let mut out = BufWriter::new(beside(&self.target)?);
        self.workbook.save_to_writer(&mut out).map_err(failed)?;
        out.flush()?;
        let temporary = out.into_inner().map_err(IntoInnerError::into_error)?;
        temporary.as_file().sync_all()?;
        Ok(temporary)
    }
}

/// Writes a cell with the type that it has; text is text, whatever it begins with.
pub(super) fn write_cell(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &SheetCell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match (cell, &formats.plain) {
        (SheetCell::Empty, None) => {}
        (SheetCell::Empty, Some(format)) => {
            sheet.write_blank(row, column, format)?;
        }
        (SheetCell::Text(text), format) => {
            let fitting = text.char_indices().nth(CELL).and_then(|(end, _)| text.get(..end));
            let text = fitting.unwrap_or(text);
            match format {
                None => sheet.write_string(row, column, text)?,
                Some(format) => sheet.write_string_with_format(row, column, text, format)?,
            };
        }
        (SheetCell::Number(number), None) => {
            sheet.write_number(row, column, *number)?;
        }
        (SheetCell::Number(number), Some(format)) => {
            sheet.write_number_with_format(row, column, *number, format)?;
        }
        (SheetCell::Flag(flag), None) => {
            sheet.write_boolean(row, column, *flag)?;
        }
        (SheetCell::Flag(flag), Some(format)) => {
            sheet.write_boolean_with_format(row, column, *flag, format)?;
        }
        (SheetCell::Date(days), _) => {
            let has_time = days.fract().abs() > f64::EPSILON;
            let format = if has_time { &formats.instant } else { &formats.date };
            sheet.write_number_with_format(row, column, *days, format)?;
        }
    }
    Ok(())
}

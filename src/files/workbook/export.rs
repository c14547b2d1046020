//! What the store has as a workbook: cells of the type that their column holds, a header that stays in sight and can be filtered
//! by. What would be a formula is text, and no digit is lost: a number with more than a spreadsheet keeps is text as well.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use chrono::{Datelike, NaiveDate};
use rust_xlsxwriter::{Color, Format, FormatBorder, Workbook, XlsxError};

use super::writing::{DATE, HEADER_FILL, failed, fixed, serial};
use crate::domain::kinds::schema::Type;

/// Rows of a sheet, the header included.
const ROWS: u32 = 1_048_576;
/// Digits that a spreadsheet keeps of a number.
const DIGITS: usize = 15;
/// Spreadsheets count days wrongly before March of this year.
const FIRST_YEAR: i32 = 1901;
/// How wide a column is at least, in characters, and at most.
const WIDTHS: (usize, usize) = (12, 40);

/// Writes the workbook that says what a canonical file does: its sheet has that name, and `type_of` tells what the cells of a
/// column hold; `None`: text. What does not fit in memory lies in `folder` meanwhile.
///
/// # Errors
/// The disk's; a sheet has no room for so many rows.
pub fn write(
    canonical: impl Read,
    sheet: &str,
    type_of: impl Fn(&str) -> Option<Type>,
    folder: &Path,
    out: impl Write + Send,
) -> io::Result<()> {
    let mut rows = csv::Reader::from_reader(canonical);
    let header = rows.headers()?.clone();
    let columns: Vec<_> = header.iter().map(|name| (name, type_of(name))).collect();
    let mut book = ExportBook::begin(sheet, &columns, folder)?;
    let mut row = csv::StringRecord::new();
    while rows.read_record(&mut row)? {
        book.row(&row)?;
    }
    book.whole(out)
}

/// A workbook with one sheet, being written row by row; it lies in a file of its own beside where it will be, not in memory.
struct ExportBook {
    workbook: Workbook,
    columns: Vec<Option<Type>>,
    text: Format,
    date: Format,
    /// By the decimals of what they show.
    numbers: [Format; 5],
    next_at: u32,
}

impl ExportBook {
    /// Begins a workbook whose sheet has that name and these columns, with what their cells hold.
    fn begin(sheet: &str, columns: &[(&str, Option<Type>)], folder: &Path) -> io::Result<Self> {
        let number = |places: usize| {
            let shown = if places == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(places)) };
            Format::new().set_num_format(shown)
        };
        let mut book = Self {
            workbook: Workbook::new(),
            columns: columns.iter().map(|(_, of)| *of).collect(),
            text: Format::new().set_num_format("@"),
            date: Format::new().set_num_format(DATE),
            numbers: [number(0), number(1), number(2), number(3), number(4)],
            next_at: 1,
        };
        book.workbook.set_properties(&fixed());
        book.workbook.set_tempdir(folder).map_err(failed)?;
        book.write_head(sheet, columns).map_err(failed)?;
        Ok(book)
    }

    fn write_head(&mut self, name: &str, columns: &[(&str, Option<Type>)]) -> Result<(), XlsxError> {
        let header = Format::new()
            .set_bold()
            .set_border_bottom(FormatBorder::Thin)
            .set_background_color(Color::RGB(HEADER_FILL));
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?.set_freeze_panes(1, 0)?;
        for (at, (name, of)) in (0_u16..).zip(columns) {
            sheet.write_string_with_format(0, at, *name, &header)?;
            let format = match of {
                Some(Type::Date | Type::Instant) => &self.date,
                Some(of) if is_number(*of) || *of == Type::Flag => continue,
                _ => &self.text,
            };
            sheet.set_column_format(at, format)?;
        }
        for (at, (name, of)) in (0_u16..).zip(columns) {
            let widest = match of {
                Some(Type::Text(_) | Type::Email | Type::User | Type::SignInName | Type::GuidOrId) => {
                    WIDTHS.1
                }
                _ => name.len().saturating_add(4),
            };
            let width = widest.clamp(WIDTHS.0, WIDTHS.1);
            sheet.set_column_width(at, u32::try_from(width).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Writes a row; its cells are canonical text.
    fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
        if self.next_at >= ROWS {
            let most = ROWS.saturating_sub(1);
            return Err(io::Error::other(format!(
                "a sheet has room for {most} rows below its header: write this export as CSV"
            )));
        }
        let at = self.next_at;
        for (column, cell) in (0_u16..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            self.cell((at, column), cell).map_err(failed)?;
        }
        self.next_at = at.saturating_add(1);
        Ok(())
    }

    fn cell(&mut self, (row, column): (u32, u16), cell: &str) -> Result<(), XlsxError> {
        let of = self.columns.get(usize::from(column)).copied().flatten();
        let sheet = self.workbook.worksheet_from_index(0)?;
        match of {
            Some(Type::Date | Type::Instant) => {
                let date = cell.parse::<NaiveDate>().ok().filter(|date| date.year() >= FIRST_YEAR);
                if let Some(date) = date {
                    sheet.write_number_with_format(row, column, serial(date), &self.date)?;
                    return Ok(());
                }
            }
            Some(Type::Flag) => {
                if let Ok(flag) = cell.parse::<bool>() {
                    sheet.write_boolean(row, column, flag)?;
                    return Ok(());
                }
            }
            Some(of) if is_number(of) => {
                if let Some((number, format)) =
                    number(cell).and_then(|(number, places)| Some((number, self.numbers.get(places)?)))
                {
                    sheet.write_number_with_format(row, column, number, format)?;
                    return Ok(());
                }
            }
            _ => {}
        }
        sheet.write_string_with_format(row, column, cell, &self.text)?;
        Ok(())
    }

    /// Writes the whole workbook.
    fn whole(mut self, out: impl Write + Send) -> io::Result<()> {
        let last_column = u16::try_from(self.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let sheet = self.workbook.worksheet_from_index(0).map_err(failed)?;
        sheet.autofilter(0, 0, self.next_at.saturating_sub(1), last_column).map_err(failed)?;
        self.workbook.save_to_writer(out).map_err(failed)
    }
}

/// What is written as a number.
const fn is_number(of: Type) -> bool {
    matches!(of, Type::Amount | Type::Hours | Type::Rate | Type::Count(_) | Type::Quantity)
}

/// A plain decimal and how many decimals it has. `None`: it is none, or has more digits than a spreadsheet keeps.
fn number(text: &str) -> Option<(f64, usize)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let places = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_plain && (1..=DIGITS).contains(&count))
        .then(|| text.parse().ok())
        .flatten()
        .map(|number| (number, places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_one_if_no_digit_is_lost() {
        assert_eq!(number("-12.50"), Some((-12.5, 2)));
        assert_eq!(number("0"), Some((0.0, 0)));
        assert_eq!(number("1234567890123.45"), Some((1_234_567_890_123.45, 2)));
        for text in ["12345678901234.56", "unlimited", "1E3", "", "-", "1.2.3", "+1"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}

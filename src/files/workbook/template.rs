//! A template as a workbook: columns formatted by what they hold, drop-down lists, and a note on each header cell.

use std::io;

use chrono::NaiveDate;
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, Format, FormatBorder, Note, Workbook, Worksheet,
    XlsxError,
};

use super::writing::{DATE, HEADER_FILL, failed, fixed, serial};
use crate::{
    domain::{
        kinds::{
            Kind,
            schema::{Column, Type},
        },
        language::Language,
    },
    files::template::example,
};

/// The last row of a sheet, from 0.
const LAST_ROW: u32 = 1_048_575;
/// How wide a column is at least, in characters, and at most.
const WIDTHS: (usize, usize) = (12, 40);
/// What example rows are written in.
const EXAMPLE_COLOUR: u32 = 0x80_80_80;
/// How wide and high a note is, in pixels.
const NOTE_SIZE: (u32, u32) = (280, 110);

/// The template of a kind as a workbook.
///
/// # Errors
/// None that memory does not give.
pub fn template(kind: Kind) -> io::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&fixed());
    fill(workbook.add_worksheet(), kind).map_err(failed)?;
    workbook.save_to_buffer().map_err(failed)
}

fn fill(sheet: &mut Worksheet, kind: Kind) -> Result<(), XlsxError> {
    sheet.set_name(kind.name())?.set_freeze_panes(1, 0)?;
    for ((at, column), shown) in (0_u16..).zip(kind.columns()).zip(example(kind)) {
        let header = Format::new().set_bold().set_border_bottom(FormatBorder::Thin);
        let header = if must(column) { header.set_background_color(Color::RGB(HEADER_FILL)) } else { header };
        sheet.write_string_with_format(0, at, column.name, &header)?;
        let note = Note::new(told(column)).set_width(NOTE_SIZE.0).set_height(NOTE_SIZE.1);
        sheet.insert_note(0, at, &note.add_author_prefix(false))?;
        let format = Format::new().set_num_format(number_format(column.of));
        sheet.set_column_format(at, &format)?;
        let width = column.name.len().max(shown.chars().count()).clamp(WIDTHS.0, WIDTHS.1);
        sheet.set_column_width(at, u32::try_from(width).unwrap_or_default())?;
        if let Some(list) = list(column)? {
            sheet.add_data_validation(1, at, LAST_ROW, at, &list)?;
        }
        let format = format.set_italic().set_font_color(Color::RGB(EXAMPLE_COLOUR));
        show(sheet, at, column, &shown, &format)?;
    }
    Ok(())
}

/// Writes the example's cell as a person would: a date as a date, a number as a number, anything else as text.
fn show(
    sheet: &mut Worksheet,
    at: u16,
    column: &Column,
    shown: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    let date = matches!(column.of, Type::Date | Type::Instant).then(|| shown.parse::<NaiveDate>().ok());
    let number = is_number(column.of).then(|| shown.parse::<f64>().ok());
    if let Some(date) = date.flatten() {
        sheet.write_number_with_format(1, at, serial(date), format)?;
    } else if let Some(number) = number.flatten() {
        sheet.write_number_with_format(1, at, number, format)?;
    } else if !shown.is_empty() {
        sheet.write_string_with_format(1, at, shown, format)?;
    }
    Ok(())
}

const fn is_number(of: Type) -> bool {
    matches!(of, Type::Amount | Type::Hours | Type::Rate | Type::Count(_) | Type::Quantity)
}

/// How a spreadsheet shows the cells of a column: identifiers as text, so that zeros before them stay.
const fn number_format(of: Type) -> &'static str {
    match of {
        Type::Date | Type::Instant => DATE,
        Type::Amount => "0.00##",
        Type::Hours | Type::Rate | Type::Count(_) | Type::Quantity | Type::Flag => "General",
        _ => "@",
    }
}

/// The words among which a cell is chosen, if there is a list of them; where several may be joined, others may be written too.
fn list(column: &Column) -> Result<Option<DataValidation>, XlsxError> {
    let words = match column.of {
        Type::Flag => &["true", "false"],
        of => of.words(),
    };
    if words.is_empty() {
        return Ok(None);
    }
    let list = DataValidation::new().allow_list_strings(words)?.ignore_blank(true);
    Ok(Some(match column.of {
        Type::SomeOf(..) | Type::Flag => list.set_error_style(DataValidationErrorStyle::Information),
        _ => list.set_error_style(DataValidationErrorStyle::Stop),
    }))
}

/// Whether a row must have a cell of it.
const fn must(column: &Column) -> bool {
    column.required && !column.may_be_empty
}

/// What a column is, for the note on its header.
fn told(column: &Column) -> String {
    let needed = if must(column) { "Required" } else { "May be empty" };
    let secret = if column.secret { " Secret: masked in what comes back." } else { "" };
    let holds = column.of.expected().phrase(Language::English);
    format!("{needed}. {}.\nHolds {holds}.{secret}", column.help.trim_end_matches('.'))
}

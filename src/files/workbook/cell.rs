//! A cell of a workbook by its type, as canonical text, and where it is.

use std::fmt::Write as _;

use calamine::{DataRef, ExcelDateTime, ExcelDateTimeType};

/// Digits that a spreadsheet keeps of a number, and shows.
const DIGITS: usize = 15;
/// Zeros behind the decimal point from which on a number is written with an exponent.
const ZEROS: i32 = 18;
/// Days between the two days from which spreadsheets count.
const DAYS_TO_1904: f64 = 1_462.0;
/// What stands for a number that is none.
const NO_NUMBER: &str = "#NUM!";

/// What a cell holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SheetCell {
    /// Nothing.
    #[default]
    Empty,
    /// Text; also the sign of a formula's error, such as `#N/A`.
    Text(String),
    /// A number.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// A date, perhaps with a time of day: days since the end of 1899.
    Date(f64),
}

impl SheetCell {
    /// A cell as its reader gives it.
    #[must_use]
    pub fn of(value: DataRef<'_>) -> Self {
        match value {
            DataRef::Empty => Self::Empty,
            DataRef::String(text) | DataRef::DurationIso(text) => Self::Text(without_nul(text)),
            DataRef::DateTimeIso(text) => Self::Text(without_nul(of_iso(&text).unwrap_or(text))),
            DataRef::SharedString(text) => Self::Text(without_nul(text.to_owned())),
            DataRef::Bool(flag) => Self::Flag(flag),
            DataRef::Error(error) => Self::Text(error.to_string()),
            DataRef::Int(number) => Self::Text(number.to_string()),
            DataRef::Float(number) if number.is_finite() => Self::Number(number),
            DataRef::DateTime(date) if date.as_f64().is_finite() => of_date(date),
            DataRef::Float(_) | DataRef::DateTime(_) => Self::Text(NO_NUMBER.to_owned()),
        }
    }

    /// Whether there is nothing to be seen in it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Number(_) | Self::Flag(_) | Self::Date(_) => false,
        }
    }

    /// It as canonical text: a date in ISO form, a number as a plain decimal with the digits that a spreadsheet keeps; one of
    /// which it has lost digits with an exponent, as it shows it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => plain(*number),
            Self::Flag(flag) => flag.to_string(),
            Self::Date(days) => iso(*days),
        }
    }
}

/// Text without the character that no store keeps; in its place stands one that no column takes.
#[must_use]
pub fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{1}") } else { text }
}

/// `2024-01-31T09:30:00.000Z` as `2024-01-31 09:30:00`, and midnight as its date. `None`: it is not of that form, and stays as it
/// is written, which no column of dates takes.
fn of_iso(text: &str) -> Option<String> {
    let (date, time) = text.split_once('T')?;
    let (time, fraction) = time.strip_suffix('Z').unwrap_or(time).split_at_checked(8)?;
    let is_time = time.bytes().enumerate().all(|(at, byte)| match at {
        2 | 5 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let is_fraction = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_time || !fraction.is_empty() && !fraction.strip_prefix('.').is_some_and(is_fraction) {
        return None;
    }
    Some(if time == "00:00:00" { date.to_owned() } else { format!("{date} {time}") })
}

/// A date, or a length of time as it is shown.
fn of_date(date: ExcelDateTime) -> SheetCell {
    let days = date.as_f64();
    if date.is_duration() {
        let (_, _, _, hour, minute, second, _) = date.to_ymd_hms_milli();
        let hours = (days.trunc() * 24.0) + f64::from(hour);
        return SheetCell::Text(format!("{hours}:{minute:02}:{second:02}"));
    }
    // What is counted from 1904 says the same day with a smaller number.
    let since_1899 = ExcelDateTime::new(days, ExcelDateTimeType::DateTime, false).to_ymd_hms_milli();
    let is_1904 = since_1899 != date.to_ymd_hms_milli();
    SheetCell::Date(if is_1904 { days + DAYS_TO_1904 } else { days })
}

/// `2024-01-31`, or `2024-01-31 09:30:00`.
fn iso(days: f64) -> String {
    let date = ExcelDateTime::new(days, ExcelDateTimeType::DateTime, false);
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) != (0, 0, 0) {
        let _ = write!(text, " {hour:02}:{minute:02}:{second:02}");
    }
    text
}

/// A number with the fifteen digits that are kept of it: `1234.5`, `0.3` also where `0.30000000000000004` is stored, and
/// `1E+17`, of which nobody knows whether its last digits were zeros.
fn plain(number: f64) -> String {
    let written = format!("{number:.precision$e}", precision = DIGITS - 1);
    let Some((mantissa, exponent)) = written.split_once('e') else { return NO_NUMBER.to_owned() };
    let Ok(exponent) = exponent.parse::<i32>() else { return NO_NUMBER.to_owned() };
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return "0".to_owned();
    }
    let kept = i32::try_from(DIGITS).unwrap_or(i32::MAX);
    if exponent >= kept || exponent < -ZEROS {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E{exponent:+03}");
    }
    let Ok(whole) = usize::try_from(exponent.saturating_add(1)) else {
        let zeros = usize::try_from(exponent.saturating_add(1).unsigned_abs()).unwrap_or_default();
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    };
    match digits.split_at_checked(whole) {
        Some(("", decimals)) => format!("{sign}0.{decimals}"),
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, decimals)) => format!("{sign}{whole}.{decimals}"),
        None => format!("{sign}{digits}{}", "0".repeat(whole.saturating_sub(digits.len()))),
    }
}

/// The address of a cell, whose column counts from 0 and whose line from 1: `C17`.
#[must_use]
pub fn address(column: usize, line: u64) -> String {
    format!("{}{line}", letters(column))
}

/// The letters of a column, from 0: `A`, `Z`, `AA`.
fn letters(column: usize) -> String {
    let (mut rest, mut letters) = (column, Vec::new());
    loop {
        letters.push(b'A'.saturating_add(u8::try_from(rest % 26).unwrap_or_default()));
        match (rest / 26).checked_sub(1) {
            Some(more) => rest = more,
            None => break,
        }
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f4_a_number_is_what_a_spreadsheet_keeps_of_it() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (42_017.0, "42017"),
            (1_234.5, "1234.5"),
            (-0.05, "-0.05"),
            (0.1 + 0.2, "0.3"),
            (1e9, "1000000000"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e15, "1E+15"),
            (1e17, "1E+17"),
            (1_234_567_890_123_456.0, "1.23456789012346E+15"),
            (-5.668_91e17, "-5.66891E+17"),
            (7.44e-5, "0.0000744"),
            (1e-18, "0.000000000000000001"),
            (1.5e-20, "1.5E-20"),
        ] {
            assert_eq!(plain(number), text, "{number}");
        }
    }

    #[test]
    fn dates_are_taken_by_their_type_in_both_systems() {
        let date = |days: f64, is_1904: bool| {
            let date = ExcelDateTime::new(days, ExcelDateTimeType::DateTime, is_1904);
            SheetCell::of(DataRef::DateTime(date)).text()
        };
        assert_eq!(date(45_322.0, false), "2024-01-31");
        assert_eq!(date(43_860.0, true), "2024-01-31");
        assert_eq!(date(45_322.395_833_333_3, false), "2024-01-31 09:30:00");
        let length = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(SheetCell::of(DataRef::DateTime(length)).text(), "36:00:00");
        assert_eq!(SheetCell::of(DataRef::Float(f64::NAN)).text(), "#NUM!");
        assert_eq!(SheetCell::of(DataRef::Bool(true)).text(), "true");
    }

    #[test]
    fn a_date_that_is_stored_as_text_is_one_as_a_whole_or_stays_as_it_is() {
        for (stored, text) in [
            ("2024-01-31", "2024-01-31"),
            ("2024-01-31T00:00:00", "2024-01-31"),
            ("2024-01-31T00:00:00.000Z", "2024-01-31"),
            ("2024-01-31T09:30:00Z", "2024-01-31 09:30:00"),
            ("2024-01-31T00:00:00tp://x", "2024-01-31T00:00:00tp://x"),
            ("2024-01-31T00:00:001", "2024-01-31T00:00:001"),
            ("2024-01-31T00:00:00+02:00", "2024-01-31T00:00:00+02:00"),
            ("2024-01-31T09:30", "2024-01-31T09:30"),
            ("2024-01-31T09:30:0\u{e5}", "2024-01-31T09:30:0\u{e5}"),
            ("2024-01-31T09:30:00.", "2024-01-31T09:30:00."),
        ] {
            assert_eq!(SheetCell::of(DataRef::DateTimeIso(stored.to_owned())).text(), text);
        }
    }

    #[test]
    fn a_cell_has_the_address_that_its_sheet_shows() {
        for (column, line, shown) in
            [(0, 1, "A1"), (2, 17, "C17"), (25, 2, "Z2"), (26, 2, "AA2"), (701, 9, "ZZ9"), (702, 9, "AAA9")]
        {
            assert_eq!(address(column, line), shown);
        }
    }
}

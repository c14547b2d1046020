//! How a file is written: encoding, delimiter, decimal mark, order of day and month. It is decided once for a file: the
//! delimiter from its header, marks and order from all its rows; or stated by the operator. A cell is then taken by its
//! column's type as canonical text, which is all that `domain` reads; what stays ambiguous is marked, and its row refused.

use std::{borrow::Cow, fmt};

use super::{
    delimiter::Delimiter,
    encoding::Encoding,
    profile::Profile,
    reader::{CellType, Record},
};
use crate::domain::{
    kinds::schema::Type,
    reason::{Reason, Trace},
};
use day::{DayOrder, WrittenDay};
use number::{Mark, Number};

pub mod day;
pub mod flag;
pub mod number;
pub mod written;

/// Before a cell that could not be taken as canonical text: what follows is the cell as written.
const UNSETTLED: char = '\u{2}';
/// Before the first cell of a row that ends the file without a line end.
const CUT_OFF: char = '\u{3}';
/// Control characters that have a meaning on the stage; in a file they become U+0001, which no column takes.
const TAKEN: [char; 3] = [UNSETTLED, CUT_OFF, '\u{1f}'];

/// What the operator says of how a file is written; the rest is found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatedDialect {
    /// The encoding.
    pub encoding: Option<Encoding>,
    /// The delimiter.
    pub delimiter: Option<Delimiter>,
    /// The decimal mark.
    pub decimal: Option<Mark>,
    /// The order of day and month.
    pub dates: Option<DayOrder>,
}

/// Which of two ways a file writes something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style<T> {
    /// No row says.
    #[default]
    Unsettled,
    /// This one.
    One(T),
    /// Some rows one, some the other: the first line of each.
    Both {
        /// The first line with a decimal point, or with the day first.
        one: u64,
        /// The first line with a decimal comma, or with the month first.
        other: u64,
    },
}

impl<T> From<Option<T>> for Style<T> {
    fn from(stated: Option<T>) -> Self {
        stated.map_or(Self::Unsettled, Self::One)
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// The encoding.
    pub encoding: Encoding,
    /// The delimiter.
    pub delimiter: Delimiter,
    /// The decimal mark.
    pub decimal: Style<Mark>,
    /// The order of day and month.
    pub dates: Style<DayOrder>,
    /// Of a workbook, the number of its sheet, from 1; its cells have types, and encoding and delimiter say nothing.
    pub sheet: Option<u16>,
}

/// A cell needs what other rows of its file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedsOtherRows;

/// A cell taken by its column's type.
enum CellText {
    /// It is canonical, or nothing that its column holds.
    AsWritten,
    /// In canonical text.
    Text(String),
    /// It stays ambiguous, or contradicts other rows.
    Unsettled,
}

impl Dialect {
    /// A row in canonical text: itself, or what it becomes in `into`. What rows of the file say together is known if it was
    /// `surveyed`.
    ///
    /// # Errors
    /// It was not, and a cell asks for it.
    pub fn take<'a>(
        &self,
        profile: &Profile,
        record: &'a Record,
        into: &'a mut Record,
        surveyed: bool,
    ) -> Result<&'a Record, NeedsOtherRows> {
        let points = self.number(&Number::With(Mark::Point, String::new())).is_some();
        let plain = |(at, cell): (usize, &str)| is_canonical(profile.type_at(at), cell, points);
        if !record.is_typed() && !record.holds_any(TAKEN) && record.iter().enumerate().all(plain) {
            return Ok(record);
        }
        into.clear(record.line());
        for (at, cell) in record.iter().enumerate() {
            let own =
                if cell.contains(TAKEN) { cell.replace(TAKEN, "\u{1}").into() } else { Cow::Borrowed(cell) };
            let cell = unguarded(&own);
            let of = profile.type_at(at);
            let taken =
                if let Some(is) = record.type_at(at).filter(|is| of.is_some_and(|of| decides(*is, of))) {
                    if is == CellType::Number { CellText::AsWritten } else { CellText::Unsettled }
                } else if is_canonical(of, cell, points) {
                    CellText::AsWritten
                } else {
                    self.take_cell(of, cell.trim(), surveyed)?
                };
            match taken {
                CellText::AsWritten => into.push(&[cell]),
                CellText::Text(text) => into.push(&[&text]),
                CellText::Unsettled => into.push(&[UNSETTLED.encode_utf8(&mut [0; 4]), cell]),
            }
        }
        Ok(into)
    }

    fn take_cell(&self, of: Option<Type>, cell: &str, surveyed: bool) -> Result<CellText, NeedsOtherRows> {
        let Some(of) = of else { return Ok(CellText::AsWritten) };
        let settled = match of {
            _ if is_number(of) => match number::read(cell) {
                None => return Ok(CellText::AsWritten),
                Some(number) => self.number(&number),
            },
            Type::Date | Type::Instant => match day::read(cell) {
                None => return Ok(CellText::AsWritten),
                Some(day) => self.date(day),
            },
            Type::Flag => {
                return Ok(
                    flag::read(cell).map_or(CellText::AsWritten, |flag| CellText::Text(flag.to_owned()))
                );
            }
            _ => return Ok(CellText::AsWritten),
        };
        match settled {
            Some(text) => Ok(CellText::Text(text)),
            None if surveyed => Ok(CellText::Unsettled),
            None => Err(NeedsOtherRows),
        }
    }

    /// A number in canonical text, if the file's decimal mark is settled as far as it matters.
    fn number(&self, number: &Number) -> Option<String> {
        match (number, self.decimal) {
            (Number::With(mark, text), Style::One(own)) if *mark == own => Some(text.clone()),
            (Number::Same(text), _) | (Number::With(Mark::Point, text), Style::Unsettled) => {
                Some(text.clone())
            }
            // With a comma between cells a decimal point is canonical, whatever other rows have.
            (Number::With(Mark::Point, text), Style::Both { .. }) if self.has_canonical_points() => {
                Some(text.clone())
            }
            (Number::Either { mark, decimal, whole }, Style::One(own)) => {
                Some(if *mark == own { decimal } else { whole }.clone())
            }
            // As the canonical form has it, which has a comma between cells.
            (Number::Either { mark: Mark::Point, decimal, .. }, Style::Unsettled)
                if self.has_canonical_points() =>
            {
                Some(decimal.clone())
            }
            _ => None,
        }
    }

    /// Whether a decimal point is canonical, whatever other rows have.
    fn has_canonical_points(&self) -> bool {
        self.delimiter == Delimiter::Comma && self.sheet.is_none()
    }

    /// A date in canonical text, if the file's order is settled as far as it matters.
    fn date(&self, day: WrittenDay) -> Option<String> {
        let date = match (day, self.dates) {
            (WrittenDay::Same(date), _) => date,
            (WrittenDay::With(order, date), Style::One(own)) if order == own => date,
            (WrittenDay::Either { day_first, .. }, Style::One(DayOrder::DayFirst)) => day_first,
            (WrittenDay::Either { month_first, .. }, Style::One(DayOrder::MonthFirst)) => month_first,
            _ => return None,
        };
        Some(date.to_string())
    }

    /// Why a cell that [`Self::take`] marked is refused, and what it says. `None`: it was not marked.
    #[must_use]
    pub fn refuses<'a>(&self, of: Type, staged: &'a str) -> Option<(&'a str, Reason)> {
        let cell = staged.strip_prefix(UNSETTLED)?;
        let line = |line: u64| i32::try_from(line).unwrap_or(i32::MAX);
        let against = |stated: String| Reason::AgainstDialect { stated };
        let reason = if is_identifier(of) {
            Reason::LeftBySpreadsheet { trace: Trace::Date }
        } else if is_number(of) {
            match (number::read(cell.trim())?, self.decimal) {
                (Number::Either { decimal, whole, .. }, _) => Reason::AmbiguousNumber { decimal, whole },
                (Number::With(Mark::Point, _), Style::Both { other, .. }) => {
                    Reason::NumbersDisagree { line: line(other) }
                }
                (_, Style::Both { one, .. }) => Reason::NumbersDisagree { line: line(one) },
                (..) => against(format!("decimal={}", self.decimal)),
            }
        } else {
            match (day::read(cell.trim())?, self.dates) {
                (WrittenDay::Either { day_first, month_first }, _) => {
                    Reason::AmbiguousDate { day_first, month_first }
                }
                (WrittenDay::With(DayOrder::DayFirst, _), Style::Both { other, .. }) => {
                    Reason::DatesDisagree { line: line(other) }
                }
                (_, Style::Both { one, .. }) => Reason::DatesDisagree { line: line(one) },
                (..) => against(format!("dates={}", self.dates)),
            }
        };
        Some((cell, reason))
    }
}

/// The mark before a row that ends its file without a line end.
#[must_use]
pub fn cut_off(cells: &str) -> String {
    format!("{CUT_OFF}{cells}")
}

/// Whether a staged row has that mark.
#[must_use]
pub fn is_cut_off(cells: &str) -> bool {
    cells.starts_with(CUT_OFF)
}

/// What the rows of a file say together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    point: Option<u64>,
    comma: Option<u64>,
    day_first: Option<u64>,
    month_first: Option<u64>,
}

impl Evidence {
    /// Notes what a row says.
    pub fn note(&mut self, profile: &Profile, record: &Record) {
        for (at, cell) in record.iter().enumerate() {
            let Some(of) = profile.type_at(at).filter(|_| record.type_at(at).is_none()) else { continue };
            let seen = match of {
                _ if is_number(of) => match number::read(unguarded(cell).trim()) {
                    Some(Number::With(Mark::Point, _)) => &mut self.point,
                    Some(Number::With(Mark::Comma, _)) => &mut self.comma,
                    _ => continue,
                },
                Type::Date | Type::Instant => match day::read(unguarded(cell).trim()) {
                    Some(WrittenDay::With(DayOrder::DayFirst, _)) => &mut self.day_first,
                    Some(WrittenDay::With(DayOrder::MonthFirst, _)) => &mut self.month_first,
                    _ => continue,
                },
                _ => continue,
            };
            seen.get_or_insert(record.line());
        }
    }

    /// The dialect that it settles, where the operator has not `stated` it.
    #[must_use]
    pub fn settle(&self, found: Dialect, stated: &StatedDialect) -> Dialect {
        let decimal = style(self.point, Mark::Point, self.comma, Mark::Comma);
        let dates = style(self.day_first, DayOrder::DayFirst, self.month_first, DayOrder::MonthFirst);
        Dialect {
            decimal: stated.decimal.map_or(decimal, Style::One),
            dates: stated.dates.map_or(dates, Style::One),
            ..found
        }
    }
}

fn style<T>(first: Option<u64>, one: T, second: Option<u64>, other: T) -> Style<T> {
    match (first, second) {
        (None, None) => Style::Unsettled,
        (Some(_), None) => Style::One(one),
        (None, Some(_)) => Style::One(other),
        (Some(one), Some(other)) => Style::Both { one, other },
    }
}

/// A number in any notation; everything else stands for itself.
const fn is_number(of: Type) -> bool {
    matches!(of, Type::Amount | Type::Hours | Type::Rate | Type::Count(_) | Type::Quantity)
}

/// What names something, and is never converted.
const fn is_identifier(of: Type) -> bool {
    matches!(
        of,
        Type::PartnerId
            | Type::Id
            | Type::Guid
            | Type::GuidOrId
            | Type::User
            | Type::Key
            | Type::KeyRef
            | Type::Benefit
    )
}

/// Whether the type of a cell says all there is to say in a column: a number is what it is, and a date is no identifier.
const fn decides(is: CellType, of: Type) -> bool {
    match is {
        CellType::Number => is_number(of),
        CellType::Date => is_identifier(of),
    }
}

/// Whether a cell is canonical already, or not of a type that is converted; told by a look at a few bytes. `points`: a point
/// before one, two or more than three digits is a decimal one.
fn is_canonical(of: Option<Type>, cell: &str, points: bool) -> bool {
    let bytes = cell.as_bytes();
    if bytes.first() == Some(&b'\'') {
        return false;
    }
    match of {
        _ if bytes.is_empty() => true,
        Some(Type::Date | Type::Instant) => {
            bytes.len() == 10
                && bytes.iter().enumerate().all(|(at, byte)| match at {
                    4 | 7 => *byte == b'-',
                    _ => byte.is_ascii_digit(),
                })
        }
        Some(of) if is_number(of) => bytes.iter().all(u8::is_ascii_digit) || points && is_decimal(bytes),
        Some(Type::Flag) => matches!(bytes.first(), Some(b't' | b'T' | b'f' | b'F')) && bytes.len() <= 5,
        _ => true,
    }
}

/// Digits, a point, and one, two or more than three digits.
fn is_decimal(bytes: &[u8]) -> bool {
    let Some(at) = bytes.iter().position(|byte| *byte == b'.') else { return false };
    let (whole, decimals) =
        (bytes.get(..at).unwrap_or_default(), bytes.get(at.saturating_add(1)..).unwrap_or_default());
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    digits(whole) && digits(decimals) && decimals.len() != 3
}

/// A cell without the apostrophe that keeps a spreadsheet from taking it for a formula; see [`is_formula`].
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(own) if is_formula(own) => own,
        _ => cell,
    }
}

/// Whether a spreadsheet may take a cell for a formula, so that it is written with an apostrophe before it; one that
/// begins with an apostrophe before such a thing has one more, so that taking it away gives the cell back.
#[must_use]
pub fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

impl fmt::Display for Style<Mark> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsettled => f.write_str("unsettled"),
            Self::One(Mark::Point) => f.write_str("point"),
            Self::One(Mark::Comma) => f.write_str("comma"),
            Self::Both { one, other } => write!(f, "both({one};{other})"),
        }
    }
}

impl fmt::Display for Style<DayOrder> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsettled => f.write_str("unsettled"),
            Self::One(DayOrder::DayFirst) => f.write_str("dmy"),
            Self::One(DayOrder::MonthFirst) => f.write_str("mdy"),
            Self::Both { one, other } => write!(f, "both({one};{other})"),
        }
    }
}

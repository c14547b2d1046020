//! Reads the cells of a row into types, by canonical column, and collects every problem (D13).

use std::cell::Cell as Cursor;

use super::{
    super::{
        money::Currency,
        reason::{Expected, Problem, Reason},
    },
    schema::{Column, Field},
};

/// Characters of a cell that a problem repeats; longer ones are shortened.
const SHOWN: usize = 200;

/// What an optional column says about a stored value (D16).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The column is absent: what is stored stays.
    #[default]
    Keep,
    /// The cell is empty: what is stored is cleared.
    Clear,
    /// The cell says this.
    Set(T),
}

impl<T> Patch<T> {
    /// The value that is set.
    pub const fn as_set(&self) -> Option<&T> {
        if let Self::Set(value) = self { Some(value) } else { None }
    }

    /// What is stored afterwards, given what was.
    pub fn onto(self, stored: Option<T>) -> Option<T> {
        match self {
            Self::Keep => stored,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The value that is set, or nothing.
    pub fn into_set(self) -> Option<T> {
        self.onto(None)
    }
}

/// One cell, trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// The file has no such column.
    Absent,
    /// The cell is empty or blank.
    Empty,
    /// What it says, without surrounding white space.
    Text(&'a str),
}

/// The cells of one row by canonical column. It borrows them, so it is cheap to make.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a> {
    columns: &'static [Column],
    places: &'a [Option<usize>],
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Cells<'a> {
    /// A row whose cells stand one after the other in `text`, each up to its place in `ends`; `places` says for each of
    /// `columns` which cell it is.
    #[must_use]
    pub const fn new(
        columns: &'static [Column],
        places: &'a [Option<usize>],
        text: &'a str,
        ends: &'a [usize],
    ) -> Self {
        Self { columns, places, text, ends }
    }

    /// The cell of a canonical column.
    #[must_use]
    pub fn get(&self, column: &str) -> Content<'a> {
        self.columns.iter().position(|c| c.name == column).map_or(Content::Absent, |index| self.at(index))
    }

    /// All columns, each with its cell.
    pub fn each(&self) -> impl Iterator<Item = (&'static Column, Content<'a>)> {
        self.columns.iter().enumerate().map(|(index, column)| (column, self.at(index)))
    }

    fn at(&self, index: usize) -> Content<'a> {
        match self.written(index).map(str::trim) {
            None => Content::Absent,
            Some("") => Content::Empty,
            Some(text) => Content::Text(text),
        }
    }

    fn written(&self, index: usize) -> Option<&'a str> {
        let place = (*self.places.get(index)?)?;
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..*self.ends.get(place)?)
    }

    /// The key of the row, and all that it says, each in canonical form (D16). `None`: the key is not all there.
    #[must_use]
    pub fn key_and_content(&self) -> Option<(String, String)> {
        let (mut key, mut content) = (String::new(), String::new());
        for (index, column) in self.columns.iter().enumerate() {
            let cell = match self.at(index) {
                Content::Text(text) => column.of.canonical(text),
                Content::Absent | Content::Empty if column.key => return None,
                Content::Absent | Content::Empty => "".into(),
            };
            if column.key {
                key.push_str(&cell);
                key.push('\u{1f}');
            }
            content.push_str(&cell);
            content.push('\u{1f}');
        }
        Some((key, content))
    }

    /// Begins to read the row.
    pub(super) fn read(&self) -> Reading<'a> {
        Reading { cells: *self, next: Cursor::new(0), problems: Vec::new() }
    }
}

/// A row being read: every method takes a column and notes what is wrong with it.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    cells: Cells<'a>,
    /// Where the next column probably is: columns are mostly asked for in canonical order.
    next: Cursor<usize>,
    problems: Vec<Problem>,
}

impl<'a> Reading<'a> {
    fn index(&self, column: &str) -> Option<usize> {
        let columns = self.cells.columns;
        let next = self.next.get();
        let index = match columns.get(next) {
            Some(probable) if probable.name == column => next,
            _ => columns.iter().position(|c| c.name == column)?,
        };
        self.next.set(index.saturating_add(1));
        Some(index)
    }

    /// The cell of `column`.
    pub fn content(&self, column: &str) -> Content<'a> {
        self.index(column).map_or(Content::Absent, |index| self.cells.at(index))
    }

    /// Notes a problem with `column`.
    pub fn problem(&mut self, column: &str, reason: Reason) {
        let written = self.index(column).and_then(|index| self.cells.written(index)).unwrap_or_default();
        self.problems.push(Problem::at(column, &shown(written), reason));
    }

    /// A cell that must say something.
    pub fn need<T>(&mut self, field: &Field<T>) -> Option<T> {
        self.need_as(field, field.parse)
    }

    /// A cell that must say something, read as the rest of its row asks.
    pub fn need_as<T, U>(&mut self, field: &Field<U>, parse: impl FnOnce(&'a str) -> Option<T>) -> Option<T> {
        let column = &field.column;
        let Content::Text(text) = self.content(column.name) else {
            self.problem(column.name, Reason::Missing);
            return None;
        };
        let value = parse(text);
        if value.is_none() {
            self.invalid(column, text);
        }
        value
    }

    /// Notes that a cell does not hold what its column asks for.
    fn invalid(&mut self, column: &Column, text: &str) {
        let reason = Reason::Invalid { expected: column.of.expected(), meant: column.of.meant(text) };
        self.problem(column.name, reason);
    }

    /// A cell that may be empty or absent.
    pub fn patch<T>(&mut self, field: &Field<T>) -> Option<Patch<T>> {
        self.patch_as(field, field.parse)
    }

    /// A cell that may be empty or absent, read as the rest of its row asks.
    pub fn patch_as<T, U>(
        &mut self,
        field: &Field<U>,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Option<Patch<T>> {
        let column = &field.column;
        match self.content(column.name) {
            Content::Absent => Some(Patch::Keep),
            Content::Empty => Some(Patch::Clear),
            Content::Text(text) => {
                let value = parse(text).map(Patch::Set);
                if value.is_none() {
                    self.invalid(column, text);
                }
                value
            }
        }
    }

    /// Whether an amount has more decimals than its currency, zeros or not, which is noted: `12.000` may be twelve, or
    /// twelve thousand as a spreadsheet writes it (D4).
    pub fn has_too_many_decimals(&mut self, column: &str, currency: Currency) -> bool {
        let places = currency.exponent();
        let Content::Text(text) = self.content(column) else { return false };
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let excess = usize::try_from(places).is_ok_and(|places| decimals > places)
            && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        if excess {
            self.problem(column, Reason::TooManyDecimals { currency, places });
        }
        excess
    }

    /// The row, or everything that is wrong with it. `row` is `None` only where a problem was noted.
    pub fn finish<T>(self, row: Option<T>) -> Result<T, Vec<Problem>> {
        match row {
            Some(row) if self.problems.is_empty() => Ok(row),
            _ => Err(self.problems),
        }
    }
}

/// A problem with a cell that does not hold what its column asks for.
#[must_use]
pub fn invalid(column: &str, written: &str, expected: Expected) -> Problem {
    Problem::at(column, &shown(written), Reason::Invalid { expected, meant: None })
}

fn shown(written: &str) -> std::borrow::Cow<'_, str> {
    match written.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", written.get(..end).unwrap_or_default()).into(),
        None => written.into(),
    }
}

#[cfg(test)]
#[path = "cell_tests.rs"]
pub(in crate::domain) mod tests;

//! A dialect in words: `encoding=windows-1252,delimiter=semicolon,decimal=comma,dates=dmy`, or `canonical`; as the operator
//! states it, as an import tells it, and as the store remembers it.

use std::fmt;

use super::{Dialect, StatedDialect, Style, day::DayOrder, number::Mark};
use crate::files::{delimiter::Delimiter, encoding::Encoding};

/// What is said of a file that is written as exports are.
const CANONICAL: &str = "canonical";

/// What is said of a workbook.
const WORKBOOK: &str = "workbook";

/// What may be stated, for who states something else.
pub const KNOWN: &str = "encoding=utf-8, utf-16le, utf-16be or windows-1252; delimiter=comma, semicolon, tab or pipe; \
     decimal=point or comma; dates=dmy or mdy";

impl StatedDialect {
    /// Reads `encoding=windows-1252,delimiter=semicolon`; a delimiter may be written as itself.
    ///
    /// # Errors
    /// What is not understood, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut stated = Self::default();
        let text =
            text.replace("delimiter=,", "delimiter=comma").replace("delimiter=;", "delimiter=semicolon");
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.trim().to_lowercase(), value.trim_matches(' ').to_lowercase());
            let understood = match name.as_str() {
                "encoding" => put(&mut stated.encoding, encoding(&value)),
                "delimiter" => put(&mut stated.delimiter, delimiter(&value)),
                "decimal" => put(&mut stated.decimal, decimal(&value)),
                "dates" => put(&mut stated.dates, order(&value)),
                _ => false,
            };
            if !understood {
                return Err(format!(
                    "'{}' is not understood, or said twice; there are: {KNOWN}",
                    part.trim()
                ));
            }
        }
        Ok(stated)
    }
}

/// Puts a value where there is none yet.
fn put<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let is_new = place.is_none() && value.is_some();
    *place = value;
    is_new
}

fn encoding(text: &str) -> Option<Encoding> {
    let text = text.replace('_', "-");
    let text = match text.as_str() {
        "utf8" => "utf-8",
        "utf16" | "utf-16" | "unicode" => "utf-16le",
        "cp1252" | "windows1252" | "ansi" | "latin1" | "iso-8859-1" => "windows-1252",
        text => text,
    };
    Encoding::ALL.into_iter().find(|encoding| encoding.name() == text)
}

fn delimiter(text: &str) -> Option<Delimiter> {
    let is = |it: &Delimiter| {
        it.name() == text || text.as_bytes() == [it.byte()] || text == "\\t" && *it == Delimiter::Tab
    };
    Delimiter::ALL.into_iter().find(is)
}

fn decimal(text: &str) -> Option<Mark> {
    match text {
        "point" | "." => Some(Mark::Point),
        "comma" => Some(Mark::Comma),
        _ => None,
    }
}

fn order(text: &str) -> Option<DayOrder> {
    match text {
        "dmy" => Some(DayOrder::DayFirst),
        "mdy" => Some(DayOrder::MonthFirst),
        _ => None,
    }
}

impl fmt::Display for StatedDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.encoding.map(|it| format!("encoding={}", it.name())),
            self.delimiter.map(|it| format!("delimiter={}", it.name())),
            self.decimal.map(|it| format!("decimal={}", Style::One(it))),
            self.dates.map(|it| format!("dates={}", Style::One(it))),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str(CANONICAL);
        }
        match self.sheet {
            Some(sheet) => write!(f, "{WORKBOOK},sheet={sheet}")?,
            None => write!(f, "encoding={},delimiter={}", self.encoding.name(), self.delimiter.name())?,
        }
        if self.decimal != Style::Unsettled {
            write!(f, ",decimal={}", self.decimal)?;
        }
        if self.dates != Style::Unsettled {
            write!(f, ",dates={}", self.dates)?;
        }
        Ok(())
    }
}

impl Dialect {
    /// Reads what [`fmt::Display`] wrote, as the store remembers it; what is not there is as in the canonical form.
    #[must_use]
    pub fn remembered(text: &str) -> Self {
        let value = |name: &str| {
            text.split(',')
                .find_map(|part| part.split_once('=').filter(|(key, _)| *key == name))
                .map(|(_, value)| value)
        };
        Self {
            encoding: value("encoding").and_then(encoding).unwrap_or_default(),
            delimiter: value("delimiter").and_then(delimiter).unwrap_or_default(),
            decimal: value("decimal").map_or(Style::Unsettled, |text| style(text, decimal)),
            dates: value("dates").map_or(Style::Unsettled, |text| style(text, order)),
            sheet: value("sheet").and_then(|number| number.parse().ok()),
        }
    }
}

fn style<T>(text: &str, one: impl Fn(&str) -> Option<T>) -> Style<T> {
    let both = text.strip_prefix("both(").and_then(|text| text.strip_suffix(')')?.split_once(';'));
    match both.and_then(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?))) {
        Some((one, other)) => Style::Both { one, other },
        None => one(text).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_states_is_understood_or_told_what_there_is() {
        let stated =
            StatedDialect::parse("encoding=Windows-1252,delimiter=;,decimal=comma, dates=dmy").unwrap();
        assert_eq!(stated.to_string(), "encoding=windows-1252,delimiter=semicolon,decimal=comma,dates=dmy");
        assert_eq!(StatedDialect::parse("delimiter=,").unwrap().delimiter, Some(Delimiter::Comma));
        assert_eq!(StatedDialect::parse("delimiter=\t").unwrap().delimiter, Some(Delimiter::Tab));
        assert_eq!(StatedDialect::parse("").unwrap(), StatedDialect::default());
        for bad in
            ["decimal=;", "dates=ymd", "encoding=ebcdic", "colour=red", "dates=dmy,dates=mdy", "semicolon"]
        {
            assert!(StatedDialect::parse(bad).unwrap_err().contains("delimiter=comma"), "{bad}");
        }
    }

    #[test]
    fn what_the_store_remembers_is_what_was_decided() {
        let dialect = Dialect {
            encoding: Encoding::Utf16Be,
            delimiter: Delimiter::Tab,
            decimal: Style::Both { one: 2, other: 9 },
            dates: Style::One(DayOrder::MonthFirst),
            sheet: None,
        };
        assert_eq!(dialect.to_string(), "encoding=utf-16be,delimiter=tab,decimal=both(2;9),dates=mdy");
        let comma = Dialect { decimal: Style::One(Mark::Comma), ..Dialect::default() };
        let workbook =
            Dialect { sheet: Some(3), dates: Style::One(DayOrder::DayFirst), ..Dialect::default() };
        assert_eq!(workbook.to_string(), "workbook,sheet=3,dates=dmy");
        for one in [dialect, comma, workbook, Dialect::default()] {
            assert_eq!(Dialect::remembered(&one.to_string()), one);
        }
        assert_eq!(Dialect::default().to_string(), "canonical");
    }
}

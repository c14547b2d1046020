//! Numbers as people and spreadsheets write them: a decimal point or comma, groups of three digits, a minus of any kind.

/// A mark that stands before the decimals in one country and between thousands in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `.`
    Point,
    /// `,`
    Comma,
}

impl Mark {
    const fn of(c: char) -> Option<Self> {
        match c {
            '.' => Some(Self::Point),
            ',' => Some(Self::Comma),
            _ => None,
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }
}

/// What a number says, in canonical text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// The same under either decimal mark.
    Same(String),
    /// It can only be meant with this decimal mark.
    With(Mark, String),
    /// `1.234`: a decimal or a thousand, as the mark in it is the decimal one or not.
    Either {
        /// The mark in it.
        mark: Mark,
        /// What it says if that is the decimal mark.
        decimal: String,
        /// What it says if it stands between thousands.
        whole: String,
    },
}

/// What may stand between groups of three digits besides the marks. One number has one of them.
const GROUPS: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '’'];

/// Reads a number without surrounding space. `None`: it is none.
#[must_use]
pub fn read(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '\u{2212}']);
    let sign = if digits.is_some() { "-" } else { "" };
    let digits = digits.unwrap_or(text);
    let marks: Vec<char> = digits.chars().filter(|c| !c.is_ascii_digit()).collect();
    let parts: Vec<&str> = digits.split(|c: char| !c.is_ascii_digit()).collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let number = |whole: &[&str], decimals: Option<&str>| {
        let whole = whole.concat();
        decimals.map_or_else(|| format!("{sign}{whole}"), |decimals| format!("{sign}{whole}.{decimals}"))
    };
    let one_kind = |marks: &[char]| marks.windows(2).all(|pair| pair.first() == pair.last());
    let (last, groups) = match marks.split_last() {
        None => return Some(Number::Same(number(&parts, None))),
        Some((last, groups)) => (*last, groups),
    };
    let (decimals, before) = parts.split_last()?;
    match (Mark::of(last), groups) {
        (None, _) => {
            let fits = GROUPS.contains(&last) && one_kind(&marks) && in_threes(&parts);
            fits.then(|| Number::Same(number(&parts, None)))
        }
        (Some(mark), []) if in_threes(&parts) => Some(Number::Either {
            mark,
            decimal: number(before, Some(decimals)),
            whole: number(&parts, None),
        }),
        (Some(mark), []) => Some(Number::With(mark, number(before, Some(decimals)))),
        (Some(mark), [group, ..]) if *group == last => {
            (one_kind(&marks) && in_threes(&parts)).then(|| Number::With(mark.other(), number(&parts, None)))
        }
        (Some(mark), [group, ..]) => {
            let known = GROUPS.contains(group) || Mark::of(*group).is_some();
            let fits = known && one_kind(groups) && in_threes(before);
            fits.then(|| Number::With(mark, number(before, Some(decimals))))
        }
    }
}

/// Whether these are thousands: up to three digits that do not begin with zero, then three each.
fn in_threes(parts: &[&str]) -> bool {
    parts.split_first().is_some_and(|(first, rest)| {
        (1..=3).contains(&first.len()) && !first.starts_with('0') && rest.iter().all(|part| part.len() == 3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_meant_or_as_either() {
        let same = |text: &str| Some(Number::Same(text.to_owned()));
        let with = |mark, text: &str| Some(Number::With(mark, text.to_owned()));
        for (written, meant) in [
            ("12", same("12")),
            ("\u{2212}5", same("-5")),
            ("1 234", same("1234")),
            ("1\u{a0}234\u{a0}567", same("1234567")),
            ("1'234", same("1234")),
            ("12.50", with(Mark::Point, "12.50")),
            ("12,5", with(Mark::Comma, "12.5")),
            ("0,123", with(Mark::Comma, "0.123")),
            ("1234,567", with(Mark::Comma, "1234.567")),
            ("-1\u{202f}234,50", with(Mark::Comma, "-1234.50")),
            ("1.234,56", with(Mark::Comma, "1234.56")),
            ("1,234.56", with(Mark::Point, "1234.56")),
            ("1’234.50", with(Mark::Point, "1234.50")),
            ("1,234,567", with(Mark::Point, "1234567")),
            ("1.234.567", with(Mark::Comma, "1234567")),
            ("1 234,567", with(Mark::Comma, "1234.567")),
        ] {
            assert_eq!(read(written), meant, "{written}");
        }
        let either = Number::Either { mark: Mark::Comma, decimal: "-1.234".into(), whole: "-1234".into() };
        assert_eq!(read("-1,234"), Some(either));
        for none in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "+1",
            "1,23,456",
            "1.23.456",
            "12 34",
            "1 2345",
            "1,234,56",
            "1 234'567",
            "1..2",
            "--1",
            "1.234.567.8",
            "0 123",
            "12.50 kr",
            "１２",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}

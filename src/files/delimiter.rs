//! What stands between the cells of a row.

/// What stands between the cells of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

impl Delimiter {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    /// The byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }

    /// The name, as in `--dialect`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Pipe => "pipe",
        }
    }
}

/// The line that names the delimiter for a spreadsheet, `sep=;`, and its length with its end.
#[must_use]
pub fn preamble(bytes: &[u8]) -> Option<(Delimiter, usize)> {
    let line = bytes.split_inclusive(|byte| *byte == b'\n').next()?;
    let text = line.strip_suffix(b"\n")?;
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
    let (name, named) = text.split_at_checked(4)?;
    let delimiter = Delimiter::ALL.into_iter().find(|delimiter| named == [delimiter.byte()])?;
    name.eq_ignore_ascii_case(b"sep=").then_some((delimiter, line.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_may_name_the_delimiter() {
        assert_eq!(preamble(b"sep=;\r\na;b\r\n"), Some((Delimiter::Semicolon, 7)));
        assert_eq!(preamble(b"\"SEP=\t\"\na"), Some((Delimiter::Tab, 8)));
        for none in [&b"sep=;"[..], b"sep=;;\n", b"sep=x\n", b"set=;\n", b"", b"\xFF\xFEs\0e\0p\0"] {
            assert_eq!(preamble(none), None);
        }
    }
}

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

/// The length of a line that says of which version a portal's template is, `version:v1.0`, with its end; a spreadsheet pads it.
#[must_use]
pub fn version_line(bytes: &[u8]) -> Option<usize> {
    let line = bytes.split_inclusive(|byte| *byte == b'\n').next()?;
    let text = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let padding =
        |c: char| c.is_whitespace() || c == '"' || Delimiter::ALL.iter().any(|d| c == char::from(d.byte()));
    let (name, version) = text.trim_matches(padding).split_once(':')?;
    let is_version = |c: char| c.is_ascii_digit() || matches!(c, 'v' | 'V' | '.' | ' ');
    (name.eq_ignore_ascii_case("version") && version.chars().all(is_version)).then_some(line.len())
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

    #[test]
    fn a_first_line_may_say_of_which_version_a_template_is() {
        for line in ["version:v1.0\n", "version:v1.0,,,,\r\n", "\"version:v1.0\";;;\r\n", "Version: V2\t\t\n"]
        {
            assert_eq!(version_line(format!("{line}a,b\n").as_bytes()), Some(line.len()), "{line}");
        }
        for none in ["version:v1.0", "version,a\n", "version:v1.0,a\n", "a,b\nversion:v1.0\n", ""] {
            assert_eq!(version_line(none.as_bytes()), None, "{none}");
        }
    }
}

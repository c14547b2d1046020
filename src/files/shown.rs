//! Names as they are shown. Somebody else chose them, and no terminal, log, note or answer may obey them (promise 12).

use std::{ffi::OsStr, fmt::Write as _, path::Path};

/// A name with everything escaped that is not seen, that moves a cursor or that turns the direction of writing, and bytes
/// that are no text: `a%0Ab.csv` for a name of two lines.
#[must_use]
pub fn shown(name: &OsStr) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_plain(c) {
                text.push(c);
            } else {
                escape(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        escape(&mut text, chunk.invalid());
    }
    text
}

/// The same of a whole path.
#[must_use]
pub fn shown_path(path: &Path) -> String {
    shown(path.as_os_str())
}

/// The same of any text.
#[must_use]
pub fn shown_text(text: &str) -> String {
    shown(OsStr::new(text))
}

/// Whether a character is shown as what it is, and nothing else.
#[must_use]
pub fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

fn escape(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "%{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn what_is_not_seen_is_escaped_and_all_else_stays() {
        for (name, seen) in [
            (&b"users.csv"[..], "users.csv"),
            ("Åkeri – 2024 (1).csv".as_bytes(), "Åkeri – 2024 (1).csv"),
            (b"a\nb.csv", "a%0Ab.csv"),
            (b"\x1b[2Jx.csv", "%1B[2Jx.csv"),
            (b"a\xffb", "a%FFb"),
            ("a\u{202E}vsc.exe".as_bytes(), "a%E2%80%AEvsc.exe"),
            ("a\u{9b}b\u{200b}".as_bytes(), "a%C2%9Bb%E2%80%8B"),
        ] {
            assert_eq!(shown(OsStr::from_bytes(name)), seen);
        }
    }
}

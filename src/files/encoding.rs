//! The encodings that files come in: UTF-8, UTF-16 in both byte orders and Windows-1252, each read strictly. A reader is
//! given UTF-8 in any case, and an answer goes back in the encoding of its file.

use encoding_rs::{Decoder, EncoderResult};

/// How the text of a file is written in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252, without the five bytes that stand for nothing in it.
    Windows1252,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    /// The name, as in `--dialect`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// Its byte order mark, if it has one.
    #[must_use]
    pub const fn byte_order_mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
            Self::Utf16Be => b"\xFE\xFF",
            Self::Windows1252 => b"",
        }
    }

    /// What the first bytes of a file show: a byte order mark, or every other byte of the first line empty. `None`: it may be
    /// UTF-8 or one byte a character.
    #[must_use]
    pub fn shown_by(head: &[u8]) -> Option<Self> {
        let marked = |it: &Self| !it.byte_order_mark().is_empty() && head.starts_with(it.byte_order_mark());
        if let Some(marked) = Self::ALL.into_iter().find(marked) {
            return Some(marked);
        }
        let line = head.get(..head.len().min(256)).unwrap_or_default();
        let (pairs, _) = line.as_chunks::<2>();
        let of = |wide: fn(&[u8; 2]) -> bool| {
            let text = pairs.iter().take_while(|pair| wide(pair)).count();
            text >= 4 && text * 4 >= pairs.len() * 3
        };
        if of(|[low, high]| *low != 0 && *high == 0) {
            Some(Self::Utf16Le)
        } else if of(|[high, low]| *low != 0 && *high == 0) {
            Some(Self::Utf16Be)
        } else {
            None
        }
    }

    /// How many bytes of the file these bytes of UTF-8 are.
    #[must_use]
    pub fn bytes_of(self, utf8: &[u8]) -> u64 {
        let characters = |of: &[u8]| of.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64;
        match self {
            Self::Utf8 => utf8.len() as u64,
            Self::Windows1252 => characters(utf8),
            Self::Utf16Le | Self::Utf16Be => {
                let beyond = utf8.iter().filter(|byte| **byte >= 0xF0).count() as u64;
                characters(utf8).saturating_add(beyond).saturating_mul(2)
            }
        }
    }

    /// Writes text in it. What it has no character for, which only our own words can hold, becomes `?`.
    pub fn write(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Self::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Self::Windows1252 => {
                let (mut encoder, mut rest) = (encoding_rs::WINDOWS_1252.new_encoder(), text);
                loop {
                    let room = rest.len().saturating_add(16);
                    let mut part = vec![0; room];
                    let (result, read, written) =
                        encoder.encode_from_utf8_without_replacement(rest, &mut part, true);
                    out.extend(part.iter().take(written));
                    rest = rest.get(read..).unwrap_or_default();
                    match result {
                        EncoderResult::InputEmpty => break,
                        EncoderResult::OutputFull => {}
                        EncoderResult::Unmappable(_) => out.push(b'?'),
                    }
                }
            }
        }
    }

    /// What decodes it.
    #[must_use]
    pub fn decoder(self) -> Decoder {
        match self {
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
            Self::Windows1252 => encoding_rs::WINDOWS_1252,
        }
        .new_decoder_without_bom_handling()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(encoding: Encoding, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoding.write(text, &mut bytes);
        bytes
    }

    #[test]
    fn an_encoding_is_shown_by_its_mark_or_by_empty_bytes() {
        for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
            assert_eq!(
                Encoding::shown_by(&written(encoding, "partner_id\tname\r\n42\tÅkeri")),
                Some(encoding)
            );
            let marked = [encoding.byte_order_mark(), &written(encoding, "a")].concat();
            assert_eq!(Encoding::shown_by(&marked), Some(encoding));
        }
        assert_eq!(Encoding::shown_by(b"\xEF\xBB\xBFa"), Some(Encoding::Utf8));
        for plain in [&b"partner_id,name\n"[..], b"a\0b", b"", b"\0\0\0\0\0\0\0\0\0\0\0\0"] {
            assert_eq!(Encoding::shown_by(plain), None);
        }
    }
}

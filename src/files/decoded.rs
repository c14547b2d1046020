//! Text of another encoding, read as UTF-8.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult};

use super::{Refusal, encoding::Encoding};

/// Bytes decoded at a time.
const CHUNK: usize = 32 * 1024;

/// Reads what is written in another encoding as UTF-8, strictly: what stands for no character ends it with a
/// [`Refusal::NotInEncoding`] inside the error.
#[derive(Debug)]
pub struct Decoded<R> {
    input: R,
    encoding: Encoding,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// The part of `text` that was not read yet.
    start: usize,
    end: usize,
    line: u64,
    offset: u64,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    /// Decodes `input`, of which `offset` bytes, a byte order mark, were read before.
    pub fn new(input: R, encoding: Encoding, offset: u64) -> Self {
        Self {
            input,
            encoding,
            decoder: encoding.decoder(),
            raw: vec![0; CHUNK],
            text: vec![0; CHUNK * 3 + 16],
            start: 0,
            end: 0,
            line: 1,
            offset,
            ended: false,
        }
    }

    /// Decodes the next bytes; afterwards there is text, or the file has ended.
    fn fill(&mut self) -> io::Result<()> {
        while self.start == self.end && !self.ended {
            let got = loop {
                match self.input.read(&mut self.raw) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
            self.ended = got == 0;
            let piece = self.raw.get(..got).unwrap_or_default();
            let (result, _, written) =
                self.decoder.decode_to_utf8_without_replacement(piece, &mut self.text, self.ended);
            (self.start, self.end) = (0, written);
            let text = self.text.get(..written).unwrap_or_default();
            let bad = match result {
                DecoderResult::Malformed(..) => Some(written),
                DecoderResult::InputEmpty | DecoderResult::OutputFull => None,
            };
            let bad = control(text).or(bad);
            if let Some(at) = bad {
                let good = text.get(..at).unwrap_or_default();
                let lines = lines(good);
                return Err(io::Error::other(Refusal::NotInEncoding {
                    line: self.line.saturating_add(lines),
                    offset: self.offset.saturating_add(self.encoding.bytes_of(good)),
                    encoding: self.encoding,
                }));
            }
            self.line = self.line.saturating_add(lines(text));
            self.offset = self.offset.saturating_add(self.encoding.bytes_of(text));
        }
        Ok(())
    }
}

/// Line feeds in a text.
fn lines(text: &[u8]) -> u64 {
    text.iter().fold(0, |lines, byte| lines.saturating_add(u64::from(*byte == b'\n')))
}

/// Where a control character of U+0080 to U+009F stands: in Windows-1252 a byte that means nothing.
fn control(text: &[u8]) -> Option<usize> {
    text.windows(2).position(|pair| matches!(pair, [0xC2, 0x80..=0x9F]))
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let part = self.text.get(self.start..self.end).unwrap_or_default();
        let count = part.len().min(room.len());
        let (Some(from), Some(to)) = (part.get(..count), room.get_mut(..count)) else { return Ok(0) };
        to.copy_from_slice(from);
        self.start = self.start.saturating_add(count);
        Ok(count)
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

    fn decoded(encoding: Encoding, bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Decoded::new(bytes, encoding, 0).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_is_written_in_an_encoding_is_read_back() {
        let text = "Åkeri & Söner;1\u{a0}234,50 €\r\n".repeat(5_000);
        for encoding in Encoding::ALL {
            let bytes = written(encoding, &text);
            assert_eq!(decoded(encoding, &bytes).unwrap(), text, "{encoding:?}");
            assert_eq!(encoding.bytes_of(text.as_bytes()), bytes.len() as u64);
        }
        assert_eq!(written(Encoding::Windows1252, "1\u{202f}000 “x” 語"), b"1?000 \x93x\x94 ?");
    }

    #[test]
    fn bytes_that_mean_nothing_are_refused_with_their_place() {
        let place = |encoding, bytes: &[u8]| {
            let error = decoded(encoding, bytes).unwrap_err();
            match error.into_inner().unwrap().downcast_ref::<Refusal>() {
                Some(Refusal::NotInEncoding { line, offset, .. }) => (*line, *offset),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(place(Encoding::Windows1252, b"\xE5b\nc\x81"), (2, 4));
        // Half of a pair, and half of a character at the end.
        assert_eq!(place(Encoding::Utf16Le, b"a\0\n\0\x00\xD8b\0"), (2, 4));
        assert_eq!(place(Encoding::Utf16Be, b"\0a\0"), (1, 2));
    }
}

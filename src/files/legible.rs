//! Whether a file that is not UTF-8 is Windows-1252 for sure: all its bytes mean something in it, and its letters make words
//! that somebody writes.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::{Refusal, decoded::Decoded, encoding::Encoding};
use crate::domain::kinds::traces;

/// Letters outside ASCII that one language of western Europe writes, in lower case.
const LANGUAGES: [&str; 9] = [
    "åäöéüàæø",         // Swedish, Finnish, Danish, Norwegian
    "äöüßé",            // German
    "àâæçéèêëîïôœùûüÿ", // French
    "áéíóúüñç",         // Spanish, Catalan
    "áâãàçéêíóôõúü",    // Portuguese
    "àèéìíîòóùú",       // Italian
    "éëïóöüè",          // Dutch
    "áéíóúýþðæö",       // Icelandic
    "áéíóú",            // Irish
];

/// Signs that stand at either end of a word, or between two, and are no trace of another encoding.
const SIGNS: &str = "\u{a0}’‘´“”„«»‹›–—…•·®™©°ªº§€&¿¡¹²³";

/// The encoding of a file that shows none by its first bytes.
///
/// # Errors
/// It is neither UTF-8 nor for sure Windows-1252.
pub fn encoding_of(path: &Path) -> Result<Encoding, Refusal> {
    let Some((line, offset)) = not_utf8(path)? else { return Ok(Encoding::Utf8) };
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut bytes = vec![0; 64 * 1024];
    let mut file = File::open(path)?;
    loop {
        let got = file.read(&mut bytes)?;
        detector.feed(bytes.get(..got).unwrap_or_default(), got == 0);
        if got == 0 {
            break;
        }
    }
    let guessed = detector.guess(None, Utf8Detection::Deny).name();
    let suggested = Some(guessed).filter(|name| *name != "windows-1252");
    let unsure = || Refusal::EncodingUnsure { line, offset, suggested };
    let mut words = SeenWords::default();
    let mut text = Decoded::new(File::open(path)?, Encoding::Windows1252, 0);
    let mut left = Vec::new();
    loop {
        let got = text.read(&mut bytes).map_err(|_| unsure())?;
        left.extend_from_slice(bytes.get(..got).unwrap_or_default());
        let valid = std::str::from_utf8(&left).map_or_else(|error| error.valid_up_to(), str::len);
        let rest = left.split_off(valid);
        words.read(&String::from_utf8_lossy(&left));
        left = rest;
        if got == 0 {
            break;
        }
    }
    let written = |language: &&str| words.letters.iter().all(|letter| language.contains(*letter));
    let sure = !words.strange && (suggested.is_none() || LANGUAGES.iter().any(written));
    if sure { Ok(Encoding::Windows1252) } else { Err(unsure()) }
}

/// Line and place of the first byte that is not UTF-8. Half a character at the end of the file is none.
fn not_utf8(path: &Path) -> Result<Option<(u64, u64)>, Refusal> {
    let mut input = BufReader::new(File::open(path)?);
    let (mut bytes, mut line, mut offset) = (Vec::new(), 1_u64, 0_u64);
    loop {
        let got = Read::by_ref(&mut input).take(64 * 1024).read_to_end(&mut bytes)?;
        let (valid, bad) = match std::str::from_utf8(&bytes) {
            Ok(text) => (text.len(), false),
            Err(error) => (error.valid_up_to(), error.error_len().is_some()),
        };
        line += bytes.iter().take(valid).filter(|byte| **byte == b'\n').count() as u64;
        offset += valid as u64;
        if bad {
            return Ok(Some((line, offset)));
        }
        if got == 0 {
            return Ok(None);
        }
        bytes.drain(..valid);
    }
}

/// What is seen of the words of a text, which may come in parts.
#[derive(Debug, Default)]
struct SeenWords {
    letters: BTreeSet<char>,
    strange: bool,
    before: Option<char>,
}

impl SeenWords {
    fn read(&mut self, text: &str) {
        if traces::is_garbled(text) {
            self.strange = true;
        }
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let before = self.before.replace(c);
            if c.is_ascii() {
                continue;
            }
            let next = characters.peek().copied();
            let letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
            if c.is_alphabetic() {
                self.letters.extend(c.to_lowercase());
                // A capital within a word.
                self.strange |= c.is_uppercase() && before.is_some_and(char::is_lowercase);
            } else if !SIGNS.contains(c) {
                self.strange |= letter(before) || letter(next);
            } else if !"\u{a0}’´–—·".contains(c) {
                self.strange |= letter(before) && letter(next);
            }
        }
    }
}

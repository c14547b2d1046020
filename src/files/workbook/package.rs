//! Looks through an archive before anything in it is understood: what it is, and that it is no trap. Each part is unpacked once,
//! into nothing, and counted; so an archive of a few bytes that unpacks to gigabytes ends as a refusal, in little memory,
//! whatever it says of its own sizes.
//!
//! No part is executed or fetched: macros refuse the workbook, links to other files are not followed, and XML that declares
//! entities, which a spreadsheet never writes, is refused before a reader sees it; so is XML of which a lenient reader could make
//! something else than it says ([`strict`]).

use std::{
    collections::HashSet,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
    path::Path,
};

use zip::{ZipArchive, result::ZipError};

use super::{fault::WorkbookFault, strict};
use crate::{
    domain::language::Bilingual,
    files::{Refusal, foreign::Foreign, limits::WorkbookLimits},
};

/// Bytes unpacked at a time.
const CHUNK: usize = 64 * 1024;
/// So many bytes of a piece are looked at once more with the next one: what is looked for may lie across.
const OVERLAP: usize = 64;
/// What declares entities, which could stand for any amount of text, or for files of this machine.
const DECLARATIONS: [&[u8]; 2] = [b"<!DOCTYPE", b"<!ENTITY"];
/// What they, comments and the like begin with.
const MARKED: &[u8] = b"<!";
/// What areas of merged cells are called.
const MERGED: &[u8] = b"mergeCell";
/// Before the number of texts for which a reader makes room.
const TEXTS: &[u8] = b"uniqueCount";

/// What was seen in an archive that was looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookedThrough {
    /// Areas of merged cells are named in it, of whichever sheet.
    pub names_merged: bool,
}

/// Looks through the archive at a path.
///
/// # Errors
/// It is no workbook, or one that is not read.
pub fn look_through(path: &Path, limits: &WorkbookLimits) -> Result<LookedThrough, Refusal> {
    let file = File::open(path)?;
    let is_too_large = file.metadata()?.len() > limits.file_bytes;
    let mut archive = match ZipArchive::new(BufReader::new(file)) {
        Ok(archive) => archive,
        Err(error) if begins_as_workbook(path)? => return Err(damaged(&error)),
        Err(_) => return Err(Refusal::Foreign { what: Foreign::Zip }),
    };
    match what(&mut archive) {
        Some(what) => return Err(Refusal::Foreign { what }),
        None if is_too_large => return Err(WorkbookFault::TooLarge { limit: limits.file_bytes }.into()),
        None => {}
    }
    if archive.has_duplicate_names() {
        return Err(WorkbookFault::damaged(
            "it holds two parts of one name",
            "två av dess delar har samma namn",
        )
        .into());
    }
    if archive.len() > limits.parts {
        return Err(WorkbookFault::TooManyParts { limit: limits.parts }.into());
    }
    let (mut left, mut names, mut names_merged) = (limits.unpacked_bytes, HashSet::new(), false);
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(|error| damaged(&error))?;
        let name = part.name().map_err(|error| damaged(&error))?.to_string();
        if !names.insert(name.to_lowercase()) {
            return Err(WorkbookFault::damaged(
                format!("it holds {name} twice"),
                format!("den innehåller {name} två gånger"),
            )
            .into());
        }
        let (of_others, is_named) = unpack(part, &name, left, limits)?;
        left = of_others;
        names_merged |= is_named;
    }
    Ok(LookedThrough { names_merged })
}

/// Whether an archive that cannot be opened was to be a workbook, by what comes first in it.
fn begins_as_workbook(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(CHUNK as u64).read_to_end(&mut head)?;
    let holds = |what: &[u8]| head.windows(what.len()).any(|window| window == what);
    Ok(holds(b"[Content_Types].xml") || holds(b"xl/"))
}

/// What an archive is that is no workbook, or one that is not read. `None`: a workbook.
fn what<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Option<Foreign> {
    let names: Vec<String> =
        archive.file_names().filter_map(Result::ok).map(|name| name.to_string().to_lowercase()).collect();
    let any = |is: &dyn Fn(&str) -> bool| names.iter().any(|name| is(name));
    if any(&|name| name == "mimetype") {
        return Some(Foreign::OpenDocument);
    }
    if !any(&|name| name == "[content_types].xml") {
        return Some(Foreign::Zip);
    }
    if any(&|name| name.starts_with("word/") || name.starts_with("ppt/")) {
        return Some(Foreign::OfficeDocument);
    }
    if any(&|name| name.ends_with("vbaproject.bin") || name.contains("/macrosheets/"))
        || says_of_macros(archive)
    {
        return Some(Foreign::MacroWorkbook);
    }
    if any(&|name| name.ends_with("workbook.bin")) {
        return Some(Foreign::BinaryWorkbook);
    }
    (!any(&|name| name.starts_with("xl/"))).then_some(Foreign::Zip)
}

/// Whether its list of contents says that it is a workbook with macros.
fn says_of_macros<R: Read + Seek>(archive: &mut ZipArchive<R>) -> bool {
    let Ok(part) = archive.by_name("[Content_Types].xml") else { return false };
    let mut text = Vec::new();
    let _ = part.take(CHUNK as u64).read_to_end(&mut text);
    String::from_utf8_lossy(&text).to_lowercase().contains("macroenabled")
}

/// Unpacks a part into nothing; says how many bytes are left of what all may unpack to, and whether it names merged cells.
fn unpack(
    part: impl Read,
    name: &str,
    left: u64,
    limits: &WorkbookLimits,
) -> Result<(u64, bool), WorkbookFault> {
    let mut unpacked = Unpacked::of(part, name, left, limits);
    let begins_as_xml = |start: &[u8]| {
        let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
        start.trim_ascii_start().starts_with(b"<")
    };
    let (whole, is_xml) = (strict::is_read(name), unpacked.fill_buf().is_ok_and(begins_as_xml));
    unpacked.is_strict = whole || is_xml;
    if unpacked.is_strict
        && let Err(why) = strict::check(&mut unpacked, whole)
    {
        let damaged = unreadable(name, &why);
        return Err(unpacked.fault.unwrap_or(damaged));
    }
    unpacked.is_strict &= whole;
    loop {
        match unpacked.fill_buf().map(<[u8]>::len) {
            Ok(0) => return Ok((unpacked.left, unpacked.names_merged)),
            Ok(read) => unpacked.consume(read),
            Err(error) => {
                let damaged = unreadable(name, &error);
                return Err(unpacked.fault.unwrap_or(damaged));
            }
        }
    }
}

/// A part as it is unpacked, each piece looked at before anything is made of it.
struct Unpacked<'a, R> {
    part: R,
    name: &'a str,
    of: ArchivePart,
    limits: &'a WorkbookLimits,
    /// Bytes that all parts may still unpack to.
    left: u64,
    /// Bytes of this part so far.
    of_part: u64,
    /// It has comments or the like.
    marked: bool,
    /// It names areas of merged cells.
    names_merged: bool,
    /// It is read as XML: no text and no tag in it may be of any length.
    is_strict: bool,
    /// Bytes since the last `<`.
    since: usize,
    /// The last bytes of the piece before, and the piece.
    piece: Vec<u8>,
    start: usize,
    end: usize,
    /// Why it is not read on.
    fault: Option<WorkbookFault>,
}

impl<'a, R: Read> Unpacked<'a, R> {
    fn of(part: R, name: &'a str, left: u64, limits: &'a WorkbookLimits) -> Self {
        Self {
            part,
            name,
            of: ArchivePart::named(name),
            limits,
            left,
            of_part: 0,
            marked: false,
            names_merged: false,
            is_strict: false,
            since: 0,
            piece: vec![0; OVERLAP + CHUNK],
            start: OVERLAP,
            end: OVERLAP,
            fault: None,
        }
    }

    /// Unpacks the next piece.
    fn next(&mut self) -> Result<(), WorkbookFault> {
        self.piece.copy_within(self.end.saturating_sub(OVERLAP)..self.end, 0);
        (self.start, self.end) = (OVERLAP, OVERLAP);
        let name = self.name;
        let room = self.piece.get_mut(OVERLAP..).unwrap_or_default();
        let got = self.part.read(room).map_err(|error| unreadable(name, &error))?;
        if got == 0 {
            return Ok(());
        }
        let (limits, too_large) =
            (self.limits, |limit| WorkbookFault::UnpacksTooLarge { part: name.to_owned(), limit });
        let limit = if self.of.is_sheet { limits.unpacked_bytes } else { limits.kept_bytes };
        let is_first = self.of_part == 0;
        self.of_part = self.of_part.saturating_add(got as u64);
        self.left = self.left.checked_sub(got as u64).ok_or_else(|| too_large(limits.unpacked_bytes))?;
        if self.of_part > limit {
            return Err(too_large(limit));
        }
        let end = OVERLAP.saturating_add(got);
        let seen = self.piece.get(if is_first { OVERLAP } else { 0 }..end).unwrap_or_default();
        let is_marked = places(seen, MARKED).next().is_some();
        self.marked |= self.of.is_sheet && is_marked;
        self.names_merged |= places(seen, MERGED).next().is_some();
        let has = self.of.forbidden(seen, is_first, limits);
        let has = has.or((self.marked && self.of_part > limits.kept_bytes).then_some(Bilingual::new(
            "has comments in a sheet of that size",
            "har kommentarer i ett blad av den storleken",
        )));
        let now = self.piece.get(OVERLAP..end).unwrap_or_default();
        self.since = match now.iter().rposition(|byte| *byte == b'<') {
            Some(at) => got.saturating_sub(at),
            None => self.since.saturating_add(got),
        };
        let is_long = self.is_strict && self.since > limits.text_bytes;
        if let Some(has) = has.or(is_long.then_some(TOO_LONG)) {
            return Err(WorkbookFault::Forbidden { part: name.to_owned(), has });
        }
        self.end = end;
        Ok(())
    }
}

impl<R: Read> BufRead for Unpacked<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end && self.fault.is_none() {
            self.fault = self.next().err();
        }
        if let Some(fault) = &self.fault {
            return Err(io::Error::other(fault.clone()));
        }
        Ok(self.piece.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, read: usize) {
        self.start = self.start.saturating_add(read).min(self.end);
    }
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(room)?;
        self.consume(read);
        Ok(read)
    }
}

/// What a part is, by its name.
#[derive(Clone, Copy, Debug)]
struct ArchivePart {
    is_xml: bool,
    /// Read as a stream, its cells one after the other.
    is_sheet: bool,
}

impl ArchivePart {
    fn named(name: &str) -> Self {
        let lower = name.to_lowercase();
        let is_xml = [".xml", ".rels"].iter().any(|ending| lower.ends_with(ending));
        Self { is_xml, is_sheet: lower.contains("worksheets/sheet") && is_xml }
    }

    /// What a piece of it has that no workbook has.
    fn forbidden(
        self,
        piece: &[u8],
        is_first: bool,
        limits: &WorkbookLimits,
    ) -> Option<Bilingual<&'static str>> {
        let declares = |at: usize| {
            let from = piece.get(at..).unwrap_or_default();
            DECLARATIONS
                .iter()
                .any(|one| from.get(..one.len()).is_some_and(|start| start.eq_ignore_ascii_case(one)))
        };
        if self.is_xml && places(piece, MARKED).any(declares) {
            return Some(Bilingual::new("declares entities of XML", "deklarerar XML-entiteter"));
        }
        let wide = |start: &[u8]| matches!(start, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, ..] | [_, 0, ..]);
        if self.is_xml && is_first && wide(piece) {
            return Some(Bilingual::new("is not written in UTF-8", "är inte skriven i UTF-8"));
        }
        if self.is_sheet {
            return None;
        }
        let mut counts = places(piece, TEXTS)
            .map(|at| count(piece.get(at.saturating_add(TEXTS.len())..).unwrap_or_default()));
        counts.any(|count| count > limits.shared_texts).then_some(Bilingual::new(
            "asks for room for more texts than fit",
            "begär plats för fler texter än som ryms",
        ))
    }
}

/// What no cell has.
const TOO_LONG: Bilingual<&str> =
    Bilingual::new("has a text that is longer than any cell's", "har en text som är längre än någon cells");

/// What a part is that cannot be read.
fn unreadable(name: &str, why: &impl fmt::Display) -> WorkbookFault {
    WorkbookFault::Damaged { why: Bilingual::technical(format!("{name}: {why}")) }
}

/// Where in a piece something stands.
fn places(piece: &[u8], what: &'static [u8]) -> impl Iterator<Item = usize> {
    let first = what.first().copied().unwrap_or_default();
    let begins = piece.iter().enumerate().filter(move |(_, byte)| **byte == first);
    begins.map(|(at, _)| at).filter(move |at| piece.get(*at..).is_some_and(|rest| rest.starts_with(what)))
}

/// The number in ` = "1200"`.
fn count(text: &[u8]) -> u64 {
    let is_between = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'\'');
    let digits = text.iter().skip_while(is_between).take_while(|byte| byte.is_ascii_digit());
    digits.fold(0_u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit.saturating_sub(b'0')))
    })
}

fn damaged(error: &ZipError) -> Refusal {
    WorkbookFault::Damaged { why: Bilingual::technical(error) }.into()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    const CONTENTS: (&str, &str) = ("[Content_Types].xml", "<Types/>");

    fn looked(parts: &[(&str, &str)], limits: &WorkbookLimits) -> Result<(), String> {
        looked_after(parts, limits, |archive| archive)
    }

    /// The same of the archive once something was done to its bytes.
    fn looked_after(
        parts: &[(&str, &str)],
        limits: &WorkbookLimits,
        done: impl Fn(Vec<u8>) -> Vec<u8>,
    ) -> Result<(), String> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), done(zip.finish().unwrap().into_inner())).unwrap();
        look_through(file.path(), limits).map(|_| ()).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn what_is_no_workbook_or_one_that_is_not_read_is_said_for_what_it_is() {
        let limits = WorkbookLimits::default();
        for (parts, said) in [
            (&[("users.csv", "a,b")][..], "a zip archive"),
            (&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet")], "a LibreOffice file"),
            (&[CONTENTS, ("word/document.xml", "")], "a document or a presentation"),
            (&[CONTENTS, ("xl/workbook.bin", "")], "binary Excel workbook"),
            (&[CONTENTS, ("xl/workbook.xml", ""), ("xl/vbaProject.bin", "")], "workbook with macros"),
            (
                &[("[Content_Types].xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml")],
                "workbook with macros",
            ),
        ] {
            let refused = looked(parts, &limits).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        looked(&[CONTENTS, ("xl/workbook.xml", "<workbook/>")], &limits).unwrap();
    }

    #[test]
    fn two_parts_of_one_name_are_refused_also_where_only_their_case_differs() {
        let limits = WorkbookLimits::default();
        let named = |one: &'static str| {
            [CONTENTS, ("xl/workbook.xml", "<a/>"), ("xl/worksheets/sheet1.xml", "<b/>"), (one, "<c/>")]
        };
        let said = looked(&named("xl/worksheets/Sheet1.xml"), &limits).unwrap_err();
        assert!(said.contains("holds xl/worksheets/Sheet1.xml twice"), "{said}");
        // A writer makes no two of exactly one name; an editor of bytes does.
        let other = "xl/worksheets/sheetA.xml";
        looked(&named(other), &limits).unwrap();
        let renamed = |archive: Vec<u8>| {
            let (mut to, mut at) = (archive.clone(), 0);
            while let Some(found) = archive[at..].windows(other.len()).position(|of| of == other.as_bytes()) {
                at += found + other.len();
                to[at - other.len()..at].copy_from_slice(b"xl/worksheets/sheet1.xml");
            }
            to
        };
        let said = looked_after(&named(other), &limits, renamed).unwrap_err();
        assert!(said.contains("two parts of one name"), "{said}");
    }

    #[test]
    fn what_unpacks_to_more_than_fits_or_declares_entities_is_refused() {
        let small =
            WorkbookLimits { unpacked_bytes: 400_000, kept_bytes: 300_000, ..WorkbookLimits::default() };
        let refused = |name: &str, text: &str| {
            looked(&[CONTENTS, ("xl/workbook.xml", "<workbook/>"), (name, text)], &small)
        };
        let said = |name: &str, text: &str| refused(name, text).unwrap_err();
        let long = format!("<worksheet>{}</worksheet>", " ".repeat(310_000));
        assert!(said("xl/sharedStrings.xml", &long).contains("unpacks to more than 300000 bytes"));
        assert!(
            said("xl/worksheets/sheet1.xml", &format!("<worksheet>{}", " ".repeat(400_001)))
                .contains("more than 400000")
        );
        refused("xl/worksheets/sheet1.xml", &long).unwrap();
        // Wherever it stands, also across two pieces that are unpacked after one another.
        for before in [0, CHUNK - 5, CHUNK, 2 * CHUNK - 9] {
            let laughs = format!("<x>{}<!DOCTYPE lolz [<!ENTITY lol \"lol\">]>", " ".repeat(before));
            assert!(said("xl/worksheets/sheet1.xml", &laughs).contains("declares entities"), "{before}");
            let many = format!("<x>{}<sst uniqueCount = '99999999999999999999'>", " ".repeat(before));
            assert!(said("xl/sharedStrings.xml", &many).contains("asks for room"), "{before}");
        }
        // No text is longer than a cell's may be, however small it is packed.
        let endless = format!("<worksheet><sheetData>{}", "x".repeat(small.text_bytes));
        let wide = WorkbookLimits { text_bytes: 100_000, ..small };
        let refusal = looked(
            &[
                CONTENTS,
                ("xl/workbook.xml", "<workbook/>"),
                ("xl/worksheets/sheet1.xml", &endless[..200_000]),
            ],
            &wide,
        );
        assert!(refusal.unwrap_err().contains("longer than any cell's"));
        refused("xl/sharedStrings.xml", "<sst uniqueCount=\"3\"></sst>").unwrap();
        assert!(said("xl/styles.xml", "\u{0}<").contains("not written in UTF-8"));
    }
}

//! Whether the XML of a workbook says one thing only. The reader of workbooks is lenient: it takes tags that do not match, a
//! value's text up to the first thing in it that is no text, the first of all shared texts where a number cannot be read, and
//! rows up to the first `</sheetData>`. So whatever it reads is looked through before: it is well-formed, and of the cells each
//! has one place, one type and one value.

use std::io::BufRead;

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesRef, BytesStart, Event, attributes::Attribute},
};

/// Folders and files of a workbook whose parts say nothing of its cells, in lower case.
const BESIDE: [&str; 12] = [
    "docprops/",
    "customxml/",
    "xl/theme/",
    "xl/drawings/",
    "xl/charts/",
    "xl/media/",
    "xl/comments",
    "xl/threadedcomments",
    "xl/persons/",
    "xl/externallinks/",
    "xl/printersettings/",
    "xl/embeddings/",
];
/// The references that are known without a declaration.
const KNOWN: [&str; 5] = ["amp", "lt", "gt", "quot", "apos"];
/// Digits of a line, and letters of a column, that a sheet has at most.
const PLACE: (usize, usize) = (3, 7);

/// Whether a part of this name says something of the cells. Others do only if they are a sheet or the shared texts after all.
#[must_use]
pub fn is_read(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_xml = [".xml", ".rels"].iter().any(|ending| name.ends_with(ending));
    is_xml && !BESIDE.iter().any(|beside| name.trim_start_matches('/').starts_with(beside))
}

/// What an element is to whoever reads cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    /// What says nothing of the cells.
    Other,
    Worksheet,
    SheetData,
    Row,
    Cell,
    Formula,
    Value,
    /// `<is>` or `<si>`: a text, perhaps of several runs.
    RichText,
    Run,
    Text,
    /// How a text is pronounced.
    Phonetic,
    /// What is passed over within a row, a cell or a text.
    PassedOver,
    SharedTexts,
}

/// What a cell says of itself, and what was seen of it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what was seen, each read by its name")]
struct SeenCell {
    /// Its place, as written.
    place: String,
    /// Its type, as written, if it has one.
    of: String,
    is_typed: bool,
    formula: bool,
    value: bool,
    text: bool,
}

impl SeenCell {
    /// Makes it one of which nothing was seen.
    fn clear(&mut self) {
        self.place.clear();
        self.is_typed = false;
        (self.formula, self.value, self.text) = (false, false, false);
    }

    /// Its type.
    fn of(&self) -> Option<&str> {
        self.is_typed.then_some(self.of.as_str())
    }
}

/// Where in a part it stands.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what was seen, each read by its name")]
struct Strict {
    open: Vec<Element>,
    has_root: bool,
    has_rows: bool,
    /// The line of the row, as written.
    line: Option<String>,
    cell: SeenCell,
    /// The text had a `<t>` of its own.
    has_text: bool,
    /// The value had its text.
    has_value: bool,
}

/// Looks through a part. `whole`: also if it is neither a sheet nor the shared texts.
///
/// # Errors
/// What is wrong with it.
pub fn check(part: impl BufRead, whole: bool) -> Result<(), String> {
    let mut reader = Reader::from_reader(part);
    reader.config_mut().check_comments = true;
    let (mut strict, mut piece) = (Strict::default(), Vec::new());
    loop {
        piece.clear();
        let event = reader.read_event_into(&mut piece).map_err(|error| strict.at(&error.to_string()))?;
        let done = match event {
            Event::Start(start) => strict.start(&start).map(|()| false),
            Event::Empty(start) => strict.start(&start).and_then(|()| strict.end()).map(|()| false),
            Event::End(_) => strict.end().map(|()| false),
            Event::Text(text) => strict.text(&text).map(|()| false),
            Event::CData(_) => strict.marked("text that is marked as such").map(|()| false),
            Event::Comment(_) | Event::PI(_) => strict.remark().map(|()| false),
            Event::GeneralRef(reference) => strict.reference(&reference).map(|()| false),
            Event::Decl(declared) => match declared.encoding() {
                None => Ok(false),
                Some(Ok(name)) if ["utf-8", "us-ascii"].contains(&name.to_lowercase().as_str()) => Ok(false),
                Some(_) => Err("is not written in UTF-8".to_owned()),
            },
            Event::DocType(_) => Err("declares entities of XML".to_owned()),
            Event::Eof => strict.finish().map(|()| true),
        };
        let is_beside = !whole && strict.open == [Element::Other];
        if done.map_err(|why| strict.at(&why))? || is_beside {
            return Ok(());
        }
    }
}

impl Strict {
    /// What is wrong, with the cell's place if it is within one.
    fn at(&self, why: &str) -> String {
        if self.open.contains(&Element::Cell) && !self.cell.place.is_empty() {
            format!("cell {}: {why}", self.cell.place)
        } else {
            why.to_owned()
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let local = start.local_name();
        let name: &str = local.as_ref();
        let element = self.child(name)?;
        if matches!(element, Element::Row | Element::Cell) {
            self.open_place(element);
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let marked = attribute.value.bytes().find(|byte| matches!(byte, b'<' | b'&'));
            if marked.is_some() && (attribute.value.contains('<') || unescape(&attribute.value).is_err()) {
                return Err(format!("'{}' has a value that cannot be read", attribute.key.as_ref()));
            }
            if matches!(element, Element::Row | Element::Cell) {
                self.attribute(element, &attribute)?;
            }
        }
        self.open.push(element);
        if element == Element::Cell { self.placed() } else { Ok(()) }
    }

    /// What an element of that name is where it stands.
    fn child(&mut self, name: &str) -> Result<Element, String> {
        let Some(parent) = self.open.last().copied() else {
            if std::mem::replace(&mut self.has_root, true) {
                return Err(format!("<{name}> stands behind the end"));
            }
            return Ok(match name {
                "worksheet" => Element::Worksheet,
                "sst" => Element::SharedTexts,
                _ => Element::Other,
            });
        };
        let once = |seen: &mut bool, element: Element| {
            if std::mem::replace(seen, true) {
                Err(format!("<{name}> stands there twice"))
            } else {
                Ok(element)
            }
        };
        match (parent, name) {
            (Element::Worksheet, "sheetData") => once(&mut self.has_rows, Element::SheetData),
            (Element::Other, "sheetData") if self.open.first() == Some(&Element::Worksheet) => {
                misplaced(name)
            }
            (Element::Worksheet | Element::Other, _) => Ok(Element::Other),
            (Element::SheetData, "row") => Ok(Element::Row),
            (Element::Row, "c") => Ok(Element::Cell),
            (Element::Cell, "f") => once(&mut self.cell.formula, Element::Formula),
            // The reader would take the value for the text.
            (Element::Cell, "v") if self.cell.text => Err("its text is not in its place".to_owned()),
            (Element::Cell, "v") => {
                self.has_value = false;
                once(&mut self.cell.value, Element::Value)
            }
            (Element::Cell, "is") => {
                self.has_text = false;
                once(&mut self.cell.text, Element::RichText)
            }
            (Element::SharedTexts, "si") => {
                self.has_text = false;
                Ok(Element::RichText)
            }
            (Element::RichText, "t") => once(&mut self.has_text, Element::Text),
            (Element::RichText, "r") => {
                self.has_text = true; // of runs, and nothing beside them
                Ok(Element::Run)
            }
            (Element::Run, "t") => Ok(Element::Text),
            (Element::RichText, "rPh") => Ok(Element::Phonetic),
            (Element::Row | Element::SharedTexts, "extLst")
            | (Element::RichText, "phoneticPr" | "extLst")
            | (Element::Run, "rPr")
            | (Element::Phonetic, "t") => Ok(Element::PassedOver),
            (Element::PassedOver, _)
                if !["sheetData", "row", "c", "is", "si", "t", "r", "rPh"].contains(&name) =>
            {
                Ok(Element::PassedOver)
            }
            _ => misplaced(name),
        }
    }

    fn open_place(&mut self, element: Element) {
        if element == Element::Row {
            self.line = None;
        } else {
            self.cell.clear();
        }
    }

    /// Notes what a row or a cell says of itself.
    fn attribute(&mut self, element: Element, attribute: &Attribute<'_>) -> Result<(), String> {
        let (key, value) = (attribute.key.as_ref(), attribute.value.as_ref());
        if key.split_once(':').is_some_and(|(_, local)| ["r", "s", "t"].contains(&local)) {
            return Err(format!("'{key}' is no part of it"));
        }
        match (element, key) {
            (Element::Row, "r") => self.line = Some(value.to_owned()),
            (Element::Cell, "r") => value.clone_into(&mut self.cell.place),
            (Element::Cell, "t") => {
                value.clone_into(&mut self.cell.of);
                self.cell.is_typed = true;
            }
            (Element::Cell, "s") if !is_digits(value) => return Err(format!("'{value}' is no style")),
            _ => {}
        }
        Ok(())
    }

    /// A cell's place is one of a sheet, and in its row.
    fn placed(&self) -> Result<(), String> {
        let place = self.cell.place.as_str();
        if place.is_empty() {
            return Ok(());
        }
        let letters = place.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(place.len());
        let (column, line) = place.split_at(letters);
        let is_one = (1..=PLACE.0).contains(&column.len()) && line.len() <= PLACE.1 && is_digits(line);
        match &self.line {
            _ if !is_one => Err("that is no place in a sheet".to_owned()),
            Some(of_row) if of_row != line => Err(format!("is not in its place, in row {of_row}")),
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        if self.open.last() == Some(&Element::Cell) {
            self.end_cell()?;
        }
        self.open.pop();
        Ok(())
    }

    /// A cell has one value, in the place for its type.
    fn end_cell(&self) -> Result<(), String> {
        let cell = &self.cell;
        match cell.of() {
            Some("inlineStr") if cell.value && !cell.text => Err("its text is not in its place".to_owned()),
            None | Some("b" | "d" | "e" | "n" | "s" | "str") if cell.text => {
                Err("its type is not that of its text".to_owned())
            }
            None | Some("b" | "d" | "e" | "inlineStr" | "n" | "s" | "str") => Ok(()),
            Some(of) => Err(format!("no cell has the type '{of}'")),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last() {
            Some(Element::Value) => self.value(text),
            Some(
                Element::SheetData
                | Element::Row
                | Element::Cell
                | Element::RichText
                | Element::Run
                | Element::Phonetic
                | Element::SharedTexts,
            )
            | None
                if !is_blank(text) =>
            {
                Err("text stands where none is read".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// A value's text is of the cell's type; as its only piece, unless it is text.
    fn value(&mut self, text: &str) -> Result<(), String> {
        let again = std::mem::replace(&mut self.has_value, true);
        match self.cell.of() {
            Some("str" | "d" | "inlineStr") => Ok(()),
            _ if again => Err("its value is of several pieces".to_owned()),
            Some("s") if !is_digits(text) => Err(format!("'{text}' is no number of a shared text")),
            None | Some("n") if !is_number(text) => Err(format!("'{text}' is no number")),
            _ => Ok(()),
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), String> {
        let name: &str = reference;
        let known = match reference.resolve_char_ref() {
            Ok(Some(_)) => true,
            Ok(None) => KNOWN.contains(&name),
            Err(_) => false,
        };
        if !known {
            return Err(format!("'&{name};' means nothing"));
        }
        match (self.open.last(), self.cell.of()) {
            (Some(Element::Value), Some("str" | "d" | "inlineStr"))
            | (
                Some(
                    Element::Text
                    | Element::Formula
                    | Element::PassedOver
                    | Element::Worksheet
                    | Element::Other,
                ),
                _,
            ) => Ok(()),
            _ => self.marked("a reference"),
        }
    }

    /// What is more than text stands only where it is read as text, or nothing is read.
    fn marked(&self, what: &str) -> Result<(), String> {
        match self.open.last() {
            Some(
                Element::Text | Element::Formula | Element::PassedOver | Element::Worksheet | Element::Other,
            ) => Ok(()),
            _ => Err(format!("{what} stands where none is read")),
        }
    }

    fn remark(&self) -> Result<(), String> {
        match self.open.last() {
            Some(Element::Value) => Err("a comment stands in its value".to_owned()),
            _ => Ok(()),
        }
    }

    /// At the end of the part nothing is open; that there was anything in it, its reader sees.
    fn finish(&self) -> Result<(), String> {
        if self.open.is_empty() { Ok(()) } else { Err("it ends before its end".to_owned()) }
    }
}

fn misplaced(name: &str) -> Result<Element, String> {
    Err(format!("<{name}> stands where none belongs"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether there is nothing but what stands between tags.
fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// A number as a sheet stores it.
fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

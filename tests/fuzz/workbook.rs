//! Workbooks: archives of XML that somebody else made.

use std::collections::BTreeMap;

use benefactor::files::{
    reader::{CellType, Limits, Record, RowSource as _},
    source::{self, ReadAs},
    workbook::cell::SheetCell,
};
use quick_xml::{Reader, events::Event};
use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, Formula, Workbook, Worksheet};

use super::{
    archive::{archive, parts},
    mutation::{Random, mutate},
    run::{Target, run},
    taken::{OnDisk, is_a_refusal},
};

/// What the XML of a workbook is made of.
const TOKENS: [&[u8]; 58] = [
    b"<v>",
    b"</v>",
    b"<v/>",
    b"<w>",
    b"<c>",
    b"</c>",
    b"<c r=\"B2\">",
    b"<row>",
    b"</row>",
    b"<row r=\"2\">",
    b"<sheetData>",
    b"</sheetData>",
    b"<sheetData/>",
    b"<is><t>x</t></is>",
    b"<f>1+1</f>",
    b"<f/>",
    b"<t>",
    b"</t>",
    b"<t xml:space=\"preserve\">",
    b"<r>",
    b"</r>",
    b"<rPh><t>x</t></rPh>",
    b"<si>",
    b"</si>",
    b"<si><t>new</t></si>",
    b"<!-- -->",
    b"<!--",
    b"-->",
    b"<![CDATA[9]]>",
    b"<?x y?>",
    b"&amp;",
    b"&#49;",
    b"&x;",
    b"&",
    b"<",
    b">",
    b"/",
    b"\"",
    b"'",
    b" t=\"s\"",
    b" t=\"n\"",
    b" t=\"str\"",
    b" t=\"inlineStr\"",
    b" t=\"b\"",
    b" t=\"e\"",
    b" t=\"d\"",
    b" s=\"1\"",
    b" s=\"9\"",
    b" r=\"A1\"",
    b" r=\"B3\"",
    b" r=\"4294967298\"",
    b"0",
    b"1",
    b"1e400",
    b"-",
    b".",
    b"_x0041_",
    b"\xC3\xA5",
];

#[test]
fn workbook() {
    let corpus = vec![typed(), texts(), several(), by_hand()];
    for book in &corpus {
        assert!(read(&OnDisk::of(book)).is_ok(), "the corpus is read");
    }
    run(Target { name: "workbook", cases: 200, corpus, mutate: of_workbook, property });
}

fn saved(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

/// Cells of every type.
fn typed() -> Vec<u8> {
    saved(|sheet| {
        let head = ["partner_id", "order_id", "benefit", "used_on", "amount", "currency", "reference"];
        sheet.write_row(0, 0, head).unwrap();
        let day = Format::new().set_num_format("yyyy-mm-dd");
        for row in 1..4_u32 {
            sheet.write_string(row, 0, "4301").unwrap();
            sheet.write_number(row, 1, 42.0 + f64::from(row)).unwrap();
            sheet.write_string(row, 2, "software").unwrap();
            let date = ExcelDateTime::from_ymd(2024, 1, u8::try_from(row).unwrap()).unwrap();
            sheet.write_datetime_with_format(row, 3, &date, &day).unwrap();
            sheet.write_number(row, 4, 1_234.5 * f64::from(row)).unwrap();
            sheet.write_formula(row, 5, Formula::new("=\"USD\"").set_result("USD")).unwrap();
            sheet.write_boolean(row, 6, row == 2).unwrap();
        }
    })
}

/// Texts, plain and in runs.
pub fn texts() -> Vec<u8> {
    saved(|sheet| {
        sheet.write_row(0, 0, ["partner_id", "agreement", "valid_from"]).unwrap();
        let (bold, plain) = (Format::new().set_bold(), Format::default());
        sheet.write_row(1, 0, ["4301", " Å & \"ö\" <x> ", "2024-01-31"]).unwrap();
        sheet.write_string(2, 0, "4302").unwrap();
        sheet.write_rich_string(2, 1, &[(&bold, "cs"), (&plain, "p\n2")]).unwrap();
        sheet.write_string(2, 2, "31.01.2024").unwrap();
        sheet.write_row(4, 0, ["4303", "_x0041_", "2024-02-01"]).unwrap();
    })
}

/// Several sheets, one of which is meant; one has merged cells.
fn several() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let first = workbook.add_worksheet();
    first.set_name("Read me").unwrap();
    first.merge_range(0, 0, 1, 2, "What this is", &Format::new().set_align(FormatAlign::Center)).unwrap();
    let second = workbook.add_worksheet();
    second.set_name("Agreements").unwrap();
    second.write_row(2, 1, ["partner_id", "agreement", "valid_from"]).unwrap();
    second.write_row(3, 1, ["4301", "csp", "2024-01-31"]).unwrap();
    workbook.save_to_buffer().unwrap()
}

/// As other programs write them: texts in their cells, no places, days counted from 1904.
fn by_hand() -> Vec<u8> {
    let mut book = parts(&texts()).unwrap();
    for (name, text) in &mut book {
        if name == "xl/worksheets/sheet1.xml" {
            let row = |cells: [&str; 3]| {
                let cells =
                    cells.map(|cell| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>")).concat();
                format!("<row>{cells}</row>")
            };
            let rows = row(["partner_id", "agreement", "valid_from"]) + &row(["4301", "csp", "2024-01-31"]);
            let rows = rows
                + "<row><c><v>4302</v></c><c t=\"str\"><v>c&amp;p</v></c><c t=\"d\"><v>2024-01-31T00:00:00</v></c></row>";
            let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">";
            *text = format!("{head}<sheetData>{rows}</sheetData></worksheet>").into_bytes();
        }
        if name == "xl/workbook.xml" {
            let of = String::from_utf8(text.clone()).unwrap();
            *text = of.replace("<workbookPr ", "<workbookPr date1904=\"1\" ").into_bytes();
        }
    }
    archive(&book, true)
}

/// A workbook after something happened to its archive, its list of parts or its XML.
fn of_workbook(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = random.one(corpus).clone();
    if random.once_in(8) {
        mutate(random, &mut bytes, corpus, &TOKENS);
        return bytes;
    }
    let mut book = parts(&bytes).unwrap();
    let other = parts(random.one::<Vec<u8>>(corpus)).unwrap();
    match random.below(24) {
        0 => drop(book.remove(random.below(book.len()))),
        1 => {
            let at = random.below(book.len());
            let name = book[at].0.clone();
            book[at].0 = if random.once_in(2) { name.to_uppercase() } else { random.one(&other).0.clone() };
        }
        2 => {
            let (at, part) = (random.below(book.len()), random.one(&other).1.clone());
            book[at].1 = part;
        }
        _ => {}
    }
    let says: Vec<usize> = (0..book.len())
        .filter(|at| {
            ["sheet", "sharedStrings", "workbook", "styles"].iter().any(|word| book[*at].0.contains(word))
        })
        .collect();
    let pieces: Vec<Vec<u8>> = other.into_iter().map(|(_, text)| text).collect();
    for _ in 0..=random.below(3) {
        let at = if says.is_empty() { 0 } else { *random.one(&says) };
        if let Some((_, text)) = book.get_mut(at) {
            if random.once_in(2) { element(random, text) } else { mutate(random, text, &pieces, &TOKENS) }
        }
    }
    archive(&book, random.once_in(2))
}

/// Something happens to a whole tag or element.
fn element(random: &mut Random, text: &mut Vec<u8>) {
    let opens: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'<').collect();
    if opens.len() < 2 {
        return;
    }
    let tag = |at: usize| {
        at..text[at..].iter().position(|byte| *byte == b'>').map_or(text.len(), |end| at + end + 1)
    };
    let (one, other) = (*random.one(&opens), *random.one(&opens));
    let (from, to) = (one.min(other), one.max(other));
    let (first, piece) = (tag(from), text[from..to].to_vec());
    match random.below(5) {
        0 => drop(text.drain(first)),
        1 => drop(text.drain(from..to)),
        2 => drop(text.splice(to..to, piece)),
        3 => {
            let copied = text[first].to_vec();
            text.splice(to..to, copied);
        }
        _ => drop(text.splice(first, random.one(&TOKENS).iter().copied())),
    }
}

/// A row: its line and its cells.
type Row = (u64, Vec<(String, Option<CellType>)>);

/// The number of the sheet that is read, and its rows, the header first.
fn read(file: &OnDisk) -> Result<(u16, Vec<Row>), benefactor::files::Refusal> {
    let (path, limits) = (file.path(), Limits::default());
    let opened = source::open(&path, &ReadAs::default(), limits)?;
    let mut reader = source::reopen(&path, &opened.dialect, false, limits)?;
    let row = |record: &Record| {
        let cells = record.iter().enumerate().map(|(at, cell)| (cell.to_owned(), record.type_at(at)));
        (record.line(), cells.collect::<Vec<_>>())
    };
    let (mut rows, mut record) = (vec![row(reader.header())], Record::default());
    while reader.read(&mut record)? {
        rows.push(row(&record));
    }
    Ok((opened.dialect.sheet.unwrap_or(0), rows))
}

fn property(bytes: &[u8]) {
    let file = OnDisk::of(bytes);
    let (number, rows) = match (read(&file), read(&file)) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one, other);
            one
        }
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            return is_a_refusal(&one, bytes);
        }
        _ => panic!("read once and refused once"),
    };
    if number == 0 {
        return; // it is no workbook any more
    }
    let mut there = cells(&parts(bytes).expect("what is read is an archive"), number)
        .unwrap_or_else(|why| panic!("read, but {why}"));
    // The line that says of which version a template is stands before the header.
    let mut left_out = false;
    there.retain(|(line, _), cell| {
        let before = *line < rows[0].0;
        left_out |= before && !cell.says("version:v1.0") && !cell.is_blank();
        !before
    });
    assert!(!left_out, "cells before the header are left out");
    for (line, row) in &rows {
        for (at, (text, of)) in row.iter().enumerate() {
            let cell = there.remove(&(*line, at)).unwrap_or(Found::Text(String::new()));
            assert!(cell.is(text, *of), "line {line}, cell {at}: {text:?} ({of:?}) of {cell:?}");
        }
    }
    there.retain(|_, cell| !cell.is_blank());
    assert!(there.is_empty(), "left out: {there:?}");
}

/// What a second reading finds in a cell.
#[derive(Debug)]
enum Found {
    Text(String),
    Number(f64),
}

impl Found {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    fn says(&self, start: &str) -> bool {
        matches!(self, Self::Text(text) if text.trim_start().starts_with(start))
    }

    /// Whether a cell that was read says the same.
    fn is(&self, read: &str, of: Option<CellType>) -> bool {
        match self {
            // What stands for characters that XML has not is written as other characters.
            Self::Text(text) if text.contains("_x") || text.contains('\0') => true,
            // What is all blank may be left out.
            Self::Text(text) if text.trim().is_empty() && read.trim().is_empty() => true,
            Self::Text(text) => read == text && of.is_none(),
            // As a number, a day in both countings, or a length of time.
            Self::Number(number) => match of {
                Some(CellType::Number) => read == SheetCell::Number(*number).text(),
                Some(CellType::Date) => {
                    [0.0, 1_462.0].iter().any(|days| read == SheetCell::Date(number + days).text())
                }
                None => read.contains(':') || read == "#NUM!",
            },
        }
    }
}

/// An element of XML, read strictly.
#[derive(Debug, Default)]
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    text: String,
}

impl Node {
    fn all(&self, name: &str) -> impl Iterator<Item = &Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Its text and that of its runs, without how it is pronounced.
    fn rich(&self) -> String {
        let own = |node: &Node| {
            let text = node.text.as_str();
            let keeps = node.get("xml:space") == Some("preserve");
            if keeps { text } else { text.trim_matches([' ', '\t', '\r', '\n']) }.to_owned()
        };
        let runs = self.children.iter().filter(|child| matches!(child.name.as_str(), "t" | "r"));
        runs.map(|child| if child.name == "t" { own(child) } else { child.all("t").map(own).collect() })
            .collect()
    }
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

/// The root of a part. Errors: it is not well-formed.
fn tree(text: &[u8]) -> Result<Node, String> {
    let mut reader = Reader::from_reader(text);
    let (mut open, mut piece) = (vec![Node::default()], Vec::new());
    loop {
        piece.clear();
        let event = reader.read_event_into(&mut piece).map_err(|error| error.to_string())?;
        let empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(start) | Event::Empty(start) => {
                let mut node = Node { name: local(start.name().as_ref()), ..Node::default() };
                for attribute in start.attributes() {
                    let attribute = attribute.map_err(|error| error.to_string())?;
                    node.attributes.push((attribute.key.as_ref().to_owned(), attribute.value.to_string()));
                }
                open.push(node);
                if empty {
                    close(&mut open);
                }
            }
            Event::End(_) => close(&mut open),
            Event::Text(text) => open.last_mut().unwrap().text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut().unwrap().text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let name: &str = &reference;
                let text = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(c) => c.to_string(),
                    None => match name {
                        "amp" => "&",
                        "lt" => "<",
                        "gt" => ">",
                        "quot" => "\"",
                        "apos" => "'",
                        other => return Err(format!("&{other}; means nothing")),
                    }
                    .to_owned(),
                };
                open.last_mut().unwrap().text.push_str(&text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(mut top), true) if top.children.len() == 1 => Ok(top.children.remove(0)),
        _ => Err("it has no root, or several".to_owned()),
    }
}

fn close(open: &mut Vec<Node>) {
    let node = open.pop().unwrap();
    open.last_mut().unwrap().children.push(node);
}

/// A date and a time of day that are stored as text; `None`: it is none.
fn instant(stored: &str) -> Option<String> {
    let (date, time) = stored.split_once('T')?;
    let time = time.strip_suffix('Z').unwrap_or(time);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = time.split(':').collect();
    let is_one =
        parts.len() == 3 && parts.iter().all(|part| part.len() == 2 && digits(part)) && digits(fraction);
    is_one.then(|| if time == "00:00:00" { date.to_owned() } else { format!("{date} {time}") })
}

/// The cells of a sheet by line and column, as its XML says.
fn cells(book: &[(String, Vec<u8>)], number: u16) -> Result<BTreeMap<(u64, usize), Found>, String> {
    let part = |name: &str| {
        let of = book
            .iter()
            .find(|(of, _)| of.eq_ignore_ascii_case(name))
            .ok_or(format!("{name} is not there"))?;
        tree(&of.1).map_err(|why| format!("{name}: {why}"))
    };
    let workbook = part("xl/workbook.xml")?;
    let sheets: Vec<&Node> = workbook.all("sheets").flat_map(|sheets| sheets.all("sheet")).collect();
    let sheet = sheets.get(usize::from(number) - 1).ok_or("there is no such sheet")?;
    let id = sheet.attributes.iter().find(|(key, _)| local(key) == "id").ok_or("its sheet has no part")?;
    let relations = part("xl/_rels/workbook.xml.rels")?;
    let to = relations.all("Relationship").find(|one| one.get("Id") == Some(&id.1)).ok_or("no relation")?;
    let target = to.get("Target").ok_or("no target")?;
    let path = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
    let shared: Vec<String> =
        if book.iter().any(|(name, _)| name.eq_ignore_ascii_case("xl/sharedStrings.xml")) {
            part("xl/sharedStrings.xml")?.all("si").map(Node::rich).collect()
        } else {
            vec![]
        };
    let (mut found, mut line) = (BTreeMap::new(), 0_u64);
    for row in part(&path)?.all("sheetData").flat_map(|data| data.children.iter()) {
        line = row.get("r").map_or(Ok(line + 1), str::parse).map_err(|_| "a row without a number")?;
        let mut column = 0_usize;
        for cell in &row.children {
            let mut at = (line, column);
            if let Some(place) = cell.get("r") {
                let letters = place.find(|c: char| c.is_ascii_digit()).ok_or("a cell without a place")?;
                let of = |sum: usize, byte: u8| sum * 26 + usize::from(byte.to_ascii_uppercase() - b'A') + 1;
                let number = place[..letters].bytes().fold(0, of);
                at = (place[letters..].parse().map_err(|_| "a cell without a place")?, number - 1);
            }
            column = at.1 + 1;
            let value = cell.all("v").map(|value| value.text.clone()).collect::<String>();
            let held = match cell.get("t") {
                Some("inlineStr") => Found::Text(cell.all("is").map(Node::rich).collect()),
                _ if value.is_empty() => Found::Text(String::new()),
                Some("s") => {
                    let at: usize = value.parse().map_err(|_| format!("'{value}' is no text's number"))?;
                    Found::Text(shared.get(at).ok_or("no such text")?.clone())
                }
                Some("b") if value.trim().is_empty() => Found::Text(String::new()),
                Some("b") => {
                    let is = value.trim() == "1" || value.trim().eq_ignore_ascii_case("true");
                    Found::Text(is.to_string())
                }
                Some("d") => Found::Text(instant(&value).unwrap_or(value)),
                Some("str" | "e") => Found::Text(value),
                None | Some("n") => {
                    Found::Number(value.parse().map_err(|_| format!("'{value}' is no number"))?)
                }
                Some(of) => return Err(format!("no type '{of}'")),
            };
            if found.insert(at, held).is_some() {
                return Err(format!("two cells stand in {at:?}"));
            }
        }
    }
    Ok(found)
}

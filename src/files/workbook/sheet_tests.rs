use std::io::{Cursor, Read as _, Write as _};

use rust_xlsxwriter::{Formula, Workbook};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::files::{reader::RowSource as _, workbook::rows::SheetRows};

/// A workbook of two rows, one of whose cells is a formula with its value.
fn good() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let rows = [
        ["partner_id", "agreement", "valid_from"],
        ["4301", "csp", "2024-01-31"],
        ["4302", "csp", "2024-01-31"],
    ];
    for (at, row) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            sheet.write_string(at, column, cell).unwrap();
        }
    }
    sheet.write_formula(2, 1, Formula::new("=B2").set_result("csp")).unwrap();
    workbook.save_to_buffer().unwrap()
}

/// What comes of it when the text of its parts is changed: its rows, or why it is refused.
fn read(from: &str, to: &str) -> Result<Vec<String>, String> {
    let mut parts = ZipArchive::new(Cursor::new(good())).unwrap();
    let (mut changed, mut any) = (ZipWriter::new(Cursor::new(Vec::new())), false);
    for at in 0..parts.len() {
        let mut part = parts.by_index(at).unwrap();
        let (name, mut text) = (part.name().unwrap().to_string(), String::new());
        part.read_to_string(&mut text).unwrap();
        any |= text.contains(from);
        changed.start_file(&name, SimpleFileOptions::default()).unwrap();
        changed.write_all(text.replacen(from, to, 1).as_bytes()).unwrap();
    }
    assert!(any, "{from} is in it");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), changed.finish().unwrap().into_inner()).unwrap();
    let told = |refusal: Refusal| refusal.to_string();
    let chosen = choose(file.path(), None, None, Limits::default()).map_err(told)?;
    let mut rows = SheetRows::open(file.path(), chosen.number, Limits::default()).map_err(told)?;
    let (mut record, mut read) = (Record::default(), Vec::new());
    while rows.read(&mut record).map_err(told)? {
        read.push(record.iter().collect::<Vec<_>>().join(","));
    }
    Ok(read)
}

#[test]
fn whatever_is_in_its_xml_a_workbook_is_read_or_refused() {
    let rows = ["4301,csp,2024-01-31".to_owned(), "4302,csp,2024-01-31".to_owned()];
    assert_eq!(read("<v>csp</v>", "<v>csp</v>").unwrap(), rows);
    // What says nothing of the cells makes no difference.
    for (from, to) in [
        ("<sheetData>", "<sheetData><!-- made by hand -->"),
        ("<f>B2</f>", "<f t=\"shared\" si=\"99999999999999\" ref=\"B3\">B2</f>"),
        (" r=\"A1\"", " r=\"A1\" s=\"4294967295\""),
        ("<row r=\"2\"", "<row r=\"2\" hidden=\"1\""),
        ("</sheetData>", "</sheetData><hyperlinks><hyperlink ref=\"A1\" r:id=\"rId9\"/></hyperlinks>"),
    ] {
        assert_eq!(read(from, to).as_deref(), Ok(&rows[..]), "{to}");
    }
    for (from, to, told) in [
        ("<dimension ref=\"A1:C3\"", "<dimension ref=\"C3:A1\"", "cannot be read"),
        ("r=\"B2\"", "r=\"ZZZZZZZZZZZZZZ2\"", "cannot be read"),
        ("r=\"B2\"", "r=\"B99999999999999\"", "cannot be read"),
        ("r=\"B2\"", "r=\"B2000000\"", "is not in its place"),
        ("r=\"B2\"", "r=\"A2\"", "is not in its place"),
        ("r=\"B2\"", "r=\"XFD2\"", "more than 256 columns"),
        ("r=\"B3\"", "r=\"B1\"", "is not in its place"),
        ("<v>0</v>", "<v>99999</v>", "shared strings"),
        ("<v>csp</v>", "", "B3 is a formula without a value"),
        ("</sheetData>", "", "cannot be read"),
        (
            "</sheetData>",
            "</sheetData><mergeCells><mergeCell ref=\"A2:B2\"/></mergeCells>",
            "A2:B2 is merged",
        ),
        ("t=\"str\"", "t=\"nonsense\"", "cannot be read"),
        ("agreement</t>", "agreement&unknown;</t>", "cannot be read"),
        ("agreement</t>", "partner_id</t>", "sheet 'Sheet1', B1: column 2: 'partner_id' appears twice"),
        ("Target=\"worksheets/sheet1.xml\"", "Target=\"../../../etc/passwd\"", "cannot be read"),
        ("<sheets>", "<sheets><sheet name=\"x\" sheetId=\"9\" r:id=\"none\"/>", "cannot be read"),
    ] {
        let refused = read(from, to);
        assert!(refused.as_ref().is_err_and(|why| why.contains(told)), "{to}: {refused:?}");
    }
    // A cell of any length that a text may have, and one that no spreadsheet makes.
    let long = |length: usize| read("<v>csp</v>", &format!("<v>{}</v>", "x".repeat(length)));
    assert_eq!(long(32_767).unwrap().len(), 2);
    assert!(long(32_768).unwrap_err().contains("sheet 'Sheet1', B3: "), "{:?}", long(32_768));
    // What no store keeps becomes what no column takes.
    assert_eq!(read("<v>csp</v>", "<v>a_x0000_b</v>").unwrap()[1], "4302,a\u{1}b,2024-01-31");
}

#[test]
fn what_a_lenient_reader_would_make_something_else_of_is_refused_with_its_cell() {
    for (from, to, told) in [
        ("<v>csp</v>", "<v>csp</w>", "cell B3: "),
        ("</row>", "</wor>", "cannot be read"),
        ("<v>0</v>", "<v>x</v>", "cell A1: 'x' is no number of a shared text"),
        ("<v>0</v>", "<v> 0</v>", "no number of a shared text"),
        ("<v>0</v>", "<v>1</v><v>0</v>", "<v> stands there twice"),
        ("<v>3</v>", "<v>3<!-- -->4</v>", "a comment stands in its value"),
        ("<v>3</v>", "<v><![CDATA[3]]></v>", "stands where none is read"),
        ("<v>3</v>", "<v>&#51;</v>", "stands where none is read"),
        ("<v>3</v>", "3<v>3</v>", "text stands where none is read"),
        ("t=\"s\"><v>3</v>", "t=\"inlineStr\"><v>3</v>", "its text is not in its place"),
        (
            "t=\"s\"><v>3</v>",
            "t=\"inlineStr\"><is><t>4301</t></is><v>3</v>",
            "cell A2: its text is not in its place",
        ),
        ("t=\"s\"><v>3</v>", "t=\"s\"><v>3</v><is><t>x</t></is>", "its type is not that of its text"),
        ("t=\"s\"><v>3</v>", "><v>3rd</v>", "'3rd' is no number"),
        ("t=\"s\"><v>3</v>", "t=\"x\"/>", "no cell has the type 'x'"),
        ("t=\"s\"><v>3</v>", "t=\"s\" t=\"n\"><v>3</v>", "cannot be read"),
        ("t=\"s\"><v>3</v>", "x:t=\"n\" t=\"s\"><v>3</v>", "'x:t' is no part of it"),
        ("r=\"B2\"", "r=\"B3\"", "cell B3: is not in its place, in row 2"),
        ("r=\"B2\"", "r=\"B4294967298\"", "is no place in a sheet"),
        ("r=\"B2\"", "r=\"B2\" s=\"x\"", "'x' is no style"),
        (
            "</sheetData>",
            "</sheetData><sheetData><row r=\"4\"/></sheetData>",
            "<sheetData> stands there twice",
        ),
        ("<row r=\"2\"", "<c r=\"A2\"/><row r=\"2\"", "<c> stands where none belongs"),
        ("<si><t>agreement</t></si>", "<si><t>agreement</t><t>s</t></si>", "<t> stands there twice"),
        ("<si><t>agreement</t></si>", "<si>agreement</si>", "text stands where none is read"),
        ("</worksheet>", "</worksheet><worksheet/>", "stands behind the end"),
        ("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\"", "is not written in UTF-8"),
    ] {
        let refused = read(from, to);
        assert!(refused.as_ref().is_err_and(|why| why.contains(told)), "{to}: {refused:?}");
    }
}

#[test]
fn a_header_below_a_title_is_found_and_the_rows_above_it_are_to_be_deleted() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.merge_range(0, 0, 0, 2, "Agreements of 2024", &rust_xlsxwriter::Format::new()).unwrap();
    for (column, cell) in (0..).zip(["Partner ID", "Agreement", "Valid from"]) {
        sheet.write_string(2, column, cell).unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    workbook.save(file.path().with_extension("xlsx")).unwrap();
    std::fs::rename(file.path().with_extension("xlsx"), file.path()).unwrap();
    let refusal = choose(file.path(), None, None, Limits::default()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "sheet 'Sheet1', A1: the header of agreements is in line 3: delete the rows above it"
    );
}

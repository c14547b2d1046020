use std::io;

use proptest::prelude::*;

use super::*;

/// Gives at most `step` bytes at a time.
struct Dripping<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Dripping<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = self.step.min(room.len());
        self.bytes.read(&mut room[..most])
    }
}

type Row = (u64, Vec<String>);

fn rows_from(input: impl Read, limits: Limits) -> Result<Vec<Row>, Refusal> {
    let mut reader = Reader::open(input, limits)?;
    let own = |record: &Record| (record.line(), record.iter().map(str::to_owned).collect());
    let mut rows = vec![own(reader.header())];
    let mut record = Record::default();
    while reader.read(&mut record)? {
        rows.push(own(&record));
    }
    Ok(rows)
}

fn rows(bytes: &[u8]) -> Result<Vec<Row>, Refusal> {
    rows_from(bytes, Limits::default())
}

fn tidy(bytes: &str) -> Vec<(u64, String)> {
    rows(bytes.as_bytes()).unwrap().into_iter().map(|(line, cells)| (line, cells.join("|"))).collect()
}

fn refused(bytes: impl AsRef<[u8]>) -> Refusal {
    rows(bytes.as_ref()).unwrap_err()
}

fn lines(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(line, cells)| (*line, (*cells).to_owned())).collect()
}

#[test]
fn records_carry_the_line_of_their_first_byte() {
    assert_eq!(
        tidy("a,b\n1,\"two\nlines\"\n\"x \"\"y\"\"\",\n"),
        lines(&[(1, "a|b"), (2, "1|two\nlines"), (4, "x \"y\"|")])
    );
    assert_eq!(
        tidy("\u{FEFF}a,b\r\n1,\"two\r\nlines\"\r\n3,\"4\"\r\n,\r\n"),
        lines(&[(1, "a|b"), (2, "1|two\r\nlines"), (4, "3|4")])
    );
}

#[test]
fn f15_blank_lines_and_padding_rows_are_no_rows() {
    assert_eq!(tidy("a,b\n1,2\n\r\n\n"), lines(&[(1, "a|b"), (2, "1|2")]));
    assert_eq!(
        tidy("\n,,\na,b\n,\n\n1,2\n\n , ,,\n\"\",\n3,4\n\n,,,,"),
        lines(&[(3, "a|b"), (6, "1|2"), (10, "3|4")])
    );
}

#[test]
fn a_row_keeps_the_number_of_its_cells_and_its_text() {
    let mut reader = Reader::open("a,b\n1\n1,\"2\"\n".as_bytes(), Limits::default()).unwrap();
    let mut record = Record::default();
    assert!(reader.read(&mut record).unwrap() && record.len() == 1);
    assert!(reader.read(&mut record).unwrap() && record.len() == 2);
    assert_eq!(reader.raw(), b"1,\"2\"");
}

#[test]
fn every_delimiter_is_read_alike() {
    let text = "a,b\n\"1,;\t|\",2\r\n,\"x\"\n";
    for delimiter in Delimiter::ALL {
        let other = |c: char| if c == ',' { char::from(delimiter.byte()) } else { c };
        let text: String =
            text.replace("1,;", "1#;").chars().map(other).collect::<String>().replace("1#;", "1,;");
        let layout = Layout { delimiter, ..Layout::default() };
        let mut reader = Reader::open_as(text.as_bytes(), Limits::default(), layout).unwrap();
        let mut record = Record::default();
        assert_eq!(reader.header().iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(reader.read(&mut record).unwrap());
        assert_eq!(record.iter().collect::<Vec<_>>(), ["1,;\t|", "2"], "{delimiter:?}");
        assert!(reader.read(&mut record).unwrap());
        assert_eq!(record.iter().collect::<Vec<_>>(), ["", "x"]);
        assert!(!reader.read(&mut record).unwrap());
    }
    let preamble = "\u{FEFF}sep=;\r\na,b\n1,2\n";
    assert_eq!(tidy(preamble), lines(&[(2, "a|b"), (3, "1|2")]));
}

#[test]
fn a_file_without_a_header_is_empty() {
    for empty in ["", "\u{FEFF}", "\n\r\n\n"] {
        assert!(matches!(refused(empty), Refusal::Empty), "{empty:?}");
    }
    assert_eq!(tidy("a,b\n"), lines(&[(1, "a|b")]));
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_line_and_offset() {
    let found = |refusal| match refusal {
        Refusal::NotUtf8 { line, offset } => (line, offset),
        other => panic!("{other}"),
    };
    assert_eq!(found(refused(b"a,b\n\"x\ny\",\xE5\n")), (3, 10));
    // Two halves of one letter in two cells.
    assert_eq!(found(refused(b"a,b\n\xC3,\xA5\n")), (2, 4));
    // What a spreadsheet calls Unicode text; and bad bytes in a record that is bad otherwise, or cut.
    assert_eq!(found(refused(b"\xFF\xFEa\0,\0b\0\n\0")), (1, 0));
    assert_eq!(found(refused(b"a,b\n\xE5\0,\n")), (2, 4));
    assert_eq!(found(refused(b"a,b\n1,\xE5x")), (2, 6));
    // Half a letter at the very end is a row that was cut off.
    assert_eq!(rows(b"a,b\n1,\xC3").unwrap()[1], (2, vec!["1".to_owned(), "\u{fffd}".to_owned()]));
}

#[test]
fn a_nul_is_refused_wherever_it_is() {
    for (text, line, offset) in [("a,b\n1\0,2\n", 2, 5), ("a,b\n\"\n\0\",2\n", 3, 6), ("\0", 1, 0)] {
        assert!(
            matches!(refused(text), Refusal::NulByte { line: l, offset: o } if (l, o) == (line, offset)),
            "{text:?}"
        );
    }
}

#[test]
fn quotes_are_as_in_rfc_4180_or_the_file_is_refused() {
    assert!(matches!(
        refused("a,b\n1,2\n1,\"2\n3,4\n5,6\n"),
        Refusal::UnclosedQuote { line: 3, column: 2, .. }
    ));
    assert!(matches!(refused("a,b\n\"1\n\",\"2\n"), Refusal::UnclosedQuote { line: 3, column: 2, .. }));
    assert!(matches!(refused("a,b\n\"a\"b,2\n"), Refusal::TextAfterQuote { line: 2, column: 1, .. }));
    assert!(matches!(refused("a,b\n1,\"a\" \n"), Refusal::TextAfterQuote { line: 2, column: 2, .. }));
    assert!(matches!(refused("a,b\n1, \"a,b\"\n"), Refusal::QuoteInBareCell { line: 2, column: 2, .. }));
    assert!(matches!(refused("a,b\n1,5\" disk\n"), Refusal::QuoteInBareCell { line: 2, column: 2, .. }));
}

#[test]
fn complaints_say_the_byte() {
    for (text, byte) in [
        ("a,b\n1,2\n1,\"2\n3,4\n", 10),
        ("\u{FEFF}a,b\n\"a\"b,2\n", 10),
        ("a,b\n1,5\" disk\n", 7),
        ("å,b\r1,2\r", 5),
    ] {
        assert!(refused(text).to_string().contains(&format!("byte {byte}")), "{}", refused(text));
    }
}

#[test]
fn lines_end_in_lf_or_crlf_and_in_nothing_else() {
    assert!(matches!(refused("a,b\r1,2\r"), Refusal::StrayCarriageReturn { line: 1, .. }));
    assert!(matches!(refused("a,b\n1,\"2\"\r3\n"), Refusal::StrayCarriageReturn { line: 2, .. }));
    assert!(matches!(refused("a,b\n1,2\r\r\r\n"), Refusal::StrayCarriageReturn { line: 2, .. }));
    // A CRLF that was written as text once more, and lines that end in different ways.
    let mixed = "a,b\r\r\n1,\"2\"\r\r\n3,4\n5,6\r\n7,8\r";
    assert_eq!(tidy(mixed), lines(&[(1, "a|b"), (2, "1|2"), (3, "3|4"), (4, "5|6"), (5, "7|8")]));
}

/// The rows, and whether the last one was cut off.
fn rows_of(text: &[u8], complete: bool) -> Result<(Vec<Row>, bool), Refusal> {
    let mut reader = Reader::open_as(text, Limits::default(), Layout { complete, ..Layout::default() })?;
    let (mut rows, mut record) = (Vec::new(), Record::default());
    while reader.read(&mut record)? {
        rows.push((record.line(), record.iter().map(str::to_owned).collect()));
    }
    Ok((rows, reader.is_cut_off()))
}

#[test]
fn f14_of_a_file_that_is_cut_anywhere_the_rows_before_are_read_and_the_last_is_told() {
    let whole = "a,b\r\n1,\"two\nlines\"\r\n33,\"4\"\r\nå,ö\r\n".as_bytes();
    let (all, _) = rows_of(whole, false).unwrap();
    for cut in 0..whole.len() {
        let text = &whole[..cut];
        match rows_of(text, false) {
            Ok((mut rows, cut_off)) => {
                if cut_off {
                    rows.pop();
                }
                assert_eq!(rows, all[..rows.len()], "{cut}");
                assert_eq!(cut_off, !text.ends_with(b"\n"), "{cut}");
            }
            Err(refusal) => assert!(
                matches!(refusal, Refusal::CutOff { .. } | Refusal::UnclosedQuote { .. } | Refusal::Empty),
                "{cut}: {refusal}"
            ),
        }
    }
    let told = |text: &str, complete| rows_of(text.as_bytes(), complete).map_err(|refusal| refusal.code());
    assert_eq!(told("a,b", false), Err("file_cut_off"));
    assert_eq!(told("a,b", true), Ok((vec![], false)));
    let row = (2, vec!["1".to_owned(), "2".to_owned()]);
    assert_eq!(told("a,b\n1,2", true), Ok((vec![row.clone()], false)));
    assert_eq!(told("a,b\n1,2", false), Ok((vec![row], true)));
    assert_eq!(rows_of(b"a,b\n1,\xC3", true).unwrap_err().code(), "file_not_utf8");
}

#[test]
fn two_columns_of_one_name_are_refused_but_padding_is_not() {
    let refusal = refused("Partner ID,name, partner_id \n");
    assert!(
        matches!(&refusal, Refusal::DuplicateColumn { name, column: 3 } if name == "partner_id"),
        "{refusal}"
    );
    assert!(rows(b"a,b,,\n").is_ok());
}

#[test]
fn every_limit_is_a_refusal_of_its_own_and_bounds_memory() {
    let limits = Limits { file_bytes: 1 << 20, record_bytes: 40, cell_bytes: 20, columns: 3, rows: 2 };
    let refused = |text: &str| rows_from(text.as_bytes(), limits).unwrap_err();
    let ok = format!("a,b,c\n{0},\"{1}\",\n1,2,3\n\n\n", "x".repeat(20), "y".repeat(16));
    assert_eq!(rows_from(ok.as_bytes(), limits).unwrap().len(), 3);
    assert!(matches!(
        refused(&format!("a,b\n1,{}\n", "x".repeat(21))),
        Refusal::CellTooLong { line: 2, column: 2, limit: 20 }
    ));
    assert!(matches!(
        refused(&format!("a,b\n1,\"{}", "x\n".repeat(300_000))),
        Refusal::CellTooLong { line: 2, column: 2, .. }
    ));
    assert!(matches!(
        refused(&format!("a,b\n{0},{0},{0}\n", "x".repeat(14))),
        Refusal::RecordTooLong { line: 2, limit: 40 }
    ));
    assert!(matches!(refused("a,b\n1,2,3,4\n"), Refusal::TooManyColumns { line: 2, limit: 3 }));
    assert!(matches!(refused("a\n1\n2\n3\n"), Refusal::TooManyRows { line: 4, limit: 2 }));
    assert!(matches!(refused(&"a\n".repeat(600_000)), Refusal::TooManyRows { .. }));
    let endless = Limits { rows: u64::MAX, ..limits };
    let refusal = rows_from(io::repeat(b'\n').take(2 << 20), endless).unwrap_err();
    assert!(matches!(refusal, Refusal::FileTooLarge { limit: 1_048_576 }));

    let wide = Limits { cell_bytes: 100_000, record_bytes: 200_000, ..Limits::default() };
    let mut reader = Reader::open(Dripping { bytes: b"a\n", step: 1 }.chain(io::repeat(b'x')), wide).unwrap();
    assert!(matches!(reader.read(&mut Record::default()), Err(Refusal::CellTooLong { .. })));
    assert!(reader.buffer.len() <= 200_000 + 2 * CHUNK);
}

#[test]
fn files_as_people_write_them_are_read_or_refused_as_they_should() {
    let read = |name: &str| {
        let path = format!("{}/fixtures/files/{name}", env!("CARGO_MANIFEST_DIR"));
        rows_from(std::fs::File::open(path).unwrap(), Limits::default())
    };
    assert_eq!(read("partners.csv").unwrap().len(), 6);
    assert_eq!(
        read("partners_crlf_bom.csv").unwrap()[2],
        (
            3,
            vec![
                "4203".into(),
                "Contoso\r\nSoftware Inc.".into(),
                "mpn@contoso.example".into(),
                "US".into(),
                "USD".into()
            ]
        )
    );
    assert_eq!(read("partners_reordered.csv").unwrap().len(), 3);
    assert_eq!(read("entitlements_bad_rows.csv").unwrap().last().unwrap().0, 8);
    assert_eq!(read("users.csv").unwrap()[1].1[3], "Lund, Anna");
    let code = |name| read(name).unwrap_err().code();
    assert_eq!(code("partners_windows_1252.csv"), "file_not_utf8");
    assert_eq!(code("partners_duplicate_header.csv"), "file_duplicate_column");
    assert_eq!(code("partners_nul.csv"), "file_nul_byte");
    assert_eq!(code("entitlements_unclosed_quote.csv"), "file_unclosed_quote");
    assert_eq!(code("entitlements_text_after_quote.csv"), "file_text_after_quote");
    assert_eq!(read("entitlements_cut_off.csv").unwrap().last().unwrap().0, 3);
}

fn csvish() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => Just(b','), 4 => Just(b'"'), 4 => Just(b'\n'), 2 => Just(b'\r'), 8 => b'a'..b'd',
        1 => Just(b' '), 1 => any::<u8>(),
    ];
    proptest::collection::vec(byte, 0..60)
}

/// Rows with their lines, or the refusal's sentence.
fn outcome(input: impl Read) -> Result<Vec<Row>, String> {
    rows_from(input, Limits { cell_bytes: 12, record_bytes: 30, columns: 6, rows: 8, ..Limits::default() })
        .map_err(|refusal| refusal.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_read_or_refused_and_the_same_however_they_arrive(bytes in csvish(), step in 1_usize..7) {
        let whole = outcome(bytes.as_slice());
        prop_assert_eq!(&whole, &outcome(Dripping { bytes: &bytes, step: 1 }));
        prop_assert_eq!(&whole, &outcome(Dripping { bytes: &bytes, step }));
    }

    #[test]
    fn what_is_read_is_what_the_csv_crate_reads(bytes in csvish()) {
        if let Ok(ours) = rows(&bytes) {
            let mut theirs = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes.as_slice());
            let theirs: Vec<Vec<String>> =
                theirs.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            // Rows of blank cells are left out here; and a line end that is one CR more leaves an empty row there.
            let filled = |row: &Vec<String>| !row.concat().trim().is_empty();
            let ours: Vec<_> = ours.into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(ours, theirs.into_iter().filter(filled).collect::<Vec<_>>());
        }
    }
}

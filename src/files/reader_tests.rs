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
        lines(&[(1, "a|b"), (2, "1|two\r\nlines"), (4, "3|4"), (5, "|")])
    );
}

#[test]
fn blank_lines_at_the_end_are_no_rows_and_in_the_middle_they_are() {
    assert_eq!(tidy("a,b\n1,2\n\r\n\n"), lines(&[(1, "a|b"), (2, "1|2")]));
    assert_eq!(
        tidy("\n\na,b\n\n\n1,2\n\n3,4\n\n"),
        lines(&[(3, "a|b"), (4, ""), (5, ""), (6, "1|2"), (7, ""), (8, "3|4")])
    );
}

#[test]
fn a_row_with_another_number_of_cells_is_one_bad_row() {
    let mut reader = Reader::open("a,b\n1\n1,2\n".as_bytes(), Limits::default()).unwrap();
    let mut record = Record::default();
    assert!(reader.read(&mut record).unwrap());
    let reason = Reason::WrongFieldCount { expected: 2, found: 1 };
    assert_eq!(reader.shape_problem(&record), Some(Problem::of_row(reason)));
    assert!(reader.read(&mut record).unwrap());
    assert_eq!((reader.shape_problem(&record), reader.raw()), (None, "1,2".as_bytes()));
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
    // Half a letter at the very end is a cut-off file.
    assert!(matches!(refused(b"a,b\n1,\xC3"), Refusal::CutOff { line: 2, .. }));
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
    assert!(matches!(refused("a,b\n1,2\n1,\"2\n3,4\n5,6\n"), Refusal::UnclosedQuote { line: 3, column: 2 }));
    assert!(matches!(refused("a,b\n\"1\n\",\"2\n"), Refusal::UnclosedQuote { line: 3, column: 2 }));
    assert!(matches!(refused("a,b\n\"a\"b,2\n"), Refusal::TextAfterQuote { line: 2, column: 1 }));
    assert!(matches!(refused("a,b\n1,\"a\" \n"), Refusal::TextAfterQuote { line: 2, column: 2 }));
    assert!(matches!(refused("a,b\n1, \"a,b\"\n"), Refusal::QuoteInBareCell { line: 2, column: 2 }));
    assert!(matches!(refused("a,b\n1,5\" disk\n"), Refusal::QuoteInBareCell { line: 2, column: 2 }));
}

#[test]
fn lines_end_in_lf_or_crlf_and_in_nothing_else() {
    assert!(matches!(refused("a,b\r1,2\r"), Refusal::StrayCarriageReturn { line: 1 }));
    assert!(matches!(refused("a,b\n1,\"2\"\r3\n"), Refusal::StrayCarriageReturn { line: 2 }));
    assert!(matches!(refused("a,b\n1,2\r"), Refusal::CutOff { line: 2, found: 2, expected: 2 }));
}

#[test]
fn a_file_cut_anywhere_but_at_a_line_end_is_refused() {
    let whole = "a,b\n1,\"two\nlines\"\n33,\"4\"\n";
    for cut in 0..whole.len() {
        let text = &whole[..cut];
        if [4, 18].contains(&cut) {
            assert!(rows(text.as_bytes()).is_ok(), "{text:?}");
        } else {
            let refusal = refused(text);
            let expected =
                matches!(refusal, Refusal::CutOff { .. } | Refusal::UnclosedQuote { .. } | Refusal::Empty);
            assert!(expected, "{text:?}: {refusal}");
        }
    }
    assert_eq!(
        refused("a,b\n12").to_string(),
        "line 2: the file was cut off: its last line has no line end (1 of 2 cells); if it is complete, end that line"
    );
    assert!(refused("a,b").to_string().contains("(the header itself)"));
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
    assert_eq!(code("entitlements_cut_off.csv"), "file_cut_off");
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
            // It leaves out blank lines, which here are rows of one empty cell.
            let blank = |line: u64| {
                let line = bytes.split(|byte| *byte == b'\n').nth(usize::try_from(line).unwrap() - 1).unwrap();
                line.is_empty() || line == b"\r"
            };
            let ours: Vec<_> = ours.into_iter().filter(|(line, _)| !blank(*line)).map(|(_, cells)| cells).collect();
            prop_assert_eq!(ours, theirs);
        }
    }
}

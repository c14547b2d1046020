//! Oddities that the collections of other libraries test, as files of our own: what becomes of each, beside its name.

use benefactor::files::reader::{Limits, Reader, Record};

/// What becomes of a file: its rows, cells between bars, `…` behind a row that ends the file without a line end; or the code
/// of its refusal.
type Outcome = Result<&'static [&'static str], &'static str>;

/// The name of an oddity, the file, and what becomes of it.
const ODDITIES: [(&str, &[u8], Outcome); 48] = [
    ("lines end in LF", b"a,b\n1,2\n", Ok(&["1|2"])),
    ("lines end in CRLF", b"a,b\r\n1,2\r\n", Ok(&["1|2"])),
    ("lines end in CR alone", b"a,b\r1,2\r", Err("file_stray_carriage_return")),
    ("lines end in CR-CR-LF", b"a,b\r\r\n1,2\r\r\n", Ok(&["1|2"])),
    ("lines end in both ways", b"a,b\r\n1,2\n3,4\r\n", Ok(&["1|2", "3|4"])),
    ("a CR within a cell", b"a,b\n1,2\r3\n", Err("file_stray_carriage_return")),
    ("a CR within quotes", b"a,b\n1,\"2\r3\"\n", Ok(&["1|2\r3"])),
    ("a line end within quotes", b"a,b\n1,\"2\n3\"\n", Ok(&["1|2\n3"])),
    ("a CRLF within quotes", b"a,b\r\n1,\"2\r\n3\"\r\n", Ok(&["1|2\r\n3"])),
    ("nothing but a line end within quotes", b"a,b\n1,\"\n\"\n", Ok(&["1|\n"])),
    ("the last line has no end", b"a,b\n1,2", Ok(&["1|2…"])),
    ("the last line has no end, and ends in quotes", b"a,b\n1,\"2\"", Ok(&["1|2…"])),
    ("the last line has no end, and its last cell is empty", b"a,b\n1,", Ok(&["1|…"])),
    ("a header without an end", b"a,b", Err("file_cut_off")),
    ("a header and nothing else", b"a,b\n", Ok(&[])),
    ("nothing", b"", Err("file_empty")),
    ("nothing but line ends", b"\n\r\n\n", Err("file_empty")),
    ("nothing but a byte order mark", b"\xEF\xBB\xBF", Err("file_empty")),
    ("nothing but delimiters", b",,\n,,\n", Err("file_empty")),
    ("a byte order mark", b"\xEF\xBB\xBFa,b\n1,2\n", Ok(&["1|2"])),
    ("a byte order mark before quotes", b"\xEF\xBB\xBF\"a\",b\n1,2\n", Ok(&["1|2"])),
    ("a blank line before the header", b"\na,b\n1,2\n", Ok(&["1|2"])),
    ("blank lines between rows and at the end", b"a,b\n\n1,2\n\n\n", Ok(&["1|2"])),
    ("a line of blanks", b"a,b\n  \n1,2\n", Ok(&["1|2"])),
    ("a row of empty cells", b"a,b\n,\n1,2\n", Ok(&["1|2"])),
    ("a row of empty quotes", b"a,b\n\"\",\"\"\n1,2\n", Ok(&["1|2"])),
    ("empty cells", b"a,b,c\n1,,\n,2,\n", Ok(&["1||", "|2|"])),
    ("an empty cell in quotes", b"a,b\n1,\"\"\n", Ok(&["1|"])),
    ("one column", b"a\n1\n2\n", Ok(&["1", "2"])),
    ("a row of fewer cells, which costs the row", b"a,b,c\n1,2\n", Ok(&["1|2"])),
    ("a row of more cells, which costs the row", b"a,b\n1,2,3\n", Ok(&["1|2|3"])),
    ("blanks around cells", b"a,b\n 1 , 2 \n", Ok(&[" 1 | 2 "])),
    ("a delimiter within quotes", b"a,b\n1,\"2,3\"\n", Ok(&["1|2,3"])),
    ("quotes within quotes", b"a,b\n1,\"2 \"\"3\"\" 4\"\n", Ok(&["1|2 \"3\" 4"])),
    ("nothing but a quote within quotes", b"a,b\n1,\"\"\"\"\n", Ok(&["1|\""])),
    ("objects of JSON within quotes", b"a,b\n1,\"{\"\"x\"\": [1, 2]}\"\n", Ok(&["1|{\"x\": [1, 2]}"])),
    ("quotes that are escaped by a backslash", b"a,b\n1,\"2 \\\"3\\\" 4\"\n", Err("file_text_after_quote")),
    ("a backslash", b"a,b\n1,2\\3\n", Ok(&["1|2\\3"])),
    ("a quote within a cell without quotes", b"a,b\n1,2\"3\n", Err("file_quote_in_bare_cell")),
    ("a measure in inches", b"a,b\n1,24\"\n", Err("file_quote_in_bare_cell")),
    ("a blank before quotes", b"a,b\n1, \"2\"\n", Err("file_quote_in_bare_cell")),
    ("a blank behind quotes", b"a,b\n1,\"2\" \n", Err("file_text_after_quote")),
    ("text behind quotes", b"a,b\n1,\"2\"3\n", Err("file_text_after_quote")),
    ("a quote that is not closed", b"a,b\n1,\"2\n3,4\n", Err("file_unclosed_quote")),
    ("apostrophes as quotes", b"a,b\n1,'2,3'\n", Ok(&["1|'2|3'"])),
    ("a line that is meant as a comment", b"a,b\n# 1,2\n", Ok(&["# 1|2"])),
    ("characters of several bytes", "a,b\n1,å€語\u{1f600}\n".as_bytes(), Ok(&["1|å€語\u{1f600}"])),
    ("bytes of an encoding of one byte a character", b"a,b\n1,\xB0\n", Err("file_not_utf8")),
];

#[test]
fn what_becomes_of_each_oddity_is_beside_its_name() {
    for (name, bytes, expected) in ODDITIES {
        let read = || {
            let mut reader = Reader::open(bytes, Limits::default())?;
            let (mut rows, mut record) = (Vec::new(), Record::default());
            while reader.read(&mut record)? {
                let end = if reader.is_cut_off() { "…" } else { "" };
                rows.push(record.iter().collect::<Vec<_>>().join("|") + end);
            }
            Ok(rows)
        };
        let read: Result<Vec<String>, benefactor::files::Refusal> = read();
        match (&read, expected) {
            (Ok(rows), Ok(expected)) => assert_eq!(rows, expected, "{name}"),
            (Err(refusal), Err(expected)) => assert_eq!(refusal.code(), expected, "{name}: {refusal}"),
            _ => panic!("{name}: {read:?}"),
        }
    }
}

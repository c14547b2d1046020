//! Encodings, delimiters, decimal marks and dates.

use benefactor::files::{
    delimiter::Delimiter,
    dialect::{StatedDialect, is_formula},
    encoding::Encoding,
    source::ReadAs,
};
use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{
    corpus, mutation,
    run::{Target, run},
    taken::{OnDisk, Taken, cells, is_a_refusal, take, written},
};

/// What stands before a cell that could not be taken as canonical text.
const UNSETTLED: char = '\u{2}';

#[test]
fn dialect() {
    run(Target { name: "dialect", cases: 100, corpus: corpus::texts(), mutate: mutation::of_text, property });
}

/// A whole file, in what is stated of it.
fn whole(dialect: StatedDialect) -> ReadAs {
    ReadAs { dialect, complete: true, ..ReadAs::default() }
}

fn property(bytes: &[u8]) {
    let file = OnDisk::of(bytes);
    for asked in [ReadAs::default(), whole(StatedDialect::default())] {
        let (one, other) = (take(&file, &asked), take(&file, &asked));
        match (one, other) {
            (Ok(one), Ok(other)) => {
                assert_eq!(one.rows, other.rows);
                every_cell_is_taken_or_has_a_reason(&one);
                if asked.complete {
                    canonical_again(&one);
                    in_other_encodings(bytes, &one);
                    between_other_delimiters(&one);
                }
            }
            (Err(one), Err(other)) => {
                assert_eq!(one.to_string(), other.to_string());
                is_a_refusal(&one, bytes);
            }
            _ => panic!("taken once and refused once"),
        }
    }
}

fn every_cell_is_taken_or_has_a_reason(taken: &Taken) {
    assert_eq!(taken.rows.len(), taken.read.len());
    for (row, (line, read)) in taken.rows.iter().zip(&taken.read) {
        assert_eq!((row.line(), row.len()), (*line, read.len()));
        for (at, cell) in row.iter().enumerate() {
            if let Some(of) = taken.profile.type_at(at).filter(|_| cell.starts_with(UNSETTLED)) {
                assert!(taken.dialect.refuses(of, cell).is_some(), "{cell:?} of {of:?} has no reason");
            } else {
                assert!(!cell.starts_with(UNSETTLED), "{cell:?} has no type");
            }
        }
    }
}

/// Cells as they are written so that no spreadsheet takes one for a formula.
fn guarded(row: &[String]) -> Vec<String> {
    row.iter().map(|cell| if is_formula(cell) { format!("'{cell}") } else { cell.clone() }).collect()
}

/// What was taken is canonical: written in the canonical form it is taken as it is.
fn canonical_again(taken: &Taken) {
    let settled: Vec<Vec<String>> = taken
        .rows
        .iter()
        .map(cells)
        .filter(|row| !row.iter().any(|cell| cell.starts_with(UNSETTLED)))
        .collect();
    let guarded: Vec<Vec<String>> =
        std::iter::once(taken.header.clone()).chain(settled.iter().map(|row| guarded(row))).collect();
    let asked = ReadAs { kind: Some(taken.profile.kind), ..ReadAs::default() };
    let asked = if taken.profile.conversion.is_some() { ReadAs::default() } else { asked };
    let again = take(&OnDisk::of(written(&guarded, ",").as_bytes()), &asked).unwrap();
    let again: Vec<Vec<String>> = again.rows.iter().map(cells).collect();
    assert_eq!(again, settled);
}

/// A file as text, if its bytes are that in the encoding.
fn decoded(bytes: &[u8], encoding: Encoding) -> Option<String> {
    let mark = encoding.byte_order_mark();
    let bytes = bytes.strip_prefix(mark).unwrap_or(bytes);
    match encoding {
        Encoding::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
        Encoding::Utf16Le => {
            UTF_16LE.decode_without_bom_handling_and_without_replacement(bytes).map(Into::into)
        }
        Encoding::Utf16Be => {
            UTF_16BE.decode_without_bom_handling_and_without_replacement(bytes).map(Into::into)
        }
        Encoding::Windows1252 => {
            WINDOWS_1252.decode_without_bom_handling_and_without_replacement(bytes).map(Into::into)
        }
    }
}

/// The same text in another encoding is the same rows.
fn in_other_encodings(bytes: &[u8], taken: &Taken) {
    let text = decoded(bytes, taken.dialect.encoding).expect("what was read is text");
    for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
        let file = OnDisk::of(&corpus::encoded(&text, encoding));
        match take(&file, &whole(StatedDialect::default())) {
            Ok(again) => assert_eq!(again.rows, taken.rows, "{encoding:?}"),
            Err(refusal) => panic!("{encoding:?}: {refusal}"),
        }
    }
}

/// The same rows between other delimiters are the same cells, or cells that are left to be settled.
fn between_other_delimiters(taken: &Taken) {
    let read: Vec<Vec<String>> =
        std::iter::once(taken.header.clone()).chain(taken.read.iter().map(|(_, row)| row.clone())).collect();
    for delimiter in Delimiter::ALL {
        let text = written(&read, &char::from(delimiter.byte()).to_string());
        let stated = StatedDialect { delimiter: Some(delimiter), ..StatedDialect::default() };
        let again = take(&OnDisk::of(text.as_bytes()), &whole(stated)).unwrap();
        assert_eq!(again.rows.len(), taken.rows.len(), "{delimiter:?}");
        for (one, other) in again.rows.iter().zip(&taken.rows) {
            assert_eq!(one.len(), other.len());
            for (one, other) in one.iter().zip(other.iter()) {
                let open = one.starts_with(UNSETTLED) || other.starts_with(UNSETTLED);
                assert!(one == other || open, "{one:?} and {other:?} between {delimiter:?}");
            }
        }
    }
}

//! A valid file that is cut anywhere: the rows before are what they were, the last is told, or the file is refused.

use benefactor::files::{dialect::StatedDialect, encoding::Encoding, source::ReadAs};

use super::{
    corpus,
    taken::{OnDisk, cells, is_a_refusal, take},
    workbook,
};

/// What stands before a cell that could not be taken as canonical text.
const UNSETTLED: char = '\u{2}';

/// With a quoted line end, characters of several bytes, a comma as decimal mark, and the day first.
const TABLE: &str = "partner_id;order_id;benefit;used_on;amount;currency;reference\r\n\
                     4301;00042;software;31.01.2024;\"1.234,50\";USD;\"två\r\nrader\"\r\n\
                     4302;1;software;01/02/2024;0,5;USD;\u{1f600}\r\n\
                     4303;2;software;13/02/2024;-7,25;USD;\"a \"\"b\"\"\"\r\n";

#[test]
fn a_valid_file_cut_at_every_byte_has_the_rows_before_or_is_refused() {
    for encoding in Encoding::ALL {
        let table = if encoding == Encoding::Windows1252 {
            TABLE.replace('\u{1f600}', "€")
        } else {
            TABLE.to_owned()
        };
        let whole = corpus::encoded(&table, encoding);
        let asked = ReadAs {
            dialect: StatedDialect { encoding: Some(encoding), ..StatedDialect::default() },
            ..ReadAs::default()
        };
        let all = take(&OnDisk::of(&whole), &asked).unwrap();
        assert_eq!((all.rows.len(), all.is_cut_off), (3, false));
        let mut read = 0;
        for at in 0..whole.len() {
            let part = match take(&OnDisk::of(&whole[..at]), &asked) {
                Ok(part) => part,
                Err(refusal) => {
                    is_a_refusal(&refusal, &whole[..at]);
                    continue;
                }
            };
            read += 1;
            let rows = part.rows.len() - usize::from(part.is_cut_off);
            assert!(rows < 3 && part.read[..rows] == all.read[..rows], "{encoding:?} {at}");
            for (one, other) in part.rows[..rows].iter().zip(&all.rows) {
                // Of what is left of a file, fewer rows say how it is written.
                let same = |(one, other): (&String, &String)| one == other || one.starts_with(UNSETTLED);
                assert!(
                    cells(one).iter().zip(&cells(other)).all(same),
                    "{encoding:?} {at}: {one:?} {other:?}"
                );
            }
            // Rows that lack nothing are told from one that was cut off by the end of their line.
            let ends = whole[..at].ends_with(b"\n") || whole[..at].ends_with(b"\n\0");
            assert_eq!(part.is_cut_off, !ends, "{encoding:?} {at}");
        }
        assert!(read > 50, "{encoding:?}: {read} of the files are read");
    }
}

#[test]
fn a_workbook_cut_at_every_byte_is_refused() {
    let whole = workbook::texts();
    assert!(take(&OnDisk::of(&whole), &ReadAs::default()).is_ok());
    for at in 0..whole.len() {
        match take(&OnDisk::of(&whole[..at]), &ReadAs::default()) {
            Ok(_) => panic!("half of a workbook is read: {at} of {} bytes", whole.len()),
            Err(refusal) => is_a_refusal(&refusal, &whole[..at]),
        }
    }
}

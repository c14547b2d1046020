//! The reader of texts.

use std::io::{self, Read};

use benefactor::files::{
    Refusal,
    delimiter::{Delimiter, preamble, version_line},
    reader::{Layout, Limits, Reader, Record},
};

use super::{
    corpus, mutation,
    run::{Target, run},
    taken::{cells, is_a_refusal, written},
};

#[test]
fn reader() {
    run(Target {
        name: "reader",
        cases: 300,
        corpus: corpus::texts(),
        mutate: mutation::of_text,
        property: |bytes| {
            for delimiter in Delimiter::ALL {
                for complete in [false, true] {
                    property(bytes, Layout { delimiter, complete, ..Layout::default() });
                }
            }
        },
    });
}

type Row = (u64, Vec<String>);

/// The rows, the header first; and whether the last was cut off.
fn rows(input: impl Read, layout: Layout) -> Result<(Vec<Row>, bool), Refusal> {
    let mut reader = Reader::open_as(input, Limits::default(), layout)?;
    let mut rows = vec![(reader.header().line(), cells(reader.header()))];
    let mut record = Record::default();
    while reader.read(&mut record)? {
        rows.push((record.line(), cells(&record)));
    }
    Ok((rows, reader.is_cut_off()))
}

/// Bytes that come a few at a time.
struct Dripping<'a>(&'a [u8], usize);

impl Read for Dripping<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(room.len()).min(self.0.len());
        room[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn property(bytes: &[u8], layout: Layout) {
    let whole = rows(bytes, layout);
    let told = |outcome: &Result<(Vec<Row>, bool), Refusal>| match outcome {
        Ok(rows) => Ok(rows.clone()),
        Err(refusal) => Err(refusal.to_string()),
    };
    for step in [1, bytes.len() / 3 + 2] {
        assert_eq!(told(&whole), told(&rows(Dripping(bytes, step), layout)), "{step} bytes at a time");
    }
    let (rows_read, cut_off) = match whole {
        Ok(read) => read,
        Err(refusal) => return is_a_refusal(&refusal, bytes),
    };
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    assert!(rows_read.windows(2).all(|two| two[0].0 < two[1].0), "rows in the order of their lines");
    assert!(rows_read.iter().all(|(line, _)| (1..=lines).contains(line)));
    assert!(!cut_off || !layout.complete && !bytes.ends_with(b"\n"));

    // None is left out, and none has other cells than the file says.
    let reader = Reader::open_as(bytes, Limits::default(), layout).unwrap();
    let said_first = usize::from(reader.preamble().is_some()) + usize::from(!reader.version().is_empty());
    let mut text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    for _ in 0..said_first {
        text = text.iter().position(|byte| *byte == b'\n').map_or(&[][..], |at| &text[at + 1..]);
    }
    let mut theirs = csv::ReaderBuilder::new();
    theirs.has_headers(false).flexible(true).delimiter(layout.delimiter.byte());
    let mut theirs: Vec<Vec<String>> = theirs
        .from_reader(text)
        .byte_records()
        .map(|record| record.unwrap().iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect())
        .collect();
    // A line end that is one CR more leaves an empty row there.
    theirs.retain(|row| !row.concat().trim_start().is_empty());
    let ours: Vec<Vec<String>> = rows_read.iter().map(|(_, row)| row.clone()).collect();
    assert_eq!(ours, theirs);

    // Written again they are the same.
    let delimiter = char::from(layout.delimiter.byte()).to_string();
    let again = written(&ours, &delimiter);
    if preamble(again.as_bytes()).is_some() || version_line(again.as_bytes()).is_some() {
        return; // half a line before a header, read as one
    }
    let (read_again, _) = rows(again.as_bytes(), layout).unwrap();
    let read_again: Vec<Vec<String>> = read_again.into_iter().map(|(_, row)| row).collect();
    assert_eq!(ours, read_again);
}

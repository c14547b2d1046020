//! Canonical CSV out: UTF-8 without a byte order mark, comma, LF, RFC 4180 quoting where needed.

use std::io::{self, Write};

/// Writes a header and rows of as many cells.
#[derive(Debug)]
pub struct Writer<W: Write> {
    inner: csv::Writer<W>,
    columns: usize,
}

impl<W: Write> Writer<W> {
    /// Begins a file with its header row.
    pub fn new(output: W, header: &[&str]) -> io::Result<Self> {
        let inner = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(output);
        let mut writer = Self { inner, columns: header.len() };
        writer.row(header)?;
        Ok(writer)
    }

    /// Writes one row. An error, and nothing written, if it has another number of cells than the header.
    pub fn row(&mut self, cells: &[&str]) -> io::Result<()> {
        if cells.len() != self.columns {
            let message = format!("a row of {} cells under a header of {}", cells.len(), self.columns);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(self.inner.write_record(cells)?)
    }

    /// Flushes and hands the output back.
    pub fn finish(self) -> io::Result<W> {
        self.inner.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::reader::{Limits, Reader, Record};

    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        let mut writer = Writer::new(Vec::new(), &["a", "b"]).unwrap();
        writer.row(&["plain å", "say \"hi\", \nall"]).unwrap();
        assert!(writer.row(&["one too few"]).is_err());
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert_eq!(text, "a,b\nplain å,\"say \"\"hi\"\", \nall\"\n");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(rows in proptest::collection::vec(proptest::array::uniform3("[^\0]{0,12}"), 0..20)) {
            let mut writer = Writer::new(Vec::new(), &["a", "b", "c"]).unwrap();
            for row in &rows {
                writer.row(&[&row[0], &row[1], &row[2]]).unwrap();
            }
            let bytes = writer.finish().unwrap();
            let mut reader = Reader::open(bytes.as_slice(), Limits::default()).unwrap();
            let mut record = Record::default();
            for row in &rows {
                assert!(reader.read(&mut record).unwrap());
                assert_eq!(record.iter().collect::<Vec<_>>(), row.iter().map(String::as_str).collect::<Vec<_>>());
            }
            assert!(!reader.read(&mut record).unwrap());
        }
    }
}

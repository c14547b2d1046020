//! Finds where a record ends, byte by byte, and refuses what is malformed, before `csv-core` splits it.

use super::{Refusal, limits::Limits};

/// Where in a record the guard stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CellState {
    /// Before a cell's first byte.
    #[default]
    Start,
    /// In an unquoted cell.
    Bare,
    /// Between quotes.
    Quoted,
    /// Behind a quote that closed the cell, unless another follows.
    Closed,
    /// Behind a carriage return outside quotes.
    Return,
    /// Behind two of them.
    Returns,
}

/// A whole record, found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Its length, line end included.
    pub bytes: usize,
    /// Physical lines it takes.
    pub lines: u64,
    /// Its cells.
    pub cells: usize,
    /// Bytes of its line end: LF, CRLF, or CR-CR-LF, which is a CRLF that was written as text once more.
    pub line_end: usize,
}

/// What a record is refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Nul,
    TextAfterQuote,
    QuoteInBareCell,
    StrayReturn,
    RecordTooLong,
    CellTooLong,
    TooManyColumns,
}

/// A fault of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    what: What,
    /// Which byte of the record it is, from 0.
    pub at: usize,
    /// Line feeds of the record before it; for a cell too long, before the cell.
    lines: u64,
    /// The cell's number, from 1.
    column: usize,
}

impl Fault {
    /// The refusal, for a record that begins on `line`; the fault itself is at byte `offset`.
    pub const fn refusal(&self, line: u64, offset: u64, limits: &Limits) -> Refusal {
        let (begins, line, column) = (line, line.saturating_add(self.lines), self.column);
        match self.what {
            What::Nul => Refusal::NulByte { line, offset },
            What::TextAfterQuote => Refusal::TextAfterQuote { line, column, offset },
            What::QuoteInBareCell => Refusal::QuoteInBareCell { line, column, offset },
            What::StrayReturn => Refusal::StrayCarriageReturn { line, offset },
            What::RecordTooLong => Refusal::RecordTooLong { line: begins, limit: limits.record_bytes },
            What::CellTooLong => Refusal::CellTooLong { line, column, limit: limits.cell_bytes },
            What::TooManyColumns => Refusal::TooManyColumns { line: begins, limit: limits.columns },
        }
    }
}

/// Scans one record, which may come in any number of pieces.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guard {
    state: CellState,
    /// Bytes of the record seen so far.
    seen: usize,
    /// Line feeds so far.
    lines: u64,
    /// Whole cells so far.
    cells: usize,
    /// Where the current cell begins, and the line feeds before it.
    cell_from: usize,
    cell_lines: u64,
}

impl Guard {
    /// Looks at `bytes`, which begin with the record and hold at least what was seen of it before.
    /// `None`: the record does not end in them.
    pub fn scan(&mut self, bytes: &[u8], limits: &Limits, delimiter: u8) -> Result<Option<Scan>, Fault> {
        while let Some(rest) = bytes.get(self.seen..) {
            let ordinary = if matches!(self.state, CellState::Bare | CellState::Quoted) {
                rest.iter()
                    .position(|byte| matches!(byte, b'"' | b'\n' | b'\r' | 0) || *byte == delimiter)
                    .unwrap_or(rest.len())
            } else {
                0
            };
            self.seen = self.seen.saturating_add(ordinary);
            self.check_lengths(limits)?;
            let Some(byte) = bytes.get(self.seen) else { break };
            if self.step(*byte, limits, delimiter)? {
                return Ok(Some(Scan {
                    bytes: self.seen,
                    lines: self.lines,
                    cells: self.cells,
                    line_end: match self.state {
                        CellState::Returns => 3,
                        CellState::Return => 2,
                        _ => 1,
                    },
                }));
            }
        }
        Ok(None)
    }

    /// One byte further; whether it ended the record.
    fn step(&mut self, byte: u8, limits: &Limits, delimiter: u8) -> Result<bool, Fault> {
        let next = match (self.state, byte) {
            (_, 0) => return Err(self.fault(What::Nul)),
            (
                CellState::Return
                | CellState::Returns
                | CellState::Start
                | CellState::Bare
                | CellState::Closed,
                b'\n',
            ) => {
                self.end_cell(limits)?;
                self.lines = self.lines.saturating_add(1);
                return Ok(true);
            }
            (CellState::Return, b'\r') => CellState::Returns,
            (CellState::Return | CellState::Returns, _) => return Err(self.fault(What::StrayReturn)),
            (CellState::Bare, b'"') => return Err(self.fault(What::QuoteInBareCell)),
            (CellState::Quoted, b'"') => CellState::Closed,
            (CellState::Quoted, b'\n') => {
                self.lines = self.lines.saturating_add(1);
                CellState::Quoted
            }
            (CellState::Start | CellState::Closed, b'"') | (CellState::Quoted, _) => CellState::Quoted,
            (_, byte) if byte == delimiter => {
                self.end_cell(limits)?;
                self.cell_from = self.seen;
                self.cell_lines = self.lines;
                self.state = CellState::Start;
                return Ok(false);
            }
            (_, b'\r') => CellState::Return,
            (CellState::Closed, _) => return Err(self.fault(What::TextAfterQuote)),
            (CellState::Start | CellState::Bare, _) => CellState::Bare,
        };
        self.state = next;
        self.seen = self.seen.saturating_add(1);
        Ok(false)
    }

    /// Behind the delimiter or line feed that ends a cell.
    fn end_cell(&mut self, limits: &Limits) -> Result<(), Fault> {
        self.check_lengths(limits)?;
        if self.cells >= limits.columns {
            return Err(self.fault(What::TooManyColumns));
        }
        self.cells = self.cells.saturating_add(1);
        self.seen = self.seen.saturating_add(1);
        Ok(())
    }

    /// The fault is the first byte too many, however many were looked at together.
    fn check_lengths(&self, limits: &Limits) -> Result<(), Fault> {
        let cell_end = self.cell_from.saturating_add(limits.cell_bytes);
        if self.seen <= cell_end.min(limits.record_bytes) {
            return Ok(());
        }
        if cell_end <= limits.record_bytes {
            let fault = self.fault(What::CellTooLong);
            return Err(Fault { at: cell_end, lines: self.cell_lines, ..fault });
        }
        Err(Fault { at: limits.record_bytes, ..self.fault(What::RecordTooLong) })
    }

    const fn fault(&self, what: What) -> Fault {
        Fault { what, at: self.seen, lines: self.lines, column: self.cells.saturating_add(1) }
    }

    /// Where the quote stands that is open if the record ends here: line feeds before it, its cell's number, its byte.
    pub const fn open_quote(&self) -> Option<(u64, usize, usize)> {
        if matches!(self.state, CellState::Quoted) {
            Some((self.cell_lines, self.cells.saturating_add(1), self.cell_from))
        } else {
            None
        }
    }
}

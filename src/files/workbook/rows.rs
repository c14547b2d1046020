//! The rows of a workbook's sheet, as those of any other file: their cells in order from column A, with the line that the sheet
//! shows. Blank rows are none. They are read on a thread of their own, a few at a time ahead of whoever asks, so that a sheet
//! of any length takes little memory.

use std::{
    fs::File,
    io::BufReader,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use calamine::{Reader as _, Xlsx, XlsxCellReader, XlsxError};

use super::{
    cell::{SheetCell, address},
    fault::WorkbookFault,
};
use crate::{
    domain::language::Bilingual,
    files::{
        Refusal,
        delimiter::version_line,
        limits::{Limits, WorkbookLimits},
        reader::{CellType, Record, RowSource, refuse_duplicates},
    },
};

/// Rows that are handed over at once.
const ROWS: usize = 256;
/// So many times as many are read ahead.
const AHEAD: usize = 2;
/// Rows that a sheet has at most.
const LAST_LINE: u64 = 1_048_576;

/// A workbook that was opened.
pub type OpenWorkbook = Xlsx<BufReader<File>>;

/// A row of a sheet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SheetRow {
    /// Its line, from 1.
    pub line: u64,
    /// Its cells, from column A to the last that holds something.
    pub cells: Vec<SheetCell>,
}

impl SheetRow {
    /// It as text, at least so many cells wide.
    pub fn record(&self, width: usize, into: &mut Record) {
        into.clear(self.line);
        for cell in &self.cells {
            match cell {
                SheetCell::Text(text) => into.push(&[text]),
                SheetCell::Number(_) => into.push_typed(&cell.text(), CellType::Number),
                SheetCell::Date(_) => into.push_typed(&cell.text(), CellType::Date),
                SheetCell::Empty | SheetCell::Flag(_) => into.push(&[&cell.text()]),
            }
        }
        for _ in self.cells.len()..width {
            into.push(&[""]);
        }
    }
}

/// Opens a workbook that was looked through.
///
/// # Errors
/// It cannot be read.
pub fn open(path: &Path) -> Result<OpenWorkbook, Refusal> {
    let file = File::open(path)?;
    contained(|| Xlsx::new(BufReader::new(file)).map_err(|error| damaged(&error)))
}

/// Runs what a library does with bytes that somebody made up: whatever it makes of them ends with this file.
///
/// # Errors
/// Those of `work`; it did not come to an end.
pub fn contained<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(WorkbookFault::damaged("it holds what cannot be", "den innehåller sådant som inte kan finnas")
            .into())
    })
}

/// What its reader says is wrong with a workbook.
#[must_use]
pub fn damaged(error: &XlsxError) -> Refusal {
    WorkbookFault::Damaged { why: Bilingual::technical(error) }.into()
}

/// What is wrong with a sheet, with the address in it.
#[must_use]
pub fn within(sheet: &str, line: u64, refusal: Refusal) -> Refusal {
    let at = |columns: &[usize], line: u64| {
        columns.iter().map(|column| address(column.saturating_sub(1), line)).collect::<Vec<_>>().join(", ")
    };
    let at = match &refusal {
        Refusal::Workbook(_) | Refusal::InSheet { .. } | Refusal::Io(_) => return refusal,
        Refusal::DuplicateColumn { column, .. } => at(&[*column], line),
        Refusal::MisnamedColumns { columns: near, .. } | Refusal::PortalLacks { near, .. }
            if !near.is_empty() =>
        {
            at(&near.iter().map(|near| near.column).collect::<Vec<_>>(), line)
        }
        Refusal::CellTooLong { line, column, .. } => at(&[*column], *line),
        Refusal::TooManyColumns { line, limit } => at(&[limit.saturating_add(1)], *line),
        _ => at(&[1], line),
    };
    Refusal::InSheet { sheet: sheet.to_owned(), at, refusal: Box::new(refusal) }
}

/// Rows as they come from a sheet's cells.
pub struct SheetCells<'a> {
    reader: XlsxCellReader<'a, BufReader<File>>,
    sheet: &'a str,
    limits: Limits,
    /// The line of the last cell that was read.
    line: u64,
    /// There are no more cells.
    ended: bool,
    /// A cell of the row after the one that was given.
    next: Option<(u64, usize, SheetCell)>,
    /// Formulas whose value is not stored, by their addresses.
    formulas: Vec<String>,
}

impl<'a> SheetCells<'a> {
    /// The rows of a sheet.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(book: &'a mut OpenWorkbook, sheet: &'a str, limits: Limits) -> Result<Self, Refusal> {
        let reader = book.worksheet_cells_reader(sheet).map_err(|error| damaged(&error))?;
        Ok(Self { reader, sheet, limits, line: 0, ended: false, next: None, formulas: Vec::new() })
    }

    /// The next row that is not blank.
    ///
    /// # Errors
    /// It cannot be read, or is longer than fits.
    pub fn row(&mut self) -> Result<Option<SheetRow>, Refusal> {
        let mut row = SheetRow::default();
        loop {
            let next = match self.next.take() {
                Some(next) => Some(next),
                None => self.cell()?,
            };
            let Some((line, column, cell)) = next else { return Ok((!row.cells.is_empty()).then_some(row)) };
            if !row.cells.is_empty() && line != row.line {
                self.next = Some((line, column, cell));
                return Ok(Some(row));
            }
            if column < row.cells.len() {
                return Err(self.misplaced(column, line));
            }
            row.line = line;
            row.cells.resize(column, SheetCell::Empty);
            row.cells.push(cell);
        }
    }

    /// The next cell that holds something: its line, its column, itself.
    fn cell(&mut self) -> Result<Option<(u64, usize, SheetCell)>, Refusal> {
        while !self.ended {
            let found = self.reader.next_cell_with_formula_metadata().map_err(|error| damaged(&error))?;
            let Some(found) = found else {
                self.ended = true;
                break;
            };
            let (line, column) = (u64::from(found.pos.0).saturating_add(1), found.pos.1 as usize);
            if line > LAST_LINE || line < self.line {
                return Err(self.misplaced(column, line));
            }
            self.line = line;
            let cell = SheetCell::of(found.value);
            if cell == SheetCell::Empty && found.formula.is_some() {
                self.formulas.push(address(column, line));
            }
            if cell.is_blank() {
                continue;
            }
            if column >= self.limits.columns {
                return Err(Refusal::TooManyColumns { line, limit: self.limits.columns });
            }
            let limit = WorkbookLimits::default().cell_characters;
            if matches!(&cell, SheetCell::Text(text) if text.chars().count() > limit) {
                return Err(Refusal::CellTooLong { line, column: column.saturating_add(1), limit });
            }
            return Ok(Some((line, column, cell)));
        }
        Ok(None)
    }

    /// Formulas of which no value is stored, among the cells that were read.
    #[must_use]
    pub fn formulas(&self) -> &[String] {
        &self.formulas
    }

    fn misplaced(&self, column: usize, line: u64) -> Refusal {
        let (cell, sheet) = (address(column, line), self.sheet);
        WorkbookFault::damaged(
            format!("cell {cell} of sheet '{sheet}' is not in its place"),
            format!("cell {cell} i bladet ”{sheet}” står inte på sin plats"),
        )
        .into()
    }
}

/// What stands before a sheet's rows.
#[derive(Clone, Debug, Default)]
pub struct SheetHead {
    /// Its header.
    pub header: Record,
    /// The line above it that says of which version a template is.
    pub version: Option<String>,
}

impl SheetHead {
    /// Reads it.
    ///
    /// # Errors
    /// There is nothing in the sheet; two columns have one name.
    pub fn read(cells: &mut SheetCells<'_>) -> Result<Self, Refusal> {
        let mut row = cells.row()?.ok_or(Refusal::Empty)?;
        let mut version = None;
        if let [said] = row.cells.as_slice()
            && version_line(format!("{}\n", said.text()).as_bytes()).is_some()
        {
            version = Some(said.text());
            row = cells.row()?.ok_or(Refusal::Empty)?;
        }
        let mut header = Record::default();
        row.record(0, &mut header);
        refuse_duplicates(&header)?;
        Ok(Self { header, version })
    }
}

/// What the thread that reads a sheet tells, in this order.
enum HandedOver {
    Head(String, SheetHead),
    Rows(Vec<SheetRow>),
    End,
}

/// The rows of one sheet of a workbook.
#[derive(Debug)]
pub struct SheetRows {
    /// The sheet's name.
    pub sheet: String,
    /// What stands before its rows.
    pub head: SheetHead,
    receive: Receiver<Result<HandedOver, Refusal>>,
    rows: std::vec::IntoIter<SheetRow>,
    row: SheetRow,
}

impl SheetRows {
    /// Opens a workbook that was looked through at the sheet of that number, from 1.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path, number: u16, limits: Limits) -> Result<Self, Refusal> {
        let (send, receive) = sync_channel(AHEAD);
        let path = path.to_owned();
        std::thread::Builder::new().name("sheet".to_owned()).spawn(move || {
            if let Err(refusal) = contained(|| hand_over(&path, number, limits, &send)) {
                let _ = send.send(Err(refusal)); // nobody may be there any more
            }
        })?;
        match receive.recv() {
            Ok(Ok(HandedOver::Head(sheet, head))) => {
                Ok(Self { sheet, head, receive, rows: Vec::new().into_iter(), row: SheetRow::default() })
            }
            Ok(Err(refusal)) => Err(refusal),
            Ok(Ok(HandedOver::Rows(_) | HandedOver::End)) | Err(_) => Err(broken_off()),
        }
    }

    /// The next row; `None` at the end of the sheet.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn next_row(&mut self) -> Result<Option<&SheetRow>, Refusal> {
        loop {
            if let Some(row) = self.rows.next() {
                self.row = row;
                return Ok(Some(&self.row));
            }
            match self.receive.recv() {
                Ok(Ok(HandedOver::Rows(rows))) => self.rows = rows.into_iter(),
                Ok(Ok(HandedOver::End)) => return Ok(None),
                Ok(Err(refusal)) => return Err(refusal),
                Ok(Ok(HandedOver::Head(..))) | Err(_) => return Err(broken_off()),
            }
        }
    }
}

/// Reads a sheet to its end and hands its rows over, as long as somebody takes them. At its end a formula without a stored
/// value refuses it: nobody knows what its cell says.
fn hand_over(
    path: &Path,
    number: u16,
    limits: Limits,
    send: &SyncSender<Result<HandedOver, Refusal>>,
) -> Result<(), Refusal> {
    let mut book = open(path)?;
    let at = usize::from(number).checked_sub(1);
    let name = at.and_then(|at| book.sheets_metadata().get(at)).map(|sheet| sheet.name.clone());
    let name = name.ok_or(WorkbookFault::NoSheet)?;
    let mut cells = SheetCells::of(&mut book, &name, limits)?;
    let head = SheetHead::read(&mut cells)?;
    if send.send(Ok(HandedOver::Head(name.clone(), head))).is_err() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(ROWS);
    while let Some(row) = cells.row().map_err(|refusal| within(&name, 1, refusal))? {
        rows.push(row);
        if rows.len() >= ROWS && send.send(Ok(HandedOver::Rows(std::mem::take(&mut rows)))).is_err() {
            return Ok(());
        }
    }
    if !cells.formulas().is_empty() {
        let cells = cells.formulas().to_vec();
        return Err(WorkbookFault::FormulaWithoutValue { sheet: name.clone(), cells }.into());
    }
    let _ = send.send(Ok(HandedOver::Rows(rows)));
    let _ = send.send(Ok(HandedOver::End));
    Ok(())
}

fn broken_off() -> Refusal {
    WorkbookFault::damaged("it was not read to its end", "den lästes inte till slutet").into()
}

impl RowSource for SheetRows {
    fn header(&self) -> &Record {
        &self.head.header
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        let width = self.head.header.len();
        let Some(row) = self.next_row()? else { return Ok(false) };
        row.record(width, record);
        Ok(true)
    }

    fn is_cut_off(&self) -> bool {
        false
    }
}

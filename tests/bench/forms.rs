//! The same rows in other forms: as a European spreadsheet writes them, and as a workbook; and the reader alone.

use std::{
    fs::{self, File},
    hint::black_box,
    io::{BufWriter, Write as _},
    path::Path,
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow};
use benefactor::files::reader::{Limits, Reader, Record};
use csv::{ByteRecord, ReaderBuilder};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::{
    Size,
    files::{self, Order},
    measure::{Cost, Table, median},
    place::{Place, equal},
};

const ROUNDS: usize = 3;
/// Rounds of the reader alone, which take a second each.
const READINGS: usize = 7;
/// Rows of a workbook.
const WORKBOOK_ROWS: u64 = 100_000;
/// Columns of the file that are numbers, dates, and the amount.
const NUMBERS: [usize; 2] = [0, 5];
const DATES: [usize; 3] = [6, 7, 8];
const AMOUNT: usize = 9;

/// Measures the import of both forms against the import of the same rows in the canonical one.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    place.template("bench_people", None, &[include_str!("seed/people.sql")], size).await?;
    let (canonical, european) = (place.file("canonical.csv"), place.file("european.csv"));
    files::write(&canonical, size, Order::Interleaved, "incremental")?;
    fs::write(&canonical, fs::read_to_string(&canonical)?.replace(",,\n", ",Försäljning,\n"))?;
    write_european(&canonical, &european)?;
    let what = format!("import {}, ; and Windows-1252", size.rows);
    compare(place, table, size, (&canonical, &european), (&what, 1.3)).await?;
    let fewer = Size { rows: size.rows.min(WORKBOOK_ROWS), ..size };
    let workbook = place.file("workbook.xlsx");
    files::write(&canonical, fewer, Order::Interleaved, "incremental")?;
    write_workbook(&canonical, &workbook)?;
    let what = format!("import {}, workbook", fewer.rows);
    compare(place, table, fewer, (&canonical, &workbook), (&what, 3.0)).await?;
    place.drop_database("bench_people").await
}

/// The import of a form against that of the canonical file; both leave the same.
async fn compare(
    place: &mut Place,
    table: &mut Table,
    size: Size,
    (canonical, form): (&Path, &Path),
    (what, aim): (&str, f64),
) -> Result<()> {
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds(ROUNDS) {
        place.round("bench_people").await?;
        baseline.push(files::take_tidy(place, canonical)?.seconds);
        let written = place.content(files::WRITTEN).await?;
        place.round("bench_people").await?;
        ours.push(files::take_tidy(place, form)?);
        equal(what, &place.content(files::WRITTEN).await?, &written)?;
    }
    table.add(what, &ours, Some(("the same, canonical", median(baseline))), Some(aim));
    Ok(())
}

/// Measures the strict reader over a file in memory, without a store, against the csv crate's raw records of the same bytes.
pub fn read(place: &Place, table: &mut Table, size: Size) -> Result<()> {
    let file = place.file("read.csv");
    files::write(&file, size, Order::Interleaved, "incremental")?;
    let bytes = fs::read(&file)?;
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds(READINGS) {
        let (raw, seconds) = timed(|| raw_records(&bytes))?;
        baseline.push(seconds);
        let (rows, seconds) = timed(|| records(&bytes))?;
        ours.push(Cost { seconds, peak_kib: 0 });
        equal("reader", &rows, &raw)?;
    }
    let against = Some(("the csv crate's byte records", median(baseline)));
    table.add(&format!("reader alone, {}", size.rows), &ours, against, Some(2.0));
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let started = Instant::now();
    let done = black_box(work()?);
    Ok((done, started.elapsed().as_secs_f64()))
}

/// Rows and bytes of cells, as our reader has them.
fn records(bytes: &[u8]) -> Result<(u64, usize)> {
    let refused = |refusal| anyhow!("{refusal:?}");
    let mut reader = Reader::open(bytes, Limits::default()).map_err(refused)?;
    let (mut record, mut rows, mut cells) = (Record::default(), 0, 0);
    while reader.read(&mut record).map_err(refused)? {
        rows += 1;
        cells += record.iter().map(str::len).sum::<usize>();
    }
    Ok((rows, cells))
}

/// The same, as the csv crate has them.
fn raw_records(bytes: &[u8]) -> Result<(u64, usize)> {
    let mut reader = ReaderBuilder::new().from_reader(bytes);
    let (mut record, mut rows, mut cells) = (ByteRecord::new(), 0, 0);
    while reader.read_byte_record(&mut record)? {
        rows += 1;
        cells += record.iter().map(<[u8]>::len).sum::<usize>();
    }
    Ok((rows, cells))
}

/// Semicolons, decimal commas, CR LF, Windows-1252: a letter in every row is no UTF-8.
fn write_european(canonical: &Path, to: &Path) -> Result<()> {
    let mut rows = csv::Reader::from_path(canonical)?;
    let mut out = BufWriter::new(File::create(to)?);
    out.write_all(format!("{}\r\n", rows.headers()?.iter().collect::<Vec<_>>().join(";")).as_bytes())?;
    for row in rows.records() {
        let row = row?;
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(at, cell)| if at == AMOUNT { cell.replace('.', ",") } else { cell.to_owned() })
            .collect();
        let line = format!("{}\r\n", cells.join(";"));
        out.write_all(&encoding_rs::WINDOWS_1252.encode(&line).0)?;
    }
    Ok(out.flush()?)
}

/// One sheet, with cells of the types that a spreadsheet gives them.
fn write_workbook(canonical: &Path, to: &Path) -> Result<()> {
    let mut rows = csv::Reader::from_path(canonical)?;
    let mut workbook = Workbook::new();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.write_row(0, 0, rows.headers()?.iter())?;
    for (nth, row) in rows.records().enumerate() {
        let line = u32::try_from(nth)? + 1;
        for (at, cell) in row?.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let column = u16::try_from(at)?;
            if NUMBERS.contains(&at) || at == AMOUNT {
                sheet.write_number(line, column, cell.parse::<f64>().context("a number")?)?;
            } else if DATES.contains(&at) {
                sheet.write_datetime_with_format(line, column, ExcelDateTime::parse_from_str(cell)?, &day)?;
            } else {
                sheet.write_string(line, column, cell)?;
            }
        }
    }
    Ok(workbook.save(to)?)
}

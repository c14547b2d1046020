//! Which sheet of a workbook is meant: the one that was named, or the only one whose header is known. It is read once to its end
//! before anything of it is taken in, because what makes a cell's value unsure refuses the workbook, with the cell's address.

use std::path::Path;

use calamine::{Reader as _, SheetType};

use super::{
    cell::{address, without_nul},
    fault::WorkbookFault,
    package,
    rows::{OpenWorkbook, SheetCells, SheetHead, contained, damaged, open},
};
use crate::{
    domain::kinds::Kind,
    files::{
        Refusal,
        limits::{Limits, WorkbookLimits},
        profile::Profile,
        reader::Record,
    },
};

/// The sheet of a workbook that is read.
#[derive(Debug)]
pub struct ChosenSheet {
    /// Its number, from 1.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Its header.
    pub header: Record,
    /// Its header, understood.
    pub profile: Profile,
}

/// Finds the sheet that is meant, and reads it to its end.
///
/// # Errors
/// It is no workbook, or one that is not read; no sheet is meant, or several are; cells whose value is not sure.
pub fn choose(
    path: &Path,
    asked: Option<&str>,
    kind: Option<Kind>,
    limits: Limits,
) -> Result<ChosenSheet, Refusal> {
    package::look_through(path, &WorkbookLimits::default())?;
    let mut book = open(path)?;
    contained(|| {
        let chosen = find(&mut book, asked, kind, limits)?;
        refuse_unsure(&mut book, &chosen.name, limits)?;
        Ok(chosen)
    })
}

fn find(
    book: &mut OpenWorkbook,
    asked: Option<&str>,
    kind: Option<Kind>,
    limits: Limits,
) -> Result<ChosenSheet, Refusal> {
    let sheets: Vec<(u16, String)> = (1..)
        .zip(book.sheets_metadata())
        .filter(|(_, sheet)| sheet.typ == SheetType::WorkSheet)
        .map(|(number, sheet)| (number, sheet.name.clone()))
        .collect();
    let is_asked =
        |name: &str| asked.is_none_or(|asked| asked.trim().to_lowercase() == name.trim().to_lowercase());
    let meant: Vec<&(u16, String)> = sheets.iter().filter(|(_, name)| is_asked(name)).collect();
    if let Some(asked) = asked.filter(|_| meant.is_empty()) {
        let sheets = sheets.into_iter().map(|(_, name)| name).collect();
        return Err(WorkbookFault::NoSuchSheet { asked: asked.to_owned(), sheets }.into());
    }
    let (mut fitting, mut fit, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    for (number, name) in meant {
        match look(book, (*number, name), kind, limits) {
            Ok((chosen, line)) => {
                fit.push(format!("'{name}'!{} ({})", address(0, line), chosen.profile.kind));
                fitting.push(chosen);
            }
            Err((refusal, line)) => {
                if could_be_meant(&refusal) {
                    fit.push(format!("'{name}'!{} ({refusal})", address(0, line)));
                }
                refusals.push(within(name, line, refusal));
            }
        }
    }
    match fitting.pop() {
        Some(chosen) if fit.len() == 1 => Ok(chosen),
        Some(_) => Err(WorkbookFault::SeveralSheets { sheets: fit }.into()),
        None => Err(telling(refusals)),
    }
}

/// Whether the columns of a sheet are known though something is wrong with them: it may be the one that is meant.
fn could_be_meant(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::MisnamedColumns { .. } | Refusal::PortalLacks { .. } => true,
        Refusal::UnknownKind { closest } => closest.iter().any(|lack| !lack.near.is_empty()),
        _ => false,
    }
}

/// Looks at the header of a sheet; with what is wrong comes the line of the header.
fn look(
    book: &mut OpenWorkbook,
    (number, name): (u16, &str),
    kind: Option<Kind>,
    limits: Limits,
) -> Result<(ChosenSheet, u64), (Refusal, u64)> {
    let head = SheetCells::of(book, name, limits).and_then(|mut cells| SheetHead::read(&mut cells));
    let SheetHead { header, .. } = head.map_err(|refusal| (refusal, 1))?;
    let line = header.line();
    let profile = Profile::recognise(&header, kind)
        .and_then(|profile| profile.refuse_near_misses().map(|()| profile))
        .map_err(|refusal| (refusal, line))?;
    Ok((ChosenSheet { number, name: without_nul(name.to_owned()), header, profile }, line))
}

/// Of the sheets of which none fits, the refusal that says most.
fn telling(mut refusals: Vec<Refusal>) -> Refusal {
    let says = |refusal: &Refusal| match refusal {
        Refusal::InSheet { refusal, .. } => match &**refusal {
            Refusal::Empty => 0,
            Refusal::UnknownKind { closest } if closest.is_empty() => 1,
            Refusal::UnknownKind { .. } => 2,
            _ => 3,
        },
        _ => 3,
    };
    refusals.sort_by_key(says); // of several that say as much, the first is the last of them
    let most = refusals.last().map(says);
    let first = refusals.iter().position(|refusal| Some(says(refusal)) == most);
    first.map_or(WorkbookFault::NoSheet.into(), |first| refusals.swap_remove(first))
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

/// Reads a sheet to its end: every row fits, no formula is without its value, and no cells are merged.
fn refuse_unsure(book: &mut OpenWorkbook, sheet: &str, limits: Limits) -> Result<(), Refusal> {
    let mut cells = SheetCells::of(book, sheet, limits)?;
    while cells.row().map_err(|refusal| within(sheet, 1, refusal))?.is_some() {}
    if !cells.formulas().is_empty() {
        let cells = cells.formulas().to_vec();
        return Err(WorkbookFault::FormulaWithoutValue { sheet: sheet.to_owned(), cells }.into());
    }
    drop(cells);
    let merged = book.merge_cells_by_sheet_name(sheet).map_err(|error| damaged(&error))?;
    let of = |(row, column): (u32, u32)| address(column as usize, u64::from(row).saturating_add(1));
    let merged = merged.iter().filter(|area| area.start != area.end);
    let cells: Vec<String> = merged.map(|area| format!("{}:{}", of(area.start), of(area.end))).collect();
    if !cells.is_empty() {
        return Err(WorkbookFault::Merged { sheet: sheet.to_owned(), cells }.into());
    }
    Ok(())
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;

//! Which sheet of a workbook is meant: the one that was named, or the only one whose header is known.

use std::path::Path;

use calamine::{Reader as _, SheetType};

use super::{
    cell::{address, without_nul},
    fault::WorkbookFault,
    package,
    rows::{OpenWorkbook, SheetCells, SheetHead, contained, damaged, open, within},
};
use crate::{
    domain::{kinds::Kind, language::Bilingual},
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

/// Finds the sheet that is meant. Whether its rows can be read is seen when they are.
///
/// # Errors
/// It is no workbook, or one that is not read; no sheet is meant, or several are; its cells are merged.
pub fn choose(
    path: &Path,
    asked: Option<&str>,
    kind: Option<Kind>,
    limits: Limits,
) -> Result<ChosenSheet, Refusal> {
    let looked = package::look_through(path, &WorkbookLimits::default())?;
    let mut book = open(path)?;
    contained(|| {
        let chosen = find(&mut book, asked, kind, limits)?;
        if looked.names_merged {
            refuse_merged(&mut book, &chosen.name)?;
        }
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
                let told = format!("'{name}'!{} ({})", address(0, line), chosen.profile.kind);
                fit.push(Bilingual::new(told.clone(), told));
                fitting.push(chosen);
            }
            Err((refusal, line)) => {
                if could_be_meant(&refusal) {
                    let (at, why) = (address(0, line), refusal.told().told);
                    fit.push(Bilingual::new(
                        format!("'{name}'!{at} ({})", why.english),
                        format!("'{name}'!{at} ({})", why.swedish),
                    ));
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
        Refusal::MisnamedColumns { .. } | Refusal::PortalLacks { .. } | Refusal::RowsAboveHeader { .. } => {
            true
        }
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
    let mut cells = SheetCells::of(book, name, limits).map_err(|refusal| (refusal, 1))?;
    let SheetHead { header, .. } = SheetHead::read(&mut cells).map_err(|refusal| (refusal, 1))?;
    let line = header.line();
    let next = |record: &mut Record| {
        let row = cells.row()?;
        if let Some(row) = &row {
            row.record(0, record);
        }
        Ok(row.is_some())
    };
    let profile = Profile::recognise(&header, kind)
        .map_err(|refusal| Profile::refused(refusal, kind, next))
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

/// No cells are merged: it could not be told to which row their value belongs.
fn refuse_merged(book: &mut OpenWorkbook, sheet: &str) -> Result<(), Refusal> {
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

//! What kind of file it is and where its columns are, told by the header alone: case, spaces, byte order mark and
//! column order do not matter; unknown columns are reported; an earlier answer's columns are passed over.

use super::{
    Lack, NearMiss, Refusal,
    conversion::Conversion,
    near,
    portal::shows_example,
    portals::{self, ecb_rates},
    reader::{Record, normalised},
    shape::{ANSWER_COLUMNS, RowShape},
};
use crate::domain::{
    kinds::{Kind, cell::Cells, schema::Type},
    money::Currency,
    reason::Problem,
};

/// So many rows are looked at for a header that does not come first.
const LOOKED_AT: usize = 20;

/// A header understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The kind.
    pub kind: Kind,
    /// Where each of [`Kind::columns`] is in the file's rows, if it is there.
    pub places: Vec<Option<usize>>,
    /// Columns that mean nothing here, as written; nothing of them is taken in.
    pub unknown: Vec<String>,
    /// What the cells of each column of the file hold, if that is known.
    types: Vec<Option<Type>>,
    /// How many columns there are, and which have no name.
    shape: RowShape,
    /// Columns that come close to known ones that are not there.
    near: Vec<NearMiss>,
    /// How its rows become rows of the kind, if it is the file of a portal.
    pub conversion: Option<Box<Conversion>>,
}

impl Profile {
    /// Understands `header`, as a portal's, or as `stated`, or as the kind that it fits best.
    ///
    /// Refuses a stated kind whose required columns are not all there, a header that fits no kind, and one of a portal that
    /// lacks what is needed.
    pub fn recognise(header: &Record, stated: Option<Kind>) -> Result<Self, Refusal> {
        match portals::recognise(header, stated)? {
            Some(conversion) => Ok(Self::of_portal(header, conversion)),
            None => Self::of_kind(header, stated),
        }
    }

    /// What is said of a file whose first row is no header: where the header is, if it stands a few rows below. `next` reads
    /// the row that follows.
    #[must_use]
    pub fn refused(
        refusal: Refusal,
        stated: Option<Kind>,
        mut next: impl FnMut(&mut Record) -> Result<bool, Refusal>,
    ) -> Refusal {
        if !matches!(refusal, Refusal::UnknownKind { .. } | Refusal::MissingColumns { .. }) {
            return refusal;
        }
        let mut record = Record::default();
        for _ in 0..LOOKED_AT {
            if !next(&mut record).is_ok_and(|there| there) {
                break;
            }
            if let Ok(profile) = Self::recognise(&record, stated) {
                return Refusal::RowsAboveHeader { kind: profile.kind, line: record.line() };
            }
        }
        refusal
    }

    /// Understands the header of a portal's file.
    fn of_portal(header: &Record, conversion: Conversion) -> Self {
        let read: Vec<usize> = conversion.read_places().collect();
        let is_read = |at: usize| {
            let name = header.get(at).map(normalised).unwrap_or_default();
            name.is_empty() || read.contains(&at) || ANSWER_COLUMNS.contains(&name.as_str())
        };
        let unread = header.iter().enumerate().filter(|(at, _)| !is_read(*at));
        Self {
            kind: conversion.kind,
            places: vec![None; conversion.kind.columns().len()],
            unknown: unread.map(|(_, written)| written.trim().to_owned()).collect(),
            types: (0..header.len()).map(|place| conversion.type_at(place)).collect(),
            shape: RowShape::of(header),
            near: portals::near_misses(header, is_read, &conversion.absent()),
            conversion: Some(Box::new(conversion)),
        }
    }

    /// The same for rows on the stage, which are rows of the kind; a portal's were converted.
    ///
    /// # Errors
    /// A portal does not give what its kind requires.
    pub fn on_stage(&self, header: &Record) -> Result<(Self, Record), Refusal> {
        match &self.conversion {
            None => Ok((self.clone(), header.clone())),
            Some(conversion) => {
                let header = conversion.header();
                Ok((Self::of_kind(&header, Some(self.kind))?, header))
            }
        }
    }

    fn of_kind(header: &Record, stated: Option<Kind>) -> Result<Self, Refusal> {
        let names: Vec<String> = header.iter().map(normalised).collect();
        let kind = match stated {
            Some(kind) => {
                let columns = lacking(kind, &names);
                if !columns.is_empty() {
                    let near = near_misses(kind, &names, header);
                    return Err(Refusal::MissingColumns { kind, columns, near });
                }
                kind
            }
            None => {
                fitting(&names).ok_or_else(|| Refusal::UnknownKind { closest: closest(&names, header) })?
            }
        };
        let columns = kind.columns();
        let places: Vec<Option<usize>> =
            columns.iter().map(|column| names.iter().position(|name| name == column.name)).collect();
        let unknown = names.iter().zip(header.iter()).filter_map(|(name, written)| {
            let known = name.is_empty()
                || kind.schema().currencies && (name == "date" || Currency::parse(name).is_some())
                || ANSWER_COLUMNS.contains(&name.as_str())
                || columns.iter().any(|column| column.name == name);
            (!known).then(|| written.trim().to_owned())
        });
        let mut types: Vec<Option<Type>> = names
            .iter()
            .map(|name| (kind.schema().currencies && Currency::parse(name).is_some()).then_some(Type::Rate))
            .collect();
        for (column, place) in columns.iter().zip(&places) {
            if let Some(of) = place.and_then(|place| types.get_mut(place)) {
                *of = Some(column.of);
            }
        }
        Ok(Self {
            kind,
            unknown: unknown.collect(),
            types,
            shape: RowShape::of(header),
            near: near_misses(kind, &names, header),
            places,
            conversion: None,
        })
    }

    /// Refuses a file with a column that is probably a known one under another name: left out, it would be taken as absent.
    ///
    /// # Errors
    /// [`Refusal::MisnamedColumns`]
    pub fn refuse_near_misses(&self) -> Result<(), Refusal> {
        if self.near.is_empty() {
            return Ok(());
        }
        Err(Refusal::MisnamedColumns { kind: self.kind, columns: self.near.clone() })
    }

    /// Where the cells of a canonical column are, if the file has it.
    #[must_use]
    pub fn place(&self, column: &str) -> Option<usize> {
        let at = self.kind.columns().iter().position(|known| known.name == column)?;
        self.places.get(at).copied().flatten()
    }

    /// What the cells of the file's column at `place` hold, if that is known.
    #[must_use]
    pub fn type_at(&self, place: usize) -> Option<Type> {
        self.types.get(place).copied().flatten()
    }

    /// The canonical name of the file's column at `place`, if it has one.
    #[must_use]
    pub fn column_at(&self, place: usize) -> Option<&'static str> {
        let at = self.places.iter().position(|at| *at == Some(place))?;
        self.kind.columns().get(at).map(|column| column.name)
    }

    /// Which column of the file is which of its kind.
    #[must_use]
    pub fn mapping(&self, header: &Record) -> Vec<(String, String)> {
        match &self.conversion {
            Some(conversion) => {
                conversion.mapping().map(|(from, column)| (from, column.to_owned())).collect()
            }
            None => (0..header.len())
                .filter(|place| self.type_at(*place).is_some())
                .map(|place| {
                    let written = header.get(place).unwrap_or_default().trim();
                    (written.to_owned(), self.column_at(place).unwrap_or(written).to_owned())
                })
                .collect(),
        }
    }

    /// What a canonical column is called in this file.
    #[must_use]
    pub fn written<'a>(&'a self, column: &'a str) -> &'a str {
        let of_portal = self.conversion.as_ref().and_then(|conversion| conversion.written(column).next());
        of_portal.unwrap_or(column)
    }

    /// What is wrong with the shape of a row; see [`RowShape::problem`].
    #[must_use]
    pub fn shape_problem(&self, record: &Record) -> Option<Problem> {
        self.shape.problem(record)
    }

    /// Which cells of a row are secret (promise 11).
    #[must_use]
    pub fn secret_places(&self) -> Vec<usize> {
        let columns = self.kind.columns().iter().zip(&self.places);
        columns.filter(|(column, _)| column.secret).filter_map(|(_, place)| *place).collect()
    }

    /// The cell by which a row is told that only shows how a template is filled in: that of the kind's first column. Of a
    /// portal's file the portal says.
    #[must_use]
    pub fn example_place(&self) -> Option<usize> {
        self.places.first().copied().flatten().filter(|_| self.conversion.is_none())
    }

    /// Whether a row only shows how a template is filled in.
    #[must_use]
    pub fn is_example(&self, record: &Record) -> bool {
        self.example_place().and_then(|place| record.get(place)).is_some_and(shows_example)
    }

    /// A record's cells by canonical column.
    #[must_use]
    pub fn cells<'a>(&'a self, record: &'a Record) -> Cells<'a> {
        let (text, ends) = record.parts();
        Cells::new(self.kind.columns(), &self.places, text, ends)
    }
}

/// Columns that `kind` does not know, each with the one that may be meant and is not there.
fn near_misses(kind: Kind, names: &[String], header: &Record) -> Vec<NearMiss> {
    if kind.schema().currencies {
        return Vec::new();
    }
    let there = |name: &str| names.iter().any(|there| there == name);
    let absent = || kind.columns().iter().map(|column| column.name).filter(|name| !there(name));
    let unknown = names.iter().zip(header.iter()).enumerate().filter(|(_, (name, _))| {
        !name.is_empty() && kind.column(name).is_none() && !ANSWER_COLUMNS.contains(&name.as_str())
    });
    let near = unknown.filter_map(|(at, (_, written))| {
        let known = near::nearest(written, absent())?;
        Some(NearMiss { column: at + 1, written: written.trim().to_owned(), known })
    });
    near.collect()
}

/// Required columns of `kind` that are not among `names`.
fn lacking(kind: Kind, names: &[String]) -> Vec<&'static str> {
    if kind.schema().currencies {
        return ecb_rates::lacking(names);
    }
    let required = kind.columns().iter().filter(|column| column.required).map(|column| column.name);
    required.filter(|column| !names.iter().any(|name| name == column)).collect()
}

fn required(kind: Kind) -> usize {
    kind.columns().iter().filter(|column| column.required).count()
}

/// The kind whose required columns are all there; of several the one that requires and knows most of them. None, if
/// another knows more of them: a request whose `action` is misspelt is no activation.
fn fitting(names: &[String]) -> Option<Kind> {
    let known =
        |kind: Kind| kind.columns().iter().filter(|c| names.iter().any(|name| name == c.name)).count();
    let fits = Kind::ALL.iter().copied().filter(|kind| lacking(*kind, names).is_empty());
    let fitting = fits.max_by_key(|kind| (required(*kind), known(*kind)))?;
    Kind::ALL
        .iter()
        .copied()
        .all(|kind| known(kind) <= known(fitting).max(required(fitting)))
        .then_some(fitting)
}

/// At most three kinds of which at least half of the required columns are there, the one that lacks least first.
fn closest(names: &[String], header: &Record) -> Vec<Lack> {
    let near = Kind::ALL.iter().copied().map(|kind| Lack {
        kind,
        columns: lacking(kind, names),
        near: near_misses(kind, names, header),
    });
    let mut near: Vec<_> = near.filter(|lack| lack.columns.len() * 2 <= required(lack.kind)).collect();
    near.retain(|lack| !lack.columns.is_empty());
    near.sort_by_key(|lack| lack.columns.len());
    near.truncate(3);
    near
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;

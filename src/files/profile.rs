//! What kind of file it is and where its columns are, told by the header alone: case, spaces, byte order mark and
//! column order do not matter; unknown columns are reported; an earlier answer's columns are passed over.

use super::{
    Lack, NearMiss, Refusal, near,
    reader::{Record, normalised},
    shape::RowShape,
};
use crate::domain::{
    kinds::{Kind, cell::Cells, schema::Type},
    money::Currency,
    reason::Problem,
};

/// The columns that an answer adds; ignored when the answer is dropped again.
pub const ANSWER_COLUMNS: [&str; 5] = ["row_status", "reason_code", "reason", "line", "column"];

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
}

impl Profile {
    /// Understands `header`, as `stated` or as the kind that it fits best.
    ///
    /// Refuses a stated kind whose required columns are not all there, and a header that fits no kind.
    pub fn recognise(header: &Record, stated: Option<Kind>) -> Result<Self, Refusal> {
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
        let (date, codes) = names.split_first().map_or((None, names), |(date, codes)| (Some(date), codes));
        let mut lacking = Vec::new();
        if date.is_none_or(|name| name != "date") {
            lacking.push("Date");
        }
        if !codes.iter().any(|name| Currency::parse(name) == Some(Currency::USD))
            || !codes.iter().all(|name| name.is_empty() || Currency::stored(name).is_some())
        {
            lacking.push("USD and one column a currency");
        }
        return lacking;
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

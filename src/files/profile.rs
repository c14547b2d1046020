//! What kind of file it is and where its columns are, told by the header alone: case, spaces, byte order mark and
//! column order do not matter; unknown columns are reported; an earlier answer's columns are passed over.

use super::{
    Lack, Refusal,
    reader::{Record, normalised},
};
use crate::domain::{
    kinds::{Kind, cell::Cells},
    money::Currency,
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
                    return Err(Refusal::MissingColumns { kind, columns });
                }
                kind
            }
            None => fitting(&names).ok_or_else(|| Refusal::UnknownKind { closest: closest(&names) })?,
        };
        let columns = kind.columns();
        let places = columns.iter().map(|column| names.iter().position(|name| name == column.name)).collect();
        let unknown = names.iter().zip(header.iter()).filter_map(|(name, written)| {
            let known = name.is_empty()
                || kind.schema().currencies && (name == "date" || Currency::parse(name).is_some())
                || ANSWER_COLUMNS.contains(&name.as_str())
                || columns.iter().any(|column| column.name == name);
            (!known).then(|| written.trim().to_owned())
        });
        Ok(Self { kind, places, unknown: unknown.collect() })
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
fn closest(names: &[String]) -> Vec<Lack> {
    let near = Kind::ALL.iter().copied().map(|kind| Lack { kind, columns: lacking(kind, names) });
    let mut near: Vec<_> = near.filter(|lack| lack.columns.len() * 2 <= required(lack.kind)).collect();
    near.retain(|lack| !lack.columns.is_empty());
    near.sort_by_key(|lack| lack.columns.len());
    near.truncate(3);
    near
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;

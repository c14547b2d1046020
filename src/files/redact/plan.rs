//! Which cells of a row are somebody's, by the columns of its file.

use std::borrow::Cow;

use crate::{
    domain::{erasure::KnownNames, id::PartnerId, kinds::schema::Naming},
    files::{
        conversion::PARTNER,
        profile::Profile,
        reader::{Record, normalised},
        shape::ANSWER_COLUMNS,
    },
};

/// What a column's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellRole {
    /// As its kind declares.
    Declared(Naming),
    /// Of a row about somebody it is theirs, whatever it says: a column of a portal that is not taken in, or of no known kind.
    Loose,
}

/// What is done to the rows of a file.
#[derive(Clone, Debug)]
pub(super) struct RedactionPlan {
    roles: Vec<CellRole>,
    /// Where a row says whose it is.
    partner_at: Option<usize>,
    /// Whose file it is.
    partner: Option<PartnerId>,
    /// Where a row says who asks.
    asked_at: Option<usize>,
}

/// A row that names somebody, without it.
#[derive(Clone, Debug)]
pub(super) struct RedactedRow<'a> {
    /// Its cells.
    pub(super) cells: Vec<Cow<'a, str>>,
    /// It is about them, not only of something that they did or was done for them.
    pub(super) is_about: bool,
}

impl RedactionPlan {
    /// For a file of a kind, or of a portal.
    pub(super) fn of(header: &Record, profile: &Profile, partner: Option<&PartnerId>) -> Self {
        let role = |(at, written): (usize, &str)| {
            if is_of_answer(written) {
                return CellRole::Declared(Naming::Nobody);
            }
            let Some(conversion) = &profile.conversion else {
                let column = profile.column_at(at).and_then(|name| profile.kind.column(name));
                return column.map_or(CellRole::Loose, |column| CellRole::Declared(column.naming));
            };
            let comes_from = |naming: fn(Naming) -> bool| {
                let columns = profile.kind.columns().iter().filter(|column| naming(column.naming));
                let mut from = columns.flat_map(|column| conversion.written(column.name));
                from.any(|name| name == written.trim())
            };
            let is_plain = comes_from(|naming| naming == Naming::Nobody)
                && !comes_from(|naming| naming != Naming::Nobody);
            if is_plain { CellRole::Declared(Naming::Nobody) } else { CellRole::Loose }
        };
        Self {
            roles: header.iter().enumerate().map(role).collect(),
            partner_at: profile.place(PARTNER),
            partner: partner.cloned(),
            asked_at: profile.place("requested_by"),
        }
    }

    /// For rows under a header of no known kind.
    pub(super) fn of_unknown(header: &Record, partner: Option<&PartnerId>) -> Self {
        let role = |written: &str| {
            if is_of_answer(written) { CellRole::Declared(Naming::Nobody) } else { CellRole::Loose }
        };
        let partner_at = header.iter().position(|name| normalised(name) == PARTNER);
        Self {
            roles: header.iter().map(role).collect(),
            partner_at,
            partner: partner.cloned(),
            asked_at: None,
        }
    }

    /// A row without somebody; `None`: it does not name them.
    pub(super) fn row<'a>(&self, record: &'a Record, known: &KnownNames) -> Option<RedactedRow<'a>> {
        let straight = record.len() == self.roles.len();
        let of = self
            .partner_at
            .and_then(|at| record.get(at))
            .map(str::trim)
            .filter(|of| !of.is_empty() && straight);
        let of = of.or(self.partner.as_ref().map(PartnerId::as_str));
        if let (Some(of), Some(partner)) = (of, known.partner.as_ref())
            && of != partner.as_str()
        {
            return None;
        }
        // Where cells stand under other columns, whatever is in the row may be theirs.
        let role = |at: usize| self.roles.get(at).copied().filter(|_| straight).unwrap_or(CellRole::Loose);
        let tells = |at: usize| matches!(role(at), CellRole::Loose | CellRole::Declared(Naming::Whom));
        let is_about = record.iter().enumerate().any(|(at, cell)| tells(at) && known.is_one(cell));
        let asked = self.asked_at.and_then(|at| record.get(at)).is_some_and(|cell| known.is_one(cell));
        let mut changed = false;
        let cells = record
            .iter()
            .enumerate()
            .map(|(at, cell)| {
                let role = role(at);
                let text = if cell.trim().is_empty() {
                    None
                } else if known.is_one(cell) || is_about && role == CellRole::Declared(Naming::Whom) {
                    Some(known.pseudonym.clone())
                } else if is_about && role == CellRole::Loose
                    || asked && role == CellRole::Declared(Naming::OwnWords)
                {
                    Some(String::new())
                } else {
                    known.replaced_in(cell)
                };
                changed |= text.is_some();
                text.map_or(Cow::Borrowed(cell), Cow::Owned)
            })
            .collect();
        changed.then_some(RedactedRow { cells, is_about })
    }
}

fn is_of_answer(written: &str) -> bool {
    ANSWER_COLUMNS.contains(&normalised(written).as_str())
}

//! What the file of a portal is: the columns that are read of it, the kind that its rows become, and where each column of
//! that kind comes from. Each portal is declared in a file of its own in `portals/`.

use super::reader::{Record, normalised};
use crate::domain::{
    kinds::{Kind, schema::Type},
    language::Bilingual,
    reason::Reason,
};

/// The file of a portal.
#[derive(Debug)]
pub struct Portal {
    /// The name, as in the answers of commands; also the name of its file in `portals/`.
    pub name: &'static str,
    /// What it is, for people.
    pub title: Bilingual<&'static str>,
    /// What its rows become.
    pub becomes: Becomes,
    /// The columns that are read.
    pub reads: &'static [PortalColumn],
    /// Other columns that hardly any other file has: two of them tell that a file is the portal's, or was.
    pub marks: &'static [&'static str],
    /// Where the columns of its kind come from.
    pub gives: &'static [GivenColumn],
    /// Why a row is passed over, if it is.
    pub passes_over: fn(&PortalCells<'_>) -> Option<Reason>,
    /// Rows that are one.
    pub sums: Option<Summing>,
}

/// What the rows of a portal's file become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// Rows of a kind.
    Rows(Kind),
    /// Nothing: it only serves to compare with what is stored.
    Comparison,
}

/// A column of a portal's file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortalColumn {
    /// Its names over the years, the newest first.
    pub names: &'static [&'static str],
    /// Whether a file without it is refused.
    pub needed: bool,
    /// What its cells hold, where that is written in more than one way.
    pub of: Option<Type>,
}

/// A column of a kind, as a portal's file gives it.
#[derive(Clone, Copy, Debug)]
pub struct GivenColumn {
    /// Its canonical name.
    pub column: &'static str,
    /// The columns that it comes from, by their newest names; without any of them there is no such column. None: there is
    /// always one.
    pub from: &'static [&'static str],
    /// What stands in it.
    pub by: fn(&PortalCells<'_>) -> String,
}

/// Rows that say the same in one column are one: what another of their columns holds is added up.
#[derive(Clone, Copy, Debug)]
pub struct Summing {
    /// The canonical column that they have in common.
    pub by: &'static str,
    /// The canonical column that is added up.
    pub of: &'static str,
    /// The column that it comes from.
    pub from: &'static str,
    /// The decimals that are kept of the sum.
    pub places: u32,
    /// The column beside those of the kind in which rows of one use agree, whatever columns tell its parts apart.
    pub within: &'static str,
}

/// A column that a file must have.
#[must_use]
pub const fn needed(names: &'static [&'static str]) -> PortalColumn {
    PortalColumn { names, needed: true, of: None }
}

/// A column that a file may have.
#[must_use]
pub const fn read(names: &'static [&'static str]) -> PortalColumn {
    PortalColumn { names, needed: false, of: None }
}

impl PortalColumn {
    /// The same with what its cells hold.
    #[must_use]
    pub const fn of(self, of: Type) -> Self {
        Self { of: Some(of), ..self }
    }

    /// Its newest name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

/// A column of a kind that comes from others.
#[must_use]
pub const fn given(
    column: &'static str,
    from: &'static [&'static str],
    by: fn(&PortalCells<'_>) -> String,
) -> GivenColumn {
    GivenColumn { column, from, by }
}

/// The file of a portal whose rows become those of a kind.
#[must_use]
pub const fn portal(name: &'static str, title: Bilingual<&'static str>, kind: Kind) -> Portal {
    Portal {
        name,
        title,
        becomes: Becomes::Rows(kind),
        reads: &[],
        marks: &[],
        gives: &[],
        passes_over: |_| None,
        sums: None,
    }
}

/// The file of a portal that only serves to compare with what is stored.
#[must_use]
pub const fn comparison(name: &'static str, title: Bilingual<&'static str>) -> Portal {
    Portal { becomes: Becomes::Comparison, ..portal(name, title, Kind::Users) }
}

impl Portal {
    /// The same with the columns that are read.
    #[must_use]
    pub const fn reads(self, reads: &'static [PortalColumn]) -> Self {
        Self { reads, ..self }
    }

    /// The same with other columns that tell it.
    #[must_use]
    pub const fn marks(self, marks: &'static [&'static str]) -> Self {
        Self { marks, ..self }
    }

    /// The same with where the columns of its kind come from.
    #[must_use]
    pub const fn gives(self, gives: &'static [GivenColumn]) -> Self {
        Self { gives, ..self }
    }

    /// The same with the rows that are passed over.
    #[must_use]
    pub const fn passes_over(self, passes_over: fn(&PortalCells<'_>) -> Option<Reason>) -> Self {
        Self { passes_over, ..self }
    }

    /// The same with rows that are one.
    #[must_use]
    pub const fn sums(self, sums: Summing) -> Self {
        Self { sums: Some(sums), ..self }
    }

    /// Where each column that is read is in a file with these names; see [`told_apart`].
    #[must_use]
    pub fn places(&self, names: &[String]) -> Vec<Option<usize>> {
        let place = |column: &PortalColumn| {
            column.names.iter().find_map(|known| names.iter().position(|name| *name == told_apart(known)))
        };
        self.reads.iter().map(place).collect()
    }
}

/// The name of a column as it is compared: what stands in brackets in it, as templates have it (`Name [displayName]
/// Required`), else all of it; without case, spaces and marks between words.
#[must_use]
pub fn told_apart(name: &str) -> String {
    let inner = name.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    match inner {
        Some((inner, _)) => format!("[{}]", normalised(inner).replace('_', "")),
        None => normalised(name).replace('_', ""),
    }
}

/// The cells of a row by the names of the portal's columns.
#[derive(Clone, Copy, Debug)]
pub struct PortalCells<'a> {
    reads: &'static [PortalColumn],
    places: &'a [Option<usize>],
    record: &'a Record,
}

impl<'a> PortalCells<'a> {
    /// The cells of a record; `places` says for each of `reads` which cell it is.
    #[must_use]
    pub const fn new(
        reads: &'static [PortalColumn],
        places: &'a [Option<usize>],
        record: &'a Record,
    ) -> Self {
        Self { reads, places, record }
    }

    /// What the column of that newest name says, without surrounding space; nothing, if there is no such column.
    #[must_use]
    pub fn text(&self, name: &str) -> &'a str {
        let at = self.reads.iter().position(|column| column.name() == name);
        let place = at.and_then(|at| self.places.get(at).copied().flatten());
        place.and_then(|place| self.record.get(place)).unwrap_or_default().trim()
    }

    /// Whether the file has the column of that newest name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let at = self.reads.iter().position(|column| column.name() == name);
        at.is_some_and(|at| self.places.get(at).is_some_and(Option::is_some))
    }

    /// The same without the mark of a cell that could not be taken as canonical text.
    #[must_use]
    pub fn plain(&self, name: &str) -> &'a str {
        self.text(name).trim_start_matches(char::is_control)
    }

    /// The first column without which a row is none and which is empty in it.
    #[must_use]
    pub fn lacks(&self) -> Option<&'static str> {
        let needed = self.reads.iter().filter(|column| column.needed);
        needed.map(PortalColumn::name).find(|name| self.text(name).is_empty())
    }
}

/// That a row only shows how a template is filled in, if it does.
#[must_use]
pub fn example(row: &PortalCells<'_>) -> Option<Reason> {
    row.record.iter().any(shows_example).then_some(Reason::ExampleRow)
}

/// What the first cell of a row begins with that only shows how a template is filled in.
pub const EXAMPLE: &str = "Example:";

/// Whether a cell begins so.
#[must_use]
pub fn shows_example(cell: &str) -> bool {
    let start = cell.trim_start().get(..EXAMPLE.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(EXAMPLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_are_compared_without_case_spaces_and_the_words_around_brackets() {
        for (one, other) in [
            ("userPrincipalName", "User principal name"),
            ("Object Id", "ObjectId"),
            ("User name [userPrincipalName] Required", "Användarnamn [UserPrincipalName] Krävs"),
            ("Expiration Date (UTC)", "expiration date (utc)"),
        ] {
            assert_eq!(told_apart(one), told_apart(other));
        }
        assert_ne!(told_apart("User name [userPrincipalName] Required"), told_apart("userPrincipalName"));
    }
}

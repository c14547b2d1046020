//! A portal's file on its way to the stage: where its columns are, and what its rows become. A row of the file is a row on
//! the stage, also where it is passed over, or is one of several that are booked as one: so each has its answer.

use std::{borrow::Cow, collections::HashMap};

use sha2::{Digest, Sha256};

use super::{
    portal::{Becomes, GivenColumn, Portal, PortalCells},
    reader::{Record, normalised},
    row_note::RowNote,
    total::{self, Total},
};
use crate::domain::{
    id::PartnerId,
    kinds::{
        Kind,
        schema::{Column, Type},
    },
    reason::{Problem, Reason},
};

/// The column behind all others of a converted row, in which its [`RowNote`] stands.
const NOTE: &str = "note";
/// The column before it, of a portal whose rows are added up: what the rows of one use come to, or from which line that is not
/// known. See [`Whole`].
pub const WHOLE_SUM: &str = "use_sum";
/// The column that says whose a row is.
pub const PARTNER: &str = "partner_id";

/// How a portal's file is converted.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// Whose file it is.
    pub portal: &'static Portal,
    /// The kind of its rows.
    pub kind: Kind,
    /// Where each column that is read is.
    places: Vec<Option<usize>>,
    /// The columns of a converted row.
    columns: Vec<Converted>,
    /// The header, as written.
    header: Vec<String>,
}

/// A column of a converted row.
#[derive(Clone, Copy, Debug)]
enum Converted {
    /// It comes from the portal's columns.
    From(&'static GivenColumn),
    /// Somebody added it to the file under its own name.
    Added(&'static Column, usize),
    /// Whose file it is.
    Partner,
}

impl Converted {
    const fn name(self) -> &'static str {
        match self {
            Self::From(given) => given.column,
            Self::Added(column, _) => column.name,
            Self::Partner => PARTNER,
        }
    }

    /// What it says of a row.
    fn cell<'a>(self, cells: &PortalCells<'_>, record: &'a Record, partner: &'a PartnerId) -> Cow<'a, str> {
        match self {
            Self::From(given) => (given.by)(cells).into(),
            Self::Added(_, place) => record.get(place).unwrap_or_default().into(),
            Self::Partner => partner.as_str().into(),
        }
    }
}

impl PartialEq for Conversion {
    fn eq(&self, other: &Self) -> bool {
        self.portal.name == other.portal.name && self.header == other.header
    }
}

impl Eq for Conversion {}

/// The rows of a file that are booked as one, by what they have in common.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    totals: HashMap<[u8; 16], Total>,
    /// The same of whole uses, whatever tells their parts apart.
    wholes: HashMap<[u8; 16], Total>,
}

/// What the rows of one use come to in their file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    /// So much.
    Sum(String),
    /// That is not known, since the row on this line cannot be read.
    Unknown(i32),
}

impl Whole {
    fn staged(total: &Total, places: u32) -> String {
        let sum = total.incomplete.map_or_else(|| total::rounded(total.units, places), |_| None);
        sum.unwrap_or_else(|| format!("!{}", total.incomplete.unwrap_or(total.first)))
    }

    /// As it is staged in [`WHOLE_SUM`].
    #[must_use]
    pub fn parse(staged: &str) -> Option<Self> {
        match staged.strip_prefix('!') {
            Some(line) => Some(Self::Unknown(line.parse().unwrap_or(i32::MAX))),
            None => (!staged.is_empty()).then(|| Self::Sum(staged.to_owned())),
        }
    }
}

impl Conversion {
    /// How a file of `portal` with this header is converted. `None`: the portal's files are not taken in.
    #[must_use]
    pub fn of(portal: &'static Portal, header: &Record, places: Vec<Option<usize>>) -> Option<Self> {
        let Becomes::Rows(kind) = portal.becomes else { return None };
        let names: Vec<String> = header.iter().map(normalised).collect();
        let there = |name: &str| {
            let at = portal.reads.iter().position(|column| column.name() == name);
            at.is_some_and(|at| places.get(at).is_some_and(Option::is_some))
        };
        let added = |column: &'static Column| {
            let place = names.iter().position(|name| name == column.name)?;
            (!places.contains(&Some(place))).then_some(Converted::Added(column, place))
        };
        let given = |column: &str| {
            let given = portal.gives.iter().find(|given| given.column == column)?;
            (given.from.is_empty() || given.from.iter().any(|name| there(name))).then_some(given)
        };
        // What the portal does not know somebody may have added.
        let of_kind = kind.columns().iter().filter_map(|column| match (given(column.name), added(column)) {
            (Some(given), Some(added)) if given.from.is_empty() => Some(added),
            (Some(given), _) => Some(Converted::From(given)),
            (None, added) => added.or((column.name == PARTNER).then_some(Converted::Partner)),
        });
        let beside = portal.gives.iter().filter(|given| kind.column(given.column).is_none());
        Some(Self {
            portal,
            kind,
            columns: of_kind.chain(beside.map(Converted::From)).collect(),
            places,
            header: header.iter().map(|name| name.trim().to_owned()).collect(),
        })
    }

    /// The header of converted rows.
    #[must_use]
    pub fn header(&self) -> Record {
        let sum = self.portal.sums.map(|_| WHOLE_SUM);
        Record::of(1, self.columns.iter().map(|column| column.name()).chain(sum).chain([NOTE]))
    }

    /// Whether the file itself says whose its rows are.
    #[must_use]
    pub fn names_partner(&self) -> bool {
        !self.columns.iter().any(|column| matches!(column, Converted::Partner))
    }

    /// Which columns of the file are read, by their places.
    pub fn read_places(&self) -> impl Iterator<Item = usize> {
        let added = self.columns.iter().filter_map(|column| match column {
            Converted::Added(_, place) => Some(*place),
            Converted::From(_) | Converted::Partner => None,
        });
        self.places.iter().filter_map(|place| *place).chain(added)
    }

    /// What the column at a place holds, if that is written in more than one way.
    #[must_use]
    pub fn type_at(&self, place: usize) -> Option<Type> {
        let added = self.columns.iter().find_map(|column| match column {
            Converted::Added(column, at) if *at == place => Some(column.of),
            _ => None,
        });
        let read = self.places.iter().position(|at| *at == Some(place));
        added.or_else(|| read.and_then(|at| self.portal.reads.get(at)?.of))
    }

    /// The columns of the file that a canonical one comes from, as written: `accountEnabled`.
    pub fn written<'a>(&'a self, column: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let of = self.columns.iter().find(|of| of.name() == column).copied();
        let (from, added): (&[&str], _) = match of {
            Some(Converted::From(given)) => (given.from, None),
            Some(Converted::Added(_, place)) => (&[], Some(place)),
            Some(Converted::Partner) | None => (&[], None),
        };
        let reads = self.portal.reads.iter().zip(&self.places);
        let read = reads.filter(|(column, _)| from.contains(&column.name())).filter_map(|(_, place)| *place);
        read.chain(added).filter_map(|place| self.header.get(place)).map(String::as_str)
    }

    /// Columns that are read and that this file has not.
    #[must_use]
    pub fn absent(&self) -> Vec<&'static str> {
        let absent = self.portal.reads.iter().zip(&self.places).filter(|(_, place)| place.is_none());
        absent.map(|(column, _)| column.name()).collect()
    }

    /// What the column of the portal of that newest name is called in this file.
    fn as_written(&self, name: &str) -> &str {
        let at = self.portal.reads.iter().position(|column| column.name() == name);
        let place = at.and_then(|at| self.places.get(at).copied().flatten());
        place.and_then(|place| self.header.get(place)).map_or("", String::as_str)
    }

    /// Which column of the file each canonical one comes from: `enabled` from `accountEnabled`.
    pub fn mapping(&self) -> impl Iterator<Item = (String, &'static str)> + '_ {
        let from = |column: &Converted| self.written(column.name()).collect::<Vec<_>>().join(" + ");
        self.columns
            .iter()
            .map(move |column| (from(column), column.name()))
            .filter(|(from, _)| !from.is_empty())
    }

    fn cells<'a>(&'a self, record: &'a Record) -> PortalCells<'a> {
        PortalCells::new(self.portal.reads, &self.places, record)
    }

    /// What rows that are booked as one have in common, as far as it takes to tell them apart.
    fn common(&self, record: &Record, partner: &PartnerId, by: &str) -> Option<[u8; 16]> {
        let cells = self.cells(record);
        let mut hash = Sha256::new();
        for column in self.columns.iter().filter(|column| [PARTNER, by].contains(&column.name())) {
            hash.update(column.cell(&cells, record, partner).trim().as_bytes());
            hash.update([0]);
        }
        hash.finalize().first_chunk().copied()
    }

    /// Adds a row, in canonical text, to what it is booked with; `whole`: it has the shape of a row, and its end.
    pub fn add(&self, record: &Record, whole: bool, partner: &PartnerId, sums: &mut Sums) {
        let cells = self.cells(record);
        let Some(summing) = self.portal.sums else { return };
        if (self.portal.passes_over)(&cells).is_some() {
            return;
        }
        let units = total::units(cells.text(summing.from)).filter(|_| whole);
        for (by, totals) in [(summing.by, &mut sums.totals), (summing.within, &mut sums.wholes)] {
            let Some(common) = self.common(record, partner, by) else { continue };
            totals.entry(common).or_default().add(units, record.line());
        }
    }

    /// A row in canonical text as a row of its kind; `misshapen`: what is wrong with its shape.
    pub fn convert(
        &self,
        record: &Record,
        misshapen: Option<Problem>,
        partner: &PartnerId,
        sums: &Sums,
        into: &mut Record,
    ) {
        let cells = self.cells(record);
        let passed_over =
            (self.portal.passes_over)(&cells).map(|why| RowNote::PassedOver(vec![Problem::of_row(why)]));
        let lacks = || {
            let name = cells.lacks()?;
            Some(RowNote::Refused(vec![Problem::at(self.as_written(name), "", Reason::Missing)]))
        };
        let note = misshapen.map(|problem| RowNote::Refused(vec![problem])).or(passed_over).or_else(lacks);
        let (amount, note) = match note {
            Some(note) => (None, Some(note)),
            None => self.booked(record, partner, sums),
        };
        into.clear(record.line());
        let told = matches!(note, Some(RowNote::PassedOver(_) | RowNote::Refused(_)));
        for column in &self.columns {
            if told {
                into.push(&[""]);
            } else if let Some(amount) = amount.as_ref().filter(|_| self.is_sum(column.name())) {
                into.push(&[amount]);
            } else {
                into.push(&[&column.cell(&cells, record, partner)]);
            }
        }
        if let Some(summing) = self.portal.sums {
            let within = (!told).then(|| self.common(record, partner, summing.within)).flatten();
            let whole = within.and_then(|of| sums.wholes.get(&of));
            into.push(&[&whole.map(|whole| Whole::staged(whole, summing.places)).unwrap_or_default()]);
        }
        into.push(&[&note.map(|note| note.staged()).unwrap_or_default()]);
    }

    fn is_sum(&self, column: &str) -> bool {
        self.portal.sums.is_some_and(|summing| summing.of == column)
    }

    /// What a row is booked as, and what is said of that.
    fn booked(&self, record: &Record, partner: &PartnerId, sums: &Sums) -> (Option<String>, Option<RowNote>) {
        let Some(summing) = self.portal.sums else { return (None, None) };
        let common = self.common(record, partner, summing.by);
        let Some(total) = common.and_then(|common| sums.totals.get(&common)) else { return (None, None) };
        let line = |line: u64| i32::try_from(line).unwrap_or(i32::MAX);
        match total.incomplete {
            Some(at) if at == record.line() => return (None, None),
            Some(at) => {
                let why = Reason::SumIncomplete { line: line(at) };
                return (None, Some(RowNote::Refused(vec![Problem::at(summing.of, "", why)])));
            }
            None => {}
        }
        let Some(rounded) = total::rounded(total.units, summing.places) else { return (None, None) };
        if rounded.chars().all(|c| matches!(c, '0' | '.')) {
            return (None, Some(RowNote::PassedOver(vec![Problem::at(summing.of, "", Reason::NothingUsed)])));
        }
        let mut remarks = Vec::new();
        if total.rows > 1 {
            let why = Reason::Summed { rows: total.rows, line: line(total.first), sum: rounded.clone() };
            remarks.push(Problem::at(summing.of, "", why));
        }
        let exact = total::exact(total.units);
        if total::units(&rounded) != Some(total.units) && total.first == record.line() {
            remarks.push(Problem::at(
                summing.of,
                &exact,
                Reason::Rounded { exact: exact.clone(), to: rounded.clone() },
            ));
        }
        (Some(rounded), (!remarks.is_empty()).then_some(RowNote::Remarks(remarks)))
    }
}

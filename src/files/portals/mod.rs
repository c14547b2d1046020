//! The files that portals give, one a portal. Each is declared in a file of its own; the registry below is the one list of
//! them. They are recognised by their headers, in any order of columns, also with columns that came or went over the years.

use super::{
    NearMiss, Refusal,
    conversion::Conversion,
    near,
    portal::{Becomes, Portal, told_apart},
    reader::{Record, normalised},
};
use crate::domain::kinds::Kind;

pub mod azure_sponsorship_usage;
pub mod ecb_rates;
pub mod entra_bulk_create;
pub mod entra_bulk_invite;
pub mod entra_users;
pub mod m365_users;
pub mod partner_center_reconciliation;
pub mod visual_studio_subscriptions;

/// Columns that hardly any other file has, which tell a portal's file of which one that is needed has another name.
const TELLING: usize = 2;

/// Every portal.
pub const ALL: [&Portal; 8] = [
    &ecb_rates::PORTAL,
    &entra_users::PORTAL,
    &m365_users::PORTAL,
    &entra_bulk_create::PORTAL,
    &entra_bulk_invite::PORTAL,
    &azure_sponsorship_usage::PORTAL,
    &visual_studio_subscriptions::PORTAL,
    &partner_center_reconciliation::PORTAL,
];

/// How the file with this header is converted, if it is a portal's; `stated`: the kind that it is said to be.
///
/// # Errors
/// It is a portal's and not taken in, or it was one and a column that is needed has gone or has another name.
pub fn recognise(header: &Record, stated: Option<Kind>) -> Result<Option<Conversion>, Refusal> {
    let names: Vec<String> = header.iter().map(told_apart).collect();
    if stated.is_none_or(|kind| kind == Kind::Rates) {
        ecb_rates::refuse_other_banks(header)?;
    }
    let wanted = |portal: &&&Portal| match portal.becomes {
        Becomes::Rows(kind) => stated.is_none_or(|stated| stated == kind) && !portal.gives.is_empty(),
        Becomes::Comparison => true,
    };
    let portals: Vec<(&'static Portal, Vec<Option<usize>>)> =
        ALL.iter().filter(wanted).map(|portal| (*portal, portal.places(&names))).collect();
    let read = |places: &[Option<usize>]| places.iter().flatten().count();
    let fitting = portals.iter().filter(|(portal, places)| lacking(portal, places).is_empty());
    if let Some((portal, places)) =
        fitting.max_by_key(|(portal, places)| (telling(portal, &names), read(places)))
    {
        refuse_twins(&names, places, header)?;
        return match Conversion::of(portal, header, places.clone()) {
            Some(conversion) => Ok(Some(conversion)),
            None => Err(Refusal::ForComparison { portal: portal.title }),
        };
    }
    let like = portals.iter().map(|(portal, places)| (telling(portal, &names), portal, places));
    let Some((_, portal, places)) = like
        .filter(|(telling, ..)| *telling >= TELLING)
        .max_by_key(|(telling, _, places)| (*telling, read(places)))
    else {
        return Ok(None);
    };
    let columns = lacking(portal, places);
    let read: Vec<usize> = places.iter().flatten().copied().collect();
    let near = near_misses(header, |at| read.contains(&at), &columns);
    Err(Refusal::PortalLacks { portal: portal.title, columns, near })
}

/// Refuses a header in which a column that is read has a second one of its name, with other spaces in it or other words around
/// its brackets: which of them is meant nobody knows.
fn refuse_twins(names: &[String], places: &[Option<usize>], header: &Record) -> Result<(), Refusal> {
    let twin = |place: &usize| {
        let name = names.get(*place)?;
        names.iter().enumerate().position(|(at, other)| at != *place && other == name)
    };
    match places.iter().flatten().find_map(|place| Some((*place, twin(place)?))) {
        Some((one, other)) => Err(Refusal::DuplicateColumn {
            name: header.get(one).unwrap_or_default().trim().to_owned(),
            column: one.max(other).saturating_add(1),
        }),
        None => Ok(()),
    }
}

/// Columns that are not read, each with the one of `absent` that may be meant.
#[must_use]
pub fn near_misses(
    header: &Record,
    is_read: impl Fn(usize) -> bool,
    absent: &[&'static str],
) -> Vec<NearMiss> {
    let unread = header.iter().enumerate().filter(|(at, _)| !is_read(*at));
    let near = unread.filter_map(|(at, written)| {
        let is_near = |known: &&&str| near::nearest(written, [normalised(known).as_str()]).is_some();
        let known = absent.iter().find(is_near)?;
        Some(NearMiss { column: at + 1, written: written.trim().to_owned(), known })
    });
    near.collect()
}

/// Columns that a portal's file must have and this one has not.
fn lacking(portal: &Portal, places: &[Option<usize>]) -> Vec<&'static str> {
    let reads = portal.reads.iter().zip(places);
    reads
        .filter(|(column, place)| column.needed && place.is_none())
        .map(|(column, _)| column.name())
        .collect()
}

/// How many columns there are that hardly any other file has.
fn telling(portal: &Portal, names: &[String]) -> usize {
    portal.marks.iter().filter(|mark| names.contains(&told_apart(mark))).count()
}

#[cfg(test)]
#[path = "../portals_tests.rs"]
mod tests;

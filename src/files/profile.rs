//! What kind of file it is and where its columns are, told by the header alone: case, spaces, byte order mark and
//! column order do not matter; unknown columns are reported; an earlier answer's columns are passed over.

use std::fmt;

use super::{
    Lack, Refusal,
    reader::{Record, normalised},
};
use crate::domain::{
    activation, agreement, assignment,
    cell::{Cells, Column},
    contact, credit_usage, directory_user, entitlement, key_request, license_key,
    money::Currency,
    partner, renewal, service_request,
};

/// The columns that an answer adds; ignored when the answer is dropped again.
pub const ANSWER_COLUMNS: [&str; 5] = ["row_status", "reason_code", "reason", "line", "column"];

/// The kinds of file that are taken in. Declared in the order in which a night takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Reference rates as the European Central Bank publishes them, of a day or of all days.
    Rates,
    /// Partners.
    Partners,
    /// Directory users.
    Users,
    /// Marketing contacts.
    Contacts,
    /// Other agreements of partners.
    Agreements,
    /// Entitlements.
    Entitlements,
    /// Product keys.
    Keys,
    /// Renewals.
    Renewals,
    /// Assignments of benefits.
    Assignments,
    /// Keys to reveal or redeem.
    KeyRequests,
    /// Benefits to activate.
    Activations,
    /// Service requests.
    ServiceRequests,
    /// Usage of credit.
    CreditUsage,
}

impl Kind {
    /// All of them, in the night's order: facts first, then renewals, then requests and what was used.
    pub const ALL: [Self; 13] = [
        Self::Rates,
        Self::Partners,
        Self::Users,
        Self::Contacts,
        Self::Agreements,
        Self::Entitlements,
        Self::Keys,
        Self::Renewals,
        Self::Assignments,
        Self::KeyRequests,
        Self::Activations,
        Self::ServiceRequests,
        Self::CreditUsage,
    ];

    /// The name, as in `--kind`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rates => "rates",
            Self::Partners => "partners",
            Self::Users => "users",
            Self::Contacts => "contacts",
            Self::Agreements => "agreements",
            Self::Entitlements => "entitlements",
            Self::Keys => "keys",
            Self::Renewals => "renewals",
            Self::Assignments => "assignments",
            Self::KeyRequests => "key_requests",
            Self::Activations => "activations",
            Self::ServiceRequests => "service_requests",
            Self::CreditUsage => "credit_usage",
        }
    }

    /// The kind of that name; case, `-` and `_` do not matter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = normalised(name);
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether its rows are requests, which the night takes by `requested_on` over all files, after everything else.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self, Self::Assignments | Self::KeyRequests | Self::Activations | Self::ServiceRequests)
    }

    /// Its canonical columns, in canonical order. Rates have none: a date, then one column a currency.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Rates => &[],
            Self::Partners => partner::COLUMNS,
            Self::Users => directory_user::COLUMNS,
            Self::Contacts => contact::COLUMNS,
            Self::Agreements => agreement::COLUMNS,
            Self::Entitlements => entitlement::COLUMNS,
            Self::Keys => license_key::COLUMNS,
            Self::Renewals => renewal::COLUMNS,
            Self::Assignments => assignment::COLUMNS,
            Self::KeyRequests => key_request::COLUMNS,
            Self::Activations => activation::COLUMNS,
            Self::ServiceRequests => service_request::COLUMNS,
            Self::CreditUsage => credit_usage::COLUMNS,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
                || kind == Kind::Rates && (name == "date" || Currency::parse(name).is_some())
                || ANSWER_COLUMNS.contains(&name.as_str())
                || columns.iter().any(|column| column.name == name);
            (!known).then(|| written.trim().to_owned())
        });
        Ok(Self { kind, places, unknown: unknown.collect() })
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
    if kind == Kind::Rates {
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
    if kind == Kind::Rates { 2 } else { kind.columns().iter().filter(|column| column.required).count() }
}

/// The kind whose required columns are all there; of several the one that requires and knows most of them. None, if
/// another knows more of them: a request whose `action` is misspelt is no activation.
fn fitting(names: &[String]) -> Option<Kind> {
    let known =
        |kind: Kind| kind.columns().iter().filter(|c| names.iter().any(|name| name == c.name)).count();
    let fits = Kind::ALL.into_iter().filter(|kind| lacking(*kind, names).is_empty());
    let fitting = fits.max_by_key(|kind| (required(*kind), known(*kind)))?;
    Kind::ALL.into_iter().all(|kind| known(kind) <= known(fitting).max(required(fitting))).then_some(fitting)
}

/// At most three kinds of which at least half of the required columns are there, the one that lacks least first.
fn closest(names: &[String]) -> Vec<Lack> {
    let near = Kind::ALL.into_iter().map(|kind| Lack { kind, columns: lacking(kind, names) });
    let mut near: Vec<_> = near.filter(|lack| lack.columns.len() * 2 <= required(lack.kind)).collect();
    near.retain(|lack| !lack.columns.is_empty());
    near.sort_by_key(|lack| lack.columns.len());
    near.truncate(3);
    near
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;

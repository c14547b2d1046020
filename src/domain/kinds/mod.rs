//! What kinds of file there are. Each is declared in a file of its own, with its row and how that is read; the registry
//! below is the one list of them. `jobs/intake/kinds` says what becomes of a row, `store` keeps it and writes it out.

use std::fmt;

use cell::Cells;
use schema::{Column, RowMeaning, Schema};

use super::reason::Problem;

pub mod activations;
pub mod agreements;
pub mod assignments;
pub mod cell;
pub mod contacts;
pub mod credit_usage;
pub mod entitlements;
pub mod forms;
pub mod key_requests;
pub mod keys;
pub mod meant;
pub mod partners;
pub mod rates;
pub mod renewals;
pub mod repeats;
pub mod schema;
pub mod service_requests;
pub mod traces;
pub mod types;
pub mod users;

/// The kinds of file that are taken in, in the order in which a night takes them: facts first, then renewals, then
/// requests and what was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::VariantArray)]
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
    /// All of them, in the night's order.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// What it is.
    #[must_use]
    pub const fn schema(self) -> &'static Schema {
        match self {
            Self::Rates => &rates::KIND,
            Self::Partners => &partners::KIND,
            Self::Users => &users::KIND,
            Self::Contacts => &contacts::KIND,
            Self::Agreements => &agreements::KIND,
            Self::Entitlements => &entitlements::KIND,
            Self::Keys => &keys::KIND,
            Self::Renewals => &renewals::KIND,
            Self::Assignments => &assignments::KIND,
            Self::KeyRequests => &key_requests::KIND,
            Self::Activations => &activations::KIND,
            Self::ServiceRequests => &service_requests::KIND,
            Self::CreditUsage => &credit_usage::KIND,
        }
    }

    /// The name, as in `--kind`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.schema().name
    }

    /// The kind of that name; case, `-` and `_` do not matter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase().replace([' ', '-'], "_");
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Everything that is wrong with a row of it, as far as it can be told without knowing what is stored. A row of rates
    /// is read with the header of its file instead (`files::rates`).
    #[must_use]
    pub fn problems(self, cells: &Cells<'_>) -> Vec<Problem> {
        match self {
            Self::Rates => Ok(()),
            Self::Partners => partners::parse(cells).map(drop),
            Self::Users => users::parse(cells).map(drop),
            Self::Contacts => contacts::parse(cells).map(drop),
            Self::Agreements => agreements::parse(cells).map(drop),
            Self::Entitlements => entitlements::parse(cells).map(drop),
            Self::Keys => keys::parse(cells).map(drop),
            Self::Renewals => renewals::parse(cells).map(drop),
            Self::Assignments => assignments::parse(cells).map(drop),
            Self::KeyRequests => key_requests::parse(cells).map(drop),
            Self::Activations => activations::parse(cells).map(drop),
            Self::ServiceRequests => service_requests::parse(cells).map(drop),
            Self::CreditUsage => credit_usage::parse(cells).map(drop),
        }
        .err()
        .unwrap_or_default()
    }

    /// Whether its rows are requests, which the night takes by `requested_on` over all files, after everything else.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self.schema().facts, RowMeaning::Request)
    }

    /// Whether a row of it holds a secret (promise 11).
    #[must_use]
    pub fn is_secret(self) -> bool {
        self.columns().iter().any(|column| column.secret)
    }

    /// Its column of that name.
    #[must_use]
    pub fn column(self, name: &str) -> Option<&'static Column> {
        self.columns().iter().find(|column| column.name == name)
    }

    /// Its columns, in canonical order.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        self.schema().columns
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;

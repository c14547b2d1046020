//! A row of `assignments`: somebody asks that a benefit be given to, or taken from, a directory user.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    cell::{self, Cells, Column, optional, required},
    entitlement::Benefit,
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("order_id"),
    required("benefit"),
    required("action"),
    required("user"),
    required("requested_by"),
    required("requested_on"),
    optional("to_user"),
];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Give the benefit to the user.
    Assign,
    /// Take it from the user.
    Remove,
}

impl Action {
    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assign => "assign",
            Self::Remove => "remove",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Assign, Self::Remove].into_iter().find(|action| action.name() == name)
    }
}

/// An assignment request as a file states it. All but `requested_by` is the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRow {
    /// Whose benefit.
    pub partner_id: String,
    /// The order.
    pub order_id: String,
    /// The benefit.
    pub benefit: Benefit,
    /// What is asked for.
    pub action: Action,
    /// For whom: a directory user by object id or user principal name.
    pub user: String,
    /// By whom, likewise.
    pub requested_by: String,
    /// On which UTC date (D1).
    pub requested_on: NaiveDate,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<AssignmentRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let order_id = row.need("order_id", Expected::Text, cell::id);
    let benefit = row.need("benefit", Expected::Benefit, Benefit::parse);
    let action = row.need("action", Expected::Action, Action::parse);
    let user = row.need("user", Expected::Text, cell::id);
    let requested_by = row.need("requested_by", Expected::Text, cell::id);
    let requested_on = row.need("requested_on", Expected::DateOrInstant, cell::date_or_instant);
    let assemble = || {
        Some(AssignmentRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            action: action?,
            user: user?,
            requested_by: requested_by?,
            requested_on: requested_on?,
        })
    };
    row.finish(assemble())
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("order_id", "ORD-1"),
        ("benefit", "azure_monthly_credit"),
        ("action", "assign"),
        ("user", "anna@akeri.example"),
        ("requested_by", "bo@akeri.example"),
        ("requested_on", "2024-03-01T00:30:00+02:00"),
    ];

    #[test]
    fn d1_the_requests_utc_date_is_kept() {
        let it = row::parse(COLUMNS, parse, TIDY).unwrap();
        assert_eq!((it.action, it.requested_on.to_string().as_str()), (Action::Assign, "2024-02-29"));
        let it = row::parse(COLUMNS, parse, &row::with(TIDY, &[("action", "remove")])).unwrap();
        assert_eq!(it.action, Action::Remove);
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            COLUMNS,
            parse,
            TIDY,
            &[
                ("partner_id", "x", Expected::Digits),
                ("order_id", "a b", Expected::Text),
                ("benefit", "sql", Expected::Benefit),
                ("action", "give", Expected::Action),
                ("user", "Anna Lund", Expected::Text),
                ("requested_by", "Bo Ek", Expected::Text),
                ("requested_on", "yesterday", Expected::DateOrInstant),
            ],
        );
        assert_eq!(row::parse(COLUMNS, parse, &[]).unwrap_err().len(), 7);
    }
}

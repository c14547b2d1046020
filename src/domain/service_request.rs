//! A row of `service_requests`: somebody at a partner asks for something to be done.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    cell::{self, Cells, Column, optional, required},
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("request_id"),
    required("kind"),
    required("requested_by"),
    required("requested_on"),
    optional("order_id"),
    optional("product"),
    optional("product_version"),
    optional("access_id"),
    optional("contract_id"),
    optional("hours"),
    optional("note"),
];

/// What is asked for, with what that kind of request needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Cancel an order and refund it (R9, D7).
    Cancel {
        /// The order.
        order_id: String,
    },
}

impl Request {
    /// The name of its kind, as in files.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel",
        }
    }
}

/// A service request as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRequestRow {
    /// Who asks.
    pub partner_id: String,
    /// What the partner calls the request; the key.
    pub request_id: String,
    /// The directory user who asks, by object id or user principal name.
    pub requested_by: String,
    /// On which UTC date (D1).
    pub requested_on: NaiveDate,
    /// What for.
    pub request: Request,
    /// What they wrote with it.
    pub note: Option<String>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<ServiceRequestRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let request_id = row.need("request_id", Expected::Text, cell::id);
    let cancel = row.need("kind", Expected::RequestKind, |kind| (kind == "cancel").then_some(()));
    let requested_by = row.need("requested_by", Expected::Text, cell::id);
    let requested_on = row.need("requested_on", Expected::DateOrInstant, cell::date_or_instant);
    let request = cancel.and_then(|()| {
        let order_id = row.need("order_id", Expected::Text, cell::id)?;
        Some(Request::Cancel { order_id })
    });
    let note = row.patch("note", Expected::Text, cell::text(2_000));
    let assemble = || {
        Some(ServiceRequestRow {
            partner_id: partner_id?,
            request_id: request_id?,
            requested_by: requested_by?,
            requested_on: requested_on?,
            request: request?,
            note: note?.into_set(),
        })
    };
    row.finish(assemble())
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};
    use crate::domain::reason::Reason;

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("request_id", "SR-1"),
        ("kind", "cancel"),
        ("requested_by", "bo@akeri.example"),
        ("requested_on", "2024-03-01"),
        ("order_id", "ORD-1"),
    ];

    #[test]
    fn r9_a_cancellation_names_its_order() {
        let it = row::parse(COLUMNS, parse, TIDY).unwrap();
        assert_eq!((it.request.kind(), &it.note), ("cancel", &None));
        assert_eq!(it.request, Request::Cancel { order_id: "ORD-1".into() });
        assert_eq!(
            row::parse(COLUMNS, parse, &row::with(TIDY, &[("order_id", "")])),
            Err(vec![Problem::at("order_id", "", Reason::Missing)])
        );
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            COLUMNS,
            parse,
            TIDY,
            &[
                ("partner_id", "a", Expected::Digits),
                ("request_id", "SR 1", Expected::Text),
                ("kind", "advisory_hours", Expected::RequestKind),
                ("kind", "Cancel it", Expected::RequestKind),
                ("requested_by", "Bo Ek", Expected::Text),
                ("requested_on", "1/3/2024", Expected::DateOrInstant),
                ("order_id", "ORD 1", Expected::Text),
                ("note", "a\u{1b}[2J", Expected::Text),
            ],
        );
        assert_eq!(row::parse(COLUMNS, parse, &[]).unwrap_err().len(), 5);
    }
}

//! A row of `activations`: software, support or an offer is activated, once for ever (R5, R6, R8).

use chrono::NaiveDate;

use super::{
    book::{Case, Held, Ruling},
    cell::{self, Cells, Column, required},
    entitlement::Benefit,
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("order_id"),
    required("benefit"),
    required("requested_by"),
    required("requested_on"),
];

/// An activation as a file states it. Order and benefit are the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivationRow {
    /// Whose benefit.
    pub partner_id: String,
    /// The order.
    pub order_id: String,
    /// The benefit.
    pub benefit: Benefit,
    /// By whom.
    pub requested_by: String,
    /// On which UTC date (D1).
    pub requested_on: NaiveDate,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<ActivationRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let order_id = row.need("order_id", Expected::Text, cell::id);
    let benefit = row.need("benefit", Expected::Benefit, Benefit::parse);
    let requested_by = row.need("requested_by", Expected::Text, cell::id);
    let requested_on = row.need("requested_on", Expected::DateOrInstant, cell::date_or_instant);
    let assemble = || {
        Some(ActivationRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            requested_by: requested_by?,
            requested_on: requested_on?,
        })
    };
    row.finish(assemble())
}

/// Rules on an activation.
pub fn decide(_case: &Case<'_>, _held: &Held, _row: &ActivationRow) -> Ruling {
    Err(vec![])
}

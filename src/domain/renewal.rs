//! A row of `renewals`: an order is followed by another (D5).

use chrono::NaiveDate;

use super::{
    cell::{self, Cells, Column, required},
    reason::{Expected, Problem, Reason},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] =
    &[required("partner_id"), required("order_id"), required("renewed_on"), required("new_order_id")];

/// A renewal as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalRow {
    /// Whose order.
    pub partner_id: String,
    /// The order that ends; the key.
    pub order_id: String,
    /// The day it takes effect: AD to AD + 30.
    pub renewed_on: NaiveDate,
    /// The order that follows; another one.
    pub new_order_id: String,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<RenewalRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let order_id = row.need("order_id", Expected::Text, cell::id);
    let renewed_on = row.need("renewed_on", Expected::Date, cell::date);
    let new_order_id = row.need("new_order_id", Expected::Text, cell::id);
    if order_id.is_some() && order_id == new_order_id {
        row.problem("new_order_id", Reason::NewOrderTaken);
    }
    let assemble = || {
        Some(RenewalRow {
            partner_id: partner_id?,
            order_id: order_id?,
            renewed_on: renewed_on?,
            new_order_id: new_order_id?,
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
        ("renewed_on", "2025-01-31"),
        ("new_order_id", "ORD-2"),
    ];

    #[test]
    fn d5_a_renewal_names_two_orders_and_a_day() {
        let it = row::parse(COLUMNS, parse, TIDY).unwrap();
        assert_eq!((it.order_id.as_str(), it.new_order_id.as_str()), ("ORD-1", "ORD-2"));
        row::each_alone(
            COLUMNS,
            parse,
            TIDY,
            &[
                ("partner_id", "x", Expected::Digits),
                ("order_id", "ORD 1", Expected::Text),
                ("renewed_on", "2025", Expected::Date),
                ("new_order_id", "ORD 2", Expected::Text),
            ],
        );
        let same = row::parse(COLUMNS, parse, &row::with(TIDY, &[("new_order_id", "ORD-1")]));
        assert_eq!(same, Err(vec![Problem::at("new_order_id", "ORD-1", Reason::NewOrderTaken)]));
        assert_eq!(row::parse(COLUMNS, parse, &[]).unwrap_err().len(), COLUMNS.len());
    }
}

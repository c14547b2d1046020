//! A row of `renewals`: an order is followed by another (D5).

use chrono::NaiveDate;

use super::{
    super::{
        id::{OrderId, PartnerId},
        reason::{Problem, Reason},
    },
    cell::Cells,
    schema::{Field, RowMeaning, Schema, ask, kind, required},
    types::{ASKED_BY, DATE, ORDER, ORDER_ID, PARTNER_ID},
};

const RENEWED_ON: Field<NaiveDate> = required("renewed_on", DATE)
    .help("The day it takes effect: the anniversary date, or within the 30 days of grace");
const NEW_ORDER_ID: Field<OrderId> = required("new_order_id", ORDER).help("The order that follows");

/// The kind.
pub const KIND: Schema = kind("renewals", RowMeaning::Event, "Orders that are followed by another (D5)")
    .columns(&[PARTNER_ID.column, ORDER_ID.column, RENEWED_ON.column, NEW_ORDER_ID.column, ASKED_BY.column])
    .examples(&["4100101,MPN-240131-101,2025-01-31,MPN-250131-101,"])
    .asks(&[ask("renew", "Let an order be followed by another (D5)")]);

/// A renewal as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalRow {
    /// Whose order.
    pub partner_id: PartnerId,
    /// The order that ends; the key.
    pub order_id: OrderId,
    /// The day it takes effect: AD to AD + 30.
    pub renewed_on: NaiveDate,
    /// The order that follows; another one.
    pub new_order_id: OrderId,
    /// Which directory user renews; `None`: the operator.
    pub requested_by: Option<String>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<RenewalRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let order_id = row.need(&ORDER_ID);
    let renewed_on = row.need(&RENEWED_ON);
    let new_order_id = row.need(&NEW_ORDER_ID);
    let requested_by = row.patch(&ASKED_BY);
    if order_id.is_some() && order_id == new_order_id {
        row.problem("new_order_id", Reason::NewOrderTaken);
    }
    let assemble = || {
        Some(RenewalRow {
            partner_id: partner_id?,
            order_id: order_id?,
            renewed_on: renewed_on?,
            new_order_id: new_order_id?,
            requested_by: requested_by?.into_set(),
        })
    };
    row.finish(assemble())
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};
    use crate::domain::reason::Expected;

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("order_id", "ORD-1"),
        ("renewed_on", "2025-01-31"),
        ("new_order_id", "ORD-2"),
    ];

    #[test]
    fn d5_a_renewal_names_two_orders_and_a_day() {
        let it = row::parse(KIND.columns, parse, TIDY).unwrap();
        assert_eq!((it.order_id.as_str(), it.new_order_id.as_str()), ("ORD-1", "ORD-2"));
        assert_eq!(it.requested_by, None);
        let it = row::parse(KIND.columns, parse, &row::with(TIDY, &[("requested_by", "bo@akeri.example")]));
        assert_eq!(it.unwrap().requested_by.as_deref(), Some("bo@akeri.example"));
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("partner_id", "x", Expected::Digits),
                ("order_id", "ORD 1", Expected::Text),
                ("renewed_on", "2025", Expected::Date),
                ("new_order_id", "ORD 2", Expected::Text),
                ("requested_by", "Bo Ek", Expected::Text),
            ],
        );
        let same = row::parse(KIND.columns, parse, &row::with(TIDY, &[("new_order_id", "ORD-1")]));
        assert_eq!(same, Err(vec![Problem::at("new_order_id", "ORD-1", Reason::NewOrderTaken)]));
        assert_eq!(row::parse(KIND.columns, parse, &[]).unwrap_err().len(), 4);
    }
}

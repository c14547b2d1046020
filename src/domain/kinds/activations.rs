//! A row of `activations`: software, support or an offer is activated, once for ever (R5, R6, R8).

use chrono::NaiveDate;

use super::{
    super::{
        benefit::Benefit,
        id::{OrderId, PartnerId},
        reason::Problem,
    },
    cell::Cells,
    schema::{RowMeaning, Schema, ask, kind},
    types::{BENEFIT, ORDER_ID, PARTNER_ID, REQUESTED_BY, REQUESTED_ON},
};

/// The kind.
pub const KIND: Schema = kind(
    "activations",
    RowMeaning::Request,
    "Software, support and offers to activate, once for ever (R5, R6, R8)",
)
.columns(&[PARTNER_ID.column, ORDER_ID.column, BENEFIT.column, REQUESTED_BY.column, REQUESTED_ON.column])
.examples(&["4100101,MPN-240131-101,product_support,anna@norrsken.example,2024-02-05"])
.asks(&[ask("activate", "Activate software, support or a Go-To-Market offer (R5, R6, R8)")]);

/// An activation as a file states it. Order and benefit are the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivationRow {
    /// Whose benefit.
    pub partner_id: PartnerId,
    /// The order.
    pub order_id: OrderId,
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
    let partner_id = row.need(&PARTNER_ID);
    let order_id = row.need(&ORDER_ID);
    let benefit = row.need(&BENEFIT);
    let requested_by = row.need(&REQUESTED_BY);
    let requested_on = row.need(&REQUESTED_ON);
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

#[cfg(test)]
mod tests {
    use super::{
        super::{super::reason::Expected, cell::tests as row},
        *,
    };

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("order_id", "ORD-41"),
        ("benefit", "go_to_market/gold_core"),
        ("requested_by", "bo@akeri.example"),
        ("requested_on", "2024-03-01T00:30:00+02:00"),
    ];

    #[test]
    fn d1_a_row_is_read_with_its_utc_date_and_every_problem_names_its_column() {
        assert_eq!(
            row::parse(KIND.columns, parse, TIDY).unwrap().requested_on,
            "2024-02-29".parse().unwrap()
        );
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("partner_id", "x", Expected::Digits),
                ("order_id", "a b", Expected::Text),
                ("benefit", "sql", Expected::Benefit),
                ("requested_by", "Bo Ek", Expected::Text),
                ("requested_on", "yesterday", Expected::DateOrInstant),
            ],
        );
        assert_eq!(row::parse(KIND.columns, parse, &[]).unwrap_err().len(), 5);
    }
}

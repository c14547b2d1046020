//! A row of `credit_usage`: credit that was spent on a day (D15).

use chrono::NaiveDate;

use super::{
    cell::{self, Cells, Column, Content, required},
    entitlement::Benefit,
    money::{Amount, Currency, parse_decimal},
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("order_id"),
    required("benefit"),
    required("used_on"),
    required("amount"),
    required("currency"),
    required("reference"),
];

/// A use of credit as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditUsageRow {
    /// Whose credit.
    pub partner_id: String,
    /// The order.
    pub order_id: String,
    /// The benefit.
    pub benefit: Benefit,
    /// On which day: its period's grant is drawn on.
    pub used_on: NaiveDate,
    /// How much; more than zero.
    pub amount: Amount,
    /// What the use is called outside; the key.
    pub reference: String,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<CreditUsageRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let order_id = row.need("order_id", Expected::Text, cell::id);
    let benefit = row.need("benefit", Expected::Benefit, Benefit::parse);
    let used_on = row.need("used_on", Expected::Date, cell::date);
    let places = match row.content("currency") {
        Content::Text(code) => Currency::parse(code).map_or(4, Currency::exponent),
        Content::Absent | Content::Empty => 4,
    };
    let minor =
        row.need("amount", Expected::Amount, |text| parse_decimal(text, places).filter(|minor| *minor > 0));
    let currency = row.need("currency", Expected::Currency, Currency::parse);
    let reference = row.need("reference", Expected::Text, cell::text(200));
    let assemble = || {
        Some(CreditUsageRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            used_on: used_on?,
            amount: Amount::new(minor?, currency?),
            reference: reference?,
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
        ("used_on", "2024-02-29"),
        ("amount", "12.34"),
        ("currency", "usd"),
        ("reference", "INV 7/2024"),
    ];

    #[test]
    fn d15_usage_is_a_positive_amount_of_its_currency() {
        let it = row::parse(COLUMNS, parse, TIDY).unwrap();
        assert_eq!(it.amount, Amount::new(1_234, Currency::USD));
        row::each_alone(
            COLUMNS,
            parse,
            TIDY,
            &[
                ("amount", "0", Expected::Amount),
                ("amount", "0.00", Expected::Amount),
                ("amount", "-5", Expected::Amount),
                ("amount", "1.234", Expected::Amount),
                ("amount", "12,34", Expected::Amount),
                ("currency", "$", Expected::Currency),
                ("used_on", "29.02.2024", Expected::Date),
                ("reference", "a\nb", Expected::Text),
                ("benefit", "credit", Expected::Benefit),
                ("order_id", "a b", Expected::Text),
                ("partner_id", "a", Expected::Digits),
            ],
        );
        assert_eq!(row::parse(COLUMNS, parse, &[]).unwrap_err().len(), COLUMNS.len());
    }
}

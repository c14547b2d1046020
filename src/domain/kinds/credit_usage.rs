//! A row of `credit_usage`: credit that was spent on a day (D15).

use chrono::NaiveDate;

use super::{
    super::{
        benefit::Benefit,
        id::{OrderId, PartnerId},
        money::{Amount, Currency, parse_decimal},
        reason::Problem,
    },
    cell::{Cells, Content},
    schema::{Field, RowMeaning, Schema, ask, key, kind, required},
    types::{
        AMOUNT as MONEY, BENEFIT as OF_BENEFIT, BENEFIT_CODE, CURRENCY as CURRENCY_CODE, DATE, ORDER,
        PARTNER_ID, text,
    },
};

const ORDER_ID: Field<OrderId> = required("order_id", ORDER).help("The order");
const BENEFIT: Field<Benefit> = required("benefit", BENEFIT_CODE).help(OF_BENEFIT.column.help);
const USED_ON: Field<NaiveDate> = required("used_on", DATE).help("The day of use");
const AMOUNT: Field<i64> = required("amount", MONEY).help("How much was used, with a decimal point");
const CURRENCY: Field<Currency> =
    required("currency", CURRENCY_CODE).help("The ISO 4217 code of the credit, such as SEK");
const REFERENCE: Field<String> = key("reference", text::<200>()).help("What the use is called outside");

/// The kind.
pub const KIND: Schema = kind("credit_usage", RowMeaning::Event, "Credit that was used (D15)")
    .columns(&[
        PARTNER_ID.column,
        ORDER_ID.column,
        BENEFIT.column,
        USED_ON.column,
        AMOUNT.column,
        CURRENCY.column,
        REFERENCE.column,
    ])
    .examples(&["4100101,MPN-240131-101,azure_monthly_credit,2024-02-10,12.50,SEK,INV-7"])
    .asks(&[ask("usage", "State credit that was used (D15)")]);

/// A use of credit as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditUsageRow {
    /// Whose credit.
    pub partner_id: PartnerId,
    /// The order.
    pub order_id: OrderId,
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
    let partner_id = row.need(&PARTNER_ID);
    let order_id = row.need(&ORDER_ID);
    let benefit = row.need(&BENEFIT);
    let used_on = row.need(&USED_ON);
    let stated = match row.content("currency") {
        Content::Text(code) => Currency::parse(code),
        Content::Absent | Content::Empty => None,
    };
    let minor = if stated.is_some_and(|currency| row.has_too_many_decimals("amount", currency)) {
        None
    } else {
        let places = stated.map_or(4, Currency::exponent);
        row.need_as(&AMOUNT, |text| parse_decimal(text, places).filter(|minor| *minor > 0))
    };
    let currency = row.need(&CURRENCY);
    let reference = row.need(&REFERENCE);
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
    use crate::domain::reason::Expected;

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
        let it = row::parse(KIND.columns, parse, TIDY).unwrap();
        assert_eq!(it.amount, Amount::new(1_234, Currency::USD));
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("amount", "0", Expected::Amount),
                ("amount", "0.00", Expected::Amount),
                ("amount", "-5", Expected::Amount),
                ("amount", "12,34", Expected::Amount),
                ("currency", "$", Expected::Currency),
                ("used_on", "29.02.2024", Expected::Date),
                ("reference", "a\nb", Expected::Text),
                ("benefit", "credit", Expected::Benefit),
                ("order_id", "a b", Expected::Text),
                ("partner_id", "a", Expected::Digits),
            ],
        );
        assert_eq!(row::parse(KIND.columns, parse, &[]).unwrap_err().len(), KIND.columns.len());
    }
}

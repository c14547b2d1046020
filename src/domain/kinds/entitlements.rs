//! A row of `entitlements`: one benefit that an order brings; and what offers and benefits there are.

use chrono::NaiveDate;
use strum::VariantNames;

use super::{
    super::{
        benefit::{Benefit, BenefitKind, BenefitType, Offer, Quantity},
        id::{OrderId, PartnerId, SubscriptionId},
        money::{Amount, Currency, parse_decimal},
        reason::{Expected, Problem, Reason},
    },
    cell::{Cells, Content, Patch, Reading},
    schema::{Field, RowMeaning, Schema, Type, Typed, ask, kind, optional, required},
    types::{
        AMOUNT as MONEY, BENEFIT, CURRENCY as CURRENCY_CODE, DATE, ORDER_ID, PARTNER_ID, SUBSCRIPTION,
        one_of, text,
    },
};

const OFFER: Field<Offer> =
    required("offer", one_of(Offer::VARIANTS, Expected::Offer, Offer::parse)).help("What the order bought");
const BENEFIT_TYPE: Field<BenefitType> =
    required("benefit_type", one_of(BenefitType::VARIANTS, Expected::BenefitType, BenefitType::parse))
        .help("Whether it comes once with the membership or on top of it");
const QUANTITY: Field<Quantity> = required("quantity", Typed { of: Type::Quantity, parse: Quantity::parse })
    .may_be_empty()
    .help("Seats, incidents, hours or units of credit; empty: as the catalogue says (D12)");
const PURCHASED_ON: Field<NaiveDate> = required("purchased_on", DATE).help("When the order was bought");
const STARTS_ON: Field<NaiveDate> = required("starts_on", DATE).help("First usable day");
const EXPIRES_ON: Field<NaiveDate> = required("expires_on", DATE).help("Last usable day");
const AMOUNT: Field<i64> = optional("amount", MONEY).help(
    "Of credit: how much a period (bulk: once) and unit, with a decimal point; empty: as the catalogue says",
);
const CURRENCY: Field<Currency> =
    optional("currency", CURRENCY_CODE).help("The amount's ISO 4217 code, such as SEK; empty: USD");
const COMPETENCY: Field<String> = optional("competency", text::<100>()).help("The competency it comes with");
const SUBSCRIPTION_ID: Field<SubscriptionId> =
    optional("subscription_id", SUBSCRIPTION).help("The Azure subscription that usage names");

/// The kind.
pub const KIND: Schema = kind("entitlements", RowMeaning::State, "Benefits that orders bring (D5, D12)")
    .columns(&[
        PARTNER_ID.column,
        ORDER_ID.column,
        OFFER.column,
        BENEFIT.column,
        BENEFIT_TYPE.column,
        QUANTITY.column,
        PURCHASED_ON.column,
        STARTS_ON.column,
        EXPIRES_ON.column,
        AMOUNT.column,
        CURRENCY.column,
        COMPETENCY.column,
        SUBSCRIPTION_ID.column,
    ])
    .examples(&[
        "4100101,MPN-240131-101,silver,azure_monthly_credit,core,1,2024-01-31,2024-01-31,2025-01-30,1000.00,SEK,,",
        "4100101,MPN-240131-101,silver,advisory_hours,core,20,2024-01-31,2024-01-31,2025-01-30,,,,",
    ])
    .asks(&[ask("entitlement", "Add or change a benefit of an order (D5, D12)")]);

/// An entitlement as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementRow {
    /// Whose.
    pub partner_id: PartnerId,
    /// The order; belongs to one partner.
    pub order_id: OrderId,
    /// What the order bought.
    pub offer: Offer,
    /// The benefit; with the order the key.
    pub benefit: Benefit,
    /// Core or incremental.
    pub benefit_type: BenefitType,
    /// How much; `None` where the cell is empty and the catalogue says (D12).
    pub quantity: Option<Quantity>,
    /// When the order was bought.
    pub purchased_on: NaiveDate,
    /// First usable day.
    pub starts_on: NaiveDate,
    /// Last usable day.
    pub expires_on: NaiveDate,
    /// Per period (bulk: once) and per unit; zero or more; US dollars if the row names no currency. Empty: the
    /// catalogue says (D12).
    pub amount: Patch<Amount>,
    /// Which competency it comes with.
    pub competency: Patch<String>,
    /// The Azure subscription that usage names; lower case if it is a GUID.
    pub subscription_id: Patch<SubscriptionId>,
}

/// Reads a row; all its problems if there are any. Allocates no more than the text that it keeps.
pub fn parse(cells: &Cells<'_>) -> Result<EntitlementRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let order_id = row.need(&ORDER_ID);
    let offer = row.need(&OFFER);
    let benefit = row.need(&BENEFIT);
    let benefit_type = row.need(&BENEFIT_TYPE);
    let kind = benefit.as_ref().map(Benefit::kind);
    let quantity = quantity(&mut row, kind);
    let purchased_on = row.need(&PURCHASED_ON);
    let starts_on = row.need(&STARTS_ON);
    let expires_on = row.need(&EXPIRES_ON);
    if let (Some(starts_on), Some(expires_on)) = (starts_on, expires_on)
        && expires_on < starts_on
    {
        row.problem("expires_on", Reason::EndsBeforeStart);
    }
    if let (Some(purchased_on), Some(starts_on)) = (purchased_on, starts_on)
        && starts_on < purchased_on
    {
        row.problem("starts_on", Reason::StartsBeforePurchase);
    }
    let amount = amount(&mut row);
    let competency = row.patch(&COMPETENCY);
    let subscription_id = row.patch(&SUBSCRIPTION_ID);
    let assemble = || {
        Some(EntitlementRow {
            partner_id: partner_id?,
            order_id: order_id?,
            offer: offer?,
            benefit: benefit?,
            benefit_type: benefit_type?,
            quantity: quantity?.into_set(),
            purchased_on: purchased_on?,
            starts_on: starts_on?,
            expires_on: expires_on?,
            amount: amount?,
            competency: competency?,
            subscription_id: subscription_id?,
        })
    };
    row.finish(assemble())
}

/// Only cloud support is without limit; where the benefit is not known (`None`) that is not held against the row.
fn quantity(row: &mut Reading<'_>, kind: Option<BenefitKind>) -> Option<Patch<Quantity>> {
    let limited = kind.is_some_and(|kind| kind != BenefitKind::SignatureCloudSupport);
    row.patch_as(&QUANTITY, |text| {
        Quantity::parse(text).filter(|quantity| !limited || *quantity != Quantity::Unlimited)
    })
}

/// The amount in the row's currency. The currency is looked at first, though it stands behind.
fn amount(row: &mut Reading<'_>) -> Option<Patch<Amount>> {
    let currency = match row.content("currency") {
        Content::Text(code) => Currency::parse(code),
        Content::Absent | Content::Empty => Some(Currency::USD),
    };
    // In a currency that is not known, at least it has to be a decimal.
    let places = currency.map_or(4, Currency::exponent);
    let amount = if currency.is_some_and(|currency| row.has_too_many_decimals("amount", currency)) {
        None
    } else {
        row.patch_as(&AMOUNT, |text| parse_decimal(text, places).filter(|minor| *minor >= 0))
    };
    if currency.is_none() {
        row.problem("currency", Reason::Invalid { expected: Expected::Currency, meant: None });
    }
    let currency = currency?;
    amount.map(|patch| match patch {
        Patch::Set(minor) => Patch::Set(Amount::new(minor, currency)),
        Patch::Clear => Patch::Clear,
        Patch::Keep => Patch::Keep,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("order_id", "ORD-1"),
        ("offer", "silver"),
        ("benefit", "azure_monthly_credit"),
        ("benefit_type", "core"),
        ("quantity", "1"),
        ("purchased_on", "2024-01-31"),
        ("starts_on", "2024-01-31"),
        ("expires_on", "2025-01-30"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<EntitlementRow, Vec<Problem>> {
        row::parse(KIND.columns, parse, &row::with(TIDY, changes))
    }

    #[test]
    fn a_tidy_row_is_read() {
        let it = read(&[]).unwrap();
        assert_eq!((it.offer, it.benefit_type), (Offer::Silver, BenefitType::Core));
        assert_eq!((it.benefit.kind(), it.benefit.detail()), (BenefitKind::AzureMonthlyCredit, None));
        assert_eq!(it.quantity, Some(Quantity::Count(1)));
        assert_eq!((it.amount, it.competency, it.subscription_id), (Patch::Keep, Patch::Keep, Patch::Keep));
        assert_eq!(it.expires_on.to_string(), "2025-01-30");
    }

    #[test]
    fn d12_an_empty_quantity_or_amount_is_the_catalogues_to_fill() {
        let it = read(&[("quantity", ""), ("amount", ""), ("currency", "SEK")]).unwrap();
        assert_eq!((it.quantity, it.amount), (None, Patch::Clear));
    }

    #[test]
    fn an_amount_is_in_the_rows_currency_and_in_dollars_without_one() {
        let amount =
            |amount, currency| read(&[("amount", amount), ("currency", currency)]).map(|it| it.amount);
        let set = |minor, code| Ok(Patch::Set(Amount::new(minor, Currency::parse(code).unwrap())));
        assert_eq!(amount("100", ""), set(10_000, "USD"));
        assert_eq!(amount("1000.50", "sek"), set(100_050, "SEK"));
        assert_eq!(amount("15000", "JPY"), set(15_000, "JPY"));
        assert_eq!(amount("0", "USD"), set(0, "USD"));
        let finer = |cell: &'static str, currency: &'static str| {
            let known = Currency::parse(currency).unwrap();
            let reason = Reason::TooManyDecimals { currency: known, places: known.exponent() };
            assert_eq!(amount(cell, currency), Err(vec![Problem::at("amount", cell, reason)]));
        };
        finer("150.5", "JPY");
        finer("12.000", "JPY");
        finer("12.000", "USD");
        assert_eq!(amount("10", "kr"), Err(vec![row::bad("currency", "kr", Expected::Currency)]));
        assert_eq!(
            amount("ten", "kr"),
            Err(vec![
                row::bad("amount", "ten", Expected::Amount),
                row::bad("currency", "kr", Expected::Currency)
            ])
        );
        assert_eq!(read(&[("amount", "100")]).unwrap().amount, amount("100", "").unwrap());
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("partner_id", "1,23E+15", Expected::Digits),
                ("order_id", "ORD 1", Expected::Text),
                ("offer", "platinum", Expected::Offer),
                ("benefit", "azure_credit", Expected::Benefit),
                ("benefit_type", "extra", Expected::BenefitType),
                ("quantity", "-1", Expected::Quantity),
                ("quantity", "1.5", Expected::Quantity),
                ("quantity", "1000000000", Expected::Quantity),
                ("quantity", "unlimited", Expected::Quantity),
                ("purchased_on", "31/01/2024", Expected::Date),
                ("starts_on", "2024-02-30", Expected::Date),
                ("expires_on", "2025-1-30", Expected::Date),
                ("amount", "-1", Expected::Amount),
                ("amount", "1,000", Expected::Amount),
                ("competency", "Cloud\nPlatform", Expected::Text),
                ("subscription_id", "a b", Expected::Text),
            ],
        );
        let missing = row::parse(KIND.columns, parse, &[]).unwrap_err();
        let columns: Vec<_> = missing.iter().map(|problem| problem.column.as_str()).collect();
        let needed = KIND.columns.iter().filter(|column| column.required && column.name != "quantity");
        assert_eq!(columns, needed.map(|column| column.name).collect::<Vec<_>>());
        assert!(missing.iter().all(|problem| problem.reason == Reason::Missing));
    }

    #[test]
    fn a_benefit_may_end_on_the_day_it_starts_but_not_before() {
        assert!(read(&[("expires_on", "2024-01-31")]).is_ok());
        assert_eq!(
            read(&[("starts_on", "2024-01-01")]),
            Err(vec![Problem::at("starts_on", "2024-01-01", Reason::StartsBeforePurchase)])
        );
        assert_eq!(
            read(&[("expires_on", " 2024-01-30")]),
            Err(vec![Problem::at("expires_on", " 2024-01-30", Reason::EndsBeforeStart)])
        );
    }

    #[test]
    fn only_cloud_support_is_without_limit() {
        let it = read(&[("benefit", "signature_cloud_support"), ("quantity", "unlimited")]).unwrap();
        assert_eq!(it.quantity, Some(Quantity::Unlimited));
        assert_eq!(Quantity::Unlimited.to_string(), "unlimited");
    }

    #[test]
    fn a_benefit_code_is_a_kind_or_a_kind_and_a_detail() {
        let benefit = Benefit::parse("license_subscription/office_365").unwrap();
        assert_eq!(
            (benefit.kind(), benefit.detail()),
            (BenefitKind::LicenseSubscription, Some("office_365"))
        );
        assert_eq!(benefit.to_string(), "license_subscription/office_365");
        assert_eq!(String::from(benefit), "license_subscription/office_365");
        for kind in BenefitKind::ALL {
            assert_eq!(Benefit::parse(kind.name()).map(|benefit| benefit.kind()), Some(kind));
        }
        for bad in [
            "",
            "/",
            "software/",
            "software/a/b",
            "software/A",
            "software/a-b",
            "software/_a",
            "software/a__b",
            "Software",
            "sql",
        ] {
            assert_eq!(Benefit::parse(bad), None, "{bad}");
        }
    }
}

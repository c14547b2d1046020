//! A row of `entitlements`: one benefit that an order brings; and what offers and benefits there are.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    cell::{self, Cells, Column, Content, Patch, Reading, optional, required},
    money::{Amount, Currency, parse_decimal},
    reason::{Expected, Problem, Reason},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("order_id"),
    required("offer"),
    required("benefit"),
    required("benefit_type"),
    required("quantity"),
    required("purchased_on"),
    required("starts_on"),
    required("expires_on"),
    optional("amount"),
    optional("currency"),
    optional("competency"),
    optional("subscription_id"),
];

/// What a partner buys: the offer of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// Microsoft Action Pack (MAPS).
    ActionPack,
    /// Silver competency.
    Silver,
    /// Gold competency.
    Gold,
    /// ISV co-sell ready.
    IsvCosellReady,
}

impl Offer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ActionPack, Self::Silver, Self::Gold, Self::IsvCosellReady];

    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ActionPack => "action_pack",
            Self::Silver => "silver",
            Self::Gold => "gold",
            Self::IsvCosellReady => "isv_cosell_ready",
        }
    }

    /// The offer of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|offer| offer.name() == name)
    }
}

/// Whether a benefit comes once with the membership or more of it with each competency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BenefitType {
    /// Once with the membership.
    Core,
    /// On top of it.
    Incremental,
}

impl BenefitType {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Core, Self::Incremental];

    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Incremental => "incremental",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The kinds of benefit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BenefitKind {
    /// Software with keys (R5).
    Software,
    /// Azure credit each month (R1).
    AzureMonthlyCredit,
    /// Azure credit granted once (R2).
    AzureBulkCredit,
    /// Licence subscription by product key (R3).
    LicenseSubscription,
    /// Visual Studio subscription, seat by seat (R4).
    VisualStudio,
    /// Break-fix incidents (R6).
    ProductSupport,
    /// Incidents on cloud products (R6).
    SignatureCloudSupport,
    /// Hours of advice (R7).
    AdvisoryHours,
    /// Go-To-Market offer (R8).
    GoToMarket,
}

impl BenefitKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Software,
        Self::AzureMonthlyCredit,
        Self::AzureBulkCredit,
        Self::LicenseSubscription,
        Self::VisualStudio,
        Self::ProductSupport,
        Self::SignatureCloudSupport,
        Self::AdvisoryHours,
        Self::GoToMarket,
    ];

    /// The name, as in benefit codes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::AzureMonthlyCredit => "azure_monthly_credit",
            Self::AzureBulkCredit => "azure_bulk_credit",
            Self::LicenseSubscription => "license_subscription",
            Self::VisualStudio => "visual_studio",
            Self::ProductSupport => "product_support",
            Self::SignatureCloudSupport => "signature_cloud_support",
            Self::AdvisoryHours => "advisory_hours",
            Self::GoToMarket => "go_to_market",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A benefit code: a kind, or kind/detail. Unique within its order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Benefit {
    kind: BenefitKind,
    code: String,
}

impl Benefit {
    /// `None` unless the kind is known and the detail, if there is one, is lower snake case of at most 60 bytes.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let (kind, detail) = code.split_once('/').map_or((code, None), |(kind, detail)| (kind, Some(detail)));
        let kind = BenefitKind::parse(kind)?;
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let holds = detail.is_none_or(|detail| detail.len() <= 60 && detail.split('_').all(word));
        holds.then(|| Self { kind, code: code.to_owned() })
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> BenefitKind {
        self.kind
    }

    /// What stands behind the slash.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.code.split_once('/').map(|(_, detail)| detail)
    }

    /// The whole code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for Benefit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

impl From<Benefit> for String {
    fn from(benefit: Benefit) -> Self {
        benefit.code
    }
}

impl TryFrom<String> for Benefit {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        Self::parse(&code).ok_or_else(|| format!("'{code}' is not a benefit code"))
    }
}

/// How much of a benefit: seats, incidents or hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// So many, at most 999,999,999.
    Count(u32),
    /// Without limit: cloud support only.
    Unlimited,
}

impl Quantity {
    /// Digits, or `unlimited`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "unlimited" {
            return Some(Self::Unlimited);
        }
        let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok().map(Self::Count) } else { None }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// An entitlement as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementRow {
    /// Whose.
    pub partner_id: String,
    /// The order; belongs to one partner.
    pub order_id: String,
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
    pub subscription_id: Patch<String>,
}

/// Reads a row; all its problems if there are any. Allocates no more than the text that it keeps.
pub fn parse(cells: &Cells<'_>) -> Result<EntitlementRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let order_id = row.need("order_id", Expected::Text, cell::id);
    let offer = row.need("offer", Expected::Offer, Offer::parse);
    let benefit = row.need("benefit", Expected::Benefit, Benefit::parse);
    let benefit_type = row.need("benefit_type", Expected::BenefitType, BenefitType::parse);
    let kind = benefit.as_ref().map(Benefit::kind);
    let quantity = quantity(&mut row, kind);
    let purchased_on = row.need("purchased_on", Expected::Date, cell::date);
    let starts_on = row.need("starts_on", Expected::Date, cell::date);
    let expires_on = row.need("expires_on", Expected::Date, cell::date);
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
    let competency = row.patch("competency", Expected::Text, cell::text(100));
    let subscription_id =
        row.patch("subscription_id", Expected::Text, |text| cell::guid(text).or_else(|| cell::id(text)));
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
    row.patch("quantity", Expected::Quantity, |text| {
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
    let amount =
        row.patch("amount", Expected::Amount, |text| parse_decimal(text, places).filter(|minor| *minor >= 0));
    if currency.is_none() {
        row.problem("currency", Reason::Invalid { expected: Expected::Currency });
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
        row::parse(COLUMNS, parse, &row::with(TIDY, changes))
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
        assert_eq!(amount("150.5", "JPY"), Err(vec![row::bad("amount", "150.5", Expected::Amount)]));
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
            COLUMNS,
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
                ("amount", "100.001", Expected::Amount),
                ("competency", "Cloud\nPlatform", Expected::Text),
                ("subscription_id", "a b", Expected::Text),
            ],
        );
        let missing = row::parse(COLUMNS, parse, &[]).unwrap_err();
        let columns: Vec<_> = missing.iter().map(|problem| problem.column.as_str()).collect();
        let needed = COLUMNS.iter().filter(|column| column.required && column.name != "quantity");
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

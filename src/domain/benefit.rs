//! What a partner buys and what it brings: offers, benefits, how much of them, and in what they are drawn.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ledger::Account;

/// What a partner buys: the offer of an order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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
        Self::ALL.into_iter().find(|offer| offer.name().eq_ignore_ascii_case(name))
    }
}

/// Whether a benefit comes once with the membership or more of it with each competency.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
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

    /// Whether an offer may bring it at all (R6).
    #[must_use]
    pub const fn comes_with(self, offer: Offer) -> bool {
        match self {
            Self::ProductSupport => matches!(offer, Offer::ActionPack | Offer::Silver | Offer::Gold),
            Self::SignatureCloudSupport => matches!(offer, Offer::Silver | Offer::Gold),
            _ => true,
        }
    }

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

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Advisory hours, counted in minutes.
    Hours,
    /// Support incidents.
    Incidents,
}

impl Unit {
    /// What a kind of benefit is drawn in, if it is.
    #[must_use]
    pub const fn of(kind: BenefitKind) -> Option<Self> {
        match kind {
            BenefitKind::AdvisoryHours => Some(Self::Hours),
            BenefitKind::ProductSupport | BenefitKind::SignatureCloudSupport => Some(Self::Incidents),
            _ => None,
        }
    }

    /// How many of the ledger's minutes or counts are in a quantity.
    #[must_use]
    pub fn granted(self, quantity: u32) -> i64 {
        match self {
            Self::Hours => i64::from(quantity).saturating_mul(60),
            Self::Incidents => i64::from(quantity),
        }
    }

    /// The ledger's kind of a move (stable names, `report.ledger`).
    #[must_use]
    pub const fn kind(self, moved: Move) -> &'static str {
        match (self, moved) {
            (Self::Hours, Move::Granted) => "hours_granted",
            (Self::Hours, Move::Used) => "hours_used",
            (Self::Hours, Move::Lapsed) => "hours_lapsed",
            (Self::Incidents, Move::Granted) => "incidents_granted",
            (Self::Incidents, Move::Used) => "incidents_used",
            (Self::Incidents, Move::Lapsed) => "incidents_lapsed",
        }
    }
}

/// What happens to hours or incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// They become available.
    Granted,
    /// A request draws them.
    Used,
    /// They are lost with their benefit.
    Lapsed,
}

impl Move {
    /// From which account to which an original of it goes.
    #[must_use]
    pub const fn accounts(self) -> (Account, Account) {
        match self {
            Self::Granted => (Account::Programme, Account::Available),
            Self::Used => (Account::Available, Account::Used),
            Self::Lapsed => (Account::Available, Account::Lapsed),
        }
    }

    /// The move of a stored kind.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        let moves = [Self::Granted, Self::Used, Self::Lapsed];
        moves.into_iter().find(|moved| [Unit::Hours, Unit::Incidents].iter().any(|u| u.kind(*moved) == kind))
    }
}

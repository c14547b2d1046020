//! Hours and incidents: what a request draws from what an order brings (R6, R7).

use serde::{Deserialize, Serialize};

use super::entitlement::BenefitKind;

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
}

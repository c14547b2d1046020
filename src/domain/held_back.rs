//! What of a benefit of gold is held back while silver brings it (D12).

use serde::{Deserialize, Serialize};

use super::money::Amount;

/// What is held back of a benefit of gold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// Of each period of monthly credit.
    Period(Amount),
    /// Of bulk credit.
    Bulk {
        /// So much of it.
        bulk: Amount,
    },
    /// Of seats, incidents or hours.
    Units {
        /// So many of them.
        units: u32,
    },
}

impl Part {
    /// Of bulk credit.
    #[must_use]
    pub const fn bulk(bulk: Amount) -> Self {
        Self::Bulk { bulk }
    }
}

//! Credit that is lost at an end unless it is spent before (D10).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::{money::Amount, reason::Reason};

/// What is unspent of a credit, granted or to be granted, and the last day on which it can be spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// The benefit code.
    pub benefit: String,
    /// The number of its period.
    pub period_no: i32,
    /// What is unspent.
    pub unspent: Amount,
    /// Last day on which it can be spent.
    pub last_usable_on: NaiveDate,
    /// Its first day, if it is not granted yet: the amount is that of its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_on: Option<NaiveDate>,
    /// What excludes it until it is granted (D14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Reason>,
}

impl Stake {
    /// `; USD 12,000.00 of azure_bulk_credit is at stake`, of all; nothing if there is none.
    pub(super) fn line(stakes: &[Self]) -> String {
        let each = stakes.iter().map(|stake| format!("; {} of {} is at stake", stake.unspent, stake.benefit));
        each.collect()
    }

    #[must_use]
    pub(super) fn sample(benefit: &str, minor: i64, last_usable_on: NaiveDate) -> Self {
        let unspent = Amount::new(minor, crate::domain::money::Currency::USD);
        let benefit = benefit.to_owned();
        Self { benefit, period_no: 0, unspent, last_usable_on, granted_on: None, blocked: None }
    }

    /// One that is to be granted on `granted_on`.
    #[must_use]
    pub(super) fn sample_to_come(self, granted_on: NaiveDate) -> Self {
        Self { granted_on: Some(granted_on), ..self }
    }

    /// One that an agreement excludes until `earliest_on`, if its end is known.
    #[must_use]
    pub(super) fn sample_blocked(self, earliest_on: Option<NaiveDate>) -> Self {
        Self { blocked: Some(Reason::BulkBlocked { agreement: "csp".to_owned(), earliest_on }), ..self }
    }
}

//! Credit that is lost at an end unless it is spent before (D10).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::money::Amount;

/// What is unspent of a credit, and the last day on which it can be spent.
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
}

impl Stake {
    /// The list of them in a notice that includes `stakes/en`; nothing if there is none.
    pub const ENGLISH: &'static str = "
{% if stakes %}

Not spent yet, and lost unless it is spent in time:
{% for stake in stakes %}
- {{ stake }}
{% endfor %}
{% endif %}
";
    /// The same in Swedish.
    pub const SWEDISH: &'static str = "
{% if stakes %}

Ännu inte använt, och förlorat om det inte används i tid:
{% for stake in stakes %}
- {{ stake }}
{% endfor %}
{% endif %}
";

    /// `; USD 12,000.00 of azure_bulk_credit is at stake`, of all; nothing if there is none.
    pub(super) fn line(stakes: &[Self]) -> String {
        let each = stakes.iter().map(|stake| format!("; {} of {} is at stake", stake.unspent, stake.benefit));
        each.collect()
    }

    #[must_use]
    pub(super) fn sample(benefit: &str, minor: i64, last_usable_on: NaiveDate) -> Self {
        let unspent = Amount::new(minor, crate::domain::money::Currency::USD);
        Self { benefit: benefit.to_owned(), period_no: 0, unspent, last_usable_on }
    }
}

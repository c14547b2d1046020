//! A benefit has ended on its own.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::id::OrderId;

/// An entitlement has ended on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitlementEnded {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// Last usable day.
    pub ended_on: NaiveDate,
    /// It was closed because nobody had been assigned by that day (D11).
    #[serde(default)]
    pub unassigned: bool,
    /// The date of the full snapshot that does not have it, if it ended for that (D16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_as_of: Option<NaiveDate>,
}

impl NoticeContent for EntitlementEnded {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = None;

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, Some(&self.benefit))
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        NaiveDate::MAX
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts.benefit(&self.order_id, &self.benefit).day("last_day", self.ended_on).flag("unassigned", self.unassigned).snapshot(self.missing_as_of)
    }

    fn line(&self) -> String {
        let why = match self.missing_as_of {
            Some(as_of) => format!(": the full snapshot as of {as_of} does not have it"),
            None if self.unassigned => ": nobody had been assigned by then".to_owned(),
            None => String::new(),
        };
        format!("the benefit has ended, last usable day {}{why}", self.ended_on)
    }

    fn samples() -> Vec<Self> {
        let of = |benefit: &str, unassigned| Self {
            order_id: Sample::order(),
            benefit: benefit.to_owned(),
            ended_on: Sample::day(2024, 6, 30),
            unassigned,
            missing_as_of: None,
        };
        vec![of("license_subscription/office_365", false), of("azure_monthly_credit", true),
            Self { missing_as_of: Some(Sample::day(2024, 6, 22)), ..of("software", false) }]
    }
}

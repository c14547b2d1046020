//! A benefit ends before its membership does: 60, 30, 14, 7, 1 days before and on its last usable day.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    stake::Stake,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::id::OrderId;

/// An entitlement ends before its membership does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitlementEnding {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// Last usable day.
    pub last_usable_on: NaiveDate,
    /// Credit that is lost at its end unless it is spent before.
    #[serde(default)]
    pub at_stake: Vec<Stake>,
    /// The date of the full snapshot that does not have it, if it ends for that (D16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_as_of: Option<NaiveDate>,
}

impl NoticeContent for EntitlementEnding {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = Some(Steps::BeforeTheEnd);

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, Some(&self.benefit))
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        self.last_usable_on
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts.benefit(&self.order_id, &self.benefit).limit("last_day", self.last_usable_on).stakes(&self.at_stake)
            .blocked(&self.at_stake).snapshot(self.missing_as_of)
    }

    fn line(&self) -> String {
        let why = self.missing_as_of.map_or_else(String::new, |as_of| format!(", since the full snapshot as of {as_of} does not have it"));
        format!("the benefit ends, last usable day {}{why}", self.last_usable_on) + &Stake::line(&self.at_stake)
    }

    fn samples() -> Vec<Self> {
        let last_usable_on = Sample::day(2024, 6, 30);
        let of = |benefit: &str, at_stake| Self {
            order_id: Sample::order(),
            benefit: benefit.to_owned(),
            last_usable_on,
            at_stake,
            missing_as_of: None,
        };
        let (monthly, bulk) = ("azure_monthly_credit", "azure_bulk_credit/cloud_platform");
        let stake = |benefit| Stake::sample(benefit, 1_200_000, last_usable_on);
        let blocked = |day| stake(bulk).sample_to_come(Sample::day(2024, 1, 31)).sample_blocked(day);
        vec![
            of(monthly, vec![]),
            of(monthly, vec![stake(monthly)]),
            of(monthly, vec![stake(monthly).sample_to_come(Sample::day(2024, 6, 29))]),
            of(bulk, vec![blocked(Some(Sample::day(2024, 6, 1)))]),
            of(bulk, vec![blocked(None)]),
            Self { missing_as_of: Some(Sample::day(2024, 6, 22)), ..of(monthly, vec![]) },
        ]
    }
}
